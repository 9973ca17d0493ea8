/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "watchdog/desk.h"

#include <inttypes.h>
#include <stdio.h>
#include <sys/random.h>

#include "common/io.h"
#include "common/log.h"
#include "common/vm1.h"
#include "watchdog/bus/error.h"
#include "watchdog/bus/lease-reply.h"
#include "watchdog/crash.h"
#include "watchdog/queue.h"

typedef struct DeskLease DeskLease;
struct DeskLease {
        char id[40];
        Desk *desk;
        Keeper *keeper;
        Waiter *waiter; /* its place in the queue, as one that was served */
        char *sender;
        Asker asker;
        Strand *strand;
        uint64_t begun_usec; /* 0: not granted yet */
        sd_event_source *deadline;
        DeskLease *previous, *next;
};

struct Desk {
        sd_event *event;
        DeskHooks hooks;
        Queue queue;
        DeskLease *leases;
};

/* What a waiter is waiting with. */
typedef struct LeaseCall {
        sd_bus_message *message;
        Asker asker;
} LeaseCall;

static LeaseCall *lease_call_free(LeaseCall *call) {
        if (!call)
                return NULL;
        sd_bus_message_unref(call->message);
        asker_done(&call->asker);
        free(call);
        return NULL;
}
DEFINE_CLEANUP(LeaseCall *, lease_call_free);

static Keeper *find(const Desk *desk, const char *name) {
        return desk->hooks.find(name, desk->hooks.userdata);
}

/* With its call; it is in no queue any more. */
static void call_waiter_free(Waiter *waiter) {
        lease_call_free(waiter->userdata);
        waiter_free(waiter);
}

/* It came or went: the machines that it waits for have another queue. */
static void queue_changed(Desk *desk, const Waiter *waiter) {
        for (char **name = waiter->machines; *name; name++) {
                Keeper *keeper = find(desk, *name);
                if (keeper)
                        keeper_set_waiting(keeper, queue_count(&desk->queue, *name));
        }
}

/* It goes from the queue for good. */
static void leave(Desk *desk, Waiter *waiter) {
        waiter = queue_remove(&desk->queue, waiter);
        queue_changed(desk, waiter);
        call_waiter_free(waiter);
}

/* ---- waiting in vain ---- */

/* Of the machines of a waiter, the one that comes nearest to being free says what is told. */
static const char *vain_error(const Desk *desk, const Waiter *waiter) {
        static const char *const errors[] = {
                [PROSPECT_OFFLINE] = VM1_ERROR_OFFLINE,
                [PROSPECT_RESETTING] = VM1_ERROR_RESETTING,
                [PROSPECT_BUSY] = VM1_ERROR_BUSY,
        };
        Prospect best = PROSPECT_OFFLINE;

        for (char **name = waiter->machines; *name; name++) {
                const Keeper *keeper = find(desk, *name);
                if (keeper)
                        best = MAX(best, keeper_prospect(keeper));
        }
        return errors[best];
}

static bool is_hopeless(const Desk *desk, const Waiter *waiter) {
        for (char **name = waiter->machines; *name; name++) {
                const Keeper *keeper = find(desk, *name);
                /* One that is about to be replaced by a new configuration comes back. */
                if (keeper ? !keeper_is_hopeless(keeper, waiter->is_operator)
                           : desk->hooks.is_expected(*name, desk->hooks.userdata))
                        return false;
        }
        return true;
}

static void tell_in_vain(Desk *desk, Waiter *waiter, const char *error) {
        LeaseCall *call = waiter->userdata;

        (void)bus_error_reply(call->message, error);
        leave(desk, waiter);
}

void desk_expire(Desk *desk) {
        if (desk->leases && desk->leases->begun_usec > 0)
                crash_point("lease-held");

        uint64_t now = now_monotonic();

        for (Waiter *w = desk->queue.first, *next; w; w = next) {
                next = w->next;
                if (w->deadline_usec <= now || is_hopeless(desk, w))
                        tell_in_vain(desk, w, vain_error(desk, w));
        }
}

void desk_refuse_all(Desk *desk) {
        while (desk->queue.first)
                tell_in_vain(desk, desk->queue.first, VM1_ERROR_REFUSED);
}

/* ---- the end of a lease ---- */

