/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Waiting that a person may interrupt (SIGINT, SIGTERM), for verbs that then have something to undo. */

#include "ctl/ctl.h"

/* From now on the signals are told by the descriptor that is returned, alone; or negative errno. */
int interrupt_open(void);
/* Whether one has come; it stays. */
bool interrupt_seen(int fd);
/* Sleeps: 0, or -EINTR. */
int interrupt_sleep(int fd, uint64_t usec);
/* As ctl_call(), or -EINTR: the reply is not waited for any more then. tick() is called about once a second
 * meanwhile. */
int interrupt_call(Ctl *ctl, int fd, sd_bus_message *message, uint64_t timeout_usec, const char *what,
        void (*tick)(void *userdata), void *userdata);
