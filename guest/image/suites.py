#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Debian's suites (suites.json): which one this machine has, which is the newest stable one, and where apt of this
machine finds the packages of another. Mirrors, proxies and checks are those that apt is configured with."""

import argparse
import functools
import json
import os
import subprocess
import sys
import tempfile
import time

HERE = os.path.dirname(os.path.realpath(__file__))
OS_RELEASE = '/etc/os-release'
APT_HELPER = '/usr/lib/apt/apt-helper'
# The mirror's word for its newest stable suite is asked for once in this time, seconds.
REMEMBERED = 24 * 3600


class Failure(Exception):
    """What went wrong, in words."""


@functools.cache
def table():
    with open(os.path.join(HERE, 'suites.json'), encoding='utf-8') as file:
        return json.load(file)['suites']


def split(codename):
    """A codename as a mirror has it, trixie-updates: the suite and the pocket; None where no suite is known."""
    for suite, entry in table().items():
        for pocket in entry['pockets']:
            if codename == suite + pocket:
                return suite, pocket
    return None


def machine_sources():
    """(URI, suite, pocket, component) of each Debian archive that apt has lists of."""
    said = subprocess.run(['apt-get', 'indextargets', '--format', '$(REPO_URI) $(CODENAME) $(COMPONENT) $(ORIGIN)',
                           'Created-By: Packages'], text=True, stdout=subprocess.PIPE, check=True).stdout
    found = []
    for line in said.splitlines():
        uri, codename, component, *origin = line.split(' ')
        known = split(codename)
        if origin == ['Debian'] and known and (uri, *known, component) not in found:
            found.append((uri, *known, component))
    return found


def sources():
    """The same, with lists fetched where there are none yet."""
    found = machine_sources()
    if not found and os.geteuid() == 0:
        subprocess.run(['apt-get', '-q', 'update'], stdout=sys.stderr, check=False)
        found = machine_sources()
    if not found:
        raise Failure(f'apt of this machine has no source of Debian {", ".join(table())}: see /etc/apt/sources.list')
    return found


def newest(known):
    """Of suites, or None where there are none."""
    return max(known, key=list(table()).index, default=None)


def own():
    """The suite of this machine. A rolling one has the name of a release to come, or none: there apt knows."""
    with open(OS_RELEASE, encoding='utf-8') as file:
        named = dict(line.rstrip('\n').partition('=')[::2] for line in file).get('VERSION_CODENAME', '').strip('"')
    return named if named in table() else newest(suite for _, suite, pocket, _ in sources() if not pocket)


def lines(suite):
    """sources.list of a suite: this machine's own where it has them, else the same mirrors with the other name."""
    if suite not in table():
        raise Failure(f'{suite}: no such suite; there are {", ".join(table())}')
    there = sources()
    names = {name for _, name, pocket, _ in there if not pocket}
    base = suite if suite in names else newest(names)
    return sorted({f'deb {uri} {suite}{pocket} {component}' for uri, name, pocket, component in there
                   if name == base and pocket in table()[suite]['pockets']})


def newer(suite):
    """The released suites that are newer than this one, oldest first."""
    known = table()
    return [name for name in list(known)[list(known).index(suite) + 1:] if not known[name].get('rolling')]


def ask_mirror():
    """The codename that the mirror calls stable, or None if it cannot be asked."""
    try:
        uri = next((uri for uri, _, pocket, _ in sources() if not pocket), None)
    except (Failure, OSError, subprocess.CalledProcessError):
        return None
    if not uri:
        return None
    with tempfile.TemporaryDirectory() as folder:
        release = os.path.join(folder, 'Release')
        done = subprocess.run([APT_HELPER, '-o', 'Acquire::Retries=1', '-o', 'Acquire::http::Timeout=10',
                               'download-file', f'{uri.rstrip("/")}/dists/stable/Release', release],
                              stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, check=False)
        if done.returncode != 0:
            return None
        with open(release, encoding='utf-8') as file:
            return next((line.split()[1] for line in file if line.startswith('Codename:')), None)


def newest_stable(folder):
    """The newest stable suite that the mirror has and this table knows. The mirror's word is remembered in the
    folder; a machine without a network takes the last one, or else the newest of the table."""
    kept = os.path.join(folder, 'stable')
    said = None
    if os.path.exists(kept):
        with open(kept, encoding='ascii') as file:
            said = file.read().strip()
    if not said or time.time() - os.path.getmtime(kept) > REMEMBERED:
        asked = ask_mirror()
        if asked:
            os.makedirs(folder, exist_ok=True)
            with open(kept, 'w', encoding='ascii') as file:
                file.write(asked + '\n')
        said = asked or said
    released = [suite for suite, entry in table().items() if not entry.get('rolling')]
    return said if said in released else released[-1]


def main():
    parser = argparse.ArgumentParser(prog='guest/image/suites.py', description='Tells of the suites of Debian.')
    which = parser.add_mutually_exclusive_group(required=True)
    which.add_argument('--own', action='store_true', help='the one that this machine has')
    which.add_argument('--sources', metavar='SUITE', help='sources.list of one, from the mirrors of this machine')
    arguments = parser.parse_args()
    try:
        print(own() if arguments.own else '\n'.join(lines(arguments.sources)))
    except (Failure, OSError, subprocess.CalledProcessError) as failure:
        print(f'guest/image/suites.py: {failure}', file=sys.stderr)
        return 1
    return 0


if __name__ == '__main__':
    sys.exit(main())
