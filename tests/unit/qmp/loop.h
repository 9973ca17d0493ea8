/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* A client of a monitor, and what it was told. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "qmp/qmp.h"

typedef struct Told {
        sd_event *event;
        Qmp *qmp;
        unsigned ready, closed;
        int error;      /* of closed() */
        Text events;    /* "NAME DATA's member of interest," */
        Text ends;      /* of commands: "TAG RESULT," in their order */
        char why[300];  /* the last words of either */
        char value[64]; /* of the last answer: its member "status", "version", or the answer if a string */
        bool frees;     /* in the next done */
} Told;

void told_setup(Told *told);
void told_done(Told *told);
extern const QmpHooks told_hooks; /* userdata is still to be set */

/* Sends a command; its end is noted under the tag, one character. */
int told_call(Told *told, char tag, const char *command, const char *arguments, int fd, uint64_t timeout);
/* Runs the loop until the condition holds, at most 20 s. */
#define told_until(told, condition)                                                                         \
        do {                                                                                                \
                uint64_t _end = told_now() + 20 * USEC_PER_SEC;                                             \
                while (!(condition)) {                                                                      \
                        assert_true(told_now() < _end);                                                     \
                        assert_true(sd_event_run((told)->event, 20 * USEC_PER_MSEC) >= 0);                  \
                }                                                                                           \
        } while (false)
uint64_t told_now(void);
