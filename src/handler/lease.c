/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "handler/lease.h"

#include <fcntl.h>
#include <poll.h>

#include "common/io.h"
#include "common/log.h"
#include "common/vm1.h"
#include "handler/arrival.h"
#include "handler/bus-wait.h"

/* Our own call timeout lies above the watchdog's, so that its answer decides. */
#define CALL_MARGIN_USEC (5 * USEC_PER_SEC)
/* A bus that says nothing for so much longer than the waiting is given up. */
#define HANGING_USEC (8 * USEC_PER_SEC)
/* For a word on its way out to reach the bus. */
#define SETTLE_USEC (1 * USEC_PER_SEC)

void lease_done(Lease *lease) {
        fd_close(lease->fd);
        free(lease->id);
        free(lease->machine);
        free(lease->transport);
        *lease = LEASE_INIT;
}

int lease_open_bus(sd_bus **ret) {
        sd_bus *bus = NULL;

        int r = sd_bus_open_system_with_description(&bus, "handler");
        if (r < 0)
                return r;
        *ret = bus;
        return 0;
}

static int append_options(sd_bus_message *m, const LeaseAsk *ask, uint64_t wait_usec) {
        const struct {
                const char *name, *value;
        } strings[] = { { "nick", ask->nick }, { "channel", ask->channel }, { "language", ask->language } };

        int r = sd_bus_message_append(m, "s", ask->machine);
        if (r >= 0)
                r = sd_bus_message_open_container(m, 'a', "{sv}");
        if (r >= 0)
                r = sd_bus_message_append(m, "{sv}", "wait_usec", "t", wait_usec);
        for (size_t i = 0; r >= 0 && i < ELEMENTSOF(strings); i++)
                if (strings[i].value)
                        r = sd_bus_message_append(m, "{sv}", strings[i].name, "s", strings[i].value);
        if (r >= 0 && ask->is_operator)
                r = sd_bus_message_append(m, "{sv}", "operator", "b", true);
        return r >= 0 ? sd_bus_message_close_container(m) : r;
}

/* A call of the watchdog's manager. The bus is not to start it: an operator may have stopped it. */
static int new_call(sd_bus *bus, const char *method, sd_bus_message **ret) {
        int r = sd_bus_message_new_method_call(bus, ret, VM1_NAME, VM1_PATH, VM1_MANAGER, method);

        return r < 0 ? r : sd_bus_message_set_auto_start(*ret, false);
}

static int read_string(sd_bus_message *m, char **to) {
        const char *s;

        int r = sd_bus_message_read(m, "v", "s", &s);
        if (r < 0)
                return r;
        free(*to);
        *to = strdup(s);
        return *to ? 0 : -ENOMEM;
}

static int read_info_member(sd_bus_message *m, const char *name, Lease *lease) {
        if (streq(name, "machine"))
                return read_string(m, &lease->machine);
        if (streq(name, "transport"))
                return read_string(m, &lease->transport);
        if (streq(name, "generation"))
                return sd_bus_message_read(m, "v", "t", &lease->generation);
        if (streq(name, "timeout_usec"))
                return sd_bus_message_read(m, "v", "t", &lease->timeout_usec);
        if (streq(name, "guest")) {
                _cleanup_free_ char *guest = NULL;
                int r = read_string(m, &guest);
                if (r < 0)
                        return r;
                r = guest_kind_from_string(guest);
                if (r >= 0)
                        lease->guest = (GuestKind)r;
                return 0;
        }
        return sd_bus_message_skip(m, "v");
}

static int read_info(sd_bus_message *m, Lease *lease) {
        int r = sd_bus_message_enter_container(m, 'a', "{sv}");
        while (r >= 0 && (r = sd_bus_message_enter_container(m, 'e', "sv")) > 0) {
                const char *name;
                r = sd_bus_message_read(m, "s", &name);
                if (r >= 0)
                        r = read_info_member(m, name, lease);
                if (r >= 0)
                        r = sd_bus_message_exit_container(m);
        }
        return r >= 0 ? sd_bus_message_exit_container(m) : r;
}

