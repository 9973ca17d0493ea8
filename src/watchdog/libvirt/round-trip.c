/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "watchdog/libvirt/round-trip.h"

struct RoundTrip {
        Completion completion;
        void (*done)(void *userdata); /* NULL: forgotten */
        void *userdata;
        size_t n_pending; /* stops that have not been made yet */
        size_t n_hypervisors;
        Hypervisor *hypervisors[];
};

/* A stop at a worker. */
typedef struct Stop {
        WorkerTask task;
        RoundTrip *trip;
} Stop;

static void stop_made(RoundTrip *trip, bool live) {
        if (--trip->n_pending > 0)
                return;
        if (live && trip->done)
                trip->done(trip->userdata);
        free(trip);
}

static void run_stop(WorkerTask *task _unused_) {
}

static void stop_done(WorkerTask *task, bool live) {
        Stop *stop = (Stop *)task; /* its first member */

        stop_made(stop->trip, live);
        free(stop);
}

/* A connection whose worker is stuck is not waited for: the trip never ends. */
static void stop_at(RoundTrip *trip, const Hypervisor *hypervisor) {
        Stop *stop = calloc(1, sizeof(*stop));

        trip->n_pending++;
        if (!stop || workers_are_stuck(hypervisor_workers(hypervisor))) {
                free(stop);
                return;
        }
        *stop = (Stop){ { .run = run_stop, .done = stop_done, .limit_usec = WORKERS_LIMIT_USEC }, trip };
        workers_submit(hypervisor_workers(hypervisor), &stop->task);
}

static void on_libvirt_thread(Completion *completion, bool live) {
        RoundTrip *trip = (RoundTrip *)completion; /* its first member */

        for (size_t i = 0; live && i < trip->n_hypervisors; i++)
                if (trip->hypervisors[i])
                        stop_at(trip, trip->hypervisors[i]);
        stop_made(trip, live);
}

int round_trip_new(LibvirtThread *thread, Hypervisor *const *hypervisors, size_t n_hypervisors,
        void (*done)(void *userdata), void *userdata, RoundTrip **ret) {
        RoundTrip *trip = calloc(1, sizeof(*trip) + n_hypervisors * sizeof(trip->hypervisors[0]));
        if (!trip)
                return -ENOMEM;
        trip->completion.call = on_libvirt_thread;
        trip->done = done;
        trip->userdata = userdata;
        trip->n_pending = 1;
        trip->n_hypervisors = n_hypervisors;
        for (size_t i = 0; i < n_hypervisors; i++)
                trip->hypervisors[i] = hypervisors[i];

        int r = libvirt_thread_bounce(thread, &trip->completion);
        if (r < 0) {
                free(trip);
                return r;
        }
        *ret = trip;
        return 0;
}

void round_trip_leave_out(RoundTrip *trip, const Hypervisor *hypervisor) {
        for (size_t i = 0; trip && i < trip->n_hypervisors; i++)
                if (trip->hypervisors[i] == hypervisor)
                        trip->hypervisors[i] = NULL;
}

void round_trip_forget(RoundTrip *trip) {
        if (trip)
                trip->done = NULL;
}