static DeskLease *lease_free(DeskLease *lease) {
        if (!lease)
                return NULL;
        sd_event_source_disable_unref(lease->deadline);
        if (lease->waiter)
                call_waiter_free(queue_remove(&lease->desk->queue, lease->waiter));
        free(lease->sender);
        asker_done(&lease->asker);
        free(lease);
        return NULL;
}
DEFINE_CLEANUP(DeskLease *, lease_free);

static void log_lease(const DeskLease *lease, Outcome outcome) {
        const Asker *a = &lease->asker;
        Text fields[6] = {};

        text_append_printf(&fields[0], "PBOTVM_MACHINE=%s", keeper_config(lease->keeper)->name);
        text_append_printf(&fields[1], "PBOTVM_LEASE=%s", lease->id);
        text_append_printf(&fields[2], "PBOTVM_NICK=%s", a->nick ? a->nick : "");
        text_append_printf(&fields[3], "PBOTVM_CHANNEL=%s", a->channel ? a->channel : "");
        text_append_printf(&fields[4], "PBOTVM_LANGUAGE=%s", a->language ? a->language : "");
        text_append_printf(&fields[5], "PBOTVM_CLIENT_PID=%" PRIu32, a->pid);

        const char *list[ELEMENTSOF(fields) + 1] = {};
        for (size_t i = 0; i < ELEMENTSOF(fields); i++)
                list[i] = text_string(&fields[i]);
        (void)log_write(outcome == OUTCOME_CLEAN ? LOG_INFO : LOG_NOTICE, 0, NULL, list,
                "%s was leased to %s in %s (%s), process %" PRIu32 ", for %.3f s: %s.",
                keeper_config(lease->keeper)->name, a->nick ? a->nick : "?", a->channel ? a->channel : "?",
                a->language ? a->language : "?", a->pid,
                (double)(now_monotonic() - lease->begun_usec) / USEC_PER_SEC, outcome_to_string(outcome));
        for (size_t i = 0; i < ELEMENTSOF(fields); i++)
                text_done(&fields[i]);
}

static void unlink_lease(Desk *desk, DeskLease *lease) {
        if (lease->previous)
                lease->previous->next = lease->next;
        else
                desk->leases = lease->next;
        if (lease->next)
                lease->next->previous = lease->previous;
}

static void end_lease(DeskLease *lease, Outcome outcome) {
        Desk *desk = lease->desk;
        Keeper *keeper = lease->keeper;
        bool used = lease->begun_usec > 0, torn = lease->strand && strand_close(TAKE_PTR(lease->strand));

        /* A part of a request has reached the guest, which waits for the rest. */
        if (torn && outcome == OUTCOME_CLEAN)
                outcome = OUTCOME_ABANDONED;
        if (used)
                log_lease(lease, outcome);
        unlink_lease(desk, lease);
        if (keeper_release(keeper, used ? &lease->asker : NULL, outcome))
                desk->hooks.reverted(&lease->asker, desk->hooks.userdata);
        lease_free(lease);
        desk->hooks.unsaved(desk->hooks.userdata);
}

/* Of its places in the queue, if it has any. */
static void leave_queue(Desk *desk, const char *sender) {
        Waiter *w;

        while ((w = queue_of_sender(&desk->queue, sender))) {
                leave(desk, w);
                desk->hooks.changed(desk->hooks.userdata);
        }
}

/* granted: how one ends that its holder has, or is about to have; one that was not granted is unused. */
static void end_all(Desk *desk, const char *sender, Outcome granted) {
        leave_queue(desk, sender);
        for (DeskLease *l = desk->leases, *next; l; l = next) {
                next = l->next;
                if (streq(l->sender, sender))
                        end_lease(l, l->begun_usec > 0 ? granted : OUTCOME_CLEAN);
        }
}

int desk_release(Desk *desk, const char *sender, const char *id, Outcome outcome) {
        if (isempty(id)) {
                end_all(desk, sender, outcome);
                return 0;
        }
        for (DeskLease *l = desk->leases; l; l = l->next)
                if (l->begun_usec > 0 && streq(l->id, id) && streq(l->sender, sender)) {
                        crash_point("after-release");
                        end_lease(l, outcome);
                        return 0;
                }
        return -ENOENT;
}

