/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Writes one of the handler's seccomp filters to its stdout as an initialiser, when pbotvm is built: loading
 * libseccomp and compiling the filter would cost every request more than all the rest of its confinement.
 *
 * make-filter calls: what is allowed from before the line is looked at. make-filter code: forbids to map
 * code, from when the formatter's library is loaded; it is added to the first. */

#include <fcntl.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <errno.h>
#include <unistd.h>

#include <seccomp.h>

/* What a handler does once its connections are open. No socket(), no connect(), no exec, no fork, and
 * nothing that takes another process's number: all handlers are one user. An abort() that may not raise its
 * signal dies of its next step. */
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

/* Some calls are allowed with some arguments. */
typedef struct Rule {
        const char *name;
        unsigned n;
        struct scmp_arg_cmp when[2];
} Rule;

#define ARGUMENT_IS(n, value)                                                                               \
        { .arg = (n), .op = SCMP_CMP_EQ, .datum_a = (value) }
#define ARGUMENT_HAS(n, mask, value)                                                                        \
        { .arg = (n), .op = SCMP_CMP_MASKED_EQ, .datum_a = (mask), .datum_b = (value) }

/* Others of fcntl()'s commands have the kernel send signals to whom one likes. */
#define FCNTL(command)                                                                                      \
        { "fcntl", 1, { ARGUMENT_IS(1, command) } }, {                                                      \
                "fcntl64", 1, {                                                                             \
                        ARGUMENT_IS(1, command)                                                             \
                }                                                                                           \
        }

/* Memory that is written is not executed: code comes from files. Limits are read, one's own. */
static const Rule allowed_when[] = {
        FCNTL(F_DUPFD),
        FCNTL(F_DUPFD_CLOEXEC),
        FCNTL(F_GETFD),
        FCNTL(F_SETFD),
        FCNTL(F_GETFL),
        FCNTL(F_SETFL),
        FCNTL(F_ADD_SEALS),
        FCNTL(F_GET_SEALS),
        { "mmap", 1, { ARGUMENT_HAS(2, PROT_EXEC, 0) } },
        { "mmap2", 1, { ARGUMENT_HAS(2, PROT_EXEC, 0) } },
        { "mmap", 2,
                { ARGUMENT_HAS(2, PROT_EXEC | PROT_WRITE, PROT_EXEC), ARGUMENT_HAS(3, MAP_ANONYMOUS, 0) } },
        { "mmap2", 2,
                { ARGUMENT_HAS(2, PROT_EXEC | PROT_WRITE, PROT_EXEC), ARGUMENT_HAS(3, MAP_ANONYMOUS, 0) } },
        { "mprotect", 1, { ARGUMENT_HAS(2, PROT_EXEC, 0) } },
        /* For the second filter: one more only takes away. */
        { "prctl", 2, { ARGUMENT_IS(0, PR_SET_SECCOMP), ARGUMENT_IS(1, SECCOMP_MODE_FILTER) } },
        { "prlimit64", 2, { ARGUMENT_IS(0, 0), ARGUMENT_IS(2, 0) } },
        {},
};

static const Rule forbidden_when[] = {
        { "mmap", 1, { ARGUMENT_HAS(2, PROT_EXEC, PROT_EXEC) } },
        { "mmap2", 1, { ARGUMENT_HAS(2, PROT_EXEC, PROT_EXEC) } },
        {},
};

/* Not every architecture has every call: EDOM, or -10000 and less for one that libseccomp emulates. */
static int add_rule(scmp_filter_ctx filter, uint32_t action, const Rule *rule) {
        int nr = seccomp_syscall_resolve_name(rule->name);

        return nr < 0 ? 0 : seccomp_rule_add_array(filter, action, nr, rule->n, rule->when);
}

static int add_rules(scmp_filter_ctx filter, uint32_t action, const Rule *rules) {
        int r = 0;

        for (; r >= 0 && rules->name; rules++)
                r = add_rule(filter, action, rules);
        return r;
}

static int add_allowed(scmp_filter_ctx filter) {
        int r = 0;

        for (size_t i = 0; r >= 0 && i < sizeof(allowed) / sizeof(allowed[0]); i++)
                r = add_rule(filter, SCMP_ACT_ALLOW, &(Rule){ allowed[i] });
        return r >= 0 ? add_rules(filter, SCMP_ACT_ALLOW, allowed_when) : r;
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

/* An error rather than death: a call that a library newly makes must not cost a client its answer. */
#define REFUSE SCMP_ACT_ERRNO(EPERM)

int main(int argc, char *argv[]) {
        bool calls = argc == 2 && strcmp(argv[1], "calls") == 0;

        if (!calls && (argc != 2 || strcmp(argv[1], "code") != 0)) {
                fputs("make-filter: expected \"calls\" or \"code\"\n", stderr);
                return 2;
        }
        scmp_filter_ctx filter = seccomp_init(calls ? REFUSE : SCMP_ACT_ALLOW);
        int r = filter ? seccomp_attr_set(filter, SCMP_FLTATR_CTL_OPTIMIZE, 2) : -ENOMEM;

        if (r >= 0)
                r = calls ? add_allowed(filter) : add_rules(filter, REFUSE, forbidden_when);
        if (r >= 0)
                r = print_filter(filter);
        seccomp_release(filter);
        if (r < 0)
                fprintf(stderr, "make-filter: cannot make the filter: error %i\n", r);
        return r < 0 ? EXIT_FAILURE : EXIT_SUCCESS;
}
