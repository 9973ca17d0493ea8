#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""With libvirt's own access control the watchdog works as ever, and its user can do nothing else: polkit, libvirt and
the rules as they are installed. libvirtd is started again with another configuration, and at the end with its own."""

import re
import signal
import sys

from stack import (DOMAIN, echo, equal, live, machine, on, qemu_pid, run, shell, true, wait_ready, wait_until)

OTHER = 'other-vm'
# It is never started.
DEFINITION = f'''<domain type='qemu'><name>{OTHER}</name><memory unit='MiB'>16</memory>
<os><type arch='x86_64' machine='pc'>hvm</type></os></domain>'''
CONF = '/etc/libvirt/libvirtd.conf'
KEPT = '/run/pbotvm-test-libvirtd.conf'
CONFIG = '/etc/pbotvm/pbotvm.json'


def restart_libvirtd():
    on('systemctl', 'restart', 'libvirtd.service', timeout=120)
    wait_until('libvirtd answers', lambda: on('virsh', '-q', 'list', '--all', '--name'), 60)


def begin():
    shell(f'cp -p {CONF} {KEPT}')
    on('sh', '-c', 'cat > /run/pbotvm-test-domain.xml; virsh -q define /run/pbotvm-test-domain.xml', stdin=DEFINITION)


def end():
    shell(f'''[ ! -e {KEPT} ] || {{ cp -p {KEPT} {CONF}; rm {KEPT}; systemctl restart libvirtd.service; }}
              virsh -q undefine {OTHER}; rm -f /run/pbotvm-test-domain.xml''', check=False, timeout=120)
    wait_ready(120)


def as_watchdog(command, timeout=60):
    """What virsh says to the watchdog's user, and whether it did it."""
    said = shell(f'runuser -u pbotvm-watchdog -- env HOME=/tmp virsh -q -c qemu:///system {command} 2>&1 && echo DONE',
                 check=False, timeout=timeout)
    return said.removesuffix('DONE\n'), said.endswith('DONE\n')


def refused(command):
    said, done = as_watchdog(command)
    true(not done and re.search('access denied|failed to get domain', said), f'{command}: {said!r}')


def test_without_it_everything_is_allowed():
    """What the switch is for: the same user, before."""
    for command in (f'dumpxml {OTHER}', f'desc {OTHER} seen', f'dumpxml --security-info {DOMAIN}'):
        said, done = as_watchdog(command)
        true(done, f'{command}: {said!r}')


def test_the_switch():
    wait_ready()
    shell(f"""echo 'access_drivers = [ "polkit" ]' >> {CONF}""")
    restart_libvirtd()
    wait_ready()
    equal(echo('with-rights'), 'with-rights')


def test_its_own_domain_is_reverted():
    wait_ready()
    before, qemu = machine(), qemu_pid()
    on('pbotvmctl', 'revert', DOMAIN, timeout=180)
    wait_ready()
    equal(machine()['Reverts'], before['Reverts'] + 1)
    true(qemu_pid() != qemu, 'libvirt started another QEMU')
    equal(echo('reverted'), 'reverted')


def test_it_is_still_told_what_happens():
    """Events are filtered by the same rights."""
    wait_ready()
    before = machine()
    on('virsh', '-q', 'destroy', DOMAIN)
    wait_until('it is reverted', lambda: machine()['Reverts'] > before['Reverts'], 60)
    wait_ready()
    equal(echo('healed'), 'healed')


def test_another_domain_is_refused():
    for command in ('domstate', 'dumpxml', 'start', 'undefine', 'snapshot-create', 'snapshot-list'):
        refused(f'{command} {OTHER}')
    said, done = as_watchdog('list --all --name')
    equal((said.split(), done), ([DOMAIN], True), 'domains that it sees')
    true(OTHER in on('virsh', '-q', 'list', '--all', '--name'), 'root sees it')


def test_of_its_own_nothing_else_is_allowed():
    for command in (f'destroy {DOMAIN}', f'dumpxml --security-info {DOMAIN}', f'desc {DOMAIN} mine',
                    f'screenshot {DOMAIN} /tmp/x', f'qemu-monitor-command {DOMAIN} --hmp info',
                    'define /run/pbotvm-test-domain.xml', 'net-list', 'pool-list'):
        refused(command)
    equal(on('virsh', '-q', 'domstate', DOMAIN).strip(), 'running')


def test_the_watchdog_says_so():
    """A machine whose domain the rules do not name: its state says what libvirt said, and no other is disturbed."""
    path = f'{live()}{CONFIG}'
    with open(path, encoding='utf-8') as file:
        before = file.read()
    added = before.replace('"machines": {', f'"machines": {{ "{OTHER}": {{}},', 1)
    true(added != before, f'machines in {CONFIG}')
    try:
        with open(path, 'w', encoding='utf-8') as file:
            file.write(added)
        on('systemctl', 'reload', 'pbotvm-watchdog.service')
        wait_until('it is looked at', lambda: machine(OTHER)['State'])
        said = shell(f'pbotvmctl revert {OTHER} 2>&1 && echo DONE', check=False, timeout=120)
        true('DONE' not in said and 'libvirt' in said, f'revert says {said!r}')
        wait_until('its state says why', lambda: 'access denied' in machine(OTHER)['StateReason'])
        equal(echo('undisturbed'), 'undisturbed')
    finally:
        with open(path, 'w', encoding='utf-8') as file:
            file.write(before)
        on('systemctl', 'reload', 'pbotvm-watchdog.service')


if __name__ == '__main__':
    # Whoever ends the test early still gets his libvirtd back.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))
    try:
        begin()
        run(globals())
    finally:
        end()
