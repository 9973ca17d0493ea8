/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A guest without a guest: reads one request in the wire's form, runs it here in a scratch directory under
 * the usual limits, and writes the reply. It is for tests of plan and debugger, not a sandbox.
 *
 * usage: guest-local [PATH-ENTRY...]    directories in which programs (pbotvm-gdb) are looked up first
 *
 * Run by root it uses namespaces of its own, with /home/vm/PID as in a guest and sh being bash, and
 * an unprivileged user; else a directory below /tmp. */
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include "common/io.h"
#include "plan/plan.h"

#define TIME_LIMIT (60 * USEC_PER_SEC)
#define OUTPUT_LIMIT ((size_t)1 << 20)
#define FILE_LIMIT 2048000
#define JOB_USER 12345

static bool make_directory(Text *path) {
        bool root = geteuid() == 0 && unshare(CLONE_NEWNS) == 0 &&
                    mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) == 0 &&
                    mount("tmpfs", "/home", "tmpfs", 0, NULL) == 0 && mkdir("/home/vm", 0755) == 0 &&
                    chown("/home/vm", JOB_USER, JOB_USER) == 0;

        if (root && access("/bin/dash", F_OK) == 0)
                (void)mount("/bin/bash", "/bin/dash", NULL, MS_BIND, NULL);
        text_append_printf(path, "%s/%i", root ? "/home/vm" : "/tmp", (int)getpid());
        (void)umask(022);
        if (mkdir(text_string(path), 0755) < 0 || (root && chown(text_string(path), JOB_USER, JOB_USER) < 0))
                return false;
        return true;
}

static int write_file(const char *directory, const char *name, const Text *content) {
        _cleanup_text_ Text path = {};
        _cleanup_close_ int fd = -EBADF;

        text_append_printf(&path, "%s/%s", directory, name);
        fd = open(text_string(&path), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0644);
        if (fd < 0 || fchown(fd, geteuid() == 0 ? JOB_USER : getuid(), (gid_t)-1) < 0)
                return -errno;
        return io_write(fd, content->data, content->size, USEC_INFINITY);
}

static void limit(int what, rlim_t value) {
        (void)setrlimit((__rlimit_resource_t)what, &(struct rlimit){ value, value });
}

/* files: the size of what it may write; a compiler's own files may be larger than a program's. */
/* Whether a directory of PATH has the program. */
static bool is_here(const char *name, const char *path) {
        for (const char *p = path; *p; p += strcspn(p, ":"), p += *p == ':') {
                char file[PATH_MAX];

                (void)snprintf(file, sizeof(file), "%.*s/%s", (int)strcspn(p, ":"), p, name);
                if (access(file, X_OK) == 0)
                        return true;
        }
        return false;
}

static _noreturn_ void run_child(const Step *step, rlim_t files, const char *directory, int in, int out,
        int err, int notes, char **paths) {
        _cleanup_text_ Text path = {};

        (void)setsid();
        if (chdir(directory) < 0 || dup2(in, 0) < 0 || dup2(out, 1) < 0 || dup2(err, 2) < 0 ||
                (step->notes && dup2(notes, NOTES_FD) < 0))
                _exit(126);
        limit(RLIMIT_FSIZE, files);
        limit(RLIMIT_CPU, 8);
        limit(RLIMIT_NPROC, 200);
        limit(RLIMIT_CORE, 0);
        for (char **p = paths; *p; p++)
                text_append_printf(&path, "%s:", *p);
        text_append_string(&path, "/usr/local/bin:/usr/bin:/bin");
        (void)setenv("PATH", text_string(&path), true);
        (void)setenv("HOME", "/home/vm", true);
        (void)setenv("USER", "vm", true);
        (void)setenv("LOGNAME", "vm", true);
        (void)setenv("TERM", "dumb", true);
        (void)unsetenv("LANG");
        (void)unsetenv("LC_ALL");
        for (char **e = step->env; e && *e; e++)
                (void)putenv(*e);
        if (geteuid() == 0 &&
                (setresgid(JOB_USER, JOB_USER, JOB_USER) < 0 || setresuid(JOB_USER, JOB_USER, JOB_USER) < 0))
                _exit(126);
        /* A shell's own command is left to the shell, in whose environment it is. */
        if (step->direct && streq(step->direct[0], "pbotvm-gdb") &&
                is_here(step->argv[0], text_string(&path)))
                execvp(step->direct[0], step->direct);
        execvp(step->argv[0], step->argv);
        _exit(errno == ENOENT ? 127 : 126);
}

