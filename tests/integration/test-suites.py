#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""A guest of each released Debian that is newer than this machine's, which the other tests have: its kernel boots, and the
agent, built on this machine, runs shells, scripts and C with its tools."""

import os
import shutil
import subprocess
import sys
import time

from second_guest import EMULATED, end, kernel
from stack import LAB, TOP, live, run, shell, true

sys.path.insert(0, os.path.join(TOP, 'guest/image'))
import suites

FOLDER = '/var/tmp/pbotvm-suite'
LANGUAGES = ('sh', 'bash', 'perl', 'python3', 'c2x')


def image(suite):
    made = subprocess.run([f'{TOP}/guest/image/build', '--suite', suite, '--profile', 'small', '--add', 'c2x'],
                          stdout=subprocess.PIPE, text=True, check=True)
    return made.stdout.strip().removesuffix('.qcow2')


def boot(made):
    """A guest of this image in the host of the services, with the agent's two channels."""
    folder = live() + FOLDER
    shell(f'rm -rf {FOLDER}; mkdir -p {FOLDER}')
    for ending in ('kernel', 'initrd', 'qcow2'):
        subprocess.run(['cp', '--sparse=always', f'{made}.{ending}', f'{folder}/guest.{ending}'], check=True)
    ports = [('d', 'data', 'org.pbot.vm.0'), ('h', 'heart', 'org.pbot.vm.heartbeat')]
    return subprocess.Popen(
        [LAB, 'exec', *EMULATED, *kernel(f'{FOLDER}/guest', 'panic=-1'),
         '-drive', f'file={FOLDER}/guest.qcow2,if=virtio,snapshot=on', '-serial', f'file:{FOLDER}/console',
         '-device', 'virtio-serial-pci', '-device', 'virtio-rng-pci',
         *(word for name, path, port in ports for word in
           ('-chardev', f'socket,id={name},path={FOLDER}/{path},server=on,wait=off',
            '-device', f'virtserialport,chardev={name},name={port}'))],
        stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)


def console():
    try:
        with open(f'{live()}{FOLDER}/console', encoding='utf-8', errors='replace') as file:
            return file.read()[-300:]
    except OSError:
        return ''


def boots_and_answers(suite):
    qemu = boot(image(suite))
    try:
        started = time.monotonic()
        done = subprocess.run([f'{TOP}/guest/image/warm', '--heart', f'{live()}{FOLDER}/heart', '--wait', '180', '--data',
                               f'{live()}{FOLDER}/data', *LANGUAGES], stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                              text=True, check=False, timeout=600)
        print(f'    {suite}: {time.monotonic() - started:.0f} s\n{done.stdout}', file=sys.stderr, flush=True)
        true(done.returncode == 0, f'{done.stdout!r}, qemu {qemu.poll()}, console {console()!r}')
    finally:
        end(qemu, f'{FOLDER}/guest.qcow2')
        shutil.rmtree(live() + FOLDER, ignore_errors=True)


if __name__ == '__main__':
    run({f'test_{suite}': lambda suite=suite: boots_and_answers(suite) for suite in suites.newer(suites.own())})
