#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""The whole way over libvirt's streams: the lab's own machine is reached through its channels by qemu:///system's
connection, as one on another host is, and not by their sockets."""

import contextlib
import threading
import time

import fault_table
from stack import (DOMAIN, LIBVIRT, ask, echo, equal, journal, machine, main_pid, on, qemu_pid, reasons, run, shell,
                   sysrq, true, wait_ready, wait_until)

MEMBERS = '"transport": "stream"'


@contextlib.contextmanager
def streaming():
    stream = fault_table.Configured(MEMBERS)
    stream.begin()
    try:
        wait_until('the machine is ready by a stream',
                   lambda: machine()['State'] == 'ready' and machine()['Transport'] == 'stream', 120)
        yield
    finally:
        stream.end()
        wait_ready()


def at_once(count, function):
    """What function(i) returned, each on a thread of its own."""
    answers = [None] * count

    def one(i):
        answers[i] = function(i)

    threads = [threading.Thread(target=one, args=(i,)) for i in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return answers


def threads_of_the_watchdog():
    return int(shell(f'ls /proc/{main_pid("pbotvm-watchdog")}/task | wc -l'))


def test_requests():
    """One after another, and as many at once as the machine takes."""
    with streaming():
        for i in range(10):
            equal(echo(f'streamed {i}'), f'streamed {i}')
        equal(at_once(8, lambda i: echo(f'beside {i}')), [f'beside {i}' for i in range(8)])
        equal(machine()['Transport'], 'stream')


def test_large_requests_and_answers():
    with streaming():
        size = len(ask({'nick': 'n', 'channel': '#stream', 'lang': 'sh', 'code': 'seq 40000'}))
        true(size > 200_000, f'{size} bytes came back')
        text = ask({'nick': 'n', 'channel': '#stream', 'lang': 'sh', 'code': f'echo {"y" * 300_000} | wc -c'})
        equal(text.strip(), '300001')
        equal(echo('after'), 'after')


def test_a_hang_is_mended():
    """The guest stops; so the stream says nothing; then it is reverted, and QEMU and stream are other ones."""
    with streaming():
        since, before = time.time(), machine()['Reverts']
        sysrq('C')
        wait_until('it is reverted', lambda: machine()['Reverts'] > before, 90)
        wait_ready(120)
        equal(machine()['Transport'], 'stream')
        equal(echo('again'), 'again')
        true(reasons(since), 'no reason in the journal')


def test_qemu_stopped():
    """What is sent then blocks, and with it that stream alone: the watchdog looks, and reverts."""
    with streaming():
        before = machine()['Reverts']
        stopped = fault_table.Stopped(qemu_pid)
        stopped.begin()
        try:
            asking = threading.Thread(target=lambda: echo('into the void'))
            asking.start()
            wait_until('it is to be reverted', lambda: machine()['State'] != 'ready', 60)
        finally:
            stopped.end()
        asking.join()
        wait_until('it was reverted, or has come to itself',
                   lambda: machine()['Reverts'] > before or machine()['State'] == 'ready', 120)
        wait_ready(120)
        equal(echo('free'), 'free')


def test_libvirtd_restarted():
    """The streams end with the daemon, and others are opened; no thread of the old ones stays."""
    with streaming():
        before = threads_of_the_watchdog()
        for i in range(3):
            on('systemctl', 'restart', LIBVIRT[0], timeout=120)
            wait_until('a request is answered', lambda i=i: echo(f'restarted {i}') == f'restarted {i}', 60, step=1)
        wait_until('no more threads than before', lambda: threads_of_the_watchdog() <= before, 60)
        equal(machine()['Transport'], 'stream')


def test_libvirtd_killed():
    with streaming():
        fault_table.kill('KILL', fault_table.libvirtd)()
        wait_until('a request is answered', lambda: echo('killed') == 'killed', 60, step=1)


def test_a_channel_that_somebody_else_has():
    """libvirt gives it to one at a time: another one is told so, and has no guest."""
    with streaming():
        text = on('sh', '-c', f'timeout 5 virsh console {DOMAIN} --devname org.pbot.vm.0 2>&1 </dev/null', check=False)
        true('Active channel stream exists' in text, f'virsh got {text!r}')
        equal(echo('still ours'), 'still ours')


def test_nothing_is_left():
    """The sockets are the way again, as configured, and no stream's thread remains."""
    before = threads_of_the_watchdog()
    with streaming():
        equal(echo('by stream'), 'by stream')
    wait_until('the streams are gone', lambda: threads_of_the_watchdog() <= before, 60)
    equal(machine()['Transport'], 'channel')
    equal(echo('by socket'), 'by socket')
    true(not journal('_SYSTEMD_UNIT=pbotvm-watchdog.service', 'PRIORITY=2'), 'a critical message in the journal')


if __name__ == '__main__':
    run(globals())
