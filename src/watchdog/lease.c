/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "watchdog/lease.h"

#include <inttypes.h>
#include <stdio.h>
#include <sys/random.h>

#include "common/io.h"
#include "common/log.h"
#include "common/vm1.h"
#include "watchdog/crash.h"

/* What a waiter is waiting with. */
typedef struct LeaseCall {
        sd_bus_message *message;
        Asker asker;
} LeaseCall;

void asker_done(Asker *asker) {
        free(asker->nick);
        free(asker->channel);
        free(asker->language);
        *asker = (Asker){};
}

static LeaseCall *lease_call_free(LeaseCall *call) {
        if (!call)
                return NULL;
        sd_bus_message_unref(call->message);
        asker_done(&call->asker);
        free(call);
        return NULL;
}
DEFINE_CLEANUP(LeaseCall *, lease_call_free);

static void drop_waiter(Queue *queue, Waiter *waiter) {
        waiter = queue_remove(queue, waiter);
        lease_call_free(waiter->userdata);
        waiter_free(waiter);
}

/* It came or went: the machines that it waits for have another queue. */
static void queue_changed(Manager *manager, const Waiter *waiter) {
        for (char **name = waiter->machines; *name; name++) {
                Keeper *keeper = manager_keeper(manager, *name);
                if (keeper)
                        manager_changed(manager, keeper);
        }
}

/* ---- waiting in vain ---- */

/* Of the machines of a waiter, the one that comes nearest to being free says what is told. */
static const char *vain_error(Manager *manager, const Waiter *waiter) {
        const char *error = VM1_ERROR_OFFLINE;

        for (char **name = waiter->machines; *name; name++) {
                Keeper *keeper = manager_keeper(manager, *name);
                if (!keeper || keeper->machine.drained)
                        continue;
                switch (keeper_state(keeper)) {
                case MACHINE_READY:
                case MACHINE_BUSY:
                        return VM1_ERROR_BUSY;
                case MACHINE_OFFLINE:
                case MACHINE_DRAINED:
                        break;
                case MACHINE_FAILED:
                        if (keeper->machine.domain != DOMAIN_OFF)
                                error = VM1_ERROR_RESETTING;
                        break;
                default:
                        error = VM1_ERROR_RESETTING;
                }
        }
        return error;
}

static bool is_hopeless(Manager *manager, const Waiter *waiter, uint64_t now) {
        for (char **name = waiter->machines; *name; name++) {
                Keeper *keeper = manager_keeper(manager, *name);
                /* One that is about to be replaced by a new configuration comes back. */
                if (keeper ? !machine_is_hopeless(&keeper->machine, now)
                           : config_machine(manager->config, *name) != NULL)
                        return false;
        }
        return true;
}

static void tell_in_vain(Manager *manager, Waiter *waiter, const char *error) {
        LeaseCall *call = waiter->userdata;

        (void)vm1_error_reply(call->message, error);
        queue_changed(manager, waiter);
        drop_waiter(&manager->queue, waiter);
}

static void expire_waiters(Manager *manager) {
        uint64_t now = now_monotonic();

        for (Waiter *w = manager->queue.first, *next; w; w = next) {
                next = w->next;
                if (w->deadline_usec <= now || is_hopeless(manager, w, now))
                        tell_in_vain(manager, w, vain_error(manager, w));
        }
}

void lease_refuse_all(Manager *manager) {
        while (manager->queue.first)
                tell_in_vain(manager, manager->queue.first, VM1_ERROR_REFUSED);
}

/* ---- the end of a lease ---- */

static Lease *lease_free(Lease *lease) {
        if (!lease)
                return NULL;
        sd_event_source_disable_unref(lease->deadline);
        if (lease->waiter)
                drop_waiter(&lease->keeper->manager->queue, lease->waiter);
        free(lease->sender);
        asker_done(&lease->asker);
        free(lease);
        return NULL;
}
DEFINE_CLEANUP(Lease *, lease_free);

static void log_lease(const Lease *lease, Outcome outcome) {
        const Asker *a = &lease->asker;
        Text fields[6] = {};

        text_append_printf(&fields[0], "PBOTVM_MACHINE=%s", lease->keeper->config->name);
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
                lease->keeper->config->name, a->nick ? a->nick : "?", a->channel ? a->channel : "?",
                a->language ? a->language : "?", a->pid,
                (double)(now_monotonic() - lease->begun_usec) / USEC_PER_SEC, outcome_to_string(outcome));
        for (size_t i = 0; i < ELEMENTSOF(fields); i++)
                text_done(&fields[i]);
}

