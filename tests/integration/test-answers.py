#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""What clients of port 9000 get from the guest."""

import concurrent.futures
import hashlib
import socket
import time

from stack import DOMAIN, ask, ask_timed, echo, equal, journal, machine, on, run, time_limit, true, wait_ready


def test_hello():
    equal(ask('-lang=sh echo hello world').rstrip('\n'), 'hello world')


def test_python():
    equal(ask('-lang=python3 print(6*7)').rstrip('\n'), '42')


def test_json_runs_as_vm():
    text = ask({'nick': 'n', 'channel': '#c', 'lang': 'sh', 'code': 'echo $0; id -un'})
    equal(text.split(), ['prog.sh', 'vm'])


def test_c_under_the_debugger():
    true('x * 2 = 6' in (text := ask('-lang=c11 int x = 3; x * 2')), f'got {text!r}')


def test_crash_is_told():
    text = ask('-lang=c11 int *p = 0; *p = 1;')
    true('SIGSEGV' in text or 'null pointer' in text, f'got {text!r}')


def test_100_kilobytes_arrive_whole():
    # Lines of which each is another, so that none can be lost or doubled unseen.
    expected = ''.join(f'{i:05d} {hashlib.sha1(str(i).encode()).hexdigest()}\n' for i in range(2200))
    text = ask("-lang=python3 import hashlib\\nfor i in range(2200): "
               "print('%05d %s' % (i, hashlib.sha1(str(i).encode()).hexdigest()))")
    true(len(text) >= 100000, f'only {len(text)} bytes')
    equal(text.rstrip('\n'), expected.rstrip('\n'))


def test_unknown_language_lists_them():
    text = ask('-lang=nosuchthing hello')
    true('python3' in text and 'c11' in text, f'got {text!r}')


def test_plain_exit_status():
    true(ask('-lang=sh echo out; exit 3').startswith('out'), 'output')
    true('[Exit 3]' in ask('-lang=sh echo out; exit 3'), 'status')


def test_line_too_long():
    equal(ask(b'x' * (1 << 20) + b'y').strip(), 'Request is too long.')


def test_half_closed_client_gets_its_answer():
    with socket.create_connection(('127.0.0.1', 9000), 10) as link:
        link.settimeout(60)
        link.sendall(b'-lang=sh echo half')
        link.shutdown(socket.SHUT_WR)
        got = b''
        while chunk := link.recv(4096):
            got += chunk
    equal(got.strip(), b'half')


def test_50_one_after_another():
    for i in range(50):
        equal(echo(f'one-{i}'), f'one-{i}')


def test_8_at_a_time():
    with concurrent.futures.ThreadPoolExecutor(8) as pool:
        words = [f'eight-{i}' for i in range(50)]
        equal(list(pool.map(echo, words)), words)


def test_journal_has_the_fields():
    since = time.time() - 1
    echo('x')
    ask({'nick': 'somebody', 'channel': '#fields', 'lang': 'sh', 'code': 'echo $((6*7))'})
    found = [entry for entry in journal('PBOTVM_CHANNEL=#fields', since=since) if 'PBOTVM_VERDICT' in entry]
    equal(len(found), 1, 'entries of the request')
    entry = found[0]
    equal((entry['PBOTVM_NICK'], entry['PBOTVM_LANGUAGE'], entry['PBOTVM_MACHINE'], entry['PBOTVM_VERDICT']),
          ('somebody', 'sh', DOMAIN, 'clean'))
    true([key for key in entry if key.startswith('PBOTVM_DURATION')], f'no duration among {sorted(entry)}')


def test_time_limit_keeps_the_output():
    limit = time_limit()
    text, took = ask_timed('-lang=sh echo before; sleep 1000', timeout=limit + 30)
    true('before' in text and '[Timed-out]' in text, f'got {text!r}')
    true(took < limit + 1, f'took {took:.1f} s')
    wait_ready()


def test_storage_outlives_a_revert():
    """What a factoid keeps in its directory is there at its next run, in whichever guest."""
    key = f'kept-{time.time():.0f}'
    request = {'nick': 'n', 'channel': '#c', 'lang': 'sh', 'persist-key': key}
    equal(ask({**request, 'code': f'echo one >>~/{key}/f; cat ~/{key}/f'}).split(), ['one'])
    equal(ask({**request, 'code': f'echo two >>~/{key}/f; cat ~/{key}/f'}).split(), ['one', 'two'])
    on('pbotvmctl', 'revert', DOMAIN)
    wait_ready()
    equal(ask({**request, 'code': f'cat ~/{key}/f; rm ~/{key}/f'}).split(), ['one', 'two'])
    true('No such file' in ask({**request, 'code': f'cat ~/{key}/f'}), 'what was removed is gone')
    # Another command: the same output once more would be told as that.
    text = ask({**request, 'persist-key': key + 'x', 'code': f'echo other; cat ~/{key}/f'})
    true('No such file' in text, f'by its key alone: {text!r}')


if __name__ == '__main__':
    run(globals())
