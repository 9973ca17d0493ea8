/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* One request, from its line to its answer: confine, parse, prepare, lease, exchange, finish. Shared by the
 * handler and pbotvm-exec. */

#include "handler/confine.h"
#include "handler/lease.h"
#include "pipeline/pipeline.h"

typedef struct RunSetup {
        const Config *config;
        const char *const *language_dirs; /* NULL-terminated */
        const char *rewrites_dir;
        const char *state_dir; /* NULL: nothing is kept */
        const char *machine;   /* the listener's, where the request names none; NULL: the default machine */
        bool machine_fixed;    /* whatever the request names */
        int client_fd;         /* its reset ends the waiting; -EBADF: none */
        uint64_t received;     /* when the line was there, CLOCK_MONOTONIC usec: waiting counts from here */
        bool confine;
        bool dry;              /* only prepare: no bus */
        uint64_t timeout_usec; /* lowers the lease's time limit; 0: does not */
        int direct_fd; /* a connection to a guest of which the watchdog knows nothing; -EBADF: lease one */
        const MachineConfig *direct_machine; /* its settings */
} RunSetup;

#define RUN_SETUP_INIT .client_fd = -EBADF, .direct_fd = -EBADF

/* When the steps of a request were done, for the journal and the bench. */
#define STEPS_MAX 16
typedef struct Steps {
        struct {
                const char *name;
                uint64_t usec; /* CLOCK_MONOTONIC */
        } list[STEPS_MAX];
        size_t n;
} Steps;
void step_done(Steps *steps, const char *name);

typedef struct Run {
        Verdict verdict;
        Query query;
        Pipeline *pipeline;
        Request request;
        sd_bus *bus;
        int bus_error; /* why there is none */
        Confined confined;
        Lease lease;        /* the last one; its fd is given back */
        bool parts_ignored; /* the guest's word whose the output is was wrong */
        bool direct;        /* to a guest without the watchdog */
        uint64_t wait_usec; /* for storage and lease */
        uint64_t run_usec;  /* from lease to reply */
        unsigned attempts;  /* leases taken */
        Steps steps;
} Run;

#define RUN_INIT ((Run){ .verdict = VERDICT_FAILED, .request = REQUEST_INIT, .lease = LEASE_INIT })
void run_done(Run *run);
#define _cleanup_run_ _cleanup_(run_done)

/* Opens the bus, confines the process, then parses the line, opens the files that it needs, prepares the
 * request. PIPELINE_RUN with run->request, or PIPELINE_ANSWER with *answer and run->verdict. Errors are
 * answers too. */
int run_prepare(const RunSetup *setup, const char *line, size_t size, Run *run, Text *answer);

/* Runs what was prepared on a guest: *answer and run->verdict. The guest is given back when it returns; call
 * lease_settle() once the client has the answer. */
void run_execute(const RunSetup *setup, Run *run, Text *answer);
