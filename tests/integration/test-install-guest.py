#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""guest/install in a Debian that it has never seen, with systemd as PID 1: installing, what it says of languages, the
network before and after a reboot, and undoing it to the last file. The ways of Fedora and openSUSE are gone with
programs in place of their package managers, which hand out Debian's packages: their packages' names are not tried."""

import contextlib
import glob
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import time

from cable import LINKS, Cable, connected, in_network, refused
from stack import LAB, TOP, equal, lab, live, reboot, run, shell, true, wait_until

LANGUAGES = ('bash', 'bf', 'c++', 'c11', 'perl', 'python3', 'sh')
LATER = 'bc'
PROGRAM = '/opt/pbotvm/guest/install'
BUILD = '/opt/build'
SOURCE = ('guest', 'src', 'meson.build', 'meson_options.txt')
PRELUDE = '/usr/include/prelude.h'
UNITS = ('pbotvm-guest.service', 'pbotvm-guest-network.service')

# What packages and systemd keep for themselves. All else has to be as it was.
IGNORED = ('/opt', '/proc', '/sys', '/tmp', '/var/log', '/var/cache', '/var/lib/apt', '/var/lib/systemd',
           '/var/lib/dpkg/*-old', '/var/tmp/systemd-private-*', '/etc/*-')


def load(name):
    with open(f'{TOP}/{name}', encoding='utf-8') as file:
        return {key: value for key, value in json.load(file).items() if key != 'about'}


TABLE, PACKAGES, PROGRAMS = load('guest/setup/install.json'), load('guest/packages.json'), load('guest/hello.json')


def needed(distribution, languages):
    table = TABLE[distribution]
    return {*table['build'], *table['run']}.union(*(PACKAGES[distribution][name] for name in languages))


os.environ['LAB_HOST'] = f'{TOP}/tests/lib/foreign-guest'
os.environ['GUEST_PACKAGES'] = ' '.join(sorted({'python3', *needed('debian', (*LANGUAGES, LATER))}))


def leader():
    """The guest's first process, as this machine numbers it."""
    return int(lab('leader'))


def tried(*command):
    """The status of a command in the guest, and what it said on both outputs."""
    done = subprocess.run([LAB, 'exec', *command], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, text=True, errors='replace', check=False, timeout=900)
    return done.returncode, done.stdout


class Guest:
    """The one of all tests, what is plugged into it, and how it was before."""

    def __init__(self):
        lab('remove')
        self.cable = Cable()
        self.links = []
        self.before = None

    def remove(self):
        self.cable.remove()
        lab('remove', check=False)

    def install(self, *arguments, status=0, path=''):
        """What guest/install says."""
        got, said = tried('sh', '-c', f'PATH={path}$PATH exec "$@"', 'sh', PROGRAM, *arguments)
        equal(got, status, f'{" ".join(arguments)} said {said[-400:]!r}; its status')
        return said

    def state(self):
        """Its files, and our user if there is one. The users of packages stay, by the rules of Debian."""
        prune = ' -o '.join(f"-path '{path}'" for path in IGNORED)
        files = shell(f'find / -xdev \\( {prune} \\) -prune -o -print')
        return set((files + shell('grep ^vm: /etc/passwd /etc/group', check=False)).split('\n'))

    def is_as_before(self):
        now = self.state()
        equal((sorted(now - self.before)[:20], sorted(self.before - now)[:20]), ([], []), 'what came and what went')

    def ask(self, code):
        """What a shell in a job says, through the agent's socket."""
        with socket.socket(socket.AF_UNIX) as link:
            link.settimeout(30)
            link.connect(f'{live()}/run/pbotvm-guest/agent.socket')
            link.sendall(json.dumps({
                'lang': 'sh', 'sourcefile': 'prog.sh', 'execfile': 'prog.sh', 'cmdline': 'sh prog.sh', 'code': code,
                'input': '', 'arguments': '', 'date': int(time.time())}).encode() + b'\n\n')
            got = b''
            while b'result:end' not in got:
                chunk = link.recv(65536)
                true(chunk, f'the agent hung up after {got!r}')
                got += chunk
        [line] = [line for line in got.decode().splitlines() if line.startswith('result:{')]
        return json.loads(line[7:])['result']

    def answers(self):
        equal(self.ask('id -un; echo $((6*7))').split(), ['vm', '42'])
        for unit in UNITS:
            equal(shell(f'systemctl is-active {unit}; systemctl is-enabled {unit}').split(), ['active', 'enabled'],
                  unit)

    def plug(self):
        self.cable.plug(leader())

    def is_closed(self):
        """Nothing new in or out, by either protocol, and the loopback as it was."""
        near, far = leader(), self.cable.far.pid
        for ours, theirs in LINKS:
            true(refused(near, far, theirs), f'it reached {theirs}')
            true(refused(far, near, ours), f'it was reached at {ours}')
            true(not refused(near, near, ours), 'it does not reach itself')
        with in_network(near, lambda: socket.socket(socket.AF_INET, socket.SOCK_DGRAM)) as datagrams:
            with contextlib.suppress(PermissionError):
                datagrams.sendto(b'x', (LINKS[0][1], 53))
                raise AssertionError('a datagram went out')

    @contextlib.contextmanager
    def released_as(self, text):
        """As if it were another distribution."""
        shell('mv /etc/os-release /opt/os-release')
        with open(f'{live()}/etc/os-release', 'w', encoding='utf-8') as file:
            file.write(text)
        try:
            yield
        finally:
            shell('mv /opt/os-release /etc/os-release')


