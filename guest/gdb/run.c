/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "gdb/run.h"

#include <fcntl.h>
#include <spawn.h>
#include <sys/wait.h>

#include "common/io.h"
#include "plan/words.h"

int run_command(char **command, Text *err, int *ret_status) {
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

size_t unversioned_size(const char *name) {
        const char *dash = strrchr(name, '-');

        return !dash || !dash[1] || dash[1 + strspn(dash + 1, "0123456789.")] ? strlen(name)
                                                                              : (size_t)(dash - name);
}

/* False if the name has no version. */
static bool cut_version(char *name) {
        char *version = name + unversioned_size(name);

        if (!*version)
                return false;
        *version = '\0';
        return true;
}

int run_compiler(char **command, Text *err, int *ret_status) {
        int r = run_command(command, err, ret_status);

        return r == -ENOENT && cut_version(command[0]) ? run_command(command, err, ret_status) : r;
}

int run_compiler_with(char **command, char **options, Text *err, int *ret_status) {
        _cleanup_free_ char **more = NULL;
        size_t n = 0, k = 0;

        while (command[n])
                n++;
        while (options[k])
                k++;
        more = calloc(n + k + 1, sizeof(char *));
        if (!more)
                return -ENOMEM;
        memcpy(more, command, n * sizeof(char *));
        memcpy(more + n, options, k * sizeof(char *));
        return run_compiler(more, err, ret_status);
}

int exit_status(int status) {
        return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}
