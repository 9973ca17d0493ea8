# SPDX-License-Identifier: LGPL-2.1-or-later
"""Whom tests/bench/answers asks: a build on this machine, a guest that runs, or a guest that is booted for it in the
host of the services, of the image that is there, with a build's programs in the place of its own."""

import glob
import os
import re
import resource
import shutil
import socket
import subprocess
import sys
import tarfile
import time

TOP = os.path.dirname(os.path.dirname(os.path.dirname(os.path.realpath(__file__))))
sys.path += [os.path.join(TOP, 'tests/compat'), os.path.join(TOP, 'tests/integration')]
import ahead_list  # noqa: E402
import run_golden_guest as wire  # noqa: E402

# Longer than an answer may take: what is measured is how long it would.
WAIT = 120
PROGRAMS = {'guest/agent/pbotvm-guest': '/usr/libexec/pbotvm', 'guest/agent/pbotvm-archive': '/usr/libexec/pbotvm',
            'guest/gdb/pbotvm-gdb': '/usr/bin'}


class Guest:
    """A running one: seconds from the request to its answer."""

    clock = 0  # of what a step took: seconds

    def __init__(self, where):
        self.where = where

    def ask(self, request):
        began = time.monotonic()
        answer = wire.ask(self.where, request, 'chunks', WAIT)
        return time.monotonic() - began, answer

    def stop(self):
        pass


class Build:
    """None: this machine. What counts is the processor's time, since it has other things to do."""

    clock = slice(1, 3)

    def __init__(self, build, folder, languages):
        self.build, self.source = os.path.abspath(build), os.path.dirname(os.path.abspath(build))
        self.command = [f'{self.build}/tests/compat/guest-local', f'{self.build}/guest/gdb']
        os.makedirs(folder)
        os.chmod(folder, 0o755)
        for name in glob.glob(f'{self.source}/guest/gdb/prelude*'):
            shutil.copy(name, folder)
        self.environment = {**os.environ, 'C_INCLUDE_PATH': folder, 'CPLUS_INCLUDE_PATH': folder,
                            'PATH': f'{self.build}/guest/gdb:/usr/bin:/bin', 'PBOTVM_AHEAD': f'{folder}/compilers'}
        self.make_ahead(folder, languages)

    def make_ahead(self, folder, languages):
        """What compilers find in a guest, but for Java, whose archive has a fixed place."""
        made = f'{self.build}/guest/gdb/ahead.list'
        if not os.path.exists(made):
            subprocess.run(['sh', f'{self.source}/guest/gdb/pbotvm-precompile', folder, folder], check=True)
            return
        with open(f'{folder}/ahead.list', 'w', encoding='utf-8') as file:
            file.writelines(entry for entry in ahead_list.entries(made) if entry.split()[1] in languages
                            and re.search('-Wextra|-std=c..(17|20) ', entry.split('\n', 1)[0]))
        subprocess.run([f'{self.build}/guest/gdb/pbotvm-gdb', '--ahead', f'{folder}/ahead.list'], env=self.environment,
                       check=True)
        for script in glob.glob(f'{self.source}/guest/gdb/pbotvm-keep-*'):
            subprocess.run(['sh', script, f'{folder}/{script.rpartition("-")[2]}'], env=self.environment, check=True)

    def ask(self, request):
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        answer = subprocess.run(self.command, input=wire.frame(request, 'chunks'), stdout=subprocess.PIPE, check=False,
                                stderr=subprocess.DEVNULL, env=self.environment).stdout
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        reply = wire.Reply()
        reply.feed(answer)
        return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime, reply.result

    def stop(self):
        pass


