/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "watchdog/bus/gate.h"

#include <inttypes.h>
#include <pwd.h>
#include <stdio.h>

#include "common/io.h"
#include "common/log.h"
#include "watchdog/bus/denials.h"

/* Calls that wait to be authorised; dbus-daemon allows a user 256 connections. */
#define CHECKS_MAX 512
/* Of them, those that polkit, or a person, thinks about: the handlers need the rest. */
#define ASKED_MAX 64
/* and of one user's. */
#define ASKED_USER_MAX 8
#define CALLERS_MAX 1024
#define HANDLERS_USER "pbotvm"
/* A person may have to type a password. */
#define INTERACTIVE_USEC (120 * USEC_PER_SEC)
#define POLKIT_USEC (25 * USEC_PER_SEC)

#define UID_NONE ((uid_t)-1)

/* Who is behind a unique name, which is given once in a bus's life. */
typedef struct Caller Caller;
struct Caller {
        char *name;
        uid_t uid;
        uint32_t pid;
        Caller *next;
};

/* A call that waits for an answer about its caller. */
typedef struct Check Check;
struct Check {
        Gate *gate;
        const GateMethod *method;
        sd_bus_message *message;
        uid_t uid; /* UID_NONE until it is known */
        sd_bus_slot *slot;
        uint64_t cancellation; /* of polkit; 0: not asked yet */
        Check *previous, *next;
};

struct Gate {
        sd_bus *bus;
        void *userdata; /* of the handlers */
        const GateMethod *methods;
        uid_t own_uid;
        uid_t handlers_uid; /* UID_NONE if there is no such user */
        bool trust_nobody;  /* for tests: polkit decides about everybody */
        Check *checks;
        size_t n_checks, n_asked;
        Caller *callers;
        size_t n_callers;
        uint64_t last_cancellation;
        Denials denials;
};

int gate_new(sd_bus *bus, const GateMethod *methods, void *userdata, Gate **ret) {
        Gate *gate = malloc(sizeof(*gate));
        if (!gate)
                return -ENOMEM;

        const struct passwd *handlers = getpwnam(HANDLERS_USER);
        *gate = (Gate){
                .bus = sd_bus_ref(bus),
                .userdata = userdata,
                .methods = methods,
                .own_uid = geteuid(),
                .handlers_uid = handlers ? handlers->pw_uid : UID_NONE,
                .trust_nobody = getenv("PBOTVM_TEST_TRUST_NOBODY"),
        };
        *ret = gate;
        return 0;
}

static Check *check_free(Check *check) {
        if (!check)
                return NULL;
        Gate *gate = check->gate;

        if (check->previous)
                check->previous->next = check->next;
        else if (gate->checks == check)
                gate->checks = check->next;
        if (check->next)
                check->next->previous = check->previous;
        gate->n_checks--;
        gate->n_asked -= check->cancellation > 0;
        sd_bus_slot_unref(check->slot);
        sd_bus_message_unref(check->message);
        free(check);
        return NULL;
}

static void caller_free(Caller *caller) {
        free(caller->name);
        free(caller);
}

Gate *gate_free(Gate *gate) {
        if (!gate)
                return NULL;
        while (gate->checks)
                check_free(gate->checks);
        while (gate->callers) {
                Caller *caller = gate->callers;
                gate->callers = caller->next;
                caller_free(caller);
        }
        sd_bus_unref(gate->bus);
        free(gate);
        return NULL;
}

/* ---- who calls ---- */

static const Caller *find_caller(const Gate *gate, const char *name) {
        for (const Caller *c = gate->callers; c; c = c->next)
                if (streq(c->name, name))
                        return c;
        return NULL;
}

uint32_t gate_sender_pid(const Gate *gate, const char *sender) {
        const Caller *caller = find_caller(gate, sender);
        return caller ? caller->pid : 0;
}

/* Past the limit nothing is remembered, and each call is looked up anew. */
static void remember_caller(Gate *gate, const char *name, uid_t uid, uint32_t pid) {
        if (gate->n_callers >= CALLERS_MAX || find_caller(gate, name))
                return;
        Caller *caller = calloc(1, sizeof(*caller));
        if (!caller)
                return;
        caller->name = strdup(name);
        if (!caller->name) {
                free(caller);
                return;
        }
        caller->uid = uid;
        caller->pid = pid;
        caller->next = gate->callers;
        gate->callers = caller;
        gate->n_callers++;
}

static void forget_caller(Gate *gate, const char *name) {
        for (Caller **c = &gate->callers; *c; c = &(*c)->next)
                if (streq((*c)->name, name)) {
                        Caller *gone = *c;
                        *c = gone->next;
                        caller_free(gone);
                        gate->n_callers--;
                        return;
                }
}

/* Root, and whoever runs the watchdog (an ordinary user on a bus of his own), need no polkit; the handlers
 * none to use a machine. */
