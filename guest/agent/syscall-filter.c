/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "syscall-filter.h"

#include <fcntl.h>
#include <linux/seccomp.h>
#include <sched.h>
#include <seccomp.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>

/* Refused whatever the arguments. Most need a privilege that a job never has; they are here so that a hole
 * in the kernel's check of it is not reachable. ptrace stays, for gdb, and is bounded by the pid namespace;
 * personality stays, for gdb's ADDR_NO_RANDOMIZE. */
static const char *const refused[] = {
        /* the kernel and its modules */
        "init_module",
        "finit_module",
        "delete_module",
        "create_module",
        "kexec_load",
        "kexec_file_load",
        "reboot",
        "bpf",
        "perf_event_open",
        "lookup_dcookie",
        "syslog",
        "acct",
        "quotactl",
        "quotactl_fd",
        "swapon",
        "swapoff",
        "ioperm",
        "iopl",
        "vhangup",
        "nfsservctl",
        "modify_ldt",
        /* large surfaces that no snippet needs */
        "io_uring_setup",
        "io_uring_enter",
        "io_uring_register",
        "userfaultfd",
        "fanotify_init",
        "fanotify_mark",
        /* mounts and namespaces */
        "mount",
        "umount",
        "umount2",
        "pivot_root",
        "chroot",
        "setns",
        "open_tree",
        "move_mount",
        "fsopen",
        "fsconfig",
        "fsmount",
        "fspick",
        "mount_setattr",
        "open_by_handle_at",
        "name_to_handle_at",
        /* keys outlive a job */
        "keyctl",
        "add_key",
        "request_key",
        /* clocks and names of the machine */
        "clock_settime",
        "clock_settime64",
        "clock_adjtime",
        "clock_adjtime64",
        "settimeofday",
        "stime",
        "adjtimex",
        "sethostname",
        "setdomainname",
        /* sockets whose family is not in a register: 32-bit programs */
        "socketcall",
};

/* Sockets are local ones and, in the job's own network namespace, IP. */
static const int socket_families[] = { AF_UNIX, AF_INET, AF_INET6 };

/* User namespaces give a job privileges inside them, and with those a way to the rest. */
static const unsigned long namespaces[] = {
        CLONE_NEWNS,
        CLONE_NEWUTS,
        CLONE_NEWIPC,
        CLONE_NEWUSER,
        CLONE_NEWPID,
        CLONE_NEWNET,
        CLONE_NEWCGROUP,
};
#ifndef CLONE_NEWTIME
#define CLONE_NEWTIME 0x00000080
#endif

/* Refuses a call by name on each architecture of the filter; one that has no such call is passed over. */
static int refuse_call(scmp_filter_ctx ctx, const char *name) {
        int nr = seccomp_syscall_resolve_name(name);
        if (nr == __NR_SCMP_ERROR)
                return 0;

        int r = seccomp_rule_add(ctx, SCMP_ACT_ERRNO(EPERM), nr, 0);
        return r == -EDOM || r == -EINVAL ? 0 : r;
}

/* Every family below the first allowed one, between two, and above the last. */
static int refuse_families(scmp_filter_ctx ctx, int nr) {
        int r = 0;

        for (int family = 0; r >= 0 && family <= AF_INET6; family++) {
                bool allowed = false;
                for (size_t i = 0; i < ELEMENTSOF(socket_families); i++)
                        allowed = allowed || socket_families[i] == family;
                if (!allowed)
                        r = seccomp_rule_add(ctx, SCMP_ACT_ERRNO(EAFNOSUPPORT), nr, 1,
                                SCMP_A0_32(SCMP_CMP_EQ, (uint32_t)family));
        }
        if (r >= 0)
                r = seccomp_rule_add(ctx, SCMP_ACT_ERRNO(EAFNOSUPPORT), nr, 1,
                        SCMP_A0_32(SCMP_CMP_GT, (uint32_t)AF_INET6));
        return r;
}

