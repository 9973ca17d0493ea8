#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# What tests/lib/packages.sh takes for installed: names that others stand for too (Debian 13's libcurl4t64), and no
# package that was removed.
set -euo pipefail
unset TOP
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

mkdir -p "$work/tests" "$work/bin"
printf '[build]\ngcc\nmeson\n\n# A comment.\n[host]\nlibcurl4\nlibarchive13\nqemu\nold\n' >"$work/tests/packages.txt"
cat >"$work/bin/dpkg-query" <<'IN'
#!/bin/sh
cat <<'OUT'
installed gcc c-compiler, gcc-x86-64-linux-gnu (= 4:14.2.0-1)
installed libcurl4t64 libcurl4 (= 8.14.1-2)
installed libarchive13t64 libarchive (= 3), libarchive13 (= 3.7.4-4)
config-files old 
installed unrelated 
OUT
IN
chmod +x "$work/bin/dpkg-query"

. "$1/tests/lib/packages.sh"
TOP=$work PATH=$work/bin:$PATH
got=$(packages_missing build host | paste -sd' ')
[ "$got" = 'meson old qemu' ] || { echo "missing: '$got', want 'meson old qemu'" >&2; exit 1; }
