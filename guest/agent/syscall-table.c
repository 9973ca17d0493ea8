/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "syscall-table.h"

#include <linux/netlink.h>
#include <linux/sockios.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sched.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

/* ptrace is for gdb, and bounded by the pid namespace; personality for gdb's ADDR_NO_RANDOMIZE. clone3 is
 * missing on purpose: its flags lie in memory, where a filter cannot look, and the C library falls back to
 * clone(). openat2 is there: what it takes from memory only narrows what openat may. io_setup() and its kind
 * are not: the kernel has one count of their events for the whole machine, which one job would use up for
 * all, and libraries do without. */
const char *const syscalls_allowed[] = {
        /* files by descriptor */
        "read", "write", "close", "lseek", "pread64", "pwrite64", "readv", "writev", "preadv", "pwritev",
        "preadv2", "pwritev2", "sendfile", "splice", "tee", "vmsplice", "copy_file_range", "dup", "dup2",
        "dup3", "fcntl", "flock", "ioctl", "fsync", "fdatasync", "sync", "syncfs", "sync_file_range",
        "ftruncate", "fallocate", "fadvise64", "readahead", "pipe", "pipe2", "close_range", "memfd_create",
        /* files by name */
        "open", "openat", "openat2", "creat", "access", "faccessat", "faccessat2", "stat", "lstat", "fstat",
        "newfstatat", "statx", "statfs", "fstatfs", "truncate", "getdents", "getdents64", "getcwd", "chdir",
        "fchdir", "mkdir", "mkdirat", "rmdir", "rename", "renameat", "renameat2", "link", "linkat", "unlink",
        "unlinkat", "symlink", "symlinkat", "readlink", "readlinkat", "mknod", "mknodat", "chmod", "fchmod",
        "fchmodat", "chown", "fchown", "lchown", "fchownat", "umask", "utime", "utimes", "futimesat",
        "utimensat", "setxattr", "lsetxattr", "fsetxattr", "getxattr", "lgetxattr", "fgetxattr", "listxattr",
        "llistxattr", "flistxattr", "removexattr", "lremovexattr", "fremovexattr", "inotify_init",
        "inotify_init1", "inotify_add_watch", "inotify_rm_watch",
        /* memory */
        "brk", "mmap", "munmap", "mremap", "mprotect", "pkey_mprotect", "pkey_alloc", "pkey_free", "msync",
        "mincore", "madvise", "process_madvise", "mlock", "mlock2", "munlock", "mlockall", "munlockall",
        "membarrier", "mbind", "set_mempolicy", "get_mempolicy", "set_mempolicy_home_node", "migrate_pages",
        "move_pages", "process_mrelease", "remap_file_pages",
        /* processes and threads */
        "clone", "fork", "vfork", "execve", "execveat", "exit", "exit_group", "wait4", "waitid", "unshare",
        "getpid", "getppid", "gettid", "getpgid", "getpgrp", "setpgid", "getsid", "setsid",
        "set_tid_address", "set_robust_list", "get_robust_list", "rseq", "futex", "futex_waitv",
        "restart_syscall", "arch_prctl", "prctl", "personality", "ptrace", "process_vm_readv",
        "process_vm_writev", "kcmp", "pidfd_open", "pidfd_getfd", "pidfd_send_signal", "seccomp",
        "landlock_create_ruleset", "landlock_add_rule", "landlock_restrict_self", "set_thread_area",
        "get_thread_area",
        /* what they may: the kernel lets nobody raise it */
        "getpriority", "setpriority", "nice", "getrlimit", "setrlimit", "prlimit64", "getrusage", "times",
        "sched_yield", "sched_setparam", "sched_getparam", "sched_setscheduler", "sched_getscheduler",
        "sched_setattr", "sched_getattr", "sched_get_priority_max", "sched_get_priority_min",
        "sched_rr_get_interval", "sched_setaffinity", "sched_getaffinity", "getcpu", "ioprio_set",
        "ioprio_get",
        /* whose they are */
        "getuid", "geteuid", "getgid", "getegid", "getgroups", "setgroups", "setuid", "setgid", "setreuid",
        "setregid", "setresuid", "getresuid", "setresgid", "getresgid", "setfsuid", "setfsgid", "capget",
        "capset",
        /* signals and waiting */
        "rt_sigaction", "rt_sigprocmask", "rt_sigreturn", "rt_sigpending", "rt_sigtimedwait",
        "rt_sigsuspend", "rt_sigqueueinfo", "rt_tgsigqueueinfo", "sigaltstack", "kill", "tkill", "tgkill",
        "pause", "alarm", "signalfd", "signalfd4", "eventfd", "eventfd2", "poll", "ppoll", "select",
        "pselect6", "epoll_create", "epoll_create1", "epoll_ctl", "epoll_wait", "epoll_pwait",
        "epoll_pwait2",
        /* time */
        "time", "gettimeofday", "clock_gettime", "clock_getres", "nanosleep", "clock_nanosleep", "getitimer",
        "setitimer", "timer_create", "timer_settime", "timer_gettime", "timer_getoverrun", "timer_delete",
        "timerfd_create", "timerfd_settime", "timerfd_gettime",
        /* sockets */
        "socket", "socketpair", "bind", "listen", "accept", "accept4", "connect", "getsockname",
        "getpeername", "getsockopt", "setsockopt", "sendto", "sendmsg", "sendmmsg", "recvfrom", "recvmsg",
        "recvmmsg", "shutdown",
        /* System V's and POSIX' means to talk */
        "shmget", "shmat", "shmctl", "shmdt", "semget", "semop", "semctl", "semtimedop", "msgget", "msgsnd",
        "msgrcv", "msgctl", "mq_open", "mq_unlink", "mq_timedsend", "mq_timedreceive", "mq_notify",
        "mq_getsetattr",
        /* the machine */
        "uname", "sysinfo", "getrandom",
        /* the same on machines of 32 bits */
        "_llseek", "_newselect", "mmap2", "stat64", "lstat64", "fstat64", "fstatat64", "statfs64",
        "fstatfs64", "fcntl64", "sendfile64", "truncate64", "ftruncate64", "fadvise64_64",
        "arm_fadvise64_64", "arm_sync_file_range", "waitpid", "ugetrlimit", "sigaction", "sigprocmask",
        "sigreturn", "sigsuspend", "sigpending", "getuid32", "geteuid32", "getgid32", "getegid32",
        "getgroups32", "setgroups32", "setuid32", "setgid32", "setreuid32", "setregid32", "setresuid32",
        "getresuid32", "setresgid32", "getresgid32", "setfsuid32", "setfsgid32", "chown32", "fchown32",
        "lchown32", "send", "recv", "ipc", "set_tls", "cacheflush", "clock_gettime64", "clock_getres_time64",
        "clock_nanosleep_time64", "timer_gettime64", "timer_settime64", "timerfd_gettime64",
        "timerfd_settime64", "utimensat_time64", "pselect6_time64", "ppoll_time64", "recvmmsg_time64",
        "mq_timedsend_time64", "mq_timedreceive_time64", "semtimedop_time64", "rt_sigtimedwait_time64",
        "futex_time64", "sched_rr_get_interval_time64"
};
const size_t n_syscalls_allowed = ELEMENTSOF(syscalls_allowed);

