#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Many requests, eight at a time, with faults thrown in: each gets its own answer or one in words, and nothing is left
over: no descriptor, process, lease or unit, and no more memory than before."""

import collections
import concurrent.futures
import threading
import time

from fault_table import WORDS
from stack import DOMAIN, LIBVIRT, ask, equal, machine, main_pid, on, qemu_pid, run, scale, shell, sysrq, true, wait_ready, wait_until

AT_ONCE = 8
COUNT = scale(500, 5000)
# One after so many requests, the next one of the table. The watchdog lives all along: its memory is looked at.
EVERY = scale(170, 250)
RUN = 'pbotvm-watchdog.service'


def hang():
    ask({'nick': 'villain', 'channel': '#soak', 'lang': 'sh', 'code': 'sleep 1000'}, timeout=90)


FAULTS = (
    ('a job hangs', hang),
    ('panic', lambda: sysrq('C')),
    ('QEMU killed', lambda: shell(f'kill -KILL {qemu_pid()}')),
    ('an operator reverts', lambda: on('pbotvmctl', 'revert', DOMAIN, check=False, timeout=180)),
    ('handler killed', lambda: shell('kill -KILL $(pidof -s pbotvm-handler) 2>/dev/null || true')),
    ('libvirtd restarted', lambda: on('systemctl', 'restart', LIBVIRT[0], timeout=120)),
    ('destroyed', lambda: on('virsh', '-q', 'destroy', DOMAIN, check=False)),
)


def left():
    """What the services hold when nobody asks for anything."""
    pid = main_pid(RUN)
    return {
        'descriptors': int(shell(f'ls /proc/{pid}/fd | wc -l')),
        'KiB': int(shell(f"awk '/^VmRSS/ {{ print $2 }}' /proc/{pid}/status")),
        'handlers': int(shell("systemctl list-units --all --plain --no-legend 'pbotvm@*' | wc -l")),
        'processes': int(shell('pgrep -c "^(pbotvm-|qemu-system)"')),
        'leases': machine()['Leases'],
    }


def settled():
    """The same once it does not change any more."""
    wait_ready(180)
    before = {}

    def same():
        nonlocal before
        now = left()
        if now['handlers'] == 0 and {**now, 'KiB': 0} == {**before, 'KiB': 0}:
            return now
        before = now
        return None
    return wait_until('nothing goes on any more', same, 60, step=1)


class Soak:
    def __init__(self):
        self.answers, self.lock, self.done = collections.Counter(), threading.Lock(), 0

    def one(self, i):
        word = f'soak-{i}-{"x" * (i % 97)}'
        try:
            got = ask({'nick': f'n{i % 11}', 'channel': '#soak', 'lang': 'sh', 'code': f'echo {word}'}, timeout=60).strip()
        except OSError as error:
            got = f'<{type(error).__name__}>'
        with self.lock:
            self.done += 1
            self.answers['its own' if got == word else got] += 1
        if got != word:
            time.sleep(0.5)

    def faults(self):
        """Throws them in as the requests go on."""
        for n in range((COUNT - 1) // EVERY):
            while self.done < (n + 1) * EVERY:
                time.sleep(0.2)
            FAULTS[n % len(FAULTS)][1]()


def test_requests_and_faults():
    before = settled()
    soak = Soak()
    with concurrent.futures.ThreadPoolExecutor(AT_ONCE + 1) as pool:
        thrown = pool.submit(soak.faults)
        began = time.monotonic()
        list(pool.map(soak.one, range(COUNT)))
        took = time.monotonic() - began
        thrown.result(120)
    after = settled()

    own = soak.answers.pop('its own')
    # A handler that was killed can say nothing.
    lost = soak.answers.pop('', 0) + soak.answers.pop('<ConnectionResetError>', 0)
    print(f'    {COUNT} requests, {(COUNT - 1) // EVERY} faults: {own} answered, {sum(soak.answers.values())} told in words, '
          f'{lost} of killed handlers, {COUNT / took:.1f} a second; {before["KiB"]} KiB before, {after["KiB"]} after')
    true(set(soak.answers) <= set(WORDS), f'got {soak.answers}')
    true(lost <= 1 + COUNT // EVERY // len(FAULTS), f'{lost} answers were lost')
    true(own >= COUNT * 0.8, f'{own} of {COUNT} were answered: {soak.answers}')
    grown = after.pop('KiB') - before.pop('KiB')
    equal(after, before)
    true(grown < 4096, f'the watchdog has grown by {grown} KiB')


if __name__ == '__main__':
    run(globals())