# --- Tests, each after those above it.

def test_every_language_is_in_every_table():
    known = set()
    for path in glob.glob(f'{TOP}/src/language/data/*.json'):
        with open(path, encoding='utf-8') as file:
            known |= {line.split('"')[3] for line in file if line.strip().startswith('"name":')}
    equal(sorted(PROGRAMS), sorted(known), 'programs of guest/hello.json')
    equal(sorted(PACKAGES), sorted(TABLE), 'distributions')
    for name, table in PACKAGES.items():
        equal(sorted(table), sorted(known), f'languages of {name}')


def test_boots():
    lab('start')
    os.mkdir(f'{live()}/opt/pbotvm')
    for name in SOURCE:
        subprocess.run(['cp', '-r', f'{TOP}/{name}', f'{live()}/opt/pbotvm'], check=True)
    # As in a guest that was made for PBot.
    shell(f'mkdir -p /usr/include; echo theirs >{PRELUDE}')
    guest.before = guest.state()


def test_says_why_not():
    def said(*arguments, status=1):
        return guest.install(*arguments, status=status)

    def nobody(*arguments):
        return tried('runuser', '-u', 'nobody', '--', PROGRAM, *arguments)[1]

    true('python3 is not there' in said('--list'), 'listing without Python')
    true('needs root' in nobody(), 'not root, without Python')
    # From here on there is python3, which it has installed for itself.
    true('ruby3, perl7: no such language; there are bash, ' in said('--languages', 'sh,ruby3,perl7'), 'language')
    true('needs root' in nobody('--list'), 'not root')
    true('tendra: no package of debian' in said('--languages', 'tendra'), 'no package')
    true('fast: no such language' in said('--list', 'fast'), 'language to list')
    true('does the agent run?' in said('--list'), 'no agent')
    for wrong in (['--fast'], ['sh'], ['--packages'], ['--list', '--remove'], ['--remove', '--languages', 'sh']):
        true('guest/install: error:' in said(*wrong, status=2), ' '.join(wrong))
    with guest.released_as('ID=plan9\nPRETTY_NAME="Plan 9"\n'):
        true('Plan 9 is not known' in said(), 'distribution')
    guest.install('--remove', '--packages')
    guest.is_as_before()


def test_installs():
    guest.plug()
    near, far = leader(), guest.cable.far.pid
    guest.links = [connected(near, far, theirs) for _, theirs in LINKS]
    guest.links += [connected(far, near, ours) for ours, _ in LINKS]  # as an ssh session is
    said = guest.install('--languages', ','.join(LANGUAGES))
    true('the agent runs' in said and 'the network is closed' in said, said)
    guest.answers()
    equal(shell('systemctl list-units --failed --no-legend --plain').strip(), '', 'failed units')


def test_list_is_honest():
    lines = {line.split()[0]: line for line in guest.install('--list').splitlines()}
    equal(sorted(lines), sorted(PROGRAMS))
    equal(sorted(name for name, line in lines.items() if line.endswith(' s  ok')),
          sorted({*LANGUAGES, 'c2x', 'c89', 'c99'}), 'languages that run')
    true('FAIL: ' in lines['ruby'] and 'not found' in lines['ruby'], lines['ruby'])
    equal(len(guest.install('--list', 'sh', 'bf').splitlines()), 2)
    guest.install('--list', 'sh', 'ruby', status=1)


def test_what_is_established_stays():
    guest.cable.forget_neighbours()
    for number, (one, other) in enumerate(guest.links):
        for sender, receiver in ((one, other), (other, one)):
            receiver.settimeout(10)
            sender.sendall(b'word')
            try:
                equal(receiver.recv(10), b'word')
            except TimeoutError:
                raise AssertionError(f'connection {number} was cut') from None


