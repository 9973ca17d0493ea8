/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "ctl/ctl.h"

#include <stdio.h>

int ctl_failure(int error, const char *what) {
        fprintf(stderr, "Failed to %s: %s\n", what, strerror(-error));
        return EXIT_FAILURE;
}

int ctl_connect(Ctl *ctl) {
        const char *name;

        int r = ctl->host ? sd_bus_open_system_remote(&ctl->bus, ctl->host) : sd_bus_open_system(&ctl->bus);
        if (r >= 0 && ctl->host) /* ssh has only been started: this waits for the bus behind it */
                r = sd_bus_get_unique_name(ctl->bus, &name);
        if (r >= 0)
                return 0;
        fprintf(stderr, "Failed to connect to the system bus%s%s: %s\n", ctl->host ? " of " : "",
                ctl->host ?: "", strerror(-r));
        return EXIT_NOT_RUNNING;
}

bool ctl_service_runs(Ctl *ctl) {
        _cleanup_(sd_bus_message_unrefp) sd_bus_message *reply = NULL;
        int owned = 0;

        return sd_bus_call_method(ctl->bus, "org.freedesktop.DBus", "/org/freedesktop/DBus",
                       "org.freedesktop.DBus", "NameHasOwner", NULL, &reply, "s", VM1_NAME) >= 0 &&
               sd_bus_message_read(reply, "b", &owned) >= 0 && owned;
}

int ctl_message(
        Ctl *ctl, const char *path, const char *interface, const char *method, sd_bus_message **ret) {
        _cleanup_(sd_bus_message_unrefp) sd_bus_message *message = NULL;

        int r = sd_bus_message_new_method_call(ctl->bus, &message, VM1_NAME, path, interface, method);
        if (r >= 0)
                r = sd_bus_message_set_auto_start(message, false);
        if (r >= 0)
                r = sd_bus_message_set_allow_interactive_authorization(message, ctl->ask_password);
        if (r < 0)
                return r;
        *ret = TAKE_PTR(message);
        return 0;
}

/* What an operator can do about an error. */
static const struct {
        const char *error;
        int code;
        const char *text;
        const char *command; /* what systemctl helps with; NULL: nothing */
} errors[] = {
        { SD_BUS_ERROR_SERVICE_UNKNOWN, EXIT_NOT_RUNNING,
                "the service is not running; start it with:", "start pbotvm-watchdog" },
        { SD_BUS_ERROR_NAME_HAS_NO_OWNER, EXIT_NOT_RUNNING,
                "the service is not running; start it with:", "start pbotvm-watchdog" },
        { SD_BUS_ERROR_ACCESS_DENIED, EXIT_DENIED,
                "permission denied; this is for root and members of the group pbotvm-admin" },
        { SD_BUS_ERROR_INTERACTIVE_AUTHORIZATION_REQUIRED, EXIT_DENIED,
                "permission denied; this is for root and members of the group pbotvm-admin" },
        { SD_BUS_ERROR_NO_REPLY, EXIT_FAILURE,
                "the service did not answer in time; see:", "status pbotvm-watchdog" },
        { SD_BUS_ERROR_TIMEOUT, EXIT_FAILURE,
                "the service did not answer in time; see:", "status pbotvm-watchdog" },
};

int ctl_refusal(const Ctl *ctl, const sd_bus_error *error, int r, const char *what) {
        for (size_t i = 0; i < ELEMENTSOF(errors); i++) {
                if (!sd_bus_error_has_name(error, errors[i].error))
                        continue;
                fprintf(stderr, "Failed to %s: %s", what, errors[i].text);
                if (errors[i].command)
                        fprintf(stderr, " systemctl %s%s%s%s", ctl->host ? "-H " : "", ctl->host ?: "",
                                ctl->host ? " " : "", errors[i].command);
                fputc('\n', stderr);
                return errors[i].code;
        }
        if (!error->message)
                return ctl_failure(r, what);

        size_t size = strlen(error->message);
        while (size > 0 && error->message[size - 1] == '\n')
                size--;
        fprintf(stderr, "Failed to %s: %.*s\n", what, (int)size, error->message);
        return EXIT_FAILURE;
}

int ctl_call(Ctl *ctl, sd_bus_message *message, uint64_t timeout_usec, const char *what,
        sd_bus_message **ret_reply) {
        _cleanup_(sd_bus_error_free) sd_bus_error error = SD_BUS_ERROR_NULL;

        int r = sd_bus_call(ctl->bus, message, timeout_usec, &error, ret_reply);
        return r < 0 ? ctl_refusal(ctl, &error, r, what) : 0;
}

void ctl_say_waiting(void *uri, uint64_t usec) {
        fprintf(stderr, "Waiting for libvirt at %s, at most %d s...\n", (const char *)uri,
                (int)(usec / USEC_PER_SEC));
}

void ctl_print(const Text *text) {
        (void)fwrite(text_string(text), 1, text->size, stdout);
        (void)fflush(stdout);
}
