# SPDX-License-Identifier: LGPL-2.1-or-later
# The Debian packages of tests/packages.txt, for sourcing. TOP is the folder of the source.

# packages_of SECTION...: their names, one a line.
packages_of() {
        local section
        for section in "$@"; do
                awk -v want="[$section]" '/^#/ { next } /^\[/ { inside = $0 == want; next } inside && NF' \
                        "$TOP/tests/packages.txt"
        done | sort -u
}

# packages_missing SECTION...: those that are not installed, neither by this name nor by one that stands for it:
# some libraries have other names since Debian 13.
packages_missing() {
        comm -23 <(packages_of "$@") \
                <(dpkg-query -W -f '${db:Status-Status} ${Package} ${Provides}\n' | sed -n 's/^installed //p' |
                        sed 's/([^)]*)//g; s/, */ /g' | tr -s ' ' '\n' | sort -u)
}

# packages_install SECTION...: installs what is missing and prints how many these were, or says what failed.
packages_install() {
        local missing
        mapfile -t missing < <(packages_missing "$@")
        [ ${#missing[@]} -gt 0 ] || { echo 'all there'; return 0; }

        if [ "$(id -u)" -ne 0 ]; then
                echo "missing: ${missing[*]}; as root: apt-get install ${missing[*]}" >&2
                return 1
        fi
        # A machine without systemd must not try to start the services that come with some of them.
        DEBIAN_FRONTEND=noninteractive RUNLEVEL=1 apt-get -q -y install --no-install-recommends \
                "${missing[@]}" >&2 ||
                { DEBIAN_FRONTEND=noninteractive apt-get -q update >&2 &&
                  DEBIAN_FRONTEND=noninteractive RUNLEVEL=1 apt-get -q -y install --no-install-recommends \
                        "${missing[@]}" >&2; } || return 1
        echo "installed: ${missing[*]}" >&2
        echo "${#missing[@]} installed, and what they need"
}
