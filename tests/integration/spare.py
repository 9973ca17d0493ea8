# SPDX-License-Identifier: LGPL-2.1-or-later
"""A fresh Debian under systemd-nspawn that plays a machine of somebody else's, to be thrown away: systemd as PID 1, a
network of its own that leads nowhere, and packages to install that lie in it.

Its changes go into a layer over a tree that is kept. Mounts are in a namespace of their own, and its cgroups in one
of their own as well, since two systemds in one would end each other's services."""

import contextlib
import glob
import hashlib
import os
import signal
import subprocess
import time

TOP = os.path.dirname(os.path.dirname(os.path.dirname(os.path.realpath(__file__))))
CACHE = os.environ.get('PBOTVM_CACHE', '/var/cache/pbotvm')
BOOTSTRAP = os.path.join(TOP, 'guest/image/bootstrap')
HOOK = os.path.join(TOP, 'tests/lib/spare-tree.sh')

REBOOTED = 133

# In a mount namespace of its own: a layer over the tree (a copy, where there are no overlays), and systemd in it.
BOOT = r'''
set -e
lower=$1 layer=$2 name=$3
for cgroup in $4; do echo $$ >"$cgroup/cgroup.procs"; done
mkdir -p "$layer/upper" "$layer/work" "$layer/root"
mount -t overlay spare -o "lowerdir=$lower,upperdir=$layer/upper,workdir=$layer/work" "$layer/root" || {
        [ -d "$layer/root/usr" ] || cp -a "$lower/." "$layer/root"
}
export SYSTEMD_NSPAWN_UNIFIED_HIERARCHY=1
exec systemd-nspawn --directory="$layer/root" --boot --register=no --keep-unit --console=read-only \
        --machine="$name" --private-network --capability=all --resolv-conf=off --timezone=off --link-journal=no \
        --kill-signal=SIGRTMIN+3
'''


