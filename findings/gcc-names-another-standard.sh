#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# Package: gcc-12 12.2.0-14+deb12u1 (Debian 12).
# Guess: asked for -std=c89 or -std=c11, gcc says of printf's %b, which is new in C23, that "ISO C90" or "ISO C11" does not
#        support it, as it does of other conversions: "ISO C90 does not support the 'z' gnu_printf length modifier".
# Seen:  "ISO C17 does not support the '%b' gnu_printf format" under each of them: it names the last standard without it,
#        and of %B, which no standard demands, plain "ISO C".
# So a rule that makes compilers' words readable must not take the standard for the one that was asked for.
set -eu
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
mkdir -p "$work/debs/partial" "$work/tree/tmp"
apt-get -qq -y --download-only --no-install-recommends -o Dir::State::status=/dev/null -o Dir::Cache::archives="$work/debs" \
        -o APT::Sandbox::User=root install gcc-12=12.2.0-14+deb12u1 libc6-dev > "$work/said"
for file in "$work"/debs/*.deb; do dpkg -x "$file" "$work/tree"; done

cat > "$work/tree/tmp/b.c" <<'TEXT'
#include <stdio.h>
int main(void)
{
        printf("%b\n", 5u);
        printf("%B\n", 5u);
        printf("%zu\n", sizeof(int));
        return 0;
}
TEXT
for standard in c89 c11; do
        LC_ALL=C chroot "$work/tree" /usr/bin/gcc-12 -std=$standard -Wall -pedantic -fno-diagnostics-show-caret -c /tmp/b.c \
                -o /tmp/b.o 2>&1 | tee "$work/$standard"
        grep -q "^/tmp/b.c:4:.* ISO C17 does not support the '%b' gnu_printf format" "$work/$standard"
        grep -q "^/tmp/b.c:5:.* ISO C does not support the '%B' gnu_printf format" "$work/$standard"
done
grep -q "^/tmp/b.c:6:.* ISO C90 does not support the 'z' gnu_printf length modifier" "$work/c89"
echo 'as described'
