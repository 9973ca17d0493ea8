/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "journal.h"

#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <sys/epoll.h>
#include <sys/wait.h>

#include "common/io.h"

#define RETRY_TICKS 60

struct Journal {
        sd_event *event;
        const char *const *command;
        JournalTell tell;
        void *userdata;

        pid_t pid; /* 0: it does not run */
        int fd;
        sd_event_source *source;
        unsigned wait; /* ticks until it is started again */

        char line[JOURNAL_LINE_MAX + 1];
        size_t size; /* of the line that comes in; what is longer is cut */
        char held[JOURNAL_HELD_MAX][JOURNAL_LINE_MAX + 1];
        size_t n_held, n_told; /* of all that were ever held */
        unsigned budget;
};

/* Where the unit lets the agent see processes alone (ProcSubset=), journalctl finds no boot's id: it has a
 * /proc of its own, if it may. */
static const char *const journalctl[] = { "unshare", "--mount", "sh", "-c",
        "mount -t proc proc /proc 2>/dev/null; exec journalctl --follow --lines=0 --priority=warning "
        "--output=short-monotonic --no-hostname --quiet",
        NULL };

static void stop(Journal *journal) {
        journal->source = sd_event_source_disable_unref(journal->source);
        journal->fd = fd_close(journal->fd);
        if (journal->pid > 0) {
                (void)kill(journal->pid, SIGKILL);
                while (waitpid(journal->pid, NULL, 0) < 0 && errno == EINTR)
                        ;
        }
        journal->pid = 0;
        journal->size = 0;
        journal->wait = RETRY_TICKS;
}

static void tell_held(Journal *journal) {
        if (journal->n_held - journal->n_told > JOURNAL_HELD_MAX)
                journal->n_told = journal->n_held - JOURNAL_HELD_MAX;
        for (; journal->budget > 0 && journal->n_told < journal->n_held; journal->budget--)
                journal->tell(journal->held[journal->n_told++ % JOURNAL_HELD_MAX], journal->userdata);
}

static void line_ended(Journal *journal) {
        journal->line[journal->size] = '\0';
        if (journal->size > 0)
                memcpy(journal->held[journal->n_held++ % JOURNAL_HELD_MAX], journal->line,
                        sizeof(journal->line));
        journal->size = 0;
        tell_held(journal);
}

static int on_io(sd_event_source *source _unused_, int fd, uint32_t revents _unused_, void *userdata) {
        Journal *journal = userdata;
        char buffer[4096];

        ssize_t n = read(fd, buffer, sizeof(buffer));
        if (n < 0 && (errno == EAGAIN || errno == EINTR))
                return 0;
        if (n <= 0) {
                stop(journal);
                return 0;
        }
        for (ssize_t i = 0; i < n; i++)
                if (buffer[i] == '\n')
                        line_ended(journal);
                else if (journal->size < JOURNAL_LINE_MAX)
                        journal->line[journal->size++] =
                                buffer[i] >= ' ' && buffer[i] <= '~' ? buffer[i] : '?';
        return 0;
}

/* The agent's signals are blocked, for its loop. */
static int spawn(Journal *journal, int output) {
        posix_spawn_file_actions_t actions;
        posix_spawnattr_t attributes;
        sigset_t none;

        sigemptyset(&none);
        (void)posix_spawn_file_actions_init(&actions);
        (void)posix_spawnattr_init(&attributes);
        int r = posix_spawn_file_actions_adddup2(&actions, output, STDOUT_FILENO);
        if (r == 0)
                r = posix_spawnattr_setsigmask(&attributes, &none);
        if (r == 0)
                r = posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSIGMASK);
        if (r == 0)
                r = posix_spawnp(&journal->pid, journal->command[0], &actions, &attributes,
                        (char *const *)journal->command, environ);
        (void)posix_spawnattr_destroy(&attributes);
        (void)posix_spawn_file_actions_destroy(&actions);
        if (r != 0)
                journal->pid = 0;
        return -r;
}

static int start(Journal *journal) {
        int pipe[2];

        if (pipe2(pipe, O_CLOEXEC) < 0)
                return -errno;
        int r = spawn(journal, pipe[1]);
        fd_close(pipe[1]);
        journal->fd = pipe[0];
        if (r >= 0)
                r = fd_set_nonblocking(journal->fd, true);
        if (r >= 0)
                r = sd_event_add_io(journal->event, &journal->source, journal->fd, EPOLLIN, on_io, journal);
        if (r < 0)
                stop(journal);
        return r;
}

int journal_new(
        sd_event *event, const char *const *command, JournalTell tell, void *userdata, Journal **ret) {
        Journal *journal = calloc(1, sizeof(*journal));
        if (!journal)
                return -ENOMEM;

        journal->event = sd_event_ref(event);
        journal->command = command ?: journalctl;
        journal->tell = tell;
        journal->userdata = userdata;
        journal->fd = -EBADF;
        journal->budget = JOURNAL_LINES_PER_SECOND;
        /* Where there is no journalctl, there is no journal. */
        (void)start(journal);
        *ret = journal;
        return 0;
}

Journal *journal_free(Journal *journal) {
        if (!journal)
                return NULL;
        stop(journal);
        sd_event_unref(journal->event);
        free(journal);
        return NULL;
}

void journal_tick(Journal *journal) {
        journal->budget = JOURNAL_LINES_PER_SECOND;
        tell_held(journal);
        if (journal->pid == 0 && (journal->wait == 0 || --journal->wait == 0))
                (void)start(journal);
}
