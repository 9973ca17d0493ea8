/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A confined process can do a handler's work and nothing else. Each check runs in a child, since there is no
 * way back. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <arpa/inet.h>
#include <cmocka.h>
#include <dlfcn.h>
#include <fcntl.h>
#include <linux/landlock.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include "common/io.h"
#include "handler/confine.h"

static char the_dir[40], state_dir[60], languages_dir[60], language_file[80], outside_file[60];

static void write_file(const char *path) {
        FILE *f = fopen(path, "w");
        assert_non_null(f);
        fputs("x", f);
        fclose(f);
}

static int make_dirs(void **state) {
        (void)state;
        strcpy(the_dir, "/tmp/test-confine-XXXXXX");
        if (!mkdtemp(the_dir))
                return -1;
        snprintf(state_dir, sizeof(state_dir), "%s/state", the_dir);
        snprintf(languages_dir, sizeof(languages_dir), "%s/languages", the_dir);
        snprintf(language_file, sizeof(language_file), "%s/sh.json", languages_dir);
        snprintf(outside_file, sizeof(outside_file), "%s/outside", the_dir);
        if (mkdir(state_dir, 0700) < 0 || mkdir(languages_dir, 0700) < 0)
                return -1;
        write_file(language_file);
        write_file(outside_file);
        return 0;
}

static int remove_dirs(void **state) {
        char command[80];

        (void)state;
        snprintf(command, sizeof(command), "rm -rf %s", the_dir);
        return system(command);
}

static int apply(int abi, Confined *confined) {
        const char *const read_only[] = { languages_dir, "/nonexistent", NULL }, *const read_write[] = {
                state_dir, NULL
        };
        const Confinement c = {
                .read_only = read_only, .read_write = read_write, .file_bytes = 4096, .landlock_abi = abi
        };
        return confine(&c, confined);
}

static int wait_for(pid_t pid) {
        int status;

        assert_int_equal(waitpid(pid, &status, 0), pid);
        return WIFEXITED(status) ? WEXITSTATUS(status) : 200 + WTERMSIG(status);
}

/* Runs check confined in a child: its exit status, 0 for success. */
static int in_child(int abi, int (*check)(void)) {
        pid_t pid = fork();

        assert_true(pid >= 0);
        if (pid == 0) {
                Confined confined;
                int r = apply(abi, &confined);
                _exit(r < 0 || !confined.seccomp || confine_code() < 0 ? 100 : check());
        }
        return wait_for(pid);
}

/* The first step alone. */
static int in_child_first(int abi, int (*check)(void)) {
        pid_t pid = fork();

        assert_true(pid >= 0);
        if (pid == 0) {
                Confined confined;
                int r = apply(abi, &confined);
                _exit(r < 0 || !confined.seccomp ? 100 : check());
        }
        return wait_for(pid);
}

/* Landlock alone. */
static int in_child_landlock(int abi, int (*check)(void)) {
        pid_t pid = fork();

        assert_true(pid >= 0);
        if (pid == 0) {
                const Confinement c = { .file_bytes = 4096, .landlock_abi = abi, .without_seccomp = true };
                Confined confined;
                int r = confine(&c, &confined);
                _exit(r < 0 || confined.landlock != abi || confined.seccomp ? 100 : check());
        }
        return wait_for(pid);
}

static int fails_with(long result, int error) {
        return result < 0 && errno == error ? 0 : 1;
}

/* The kernel's interface, of those that are used. */
static int landlock_abi(void) {
        long abi = syscall(SYS_landlock_create_ruleset, NULL, 0, LANDLOCK_CREATE_RULESET_VERSION);

        return (int)MIN(abi, (long)CONFINE_LANDLOCK_ABI);
}

