#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Whatever breaks, the machine heals by itself: each fault is followed by a request at once, which has to be
answered with its own output. At the full scale a table of more of them follows (fault_table.py)."""

import re
import socket
import threading
import time

import fault_table
from stack import (DOMAIN, FULL, LIBVIRT, OutOfTime, ask, ask_timed, echo, equal, machine, main_pid, on, qemu_pid, reasons, run,
                   shell, sysrq, time_limit, true, wait_ready, wait_until)

# A request waits 15 s for a machine; where a fault takes longer to be noticed and mended it is sent again.
PATIENCE = 60


def answered(word):
    """Own output, after at most some honest refusals in words."""
    deadline = time.monotonic() + PATIENCE
    while True:
        text = echo(word, timeout=60)
        if text == word:
            return
        true(text in ('Virtual machine is resetting, try again soon.', 'Virtual machine is offline.',
                      'Virtual machine was lost while running this; it is being reset.'), f'got {text!r}')
        true(time.monotonic() < deadline, f'still {text!r} after {PATIENCE} s')


def reverted_since(before, reason=None):
    """The watchdog counts one more revert, and libvirt has made another QEMU of it."""
    state = wait_until('a revert is counted', lambda: (now := machine())['Reverts'] > before['Reverts'] and now)
    if reason:
        true(re.search(reason, state['LastRevertReason']), f'reason {state["LastRevertReason"]!r}')
    return state


def heals(fault, reason=None, at_once=True):
    """Runs the fault on a machine that is well and sees it well again."""
    wait_ready()
    before, qemu = machine(), qemu_pid()
    fault()
    if at_once:
        answered('during')
    state = reverted_since(before, reason)
    wait_ready()
    answered('after')
    true(state['Generation'] > before['Generation'], 'a new generation')
    true(qemu_pid() != qemu, 'libvirt started another QEMU')


def test_hang_is_ended_and_reverted():
    wait_ready()
    limit = time_limit()
    before = machine()
    text, took = ask_timed('-lang=sh sleep 1000', timeout=limit + 30)
    true('[Timed-out]' in text, f'got {text!r}')
    true(took < limit + 1, f'took {took:.1f} s')
    # In the midst of the revert, which in an emulated guest may take longer than a request may wait.
    answered('meanwhile')
    reverted_since(before, 'timed out')
    wait_ready()


def test_what_a_limit_ended_is_a_result():
    """The job lies in its own cgroup and is gone: nobody waits for a revert."""
    wait_ready()
    before = machine()
    for code, end in (('echo a; kill -9 $$', 'Killed'), ('while :; do :; done', 'CPU time limit exceeded'),
                      ('a=x; while :; do a=$a$a; done', 'limit|memory|Killed')):
        text, took = ask_timed(f'-lang=sh {code}', timeout=time_limit() + 30)
        if '[Timed-out]' in text:
            # A guest without KVM had too little of the processor to spend its CPU time.
            raise OutOfTime(f'{code}: got {text!r} after {took:.1f} s')
        true(re.search(end, text), f'{code}: got {text!r}')
        text, took = ask_timed('-lang=sh echo after')
        equal(text.strip(), 'after')
        true(took < 5, f'the next answer took {took:.1f} s')
    now = machine()
    equal(now['Reverts'], before['Reverts'])
    equal(now['Generation'], before['Generation'])


def test_agent_killed_in_the_guest():
    """SysRq-I kills everything but the first process, which starts the agent again."""
    wait_ready()
    thread, box = in_background('-lang=sh sleep 8; echo whole')
    time.sleep(2)
    sysrq('I')
    answered('meanwhile')
    thread.join(90)
    true(box and box[0].strip() != 'whole', f'the killed job answered {box!r}')
    wait_ready()
    answered('after')


def test_kernel_panic():
    heals(lambda: on('virsh', '-q', 'inject-nmi', DOMAIN))


def test_kernel_panic_in_a_request():
    wait_ready()
    before = machine()
    thread, box = in_background('-lang=sh sleep 8; echo whole')
    time.sleep(2)
    sysrq('C')
    answered('meanwhile')
    thread.join(90)
    equal(box and box[0].strip(), 'Virtual machine was lost while running this; it is being reset.')
    reverted_since(before)
    wait_ready()


def test_processor_stops():
    """QEMU goes on, libvirt sees nothing: only the heartbeat tells."""
    heals(lambda: on('virsh', '-q', 'qemu-monitor-command', DOMAIN, '--hmp', 'stop'))


def test_destroy():
    heals(lambda: on('virsh', '-q', 'destroy', DOMAIN))


def test_suspend():
    heals(lambda: on('virsh', '-q', 'suspend', DOMAIN))


def test_reset_button():
    """The guest would come back by itself, perhaps before its beat counts as lost: libvirt tells."""
    heals(lambda: on('virsh', '-q', 'reset', DOMAIN), 'booted again')


def test_agent_restarted_between_requests():
    """Nobody tells but the number of its beats."""
    heals(lambda: sysrq('I'), 'agent was started again|heartbeat stopped', at_once=False)


def test_qemu_killed():
    heals(lambda: shell(f'kill -KILL {qemu_pid()}'))


def test_watchdog_killed_when_idle():
    wait_ready()
    pid = main_pid('pbotvm-watchdog.service')
    shell(f'kill -KILL {pid}')
    answered('new-watchdog')
    true(main_pid('pbotvm-watchdog.service') != pid, 'another process')


def in_background(line, timeout=90):
    box = []
    thread = threading.Thread(target=lambda: box.append(ask_quietly(line, timeout)))
    thread.start()
    return thread, box


def ask_quietly(line, timeout):
    try:
        return ask(line, timeout=timeout)
    except OSError as error:
        return f'<{type(error).__name__}>'


def test_watchdog_killed_under_a_lease():
    wait_ready()
    began = time.time()
    thread, box = in_background('-lang=sh sleep 5; echo leased')
    time.sleep(1.5)
    shell(f'kill -KILL {main_pid("pbotvm-watchdog.service")}')
    # Who had the machine leaves it dirty: it is reverted before anybody else gets it.
    answered('next')
    thread.join(90)
    true(box and box[0].strip() in ('leased', 'Virtual machine was lost while running this; it is being reset.'),
         f'the first client got {box!r}')
    wait_ready()
    true('unclean' in reasons(began), f'reverted since {reasons(began)}')


def test_handler_killed():
    wait_ready()
    before = machine()
    with socket.create_connection(('127.0.0.1', 9000), 10) as link:
        link.settimeout(60)
        link.sendall(b'-lang=sh sleep 20; echo never\n')
        pid = wait_until('its handler', lambda: int(shell(
            'pgrep -n -x pbotvm-handler') or 0))
        time.sleep(1.5)
        shell(f'kill -KILL {pid}')
        equal(link.recv(4096), b'', 'what its client got')
    answered('others')
    # Nobody released the lease, so the guest may be in any state.
    reverted_since(before, 'abandoned')
    wait_ready()
    equal(shell("systemctl list-units --failed --no-legend --plain 'pbotvm@*'").strip(), '', 'failed units')


def test_libvirtd_restarted():
    wait_ready()
    on('systemctl', 'restart', 'libvirtd.service', timeout=120)
    answered('restarted')
    heals(lambda: on('virsh', '-q', 'destroy', DOMAIN))


def test_libvirt_away_for_20_seconds():
    wait_ready()
    before = machine()
    away = time.monotonic()
    on('systemctl', 'stop', *LIBVIRT, timeout=120)
    try:
        equal(on('systemctl', 'is-active', 'libvirtd.service', check=False).strip(), 'inactive', 'libvirtd')
        # Requests go on: the channel is QEMU's.
        for i in range(3):
            equal(echo(f'without-libvirt-{i}'), f'without-libvirt-{i}')
        # A revert falls into it.
        shell(f'pkill -KILL -o -f "guest={DOMAIN}"')
        time.sleep(max(0, 20 - (time.monotonic() - away)))
        equal(machine()['Reverts'], before['Reverts'], 'reverts while it is away')
    finally:
        on('systemctl', 'start', 'libvirtd.socket', 'libvirtd-ro.socket', 'libvirtd-admin.socket', timeout=120)
    answered('back')
    reverted_since(before)
    wait_ready()


def test_operator_reverts():
    heals(lambda: on('pbotvmctl', 'revert', DOMAIN), 'operator')


def test_drain_and_resume():
    wait_ready()
    on('pbotvmctl', 'drain', DOMAIN)
    try:
        equal(machine()['State'], 'drained')
        equal(ask('-lang=sh echo no').strip(), 'Virtual machine is offline.')
        on('systemctl', 'stop', 'pbotvm-watchdog.service')
        on('systemctl', 'start', 'pbotvm-watchdog.service')
        equal(machine()['State'], 'drained', 'after a stop')
    finally:
        on('pbotvmctl', 'resume', DOMAIN)
    wait_ready()
    answered('resumed')


def test_missing_snapshot_comes_back():
    """A domain without its snapshot cannot be reverted; when it has one again nothing needs a person."""
    wait_ready()
    definition = shell(f'virsh snapshot-dumpxml {DOMAIN} 1')
    on('virsh', '-q', 'snapshot-delete', DOMAIN, '1', '--metadata')
    try:
        on('virsh', '-q', 'suspend', DOMAIN)
        wait_until('the watchdog sees that it cannot', lambda: machine()['State'] not in ('ready', 'busy'), 30)
    finally:
        on('sh', '-c', f'cat > /run/snapshot.xml; virsh -q snapshot-create {DOMAIN} --redefine --current '
           '/run/snapshot.xml', stdin=definition)
    wait_ready()
    answered('again')


def test_reverted_guests_draw_other_numbers():
    """Two reverts to one snapshot: the kernel's random numbers must differ, and the clock must be right."""
    drawn = []
    for _ in range(2):
        on('pbotvmctl', 'revert', DOMAIN)
        wait_ready()
        text = ask('-lang=sh od -An -N16 -tx1 /dev/urandom; date +%s')
        found = re.search(r'((?: [0-9a-f]{2}){16})\s+(\d+)', text)
        true(found, f'got {text!r}')
        drawn.append(found.group(1))
        true(abs(int(found.group(2)) - time.time()) < 4, f'the clock says {found.group(2)}')
    true(drawn[0] != drawn[1], f'both drew {drawn[0]}')


if __name__ == '__main__':
    run({**globals(), **(fault_table.tests() if FULL else {})})
