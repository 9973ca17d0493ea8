# SPDX-License-Identifier: LGPL-2.1-or-later
#
# offering-tree.sh TREE: settles the tree of a host (NAME) that has no network and is to install packages, once, when it
# is made. These (OFFERED) and all that they need lie in a folder, which is the only source of its apt.
tree=$1

chroot "$tree" apt-get -q -y install --no-install-recommends --download-only $OFFERED
mkdir "$tree/srv/packages"
mv "$tree"/var/cache/apt/archives/*.deb "$tree/srv/packages/"
(
        cd "$tree/srv/packages"
        chmod 644 ./*.deb
        for file in *.deb; do
                dpkg-deb --field "$file"
                printf 'Filename: ./%s\nSize: %s\nSHA256: %s\n\n' "$file" "$(stat -c %s "$file")" \
                        "$(sha256sum "$file" | cut -d' ' -f1)"
        done >Packages
)
rm -f "$tree"/etc/apt/sources.list "$tree"/etc/apt/sources.list.d/* "$tree/var/lib/apt/lists/lock"
echo 'deb [trusted=yes] file:/srv/packages ./' >"$tree/etc/apt/sources.list"

# A host without an id would ask for its settings at its first boot.
rm -f "$tree/etc/machine-id"
printf '%s' "$NAME" | md5sum | cut -d' ' -f1 >"$tree/etc/machine-id"
echo "$NAME" >"$tree/etc/hostname"
printf '127.0.0.1 localhost %s\n' "$NAME" >"$tree/etc/hosts"
