# SPDX-License-Identifier: LGPL-2.1-or-later
"""The guest's agent on this machine, and ways to it."""

import glob
import json
import os
import pwd
import re
import select
import signal
import socket
import subprocess
import tempfile
import time

CGROUPS = ('/sys/fs/cgroup', '/sys/fs/cgroup/unified')


def request(code, **more):
    return {'lang': 'sh', 'sourcefile': 'prog.sh', 'execfile': 'prog.sh', 'cmdline': 'bash prog.sh', 'input': '',
            'arguments': '', 'code': code, 'date': int(time.time()), **more}


def chunks(data):
    return b''.join(data[i:i + 4000] + b'\n' for i in range(0, len(data), 4000)) + b'\n'


def end_marker(data):
    return data + b'\n:end:\n'


class Stream:
    """A way to the agent: a socket or a terminal."""

    def __init__(self, fd):
        self.fd, self.rest = fd, b''

    def send(self, data):
        while data:
            data = data[os.write(self.fd, data[:1024]):]

    def ask(self, what, frame=chunks, seconds=15):
        self.send(frame(what if isinstance(what, bytes) else json.dumps(what).encode()))
        return self.answer(seconds)

    def answer(self, seconds=15):
        """The next answer's object; None at the end of the stream."""
        end = time.monotonic() + seconds
        while b'\nresult:end\n' not in self.rest:
            if not select.select([self.fd], [], [], max(0, end - time.monotonic()))[0]:
                raise TimeoutError(f'no answer within {seconds} s')
            data = os.read(self.fd, 1 << 16)
            if not data:
                return None
            self.rest += data
        frame, _, self.rest = self.rest.partition(b'\nresult:end\n')
        assert frame.startswith(b'result:{'), frame[:100]
        return json.loads(frame[7:])

    def close(self):
        os.close(self.fd)


class Agent:
    def __init__(self, build):
        self.folder = tempfile.TemporaryDirectory(prefix='pbotvm-agent-')
        self.program = os.path.join(build, 'guest/agent/pbotvm-guest')
        self.data, self.heart = (os.path.join(self.folder.name, name) for name in ('data', 'heart'))
        self.pty_data, self.tty_data = os.openpty()
        self.pty_heart, self.tty_heart = os.openpty()
        self.notices = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.notices.bind(os.path.join(self.folder.name, 'notify'))
        os.mkdir(os.path.join(self.folder.name, 'disk'))
        # In place of the journal of whatever machine this is.
        self.journal = os.path.join(self.folder.name, 'journal')
        self.journalctl = os.path.join(self.folder.name, 'bin/journalctl')
        os.mkdir(os.path.dirname(self.journalctl))
        with open(self.journal, 'w', encoding='ascii'), open(self.journalctl, 'w', encoding='ascii') as file:
            file.write(f'#!/bin/sh\nexec tail -n +1 -f {self.journal}\n')
        os.chmod(self.journalctl, 0o755)
        try:
            pwd.getpwnam('vm')
            self.user = 'vm'
        except KeyError:
            self.user = 'nobody'
        self.process = None

    def start(self):
        self.process = subprocess.Popen([self.program], stdin=subprocess.DEVNULL, env={
            'PATH': os.path.dirname(self.journalctl) + ':' + os.environ['PATH'], 'PBOTVM_LOG': 'stderr', 'PBOTVM_GUEST_CONFIG': '/nonexistent',
            'PBOTVM_GUEST_USER': self.user, 'PBOTVM_GUEST_VSOCK_PORT': '0',
            'PBOTVM_GUEST_LISTEN': 'unix:' + self.data, 'PBOTVM_GUEST_LISTEN_HEARTBEAT': 'unix:' + self.heart,
            'PBOTVM_GUEST_DATA': os.ttyname(self.tty_data), 'PBOTVM_GUEST_HEARTBEAT': os.ttyname(self.tty_heart),
            'PBOTVM_GUEST_STORAGE': os.path.join(self.folder.name, 'disk'),
            'NOTIFY_SOCKET': os.path.join(self.folder.name, 'notify')},
            stderr=open(os.path.join(self.folder.name, 'log'), 'a', encoding='utf-8'))
        self.wait_for_notice('READY=1', 20)

    def wait_for_notice(self, text, seconds):
        """What the agent tells systemd, from now on."""
        end = time.monotonic() + seconds
        while True:
            self.notices.settimeout(max(0.01, end - time.monotonic()))
            if text in self.notices.recv(4096).decode():
                return

    def forget_notices(self):
        self.notices.settimeout(0)
        try:
            while True:
                self.notices.recv(4096)
        except BlockingIOError:
            pass

    def connect(self, path=None):
        link = socket.socket(socket.AF_UNIX)
        link.connect(path or self.data)
        return Stream(link.detach())

    def stop(self, with_signal=signal.SIGTERM):
        if self.process and self.process.poll() is None:
            self.process.send_signal(with_signal)
            return self.process.wait(10)
        return None

    def cgroup(self):
        with open(f'/proc/{self.process.pid}/cgroup', encoding='ascii') as file:
            path = re.search(r'^0::(.*)/agent$', file.read(), re.M).group(1)
        return next(root + path for root in CGROUPS if os.path.exists(root + path + '/cgroup.procs'))

    def jobs(self):
        """Processes that are in a job's cgroup."""
        found = []
        for path in glob.glob(self.cgroup() + '/jobs/job-*/cgroup.procs'):
            try:
                with open(path, encoding='ascii') as file:
                    found += file.read().split()
            except OSError:
                pass
        return found


def until(condition, seconds):
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, 'waited in vain'
        time.sleep(0.05)
