#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Puts the agent into a running guest: installs packages, builds, starts the service, and closes the network. For
Debian, Fedora, openSUSE and what is like them; tried on Debian."""

import argparse
import contextlib
import json
import os
import pwd
import shutil
import subprocess
import sys
import tempfile

from common import GUEST, HERE, Failure, load, run, say
from distribution import Distribution
from record import PATH as RECORD, Record, remove_if_empty
from writable import writable

TOP = os.path.dirname(GUEST)
SOCKET = '/run/pbotvm-guest/agent.socket'
UNITS = '/etc/systemd/system'
AGENT = 'pbotvm-guest.service'
NETWORK = 'pbotvm-guest-network.service'
CLOCK = ('pbotvm-guest-clock.socket', 'pbotvm-guest-clock.service')

# What an existing guest gets beside what the build installs.
FILES = {
    'pbotvm-guest.nft': '/etc/pbotvm/guest.nft',
    NETWORK: f'{UNITS}/{NETWORK}',
    'pbotvm-guest.rules': '/etc/polkit-1/rules.d/10-pbotvm-guest.rules',
}

# Commands that the host sends, and what else they may be called here: a link gives them that name. The agent itself
# knows compilers by another version's name.
NAMES = {
    'bf': ('bff', ('beef',)),
    'lua': ('lua', ('lua5.4', 'lua5.3')),
    'python': ('python', ('python3',)),
    'scheme': ('guile', ('guile3.0', 'guile-3.0')),
}

# What makes ahead what compilers need, and where it puts that, but for Go's library.
PRECOMPILE = '/usr/libexec/pbotvm/pbotvm-precompile'
MADE = '/var/cache/pbotvm-guest'

# Where a job looks for commands.
SEARCHED = '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin'


def found(name):
    return shutil.which(name, path=SEARCHED)


def user_exists():
    try:
        return pwd.getpwnam('vm').pw_uid != 0
    except KeyError:
        return False


def active(unit):
    return run('systemctl', 'is-active', '--quiet', unit, check=False).returncode == 0


@contextlib.contextmanager
def network_open():
    """Where an earlier installation has closed the network, packages could not come."""
    closed = active(NETWORK)
    if closed:
        say('opening the network for the packages')
        run('systemctl', 'stop', NETWORK)
    try:
        yield
    finally:
        if closed:
            run('systemctl', 'start', NETWORK)


def record_python():
    """guest/install has brought it, and what else it needs, so that this can run: to be undone with the rest."""
    before = os.environ.pop('PBOTVM_PACKAGES_BEFORE', '').split()
    if before:
        Record.read().add(packages=Distribution().installed() - set(before))


def packages_install(distribution, packages, record):
    there = distribution.installed()
    missing = sorted(set(packages) - there)
    try:
        if missing:
            say(f'installing {len(missing)} packages, and what they need')
            with network_open():
                distribution.install(missing)
    finally:
        record.add(packages=distribution.installed() - there)  # what they brought with them too


def build_and_install(build, record):
    say('building the agent')
    # A compiler newer than ours may warn of more.
    run('meson', 'setup', build, TOP, '-Dhost=false', '-Dtests=false', '-Dwerror=false', '--buildtype=release',
        *(['--reconfigure'] if os.path.isdir(f'{build}/meson-info') else []))
    run('meson', 'compile', '-C', build)
    installed = json.loads(run('meson', 'introspect', '--installed', build).stdout)
    record.put_aside(installed.values())
    try:
        run('meson', 'install', '-C', build, '--no-rebuild')
    finally:
        log = f'{build}/meson-logs/install-log.txt'
        if os.path.exists(log):
            with open(log, encoding='utf-8') as file:
                record.add(files=[line.strip() for line in file if line.startswith('/')])


def build_somewhere(folder, record):
    if folder:
        build_and_install(os.path.abspath(folder), record)
        return
    with tempfile.TemporaryDirectory(prefix='pbotvm-build-') as build:
        build_and_install(build, record)


def files_install(record):
    record.put_aside(FILES.values())
    record.add(files=FILES.values())
    for name, target in FILES.items():
        os.makedirs(os.path.dirname(target), exist_ok=True)
        shutil.copyfile(f'{HERE}/{name}', target)
        os.chmod(target, 0o644)


def names_install(languages, record):
    for name, others in (NAMES[language] for language in languages if language in NAMES):
        target = next((path for path in map(found, others) if path), None)
        if target and not found(name):
            path = f'/usr/local/bin/{name}'
            record.add(files=[path])
            os.symlink(target, path)


def tree(top):
    """A folder and all that is in it; nothing if it is not there."""
    return {path for folder, folders, names in os.walk(top)
            for path in (folder, *(os.path.join(folder, name) for name in folders + names))}


def go_library():
    """Go's library lies among the distribution's files, compiled or not."""
    go = found('go')
    root = go and run(go, 'env', 'GOROOT', check=False).stdout.strip()
    return tree(f'{root}/pkg') if root else set()


def precompile(record):
    """What compilers need again and again; pbotvm-precompile says what it saves."""
    if not any(map(found, ('gcc', 'g++', 'clang', 'clang++', 'javac', 'go', 'ghc'))):
        return
    theirs = go_library()
    say('making ahead what compilers need again and again: minutes, where there is g++ and no KVM')
    try:
        if run(PRECOMPILE, check=False).returncode != 0:
            say('not all could be made ahead: C++, Java, Go or Haskell is slower')
    finally:
        record.add(files=tree(MADE) | (go_library() - theirs))


def user_install(record):
    """By this file alone: others' users are not for us to make."""
    if not user_exists():
        [path] = [path for path in record.known['files'] if path.endswith('/sysusers.d/pbotvm-guest.conf')]
        record.add(made_user=True)
        run('systemd-sysusers', path)


