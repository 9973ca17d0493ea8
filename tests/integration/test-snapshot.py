#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""An operator replaces the machine's snapshot with pbotvmctl snapshot: while requests run, in vain, and interrupted.
Whatever comes of it, there is one that can be reverted to."""

import re
import subprocess
import threading
import time

from stack import DOMAIN, LAB, ask, echo, equal, journal, machine, on, run, shell, true, wait_ready, wait_until

# Under emulation a language takes up to 90 s, cold, and the guest's memory is written twice.
PATIENCE = 1200


def names():
    return sorted(on('virsh', '-q', 'snapshot-list', DOMAIN, '--name').split())


def made():
    """When the snapshot in force was made, as libvirt says."""
    return int(re.search(r'<creationTime>(\d+)', on('virsh', 'snapshot-dumpxml', DOMAIN, '1')).group(1))


def is_in_force():
    """There is the one snapshot, and the machine works after a revert to it."""
    equal(names(), ['1'])
    on('pbotvmctl', 'revert', DOMAIN, timeout=180)
    wait_ready()
    equal(echo('reverted'), 'reverted')


def begin(*options):
    return subprocess.Popen([LAB, 'exec', 'pbotvmctl', 'snapshot', DOMAIN, *options], stdout=subprocess.PIPE,
                            stderr=subprocess.STDOUT, text=True)


def test_replaced_while_requests_run():
    """What waits is told so or served, and nothing is lost; what is reverted to afterwards is the new one."""
    wait_ready()
    before, old = machine(), made()
    answers, done = [], threading.Event()

    def requests():
        while not done.is_set():
            answers.append(ask('-lang=sh sleep 0.2; echo its own', timeout=120).strip())
            time.sleep(0.3)

    client = threading.Thread(target=requests)
    client.start()
    try:
        text = on('pbotvmctl', 'snapshot', DOMAIN, timeout=PATIENCE)
    finally:
        done.set()
        client.join()
    true('has a new snapshot, which was tried' in text, f'said {text!r}')
    true(answers and set(answers) <= {'its own', 'Virtual machine is offline.',
                                      'Virtual machine is resetting, try again soon.',
                                      'Virtual machine is busy, try again soon.'}, f'got {set(answers)}')
    wait_ready()
    true(made() > old, 'the snapshot is the old one')
    state = machine()
    equal(state['RevertsByReason']['trial'], before['RevertsByReason'].get('trial', 0) + 2)
    true(not state['Drained'], 'it is put back to work')
    is_in_force()


def test_of_a_drained_machine():
    wait_ready()
    old = made()
    on('pbotvmctl', 'drain', DOMAIN)
    try:
        on('pbotvmctl', 'snapshot', DOMAIN, '--no-warm', timeout=PATIENCE)
        equal(machine()['State'], 'drained')
    finally:
        on('pbotvmctl', 'resume', DOMAIN)
    wait_ready()
    true(made() > old, 'the snapshot is the old one')
    is_in_force()


def fails(old):
    since = time.time()
    snapshot = begin('--no-warm')
    said, _ = snapshot.communicate(timeout=PATIENCE)
    equal(snapshot.returncode, 1, said)
    true(f'Taking a snapshot of {DOMAIN} failed' in said and 'the old one is in force' in said, f'said {said!r}')
    true(any('the old one is in force' in str(entry.get('MESSAGE'))
             for entry in journal('-u', 'pbotvm-watchdog', since=since)), 'the journal says nothing of it')
    equal(made(), old)
    true(not machine()['Drained'], 'it is put back to work')


def test_cannot_be_taken():
    """A disk that libvirt takes no internal snapshot of; the guest goes on as it is, and a revert takes it away."""
    wait_ready()
    shell(f'truncate -s 1M /var/lib/libvirt/images/raw.img && virsh -q attach-disk {DOMAIN} '
          '/var/lib/libvirt/images/raw.img vdz --targetbus virtio --subdriver raw --live')
    try:
        fails(made())
        equal(echo('still'), 'still')
        is_in_force()
    finally:
        shell('rm -f /var/lib/libvirt/images/raw.img')


def test_cannot_be_loaded():
    """Its image is away while the new snapshot is tried, which the QEMU that runs does not notice. When it is back,
    nothing needs a person."""
    wait_ready()
    old = made()
    image = shell(f"virsh domblklist {DOMAIN} | awk '/qcow2/ {{ print $2; exit }}'").strip()
    shell(f'mv {image} {image}.away')
    try:
        fails(old)
    finally:
        shell(f'mv {image}.away {image}')
    wait_ready(180)
    equal(echo('back'), 'back')
    # What could not be deleted then is replaced now.
    on('pbotvmctl', 'snapshot', DOMAIN, '--no-warm', timeout=PATIENCE)
    is_in_force()


def test_interrupted():
    """Ctrl-C while the new one is tried: the old one is in force, and the machine works."""
    wait_ready()
    old = made()
    snapshot = begin('--no-warm')
    wait_until('it is taken', lambda: 'snapshot' in machine()['StateReason'], 120, step=0.05)
    shell("for p in /proc/[0-9]*; do if tr '\\0' ' ' <$p/cmdline 2>/dev/null | grep -q '^pbotvmctl snapshot'; then "
          'kill -INT ${p#/proc/}; fi; done')
    said, _ = snapshot.communicate(timeout=120)
    equal(snapshot.returncode, 1, said)
    true('Interrupted' in said, f'said {said!r}')
    wait_until('it is undone', lambda: names() == ['1'] and 'snapshot' not in machine()['StateReason'], 180)
    wait_ready()
    equal(made(), old)
    is_in_force()


def test_watchdog_dies():
    """The watchdog is killed while a new one is tried: there is one to go back to, and nothing needs a person."""
    wait_ready()
    snapshot = begin('--no-warm')
    wait_until('it is tried', lambda: 'tried' in machine()['StateReason'], 120, step=0.05)
    on('systemctl', 'kill', '-s', 'KILL', 'pbotvm-watchdog.service')
    said, _ = snapshot.communicate(timeout=120)
    true(snapshot.returncode != 0, said)
    # It died drained, as the operator wanted it.
    wait_until('it is back', lambda: machine()['State'] in ('drained', 'ready'), 120)
    on('pbotvmctl', 'resume', DOMAIN)
    wait_ready(180)
    equal(echo('again'), 'again')
    # What was left over is replaced by the next one.
    on('pbotvmctl', 'snapshot', DOMAIN, '--no-warm', timeout=PATIENCE)
    is_in_force()


if __name__ == '__main__':
    run(globals())
