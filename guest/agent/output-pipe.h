/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* A pipe for what a step prints, or a terminal for languages that keep their output back from a pipe: the
 * step gets one end, what comes out of the other is kept in a text. */

#include <systemd/sd-event.h>

#include "output.h"

typedef struct OutputPipe OutputPipe;

/* Called after something was read, or nobody can write any more: pipe->fd is -EBADF then. */
typedef void (*OutputPipeNews)(const OutputPipe *pipe, void *userdata);

struct OutputPipe {
        int fd;       /* our end; -EBADF after the end of file */
        int child_fd; /* the step's end */
        OutputBudget *budget;
        Text *text;
        sd_event_source *source;
        OutputPipeNews news;
        void *userdata;
};

#define OUTPUT_PIPE_INIT ((OutputPipe){ .fd = -EBADF, .child_fd = -EBADF })

/* Makes the pipe and reads it as part of the event loop, as much as the budget allows, into *text; both stay
 * the caller's. 0 or a negative errno; output_pipe_close() in either case. */
int output_pipe_open(OutputPipe *pipe, sd_event *event, bool terminal, OutputBudget *budget, Text *text,
        OutputPipeNews news, void *userdata);

/* Reads what is there, without waiting and without telling of it, and closes our end. */
void output_pipe_drain(OutputPipe *pipe);

/* Closes the step's end here: once the step has it, the end of file is the step's. */
void output_pipe_close_child(OutputPipe *pipe);
void output_pipe_close(OutputPipe *pipe);
