/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* A bus with nobody on it but a watchdog, a paste service and perhaps systemd, in a thread, and a guest
 * behind the leases: for tests of the handler without a bus daemon. */

#include <pthread.h>

#include "common/text.h"

/* What the next Lease() does. */
typedef struct FakeStep {
        const char *error;   /* refused with this name (behind org.pbot.VM1.Error.), or NULL */
        const char *message; /* of the error */
        unsigned delay_msec; /* before it is answered */
        bool waits;          /* it is not answered */
        const char *guest;   /* info.guest */
        const char *transport;
        uint64_t timeout_usec;
        bool dead;         /* the descriptor's other end is closed at once */
        bool silent;       /* the guest answers nothing */
        const char *reply; /* the guest's bytes; %ID% stands for the request's id; NULL: EOF behind the
                              request */
} FakeStep;

typedef struct FakeWatchdog {
        char directory[32];
        char address[80];      /* for DBUS_SYSTEM_BUS_ADDRESS, which is set */
        const FakeStep *steps; /* one a Lease(); the last is repeated */
        size_t n_steps;
        /* What was seen, one a line: "lease MACHINE WAIT_MSEC NICK CHANNEL LANGUAGE", "release ID OUTCOME".
         * Read it after fake_watchdog_stop(). */
        Text seen;
        Text requests;           /* what the guest got, as it came */
        const char *paste_url;   /* what Paste() returns; NULL: some URL */
        const char *paste_error; /* Paste() is refused with these words */
        /* systemd's words of the watchdog's unit, where a step's error says that it is not on the bus. */
        const char *unit_state; /* its ActiveState; NULL: there is no systemd */
        unsigned unit_job;      /* the number of its job; 0: it has none */
        bool unit_comes;        /* it takes its name once that was told */

        int listener;
        int stop_fd;
        pthread_t thread;
        unsigned n_leases;
} FakeWatchdog;

void fake_watchdog_start(FakeWatchdog *w, const FakeStep *steps, size_t n_steps);
/* Waits until the client's connection has ended and all it sent was seen. */
void fake_watchdog_stop(FakeWatchdog *w);