static int read_lease(sd_bus_message *m, Lease *ret) {
        _cleanup_lease_ Lease lease = LEASE_INIT;
        const char *id;
        int fd;

        lease.since = now_monotonic();
        lease.timeout_usec = 10 * USEC_PER_SEC;
        int r = sd_bus_message_read(m, "hs", &fd, &id);
        if (r < 0)
                return r;
        lease.fd = fcntl(fd, F_DUPFD_CLOEXEC, 3);
        lease.id = strdup(id);
        if (lease.fd < 0 || !lease.id)
                return lease.fd < 0 ? -errno : -ENOMEM;
        r = read_info(m, &lease);
        if (r < 0)
                return r;
        *ret = lease;
        lease = LEASE_INIT;
        return 0;
}

/* Whether asking once more may help. */
typedef enum Again {
        AGAIN_NEVER,
        AGAIN_AT_ONCE,    /* it went away while it was asked */
        AGAIN_WHEN_THERE, /* it is not on the bus */
} Again;

/* What the watchdog, or the bus in its place, refuses with. */
typedef struct Refusal {
        const char *name;
        Verdict verdict;
        Again again;
} Refusal;

static const Refusal refusals[] = {
        { VM1_ERROR_NO_SUCH_MACHINE, VERDICT_MISCONFIGURED, AGAIN_NEVER },
        { VM1_ERROR_OFFLINE, VERDICT_OFFLINE, AGAIN_NEVER },
        { VM1_ERROR_RESETTING, VERDICT_RESETTING, AGAIN_NEVER },
        { VM1_ERROR_BUSY, VERDICT_BUSY, AGAIN_NEVER },
        { VM1_ERROR_TOO_MANY_REVERTS, VERDICT_REFUSED, AGAIN_NEVER },
        { VM1_ERROR_REFUSED, VERDICT_REFUSED, AGAIN_NEVER },
        { SD_BUS_ERROR_LIMITS_EXCEEDED, VERDICT_BUSY, AGAIN_NEVER },
        { SD_BUS_ERROR_ACCESS_DENIED, VERDICT_REFUSED, AGAIN_NEVER },
        { SD_BUS_ERROR_INTERACTIVE_AUTHORIZATION_REQUIRED, VERDICT_REFUSED, AGAIN_NEVER },
        { SD_BUS_ERROR_NO_REPLY, VERDICT_NO_WATCHDOG, AGAIN_AT_ONCE },
        { SD_BUS_ERROR_DISCONNECTED, VERDICT_NO_WATCHDOG, AGAIN_AT_ONCE },
        /* The bus daemons differ in which of these they say. */
        { SD_BUS_ERROR_NAME_HAS_NO_OWNER, VERDICT_NO_WATCHDOG, AGAIN_WHEN_THERE },
        { SD_BUS_ERROR_SERVICE_UNKNOWN, VERDICT_NO_WATCHDOG, AGAIN_WHEN_THERE },
};

static const Refusal *find_refusal(const sd_bus_error *error) {
        static const Refusal unknown = { .verdict = VERDICT_NO_WATCHDOG, .again = AGAIN_NEVER };

        for (size_t i = 0; i < ELEMENTSOF(refusals); i++)
                if (sd_bus_error_has_name(error, refusals[i].name))
                        return &refusals[i];
        return &unknown;
}

/* Why there is no lease is said once, when nobody asks again: to the client or to the log. */
static void tell_refusal(Verdict verdict, const sd_bus_error *error, Text *message) {
        if (verdict == VERDICT_REFUSED)
                text_append_string(message, isempty(error->message) ? "Refused." : error->message);
        else if (verdict == VERDICT_MISCONFIGURED)
                log_error("The watchdog refuses a lease: %s", error->message);
        else if (verdict == VERDICT_NO_WATCHDOG && sd_bus_error_is_set(error))
                log_warning("No lease from the watchdog: %s: %s", error->name, error->message);
}

static int send_release(sd_bus *bus, const char *id, const char *outcome) {
        _cleanup_(sd_bus_message_unrefp) sd_bus_message *m = NULL;

        int r = new_call(bus, "Release", &m);
        if (r >= 0)
                r = sd_bus_message_append(m, "ss", id, outcome);
        if (r >= 0)
                r = sd_bus_message_set_expect_reply(m, false);
        if (r >= 0)
                r = sd_bus_send(bus, m, NULL);
        return r < 0 ? r : 0;
}

