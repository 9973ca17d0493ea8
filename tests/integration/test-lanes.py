#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Jobs side by side over the one byte stream of a virtio-serial channel."""

import threading
import time

from stack import ask_timed, equal, machine, run, time_limit, true, wait_ready, wait_until


class Asked(threading.Thread):
    """A request of somebody's; what came, after how long."""

    def __init__(self, nick, code):
        super().__init__()
        self.line = {'nick': nick, 'channel': '#lanes', 'lang': 'sh', 'code': code}
        self.text, self.took = '', 0.0
        self.start()

    def run(self):
        text, self.took = ask_timed(self.line, timeout=time_limit() + 40)
        self.text = text.strip()


def ready():
    wait_ready()
    equal(machine()['Transport'], 'channel')


def test_four_at_once():
    """One takes 9 s, and the others hear nothing of it."""
    ready()
    before = machine()
    slow = Asked('slow', 'sleep 9; echo slow')
    wait_until('it runs', lambda: machine()['Leases'] == 1)
    started = time.monotonic()
    others = [Asked(f'nick-{i}', f'seq 2000 | tail -n 1; sleep 0.5; echo other-{i}') for i in range(3)]
    for i, other in enumerate(others):
        other.join()
        equal(other.text.split(), ['2000', f'other-{i}'])
    true(slow.is_alive(), f'the others took {time.monotonic() - started:.1f} s')
    slow.join()
    equal(slow.text, 'slow')
    equal(machine()['Reverts'], before['Reverts'])


def test_large_answers_at_once():
    ready()
    code = 'yes | head -c 200000 | wc -c; head -c 60000 /dev/zero | tr "\\0"'
    many = [Asked(f'nick-{i}', f'{code} {i}') for i in range(4)]
    for i, one in enumerate(many):
        one.join()
        true(one.text.startswith('200000') and set(one.text[6:].strip()) == {str(i)} and len(one.text) > 60000,
             f'{i}: {len(one.text)} bytes, {one.text[:80]!r}')


def test_what_one_does_is_no_others_harm():
    """Who kills himself, and who exceeds the time limit, has nobody else's job ended."""
    ready()
    limit = time_limit()
    before = machine()
    victim = Asked('victim', f'sleep {limit - 3}; echo whole')
    wait_until('it runs', lambda: machine()['Leases'] == 1)
    killed = Asked('killed', 'echo a; kill -9 $$')
    killed.join()
    true('Killed' in killed.text, f'got {killed.text!r}')
    victim.join()
    equal(victim.text, 'whole')
    equal(machine()['Generation'], before['Generation'])

    # Its revert waits for the one that began later.
    hog = Asked('hog', f'sleep {limit + 20}')
    wait_until('it runs', lambda: machine()['Leases'] == 1)
    time.sleep(5)
    late = Asked('late', f'sleep {limit - 2}; echo whole')
    hog.join()
    true('[Timed-out]' in hog.text, f'got {hog.text!r}')
    late.join()
    equal(late.text, 'whole')
    wait_until('a revert', lambda: machine()['Reverts'] > before['Reverts'])
    wait_ready()


if __name__ == '__main__':
    run(globals())
