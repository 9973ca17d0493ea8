#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# Packages: gdb 13.1-3, g++-12 12.2.0-14+deb12u1 (Debian 12).
# Guess: a breakpoint at the line of the brace that closes main() is behind all its statements: there the variables have
#        their last values and no destructor has run.
# Seen:  with std::vector<std::string> v = { "a", "b" }; g++ gives the line of that brace to code that makes and unmakes
#        the list's temporaries, too. gdb takes the lowest address alone ("Breakpoint 1 at ...", one place): it lies before
#        the declaration's own first address, so that the program stops once, with v not yet made.
# So a debugger that shows a program's variables at its end has to choose the place out of the whole line table.
set -eu
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
mkdir -p "$work/debs/partial" "$work/tree/tmp"
apt-get -qq -y --download-only --no-install-recommends -o Dir::State::status=/dev/null -o Dir::Cache::archives="$work/debs" \
        -o APT::Sandbox::User=root install gdb=13.1-3 g++-12=12.2.0-14+deb12u1 dash > "$work/said"
for file in "$work"/debs/*.deb; do dpkg -x "$file" "$work/tree"; done

cat > "$work/tree/tmp/v.cpp" <<'TEXT'
#include <string>
#include <vector>
int main() {
        std::vector<std::string> v = { "a", "b" };
        int n = 1;
        return 0;
}
TEXT
chroot "$work/tree" /usr/bin/g++-12 -g -c /tmp/v.cpp -o /tmp/v.o
chroot "$work/tree" /usr/bin/gdb -nx -batch -ex 'break v.cpp:7' -ex 'info breakpoints' -ex 'info line v.cpp:4' \
        -ex 'info line v.cpp:5' /tmp/v.o > "$work/said" 2>&1
cat "$work/said"
stop=$(sed -n 's/^Breakpoint 1 at \(0x[0-9a-f]*\): file .*, line 7\.$/\1/p' "$work/said")
declared=$(sed -n 's/^Line 4 of ".*" starts at address \(0x[0-9a-f]*\) .*/\1/p' "$work/said")
next=$(sed -n 's/^Line 5 of ".*" starts at address \(0x[0-9a-f]*\) .*/\1/p' "$work/said")
[ "$(grep -c '^1\.[0-9]' "$work/said")" -eq 0 ]
[ $((stop)) -lt $((declared)) ]
[ $((stop)) -lt $((next)) ]
echo 'as described'