def test_nothing_new_comes_or_goes():
    guest.is_closed()


def test_polkit_asks_for_the_administrator():
    check = 'pkcheck --action-id org.freedesktop.login1.inhibit-delay-shutdown --process $$'
    rule = '/etc/polkit-1/rules.d/10-pbotvm-guest.rules'

    def allowed(user):
        return tried('runuser', '-u', user, '--', 'sh', '-c', check)[0] == 0

    true(not allowed('nobody'), 'a user may without a password')
    true(allowed('root'), 'root may not')
    shell(f'mv {rule} /opt/rule')
    try:
        wait_until('without the rule he may', lambda: allowed('nobody'), 10)
    finally:
        shell(f'mv /opt/rule {rule}')


def test_twice_is_as_once():
    before, rules = guest.state(), shell('nft list ruleset')
    said = guest.install('--languages', ','.join(LANGUAGES), '--build', BUILD)
    true('opening' not in said, 'it opened the network')
    equal(sorted(guest.state() ^ before), [], 'what changed')
    equal(shell('nft list ruleset'), rules)
    guest.answers()


def test_a_language_more():
    # With the network closed its packages would not come.
    shell('touch /usr/local/anybodys && chmod 0666 /usr/local/anybodys')
    said = guest.install('--languages', LATER, '--build', BUILD)
    shell('rm /usr/local/anybodys')
    true("everybody may write to '/usr/local/anybodys'" in said, f'it said {said[-400:]!r}')
    true('opening the network for the packages' in said, said)
    guest.install('--list', LATER, *LANGUAGES)
    guest.is_closed()


def test_closed_after_a_reboot():
    # nftables.service begins by forgetting everybody's rules.
    shell('systemctl enable nftables.service')
    reboot()
    guest.plug()
    guest.answers()
    guest.is_closed()
    shell('systemctl reload nftables.service')
    wait_until('our rules are back', lambda: 'drop' in shell('nft list table inet pbotvm_guest'), 10)
    guest.is_closed()
    shell('systemctl disable nftables.service')


def test_removes():
    true(shell(f'cat {PRELUDE}') != 'theirs\n', 'prelude.h is not ours')
    guest.install('--remove', '--packages')
    guest.is_as_before()
    equal(shell(f'cat {PRELUDE}'), 'theirs\n')
    true(tried('systemctl', 'cat', *UNITS)[0] != 0, 'a unit is there')
    true(not refused(leader(), guest.cable.far.pid, LINKS[0][1]), 'the network is closed')


def other_distribution(name, release, manager):
    """There and back again with another's package manager; without closing the network."""
    chosen = ('c11', 'python', 'sh')
    folder = f'{live()}/opt/foreign'
    os.makedirs(folder)
    for tool in (manager, 'rpm'):
        shutil.copy(f'{TOP}/tests/lib/foreign-packages', f'{folder}/{tool}')
    for file, text in (('debian', ' '.join(needed('debian', ('c11', 'sh')))), ('names', ''), ('asked', '')):
        with open(f'{folder}/{file}', 'w', encoding='ascii') as out:
            out.write(text)
    shell('apt-get -qy update; apt-get -qy --no-install-recommends install python3')
    there = shell("dpkg-query -W -f '${Package}\\n'").split()

    with guest.released_as(release):
        said = guest.install('--languages', ','.join(chosen), '--keep-network', '--build', BUILD,
                             path='/opt/foreign:')
        true(f'{name}: c11, python, sh' in said and 'the network stays' in said, said)
        # python is there by a link alone: no package has brought one of this name.
        guest.install('--list', *chosen)
        true(not refused(leader(), guest.cable.far.pid, LINKS[0][1]), 'the network is closed')
        asked = shell('cat /opt/foreign/asked').splitlines()
        equal([line.split() for line in asked if line.startswith(manager)],
              [TABLE[name]['install'] + sorted(needed(name, chosen) - set(there))])
        guest.install('--remove', '--packages', path='/opt/foreign:')
    equal(set(shell("dpkg-query -W -f '${Package}\\n'").split()), set(there), 'packages')
    shell('rm -r /opt/foreign; apt-get -qy --purge autoremove python3')
    guest.is_as_before()


def test_as_on_fedora():
    other_distribution('fedora', 'ID=fedora\nVERSION_ID=42\n', 'dnf')


def test_as_on_opensuse():
    other_distribution('opensuse', 'ID="opensuse-tumbleweed"\nID_LIKE="opensuse suse"\n', 'zypper')


if __name__ == '__main__':
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))
    guest = Guest()
    try:
        run(globals(), settle=lambda: None)
    finally:
        guest.remove()