class LabGuest(Guest):
    """Booted with a layer of its own over the image of the services' guest, which stays as it is."""

    def __init__(self, build, name):
        import second_guest
        import stack
        self.lab, self.folder = stack, f'/var/tmp/pbotvm-answers-{name}'
        self.outside = stack.live() + self.folder
        super().__init__(f'unix:{self.outside}/port')
        self.qemu = None
        shutil.rmtree(self.outside, ignore_errors=True)
        os.makedirs(self.outside)
        self.pack(build)
        try:
            self.boot(second_guest)
            self.exchange_programs(second_guest.Console(f'{self.outside}/console'))
            self.wait_for_answer()
        except BaseException:
            self.stop()
            raise

    def pack(self, build):
        """The programs as a disk: a tar archive."""
        with tarfile.open(f'{self.outside}/programs', 'w') as archive:
            for path in PROGRAMS:
                archive.add(os.path.join(build, path), os.path.basename(path))

    def boot(self, second):
        subprocess.run(['qemu-img', 'create', '-q', '-u', '-f', 'qcow2', '-b', f'{second.STEM}.qcow2', '-F', 'qcow2',
                        f'{self.outside}/disk', '10G'], check=True)
        words = list(second.EMULATED)
        words[words.index('-m') + 1] = '2048'
        self.qemu = subprocess.Popen(
            [second.LAB, 'exec', *words, *second.kernel(second.STEM, 'systemd.debug_shell=ttyS0'),
             '-blockdev', f'driver=file,filename={second.STEM}.qcow2,node-name=below,read-only=on,locking=off',
             '-blockdev', 'driver=qcow2,file=below,node-name=base,read-only=on',
             '-blockdev', f'driver=qcow2,node-name=disk,file.driver=file,file.filename={self.folder}/disk,backing=base',
             '-device', 'virtio-blk-pci,drive=disk',
             '-blockdev', f'driver=raw,node-name=programs,read-only=on,file.driver=file,'
             f'file.filename={self.folder}/programs,file.read-only=on',
             '-device', 'virtio-blk-pci,drive=programs',
             '-chardev', f'socket,id=c,path={self.folder}/console,server=on,wait=off', '-serial', 'chardev:c',
             '-monitor', f'unix:{self.folder}/monitor,server=on,wait=off', '-device', 'virtio-serial-pci',
             '-chardev', f'socket,id=p,path={self.folder}/port,server=on,wait=off',
             '-device', 'virtserialport,chardev=p,name=org.pbot.vm.0'],
            stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL)

    def exchange_programs(self, console):
        """Over those of the image, which the agent and its jobs then see."""
        console.wait_for('# ', 180, prod=b'\n')
        binds = ' && '.join(f'mount --bind /run/programs/{os.path.basename(path)} {folder}/{os.path.basename(path)}'
                            for path, folder in PROGRAMS.items())
        console.link.sendall(b'until systemctl -q is-active pbotvm-guest; do sleep 1; done; mkdir /run/programs && '
                             b'tar -xf /dev/vdb -C /run/programs && ' + binds.encode() +
                             b' && systemctl restart pbotvm-guest && echo exchan""ged\n')
        console.wait_for('exchanged', 180)

    def wait_for_answer(self):
        request = {'lang': 'sh', 'sourcefile': 'prog.sh', 'execfile': 'prog.sh', 'cmdline': 'sh prog.sh', 'code': 'echo here',
                   'input': '', 'arguments': '', 'date': int(time.time())}
        for _ in range(20):
            try:
                if wire.ask(self.where, request, 'chunks', 15) == 'here\n':
                    return
            except OSError:
                time.sleep(1)
        raise SystemExit(f'answers: the guest of {self.folder} does not answer within 300 s')

    def monitor(self, command):
        """Returns when it is done; QEMU says what is wrong."""
        said = b''
        with socket.socket(socket.AF_UNIX) as link:
            link.settimeout(WAIT)
            link.connect(f'{self.outside}/monitor')
            link.sendall(command.encode() + b'\n')
            # Once when it greets, once behind the command.
            while said.count(b'(qemu) ') < 2:
                chunk = link.recv(65536)
                if not chunk:
                    break
                said += chunk
        if b'Error' in said:
            raise SystemExit(f'answers: {command}: {said.decode(errors="replace")}')

    def save(self):
        self.monitor('savevm answers')

    def revert(self):
        self.monitor('loadvm answers')

    def stop(self):
        if self.qemu:
            self.lab.on('pkill', '-f', f'{self.folder}/disk', check=False)
            self.qemu.wait(30)
        shutil.rmtree(self.outside, ignore_errors=True)
