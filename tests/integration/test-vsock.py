#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""The agent over a real AF_VSOCK: the loopback of the guest's own kernel (CID 1), as this machine has no vhost_vsock.
A second guest is booted for it."""

import base64
import json
import os
import re
import socket

from second_guest import FOLDER, guest
from stack import FULL, TOP, live, run, true

# Runs in the guest: both framings, and as many connections at once as there are slots.
PROGRAM = r'''
import json, socket, time
def connect():
    s = socket.socket(socket.AF_VSOCK, socket.SOCK_STREAM); s.settimeout(60); s.connect((1, 5555)); return s
def send(s, code, end):
    s.sendall(json.dumps({"lang": "sh", "sourcefile": "prog.sh", "execfile": "prog.sh", "cmdline": "sh prog.sh",
                          "code": code, "input": "", "arguments": "", "date": int(time.time())}).encode() + end)
def receive(s):
    got = b""
    while b"result:end" not in got:
        d = s.recv(4096)
        if not d: break
        got += d
    return got
def ask(code, end):
    s = connect(); send(s, code, end); return receive(s)
chunks = b"42" in ask("id -un; echo $((6*7))", b"\n\n")
marker = b"43" in ask("echo $((6*7+1))", b"\n:end:\n")
links = [connect() for _ in range(4)]
for i, s in enumerate(links): send(s, "sleep 1; echo slot-%d" % i, b"\n\n")
slots = all(b"slot-%d" % i in receive(s) for i, s in enumerate(links))
refused = b"socket" not in ask("python3 -c 'import socket; socket.socket(40, 1); print(\"a socket\")' 2>/dev/null", b"\n\n")
print("VSOCK", "chunks=%s marker=%s slots=%s refused=%s" % (chunks, marker, slots, refused), "END-" + "VSOCK", flush=True)
'''


def test_agent_over_vsock():
    with guest() as console:
        console.run({'program': PROGRAM.encode()}, 'python3 program')
        console.wait_for('END-VSOCK', 120)
        for what in ('chunks', 'marker', 'slots', 'refused'):
            true(f'{what}=True' in console.got, f'{what}: {console.got[-300:]!r}')


# Runs in the guest: who does not say the secret first is not heard; 3 s is longer than anybody is waited for.
PROOF_PROGRAM = r'''
import json, socket, sys, time
request = json.dumps({"lang": "sh", "sourcefile": "prog.sh", "execfile": "prog.sh", "cmdline": "sh prog.sh",
                      "code": "echo $((6*7))", "input": "", "arguments": "", "date": 0}).encode() + b"\n\n"
def say(first):
    s = socket.socket(socket.AF_VSOCK, socket.SOCK_STREAM); s.settimeout(60); s.connect((1, 5555))
    got = b""
    try:
        s.sendall(first)
        while b"result:end" not in got:
            d = s.recv(4096)
            if not d: break
            got += d
    except (BrokenPipeError, ConnectionResetError): pass
    return b"42" in got
def proof(byte): return b'{"pbotvm":{"proof":"' + byte * 32 + b'"}}\n\n'
print("BEFORE " + str(say(request) or say(proof(b"2a") + request)), "END-" + "BEFORE", flush=True)
deadline = time.monotonic() + 60
while not say(proof(b"2a") + request) and time.monotonic() < deadline: time.sleep(0.3)
right = say(proof(b"2a") + request)
started = time.monotonic(); silent = say(b""); took = time.monotonic() - started
refused = not (say(request) or say(proof(b"2b") + request) or say(b"x" * 1000000)) and not silent and took < 5
crowd = [socket.socket(socket.AF_VSOCK, socket.SOCK_STREAM) for _ in range(40)]
for s in crowd: s.connect((1, 5555))
beside = say(proof(b"2a") + request)
print("AFTER right=%s refused=%s beside=%s" % (right, refused, beside), "END-" + "AFTER", flush=True)
'''


def test_an_agent_knows_its_host():
    """The secret comes over the virtio-serial port; whoever does not say it is closed unheard."""
    with guest(port=True) as console:
        console.run({'program': PROOF_PROGRAM.encode()}, 'modprobe vsock_loopback; python3 program')
        console.wait_for('END-BEFORE', 120)
        true('BEFORE False' in console.got, f'before it knows the secret: {console.got[-300:]!r}')
        with socket.socket(socket.AF_UNIX) as link:
            link.settimeout(60)
            link.connect(f'{live()}{FOLDER}/port')
            link.sendall(json.dumps({
                'lang': 'sh', 'sourcefile': 'prog.sh', 'execfile': 'prog.sh', 'cmdline': 'sh prog.sh', 'input': '',
                'arguments': '', 'code': 'echo told', 'date': 0,
                'pbotvm': {'id': 'a', 'probe': True, 'secret': base64.b64encode(b'\x2a' * 32).decode()},
            }).encode() + b'\n\n')
            got = b''
            while b'result:end' not in got:
                got += link.recv(4096)
            true(b'"speaks":["proof"' in got, f'got {got!r}')
            console.wait_for('END-AFTER', 120)
        for what in ('right', 'refused', 'beside'):
            true(f'{what}=True' in console.got, f'{what}: {console.got[-300:]!r}')


def test_an_agent_knows_its_host_by_a_credential():
    """Without a virtio-serial port the machine's firmware says the secret."""
    with guest(secret='2a' * 32) as console:
        console.run({'program': PROOF_PROGRAM.encode()}, 'modprobe vsock_loopback; python3 program')
        console.wait_for('END-AFTER', 180)
        for what in ('right', 'refused', 'beside'):
            true(f'{what}=True' in console.got, f'{what}: {console.got[-300:]!r}')


def hostile_jobs_beside_others():
    """Over vsock several jobs run at once: somebody else's ordinary one beside each that misbehaves must not notice."""
    files = {}
    for name in ('hostile', 'hostile_jobs.py'):
        with open(os.path.join(TOP, 'tests/integration', name), 'rb') as file:
            files[name] = file.read()
    with guest() as console:
        console.run(files, 'modprobe vsock_loopback; python3 ./hostile --to vsock:1:5555 --slow 6 --victims --hogs; '
                    'python3 ./hostile --to unix:/run/pbotvm-guest/agent.socket --slow 6 --at-once 4; echo END-"TESTS"')
        console.wait_for('END-TESTS', 2400)
    text = console.got.replace('\r', '')
    counts = re.findall(r'^(\d+) passed, (\d+) failed$', text, re.M)
    bad = re.findall(r'^FAIL .*', text, re.M)
    true(len(counts) == 2 and all(int(passed) > 0 and failed == '0' for passed, failed in counts), f'{counts}: {" | ".join(bad) or text[-300:]}')


if FULL:
    test_hostile_jobs_beside_others = hostile_jobs_beside_others


if __name__ == '__main__':
    run(globals())
