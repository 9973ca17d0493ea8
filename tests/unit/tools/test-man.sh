#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# The manual pages are well-formed, and have what the programs have: each option of --help, each member of the
# configuration, of a language file and of the agent's settings, each metric, each field in the journal.
# Usage: test-man.sh SOURCE [PROGRAM...]

set -u
source=$1
shift
failed=0

fail() {
        echo "FAILED: $*"
        failed=1
}

text() { # PAGE: as it is read
        mandoc -T utf8 "$source/man/$1" | sed 's/.\x08//g' | tr -s ' \n' ' '
}

# has PAGE WORD...: each word stands in the page, as a word of its own.
has() {
        local page=$1 word content
        shift
        content=$(text "$page")
        [[ $# -gt 0 ]] || fail "$page: nothing to look for"
        for word in "$@"; do
                grep -qE -- "(^|[^[:alnum:]_-])$word([^[:alnum:]_-]|$)" <<<"$content" || fail "$page: no $word"
        done
}

names() { # FILE PATTERN: what is in quotes behind the pattern
        sed -nE "s/.*$2\"([A-Za-z][A-Za-z0-9_-]*)\".*/\1/p" "$source/$1" | sort -u
}

for page in "$source"/man/*.[1-8]; do
        mandoc -T lint -W warning "$page" || fail "$page: mandoc has warnings"
done

for program in "$@"; do
        page=$(cd "$source/man" && ls "$(basename "$program")".[18])
        # shellcheck disable=SC2046  # words
        has "$page" $("$program" --help | grep -oE -- '--[a-z-]+' | sort -u) --version
done

# shellcheck disable=SC2046
{
        has pbotvm.json.5 $(names src/config/members.c '^ *\{ ' | grep -v vagrant) machines aliases listeners
        has pbotvm.json.5 $(names src/config/environment.c '^ *\{ ') PBOTVM_NOREVERT
        has pbotvm-qemu.8 $(names src/qemu/definition.c '^ *\{ ')
        has pbotvm-language.5 $(names src/language/definition.c '^ *\{ ') define rules
        has pbotvm-language.5 $(sed -nE '/rule_kinds\[\]/,/^};/p' "$source/src/language/rewrite-table.c" |
                grep -oE '"[a-z]+"' | tr -d '"' | sort -u)
        has pbotvm-guest.8 $(names guest/agent/settings.c '^ *\{ ')
        has pbotvm-guest.8 $(grep -oE 'PBOTVM_GUEST_[A-Z_]+' "$source/guest/agent/settings.c" |
                grep -v CONFIG_FILE | sort -u)
        has pbotvm-handler.8 $(grep -oE 'PBOTVM_[A-Z_]+' "$source/src/handler/record.c" | sort -u)
        has pbotvm-handler.8 $(sed -nE 's/^ *\[VERDICT_\w+\] = \{ "([a-z-]+)".*/\1/p' "$source/src/handler/verdict.c")
        has pbotvmctl.1 pbotvm_up $(grep -oE '"pbotvm_machine_[a-z_]+"' "$source/src/ctl/metrics.c" | tr -d '"')
}
exit $failed
