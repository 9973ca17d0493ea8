/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "gdb/compile.h"

#include <fcntl.h>
#include <spawn.h>
#include <sys/wait.h>

#include "common/io.h"
#include "gdb/source.h"
#include "plan/diagnostics.h"
#include "plan/hidden-names.h"

/* Runs it; what it writes to stderr is appended to *err, or, if that is NULL, goes to ours. */
static int run(char **command, Text *err, int *ret_status) {
        posix_spawn_file_actions_t actions;
        char buffer[65536];
        int pipe[2] = { -EBADF, -EBADF }, r;
        ssize_t n;
        pid_t pid;

        if (err && pipe2(pipe, O_CLOEXEC) < 0)
                return -errno;
        (void)posix_spawn_file_actions_init(&actions);
        if (err)
                (void)posix_spawn_file_actions_adddup2(&actions, pipe[1], STDERR_FILENO);
        r = posix_spawnp(&pid, command[0], &actions, NULL, command, environ);
        (void)posix_spawn_file_actions_destroy(&actions);
        pipe[1] = fd_close(pipe[1]);
        while (r == 0 && err && (n = io_read(pipe[0], buffer, sizeof(buffer), USEC_INFINITY)) > 0)
                text_append(err, buffer, (size_t)n);
        pipe[0] = fd_close(pipe[0]);
        if (r != 0)
                return -r;
        return waitpid(pid, ret_status, 0) < 0 ? -errno : 0;
}

/* The host's table names a compiler with its version, "clang++-3.7", that a guest may have in another. Cuts
 * the version off; false if there is none. */
static bool cut_version(char *name) {
        char *dash = strrchr(name, '-');

        if (!dash || !dash[1] || dash[1 + strspn(dash + 1, "0123456789.")])
                return false;
        *dash = '\0';
        return true;
}

static int exit_status(int status) {
        return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

/* Whether the macro fails since it asks for the type of a bit-field, which has none. */
static bool is_bit_field(const Text *err) {
        return strstr(text_string(err), "bit-field") && strstr(text_string(err), "typeof");
}

/* Once more, with a further option. */
static int run_with(char **command, const char *option, Text *err, int *ret_status) {
        _cleanup_free_ char **more = NULL;
        size_t n = 0;

        while (command[n])
                n++;
        more = calloc(n + 2, sizeof(char *));
        if (!more)
                return -ENOMEM;
        memcpy(more, command, n * sizeof(char *));
        more[n] = (char *)option;
        return run(more, err, ret_status);
}

/* With all that the C library has; where it does not help either, the first complaints are the right ones.
 */
static int run_with_all_of_libc(char **command, Text *err, int *status) {
        _cleanup_text_ Text again = {};
        int other, r = run_with(command, "-D_DEFAULT_SOURCE", &again, &other);

        if (r < 0 || exit_status(other) != 0)
                return r;
        *status = other;
        text_move(err, &again);
        return 0;
}

static int write_source(const Source *source) {
        _cleanup_close_ int fd = open(source->name, O_WRONLY | O_TRUNC | O_CLOEXEC);

        if (fd < 0)
                return -errno;
        return io_write(fd, text_string(&source->text), source->text.size, USEC_INFINITY);
}

int compile_run(const char *source_name, char **command) {
        _cleanup_source_ Source source = {};
        _cleanup_text_ Text err = {}, said = {};
        size_t offset = 0;
        unsigned line = 0;
        int status, r;

        if (source_load(source_name, &source) == 0)
                line = source_wrapper(&source, &offset);
        r = run(command, &err, &status);
        if (r == -ENOENT && cut_version(command[0]))
                r = run(command, &err, &status);
        if (r >= 0 && exit_status(status) != 0 && hidden_names_used(&source.text))
                r = run_with_all_of_libc(command, &err, &status);
        if (r < 0)
                return r;
        if (line == 0) {
                (void)io_write(STDERR_FILENO, text_string(&err), err.size, USEC_INFINITY);
                return exit_status(status);
        }
        if (exit_status(status) != 0 && is_bit_field(&err)) {
                text_clear(&err);
                r = run_with(command, "-D__PBOTVM_BIT_FIELD", &err, &status);
                if (r < 0)
                        return r;
        }
        if (exit_status(status) != 0 &&
                diagnostics_have_error(text_string(&err), err.size, source_name, line) &&
                source_unwrap(&source) && write_source(&source) == 0) {
                r = run_with(command, "-Wno-unused-value", NULL, &status);
                return r < 0 ? r : exit_status(status);
        }
        diagnostics_unwrap(
                &said, text_string(&err), err.size, &(DiagnosticsPlace){ source_name, line, offset });
        if (text_failed(&said))
                return -ENOMEM;
        (void)io_write(STDERR_FILENO, said.data, said.size, USEC_INFINITY);
        return exit_status(status);
}
