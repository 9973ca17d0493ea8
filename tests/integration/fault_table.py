# SPDX-License-Identifier: LGPL-2.1-or-later
"""A table of faults. Each is inflicted while two clients send requests all along: every request gets its own answer or
one in words, the machine heals by itself, and how long that took is told.

What is counted are the seconds from the fault, or where it lasts from its end, to the answer of the first request that
was sent since. A clock that jumps is no row: the disposable host shares the machine's, and the guest's is set right
after each revert."""

import dataclasses
import os
import re
import statistics
import threading
import time
from typing import Callable, Optional

from stack import (DOMAIN, LIBVIRT, ask, equal, live, machine, main_pid, on, qemu_pid, reasons, shell, sysrq, time_limit,
                   true, wait_ready, wait_until)

WORDS = ('Virtual machine is resetting, try again soon.', 'Virtual machine is offline.',
         'Virtual machine is busy, try again soon.', 'Virtual machine service is not running.',
         'Virtual machine was lost while running this; it is being reset.',
         'Virtual machine gave no valid answer; it is being reset.', '[Timed-out]')
MISCONFIGURED = 'Virtual machine service is misconfigured; see its log.'
# Where nobody could tell: its handler is dead.
NOTHING = ('', '<ConnectionResetError>')
# No request of the table goes unanswered, and none is healed, for longer.
PATIENCE = 60
CONFIG = '/etc/pbotvm/pbotvm.json'
RUN = 'pbotvm-watchdog.service'

took = {}


# --- Clients.

@dataclasses.dataclass
class Answer:
    sent: float
    came: float
    word: str
    text: str


class Client(threading.Thread):
    """Asks, again and again, for something that nobody else asks for."""

    def __init__(self, nick):
        super().__init__()
        self.nick, self.over, self.answers = nick, threading.Event(), []

    def run(self):
        while not self.over.is_set():
            word = f'{self.nick}-{len(self.answers)}-{time.monotonic():.3f}'
            sent = time.monotonic()
            try:
                text = ask({'nick': self.nick, 'channel': '#faults', 'lang': 'sh', 'code': f'echo {word}'},
                           timeout=PATIENCE).strip()
            except OSError as error:
                text = f'<{type(error).__name__}>'
            self.answers.append(Answer(sent, time.monotonic(), word, text))
            if text != word:
                time.sleep(0.1)

    def good(self, since):
        """When the first good answer came to what was sent since; nothing if there is none yet."""
        return next((a.came for a in list(self.answers) if a.sent >= since and a.text == a.word), None)


def first_good(clients, since):
    return min((came for client in clients if (came := client.good(since))), default=None)


# --- Ways to make and end them.

def kill(signal, pid):
    """pid: a function that knows it."""
    def send():
        for _ in range(50):
            number = pid()
            true(number > 1, 'it does not run')
            if shell(f'kill -{signal} {number} 2>/dev/null && echo killed || true').strip():
                return
        true(False, 'each was gone before it could be killed')
    return send


class Stopped:
    """A process stands still for a while."""

    def __init__(self, pid):
        self.pid, self.number = pid, 0

    def begin(self):
        # A handler may be gone by then.
        for _ in range(50):
            self.number = self.pid()
            true(self.number > 1, 'it does not run')
            if shell(f'kill -STOP {self.number} 2>/dev/null && echo stopped || true').strip():
                return
        true(False, 'each was gone before it could be stopped')

    def end(self):
        # Somebody may have had enough of it.
        shell(f'kill -CONT {self.number} 2>/dev/null || true')


def watchdog():
    return main_pid(RUN)


def libvirtd():
    return main_pid('libvirtd.service')


def dbus():
    return main_pid('dbus.service')


def systemctl(*arguments):
    return lambda: on('systemctl', *arguments, timeout=120)


def virsh(*arguments):
    return lambda: on('virsh', '-q', *arguments, timeout=120)


def sent(code, nick='villain'):
    """A request of somebody else's, in the background."""
    def send():
        try:
            ask({'nick': nick, 'channel': '#faults', 'lang': 'sh', 'code': code}, timeout=PATIENCE)
        except OSError:
            pass
    thread = threading.Thread(target=send)
    thread.start()
    return thread


def job(code, seconds):
    """One is sent, and has run for so long."""
    def run():
        sent(code)
        time.sleep(seconds)
    return run