static int refuse_flags(scmp_filter_ctx ctx) {
        int r = 0;

        for (size_t i = 0; r >= 0 && i < ELEMENTSOF(namespaces); i++) {
                r = seccomp_rule_add(ctx, SCMP_ACT_ERRNO(EPERM), SCMP_SYS(clone), 1,
                        SCMP_A0(SCMP_CMP_MASKED_EQ, namespaces[i], namespaces[i]));
                if (r >= 0)
                        r = seccomp_rule_add(ctx, SCMP_ACT_ERRNO(EPERM), SCMP_SYS(unshare), 1,
                                SCMP_A0(SCMP_CMP_MASKED_EQ, namespaces[i], namespaces[i]));
        }
        /* In clone() that bit belongs to the exit signal. */
        if (r >= 0)
                r = seccomp_rule_add(ctx, SCMP_ACT_ERRNO(EPERM), SCMP_SYS(unshare), 1,
                        SCMP_A0(SCMP_CMP_MASKED_EQ, CLONE_NEWTIME, CLONE_NEWTIME));
        /* Its flags lie in memory, where a filter cannot look; the C library then falls back to clone(). */
        if (r >= 0)
                r = seccomp_rule_add(ctx, SCMP_ACT_ERRNO(ENOSYS), SCMP_SYS(clone3), 0);
        return r;
}

/* ioctls that put input into a terminal: nobody's terminal is within reach, this is the second lock. The
 * kernel looks at 32 bits of the request. */
static int refuse_ioctls(scmp_filter_ctx ctx) {
        static const uint32_t requests[] = { 0x5412 /* TIOCSTI */, 0x541c /* TIOCLINUX */ };
        int r = 0;

        for (size_t i = 0; r >= 0 && i < ELEMENTSOF(requests); i++)
                r = seccomp_rule_add(ctx, SCMP_ACT_ERRNO(EPERM), SCMP_SYS(ioctl), 1,
                        SCMP_A1(SCMP_CMP_MASKED_EQ, UINT32_MAX, requests[i]));
        return r;
}

static int filter_build(scmp_filter_ctx ctx) {
        int r = 0;

        /* Without this an unknown architecture could call what it likes. Where the service may run 32-bit
         * programs they have the same rules, but for socketcall(), whose arguments lie in memory. */
        (void)seccomp_attr_set(ctx, SCMP_FLTATR_ACT_BADARCH, SCMP_ACT_ERRNO(ENOSYS));
        (void)seccomp_attr_set(ctx, SCMP_FLTATR_CTL_OPTIMIZE, 2);
        if (seccomp_arch_native() == SCMP_ARCH_X86_64)
                r = seccomp_arch_add(ctx, SCMP_ARCH_X86);

        for (size_t i = 0; r >= 0 && i < ELEMENTSOF(refused); i++)
                r = refuse_call(ctx, refused[i]);
        if (r >= 0)
                r = refuse_families(ctx, SCMP_SYS(socket));
        if (r >= 0)
                r = refuse_flags(ctx);
        if (r >= 0)
                r = refuse_ioctls(ctx);
        return r;
}

/* libseccomp writes a filter only to a descriptor. */
static int filter_export(scmp_filter_ctx ctx, SeccompFilter *ret) {
        _cleanup_close_ int fd = memfd_create("seccomp", MFD_CLOEXEC);
        struct stat st;

        if (fd < 0)
                return -errno;
        int r = seccomp_export_bpf(ctx, fd);
        if (r < 0)
                return r;
        if (fstat(fd, &st) < 0)
                return -errno;

        size_t size = (size_t)st.st_size, n = size / sizeof(struct sock_filter);
        if (n == 0 || n > BPF_MAXINSNS)
                return -E2BIG;
        _cleanup_free_ struct sock_filter *instructions = malloc(size);
        if (!instructions)
                return -ENOMEM;
        if (pread(fd, instructions, size, 0) != (ssize_t)size)
                return -EIO;

        *ret = (SeccompFilter){ .instructions = TAKE_PTR(instructions), .n = (unsigned short)n };
        return 0;
}

int seccomp_filter_make(SeccompFilter *ret) {
        scmp_filter_ctx ctx = seccomp_init(SCMP_ACT_ALLOW);
        if (!ctx)
                return -ENOMEM;

        int r = filter_build(ctx);
        if (r >= 0)
                r = filter_export(ctx, ret);
        seccomp_release(ctx);
        return r;
}

void seccomp_filter_done(SeccompFilter *filter) {
        free(filter->instructions);
        *filter = (SeccompFilter){};
}

int seccomp_filter_apply(const SeccompFilter *filter) {
        struct sock_fprog program = { .len = filter->n, .filter = filter->instructions };

        return syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, 0, &program) < 0 ? -errno : 0;
}