/* Takes back what was asked for: it may have been granted already, and nothing was done with it. */
static void give_up(sd_bus *bus) {
        int r = send_release(bus, "", "clean");
        if (r >= 0)
                r = lease_settle(bus, usec_add(now_monotonic(), SETTLE_USEC));
        if (r < 0)
                log_warning_errno(r, "Failed to give up a lease that was asked for: %m");
}

/* Asks once: 1 with *ret, 0 with *verdict and, if somebody refused, *error, or negative errno. */
static int ask_once(
        sd_bus *bus, const LeaseAsk *ask, Lease *ret, Verdict *verdict, Again *again, sd_bus_error *error) {
        _cleanup_(sd_bus_message_unrefp) sd_bus_message *call = NULL, *reply = NULL;
        uint64_t now = now_monotonic(), wait_usec = ask->deadline > now ? ask->deadline - now : 0;

        int r = new_call(bus, "Lease", &call);
        if (r >= 0)
                r = append_options(call, ask, wait_usec);
        if (r >= 0)
                r = bus_ask(bus, call, usec_add(wait_usec, CALL_MARGIN_USEC), ask->client_fd,
                        usec_add(MAX(ask->deadline, now), HANGING_USEC), &reply);
        if (r == -ECANCELED) {
                give_up(bus);
                *verdict = VERDICT_CLIENT_GONE;
                return 0;
        }
        if (r < 0) {
                *verdict = VERDICT_NO_WATCHDOG;
                return log_warning_errno(r, "Failed to talk to the bus: %m"), 0;
        }
        if (sd_bus_message_is_method_error(reply, NULL)) {
                const Refusal *refusal = find_refusal(sd_bus_message_get_error(reply));
                *verdict = refusal->verdict;
                *again = refusal->again;
                r = sd_bus_error_copy(error, sd_bus_message_get_error(reply));
                return r == -ENOMEM ? r : 0;
        }
        r = read_lease(reply, ret);
        return r < 0 ? r : 1;
}

/* Whether to ask once more, waiting until that may help: 1, or 0 with *verdict. */
static int wait_to_ask(sd_bus *bus, const LeaseAsk *ask, Again again, bool was_there, Verdict *verdict) {
        if (again == AGAIN_AT_ONCE)
                return sd_bus_is_open(bus) > 0 && now_monotonic() < ask->deadline;
        if (again == AGAIN_NEVER)
                return 0;

        int r = arrival_wait(bus, was_there, ask->client_fd, ask->deadline);
        if (r == -ECANCELED)
                *verdict = VERDICT_CLIENT_GONE;
        else if (r < 0)
                log_warning_errno(r, "Failed to wait for the watchdog: %m");
        return MAX(r, 0);
}

int lease_take(sd_bus *bus, const LeaseAsk *ask, Lease *ret, Verdict *verdict, Text *message) {
        bool was_there = false;

        for (;;) {
                _cleanup_(sd_bus_error_free) sd_bus_error error = SD_BUS_ERROR_NULL;
                Again again = AGAIN_NEVER;
                int r = ask_once(bus, ask, ret, verdict, &again, &error);
                if (r != 0)
                        return r;

                was_there |= again == AGAIN_AT_ONCE;
                if (wait_to_ask(bus, ask, again, was_there, verdict) == 0) {
                        tell_refusal(*verdict, &error, message);
                        return 0;
                }
        }
}

int lease_release(sd_bus *bus, Lease *lease, Verdict verdict) {
        lease->fd = fd_close(lease->fd);
        return send_release(bus, lease->id, verdict_outcome(verdict));
}

int lease_settle(sd_bus *bus, uint64_t deadline) {
        for (;;) {
                int r = sd_bus_process(bus, NULL);
                if (r < 0)
                        return r;
                if (r > 0)
                        continue;
                if (!(sd_bus_get_events(bus) & POLLOUT))
                        return 0;
                if (now_monotonic() >= deadline)
                        return -ETIMEDOUT;
                r = bus_wait(bus, -EBADF, deadline);
                if (r < 0)
                        return r;
        }
}