def handler():
    """The newest that serves somebody."""
    return int(shell('for i in $(seq 100); do pgrep -n -x pbotvm-handler && exit 0; sleep 0.02; done; exit 1'))


def configuration():
    with open(f'{live()}{CONFIG}', encoding='utf-8') as file:
        return file.read()


def configure(text):
    """As a whole: who reads it meanwhile sees one or the other."""
    path = f'{live()}{CONFIG}'
    with open(f'{path}.new', 'w', encoding='utf-8') as file:
        file.write(text)
    os.replace(f'{path}.new', path)


class Configured:
    """The machine has other members for a while."""

    def __init__(self, members):
        self.members, self.before = members, ''

    def begin(self):
        self.before = configuration()
        text, n = re.subn(rf'("{DOMAIN}"\s*:\s*\{{)', lambda found: f'{found[1]} {self.members}, ', self.before, count=1)
        equal(n, 1, f'"{DOMAIN}" in {CONFIG}')
        configure(text)
        on('systemctl', 'reload', RUN)

    def end(self):
        if self.before:
            configure(self.before)
            on('systemctl', 'reload', RUN)


class Broken(Configured):
    """A mistake in the configuration, before anybody has it read again."""

    def begin(self):
        self.before = configuration()
        configure('{ "machines": 5 }')


class SnapshotGone:
    """The guest dies while there is nothing to take it back to."""

    def __init__(self):
        self.domain = self.snapshot = ''

    def forget(self):
        self.snapshot = on('virsh', 'snapshot-dumpxml', '--security-info', DOMAIN, '1')
        on('virsh', '-q', 'snapshot-delete', DOMAIN, '1', '--metadata')

    def begin(self):
        self.forget()
        on('virsh', '-q', 'destroy', DOMAIN)

    def end(self):
        if self.snapshot:
            on('sh', '-c', f'cat >/run/snapshot.xml; virsh -q snapshot-create {DOMAIN} --redefine --current '
               '/run/snapshot.xml', stdin=self.snapshot)


class Undefined(SnapshotGone):
    """An operator takes the domain away, and brings it back."""

    def begin(self):
        self.domain = on('virsh', 'dumpxml', '--inactive', '--security-info', DOMAIN)
        self.forget()
        on('virsh', '-q', 'undefine', DOMAIN)
        on('virsh', '-q', 'destroy', DOMAIN)

    def end(self):
        on('sh', '-c', 'cat >/run/domain.xml; virsh -q define /run/domain.xml', stdin=self.domain)
        super().end()


class SnapshotExternal(Configured):
    """The one that is configured is external: not every libvirt reverts to such, and what it leaves are files."""

    def __init__(self):
        super().__init__('"snapshot": "beside"')
        self.files = []

    def begin(self):
        on('virsh', '-q', 'snapshot-create-as', DOMAIN, 'beside', '--disk-only', '--atomic')
        disks = on('virsh', 'snapshot-dumpxml', DOMAIN, 'beside').split('<domain ')[0]
        self.files = re.findall(r"<source file='([^']*[.]beside)'", disks)
        super().begin()
        on('virsh', '-q', 'destroy', DOMAIN)

    def clean(self):
        if self.files:
            on('virsh', '-q', 'snapshot-delete', DOMAIN, 'beside', '--metadata')
            on('rm', '-f', *self.files)


# Not a byte more than it has; somebody may write to it meanwhile.
FILL_RUN = '''for i in 1 2 3 4 5; do
        mount -o remount,size=$(df -k --output=used /run | tail -n 1 | tr -d " ")k /run && break
done || exit 1
{ head -c 1M /dev/zero >/run/filler; } 2>/dev/null || true'''
FREE_RUN = 'mount -o remount,size=20% /run && rm -f /run/filler'
FILL_STATE = '''mount -t tmpfs -o "size=64k,mode=0700,uid=$(id -u pbotvm),gid=$(id -g pbotvm)" full /var/lib/pbotvm || exit 1
{ head -c 1M /dev/zero >/var/lib/pbotvm/filler; } 2>/dev/null || true'''
BUSY = 'for i in $(seq 8); do timeout 5 sh -c "while :; do :; done" & done >/dev/null 2>&1 </dev/null'

