#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""A snapshot from before an upgrade, made by changing what libvirt keeps of the real one: who took it, the processor or
the memory that it was taken with. Nobody types anything, and the next request is answered."""

import contextlib
import re
import time

from stack import DOMAIN, echo, equal, journal, machine, on, run, shell, true, wait_ready, wait_until

BEFORE = 'Taken by pbotvm: qemu=1.0.0 libvirt=1.0.0 cpu=486'
MESSAGE = '6f1c4a0d5b0e4c7d9a3f2f8f6f0b1a0e'
XML = '/root/snapshot.xml'


def off():
    on('systemctl', 'stop', 'pbotvm-watchdog.service')
    on('virsh', 'destroy', DOMAIN, check=False)


def define_snapshot(xml):
    """Makes libvirt believe that: the state itself stays what it is."""
    for name in on('virsh', '-q', 'snapshot-list', DOMAIN, '--name').split():
        on('virsh', 'snapshot-delete', DOMAIN, name, '--metadata')
    shell(f'cat >{XML}', stdin=xml)
    on('virsh', 'snapshot-create', DOMAIN, XML, '--redefine', '--current')


@contextlib.contextmanager
def taken_before(change=lambda xml: xml):
    """The machine with such a snapshot, and as it was afterwards; yields when it was made so."""
    wait_ready()
    snapshot = on('virsh', 'snapshot-dumpxml', DOMAIN, '1', '--security-info')
    domain = on('virsh', 'dumpxml', DOMAIN, '--inactive', '--security-info')
    image = shell(f"virsh domblklist {DOMAIN} | awk '/qcow2/ {{ print $2; exit }}'").strip()
    off()
    shell(f'cp --sparse=always {image} {image}.kept', timeout=300)
    other = re.sub(r'<description>.*?</description>\s*', '', snapshot, flags=re.DOTALL)
    other = other.replace('</name>', f'</name><description>{BEFORE}</description>', 1)
    since = time.time()
    try:
        define_snapshot(change(other))
        on('systemctl', 'start', 'pbotvm-watchdog.service')
        yield since
    finally:
        off()
        shell(f'mv {image}.kept {image}; cat >{XML}', stdin=domain)
        on('virsh', 'define', XML)
        define_snapshot(snapshot)
        shell(f'rm {XML}')
        on('systemctl', 'start', 'pbotvm-watchdog.service')
        wait_ready(180)


def said(since, words, seconds=120):
    return wait_until(f'"{words}"', lambda: any(words in str(entry.get('MESSAGE'))
                                                for entry in journal(f'MESSAGE_ID={MESSAGE}', since=since)), seconds)


def is_made_anew(since):
    """By a cold boot, with what is there now, and it works."""
    said(since, 'it is booted cold, for a new one')
    wait_ready(300)
    equal(echo('anew'), 'anew')
    true('1.0.0' not in machine()['SnapshotMadeBy'], 'the snapshot is the old one')
    on('pbotvmctl', 'revert', DOMAIN, timeout=180)
    wait_ready()
    equal(echo('reverted'), 'reverted')


def test_works():
    """All that has changed is a version: the revert that the machine needs anyhow is the trial."""
    with taken_before() as since:
        said(since, 'its snapshot was taken with QEMU 1.0.0, libvirt 1.0.0, CPU 486, and here is QEMU ')
        said(since, 'its snapshot works with QEMU ')
        equal(echo('works'), 'works')


def test_another_processor():
    """QEMU refuses it, or loads it, says that it runs, and the guest is dead."""
    with taken_before(lambda xml: re.sub(r"<cpu mode=.*?(/>|</cpu>)", "<cpu mode='custom' match='exact' check='none'>"
                                         "<model fallback='forbid'>qemu64</model></cpu>", xml, flags=re.DOTALL)) as since:
        is_made_anew(since)


def test_does_not_load():
    """QEMU refuses it: so it was with less memory."""
    def less(xml):
        return re.sub(r'(<(?:memory|currentMemory) unit=.KiB.>)(\d+)', lambda m: f'{m[1]}{int(m[2]) - 65536}', xml)
    with taken_before(less) as since:
        is_made_anew(since)


if __name__ == '__main__':
    run(globals())