def make_tree(packages):
    """The path of a tree in which these packages can be installed, made if it is not there."""
    digest = hashlib.sha256(repr(sorted(packages)).encode())
    for path in (BOOTSTRAP, HOOK):
        with open(path, 'rb') as file:
            digest.update(file.read())
    tree = f'{CACHE}/spare/tree-{digest.hexdigest()[:16]}'
    if not os.path.isdir(tree):
        os.makedirs(os.path.dirname(tree), exist_ok=True)
        done = subprocess.run([BOOTSTRAP, 'bookworm', tree, 'systemd,systemd-sysv,dbus', HOOK],
                              env={**os.environ, 'PACKAGES': ' '.join(sorted(packages))}, text=True, check=False,
                              stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
        if done.returncode != 0:
            raise AssertionError(f'no tree: {done.stdout[-500:]}')
    return tree


def own_cgroups(name):
    """A new cgroup below that of this process in each hierarchy that systemd knows of."""
    made = []
    with open('/proc/self/cgroup', encoding='ascii') as file:
        paths = {line.split(':')[1]: line.strip().split(':', 2)[2] for line in file}
    with open('/proc/self/mounts', encoding='utf-8') as file:
        for line in file:
            _, where, kind, options = line.split()[:4]
            names = options.split(',')
            controller = '' if kind == 'cgroup2' else 'name=systemd'
            if (kind == 'cgroup2' or kind == 'cgroup' and controller in names) and controller in paths:
                made.append(f'{where}{paths[controller].rstrip("/")}/{name}')
    for path in made:
        for left in left_behind(f'{os.path.dirname(path)}/spare-*'):
            forget_cgroup(left)
        os.makedirs(path, exist_ok=True)
    return made


def left_behind(pattern):
    """What is named after a process that is no more: it was killed before it could clean up."""
    return [path for path in glob.glob(pattern) if not os.path.exists(f'/proc/{path.rpartition("-")[2]}')]


def forget_cgroup(path):
    """With whatever still runs in it."""
    deadline = time.monotonic() + 10
    while (pids := processes(path)) and time.monotonic() < deadline:
        for pid in pids:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        time.sleep(0.1)
    subprocess.run(['find', path, '-depth', '-type', 'd', '-exec', 'rmdir', '{}', ';'], stderr=subprocess.DEVNULL,
                   check=False)


def processes(path):
    pids = []
    for name in glob.glob(f'{glob.escape(path)}/**/cgroup.procs', recursive=True):
        with contextlib.suppress(OSError), open(name, encoding='ascii') as file:
            pids += map(int, file.read().split())
    return [pid for pid in pids if pid > 0]


def forget(path):
    subprocess.run(['rm', '-rf', '--one-file-system', path], check=False)


class Spare:
    def __init__(self, packages):
        self.lower = make_tree(packages)
        self.name = f'spare-{os.getpid()}'
        self.cgroups = own_cgroups(self.name)
        folder = os.path.dirname(self.lower)
        self.layer = f'{folder}/layer-{os.getpid()}'
        for left in left_behind(f'{folder}/layer-*'):
            forget(left)
        os.makedirs(self.layer)
        self.keeper = None

    def start(self):
        with open(f'{self.layer}/console', 'w', encoding='utf-8') as console:
            self.keeper = subprocess.Popen(
                ['setpriv', '--pdeathsig', 'TERM', 'unshare', '--mount', '--propagation', 'private',
                 'sh', '-c', BOOT, 'boot', self.lower, self.layer, self.name, ' '.join(self.cgroups)],
                stdin=subprocess.DEVNULL, stdout=console, stderr=subprocess.STDOUT, start_new_session=True)
        self.wait_booted()

    def leader(self):
        """Its systemd as this machine numbers it: the only child of systemd-nspawn."""
        done = subprocess.run(['pgrep', '-P', str(self.keeper.pid), '-x', 'systemd'], stdout=subprocess.PIPE, text=True,
                              check=False)
        return int(done.stdout) if done.returncode == 0 else None

    def wait_booted(self):
        """Until all that starts by itself has."""
        deadline = time.monotonic() + 90
        while time.monotonic() < deadline and self.keeper.poll() is None:
            if self.leader() and self.has_booted():
                return
            time.sleep(0.2)
        with open(f'{self.layer}/console', encoding='utf-8', errors='replace') as console:
            raise AssertionError(f'it does not boot: {console.read()[-500:]}')

    def has_booted(self):
        try:
            return self.shell('systemctl is-system-running', check=False).strip() in ('running', 'degraded')
        except AssertionError:  # it has gone meanwhile
            return False

    def reboot(self):
        """Without a unit of its own systemd-nspawn ends by a certain status, and is to be started again."""
        self.shell('systemctl reboot', check=False)
        status = self.keeper.wait(60)
        if status != REBOOTED:
            raise AssertionError(f'it ended with status {status} where it should boot again')
        self.start()

    def run(self, *command, timeout=240):
        """Its status and what it said, on both outputs."""
        leader = self.leader()
        if not leader:
            raise AssertionError('it does not run')
        done = subprocess.run(
            ['nsenter', '--target', str(leader), '--all', '--', 'env', '-C', '/', '-i', 'LANG=C.UTF-8', 'HOME=/root',
             'PATH=/usr/sbin:/usr/bin:/sbin:/bin', *command], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT, text=True, errors='replace', check=False, timeout=timeout)
        return done.returncode, done.stdout

    def shell(self, script, check=True, **options):
        status, said = self.run('sh', '-c', script, **options)
        if check and status != 0:
            raise AssertionError(f'{script}: status {status}: {said[-400:]}')
        return said

    def root(self):
        """Its files as its own processes see them."""
        return f'/proc/{self.leader()}/root'

    def remove(self):
        if self.keeper and self.keeper.poll() is None:
            self.keeper.send_signal(signal.SIGTERM)
            try:
                self.keeper.wait(30)
            except subprocess.TimeoutExpired:
                self.keeper.kill()
                self.keeper.wait()
        for path in self.cgroups:
            forget_cgroup(path)
        forget(self.layer)
