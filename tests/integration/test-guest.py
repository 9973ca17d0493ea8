#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""The agent in the real guest, spoken to on its own channel: the watchdog stands aside meanwhile. PBOTVM_GOLDEN_CASES
says how many recorded requests are asked: a number, or all."""

import contextlib
import json
import os
import re
import subprocess
import sys
import time

from stack import DOMAIN, FULL, TOP, live, machine, on, run, true, wait_ready, wait_until

sys.path.insert(0, os.path.join(TOP, 'tests/compat'))
import run_golden_guest as wire

GOLDEN = os.path.join(TOP, 'tests/compat/golden-guest.jsonl')


@contextlib.contextmanager
def channel():
    """The path of the agent's channel, which takes one client; the machine is as new afterwards."""
    on('systemctl', 'stop', 'pbotvm.socket')
    on('systemctl', 'stop', 'pbotvm@*.service', 'pbotvm-watchdog.service')
    try:
        yield f'{live()}/run/pbotvm/channel/{DOMAIN}.data'
    finally:
        on('systemctl', 'start', 'pbotvm-watchdog.service', 'pbotvm.socket')
        wait_ready()
        before = machine()['Reverts']
        on('pbotvmctl', 'revert', DOMAIN, check=False)
        wait_until('it is reverted', lambda: machine()['Reverts'] > before, 90)
        wait_ready()


def called(*command, timeout):
    """Runs a tool that ends with 'N passed, N failed' and returns its lines; all must have passed."""
    done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False,
                          timeout=timeout)
    print(done.stdout, file=sys.stderr, flush=True)
    lines = done.stdout.strip().splitlines()
    counts = re.search(r'(\d+) passed, (\d+) failed$', lines[-1] if lines else '')
    true(counts and int(counts.group(1)) > 0, f'it ended with {lines[-1:]}')
    bad = [line for line in lines if not re.match(r'(quirk|ok|pass)\b', line)][:-1]
    true(counts.group(2) == '0' and done.returncode == 0, f'{lines[-1]}: {" | ".join(bad)[:600]}')
    return lines


def chosen():
    """The names of the recorded requests that are asked: scripts and C in turn, evenly over the record."""
    wanted = os.environ.get('PBOTVM_GOLDEN_CASES') or ('all' if FULL else '20')
    with open(GOLDEN, encoding='utf-8') as lines:
        cases = [json.loads(line) for line in lines]
    if wanted == 'all':
        return [case['id'] for case in cases]
    count = int(wanted)
    areas = [[case['id'] for case in cases if case['area'] == area and not case.get('quirk')] for area in ('c', 'script')]
    picked = []
    for area in areas:
        step = len(area) / (count / 2)
        picked += [area[int(i * step)] for i in range(count // 2)]
    return picked


def test_recorded_requests():
    names = chosen()
    with channel() as path:
        called(sys.executable, os.path.join(TOP, 'tests/compat/run_golden_guest.py'), '--to', f'unix:{path}', '--wait',
               '90', '--filter', f'^({"|".join(names)})$', GOLDEN, timeout=60 + 45 * len(names))


def test_frames_of_2023():
    with channel() as path:
        called(sys.executable, os.path.join(TOP, 'tests/compat/run_golden_guest.py'), '--to', f'unix:{path}', '--wait',
               '90', '--framing', 'end-marker', '--filter', f'^({"|".join(chosen()[-3:])})$', GOLDEN, timeout=200)


def test_hostile_jobs():
    with channel() as path:
        called(sys.executable, os.path.join(TOP, 'tests/integration/hostile'), '--to', f'unix:{path}', '--slow', '6',
               timeout=1200)


def test_clock_follows_the_host():
    """By a request's date, either way; but one that waited while another's job ran is no reason to go back."""
    def clock(date, before=''):
        return int(wire.ask(f'unix:{path}', {
            'lang': 'sh', 'sourcefile': 'prog.sh', 'execfile': 'prog.sh', 'cmdline': 'sh prog.sh', 'input': '',
            'arguments': '', 'code': f'{before}date +%s', 'date': date}, 'chunks', 60))

    with channel() as path:
        for off in (0, 100, -100, 5, -5, 0):
            now = int(time.time())
            got = clock(now + off)
            true(-1 <= got - now - off <= 4, f'{off} s off: {got - now}')
        made = int(time.time())
        clock(made, 'sleep 5; ')
        got = clock(made)
        # A clock that is a second behind is not off yet.
        true(3 <= got - made <= 12, f'after a wait of {int(time.time()) - made} s: {got - made}')


def test_busy_host_is_no_cpu_time():
    """In an emulated guest CPU time passes while the host does something else: an innocent program may have more of it than
    elsewhere. One that burns it without end is ended all the same, as a result."""
    def ask(code, **limits):
        return wire.ask(f'unix:{path}', {
            'lang': 'python3', 'sourcefile': 'prog.py3', 'execfile': 'prog.py3', 'cmdline': 'python3 prog.py3', 'input': '',
            'arguments': '', 'code': code, 'date': int(time.time()), 'pbotvm': {'limits': limits}}, 'chunks', 120)

    with channel() as path:
        limit = int(ask('import resource; print(resource.getrlimit(resource.RLIMIT_CPU)[0])'))
        if limit == 8:
            print('    not emulated')
            return
        got = ask('import time\nwhile time.process_time() < 12: pass\nprint("done")')
        true(got == 'done\n', f'a program that took 12 s of {limit} s of CPU time: {got!r}')
        got = ask('while True: pass')
        true('CPU time limit exceeded' in got, f'an endless loop: {got!r}')


def test_overhead():
    """What the agent adds, in one run next to a plain start of the same; the figures are the result."""
    with channel() as path:
        done = subprocess.run([sys.executable, os.path.join(TOP, 'tests/bench/guest'), '--to', f'unix:{path}',
                               '--requests', '50'], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
                              check=False, timeout=600)
    print(re.sub('^', '    ', done.stdout.strip(), flags=re.M), flush=True)
    true(done.returncode == 0 and done.stdout.count('ratio') + done.stdout.count('times') > 0, done.stdout[-300:])


if __name__ == '__main__':
    run(globals())
