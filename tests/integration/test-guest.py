#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""The real guest alone, by its channel: recorded cases of PBot's guest, jobs that misbehave. The host's services are
stopped for their time, and the guest is reverted in the end."""

import json
import os
import re
import subprocess
import sys
import tempfile
import time

from stack import DOMAIN, FULL, TOP, equal, live, on, run, scale, shell, true, wait_ready

GOLDEN = os.path.join(TOP, 'tests/compat/golden-guest.jsonl')
LANGUAGES = os.path.join(TOP, 'guest/image/image.json')


def channel():
    return f'{live()}/run/pbotvm/channel/{DOMAIN}.data'


def alone():
    """The guest, fresh from its snapshot, with nobody else on its channel."""
    on('systemctl', 'stop', 'pbotvm.socket', 'pbotvm-watchdog.service')
    on('virsh', '-q', 'snapshot-revert', DOMAIN, '1', '--running', timeout=120)


def over():
    on('virsh', '-q', 'snapshot-revert', DOMAIN, '1', '--running', timeout=120)
    on('systemctl', 'start', 'pbotvm-watchdog.service', 'pbotvm.socket')
    wait_ready()


def sample(count):
    """Cases spread evenly over the file, which is sorted by what they are about."""
    with open(GOLDEN, encoding='utf-8') as lines:
        cases = [case for case in map(json.loads, lines) if not case.get('quirk')]
    # What takes long by design says more about the emulator than about the agent.
    if count < len(cases):
        cases = [case for case in cases if 'time' not in case['area'] and 'limit' not in case['area']]
    step = max(1.0, len(cases) / count)
    return [cases[int(i * step)] for i in range(min(count, len(cases)))]


def test_recorded_cases():
    wanted = os.environ.get('PBOTVM_GOLDEN_CASES', str(scale(20, 10000)))
    cases = sample(10000 if wanted == 'all' else int(wanted))
    alone()
    with tempfile.NamedTemporaryFile('w', suffix='.jsonl', encoding='utf-8') as file:
        file.write(''.join(json.dumps(case) + '\n' for case in cases))
        file.flush()
        try:
            done = subprocess.run([sys.executable, 'tests/compat/run_golden_guest.py', '--to', f'unix:{channel()}',
                                   '--wait', '90', file.name], stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                                  text=True, cwd=TOP, check=False, timeout=scale(800, 6000))
        finally:
            over()
    said = done.stdout.strip().splitlines() or ['nothing']
    equal((said[-1], [line[:600] for line in said if line.startswith('MISMATCH')]),
          (f'{len(cases)} passed, 0 failed', []), 'the replay')


def test_hostile_jobs():
    alone()
    command = [sys.executable, 'tests/integration/hostile', '--to', f'unix:{channel()}', '--slow', '4']
    try:
        done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, cwd=TOP,
                              check=False, timeout=1500)
    finally:
        over()
    bad = [line[:300] for line in done.stdout.splitlines() if line.startswith('FAIL')]
    equal((done.returncode, bad), (0, []), done.stdout.strip().splitlines()[-1] if done.stdout.strip() else 'nothing')


def test_every_language_says_hello():
    alone()
    with open(LANGUAGES, encoding='utf-8') as file:
        languages = json.load(file)['profiles']['full']['languages']
    try:
        done = subprocess.run([os.path.join(TOP, 'guest/image/warm'), '--data', channel(), *languages],
                              stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False, timeout=600)
    finally:
        over()
    bad = [line for line in done.stdout.splitlines() if not line.endswith(' ok')]
    equal(bad, [], 'languages')


def test_reverted_guests_draw_other_numbers():
    """Two reverts to one snapshot: the kernel's random numbers must differ, and the clock must be right."""
    drawn = []
    from stack import ask  # pylint: disable=import-outside-toplevel
    for _ in range(2):
        on('pbotvmctl', 'revert', DOMAIN)
        wait_ready()
        text = ask('-lang=sh od -An -N16 -tx1 /dev/urandom; date +%s')
        found = re.search(r'((?: [0-9a-f]{2}){16})\s+(\d+)', text)
        true(found, f'got {text!r}')
        drawn.append(found.group(1))
        true(abs(int(found.group(2)) - time.time()) < 4, f'the clock says {found.group(2)}')
    true(drawn[0] != drawn[1], f'both drew {drawn[0]}')


