# SPDX-License-Identifier: LGPL-2.1-or-later
"""What strangers do to a guest. Each job tries something, prints what came of it, and has a check of the answer."""


class Job:
    """language, code, limits of the request, how many seconds the answer may take, and what must be in it.

    want: texts that the result holds (a list of texts: one of them); never: texts that it must not hold;
    ext: members of the answer's pbotvm object and their values or range; storage: keep a directory by this key."""

    def __init__(self, name, lang, code, want=(), never=(), ext=None, seconds=15, limits=None, key=None, more=None):
        self.name, self.lang, self.code = name, lang, code
        self.want, self.never, self.ext = want, never, ext or {}
        self.seconds, self.limits, self.key, self.more = seconds, limits or {}, key, more or {}


def wall(seconds):
    return {'wall_usec': int(seconds * 1e6)}


SYSCALL = '''
import ctypes, os
libc = ctypes.CDLL(None, use_errno=True)
def call(name, *arguments):
    r = libc.syscall(*[ctypes.c_long(a) if isinstance(a, int) else a for a in arguments])
    print(name, 'worked' if r >= 0 else os.strerror(ctypes.get_errno()))
'''

# The kernel tells of the job's own network, and lets nothing of it be changed; of each four kinds of messages one asks.
NETLINK = '''
import ctypes, errno, os, socket, struct
print('interfaces', *socket.if_nameindex())
addresses = ctypes.c_void_p()
print('getifaddrs', ctypes.CDLL(None).getifaddrs(ctypes.byref(addresses)))
for protocol in range(1, 64):
    for kind in (socket.SOCK_RAW, socket.SOCK_DGRAM):
        try: socket.socket(socket.AF_NETLINK, kind, protocol); print('protocol', protocol, 'worked')
        except OSError as e: pass
link = socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, 0)
link.settimeout(5)
def change(number, body):
    link.send(struct.pack('IHHII', 16 + len(body), number, 0x405, 1, 0) + body)
    error = struct.unpack_from('i', link.recv(4096), 16)[0]
    if error != -errno.EPERM: print('message', number, 'worked' if error == 0 else os.strerror(-error))
loopback = struct.pack('BxHiII', 0, 0, 1, 0, 1)
for number in range(16, 124):
    if number % 4 != 2: change(number, loopback + bytes(48))
change(16, struct.pack('BxHiII', 0, 0, 0, 0, 0) + struct.pack('HHHH5s3x', 16, 18, 10, 1, b'dummy'))
change(20, struct.pack('BBBBI', 2, 8, 0, 0, 1) + struct.pack('HH4s', 8, 2, bytes((10, 0, 0, 1))))
try: link.setsockopt(270, 8, 1); print('all namespaces worked')
except OSError as e: print('all namespaces', e.strerror)
server = socket.create_server(('127.0.0.1', 0))
print('loopback', socket.create_connection(server.getsockname()).getpeername()[0])
'''

