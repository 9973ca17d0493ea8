# SPDX-License-Identifier: LGPL-2.1-or-later
"""A second guest of the same image, beside the one that the services use: booted for one test, with a shell of root on
its console and the serial lines of the guide, its second and third, on TCP ports of 127.0.0.1."""

import base64
import contextlib
import io
import os
import re
import shlex
import socket
import subprocess
import tarfile
import time

from stack import DOMAIN, LAB, TOP, live, on, shell, true

FOLDER = '/var/tmp/pbotvm-second-guest'
# QEMU without KVM, and without a device that is not named.
EMULATED = ('qemu-system-x86_64', '-machine', 'pc,accel=tcg', '-cpu', 'max', '-m', '1024', '-nodefaults', '-display', 'none',
            '-no-reboot')
STEM = f'/var/lib/libvirt/images/{DOMAIN}'
SERIAL_PORT, HEART_PORT = 5655, 5656


def kernel(stem, *words):
    """QEMU's options for the kernel of an image, with these words on its command line too."""
    line = ('root=/dev/vda', 'console=ttyS0', 'quiet', *words,
            'systemd.setenv=PBOTVM_GUEST_CONFIG=/etc/pbotvm/guest-emulated.json')
    return '-kernel', f'{stem}.kernel', '-initrd', f'{stem}.initrd', '-append', ' '.join(line)


def end(qemu, disk):
    """Ends the one QEMU in the host of the services that has this disk."""
    on('pkill', '-f', disk, check=False)
    qemu.wait(30)


def credential(secret):
    """QEMU's option for a secret, as libvirt makes it of the manual's lines."""
    with open(f'{TOP}/man/pbotvm.json.5', encoding='utf-8') as file:
        lines = re.search("<sysinfo type='fwcfg'>.*?</sysinfo>", file.read(), re.S).group()
    lines = re.sub("file='[^']+'", f"file='{FOLDER}/secret'", lines)
    domain = subprocess.run([f'{TOP}/guest/image/domain', '--image', STEM, '--type', 'qemu'], stdout=subprocess.PIPE,
                            check=True, text=True).stdout
    for name, text in (('secret', secret), ('domain.xml', domain.replace('<devices>', f'{lines}<devices>', 1))):
        with open(os.open(f'{live()}{FOLDER}/{name}', os.O_WRONLY | os.O_CREAT, 0o600), 'w', encoding='utf-8') as file:
            file.write(text)
    words = shlex.split(on('virsh', 'domxml-to-native', 'qemu-argv', '--xml', f'{FOLDER}/domain.xml'))
    at = words.index('-fw_cfg')
    return words[at:at + 2]


def boot(port, secret):
    # The layer over the guest's disk is made here: the host of the services has no tool for it.
    folder = live() + FOLDER
    shell(f'rm -rf {FOLDER}; mkdir -p {FOLDER}')
    subprocess.run(['qemu-img', 'create', '-q', '-u', '-f', 'qcow2', '-b', f'{STEM}.qcow2', '-F', 'qcow2',
                    f'{folder}/disk', '10G'], check=True)
    return subprocess.Popen(
        [LAB, 'exec', *EMULATED, *kernel(STEM, 'systemd.debug_shell=ttyS0'),
         '-blockdev', f'driver=file,filename={STEM}.qcow2,node-name=below,read-only=on,locking=off',
         '-blockdev', 'driver=qcow2,file=below,node-name=base,read-only=on',
         '-blockdev', f'driver=qcow2,node-name=disk,file.driver=file,file.filename={FOLDER}/disk,backing=base',
         '-device', 'virtio-blk-pci,drive=disk',
         '-chardev', f'socket,id=c,path={FOLDER}/console,server=on,wait=off', '-serial', 'chardev:c', '-serial', 'null',
         '-serial', f'tcp:127.0.0.1:{SERIAL_PORT},server=on,wait=off',
         '-serial', f'tcp:127.0.0.1:{HEART_PORT},server=on,wait=off',
         *(('-device', 'virtio-serial-pci', '-chardev', f'socket,id=p,path={FOLDER}/port,server=on,wait=off',
            '-device', 'virtserialport,chardev=p,name=org.pbot.vm.0') if port else ()),
         *(credential(secret) if secret else ())],
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
def guest(port=False, secret=None):
    """The console of a guest that was just booted; port: it has the agent's virtio-serial port too; secret: and what it
    knows its host by."""
    qemu = boot(port, secret)
    try:
        console = Console(f'{live()}{FOLDER}/console')
        console.wait_for('# ', 120, prod=b'\n')
        yield console
    finally:
        end(qemu, f'{FOLDER}/disk')
        shell(f'rm -rf {FOLDER}')