static bool is_trusted(const Gate *gate, uid_t uid, const char *action) {
        if (gate->trust_nobody || uid == UID_NONE)
                return false;
        return uid == 0 || uid == gate->own_uid || (uid == gate->handlers_uid && streq(action, ACTION_USE));
}

/* ---- the verdict ---- */

static void answer(Check *check, int result, sd_bus_error *error) {
        if (sd_bus_error_is_set(error))
                (void)sd_bus_reply_method_error(check->message, error);
        else if (result < 0)
                (void)sd_bus_reply_method_errno(check->message, result, NULL);
        sd_bus_error_free(error);
}

static void allow(Check *check) {
        sd_bus_error error = SD_BUS_ERROR_NULL;

        int r = check->method->handler(check->message, check->gate->userdata, &error);
        answer(check, r, &error);
        check_free(check);
}

static void deny(Check *check, const char *name, const char *why) {
        sd_bus_error error = SD_BUS_ERROR_NULL;
        unsigned untold;

        if (denials_note(&check->gate->denials, check->uid, now_monotonic(), &untold))
                (void)log_write(LOG_NOTICE, 0, MESSAGE_DENIED, NULL,
                        "%s of user %i is refused %s (%u more calls of that user were refused since the "
                        "last such line): %s",
                        sd_bus_message_get_sender(check->message), (int)check->uid, check->method->member,
                        untold, why);
        (void)sd_bus_error_setf(&error, name, "%s: %s", check->method->action, why);
        answer(check, 0, &error);
        check_free(check);
}

/* ---- polkit ---- */

static int on_polkit(sd_bus_message *reply, void *userdata, sd_bus_error *ret_error _unused_) {
        Check *check = userdata;
        const sd_bus_error *error = sd_bus_message_get_error(reply);
        int authorized = 0, challenge = 0;

        if (error)
                deny(check, SD_BUS_ERROR_ACCESS_DENIED,
                        sd_bus_error_has_name(error, SD_BUS_ERROR_SERVICE_UNKNOWN) ||
                                        sd_bus_error_has_name(error, SD_BUS_ERROR_NAME_HAS_NO_OWNER)
                                ? "polkit is not there to ask"
                        : error->message ? error->message
                                         : error->name);
        else if (sd_bus_message_enter_container(reply, 'r', "bba{ss}") < 0 ||
                 sd_bus_message_read(reply, "bb", &authorized, &challenge) < 0)
                deny(check, SD_BUS_ERROR_ACCESS_DENIED, "polkit's answer makes no sense");
        else if (authorized)
                allow(check);
        else if (challenge)
                deny(check, SD_BUS_ERROR_INTERACTIVE_AUTHORIZATION_REQUIRED,
                        "interactive authentication required");
        else
                deny(check, SD_BUS_ERROR_ACCESS_DENIED, "not authorized");
        return 0;
}

static int append_question(Check *check, sd_bus_message *question, bool interactive) {
        char cancellation[32];

        snprintf(cancellation, sizeof(cancellation), "pbotvm-%" PRIu64, check->cancellation);
        int r = sd_bus_message_append(question, "(sa{sv})", "system-bus-name", 1, "name", "s",
                sd_bus_message_get_sender(check->message));
        if (r >= 0)
                r = sd_bus_message_append(question, "s", check->method->action);
        if (r >= 0)
                r = sd_bus_message_append(
                        question, "a{ss}", 1, "object", sd_bus_message_get_path(check->message));
        return r < 0 ? r : sd_bus_message_append(question, "us", interactive, cancellation);
}

static int ask_polkit(Check *check) {
        sd_bus *bus = check->gate->bus;
        bool interactive = sd_bus_message_get_allow_interactive_authorization(check->message) > 0;
        sd_bus_message *question = NULL;

        check->slot = sd_bus_slot_unref(check->slot);
        check->cancellation = ++check->gate->last_cancellation;
        check->gate->n_asked++;
        int r = sd_bus_message_new_method_call(bus, &question, "org.freedesktop.PolicyKit1",
                "/org/freedesktop/PolicyKit1/Authority", "org.freedesktop.PolicyKit1.Authority",
                "CheckAuthorization");
        if (r >= 0)
                r = append_question(check, question, interactive);
        if (r >= 0)
                r = sd_bus_call_async(bus, &check->slot, question, on_polkit, check,
                        interactive ? INTERACTIVE_USEC : POLKIT_USEC);
        sd_bus_message_unref(question);
        return r;
}

static void cancel_polkit(const Check *check) {
        char cancellation[32];

        snprintf(cancellation, sizeof(cancellation), "pbotvm-%" PRIu64, check->cancellation);
        (void)sd_bus_call_method_async(check->gate->bus, NULL, "org.freedesktop.PolicyKit1",
                "/org/freedesktop/PolicyKit1/Authority", "org.freedesktop.PolicyKit1.Authority",
                "CancelCheckAuthorization", NULL, NULL, "s", cancellation);
}

