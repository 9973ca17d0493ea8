/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The child that becomes a step: user vm, without any privilege or way to get one. */
#include "sandbox.h"

#include <fcntl.h>
#include <grp.h>
#include <inttypes.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <sys/prctl.h>
#include <sys/stat.h>

#include "common/io.h"
#include "plan/notes.h"
#include "write-rules.h"

#define PATH_DEFAULT "/usr/local/bin:/usr/bin:/bin:/usr/local/sbin:/usr/sbin:/sbin"

/* Signals are as a shell's child expects them. The agent ignores this one alone (main.c), and what it
 * handles is no more when a program begins. */
static void signals_reset(void) {
        sigset_t none;

        (void)signal(SIGPIPE, SIG_DFL);
        sigemptyset(&none);
        (void)sigprocmask(SIG_SETMASK, &none, NULL);
}

/* Who enters a user namespace has all powers in it, until it is the user. */
static int namespace_enter(const SandboxSpec *spec) {
        if (spec->namespaces.user_fd < 0)
                return 0;
        int r = namespaces_enter_user(spec->namespaces.user_fd, spec->jobs);
        return r < 0 ? r : sandbox_bound_capabilities();
}

static int user_become(const SandboxSpec *spec) {
        const JobUser *user = &spec->namespaces.inside;

        if (setgroups(0, NULL) < 0 || setresgid(user->gid, user->gid, user->gid) < 0 ||
                setresuid(user->uid, user->uid, user->uid) < 0)
                return -errno;
        return prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0 ? -errno : 0;
}

static int directory_enter(const SandboxSpec *spec, const SandboxStep *step) {
        char path[128];

        if (step->home)
                (void)snprintf(path, sizeof(path), "/home/%.64s", spec->user);
        else
                (void)snprintf(path, sizeof(path), "/home/%.64s/%" PRIu64, spec->user, spec->number);
        return chdir(path) < 0 ? -errno : 0;
}

/* Writes a new file in the working directory, as the user. Nothing of the job has run there yet. */
static int file_write(const char *name, const Text *content) {
        if (strchr(name, '/'))
                return -EINVAL;
        _cleanup_close_ int fd = open(name, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0644);
        if (fd < 0)
                return -errno;
        return io_write(fd, text_string(content), content->size, USEC_INFINITY);
}

