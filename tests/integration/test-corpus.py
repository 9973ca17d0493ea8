#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Recorded cases of PBot through port 9000 of the installed services: its default machine is for their time one
without a domain, whose guest answers from the record."""

import json
import os
import re
import subprocess
import sys
import tempfile

from stack import TOP, equal, live, on, run, scale, true, wait_ready, wait_until

DATA, HEART, NOBODY = 9461, 9462, 9463
GOLDEN = os.path.join(TOP, 'tests/compat/golden-shared.jsonl')


def chosen(count):
    """Cases of every area in turn, by their names, so that the same are taken each time. Left out: sequences, which
    need each other, quirks, and what waits by design."""
    areas = {}
    with open(GOLDEN, encoding='utf-8') as lines:
        for line in lines:
            case = json.loads(line)
            if not {'quirk', 'sequence', 'idle', 'delay', 'pause_heart', 'hangup'} & set(case):
                areas.setdefault(case['area'], []).append(case)
    queues = [sorted(cases, key=lambda case: case['id']) for _, cases in sorted(areas.items())]
    picked = []
    while len(picked) < count and any(queues):
        picked += [queue.pop(len(queue) // 2) for queue in queues if queue]
    return picked[:count]


def configuration():
    silent = {'channel': None, 'channel-heart': None, 'domain': None, 'guest': 'pbot-2023', 'transport': 'serial',
              'addr': '127.0.0.1'}
    return {'machines': {'pbot-vm': {**silent, 'serial': DATA, 'health': HEART},
                         'pbot-test-vm': {**silent, 'serial': NOBODY, 'health': NOBODY}},
            'aliases': {'main': 'pbot-vm', 'test': 'pbot-test-vm'}, 'default-machine': 'main'}


def test_100_recorded_cases_through_port_9000():
    path = f'{live()}/etc/pbotvm/pbotvm.json'
    with open(path, encoding='utf-8') as file:
        before = file.read()
    count = scale(100, 1000)
    cases = chosen(count)
    true(len(cases) == count or scale(False, True), f'only {len(cases)} cases')

    with tempfile.NamedTemporaryFile('w', suffix='.jsonl', encoding='utf-8') as sample:
        sample.write(''.join(json.dumps(case) + '\n' for case in cases))
        sample.flush()
        try:
            with open(path, 'w', encoding='utf-8') as file:
                json.dump(configuration(), file)
            # Variables of /etc/default/pbotvm speak of the default machine; the domain is none of them.
            on('systemctl', 'restart', 'pbotvm-watchdog.service')
            done = subprocess.run([sys.executable, 'tests/compat/run_golden.py', '--server', '127.0.0.1:9000',
                                   '--data-port', str(DATA), '--heart-port', str(HEART), '--code', 'pre', '--settle', '3',
                                   sample.name], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
                                  cwd=TOP, check=False, timeout=600)
        finally:
            with open(path, 'w', encoding='utf-8') as file:
                file.write(before)
            on('systemctl', 'restart', 'pbotvm-watchdog.service')

    last = done.stdout.strip().splitlines()[-1] if done.stdout.strip() else 'nothing'
    bad = [line for line in done.stdout.splitlines() if line.startswith('MISMATCH')]
    equal((last, bad[:5]), (f'{len(cases)} passed, 0 failed', []), 'the replay')
    wait_ready()


def test_mistake_in_the_configuration_is_named():
    path = f'{live()}/etc/pbotvm/pbotvm.json'
    with open(path, encoding='utf-8') as file:
        before = file.read()
    try:
        with open(path, 'w', encoding='utf-8') as file:
            file.write('{\n  "machines": {\n    "pbot-vm": { "timeout": "soon" }\n  }\n}\n')
        on('systemctl', 'reload', 'pbotvm-watchdog.service', check=False)
        said = wait_until('the mistake in the journal', lambda: re.search(
            r'pbotvm\.json:3.*timeout', on('journalctl', '-q', '-u', 'pbotvm-watchdog', '-n', '30', '-o', 'cat')))
        true(said, 'file, line and member')
        # The watchdog keeps what it had.
        equal(on('systemctl', 'is-active', 'pbotvm-watchdog.service').strip(), 'active')
    finally:
        with open(path, 'w', encoding='utf-8') as file:
            file.write(before)
        on('systemctl', 'reload', 'pbotvm-watchdog.service')
    wait_ready()


if __name__ == '__main__':
    run(globals())
