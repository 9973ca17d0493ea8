# SPDX-License-Identifier: LGPL-2.1-or-later
#
# lab-tree.sh TREE: settles the tree of the disposable host, once, when it is made.
tree=$1

# No network of its own, and nothing that waits or runs by the clock. A stop must not wait for guests either.
for unit in libvirt-guests.service systemd-networkd.service systemd-resolved.service console-getty.service \
        getty.target apt-daily.timer apt-daily-upgrade.timer dpkg-db-backup.timer e2scrub_all.timer fstrim.timer \
        e2scrub_reap.service systemd-tmpfiles-clean.timer man-db.timer; do
        ln -sf /dev/null "$tree/etc/systemd/system/$unit"
done
rm -f "$tree"/etc/libvirt/qemu/networks/autostart/*
# A host without an id would ask for its settings at its first boot.
rm -f "$tree/etc/machine-id"
printf '%s' pbotvm-lab | md5sum | cut -d' ' -f1 >"$tree/etc/machine-id"
echo pbotvm-lab >"$tree/etc/hostname"
printf '127.0.0.1 localhost pbotvm-lab\n' >"$tree/etc/hosts"

# All that is written to the journal is read by tests: nothing may be dropped.
mkdir -p "$tree/etc/systemd/journald.conf.d"
printf '[Journal]\nStorage=volatile\nRateLimitIntervalSec=0\n' >"$tree/etc/systemd/journald.conf.d/lab.conf"
