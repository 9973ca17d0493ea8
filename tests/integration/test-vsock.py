#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""The agent over a real AF_VSOCK: the loopback of the guest's own kernel (CID 1), as this machine has no vhost_vsock.
A second guest of the same image is booted for it, with a shell of root on its console."""

import base64
import contextlib
import io
import os
import re
import socket
import subprocess
import tarfile
import time

from stack import DOMAIN, FULL, LAB, TOP, live, on, run, shell, true

FOLDER = '/var/tmp/pbotvm-vsock'
STEM = f'/var/lib/libvirt/images/{DOMAIN}'

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


def boot():
    # The layer over the guest's disk is made here: the host of the services has no tool for it.
    folder = live() + FOLDER
    shell(f'rm -rf {FOLDER}; mkdir -p {FOLDER}')
    subprocess.run(['qemu-img', 'create', '-q', '-u', '-f', 'qcow2', '-b', f'{STEM}.qcow2', '-F', 'qcow2',
                    f'{folder}/disk', '10G'], check=True)
    return subprocess.Popen(
        [LAB, 'exec', 'qemu-system-x86_64', '-machine', 'pc,accel=tcg', '-cpu', 'max', '-m', '1024', '-nodefaults',
         '-display', 'none', '-no-reboot', '-kernel', f'{STEM}.kernel', '-initrd', f'{STEM}.initrd',
         '-append', 'root=/dev/vda console=ttyS0 quiet systemd.debug_shell=ttyS0 '
         'systemd.setenv=PBOTVM_GUEST_CONFIG=/etc/pbotvm/guest-emulated.json',
         '-blockdev', f'driver=file,filename={STEM}.qcow2,node-name=below,read-only=on,locking=off',
         '-blockdev', 'driver=qcow2,file=below,node-name=base,read-only=on',
         '-blockdev', f'driver=qcow2,node-name=disk,file.driver=file,file.filename={FOLDER}/disk,backing=base',
         '-device', 'virtio-blk-pci,drive=disk',
         '-chardev', f'socket,id=c,path={FOLDER}/console,server=on,wait=off', '-serial', 'chardev:c'],
        stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)


class Console:
    """The serial line of the guest, and what came on it."""

    def __init__(self, path):
        self.path = path
        self.link = None
        self.got = ''

    def listen(self, seconds):
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            try:
                if not self.link:
                    self.link = socket.socket(socket.AF_UNIX)
                    self.link.connect(self.path)
                self.link.settimeout(0.2)
                self.got += self.link.recv(65536).decode(errors='replace')
            except TimeoutError:
                pass
            except OSError:
                self.link = None
                time.sleep(0.3)

    def wait_for(self, word, seconds, prod=None):
        deadline = time.monotonic() + seconds
        while word not in self.got:
            true(time.monotonic() < deadline, f'no {word!r} within {seconds} s; the last was {self.got[-300:]!r}')
            if prod and self.link:
                self.link.sendall(prod)
            self.listen(1)

    def run(self, files, command):
        """Puts files (bytes by name) into a folder of the guest and runs the command there."""
        packed = io.BytesIO()
        with tarfile.open(fileobj=packed, mode='w:gz') as archive:
            for name, content in files.items():
                member = tarfile.TarInfo(name)
                member.size, member.mode = len(content), 0o755
                archive.addfile(member, io.BytesIO(content))
        text = base64.b64encode(packed.getvalue()).decode()
        self.link.sendall(b'stty -echo\n')
        self.listen(1)
        # Shorter than the line of a terminal, slow enough for an emulated one.
        for at in range(0, len(text), 500):
            self.link.sendall(f'printf %s {text[at:at + 500]} >>/run/files\n'.encode())
            self.listen(0.5)
        self.link.sendall(b'until systemctl -q is-active pbotvm-guest; do sleep 1; done; mkdir /run/tests; '
                          b'cd /run/tests; base64 -d /run/files | tar xz; ' + command.encode() + b'\n')


@contextlib.contextmanager
def guest():
    """The console of a guest that was just booted."""
    qemu = boot()
    try:
        console = Console(f'{live()}{FOLDER}/console')
        console.wait_for('# ', 120, prod=b'\n')
        yield console
    finally:
        on('pkill', '-f', f'{FOLDER}/disk', check=False)
        qemu.wait(30)
        shell(f'rm -rf {FOLDER}')


def test_agent_over_vsock():
    with guest() as console:
        console.run({'program': PROGRAM.encode()}, 'python3 program')
        console.wait_for('END-VSOCK', 120)
        for what in ('chunks', 'marker', 'slots', 'refused'):
            true(f'{what}=True' in console.got, f'{what}: {console.got[-300:]!r}')


def hostile_jobs_beside_others():
    """Over vsock several jobs run at once: somebody else's ordinary one beside each that misbehaves must not notice."""
    files = {}
    for name in ('hostile', 'hostile_jobs.py'):
        with open(os.path.join(TOP, 'tests/integration', name), 'rb') as file:
            files[name] = file.read()
    with guest() as console:
        console.run(files, 'modprobe vsock_loopback; python3 ./hostile --to vsock:1:5555 --slow 6 --victims; echo END-"TESTS"')
        console.wait_for('END-TESTS', 1500)
    text = console.got.replace('\r', '')
    counts = re.findall(r'^(\d+) passed, (\d+) failed$', text, re.M)
    bad = re.findall(r'^FAIL .*', text, re.M)
    true(counts and int(counts[-1][0]) > 0 and counts[-1][1] == '0', f'{counts}: {" | ".join(bad) or text[-300:]}')


if FULL:
    test_hostile_jobs_beside_others = hostile_jobs_beside_others


if __name__ == '__main__':
    true(os.path.exists(LAB), 'the lab')
    run(globals())
