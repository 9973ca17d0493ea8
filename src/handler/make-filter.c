/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Writes the handler's seccomp filter to its stdout as an initialiser, when pbotvm is built: loading
 * libseccomp and compiling the filter would cost every request more than all the rest of its confinement. */

#include <linux/filter.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <errno.h>
#include <unistd.h>

#include <seccomp.h>

/* What a handler does after it has opened all it needs. No socket(), no connect(), no exec, no fork. */
static const char *const allowed[] = {
        "access",
        "brk",
        "clock_gettime",
        "clock_gettime64",
        "clock_nanosleep",
        "clock_nanosleep_time64",
        "close",
        "dup",
        "exit",
        "exit_group",
        "faccessat",
        "faccessat2",
        "fcntl",
        "fcntl64",
        "fdatasync",
        "flock",
        "fstat",
        "fstat64",
        "fstatat64",
        "fstatfs",
        "fsync",
        "ftruncate",
        "ftruncate64",
        "futex",
        "futex_time64",
        "getdents",
        "getdents64",
        "getegid",
        "geteuid",
        "getgid",
        "getpeername",
        "getpid",
        "getppid",
        "getrandom",
        "getrlimit",
        "getrusage",
        "getsockname",
        "getsockopt",
        "gettid",
        "gettimeofday",
        "getuid",
        "lseek",
        "_llseek",
        "lstat",
        "madvise",
        "memfd_create",
        "mkdir",
        "mkdirat",
        "mremap",
        "munmap",
        "newfstatat",
        "open",
        "openat",
        "poll",
        "ppoll",
        "ppoll_time64",
        "pread64",
        "prlimit64",
        "pwrite64",
        "read",
        "readlink",
        "readlinkat",
        "readv",
        "recv",
        "recvfrom",
        "recvmsg",
        "rename",
        "renameat",
        "renameat2",
        "restart_syscall",
        "rt_sigaction",
        "rt_sigprocmask",
        "rt_sigreturn",
        "sched_yield",
        "send",
        "sendmsg",
        "sendto",
        "shutdown",
        "sigaltstack",
        "sigreturn",
        "stat",
        "stat64",
        "statx",
        "sysinfo",
        "tgkill",
        "time",
        "uname",
        "ugetrlimit",
        "umask",
        "unlink",
        "unlinkat",
        "utimensat",
        "utimensat_time64",
        "write",
        "writev",
};

/* Memory that is written is not executed. */
static const char *const without_exec[] = { "mmap", "mmap2", "mprotect" };

static int add_rules(scmp_filter_ctx filter) {
        for (size_t i = 0; i < sizeof(allowed) / sizeof(allowed[0]); i++) {
                /* Not every architecture has every call: EDOM, or -10000 and less for one that libseccomp
                 * emulates. */
                int nr = seccomp_syscall_resolve_name(allowed[i]);
                if (nr == __NR_SCMP_ERROR || nr < 0)
                        continue;
                int r = seccomp_rule_add(filter, SCMP_ACT_ALLOW, nr, 0);
                if (r < 0)
                        return r;
        }
        for (size_t i = 0; i < sizeof(without_exec) / sizeof(without_exec[0]); i++) {
                int nr = seccomp_syscall_resolve_name(without_exec[i]);
                if (nr < 0)
                        continue;
                int r = seccomp_rule_add(
                        filter, SCMP_ACT_ALLOW, nr, 1, SCMP_A2(SCMP_CMP_MASKED_EQ, PROT_EXEC, 0));
                if (r < 0)
                        return r;
        }
        return 0;
}

static int print_filter(scmp_filter_ctx filter) {
        FILE *f = tmpfile();
        struct sock_filter op;

        if (!f)
                return -errno;
        int r = seccomp_export_bpf(filter, fileno(f));
        rewind(f);
        while (r >= 0 && fread(&op, sizeof(op), 1, f) == 1)
                printf("{ 0x%02x, %u, %u, 0x%08x },\n", op.code, op.jt, op.jf, op.k);
        fclose(f);
        return r;
}

int main(void) {
        /* An error rather than death: a call that a library newly makes must not cost a client its answer.
         */
        scmp_filter_ctx filter = seccomp_init(SCMP_ACT_ERRNO(EPERM));
        int r = filter ? seccomp_attr_set(filter, SCMP_FLTATR_CTL_OPTIMIZE, 2) : -ENOMEM;

        if (r >= 0)
                r = add_rules(filter);
        if (r >= 0)
                r = print_filter(filter);
        seccomp_release(filter);
        if (r < 0)
                fprintf(stderr, "make-filter: cannot make the filter: error %i\n", r);
        return r < 0 ? EXIT_FAILURE : EXIT_SUCCESS;
}
