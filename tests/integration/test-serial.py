#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""The whole way over serial lines on TCP, as the guide's domains have them: a second guest is a machine without a
domain, which is reached through its lines alone."""

import contextlib
import json

from second_guest import HEART_PORT, SERIAL_PORT, guest
from stack import ask, equal, live, machine, on, run, true, wait_ready, wait_until

NAME = 'serial-vm'


@contextlib.contextmanager
def machine_of_the_configuration(**members):
    path = f'{live()}/etc/pbotvm/pbotvm.json'
    with open(path, encoding='utf-8') as file:
        before = file.read()
    text = json.dumps({'domain': None, 'transport': 'serial', 'channel': None, 'channel-heart': None, 'cid': 0,
                       'serial': SERIAL_PORT, 'health': HEART_PORT, 'timeout': 30, 'heartbeat': 15, **members})
    try:
        with open(path, 'w', encoding='utf-8') as file:
            file.write(before.replace('"machines": {', f'"machines": {{ "{NAME}": {text},', 1))
        on('systemctl', 'reload', 'pbotvm-watchdog.service')
        yield
    finally:
        with open(path, 'w', encoding='utf-8') as file:
            file.write(before)
        on('systemctl', 'reload', 'pbotvm-watchdog.service')
    wait_ready()


def asked(code, lang='sh'):
    return ask({'nick': 'n', 'channel': '#serial', 'vm': NAME, 'lang': lang, 'code': code})


def test_the_whole_way_over_serial_lines():
    """Both kinds of framing; lines longer than a terminal's; output that a terminal would change."""
    with guest():
        for kind in ('pbotvm', 'pbot-2023', 'pbot-2026'):
            with machine_of_the_configuration(guest=kind):
                wait_until(f'the lines work ({kind})', lambda: machine(NAME)['State'] == 'ready', 120)
                equal(machine(NAME)['Transport'], 'serial')
                equal(asked('echo hello; id -un').split(), ['hello', 'vm'], kind)
                equal(asked(f'echo {"y" * 9000} | wc -c').strip(), '9001', kind)
                text = asked('seq 3000 | tr "\\n" ,')
                equal(text.strip(), ''.join(f'{i},' for i in range(1, 3001)), kind)
                # What killed itself is gone, and the next job is answered.
                before = machine(NAME)['Generation']
                asked('kill -9 $$')
                equal(asked('echo after').strip(), 'after', kind)
                equal(machine(NAME)['Generation'], before, kind)


if __name__ == '__main__':
    run(globals())