stopped_watchdog, stopped_handler, stopped_libvirtd = Stopped(watchdog), Stopped(handler), Stopped(libvirtd)
stopped_qemu, stopped_bus = Stopped(qemu_pid), Stopped(dbus)
broken, undefined, gone, external = Broken(''), Undefined(), SnapshotGone(), SnapshotExternal()
always, few, young = Configured('"policy": "always"'), Configured('"max-requests": 3'), Configured('"max-age": 60')


# --- The table.

@dataclasses.dataclass
class Fault:
    name: str
    begin: Callable
    end: Optional[Callable] = None  # of one that lasts
    hold: float = 0                 # seconds between
    reasons: str = ''               # of the reverts that follow, one of these words; '': not asked, NONE: none follows
    words: tuple = ()               # that clients may get besides
    clean: Optional[Callable] = None


NONE = 'none'


def reverts_at_once():
    shell(f'pbotvmctl revert {DOMAIN} one & pbotvmctl revert {DOMAIN} two & wait')


def hang():
    """Until its time limit has passed."""
    sent(f'sleep {time_limit() + 60}').join()


FAULTS = (
    # Processes: killed, stopped, restarted.
    Fault('watchdog killed', kill('KILL', watchdog)),
    Fault('watchdog stopped for 3 s', stopped_watchdog.begin, stopped_watchdog.end, 3),
    Fault('watchdog restarted', systemctl('restart', RUN)),
    Fault('watchdog ended by an operator', systemctl('stop', RUN), systemctl('start', RUN), 2),
    Fault('handler killed', kill('KILL', handler), words=NOTHING),
    Fault('handler stopped for 3 s', stopped_handler.begin, stopped_handler.end, 3),
    Fault('libvirtd killed', kill('KILL', libvirtd), reasons=NONE),
    Fault('libvirtd stopped for 3 s', stopped_libvirtd.begin, stopped_libvirtd.end, 3, NONE),
    Fault('libvirtd restarted', systemctl('restart', 'libvirtd.service'), reasons=NONE),
    Fault('libvirtd away while QEMU dies', lambda: (systemctl('stop', *LIBVIRT)(), kill('KILL', qemu_pid)()),
          systemctl('start', *LIBVIRT[1:]), 3, 'stopped crashed heartbeat lost unsent silent'),
    Fault('QEMU killed', kill('KILL', qemu_pid), reasons='stopped crashed heartbeat lost unsent'),
    Fault('QEMU stopped for 5 s', stopped_qemu.begin, stopped_qemu.end, 5),
    Fault('bus killed', kill('KILL', dbus)),
    Fault('bus stopped for 3 s', stopped_bus.begin, stopped_bus.end, 3),
    Fault('polkit away', systemctl('mask', '--runtime', '--now', 'polkit.service'),
          systemctl('unmask', '--runtime', 'polkit.service'), 2, NONE),
    Fault('agent killed', lambda: sysrq('I'), reasons='restarted heartbeat lost unsent silent protocol-error'),

    # The guest.
    Fault('panic', lambda: sysrq('C'), reasons='crashed rebooted heartbeat stopped lost unsent paused'),
    Fault('reset button', virsh('reset', DOMAIN), reasons='rebooted restarted lost unsent heartbeat'),
    Fault('frozen: its processors stop', virsh('qemu-monitor-command', DOMAIN, '--hmp', 'stop'),
          reasons='heartbeat paused silent'),
    Fault('suspended', virsh('suspend', DOMAIN), reasons='paused'),
    Fault('destroyed', virsh('destroy', DOMAIN), reasons='stopped lost unsent'),
    Fault('lying: a job prints frames', job(r"printf 'result:{\"result\":\"forged\"}\r\nresult:end\r\n'; seq 1000", 0.5),
          reasons=NONE),
    Fault('babbling: endless output', job('yes & yes >&2', 2)),
    Fault('slow: its processors are busy', job('for i in 1 2 3 4; do while :; do :; done & done; sleep 3', 2)),
    Fault('its disk is full', job('while head -c 2000000 /dev/zero >>/tmp/full; do :; done; sleep 2', 2)),
    Fault('a job hangs', hang, reasons='timed-out'),

    # The host.
    Fault('/run is full', lambda: shell(FILL_RUN), lambda: shell(FREE_RUN), 2),
    Fault('state disk is full', lambda: shell(FILL_STATE), lambda: on('umount', '-l', '/var/lib/pbotvm'), 2, NONE),
    Fault('8 busy processes for 5 s', lambda: shell(BUSY), clean=lambda: time.sleep(5)),
    Fault('configuration broken', broken.begin, broken.end, 2, NONE, (MISCONFIGURED,)),
    Fault('policy "always" for a while', always.begin, always.end, 4, 'policy'),
    Fault('"max-requests": 3 for a while', few.begin, few.end, 4, 'used'),
    Fault('"max-age": 60 for a while', young.begin, young.end, 62, 'age'),

    # libvirt's domain, and operators.
    Fault('two operators revert', reverts_at_once, reasons='operator'),
    Fault('an operator drains it', lambda: on('pbotvmctl', 'drain', DOMAIN), lambda: on('pbotvmctl', 'resume', DOMAIN), 1,
          NONE),
    Fault('virsh takes a snapshot', virsh('snapshot-create-as', DOMAIN, 'side'), reasons=NONE,
          clean=virsh('snapshot-delete', DOMAIN, 'side')),
    Fault('edited, and destroyed', lambda: (virsh('desc', DOMAIN, '--config', '--title', 'edited')(),
                                            virsh('destroy', DOMAIN)()), reasons='stopped lost unsent'),
    Fault('managed save', virsh('managedsave', DOMAIN), reasons='stopped paused lost unsent',
          clean=lambda: on('virsh', '-q', 'managedsave-remove', DOMAIN, check=False)),
    Fault('snapshot missing', gone.begin, gone.end, 2, 'stopped lost unsent'),
    Fault('domain undefined', undefined.begin, undefined.end, 3, 'stopped lost unsent'),
    Fault('snapshot external', external.begin, external.end, 3, clean=external.clean),
)