/* Most need a privilege that a job never has; they are refused so that a hole in the kernel's check of it is
 * not reachable. */
const char *const syscalls_refused[] = {
        /* the kernel and its modules */
        "init_module", "finit_module", "delete_module", "kexec_load", "kexec_file_load", "reboot", "bpf",
        "perf_event_open", "lookup_dcookie", "syslog", "acct", "quotactl", "quotactl_fd", "swapon",
        "swapoff", "ioperm", "iopl", "vhangup", "modify_ldt",
        /* large surfaces that no snippet needs */
        "io_uring_setup", "io_uring_enter", "io_uring_register", "userfaultfd", "fanotify_init",
        "fanotify_mark",
        /* mounts and namespaces */
        "mount", "umount", "umount2", "pivot_root", "chroot", "setns", "open_tree", "move_mount", "fsopen",
        "fsconfig", "fsmount", "fspick", "mount_setattr", "open_by_handle_at", "name_to_handle_at",
        /* keys outlive a job */
        "keyctl", "add_key", "request_key",
        /* clocks and names of the machine */
        "clock_settime", "clock_settime64", "clock_adjtime", "clock_adjtime64", "settimeofday", "stime",
        "adjtimex", "sethostname", "setdomainname"
};
const size_t n_syscalls_refused = ELEMENTSOF(syscalls_refused);

