#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# Package: golang-1.19-go 1.19.8-2 (Debian 12).
# Guess: Go's compiler, as it is started by "go build", writes what it has against a program to standard error, where
#        "go build" shows it and where every other compiler has it, and ends with 1 as they do.
# Seen:  it writes them to standard output, nothing to standard error, and ends with 2.
# So who starts the tool itself ("go tool compile") has to look at both, and at each status.
set -eu
version=1.19.8-2
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
(cd "$work" && apt-get -qq download golang-1.19-go=$version)
dpkg -x "$work"/golang-1.19-go_*.deb "$work/tree"

printf 'package main\n\nfunc main() {\n\tx := 1\n\ty()\n}\n' > "$work/prog.go"
status=0
(cd "$work" && tree/usr/lib/go-1.19/pkg/tool/linux_*/compile -p main -o prog.a ./prog.go) > "$work/out" 2> "$work/err" || status=$?
printf 'status %s, standard output:\n' "$status"
cat "$work/out"
[ "$status" -eq 2 ]
grep -q '^\./prog\.go:4:2: x declared but not used$' "$work/out"
grep -q '^\./prog\.go:5:2: undefined: y$' "$work/out"
[ ! -s "$work/err" ]
echo 'as described'