/* Standard input is a file without a name: the job's directory shows the source alone. */
static int input_file(const Text *content) {
        _cleanup_close_ int fd = open(".", O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
        if (fd < 0)
                return -errno;
        int r = io_write(fd, text_string(content), content->size, USEC_INFINITY);
        if (r < 0)
                return r;
        return lseek(fd, 0, SEEK_SET) < 0 ? -errno : TAKE_FD(fd);
}

static int input_open(const SandboxSpec *spec, const SandboxStep *step) {
        if (step->in_fd >= 0) {
                int fd = fcntl(step->in_fd, F_DUPFD_CLOEXEC, STDERR_FILENO + 1);
                return fd < 0 ? -errno : fd;
        }
        if (step->stdin_file && spec->input)
                return input_file(spec->input);
        int fd = open("/dev/null", O_RDONLY | O_CLOEXEC);
        return fd < 0 ? -errno : fd;
}

/* in and the pipes lie above 2, for 0 to 2 are open in the init: none is overwritten before it is used. */
static int descriptors_place(const SandboxStep *step, int in) {
        if (dup2(in, STDIN_FILENO) < 0 || dup2(step->out_fd, STDOUT_FILENO) < 0 ||
                dup2(step->err_fd, STDERR_FILENO) < 0)
                return -errno;
        if (step->notes_fd == NOTES_FD)
                return fcntl(NOTES_FD, F_SETFD, 0) < 0 ? -errno : 0;
        return step->notes_fd >= 0 && dup2(step->notes_fd, NOTES_FD) < 0 ? -errno : 0;
}

/* Counted for all jobs together, a limit of processes would be reached by one job for another. */
static int limits_set(const SandboxSpec *spec, const SandboxStep *step) {
        ProcessLimits limits = step->limits;

        if (spec->namespaces.user_fd < 0 && !spec->count_processes)
                limits.processes = LIMIT_UNSET;
        return limits_apply(&limits);
}

static int environment_add(char **list, size_t size, size_t *n, const char *entry) {
        if (*n + 1 >= size)
                return -E2BIG;
        list[(*n)++] = (char *)entry;
        list[*n] = NULL;
        return 0;
}

/* Where a shell finds a program: *path, of size bytes. */
static bool program_find(const char *name, char *path, size_t size) {
        struct stat st;

        for (const char *p = PATH_DEFAULT; *p; p += strcspn(p, ":"), p += *p == ':') {
                int n = snprintf(path, size, "%.*s/%s", (int)strcspn(p, ":"), p, name);
                if (n > 0 && (size_t)n < size && stat(path, &st) >= 0 && S_ISREG(st.st_mode) &&
                        access(path, X_OK) >= 0)
                        return true;
        }
        return false;
}

/* Becomes the program as bash would, with what that leaves in the environment. Returns if it cannot: then
 * bash says why. */
static void exec_direct(const SandboxStep *step, char **list, size_t size, size_t n) {
        char path[256], name[sizeof(path) + 2], directory[PATH_MAX + 4] = "PWD=";
        const size_t before = n;

        /* What is not here is told by its own name. */
        if (step->argv[0][0] != '/' && !program_find(step->argv[0], path, sizeof(path)))
                return;
        if (!program_find(step->direct[0], path, sizeof(path)) ||
                !getcwd(directory + strlen(directory), PATH_MAX))
                return;
        (void)snprintf(name, sizeof(name), "_=%s", path);
        if (environment_add(list, size, &n, directory) >= 0 &&
                environment_add(list, size, &n, "SHLVL=0") >= 0 &&
                environment_add(list, size, &n, name) >= 0)
                (void)execve(path, step->direct, list);
        list[before] = NULL;
}

static int exec(const SandboxSpec *spec, const SandboxStep *step) {
        char *list[128] = {}, home[128], user[128], logname[128];
        size_t n = 0;
        int r = 0;

        (void)snprintf(home, sizeof(home), "HOME=/home/%.64s", spec->user);
        (void)snprintf(user, sizeof(user), "USER=%.64s", spec->user);
        (void)snprintf(logname, sizeof(logname), "LOGNAME=%.64s", spec->user);

        const char *const base[] = { "PATH=" PATH_DEFAULT, home, user, logname, "SHELL=/bin/bash",
                "LANG=C.UTF-8", "TERM=dumb" };
        for (size_t i = 0; r >= 0 && i < ELEMENTSOF(base); i++)
                r = environment_add(list, ELEMENTSOF(list), &n, base[i]);
        for (size_t i = 0; r >= 0 && step->env && step->env[i]; i++)
                r = environment_add(list, ELEMENTSOF(list), &n, step->env[i]);
        if (r < 0)
                return r;

        if (step->direct)
                exec_direct(step, list, ELEMENTSOF(list), n);
        environ = list;
        (void)execvp(step->argv[0], step->argv);
        return -errno;
}

int sandbox_step(const SandboxSpec *spec, const SandboxStep *step) {
        signals_reset();
        (void)umask(022);
        (void)setsid();

        int r = namespace_enter(spec);
        if (r >= 0)
                r = user_become(spec);
        if (r >= 0)
                r = directory_enter(spec, step);
        /* Before the limits: the source may be larger than the files that the program may write. */
        if (r >= 0 && step->write_files && spec->source_name)
                r = file_write(spec->source_name, spec->source);
        int in = -EBADF;
        if (r >= 0)
                r = in = input_open(spec, step);
        if (r >= 0)
                r = limits_set(spec, step);
        if (r >= 0)
                r = descriptors_place(step, in);
        if (r >= 0 && spec->write_rules)
                r = write_rules_apply();
        if (r >= 0)
                r = seccomp_filter_apply(spec->filter);
        if (r >= 0)
                r = exec(spec, step);
        return r;
}