/* User namespaces give a job privileges inside them, and with those a way to the rest. */
#define NAMESPACES                                                                                          \
        (CLONE_NEWNS | CLONE_NEWUTS | CLONE_NEWIPC | CLONE_NEWUSER | CLONE_NEWPID | CLONE_NEWNET |          \
                CLONE_NEWCGROUP)
/* In clone() that bit belongs to the exit signal. */
#ifndef CLONE_NEWTIME
#define CLONE_NEWTIME 0x00000080
#endif

/* Where the flags of clone() are. */
#ifdef __s390__
#define CLONE_FLAGS 1
#else
#define CLONE_FLAGS 0
#endif

#define SOCKET_TYPE (uint32_t)(~(SOCK_NONBLOCK | SOCK_CLOEXEC))
#define ALL UINT32_MAX
/* Conditions of socket(). */
#define IP                                                                                                  \
        { 0, ALL, AF_INET, AF_INET6 }
#define TYPE(type)                                                                                          \
        { 1, SOCKET_TYPE, type, type }
#define PROTOCOLS(min, max)                                                                                 \
        { 2, ALL, min, max }

/* Conditions of setsockopt(). */
#define TCP                                                                                                 \
        { 1, ALL, SOL_TCP, SOL_TCP }
#define OPTIONS(min, max)                                                                                   \
        { 2, ALL, min, max }
/* Of Linux 6.7: TCP_AO_ADD_KEY to TCP_AO_REPAIR. */
#define TCP_AO_FIRST 38
#define TCP_AO_LAST 42

/* Sockets are local ones and, in the job's own network namespace, IP and the netlink that tells of it
 * (getifaddrs()): to change something there takes a capability that no job has.
 *
 * Where the kernel lacks something it looks for a module, as root, and often before it asks who asks: for a
 * family, a type or a protocol, in socketpair() too, which makes sockets before it finds that they make no
 * pair; for the algorithm that the keys of a TCP connection name; for bridges, VLANs, frame relay and line
 * disciplines. So jobs have what is never a module. What they ask netlink for no filter of calls sees; there
 * it is that the kernel's path of modprobe is empty, which the agent's unit sees to. What else can be put on
 * top of TCP is a large surface where it is loaded.
 *
 * TIOCSTI and TIOCLINUX put input into a terminal: nobody's is within reach, this is the second lock. */