JOBS = [
    # Processes
    Job('fork bomb', 'sh', 'f() { f | f & }; echo started; f; sleep 30', want=['started'], limits=wall(4), seconds=8),
    Job('fork bomb in new sessions', 'python3', '''
import os
print('started', flush=True)
while True:
    try:
        if os.fork() == 0:
            os.setsid()
            if os.fork(): os._exit(0)
    except OSError:
        pass
''', want=['started'], limits=wall(4), seconds=8),
    Job('daemon', 'python3', '''
import os, time
if os.fork() == 0:
    os.setsid()
    if os.fork() == 0:
        os.closerange(0, 1000)
        time.sleep(1000)
    os._exit(0)
print('left a daemon')
''', want=['left a daemon'], ext={'exit_status': 0, 'timed_out': False}, seconds=8),
    Job('background job holds the output', 'sh', 'echo now; (sleep 300; echo late) &', want=['now', 'Timed-out'],
        never=['late'], ext={'timed_out': True}, limits=wall(3), seconds=4.5),
    Job('kill -9 -1', 'sh', 'echo before; kill -9 -1; echo after', want=['before'], seconds=8),
    Job('kill the init', 'sh', 'kill -9 1; kill -STOP 1; echo still here; kill -0 2 || echo none', want=['still here']),
    Job('ignores SIGTERM', 'sh', "trap '' TERM INT HUP QUIT; echo deaf; while :; do sleep 1; done", want=['deaf', 'Timed-out'],
        ext={'timed_out': True}, limits=wall(2), seconds=3.5),
    Job('stopped', 'sh', 'echo stopping; kill -STOP $$', want=['stopping', 'Timed-out'], limits=wall(2), seconds=3.5),
    Job('ptrace of what is not its own', 'python3', SYSCALL + '''
os.system('ps -eo pid,user,comm | grep -v -e PID -e ps -e grep')
for pid in (1, os.getppid()):
    call('attach %s' % ('init' if pid == 1 else 'parent'), 101, 16, pid, 0, 0)
try: open('/proc/1/mem', 'rb')
except OSError as e: print('mem', e.strerror)
try: print(os.listdir('/proc/1/fd'))
except OSError as e: print('fd', e.strerror)
''', want=['attach init Operation not permitted', 'mem Permission denied', 'fd Permission denied'],
        never=['pbotvm-guest', 'systemd']),
    Job('limits that it is told of', 'sh', 'ulimit -t; ulimit -u; ulimit -c; stat -c %U /etc', want=['8\n200\n0\nroot\n']),
    Job('priorities', 'python3', '''
import os, resource
for what, f in (('nice', lambda: os.setpriority(os.PRIO_PROCESS, 0, -20)),
                ('realtime', lambda: os.sched_setscheduler(0, os.SCHED_FIFO, os.sched_param(99))),
                ('more processes', lambda: resource.setrlimit(resource.RLIMIT_NPROC, (10**6, 10**6))),
                ('larger files', lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (10**9, 10**9))),
                ('limits of init', lambda: resource.prlimit(1, resource.RLIMIT_NOFILE, (0, 0)))):
    try: f(); print(what, 'worked')
    except (OSError, ValueError) as e: print(what, 'refused')
''', want=['nice refused', 'realtime refused', 'more processes refused', 'larger files refused', 'limits of init refused']),

    # Memory, disk, output
    Job('out of memory later than others', 'sh',
        'echo -900 2>/dev/null >/proc/self/oom_score_adj && echo lowered || echo "lower score refused"',
        want=['lower score refused'], never=['lowered']),
    Job('memory hog', 'python3', '''
print('started', flush=True)
hog = []
while True: hog.append(bytearray(16 << 20))
''', want=['started'], ext={'oom': True, 'max_rss_bytes': range(64 << 20, 101 << 20)},
        limits={'memory_bytes': 100 << 20}, seconds=15),
    Job('endless output', 'sh', 'yes', want=['truncated'], seconds=15),
    Job('endless errors', 'sh', 'yes >&2', want=['truncated'], seconds=15),
    Job('endless output on both', 'sh', 'yes & yes >&2', want=['truncated'], seconds=15),
    Job('a little too much output', 'sh', 'head -c 1500000 /dev/zero | tr "\\0" x', want=['truncated'],
        ext={'exit_status': 0, 'truncated': 1500000 - (1 << 20)}, seconds=15),
    Job('sparse file', 'sh', 'truncate -s 10G big; echo $?; ls -s . | tail -n 1', want=['153\n']),
    Job('full disk', 'sh', 'i=0; while head -c 2000000 /dev/zero >/tmp/$i 2>/dev/null; do i=$((i + 1)); done; '
        'echo $i files; cat /etc/passwd >/tmp/one-more', want=['No space left on device'], limits={'disk_bytes': 20 << 20},
        seconds=20),
    Job('a million files', 'python3', '''
n = 0
try:
    while n < 10**6:
        open('f%d' % n, 'w').close()
        n += 1
except OSError as e: print(n < 10**6, e.strerror)
''', want=['True No space left on device'], limits={'disk_bytes': 16 << 20}, seconds=20),
    Job('deep directories', 'python3', '''
import os
try:
    for i in range(10000):
        os.mkdir('d'); os.chdir('d')
except OSError as e: print(e.strerror)
print('made')
''', want=['made'], limits={'disk_bytes': 4 << 20}, seconds=20),
    Job('descriptors', 'python3', '''
import os
held = []
try:
    while True: held += os.pipe()
except OSError as e: print(len(held) < 2000, e.strerror)
''', want=['True Too many open files']),
    Job('core dump by a pipe', 'sh', 'ulimit -c; grep core /proc/self/limits; cat /proc/sys/kernel/core_pattern',
        want=[' 1 '], never=['|']),
    Job('core dump', 'sh', 'ulimit -c unlimited 2>/dev/null; sh -c "kill -SEGV \\$\\$"; ls; cat /proc/self/limits | grep core',
        never=['core.', 'unlimited']),

    # Files and devices
    Job('links in the job directory', 'python3', '''
import os, subprocess
here = os.getcwd()
os.unlink(os.path.join(here, os.listdir('.')[0]))
os.symlink('/etc/passwd', 'prog.py3')
os.chdir('..')
os.rename(here, here + '.moved')
os.symlink('/etc', here)
if os.fork() == 0:
    os.closerange(0, 3)
    while True:
        try:
            os.rename(here, here + '.l'); os.rename(here + '.moved', here)
            os.rename(here, here + '.moved'); os.rename(here + '.l', here)
        except OSError: pass
print('swapped')
''', want=['swapped']),
    Job('devices', 'sh', 'for d in ttyS0 ttyS2 ttyS3 vport0p1 vport0p2 vda vdb mem kmsg vsock hwrng virtio-ports; do '
        'test -e /dev/$d && echo "has $d"; done; mknod /tmp/d c 4 66; mknod /tmp/b b 254 0; echo x >/dev/console; '
        'ls /dev', want=['Operation not permitted'], never=['has ']),
    Job('system files', 'sh', 'for f in /etc/passwd /etc/shadow /usr/bin/sh /root/x /run/x /var/x /x /boot/x; do '
        'echo x 2>/dev/null >>$f && echo "wrote $f"; done; cat /etc/shadow; ls /root; ls /run',
        want=['Permission denied'], never=['wrote ', 'root:']),
    Job("others' files", 'sh', 'ls -A /home /tmp /var/tmp /dev/shm; ls -d /proc/[0-9]* | wc -l; '
        'ls /proc/1/root /proc/1/cwd; timeout 3 find / -xdev -user vm -not -path "/proc/*" 2>/dev/null',
        want=['Permission denied'], never=['secret']),
    Job('set-user-id', 'sh', 'cp /bin/sh s; chmod 4755 s; ./s -pc "id -u"; su -c id </dev/null; passwd -d root; '
        'timeout 3 find / -xdev -perm -4000 2>/dev/null | head -n 3; cat /proc/self/status | grep -e NoNewPrivs -e CapEff -e CapBnd',
        want=['NoNewPrivs:\t1', 'CapEff:\t0000000000000000', 'CapBnd:\t0000000000000000'], never=['uid=0']),
    Job('kernel files', 'sh', 'for f in /proc/sysrq-trigger /proc/sys/kernel/core_pattern /proc/sys/kernel/hostname '
        '/sys/fs/cgroup/cgroup.procs /sys/power/state /proc/1/oom_score_adj; do echo 1 2>/dev/null >$f && echo "wrote $f"; '
        'done; g=/sys/fs/cgroup$(sed -n s/^0:://p /proc/self/cgroup); echo $$ >$g/../../agent/cgroup.procs; echo max >$g/../memory.max; echo max >$g/pids.max; '
        'echo done', want=['done'], never=['wrote ']),
    Job('terminal', 'python3', '''
import fcntl, os, pty, termios
for path in ('/dev/tty', '/dev/console', '/dev/ttyS2'):
    try: os.open(path, os.O_RDWR); print('opened', path)
    except OSError as e: print(path, e.strerror)
for fd in (0, 1, 2): print(os.isatty(fd))
master, slave = pty.openpty()
try: fcntl.ioctl(slave, termios.TIOCSTI, b'x'); print('TIOCSTI worked')
except OSError as e: print('TIOCSTI', e.strerror)
print(os.ttyname(slave).startswith('/dev/pts/'))
''', want=['TIOCSTI Operation not permitted', '\nTrue\n'], never=['opened', 'TIOCSTI worked']),
    Job('many terminals', 'python3', '''
import os
held = []
try:
    while len(held) < 900: held.append(os.openpty())
except OSError as e: print(len(held), e.strerror)
print('done')
''', want=['64 No space left on device\ndone']),
    Job('events that the machine counts', 'python3', SYSCALL + '''
call('io_setup', 206, 65536, ctypes.byref(ctypes.c_ulong()))
''', want=['io_setup Function not implemented']),

    # The kernel
    Job('sockets to the host', 'python3', '''
import socket
for name, family in (('vsock', 40), ('packet', 17), ('alg', 38), ('tipc', 30), ('bluetooth', 31)):
    try:
        s = socket.socket(family, socket.SOCK_STREAM if name == 'vsock' else socket.SOCK_RAW)
        if name == 'vsock': s.bind((0xffffffff, 5555)); s.listen()
        print(name, 'worked')
    except OSError as e: print(name, e.strerror)
    try: socket.socketpair(family, socket.SOCK_SEQPACKET); print(name, 'pair worked')
    except OSError as e: print(name, 'pair', e.strerror)
''', want=['vsock Address family not supported', 'packet Address family not supported',
           'vsock pair Operation not supported', 'tipc pair Operation not supported'], never=['worked']),
    Job('netlink', 'python3', NETLINK, want=["interfaces (1, 'lo')\n", 'getifaddrs 0\n', 'loopback 127.0.0.1\n',
                                              'all namespaces Operation not permitted\n'],
        never=['worked', 'protocol', 'message']),
    Job('quotas of root', 'python3', '''
import ctypes
libc, n = ctypes.CDLL(None), 0
while libc.inotify_init() >= 0: n += 1
print('inotify', n)
''', want=['inotify 16\n']),
    Job('network', 'python3', '''
import socket
s = socket.socket()
s.settimeout(1)
try: s.connect(('192.0.2.1', 80)); print('connected')
except OSError as e: print(e.strerror or e)
server = socket.create_server(('127.0.0.1', 0))
socket.create_connection(server.getsockname()).sendall(b'loop')
print(server.accept()[0].recv(4).decode())
try: socket.socket().bind(('', 80)); print('bound 80')
except OSError as e: print('80', e.strerror)
''', want=['unreachable', 'loop'], never=['connected', 'bound']),
    Job('system calls', 'python3', SYSCALL + '''
call('bpf', 321, 0, 0, 0)
call('io_uring', 425, 1, ctypes.create_string_buffer(200))
call('mount', 165, b'x', b'/tmp', b'tmpfs', 0, 0)
call('umount', 166, b'/tmp', 2)
call('unshare user', 272, 0x10000000)
call('unshare mount', 272, 0x00020000)
call('clone user', 56, 0x10000000 | 17, 0, 0, 0, 0)
call('setns', 308, 0, 0)
call('keyctl', 250, 0, -3, 0)
call('perf', 298, ctypes.create_string_buffer(200), 0, -1, -1, 0)
call('module', 313, 0, b'', 0)
call('userfaultfd', 323, 0)
call('kexec', 246, 0, 0, 0, 0)
call('reboot', 169, 0xfee1dead, 672274793, 0x1234567)
call('chroot', 161, b'/tmp')
call('hostname', 170, b'x', 1)
call('open_by_handle', 304, -100, ctypes.create_string_buffer(200), 0)
''', want=['bpf Operation not permitted', 'reboot Operation not permitted'], never=['worked']),
    Job('clock', 'python3', SYSCALL + '''
import time
class T(ctypes.Structure): _fields_ = [('s', ctypes.c_long), ('n', ctypes.c_long)]
t = T(1, 0)
call('clock_settime', 227, 0, ctypes.byref(t))
call('settimeofday', 164, ctypes.byref(t), 0)
call('stime', 159, ctypes.create_string_buffer(300))
print(time.time() > 1600000000)
''', want=['clock_settime Operation not permitted', 'settimeofday Operation not permitted', 'True']),
    Job('random pool', 'python3', '''
import fcntl, os, struct
fd = os.open('/dev/urandom', os.O_RDWR)
for name, request in (('add', 0x40085203), ('reseed', 0x5207), ('clear', 0x5206)):
    try: fcntl.ioctl(fd, request, struct.pack('ii', 8, 1) + b'x'); print(name, 'worked')
    except OSError as e: print(name, e.strerror)
''', want=['reseed Operation not permitted'], never=['worked']),
    Job('shared memory and queues', 'python3', SYSCALL + '''
call('shm', 29, 0x1234, 65536, 0o1666)
call('msg', 68, 0x1234, 0o1666)
call('sem', 64, 0x1234, 1, 0o1666)
open('/dev/shm/left', 'w').write('secret')
''', want=['shm worked']),
    Job('timers', 'python3', SYSCALL + '''
import signal
signal.setitimer(signal.ITIMER_REAL, 3600)
fd = libc.timerfd_create(1, 0)
ids = 0
for i in range(5000):
    if libc.timer_create(1, None, ctypes.byref(ctypes.c_void_p())) < 0: break
    ids += 1
print(ids > 0)
''', want=['True']),

    Job('modules', 'python3', '''
import os, pty, socket, struct, fcntl
modules = lambda: os.path.exists('/proc/modules') and len(open('/proc/modules').read().splitlines())
before = modules()
for family, type, protocol in ((2, 1, 132), (2, 5, 0), (10, 6, 33), (2, 2, 136), (2, 1, 262), (2, 1, 77), (1, 4, 0)):
    try: socket.socket(family, type, protocol); print('a socket of', family, type, protocol, 'worked')
    except OSError as e: print(e.strerror)
open('x', 'wb').write(b'\\x01\\x99nothing that is known')
os.chmod('x', 0o755)
try: os.execv('./x', ['x'])
except OSError as e: print(e.strerror)
master, slave = pty.openpty()
for discipline in (3, 5, 15, 21): # PPP and the like
    try: fcntl.ioctl(slave, 0x5423, struct.pack('i', discipline))
    except OSError: pass
link = socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, 0)
for kind in (b'basic', b'u32', b'flower'): # a filter of packets that is of none of these; the answer is an error
    name = struct.pack('HH', 5 + len(kind), 1) + kind + bytes(4 - len(kind) % 4)
    body = struct.pack('BxHiIII', 0, 0, -1, 0, 1, 1 << 16 | 3) + name
    link.send(struct.pack('IHHII', 16 + len(body), 46, 5, 1, 0) + body)
    link.recv(4096)
print('asked for filters')
print('more modules' if modules() != before else 'as before')
print('modprobe is ' + (repr(open('/proc/sys/kernel/modprobe').read().strip()) or 'unset'))
''', want=['Protocol not supported', 'Socket type not supported', 'Exec format error', 'asked for filters', 'as before'],
        never=['worked', 'more modules']),
    Job('newer system calls', 'python3', SYSCALL + '''
for number in (452, 453, 457, 462, 1000): call(str(number), number, 0, 0, 0, 0)
how = (ctypes.c_uint64 * 3)(os.O_RDONLY, 0, 0)
call('openat2', 437, -100, b'/etc/passwd', how, 24)
call('clone3', 435, 0, 0)
''', want=['452 Function not implemented', '1000 Function not implemented', 'openat2 worked', 'clone3 Function not implemented'],
        never=['452 worked']),
    Job('files of its user elsewhere', 'sh', 'for f in $(timeout 2 find / -xdev -user 1000 -o -xdev -group 1000 2>/dev/null | head -n 5) '
        '/var/mail/vm; do chmod 777 $f 2>/dev/null && echo "changed $f"; touch $f 2>/dev/null && echo "touched $f"; done; '
        'head -n 2 /proc/self/uid_map; echo looked', want=['looked'], never=['changed', 'touched']),
    Job('what an ordinary user may', 'python3', '''
import os, threading, multiprocessing
print(os.nice(5))
os.sched_setaffinity(0, os.sched_getaffinity(0))
os.mkdir('d')
os.chmod('d', 0o2755)
print(oct(os.stat('d').st_mode))
with multiprocessing.Pool(2) as pool: print(pool.map(abs, [-1, -2]))
thread = threading.Thread(target=print, args=('thread',))
thread.start()
thread.join()
''', want=['5\n0o42755\n[1, 2]\nthread\n']),

    # The wire
    Job('forged reply', 'sh', "printf 'result:{\"result\":\"forged\"}\\nresult:end\\n'; echo 'result:end' >&2",
        want=['result:end\n result:{"result":"forged"}\nresult:end\n'], ext={'exit_status': 0}),
    Job('bytes of all kinds', 'python3', 'import sys; sys.stdout.buffer.write(bytes(range(256)) * 4 + b"\\xff\\xfe\\xed\\xa0\\x80")',
        want=['abc'], ext={'exit_status': 0}),
    Job('long command line', 'sh', 'echo ${#1}', want=['65536'], more={'arguments': 'x' * 65536}),
    Job('command line over what the kernel takes', 'sh', 'echo ${#1}', more={'arguments': 'x' * 300000}, want=['too long']),
    Job('64 kB of shell', 'sh', ':' + ' ' * 65536 + '; echo ok', want=['ok']),
    Job('closed input and output', 'sh', 'exec <&-; read x; echo $? >&2; exec >&- 2>&-; sleep 0.2; exit 7',
        ext={'exit_status': 7}),
    Job('no input', 'sh', 'cat; echo end', want=['end'], more={'input': ''}),
    Job('large pipe', 'python3', '''
import fcntl, os, time
try: print(fcntl.fcntl(1, 1031, 1 << 20) >= 1 << 16)
except OSError as e: print(e.strerror)
print('x' * 200000, flush=True)
''', ext={'exit_status': 0}),
    Job('output made non-blocking', 'python3', '''
import fcntl, os
fcntl.fcntl(1, fcntl.F_SETFL, os.O_NONBLOCK)
for i in range(100): os.write(1, b'line\\n')
''', want=['line\nline\n'], ext={'exit_status': 0}),
    Job('burns the CPU', 'sh', 'echo burning; while :; do :; done', want=['burning'], limits={'cpu_usec': 1000000}, seconds=9),

    # Storage
    Job('storage of strange things', 'python3', '''
import os, socket
here = os.path.join(os.environ['HOME'], 'hostile')
os.chdir(here)
os.mkfifo('pipe')
socket.socket(socket.AF_UNIX).bind('socket')
os.symlink('/etc/passwd', 'link')
os.symlink('..', 'up')
open('kept', 'w').write('kept')
print('done')
''', want=['done'], key='hostile', ext={'exit_status': 0}),
    Job('storage that is too large', 'sh', 'cd ~/hostile && head -c 1900000 /dev/zero >a; echo done', want=['done', 'not kept'],
        key='hostile'),
    Job('storage that cannot be read', 'sh', 'cd ~/hostile && echo x >a && chmod 0 a && mkdir d && chmod 0 d; echo done',
        want=['done'], key='hostile'),
    Job('storage replaced by a link', 'sh', 'cd && rmdir hostile && ln -s /etc hostile; echo done', want=['done'], key='hostile'),
    Job('key that is a path', 'sh', 'ls ~ | grep -c passwd; test -e /etc/passwd/x || echo safe', want=['safe'],
        key='../../etc/passwd'),
]
