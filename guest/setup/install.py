#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Puts the agent into a running guest: installs packages, builds, starts the service, and closes the network. For
Debian, Fedora, openSUSE and what is like them; tried on Debian."""

import argparse
import json
import os
import pwd
import shutil
import subprocess
import sys
import tempfile

HERE = os.path.dirname(os.path.realpath(__file__))
GUEST = os.path.dirname(HERE)
TOP = os.path.dirname(GUEST)
RECORD = '/etc/pbotvm/guest-install.json'
SOCKET = '/run/pbotvm-guest/agent.socket'
UNITS = '/etc/systemd/system'

# What an existing guest gets beside what the build installs.
FILES = {
    'pbotvm-guest.nft': '/etc/pbotvm/guest.nft',
    'pbotvm-guest-network.service': f'{UNITS}/pbotvm-guest-network.service',
    'pbotvm-guest.rules': '/etc/polkit-1/rules.d/10-pbotvm-guest.rules',
}


class Failure(Exception):
    """What failed and what to do."""


def say(text):
    print(f'guest/install: {text}', flush=True)


def load(path):
    try:
        with open(path, encoding='utf-8') as file:
            return {name: value for name, value in json.load(file).items() if name != 'about'}
    except (OSError, ValueError) as error:
        raise Failure(f'{path}: {error}') from None


def run(*command, check=True, quiet=True, **options):
    """Runs a command; what it says is of interest only if it fails."""
    if quiet:
        options.update(stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    try:
        done = subprocess.run(command, check=False, stdin=subprocess.DEVNULL, **options)
    except FileNotFoundError:
        raise Failure(f'{command[0]} is not there') from None
    if check and done.returncode != 0:
        if quiet:
            sys.stderr.write(done.stdout[-3000:])
        raise Failure(f'{" ".join(command[:4])} failed with status {done.returncode}')
    return done


class Distribution:
    """How packages are called and handled here."""

    def __init__(self):
        release = {}
        with open('/etc/os-release', encoding='utf-8') as file:
            for line in file:
                name, _, value = line.strip().partition('=')
                release[name] = value.strip('"\'')
        ids = [release.get('ID', '')] + release.get('ID_LIKE', '').split()
        for self.name, self.table in load(f'{HERE}/install.json').items():
            if any(i == like or i.startswith(like + '-') for i in ids for like in self.table['like']):
                break
        else:
            raise Failure(f'{release.get("PRETTY_NAME", "this distribution")} is not known: add it to '
                          f'guest/setup/install.json and guest/packages.json')

    def languages(self, wanted):
        table = load(f'{GUEST}/packages.json')[self.name]
        chosen = sorted(table) if wanted == 'all' else [name for name in wanted.split(',') if name]
        for name in chosen:
            if name not in table:
                raise Failure(f'{name}: no such language for {self.name}; there are {", ".join(sorted(table))}')
        return chosen, [package for name in chosen for package in table[name]]

    def has(self, package):
        done = run(*self.table['installed'], package, check=False)
        return done.returncode == 0 and 'not-installed' not in done.stdout and 'deinstall' not in done.stdout

    def call(self, verb, packages):
        run(*self.table[verb], *packages, env={**os.environ, **self.table['environment']})

    def install(self, packages):
        """The packages that were not there before."""
        missing = [package for package in dict.fromkeys(packages) if not self.has(package)]
        if missing:
            say(f'installing {len(missing)} packages')
            self.call('install', missing)
        return missing


def build_and_install(build):
    say('building the agent')
    run('meson', 'setup', build, TOP, '-Dhost=false', '-Dtests=false', '--buildtype=release',
        *(['--wipe'] if os.path.isdir(f'{build}/meson-info') else []))
    run('meson', 'compile', '-C', build)
    run('meson', 'install', '-C', build, '--no-rebuild')
    with open(f'{build}/meson-logs/install-log.txt', encoding='utf-8') as file:
        return [line.strip() for line in file if line.startswith('/')]


def user_exists():
    try:
        return pwd.getpwnam('vm').pw_uid != 0
    except KeyError:
        return False


def files_install():
    for name, target in FILES.items():
        os.makedirs(os.path.dirname(target), exist_ok=True)
        shutil.copyfile(f'{HERE}/{name}', target)
        os.chmod(target, 0o644)


def install(arguments):
    distribution = Distribution()
    languages, packages = distribution.languages(arguments.languages)
    table = distribution.table
    record = load(RECORD) if os.path.exists(RECORD) else {'packages': [], 'made_user': not user_exists()}

    say(f'{distribution.name}: {len(languages)} languages')
    new = distribution.install(table['build'] + table['run'] + packages)
    build = arguments.build or tempfile.mkdtemp(prefix='pbotvm-build-')
    try:
        files = build_and_install(build)
    finally:
        if not arguments.build:
            shutil.rmtree(build, ignore_errors=True)

    files_install()
    record.update(distribution=distribution.name, files=sorted(set(files) | set(FILES.values())),
                  packages=sorted(set(record['packages']) | set(new)))
    with open(RECORD, 'w', encoding='utf-8') as file:
        json.dump(record, file, indent=2)
        file.write('\n')

    run('systemd-sysusers')
    run('systemctl', 'daemon-reload')
    say('starting the agent')
    run('systemctl', 'enable', 'pbotvm-guest.service')
    run('systemctl', 'restart', 'pbotvm-guest.service')
    if arguments.keep_network:
        say('the network stays open: systemctl enable --now pbotvm-guest-network closes it')
    else:
        run('systemctl', 'enable', '--now', 'pbotvm-guest-network.service')
        say('the network is closed but for what is established; systemctl stop pbotvm-guest-network opens it')
    say(f'the agent runs. What it can run: {GUEST}/install --list; its log: journalctl -u pbotvm-guest')


def list_languages(names):
    """By running each one's hello world through the agent, which warms the guest for its snapshot too."""
    if not os.path.exists(SOCKET):
        raise Failure(f'{SOCKET} is not there: does the agent run? systemctl status pbotvm-guest')
    return subprocess.run([f'{GUEST}/image/warm', '--data', SOCKET, *names], check=False).returncode