/* ---- the order of it all ---- */

static size_t count_asked(const Gate *gate, uid_t uid) {
        size_t n = 0;

        for (const Check *c = gate->checks; c; c = c->next)
                n += c->cancellation > 0 && c->uid == uid;
        return n;
}

static void judge(Check *check, uid_t uid) {
        check->uid = uid;
        if (is_trusted(check->gate, uid, check->method->action))
                allow(check);
        else if (check->gate->n_asked >= ASKED_MAX || count_asked(check->gate, uid) >= ASKED_USER_MAX)
                deny(check, SD_BUS_ERROR_LIMITS_EXCEEDED, "too many calls wait for polkit");
        else if (ask_polkit(check) < 0)
                deny(check, SD_BUS_ERROR_ACCESS_DENIED, "polkit cannot be asked");
}

static int read_credentials(sd_bus_message *reply, uid_t *ret_uid, uint32_t *ret_pid) {
        uint32_t uid = UID_NONE, pid = 0;

        int r = sd_bus_message_enter_container(reply, 'a', "{sv}");
        while (r >= 0 && (r = sd_bus_message_enter_container(reply, 'e', "sv")) > 0) {
                const char *name;
                r = sd_bus_message_read(reply, "s", &name);
                if (r >= 0 && streq(name, "UnixUserID"))
                        r = sd_bus_message_read(reply, "v", "u", &uid);
                else if (r >= 0 && streq(name, "ProcessID"))
                        r = sd_bus_message_read(reply, "v", "u", &pid);
                else if (r >= 0)
                        r = sd_bus_message_skip(reply, "v");
                if (r >= 0)
                        r = sd_bus_message_exit_container(reply);
        }
        if (r < 0)
                return r;
        *ret_uid = uid;
        *ret_pid = pid;
        return 0;
}

static int on_credentials(sd_bus_message *reply, void *userdata, sd_bus_error *ret_error _unused_) {
        Check *check = userdata;
        uid_t uid = UID_NONE;
        uint32_t pid = 0;

        if (!sd_bus_message_is_method_error(reply, NULL) && read_credentials(reply, &uid, &pid) >= 0)
                remember_caller(check->gate, sd_bus_message_get_sender(check->message), uid, pid);
        judge(check, uid);
        return 0;
}

static int ask_credentials(Check *check) {
        return sd_bus_call_method_async(check->gate->bus, &check->slot, "org.freedesktop.DBus",
                "/org/freedesktop/DBus", "org.freedesktop.DBus", "GetConnectionCredentials", on_credentials,
                check, "s", sd_bus_message_get_sender(check->message));
}

static Check *check_new(Gate *gate, const GateMethod *method, sd_bus_message *message) {
        Check *check = calloc(1, sizeof(*check));
        if (!check)
                return NULL;
        check->gate = gate;
        check->method = method;
        check->uid = UID_NONE;
        check->message = sd_bus_message_ref(message);
        check->next = gate->checks;
        if (check->next)
                check->next->previous = check;
        gate->checks = check;
        gate->n_checks++;
        return check;
}

static const GateMethod *find_method(const Gate *gate, sd_bus_message *message) {
        const char *interface = sd_bus_message_get_interface(message);

        for (const GateMethod *m = gate->methods; m->member; m++)
                if (streq(m->member, sd_bus_message_get_member(message)) &&
                        (!interface || streq(m->interface, interface)))
                        return m;
        return NULL;
}

int gate_method(Gate *gate, sd_bus_message *message, sd_bus_error *error) {
        const GateMethod *method = find_method(gate, message);
        const char *sender = sd_bus_message_get_sender(message);

        if (!method || !sender)
                return sd_bus_error_set(error, SD_BUS_ERROR_ACCESS_DENIED, "No policy allows this method.");
        if (gate->n_checks >= CHECKS_MAX)
                return sd_bus_error_set(
                        error, SD_BUS_ERROR_LIMITS_EXCEEDED, "Too many calls wait to be authorised.");

        const Caller *caller = find_caller(gate, sender);
        if (caller && is_trusted(gate, caller->uid, method->action))
                return method->handler(message, gate->userdata, error);

        Check *check = check_new(gate, method, message);
        if (!check)
                return -ENOMEM;
        if (caller) {
                judge(check, caller->uid);
                return 1;
        }
        int r = ask_credentials(check);
        if (r < 0) {
                check_free(check);
                return r;
        }
        return 1;
}

void gate_sender_gone(Gate *gate, const char *sender) {
        forget_caller(gate, sender);
        for (Check *c = gate->checks, *next; c; c = next) {
                next = c->next;
                if (!streq(sd_bus_message_get_sender(c->message), sender))
                        continue;
                if (c->cancellation > 0)
                        cancel_polkit(c);
                check_free(c);
        }
}