static int input_file(const Plan *plan, bool wanted) {
        int fd = memfd_create("input", MFD_CLOEXEC);

        if (fd >= 0 && wanted && io_write(fd, plan->input.data, plan->input.size, USEC_INFINITY) < 0)
                return fd_close(fd);
        if (fd >= 0)
                (void)lseek(fd, 0, SEEK_SET);
        return fd;
}

/* Reads one pipe's share; false at its end. */
static bool collect(int fd, Text *text, uint64_t *truncated) {
        char buffer[65536];
        ssize_t n = read(fd, buffer, sizeof(buffer));
        size_t room = OUTPUT_LIMIT - MIN(OUTPUT_LIMIT, text->size);

        if (n <= 0)
                return false;
        text_append(text, buffer, MIN((size_t)n, room));
        *truncated += (size_t)n - MIN((size_t)n, room);
        return true;
}

static void wait_step(pid_t pid, int out, int err, StepOutcome *step, JobOutcome *outcome) {
        uint64_t deadline = usec_add(now_monotonic(), TIME_LIMIT);
        struct pollfd fds[2] = { { out, POLLIN, 0 }, { err, POLLIN, 0 } };
        struct rusage usage;

        while (fds[0].fd >= 0 || fds[1].fd >= 0) {
                uint64_t now = now_monotonic();
                if (now >= deadline) {
                        outcome->timed_out = true;
                        break;
                }
                if (poll(fds, 2, (int)((deadline - now) / 1000 + 1)) < 0 && errno != EINTR)
                        break;
                for (int i = 0; i < 2; i++)
                        if (fds[i].fd >= 0 && fds[i].revents &&
                                !collect(fds[i].fd, i == 0 ? &step->out : &step->err, &outcome->truncated))
                                fds[i].fd = -1;
        }
        if (outcome->timed_out)
                (void)kill(-pid, SIGKILL);
        if (wait4(pid, &step->status, 0, &usage) == pid)
                outcome->cpu_usec +=
                        (uint64_t)usage.ru_utime.tv_sec * USEC_PER_SEC + (uint64_t)usage.ru_utime.tv_usec;
        step->ended = !outcome->timed_out;
        (void)kill(-pid, SIGKILL);
}

static void run_step(const Plan *plan, size_t i, const char *directory, char **paths, JobOutcome *outcome) {
        StepOutcome *step = &outcome->steps[i];
        _cleanup_close_ int in = input_file(plan, plan->steps[i].stdin_file);
        _cleanup_close_ int notes = fcntl(notes_make(), F_DUPFD_CLOEXEC, 10);
        int out[2], err[2];
        pid_t pid;

        if (in < 0 || notes < 0 || pipe2(out, O_CLOEXEC) < 0 || pipe2(err, O_CLOEXEC) < 0 ||
                (pid = fork()) < 0) {
                step->start_errno = errno;
                return;
        }
        if (pid == 0)
                run_child(&plan->steps[i], plan->compiles && i == 0 ? RLIM_INFINITY : FILE_LIMIT, directory,
                        in, out[1], err[1], notes, paths);
        step->started = true;
        close(out[1]);
        close(err[1]);
        wait_step(pid, out[0], err[0], step, outcome);
        close(out[0]);
        close(err[0]);
        if (step->ended && WIFEXITED(step->status) && WEXITSTATUS(step->status) == 127 &&
                step->err.size == 0) {
                step->start_errno = ENOENT;
                step->ended = false;
        }
        (void)notes_read(notes, step->notes);
}

