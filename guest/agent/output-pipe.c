/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "output-pipe.h"

#include <fcntl.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <termios.h>

#include "common/io.h"

static void close_own(OutputPipe *pipe) {
        pipe->source = sd_event_source_disable_unref(pipe->source);
        pipe->fd = fd_close(pipe->fd);
}

static int on_readable(_unused_ sd_event_source *source, int fd, _unused_ uint32_t events, void *userdata) {
        OutputPipe *pipe = userdata;

        ssize_t n = output_read(fd, pipe->budget, pipe->text);
        if (n == -EAGAIN)
                return 0;
        if (n <= 0)
                close_own(pipe);
        pipe->news(pipe, pipe->userdata);
        return 0;
}

/* A terminal that changes nothing of what is written: ours is the first end. */
static int terminal_open(int fds[2]) {
        _cleanup_close_ int master = posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC);
        struct termios settings;

        if (master < 0 || unlockpt(master) < 0)
                return -errno;
        _cleanup_close_ int slave = ioctl(master, TIOCGPTPEER, O_RDWR | O_NOCTTY | O_CLOEXEC);
        if (slave < 0 || tcgetattr(slave, &settings) < 0)
                return -errno;
        cfmakeraw(&settings);
        if (tcsetattr(slave, TCSANOW, &settings) < 0)
                return -errno;
        fds[0] = TAKE_FD(master);
        fds[1] = TAKE_FD(slave);
        return 0;
}

int output_pipe_open(OutputPipe *pipe, sd_event *event, bool terminal, OutputBudget *budget, Text *text,
        OutputPipeNews news, void *userdata) {
        int fds[2], r;

        *pipe = OUTPUT_PIPE_INIT;
        /* Where there are no terminals, what is printed comes late, but it comes. */
        if ((!terminal || terminal_open(fds) < 0) && pipe2(fds, O_CLOEXEC) < 0)
                return -errno;
        *pipe = (OutputPipe){
                .fd = fds[0],
                .child_fd = fds[1],
                .budget = budget,
                .text = text,
                .news = news,
                .userdata = userdata,
        };
        /* The pipe is ours, and the job's user opens /dev/stdout and /dev/stderr by name: to write alone. */
        if (fchmod(pipe->child_fd, 0222) < 0)
                return -errno;
        r = fd_set_nonblocking(pipe->fd, true);
        if (r < 0)
                return r;
        return sd_event_add_io(event, &pipe->source, pipe->fd, EPOLLIN, on_readable, pipe);
}

void output_pipe_drain(OutputPipe *pipe) {
        if (pipe->fd >= 0)
                output_drain(pipe->fd, pipe->budget, pipe->text);
        close_own(pipe);
}

void output_pipe_close_child(OutputPipe *pipe) {
        pipe->child_fd = fd_close(pipe->child_fd);
}

void output_pipe_close(OutputPipe *pipe) {
        close_own(pipe);
        output_pipe_close_child(pipe);
}
