#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# Packages: gdb 13.1-3, g++-12 12.2.0-14+deb12u1 (Debian 12).
# Guess: a variable of the type decltype(nullptr), which DWARF describes as DW_TAG_unspecified_type of that name, is printed
#        as a null pointer of eight bytes, or refused since its type is not known.
# Seen:  whatis says "int", print says 0, sizeof says 4; a pointer to such a variable is a "decltype(nullptr) *", and to
#        follow it is refused: "Attempt to dereference a generic pointer."
# So a debugger that shows the last expression has to make a void pointer of nullptr first.
set -eu
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
mkdir -p "$work/debs/partial" "$work/tree/tmp"
apt-get -qq -y --download-only --no-install-recommends -o Dir::State::status=/dev/null -o Dir::Cache::archives="$work/debs" \
        -o APT::Sandbox::User=root install gdb=13.1-3 g++-12=12.2.0-14+deb12u1 dash > "$work/said"
for file in "$work"/debs/*.deb; do dpkg -x "$file" "$work/tree"; done

cat > "$work/tree/tmp/n.cpp" <<'TEXT'
decltype(nullptr) none = nullptr, *place = &none;
int main() {
        return place == nullptr;
}
TEXT
chroot "$work/tree" /usr/bin/g++-12 -g -c /tmp/n.cpp -o /tmp/n.o
chroot "$work/tree" /usr/bin/gdb -nx -batch -ex 'whatis none' -ex 'print none' -ex 'print sizeof(none)' -ex 'whatis place' \
        -ex 'print *place' /tmp/n.o > "$work/said" 2>&1 || true
cat "$work/said"
grep -qx 'type = int' "$work/said"
grep -qx '\$1 = 0' "$work/said"
grep -qx '\$2 = 4' "$work/said"
grep -qx 'type = decltype(nullptr) \*' "$work/said"
grep -qx 'Attempt to dereference a generic pointer.' "$work/said"
echo 'as described'