VSOCK = '''
import json, socket, sys, time
def ask(framing):
    s = socket.socket(socket.AF_VSOCK, socket.SOCK_STREAM); s.settimeout(60); s.connect((1, 5555))
    r = json.dumps({"lang": "sh", "sourcefile": "prog.sh", "execfile": "prog.sh", "cmdline": "sh prog.sh",
                    "code": "id -un; echo $((6*7))", "input": "", "arguments": "", "date": int(time.time())}).encode()
    s.sendall(r + (b"\\n\\n" if framing == "chunks" else b"\\n:end:\\n"))
    got = b""
    while b"result:end" not in got:
        d = s.recv(4096)
        if not d: break
        got += d
    return got
ok = all(b"vm\\\\n42" in ask(f) for f in ("chunks", "end-marker"))
links = [socket.socket(socket.AF_VSOCK, socket.SOCK_STREAM) for _ in range(4)]
for s in links: s.settimeout(60); s.connect((1, 5555))
print("VSOCK-" + ("WORKS" if ok else "FAILS"), flush=True)
'''


def test_vsock_inside_the_guest():
    """A real AF_VSOCK, by the loopback of the guest's kernel: this machine has no vhost_vsock. A second guest of the
    same image is booted for it, with a shell of root on its console."""
    import base64  # pylint: disable=import-outside-toplevel
    folder = '/var/tmp/pbotvm-vsock'
    root = live()
    stem = f'/var/lib/libvirt/images/{DOMAIN}'
    shell(f'rm -rf {folder}; mkdir -p {folder}; qemu-img create -q -f qcow2 -b {stem}.qcow2 -F qcow2 {folder}/disk')
    qemu = subprocess.Popen(
        [os.path.join(TOP, 'tests/lib/lab'), 'exec', 'qemu-system-x86_64', '-machine', 'pc,accel=tcg', '-cpu', 'max',
         '-m', '1024', '-nodefaults', '-display', 'none', '-no-reboot', '-kernel', f'{stem}.kernel', '-initrd',
         f'{stem}.initrd', '-append', 'root=/dev/vda console=ttyS0 quiet systemd.debug_shell=ttyS0', '-drive',
         f'file={folder}/disk,if=virtio,format=qcow2', '-chardev',
         f'socket,id=c,path={folder}/console,server=on,wait=off', '-serial', 'chardev:c'],
        stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
    try:
        said = talk(f'{root}{folder}/console', base64.b64encode(VSOCK.encode()).decode())
        true('VSOCK-WORKS' in said, f'got {said[-400:]!r}')
    finally:
        shell(f'pkill -f {folder}/disk', check=False)
        qemu.wait(30)
        shell(f'rm -rf {folder}')


def talk(path, program):
    """Types the program on the console again and again until it has run: nobody tells when the shell is there."""
    import socket  # pylint: disable=import-outside-toplevel
    deadline = time.monotonic() + 150
    typed = 0
    got = ''
    link = None
    while time.monotonic() < deadline and 'VSOCK-WORKS' not in got and 'VSOCK-FAILS' not in got:
        try:
            if not link:
                link = socket.socket(socket.AF_UNIX)
                link.connect(path)
                link.settimeout(1)
            # In pieces shorter than the line of a terminal.
            if time.monotonic() > typed + 25 and '# ' in got or typed == 0:
                if '# ' in got:
                    typed = time.monotonic()
                    link.sendall(b'stty -echo\ntrue >/run/p\n')
                    for at in range(0, len(program), 400):
                        link.sendall(f'printf %s {program[at:at + 400]} >>/run/p\n'.encode())
                        time.sleep(0.3)
                    link.sendall(b'base64 -d /run/p | python3 -\n')
                else:
                    link.sendall(b'\n')
            got += link.recv(65536).decode(errors='replace')
        except TimeoutError:
            pass
        except OSError:
            link = None
            time.sleep(0.5)
    return got


if __name__ == '__main__':
    true(FULL in (True, False), '')
    run(globals())