def forget(path):
    """Removes a file, and the folders of our own that it leaves empty."""
    try:
        os.unlink(path)
    except FileNotFoundError:
        pass
    folder = os.path.dirname(path)
    while 'pbotvm' in os.path.basename(folder):
        try:
            os.rmdir(folder)
        except OSError:
            return
        folder = os.path.dirname(folder)


def remove(arguments):
    if not os.path.exists(RECORD):
        raise Failure(f'{RECORD} is not there: nothing was installed by this program')
    record = load(RECORD)
    for unit in ('pbotvm-guest-network.service', 'pbotvm-guest.service'):
        run('systemctl', 'disable', '--now', unit, check=False)
    for path in record['files']:
        forget(path)
    forget(RECORD)
    run('systemctl', 'daemon-reload')
    if record['made_user'] and user_exists():
        run('userdel', 'vm', check=False)
    say('the agent is removed, and the network is as it was')

    if record['packages'] and arguments.packages:
        say(f'removing {len(record["packages"])} packages')
        Distribution().call('remove', record['packages'])
    elif record['packages']:
        say(f'packages that were installed for it stay: {" ".join(record["packages"])}')


def main():
    parser = argparse.ArgumentParser(prog='guest/install', description=__doc__)
    parser.add_argument('--languages', default='sh,bash,perl,python3', metavar='A,B',
                        help='install what these need, or "all" (sh,bash,perl,python3)')
    parser.add_argument('--keep-network', action='store_true', help='do not close the network')
    parser.add_argument('--build', metavar='FOLDER', help='build there, and keep it')
    parser.add_argument('--list', action='store_true', help='show which languages this guest can run, by running each')
    parser.add_argument('--remove', action='store_true', help='undo it')
    parser.add_argument('--packages', action='store_true', help='with --remove: remove the packages too')
    parser.add_argument('names', nargs='*', metavar='LANGUAGE', help='with --list: only these')
    arguments = parser.parse_args()
    if arguments.names and not arguments.list:
        parser.error('languages are named by --languages')

    try:
        if arguments.list:
            return list_languages(arguments.names)
        if os.geteuid() != 0:
            raise Failure('this needs root')
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