static int run_request(const Request *request, char **paths, Reply *reply) {
        _cleanup_(plan_freep) Plan *plan = NULL;
        _cleanup_text_ Text directory = {}, error = {};
        JobOutcome outcome = { .output_limit = OUTPUT_LIMIT };
        int r = plan_make(request, &plan, &error);

        if (r == -EBADMSG) {
                text_append_char(&error, '\n');
                text_move(&reply->result, &error);
                reply->present = true;
                return 0;
        }
        if (r < 0)
                return r;
        if (!make_directory(&directory))
                return -errno;
        r = write_file(text_string(&directory), request->sourcefile, &plan->source);
        if (r < 0)
                return r;
        run_step(plan, 0, text_string(&directory), paths, &outcome);
        if (plan_goes_on(plan, &outcome.steps[0]))
                run_step(plan, 1, text_string(&directory), paths, &outcome);
        r = report_make(request, plan, &outcome, reply);
        if (startswith(text_string(&directory), "/tmp/")) {
                _cleanup_text_ Text command = {};
                text_append_printf(&command, "rm -rf '%s'", text_string(&directory));
                (void)!system(text_string(&command));
        }
        for (int i = 0; i < 2; i++)
                step_outcome_done(&outcome.steps[i]);
        return r;
}

static int read_request(RequestReader *reader) {
        char buffer[65536];
        ssize_t n;
        size_t used;
        int r = 0;

        while (r == 0 && (n = io_read(0, buffer, sizeof(buffer), USEC_INFINITY)) > 0)
                r = request_reader_feed(reader, buffer, (size_t)n, &used);
        return r > 0 ? 0 : r < 0 ? r : -ENODATA;
}

static int serve(char **paths) {
        RequestReader reader = {};
        _cleanup_request_ Request request = REQUEST_INIT;
        _cleanup_reply_ Reply reply = {};
        _cleanup_text_ Text error = {}, json = {}, frame = {};
        int r = read_request(&reader);

        if (r == 0)
                r = request_parse(text_string(&reader.content), reader.content.size, &request, &error);
        if (r == -EBADMSG) {
                text_append_char(&error, '\n');
                text_move(&reply.result, &error);
                reply.present = true;
        } else if (r == 0) {
                /* A busy machine: who sets the one limit means the other. */
                if (request.limits.cpu_usec == LIMIT_UNSET)
                        request.limits.cpu_usec = request.limits.wall_usec;
                r = run_request(&request, paths, &reply);
        }
        request_reader_done(&reader);
        if (r < 0 && r != -EBADMSG) {
                (void)fprintf(stderr, "guest-local: %s\n", strerror(-r));
                return 1;
        }
        reply.id = request.id ? strdup(request.id) : NULL;
        if (reply_write(&reply, &json) < 0)
                return 1;
        frame_append_reply(&frame, text_string(&json), json.size);
        return io_write(1, frame.data, frame.size, USEC_INFINITY) < 0;
}

/* Process ids of five digits, as in the golden cases: bash pads shorter ones. */
static void raise_process_ids(void) {
        static const Text start = { .data = (char *)"20000", .size = 5 };
        _cleanup_close_ int fd = open("/proc/sys/kernel/ns_last_pid", O_WRONLY | O_CLOEXEC);

        if (fd >= 0)
                (void)io_write(fd, start.data, start.size, USEC_INFINITY);
}

/* The first process of a pid namespace: nothing of the job outlives it. */
static int serve_apart(char **paths) {
        int status;
        pid_t pid = fork();

        if (pid < 0)
                return 1;
        if (pid == 0) {
                (void)prctl(PR_SET_PDEATHSIG, SIGKILL);
                if (mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0 ||
                        mount("proc", "/proc", "proc", 0, NULL) < 0)
                        _exit(serve(paths));
                raise_process_ids();
                _exit(serve(paths));
        }
        return waitpid(pid, &status, 0) == pid && WIFEXITED(status) ? WEXITSTATUS(status) : 1;
}

int main(int argc _unused_, char **argv) {
        if (geteuid() == 0 && unshare(CLONE_NEWNS | CLONE_NEWPID) == 0)
                return serve_apart(argv + 1);
        return serve(argv + 1);
}
