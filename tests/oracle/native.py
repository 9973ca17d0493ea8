# SPDX-License-Identifier: LGPL-2.1-or-later
"""The whole way of a line on this machine, without a guest: pbotvm-exec, the line's request to a port on which
guest-local answers, and the answer back. Nothing is installed; as root guest-local uses namespaces of its own."""

import contextlib
import fcntl
import hashlib
import json
import os
import shutil
import socket
import subprocess
import sys
import tempfile
import threading

TOP = os.path.dirname(os.path.dirname(os.path.dirname(os.path.realpath(__file__))))
sys.path.insert(0, os.path.join(TOP, 'tests/compat'))
from ahead_list import entries

GDB = os.path.join(TOP, 'guest/gdb')
AHEAD_LIST = 'guest/gdb/ahead.list'
HEADERS = ('prelude.h', 'prelude.hpp', 'prelude-library.hpp')


def digest_of(build):
    """Whatever decides on what headers() makes."""
    digest = hashlib.sha256(subprocess.run(['g++', '--version'], stdout=subprocess.PIPE, check=True).stdout)
    for path in (*(os.path.join(GDB, name) for name in HEADERS),
                 *(os.path.join(build, name) for name in ('guest/gdb/pbotvm-gdb', AHEAD_LIST))):
        with open(path, 'rb') as file:
            digest.update(file.read())
    return digest.hexdigest()[:12]


def compile_ahead(build, folder):
    """For the options of C++'s own, as in a guest, and for what a program by hand includes: the same without our own
    words."""
    with open(os.path.join(folder, 'ahead.list'), 'w', encoding='utf-8') as file:
        file.write(next(entry for entry in entries(os.path.join(build, AHEAD_LIST)) if entry.startswith('= c++ ')))
    include = {'CPLUS_INCLUDE_PATH': folder}
    subprocess.run([os.path.join(build, 'guest/gdb/pbotvm-gdb'), '--ahead', os.path.join(folder, 'ahead.list')], check=True,
                   env={**os.environ, **include, 'PBOTVM_AHEAD': os.path.join(folder, 'compilers')})
    with open(os.path.join(folder, 'prelude-library.hpp'), encoding='utf-8') as file:
        text = file.read().replace('#include <prelude.h>', 'using namespace std;').replace('PRELUDE_LIBRARY', 'HAND')
    with open(os.path.join(folder, 'hand.hpp'), 'w', encoding='utf-8') as file:
        file.write(text)
    subprocess.run(['g++', '-std=c++14', '-w', '-x', 'c++-header', os.path.join(folder, 'hand.hpp')], check=True)


def headers(build, cache):
    """A folder with the prelude's headers, compiled ahead in its place; kept while they are the same."""
    folder = os.path.join(cache, 'prelude-' + digest_of(build))
    os.makedirs(cache, exist_ok=True)
    with open(os.path.join(cache, 'lock'), 'w', encoding='ascii') as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)  # another one may be at it
        if not os.path.exists(os.path.join(folder, 'made')):
            os.makedirs(folder, mode=0o755, exist_ok=True)
            for name in HEADERS:
                shutil.copy(os.path.join(GDB, name), folder)
            compile_ahead(build, folder)
            with open(os.path.join(folder, 'made'), 'w', encoding='ascii'):
                pass
    return folder


class Native:
    """Use it with `with`. Any number of threads may ask."""

    def __init__(self, build, cache):
        self.folder = tempfile.TemporaryDirectory(prefix='pbotvm-native-')
        with open(os.path.join(self.folder.name, 'config'), 'w', encoding='utf-8') as file:
            file.write('{}')
        build = os.path.abspath(build)
        self.guest = [os.path.join(build, 'tests/compat/guest-local'), os.path.join(build, 'guest/gdb')]
        self.exec = [os.path.join(build, 'src/client/pbotvm-exec'), '--config=' +
                     os.path.join(self.folder.name, 'config'),
                     '--languages=' + os.path.join(TOP, 'src/language/data'),
                     '--rewrites=' + os.path.join(TOP, 'src/language/rewrites')]
        self.environment = {**os.environ, 'TERM': 'dumb', 'LC_ALL': 'C.UTF-8'}
        self.headers = headers(build, cache)
        self.environment.update(C_INCLUDE_PATH=self.headers, CPLUS_INCLUDE_PATH=self.headers)
        for name in [name for name in self.environment if name.startswith('PBOTVM_')]:
            del self.environment[name]
        self.environment['PBOTVM_AHEAD'] = os.path.join(self.headers, 'compilers')
        self.listener = socket.create_server(('127.0.0.1', 0))
        self.port = self.listener.getsockname()[1]

    def __enter__(self):
        threading.Thread(target=self._serve, daemon=True).start()
        return self

    def __exit__(self, *_):
        # close() alone leaves accept() waiting.
        with contextlib.suppress(OSError):
            self.listener.shutdown(socket.SHUT_RDWR)
        self.listener.close()
        self.folder.cleanup()

    def _serve(self):
        while True:
            try:
                link, _ = self.listener.accept()
            except OSError:
                return
            threading.Thread(target=self._guest, args=(link,), daemon=True).start()

    def _guest(self, link):
        with link:
            subprocess.run(self.guest, stdin=link, stdout=link, stderr=subprocess.DEVNULL, env=self.environment,
                           check=False)

    def _exec(self, line, *options, **variables):
        with tempfile.TemporaryDirectory() as state:
            done = subprocess.run([*self.exec, '--state=' + state, *options, line], stdout=subprocess.PIPE,
                                  stderr=subprocess.PIPE, env={**self.environment, **variables}, timeout=90,
                                  check=False)
        text = done.stdout.decode('utf-8', 'replace')
        # What goes wrong on the way is told nowhere else.
        return text if text.strip() or done.returncode == 0 else done.stderr.decode('utf-8', 'replace')

    def ask(self, line):
        """The answer that a client of port 9000 would get."""
        return self._exec(line, PBOTVM_SERIAL=str(self.port), PBOTVM_TIMEOUT='60')

    def request(self, line):
        """What would be sent to the guest, an object; or the answer, a string, where no guest is asked."""
        text = self._exec(line, '--dry-run')
        return json.loads(text) if text.startswith('{\n  "lang"') else text
