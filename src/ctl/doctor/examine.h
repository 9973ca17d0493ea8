/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Goes through all tables. */

#include "ctl/doctor/check.h"

/* A look takes no longer; neither does libvirt to be asked. */
#define LOOK_LIMIT_USEC (5 * USEC_PER_SEC)
#define GATHER_USEC (10 * USEC_PER_SEC)

typedef struct Result {
        const char *check; /* not owned, as the next */
        const char *looks_at;
        CheckLevel level;
        char *subject; /* a machine, a URI, "host" */
        char *wrong;   /* NULL: all is well, as the next */
        char *mend;
} Result;

typedef struct Results {
        Result *results;
        size_t n;
        bool given_up; /* a look goes on in its thread: what the patient points to must stay */
} Results;
void results_done(Results *results);
#define _cleanup_results_ _cleanup_(results_done)

/* Adds one; wrong and mend are copied, and may be NULL. 0 or -ENOMEM. */
int results_add(Results *results, const char *check, const char *looks_at, CheckLevel level,
        const char *subject, const char *wrong, const char *mend);

typedef struct Hypervisors {
        HypervisorFacts **facts;
        size_t n;
} Hypervisors;
void hypervisors_done(Hypervisors *hypervisors);
#define _cleanup_hypervisors_ _cleanup_(hypervisors_done)

/* Asks each libvirt that the configuration names. waiting: see bounded_run(); may be NULL. 0 or -ENOMEM. */
int hypervisors_gather(const Config *config, Hypervisors *ret, void (*waiting)(void *uri, uint64_t usec));

/* Makes every look; the subject in the patient is filled in here. 0 or -ENOMEM. */
int examine(const Patient *patient, const Hypervisors *hypervisors, Results *ret);