static void unlink_lease(Manager *manager, Lease *lease) {
        if (lease->previous)
                lease->previous->next = lease->next;
        else
                manager->leases = lease->next;
        if (lease->next)
                lease->next->previous = lease->previous;
}

static void end_lease(Lease *lease, Outcome outcome) {
        Keeper *keeper = lease->keeper;
        Manager *manager = keeper->manager;
        bool torn = lease->strand && strand_close(TAKE_PTR(lease->strand));

        /* A part of a request has reached the guest, which waits for the rest. */
        if (torn && outcome == OUTCOME_CLEAN)
                outcome = OUTCOME_ABANDONED;
        if (lease->begun_usec > 0) {
                log_lease(lease, outcome);
                machine_release(&keeper->machine, outcome, now_monotonic());
        } else
                machine_unlease(&keeper->machine);
        unlink_lease(manager, lease);
        lease_free(lease);
        manager_changed(manager, keeper);
        manager_unsaved(manager);
}

/* Of its places in the queue, if it has any. */
static void leave_queue(Manager *manager, const char *sender) {
        Waiter *w;

        while ((w = queue_of_sender(&manager->queue, sender))) {
                queue_changed(manager, w);
                drop_waiter(&manager->queue, w);
                manager_poke(manager);
        }
}

/* granted: how one ends that its holder has, or is about to have; one that was not granted is unused. */
static void end_all(Manager *manager, const char *sender, Outcome granted) {
        leave_queue(manager, sender);
        for (Lease *l = manager->leases, *next; l; l = next) {
                next = l->next;
                if (streq(l->sender, sender))
                        end_lease(l, l->begun_usec > 0 ? granted : OUTCOME_CLEAN);
        }
}

int lease_release(Manager *manager, const char *sender, const char *id, Outcome outcome) {
        if (isempty(id)) {
                end_all(manager, sender, outcome);
                return 0;
        }
        for (Lease *l = manager->leases; l; l = l->next)
                if (l->begun_usec > 0 && streq(l->id, id) && streq(l->sender, sender)) {
                        crash_point(manager, "after-release");
                        end_lease(l, outcome);
                        return 0;
                }
        return -ENOENT;
}

/* It was not granted: the waiter is where it was, and the machine finds another way. */
static void put_back(Manager *manager, Lease *lease) {
        Waiter *waiter = TAKE_PTR(lease->waiter);

        end_lease(lease, OUTCOME_CLEAN);
        queue_put_back(&manager->queue, waiter);
        queue_changed(manager, waiter);
}

void lease_revoke(Keeper *keeper, Outcome outcome) {
        for (Lease *l = keeper->manager->leases, *next; l; l = next) {
                next = l->next;
                if (l->keeper == keeper && l->begun_usec > 0)
                        end_lease(l, outcome);
                else if (l->keeper == keeper)
                        put_back(keeper->manager, l);
        }
}

void lease_sender_gone(Manager *manager, const char *sender) {
        end_all(manager, sender, OUTCOME_ABANDONED);
}

static int on_overtime(sd_event_source *source _unused_, uint64_t usec _unused_, void *userdata) {
        end_lease(userdata, OUTCOME_TIMED_OUT);
        return 0;
}

/* ---- the beginning of a lease ---- */

static int append_info(sd_bus_message *reply, const Keeper *keeper) {
        const struct {
                const char *name;
                const char *value;
        } strings[] = {
                { "machine", keeper->config->name },
                { "guest", guest_kind_to_string(keeper_guest(keeper)) },
                { "transport", keeper_transport(keeper) },
        };
        const struct {
                const char *name;
                uint64_t value;
        } numbers[] = {
                { "generation", keeper->machine.generation },
                { "timeout_usec", keeper->config->timeout_usec },
        };

        int r = sd_bus_message_open_container(reply, 'a', "{sv}");
        for (size_t i = 0; r >= 0 && i < ELEMENTSOF(strings); i++)
                r = sd_bus_message_append(reply, "{sv}", strings[i].name, "s", strings[i].value);
        for (size_t i = 0; r >= 0 && i < ELEMENTSOF(numbers); i++)
                r = sd_bus_message_append(reply, "{sv}", numbers[i].name, "t", numbers[i].value);
        return r < 0 ? r : sd_bus_message_close_container(reply);
}