/* It was not granted: the waiter is where it was, and the machine finds another way. */
static void put_back(Desk *desk, DeskLease *lease) {
        Waiter *waiter = TAKE_PTR(lease->waiter);

        end_lease(lease, OUTCOME_CLEAN);
        queue_put_back(&desk->queue, waiter);
        queue_changed(desk, waiter);
}

void desk_revoke(Desk *desk, const Keeper *keeper, Outcome outcome) {
        for (DeskLease *l = desk->leases, *next; l; l = next) {
                next = l->next;
                if (l->keeper == keeper && l->begun_usec > 0)
                        end_lease(l, outcome);
                else if (l->keeper == keeper)
                        put_back(desk, l);
        }
}

void desk_sender_gone(Desk *desk, const char *sender) {
        end_all(desk, sender, OUTCOME_ABANDONED);
}

static int on_overtime(sd_event_source *source _unused_, uint64_t usec _unused_, void *userdata) {
        end_lease(userdata, OUTCOME_TIMED_OUT);
        return 0;
}

/* ---- the beginning of a lease ---- */

static uint64_t limit(const DeskLease *lease) {
        uint64_t usec = keeper_config(lease->keeper)->timeout_usec;
        return lease->asker.is_operator ? MAX(usec, LEASE_OPERATOR_USEC) : usec;
}

/* Nobody has had it: the machine is as it was. */
static void refuse(DeskLease *lease, const char *error) {
        const LeaseCall *call = lease->waiter->userdata;

        (void)bus_error_reply(call->message, error);
        lease->begun_usec = 0;
        end_lease(lease, OUTCOME_CLEAN);
}

static void on_strand(Strand *strand _unused_, int result, void *userdata) {
        DeskLease *lease = userdata;
        _cleanup_close_ int fd = result;

        if (result < 0) {
                keeper_disprove(lease->keeper);
                put_back(lease->desk, lease);
                return;
        }

        LeaseCall *call = lease->waiter->userdata;
        lease->begun_usec = now_monotonic();
        lease->asker = call->asker;
        call->asker = (Asker){};
        int r = keeper_save(lease->keeper);
        if (r < 0) {
                refuse(lease, VM1_ERROR_BUSY);
                return;
        }
        crash_point("before-lease-reply");
        MachineView view = keeper_view(lease->keeper);
        r = bus_lease_reply(call->message, fd, lease->id, &view, limit(lease));
        if (r >= 0)
                r = sd_event_add_time_relative(lease->desk->event, &lease->deadline, CLOCK_MONOTONIC,
                        limit(lease) + LEASE_OVERTIME_USEC, USEC_PER_MSEC, on_overtime, lease);
        if (r < 0) {
                (void)log_error_errno(r, "Failed to hand over a lease: %m");
                end_lease(lease, OUTCOME_ABANDONED);
                return;
        }
        lease->waiter->userdata = lease_call_free(call);
        lease->desk->hooks.changed(lease->desk->hooks.userdata);
}

static int make_id(char *ret, size_t size) {
        uint64_t random[2];

        if (getrandom(random, sizeof(random), GRND_NONBLOCK) != sizeof(random))
                return -EIO;
        snprintf(ret, size, "%016" PRIx64 "%016" PRIx64, random[0], random[1]);
        return 0;
}

/* The machine is free and works. */
static int begin_lease(Desk *desk, Keeper *keeper, Waiter *waiter) {
        _cleanup_(lease_freep) DeskLease *lease = calloc(1, sizeof(*lease));
        if (!lease)
                return -ENOMEM;

        lease->desk = desk;
        lease->keeper = keeper;
        lease->sender = strdup(waiter->sender);
        int r = lease->sender ? make_id(lease->id, sizeof(lease->id)) : -ENOMEM;
        if (r >= 0)
                r = keeper_lease(keeper, on_strand, lease, &lease->strand);
        if (r < 0)
                return r;

        queue_serve(&desk->queue, waiter);
        lease->waiter = waiter;
        queue_changed(desk, waiter);
        lease->next = desk->leases;
        if (lease->next)
                lease->next->previous = lease;
        desk->leases = TAKE_PTR(lease);
        return 0;
}

/* Of two that could serve: the one that can at once, then the one that fewer use. */
static bool is_better(const Keeper *a, const Keeper *b) {
        bool fresh = keeper_is_fresh(a);

        return fresh != keeper_is_fresh(b) ? fresh : keeper_leases(a) < keeper_leases(b);
}