def network_install(keep):
    if keep:
        say(f'the network stays as it is: systemctl enable --now {NETWORK} closes it')
        return
    run('systemctl', 'enable', NETWORK)
    run('systemctl', 'reload-or-restart', NETWORK)
    say(f'the network is closed but for what is established; systemctl stop {NETWORK} opens it until the next boot')


def writable_tell():
    paths = writable()
    if paths:
        more = f' and {len(paths) - 5} more' if len(paths) > 5 else ''
        say(f'everybody may write to {", ".join(map(repr, paths[:5]))}{more}: by the times and attributes of these one '
            'job could leave word for the next; chmod o-w mends it')


def install(arguments):
    distribution = Distribution()
    languages, packages = distribution.languages(arguments.languages)
    table = distribution.table
    record = Record.read()

    say(f'{distribution.name}: {", ".join(languages) or "no language"}')
    packages_install(distribution, table['build'] + table['run'] + packages, record)
    build_somewhere(arguments.build, record)
    files_install(record)
    names_install(languages, record)
    precompile(record)
    user_install(record)

    run('systemctl', 'daemon-reload')
    say('starting the agent')
    run('systemctl', 'enable', AGENT)
    run('systemctl', 'restart', AGENT)
    network_install(arguments.keep_network)
    writable_tell()
    say(f'the agent runs. What it can run: {GUEST}/install --list; its log: journalctl -u {AGENT}')


def list_languages(names):
    """By running each one's hello world through the agent, which warms the guest for its snapshot too."""
    unknown = [name for name in names if name not in load(f'{GUEST}/hello.json')]
    if unknown:
        raise Failure(f'{", ".join(unknown)}: no such language')
    if not os.path.exists(SOCKET):
        raise Failure(f'{SOCKET} is not there: does the agent run? systemctl status {AGENT}')
    status = subprocess.run([f'{GUEST}/image/warm', '--data', SOCKET, *names], check=False).returncode
    # That the guest cannot run all there are is no failure, unless it was asked for them.
    return status if names or status != 1 else 0


def remove(arguments):
    record = Record.read(needed=True)
    known = record.known
    for unit in (NETWORK, AGENT, *CLOCK):
        run('systemctl', 'disable', '--now', unit, check=False)
    record.forget_files()
    run('systemctl', 'daemon-reload')
    remove_if_empty('/var/lib/pbotvm-guest')
    if known['made_user'] and user_exists():
        run('userdel', 'vm')
        run('groupdel', 'vm', check=False)  # where userdel leaves it
    say('the agent is removed, and the network is as it was')
    if os.path.isdir('/var/lib/pbotvm-guest'):
        say('what factoids have stored stays in /var/lib/pbotvm-guest')

    distribution = Distribution()
    if arguments.packages:
        say(f'removing {len(known["packages"])} packages')
        known['packages'] = distribution.remove(known['packages'])
        if known['packages']:
            known['files'], known['made_user'] = [], False
            record.write()
            raise Failure(f'others need these, which stay: {" ".join(known["packages"])}')
    elif known['packages']:
        say(f'{len(known["packages"])} packages that came with it stay; what removes them: '
            f'{" ".join(distribution.table["remove"] + known["packages"])}')
    record.forget()


def parse():
    parser = argparse.ArgumentParser(prog='guest/install', description=__doc__)
    what = parser.add_mutually_exclusive_group()
    what.add_argument('--list', action='store_true',
                      help='show which languages this guest can run, by running each; it is warm for its snapshot then')
    what.add_argument('--remove', action='store_true', help='undo it')
    parser.add_argument('--languages', metavar='A,B',
                        help='install what these need, or "all" (sh,bash,perl,python3)')
    parser.add_argument('--keep-network', action='store_true', help='do not close the network')
    parser.add_argument('--build', metavar='FOLDER', help='build there, and keep it')
    parser.add_argument('--packages', action='store_true',
                        help='with --remove: also the packages that came with it and that nothing else needs')
    parser.add_argument('names', nargs='*', metavar='LANGUAGE', help='with --list: only these')
    arguments = parser.parse_args()
    if arguments.names and not arguments.list:
        parser.error(f'{arguments.names[0]}: languages are named by --languages')
    if arguments.packages and not arguments.remove:
        parser.error('--packages goes with --remove')
    if (arguments.list or arguments.remove) and (arguments.languages is not None or arguments.keep_network or
                                                 arguments.build):
        parser.error('--languages, --keep-network and --build are for an installation')
    if arguments.languages is None:
        arguments.languages = 'sh,bash,perl,python3'
    return arguments


def main():
    os.umask(0o022)
    try:
        record_python()
        arguments = parse()
        if os.geteuid() != 0:
            raise Failure('this needs root')
        if arguments.list:
            return list_languages(arguments.names)
        if not os.path.isdir('/run/systemd/system'):
            raise Failure('this guest was not booted with systemd, which starts the agent')
        if arguments.remove:
            remove(arguments)
        else:
            install(arguments)
    except (Failure, OSError) as failure:
        print(f'guest/install: failed: {failure}', file=sys.stderr)
        return 1
    return 0


if __name__ == '__main__':
    sys.exit(main())