static int reply_lease(const Lease *lease, sd_bus_message *call, int fd) {
        sd_bus_message *reply = NULL;

        int r = sd_bus_message_new_method_return(call, &reply);
        if (r >= 0)
                r = sd_bus_message_append(reply, "hs", fd, lease->id);
        if (r >= 0)
                r = append_info(reply, lease->keeper);
        if (r >= 0)
                r = sd_bus_send(sd_bus_message_get_bus(call), reply, NULL);
        sd_bus_message_unref(reply);
        return r;
}

/* Nobody has had it: the machine is as it was. */
static void refuse(Lease *lease, const char *error) {
        const LeaseCall *call = lease->waiter->userdata;

        (void)vm1_error_reply(call->message, error);
        lease->begun_usec = 0;
        end_lease(lease, OUTCOME_CLEAN);
}

static void on_strand(Strand *strand _unused_, int result, void *userdata) {
        Lease *lease = userdata;
        Keeper *keeper = lease->keeper;
        Manager *manager = keeper->manager;
        _cleanup_close_ int fd = result;

        if (result < 0) {
                keeper->machine.proven_usec = 0; /* is asked before the next lease */
                put_back(manager, lease);
                return;
        }

        LeaseCall *call = lease->waiter->userdata;
        lease->begun_usec = now_monotonic();
        lease->asker = call->asker;
        call->asker = (Asker){};
        int r = manager_save(manager);
        if (r < 0) {
                refuse(lease, VM1_ERROR_BUSY);
                return;
        }
        crash_point(manager, "before-lease-reply");
        r = reply_lease(lease, call->message, fd);
        if (r >= 0)
                r = sd_event_add_time_relative(manager->event, &lease->deadline, CLOCK_MONOTONIC,
                        keeper->config->timeout_usec + LEASE_OVERTIME_USEC, USEC_PER_MSEC, on_overtime,
                        lease);
        if (r < 0) {
                (void)log_error_errno(r, "Failed to hand over a lease: %m");
                end_lease(lease, OUTCOME_ABANDONED);
                return;
        }
        lease->waiter->userdata = lease_call_free(call);
        manager_changed(manager, keeper);
}

static int make_id(char *ret, size_t size) {
        uint64_t random[2];

        if (getrandom(random, sizeof(random), GRND_NONBLOCK) != sizeof(random))
                return -EIO;
        snprintf(ret, size, "%016" PRIx64 "%016" PRIx64, random[0], random[1]);
        return 0;
}

/* The machine is free and works. */
static int begin_lease(Keeper *keeper, Waiter *waiter) {
        Manager *manager = keeper->manager;
        _cleanup_(lease_freep) Lease *lease = calloc(1, sizeof(*lease));
        if (!lease)
                return -ENOMEM;

        lease->keeper = keeper;
        lease->sender = strdup(waiter->sender);
        int r = lease->sender ? make_id(lease->id, sizeof(lease->id)) : -ENOMEM;
        if (r >= 0)
                r = strand_new(keeper->link, on_strand, lease, &lease->strand);
        if (r < 0)
                return r;

        queue_serve(&manager->queue, waiter);
        lease->waiter = waiter;
        queue_changed(manager, waiter);
        machine_lease(&keeper->machine);
        lease->next = manager->leases;
        if (lease->next)
                lease->next->previous = lease;
        manager->leases = TAKE_PTR(lease);
        return 0;
}

static void serve(Keeper *keeper) {
        Waiter *waiter;

        while (machine_can_lease(&keeper->machine) &&
                (waiter = queue_first(&keeper->manager->queue, keeper->config->name))) {
                if (!machine_is_fresh(&keeper->machine, now_monotonic())) {
                        keeper_prove(keeper);
                        return;
                }
                int r = begin_lease(keeper, waiter);
                if (r < 0) {
                        (void)log_error_errno(r, "Failed to lease %s: %m", keeper->config->name);
                        tell_in_vain(keeper->manager, waiter, VM1_ERROR_BUSY);
                }
        }
}

void lease_dispatch(Manager *manager) {
        if (manager->leases && manager->leases->begun_usec > 0)
                crash_point(manager, "lease-held");
        for (size_t i = 0; manager->queue.first && i < manager->n_keepers; i++)
                if (!manager->keepers[i]->retired)
                        serve(manager->keepers[i]);
        expire_waiters(manager);
}

int lease_request(Manager *manager, sd_bus_message *message, const char *wanted, const char *const *machines,
        uint64_t wait_usec, Asker *asker) {
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
        int r = queue_add(&manager->queue, waiter, MAX(manager->config->queue_max, 1u));
        if (r < 0)
                return r;

        queue_changed(manager, waiter);
        TAKE_PTR(waiter);
        TAKE_PTR(call);
        manager_poke(manager);
        return 0;
}