/* Of the machines that are free and where it is this waiter's turn, the best; the first that the pool names
 * where they are alike. NULL: there is none. */
static Keeper *place(const Desk *desk, const Waiter *waiter) {
        Keeper *best = NULL;

        for (char **name = waiter->machines; *name; name++) {
                Keeper *keeper = find(desk, *name);
                if (keeper && keeper_can_lease(keeper, waiter->is_operator) &&
                        queue_first(&desk->queue, *name, !keeper_can_lease(keeper, false)) == waiter &&
                        (!best || is_better(keeper, best)))
                        best = keeper;
        }
        return best;
}

void desk_serve(Desk *desk, Keeper *keeper) {
        const char *name = keeper_config(keeper)->name;
        Waiter *waiter;
        Keeper *best;

        while (desk->queue.first && keeper_can_lease(keeper, true) &&
                (waiter = queue_first(&desk->queue, name, !keeper_can_lease(keeper, false))) &&
                (best = place(desk, waiter))) {
                /* All that could serve him are asked, each in its turn: the first that answers does. */
                if (!keeper_is_fresh(best)) {
                        keeper_prove(keeper);
                        return;
                }
                int r = begin_lease(desk, best, waiter);
                if (r < 0) {
                        (void)log_error_errno(r, "Failed to lease %s: %m", keeper_config(best)->name);
                        tell_in_vain(desk, waiter, VM1_ERROR_BUSY);
                }
        }
}

int desk_request(Desk *desk, sd_bus_message *message, const char *wanted, const char *const *machines,
        uint64_t wait_usec, size_t queue_max, Asker *asker) {
        _cleanup_(lease_call_freep) LeaseCall *call = calloc(1, sizeof(*call));
        if (!call)
                return -ENOMEM;
        call->message = sd_bus_message_ref(message);
        call->asker = *asker;
        *asker = (Asker){};

        _cleanup_(waiter_freep) Waiter *waiter = waiter_new(sd_bus_message_get_sender(message), wanted,
                machines, call->asker.nick, call->asker.channel,
                usec_add(now_monotonic(), MIN(wait_usec, LEASE_WAIT_MAX_USEC)), call);
        if (!waiter)
                return -ENOMEM;
        waiter->is_operator = call->asker.is_operator;
        int r = queue_add(&desk->queue, waiter, MAX(queue_max, 1u));
        if (r < 0)
                return r;

        queue_changed(desk, waiter);
        TAKE_PTR(waiter);
        TAKE_PTR(call);
        desk->hooks.changed(desk->hooks.userdata);
        return 0;
}

/* ---- the desk ---- */

int desk_new(sd_event *event, const DeskHooks *hooks, Desk **ret) {
        Desk *desk = calloc(1, sizeof(*desk));
        if (!desk)
                return -ENOMEM;
        desk->event = sd_event_ref(event);
        desk->hooks = *hooks;
        *ret = desk;
        return 0;
}

Desk *desk_free(Desk *desk) {
        if (!desk)
                return NULL;
        sd_event_unref(desk->event);
        free(desk);
        return NULL;
}

uint64_t desk_deadline(const Desk *desk) {
        return queue_deadline(&desk->queue);
}

size_t desk_waiting(const Desk *desk, const char *name) {
        return queue_count(&desk->queue, name);
}

bool desk_has_leases(const Desk *desk) {
        return desk->leases;
}

int desk_record(const Desk *desk, SavedLease **ret, size_t *ret_n) {
        size_t n = 0;

        for (const DeskLease *l = desk->leases; l; l = l->next)
                n++;
        SavedLease *leases = calloc(n + 1, sizeof(*leases));
        if (!leases)
                return -ENOMEM;

        n = 0;
        /* One that is not granted yet has not been used. */
        for (const DeskLease *l = desk->leases; l; l = l->next)
                if (l->begun_usec > 0)
                        leases[n++] = (SavedLease){
                                .machine = keeper_config(l->keeper)->name,
                                .id = l->id,
                                .nick = l->asker.nick,
                                .channel = l->asker.channel,
                                .language = l->asker.language,
                                .pid = l->asker.pid,
                        };
        *ret = leases;
        *ret_n = n;
        return 0;
}