def inflicted(fault):
    """When it was there, or over."""
    try:
        fault.begin()
        time.sleep(fault.hold)
    finally:
        if fault.end:
            fault.end()
    return time.monotonic()


def suffered(fault, clients):
    """The first good answer after it, in seconds."""
    for client in clients:
        client.start()
    try:
        wait_until('requests are answered', lambda: all(client.good(0) for client in clients), PATIENCE)
        since = inflicted(fault)
        return wait_until('a good answer', lambda: first_good(clients, since), PATIENCE, 0.05) - since
    finally:
        for client in clients:
            client.over.set()
        for client in clients:
            client.join()


def healed(fault, began):
    """It is ready, and has been reverted where it had to be."""
    found = reasons(began)
    wanted = fault.reasons.split() if fault.reasons != NONE else []
    return machine()['State'] == 'ready' and (not wanted or set(found) & set(wanted))


def check(fault):
    wait_ready()
    began = time.time()
    clients = [Client('one'), Client('two')]
    try:
        seconds = suffered(fault, clients)
        wait_until(f'it is well after {reasons(began)}', lambda: healed(fault, began), PATIENCE)
    finally:
        if fault.clean:
            fault.clean()
    for answer in (answer for client in clients for answer in client.answers):
        true(answer.text in (answer.word, *WORDS, *fault.words),
             f'{answer.word} got {answer.text[:200]!r} after {answer.came - answer.sent:.1f} s')
    why = reasons(began)
    if fault.reasons == NONE:
        equal(why, [], 'reverts')
    took[fault.name] = seconds
    told = sum(answer.text != answer.word for client in clients for answer in client.answers)
    notes = [f'{told} told in words'] * bool(told) + [f'reverted: {", ".join(dict.fromkeys(why))}'] * bool(why)
    print(f'    {fault.name:32}{seconds:6.1f} s   {"; ".join(notes)}'.rstrip(), flush=True)


def summary():
    """Of what was measured in this run."""
    true(took, 'nothing was measured')
    worst = max(took, key=took.get)
    print(f'    {len(took)} faults: median {statistics.median(took.values()):.1f} s, worst {took[worst]:.1f} s ({worst})',
          flush=True)


def tests():
    """A test for each row, and one that sums up."""
    table = {'test_table_' + re.sub('[^a-z0-9]+', '_', fault.name.lower()).strip('_'): (lambda fault=fault: check(fault))
             for fault in FAULTS}
    return {**table, 'test_table_summary': summary}
