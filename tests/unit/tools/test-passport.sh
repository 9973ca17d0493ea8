#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# The description that ./quickstart gives its first snapshot is a passport as the programs read it.
# Usage: test-passport.sh SOURCE

set -eu
source=$1
eval "$(sed -n '/^passport() {/,/^}/p' "$source/quickstart")"

# shellcheck disable=SC2317  # it is called by passport()
on() { # libvirt's answers
        case $2 in
        version)
                printf '%s\n' 'Compiled against library: libvirt 9.0.0' 'Using library: libvirt 9.0.0' \
                        'Using API: QEMU 9.0.0' 'Running hypervisor: QEMU 7.2.22' 'Running against daemon: 9.1.0' ''
                ;;
        capabilities)
                printf '%s\n' '<capabilities>' '  <host>' '    <cpu>' '      <arch>x86_64</arch>' \
                        '      <model>EPYC-Milan</model>' '    </cpu>' '  </host>' '  <guest><model>x</model></guest>' \
                        '</capabilities>'
                ;;
        esac
}

head=$(sed -n 's/^#define HEAD "\(.*\)"$/\1/p' "$source/src/passport/passport.c")
mapfile -t keys < <(sed -n 's/^ *FIELD("\([a-z]*\)".*/\1/p' "$source/src/passport/passport.c")
expected="$head ${keys[0]}=7.2.22 ${keys[1]}=9.1.0 ${keys[2]}=EPYC-Milan"
got=$(passport)
if [[ ${#keys[@]} -lt 3 || $got != "$expected" ]]; then
        echo "FAILED: expected '$expected', got '$got'"
        exit 1
fi
