# SPDX-License-Identifier: LGPL-2.1-or-later
#
# in-tree.sh TREE: what the guest's tree needs before any of our files come into it, run once by bootstrap.
# KERNEL names the kernel's package.
tree=$1

# Only the files of the kernel's package: its scripts would make an initrd, which the guest does not use.
chroot "$tree" sh -e <<'IN'
mkdir /tmp/kernel
cd /tmp/kernel
apt-get -q download "$(apt-cache depends --important "$KERNEL" | sed -n 's/.*Depends: \(linux-image-[^ ]*\)/\1/p' | head -n1)"
dpkg-deb -x linux-image-*.deb files
cp -a files/boot/. /boot/
mkdir -p /usr/lib/modules
cp -a files/lib/modules/. /usr/lib/modules/
depmod "$(ls /usr/lib/modules)"
cd /
rm -rf /tmp/kernel

useradd --create-home --user-group --shell /bin/bash vm
passwd -q -l root

# Nothing of these is ever read there, and the image is copied at every installation.
rm -rf /usr/share/doc/* /usr/share/man/* /usr/share/info/* /usr/lib/modules/*/kernel/drivers/net
rm -rf /usr/lib/modules/*/kernel/drivers/gpu /usr/lib/modules/*/kernel/drivers/infiniband
rm -rf /var/cache/apt/* /var/cache/debconf/*-old /var/lib/dpkg/*-old
find / -xdev -name '*.pyc' -path '*/test/*' -delete
IN