const SyscallCheck syscall_checks[] = { { "socket", EAFNOSUPPORT, { { 0, ALL, AF_UNSPEC, AF_UNSPEC } } },
        { "socket", EAFNOSUPPORT, { { 0, ALL, AF_INET + 1, AF_INET6 - 1 } } },
        { "socket", EAFNOSUPPORT, { { 0, ALL, AF_INET6 + 1, AF_NETLINK - 1 } } },
        { "socket", EAFNOSUPPORT, { { 0, ALL, AF_NETLINK + 1, ALL } } },
        { "socket", EPROTONOSUPPORT,
                { { 0, ALL, AF_NETLINK, AF_NETLINK }, PROTOCOLS(NETLINK_ROUTE + 1, ALL) } },
        { "socket", ESOCKTNOSUPPORT, { TYPE(0) } }, { "socket", ESOCKTNOSUPPORT, { TYPE(SOCK_RDM) } },
        { "socket", ESOCKTNOSUPPORT, { { 1, SOCKET_TYPE, SOCK_SEQPACKET + 1, ALL } } },
        { "socket", ESOCKTNOSUPPORT, { IP, TYPE(SOCK_SEQPACKET) } },
        { "socket", EPROTONOSUPPORT, { IP, TYPE(SOCK_STREAM), PROTOCOLS(1, IPPROTO_TCP - 1) } },
        { "socket", EPROTONOSUPPORT, { IP, TYPE(SOCK_STREAM), PROTOCOLS(IPPROTO_TCP + 1, ALL) } },
        { "socket", EPROTONOSUPPORT,
                { IP, TYPE(SOCK_DGRAM), PROTOCOLS(IPPROTO_ICMP + 1, IPPROTO_UDP - 1) } },
        { "socket", EPROTONOSUPPORT,
                { IP, TYPE(SOCK_DGRAM), PROTOCOLS(IPPROTO_UDP + 1, IPPROTO_ICMPV6 - 1) } },
        { "socket", EPROTONOSUPPORT, { IP, TYPE(SOCK_DGRAM), PROTOCOLS(IPPROTO_ICMPV6 + 1, ALL) } },
        { "socket", EPROTONOSUPPORT,
                { { 0, ALL, AF_INET, AF_INET }, TYPE(SOCK_DGRAM),
                        PROTOCOLS(IPPROTO_ICMPV6, IPPROTO_ICMPV6) } },
        { "socket", EPROTONOSUPPORT,
                { { 0, ALL, AF_INET6, AF_INET6 }, TYPE(SOCK_DGRAM),
                        PROTOCOLS(IPPROTO_ICMP, IPPROTO_ICMP) } },
        { "socket", EPROTONOSUPPORT, { IP, TYPE(SOCK_RAW), PROTOCOLS(0, 0) } },
        { "socket", EPERM, { IP, TYPE(SOCK_RAW) } },
        { "socketpair", EAFNOSUPPORT, { { 0, ALL, AF_UNSPEC, AF_UNSPEC } } },
        { "socketpair", EOPNOTSUPP, { { 0, ALL, AF_UNIX + 1, ALL } } },
        { "setsockopt", ENOPROTOOPT, { TCP, OPTIONS(TCP_MD5SIG, TCP_MD5SIG) } },
        { "setsockopt", ENOPROTOOPT, { TCP, OPTIONS(TCP_ULP, TCP_MD5SIG_EXT) } },
        { "setsockopt", ENOPROTOOPT, { TCP, OPTIONS(TCP_AO_FIRST, TCP_AO_LAST) } },
        { "clone", EPERM, { { CLONE_FLAGS, NAMESPACES, 1, ALL } } },
        { "unshare", EPERM, { { 0, NAMESPACES | CLONE_NEWTIME, 1, ALL } } },
        { "ioctl", EPERM, { { 1, ALL, TIOCSTI, TIOCSTI } } },
        { "ioctl", EPERM, { { 1, ALL, TIOCLINUX, TIOCLINUX } } },
        { "ioctl", EPERM, { { 1, ALL, TIOCSETD, TIOCSETD } } },
        { "ioctl", EPERM, { { 1, ALL, SIOCGIFBR, SIOCSIFBR } } },
        { "ioctl", EPERM, { { 1, ALL, SIOCGIFVLAN, SIOCSIFVLAN } } },
        { "ioctl", EPERM, { { 1, ALL, SIOCADDDLCI, SIOCDELDLCI } } },
        { "ioctl", EPERM, { { 1, ALL, SIOCBRADDBR, SIOCBRDELIF } } } };
const size_t n_syscall_checks = ELEMENTSOF(syscall_checks);
