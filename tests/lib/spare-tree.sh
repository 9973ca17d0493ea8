# SPDX-License-Identifier: LGPL-2.1-or-later
#
# spare-tree.sh TREE: what makes a fresh Debian one that lives without a network, run once by bootstrap: the packages
# PACKAGES and all that they need lie in it as a source of apt, not installed.
tree=$1

chroot "$tree" sh -e <<'IN'
apt-get -qy --no-install-recommends --download-only install $PACKAGES
mkdir /var/spool/packages
cd /var/spool/packages
mv /var/cache/apt/archives/*.deb .
for file in *.deb; do
        dpkg-deb --field "$file"
        printf 'Filename: ./%s\nSize: %s\n' "$file" "$(stat -c %s "$file")"
        printf 'SHA256: %s\n\n' "$(sha256sum "$file" | cut -d' ' -f1)"
done >Packages
chmod 644 ./*
IN
rm -f "$tree/etc/apt/sources.list" "$tree"/etc/apt/sources.list.d/* "$tree/var/lib/apt/lists/lock"
echo 'deb [trusted=yes] file:/var/spool/packages ./' >"$tree/etc/apt/sources.list"
# It is thrown away: nothing is lost if the machine falls.
echo force-unsafe-io >"$tree/etc/dpkg/dpkg.cfg.d/spare"

echo spare >"$tree/etc/hostname"
printf '127.0.0.1 localhost spare\n' >"$tree/etc/hosts"
rm -f "$tree/etc/machine-id"
printf '%s' spare | md5sum | cut -d' ' -f1 >"$tree/etc/machine-id"
