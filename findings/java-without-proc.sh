#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# Package: openjdk-17-jre-headless 17.0.21.1+2-1~deb12u1 with libc6 2.36-9+deb12u14 (Debian 12).
# Guess: started by its whole path, java finds libjli.so, which lies beside it, by $ORIGIN in its RPATH: the kernel tells
#        the dynamic linker the program's path (AT_EXECFN), so that a chroot needs no /proc for that.
# Seen:  glibc's linker knows $ORIGIN by /proc/self/exe alone. Without /proc: "error while loading shared libraries:
#        libjli.so: cannot open shared object file", status 127, although the path was whole. LD_ORIGIN_PATH, or /proc,
#        and it runs.
# So a Java made ready in a tree that is only changed into (an image that is being built) needs /proc there.
set -eu
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
mkdir -p "$work/debs/partial" "$work/tree"
apt-get -qq -y --download-only --no-install-recommends -o Dir::State::status=/dev/null -o Dir::Cache::archives="$work/debs" \
        -o APT::Sandbox::User=root install openjdk-17-jre-headless=17.0.21.1+2-1~deb12u1 libc6=2.36-9+deb12u14 > "$work/said"
for file in "$work"/debs/*.deb; do dpkg -x "$file" "$work/tree"; done

java=/usr/lib/jvm/java-17-openjdk-amd64/bin/java
status=0
chroot "$work/tree" "$java" --version > "$work/without" 2>&1 || status=$?
LD_ORIGIN_PATH=${java%/*} chroot "$work/tree" "$java" --version > "$work/told"
cat "$work/without" "$work/told"
[ "$status" -eq 127 ]
grep -q 'libjli.so: cannot open shared object file' "$work/without"
grep -q '^openjdk 17' "$work/told"
echo 'as described'
