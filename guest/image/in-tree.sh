# SPDX-License-Identifier: LGPL-2.1-or-later
#
# in-tree.sh TREE: what the guest's tree needs before any of our files come into it, run once by bootstrap.
# KERNEL names the kernel's package.
tree=$1

# Only the files of the kernel's package: its scripts would make an initrd, which the guest does not use. Where it
# has none of its own (sid), those that it depends on have them.
chroot "$tree" sh -e <<'IN'
mkdir /tmp/kernel
cd /tmp/kernel
kernels() { apt-cache depends --important "$1" | sed -n 's/.*Depends: \(linux-\(image\|binary\|modules\)-[0-9][^ ]*\)/\1/p'; }
image=$(kernels "$KERNEL" | head -n1)
for package in $image $(kernels "$image"); do
        apt-get -q download "$package"
done
for file in *.deb; do
        dpkg-deb -x "$file" files
done
mkdir -p /usr/lib/modules
for modules in files/lib/modules files/usr/lib/modules; do
        [ ! -d "$modules" ] || cp -a "$modules/." /usr/lib/modules/
done
version=$(ls /usr/lib/modules)
[ ! -d files/boot ] || cp -a files/boot/. /boot/
[ -e "/boot/vmlinuz-$version" ] || mv "/usr/lib/modules/$version/vmlinuz" "/boot/vmlinuz-$version"
depmod "$version"
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