static int work_in_state(void) {
        char path[100], other[100];

        snprintf(path, sizeof(path), "%s/sub", state_dir);
        if (mkdir(path, 0700) < 0 && errno != EEXIST)
                return 1;
        snprintf(path, sizeof(path), "%s/sub/file", state_dir);
        snprintf(other, sizeof(other), "%s/sub/other", state_dir);
        int fd = open(path, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
        if (fd < 0 || write(fd, "x", 1) != 1 || fdatasync(fd) < 0 || ftruncate(fd, 0) < 0)
                return 2;
        if (rename(path, other) < 0 || unlink(other) < 0)
                return 3;
        fd = open(language_file, O_RDONLY | O_CLOEXEC);
        char c;
        if (fd < 0 || read(fd, &c, 1) != 1)
                return 4;
        void *p = mmap(NULL, 1 << 20, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
        return p == MAP_FAILED ? 5 : 0;
}

static int write_outside(void) {
        return fails_with(open(outside_file, O_WRONLY | O_CLOEXEC), EACCES);
}

static int read_outside(void) {
        return fails_with(open("/etc/passwd", O_RDONLY | O_CLOEXEC), EACCES);
}

static int open_device(void) {
        return fails_with(open("/dev/null", O_RDONLY | O_CLOEXEC), EACCES);
}

static int write_language(void) {
        return fails_with(open(language_file, O_WRONLY | O_CLOEXEC), EACCES);
}

static int create_language(void) {
        char path[100];
        snprintf(path, sizeof(path), "%s/new.json", languages_dir);
        return fails_with(open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0600), EACCES);
}

static int open_socket(void) {
        static const int families[] = { AF_UNIX, AF_INET, AF_INET6, AF_VSOCK, AF_NETLINK, AF_PACKET };

        for (size_t i = 0; i < ELEMENTSOF(families); i++)
                if (fails_with(socket(families[i], SOCK_STREAM, 0), EPERM))
                        return (int)i + 1;
        return 0;
}

static int run_program(void) {
        char *arguments[] = { (char *)"true", NULL };

        (void)execv("/bin/true", arguments);
        return errno == EPERM ? 0 : 1;
}

static int make_process(void) {
        return fails_with(syscall(SYS_clone, 0, 0, 0, 0, 0), EPERM);
}

static int map_code(void) {
        void *p = mmap(NULL, 4096, PROT_READ | PROT_WRITE | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
        if (p != MAP_FAILED || errno != EPERM)
                return 1;
        p = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
        if (p == MAP_FAILED)
                return 2;
        return fails_with(mprotect(p, 4096, PROT_READ | PROT_EXEC), EPERM);
}

static int look_at_others(void) {
        if (fails_with(syscall(SYS_ptrace, 0, 0, 0, 0), EPERM) ||
                fails_with(syscall(SYS_kill, getppid(), 0), EPERM))
                return 1;
        return fails_with(syscall(SYS_bpf, 0, 0, 0), EPERM) ||
               fails_with(syscall(SYS_io_uring_setup, 1, NULL), EPERM);
}

/* All handlers are of one user: what takes a process's number is out of reach, or is about oneself. */
static int reach_others(void) {
        struct rlimit l = { 1, 1 };

        if (fails_with(syscall(SYS_prlimit64, getppid(), RLIMIT_NOFILE, NULL, &l), EPERM) ||
                fails_with(syscall(SYS_prlimit64, getppid(), RLIMIT_CPU, &l, NULL), EPERM))
                return 1;
        if (fails_with(syscall(SYS_prlimit64, 0, RLIMIT_CPU, &l, NULL), EPERM) ||
                syscall(SYS_prlimit64, 0, RLIMIT_CPU, NULL, &l) < 0)
                return 2;
        if (fails_with(syscall(SYS_tgkill, getppid(), getppid(), 0), EPERM) ||
                fails_with(syscall(SYS_tkill, getppid(), 0), EPERM))
                return 3;
        if (fails_with(fcntl(STDIN_FILENO, F_SETOWN, getppid()), EPERM) ||
                fails_with(fcntl(STDIN_FILENO, F_SETSIG, SIGKILL), EPERM))
                return 4;
        if (fcntl(STDIN_FILENO, F_GETFL) < 0 || fcntl(STDIN_FILENO, F_DUPFD_CLOEXEC, 3) < 0)
                return 5;
        return 0;
}

/* Who must die does, though it may not raise a signal. */
static int die(void) {
        (void)signal(SIGSEGV, SIG_DFL); /* cmocka has its own */
        abort();
}

static int map_library(void) {
        void *library = dlopen("libz.so.1", RTLD_NOW | RTLD_LOCAL);

        return library && dlsym(library, "zlibVersion") ? 0 : 1;
}

static int map_no_library(void) {
        return map_library() == 1 ? 0 : 1;
}

static int truncate_outside(void) {
        return fails_with(truncate(outside_file, 0), EACCES);
}

/* Nobody listens there: who may connect is refused by nobody but the kernel. */
static int connect_tcp(void) {
        struct sockaddr_in a = {
                .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK), .sin_port = htons(1)
        };
        int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

        if (fd < 0 || fails_with(connect(fd, (struct sockaddr *)&a, sizeof(a)), EACCES))
                return 1;
        a.sin_port = 0;
        return fails_with(bind(fd, (struct sockaddr *)&a, sizeof(a)), EACCES);
}

static int signal_parent(void) {
        return fails_with(kill(getppid(), 0), EPERM);
}

static int fill_file(void) {
        char path[100], data[8192] = {};

        snprintf(path, sizeof(path), "%s/large", state_dir);
        int fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
        ssize_t n = write(fd, data, sizeof(data));
        if (n != 4096)
                return 1;
        return fails_with(write(fd, data, 1), EFBIG);
}

static int limits(void) {
        struct rlimit l;

        if (getrlimit(RLIMIT_CORE, &l) < 0 || l.rlim_max != 0)
                return 1;
        return getrlimit(RLIMIT_NOFILE, &l) < 0 || l.rlim_max > 64 ? 2 : 0;
}

static void test_a_handlers_work_goes_on(void **state) {
        (void)state;
        for (int abi = 0; abi <= CONFINE_LANDLOCK_ABI; abi++)
                assert_int_equal(in_child(abi, work_in_state), 0);
}

/* With the oldest interface and with each newer one. */
static void test_files_outside_are_out_of_reach(void **state) {
        (void)state;
        int (*const checks[])(
                void) = { write_outside, read_outside, open_device, write_language, create_language };

        assert_true(landlock_abi() > 0);
        for (int abi = 1; abi <= landlock_abi(); abi++)
                for (size_t i = 0; i < ELEMENTSOF(checks); i++)
                        assert_int_equal(in_child(abi, checks[i]), 0);
}

/* Without Landlock, of which the newer interfaces refuse some of it too. */
static void test_calls_that_it_never_makes(void **state) {
        (void)state;
        int (*const checks[])(void) = { open_socket, run_program, make_process, map_code, look_at_others,
                reach_others, fill_file, limits };

        for (size_t i = 0; i < ELEMENTSOF(checks); i++)
                for (int first = 0; first < 2; first++) {
                        int r = first ? in_child_first(0, checks[i]) : in_child(0, checks[i]);
                        if (r != 0)
                                fail_msg("check %zu failed: %i", i, r);
                }
        int r = in_child(CONFINE_LANDLOCK_ABI, die);
        assert_true(r == 200 + SIGSEGV || r == 200 + SIGABRT || r == 200 + SIGILL);
}

/* The first step lets the formatter's library in, the second lets nothing in. */
static void test_code_comes_in_the_first_step(void **state) {
        (void)state;
        assert_int_equal(in_child_first(CONFINE_LANDLOCK_ABI, map_library), 0);
        assert_int_equal(in_child(CONFINE_LANDLOCK_ABI, map_no_library), 0);
}

/* Each newer interface of Landlock refuses what the one before it let through. */
static void test_newer_interfaces(void **state) {
        static const struct {
                int abi;
                int (*check)(void);
        } cases[] = { { 3, truncate_outside }, { 4, connect_tcp }, { 6, signal_parent } };
        size_t n = 0;

        (void)state;
        for (size_t i = 0; i < ELEMENTSOF(cases); i++) {
                if (cases[i].abi > landlock_abi())
                        continue;
                assert_int_equal(in_child_landlock(cases[i].abi, cases[i].check), 0);
                assert_int_equal(in_child_landlock(cases[i].abi - 1, cases[i].check), 1);
                write_file(outside_file);
                n++;
        }
        print_message("%zu of %zu, interface %i\n", n, ELEMENTSOF(cases), landlock_abi());
}

/* What is said of it is so: without Landlock files are open, and confine() tells. */
static int no_landlock(void) {
        return open(outside_file, O_RDONLY | O_CLOEXEC) >= 0 ? 0 : 1;
}

static void test_without_landlock(void **state) {
        (void)state;
        assert_int_equal(in_child(0, no_landlock), 0);
}

static void test_it_is_quick(void **state) {
        (void)state;
        uint64_t best = USEC_INFINITY;

        for (int i = 0; i < 20; i++) {
                int pipes[2];
                uint64_t took = 0;
                assert_return_code(pipe(pipes), errno);
                pid_t pid = fork();
                if (pid == 0) {
                        Confined confined;
                        uint64_t began = now_monotonic();
                        (void)apply(CONFINE_LANDLOCK_ABI, &confined);
                        (void)confine_code();
                        took = now_monotonic() - began;
                        _exit(write(pipes[1], &took, sizeof(took)) == sizeof(took) ? 0 : 1);
                }
                assert_int_equal(read(pipes[0], &took, sizeof(took)), sizeof(took));
                waitpid(pid, NULL, 0);
                close(pipes[0]);
                close(pipes[1]);
                best = MIN(best, took);
        }
        print_message("confined in %llu us\n", (unsigned long long)best);
        assert_true(best < 2 * USEC_PER_MSEC);
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_a_handlers_work_goes_on),
                cmocka_unit_test(test_files_outside_are_out_of_reach),
                cmocka_unit_test(test_calls_that_it_never_makes),
                cmocka_unit_test(test_code_comes_in_the_first_step),
                cmocka_unit_test(test_newer_interfaces),
                cmocka_unit_test(test_without_landlock),
                cmocka_unit_test(test_it_is_quick),
        };
        return cmocka_run_group_tests(tests, make_dirs, remove_dirs);
}
