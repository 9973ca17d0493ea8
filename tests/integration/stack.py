# SPDX-License-Identifier: LGPL-2.1-or-later
"""What the tests of the whole way share: clients of port 9000, the host that the services run on, its guest.

A test file defines functions test_NAME() and calls run(globals()). Each prints one line, "ok NAME SECONDS" or
"FAIL NAME SECONDS: WHY". One that runs out of time is tried once more, since the machine may have been too busy, and
says so; any other failure is one. PBOTVM_FULL in the environment asks for the larger scale."""

import json
import os
import re
import socket
import subprocess
import sys
import time
import traceback

TOP = os.path.dirname(os.path.dirname(os.path.dirname(os.path.realpath(__file__))))
LAB = os.path.join(TOP, 'tests/lib/lab')
FULL = bool(os.environ.get('PBOTVM_FULL'))
DOMAIN = 'pbot-vm'
LIBVIRT = ('libvirtd.service', 'libvirtd.socket', 'libvirtd-ro.socket', 'libvirtd-admin.socket')


def scale(plain, full):
    return full if FULL else plain


# --- Clients.

def ask(line, port=9000, timeout=90, address='127.0.0.1'):
    """Sends a line (text, or an object that becomes JSON) and returns all that comes back."""
    if not isinstance(line, (str, bytes)):
        line = json.dumps(line)
    if isinstance(line, str):
        line = line.encode()
    with socket.create_connection((address, port), 10) as link:
        link.settimeout(timeout)
        link.sendall(line + b'\n')
        got = b''
        while chunk := link.recv(65536):
            got += chunk
    return got.decode('utf-8', 'replace')


def ask_timed(line, **options):
    started = time.monotonic()
    return ask(line, **options), time.monotonic() - started


def echo(word, **options):
    """A request whose answer cannot be anybody else's."""
    return ask(f'-lang=sh echo {word}', **options).strip()


# --- The host.

def on(*command, check=True, timeout=60, stdin=None):
    """Runs a command on the host of the services and returns its output."""
    done = subprocess.run([LAB, 'exec', *command], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
                          check=False, timeout=timeout, input=stdin)
    if check and done.returncode != 0:
        raise AssertionError(f'{" ".join(command)}: status {done.returncode}: {done.stderr.strip()[-300:]}')
    return done.stdout


def shell(script, **options):
    return on('sh', '-c', script, **options)


def lab(*command, check=True):
    """What tests/lib/lab says. LAB_HOST in the environment makes it another host, for all that is here."""
    return subprocess.run([LAB, *command], stdout=subprocess.PIPE, text=True, check=check).stdout.strip()


def live():
    """Where the host's files are, as its own processes see them."""
    return lab('live')


def root():
    return lab('root')


def journal(*match, since=None, fields=None):
    """Entries of the host's journal as objects."""
    command = ['journalctl', '-q', '-o', 'json', '--all', *match]
    if since:
        command.append(f'--since=@{since:.3f}')
    if fields:
        command.append(f'--output-fields={fields}')
    return [json.loads(line) for line in on(*command).splitlines() if line.startswith('{')]


def reasons(since):
    """Of the reverts that were begun since then, in the watchdog's words."""
    return [entry['PBOTVM_REASON'] for entry in journal('MESSAGE_ID=6f1c4a0d5b0e4c7d9a3f2f8f6f0b1a06', since=since)]


def sysrq(key):
    """The host's keyboard reaches the guest's kernel, whatever its programs do."""
    on('virsh', '-q', 'send-key', DOMAIN, 'KEY_LEFTALT', 'KEY_SYSRQ', f'KEY_{key}')


def reboot():
    """It goes down, and is started again as a machine would start again by itself. How long it took to go down."""
    started = time.monotonic()
    on('systemctl', 'reboot', check=False)
    wait_until('it goes down', lambda: subprocess.run([LAB, 'running'], check=False).returncode != 0, 60)
    down = time.monotonic() - started
    lab('start')
    return down


def main_pid(unit):
    return int(on('systemctl', 'show', '-P', 'MainPID', unit))


def qemu_pid():
    return int(shell(f'cat /run/libvirt/qemu/{DOMAIN}.pid'))


def time_limit():
    """PBOTVM_TIMEOUT of the services, seconds."""
    found = re.search(r'^PBOTVM_TIMEOUT=(\d+)', shell('cat /etc/default/pbotvm'), re.M)
    return int(found.group(1)) if found else 10


def machine(name=DOMAIN):
    """The properties of a machine as the watchdog tells them."""
    text = on('busctl', '--json=short', 'call', 'org.pbot.VM1', f'/org/pbot/VM1/machine/{escaped(name)}',
              'org.freedesktop.DBus.Properties', 'GetAll', 's', 'org.pbot.VM1.Machine')
    return {key: value['data'] for key, value in json.loads(text)['data'][0].items()}


def escaped(name):
    return re.sub(r'[^A-Za-z0-9]', lambda found: f'_{ord(found.group()):02x}', name)


class OutOfTime(AssertionError):
    """Something did not happen in time."""


def wait_until(what, condition, seconds=60, step=0.2):
    """Waits until condition() is true and returns what it returned."""
    deadline = time.monotonic() + seconds
    while True:
        try:
            if found := condition():
                return found
        except (AssertionError, OSError, KeyError, ValueError):
            pass
        if time.monotonic() >= deadline:
            raise OutOfTime(f'{what}: not within {seconds} s')
        time.sleep(step)


def wait_ready(seconds=90):
    return wait_until('the machine is ready', lambda: machine()['State'] == 'ready', seconds)


# --- Checks.

def equal(got, expected, what=''):
    if got != expected:
        raise AssertionError(f'{what + ": " if what else ""}expected {short(expected)}, got {short(got)}')


def true(condition, what):
    if not condition:
        raise AssertionError(what)


def short(value, width=300):
    text = repr(value)
    return text if len(text) <= width else f'{text[:width]}... ({len(text)})'


# --- Running.

def tried(test):
    """Why it failed, in one line, or nothing; and whether it only ran out of time."""
    try:
        test()
    except AssertionError as error:
        return str(error).strip().replace('\n', ' | ') or 'an assertion', isinstance(error, OutOfTime)
    except Exception as error:  # pylint: disable=broad-except
        return traceback.format_exc().strip().replace('\n', ' | '), isinstance(error, (TimeoutError, subprocess.TimeoutExpired))
    return '', False


def again(test, settle):
    try:
        settle()
    except (AssertionError, OSError):
        pass
    return tried(test)[0]


def run(names, settle=lambda: wait_ready(120)):
    """Runs the functions test_*, in the order in which they are written; those named on the command line alone if
    there are any. One that failed is tried again when settle() is over."""
    tests = {name[5:]: function for name, function in names.items() if name.startswith('test_')}
    wanted = sys.argv[1:] or list(tests)
    prefix = os.path.basename(sys.argv[0]).removeprefix('test-').removesuffix('.py')
    bad = 0

    for name in wanted:
        started = time.monotonic()
        first, late = tried(tests[name])
        why = again(tests[name], settle) if late else first
        took = time.monotonic() - started
        if why:
            bad += 1
            print(f'FAIL {prefix}/{name} {took:.1f}: {why}', flush=True)
        else:
            print(f'ok {prefix}/{name} {took:.1f}{f" (at the second try; first: {first})" if first else ""}', flush=True)

    sys.exit(1 if bad else 0)
