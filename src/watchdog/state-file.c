/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "watchdog/state-file.h"

#include <fcntl.h>
#include <stdio.h>

#include "common/io.h"
#include "common/json.h"
#include "common/log.h"

#define STATE_FILE "state.json"
#define STATE_FILE_NEW "state.json.new"
/* What is written can be read: 1,024 machines have 400 KiB, 2.2 MiB at worst, and a lease has at most 1 KiB.
 */
#define STATE_LIMITS ((JsonLimits){ .size = 32 << 20, .depth = 8, .values = 2000000 })

/* The members of a machine that are numbers, none of which has to be there. */
static const struct {
        const char *name;
        size_t offset;
        uint64_t max;
        bool of_leases; /* changes with a lease, whose own record is about to be written: no reason to write
                         */
} numbers[] = {
        { "failures", offsetof(SavedMachine, failures), 1000, false },
        { "retry_usec", offsetof(SavedMachine, retry_usec), INT64_MAX, false },
        { "born_usec", offsetof(SavedMachine, born_usec), INT64_MAX, false },
        { "served", offsetof(SavedMachine, served), INT64_MAX, true },
        { "place", offsetof(SavedMachine, place), MACHINE_SPARES_MAX, false },
};

static uint64_t number_at(const SavedMachine *machine, size_t i) {
        return *(const uint64_t *)((const char *)machine + numbers[i].offset);
}

void saved_state_done(SavedState *state) {
        for (size_t i = 0; i < state->n_machines; i++) {
                free((char *)state->machines[i].name);
                asker_done(&state->machines[i].user);
        }
        free(state->machines);
        *state = (SavedState){};
}

bool saved_machine_equal(const SavedMachine *a, const SavedMachine *b) {
        for (size_t i = 0; i < ELEMENTSOF(numbers); i++)
                if (!numbers[i].of_leases && number_at(a, i) != number_at(b, i))
                        return false;
        return streq_ptr(a->name, b->name) && a->generation == b->generation && a->guest == b->guest &&
               a->drained == b->drained && a->due == b->due;
}

/* ---- reading ---- */

/* What was going on when the file was written decides what is due now. */
static RevertReason due_reason(const Json *json) {
        const char *due = json_string(json_member(json, "due"), NULL);
        int reason = due ? revert_reason_from_name(due) : REVERT_NONE;

        if (reason < 0 || (reason == REVERT_NONE && json_size(json_member(json, "leases")) > 0))
                return REVERT_UNCLEAN;
        return (RevertReason)reason;
}

/* 0 if it is not there, or none. */
static uint64_t read_count(const Json *json, const char *name, uint64_t max) {
        const Json *member = json_member(json, name);
        int64_t value = 0;

        return member && json_integer(member, &value) >= 0 && value > 0 ? MIN((uint64_t)value, max) : 0;
}

/* One that is not as we write it is as good as none. */
static void read_hour(const Json *json, Hour *hour) {
        *hour = (Hour){ .minute = read_count(json, "minute", INT64_MAX) };
        for (size_t i = 0; i < _HOUR_COUNT_MAX; i++) {
                const char *text = json_string(json_member(json, hour_count_to_name((HourCount)i)), NULL);
                if (text)
                        (void)hour_parse(hour, (HourCount)i, text);
        }
}

/* Of several who had it, the first. What is not there is not known. */
static int read_user(const Json *json, Asker *user) {
        const Json *leases = json_member(json, "leases"),
                   *lease = json_size(leases) > 0 ? json_at(leases, 0) : NULL;
        const struct {
                const char *name;
                char **value;
        } texts[] = {
                { "nick", &user->nick },
                { "channel", &user->channel },
                { "language", &user->language },
        };

        for (size_t i = 0; lease && i < ELEMENTSOF(texts); i++) {
                const char *text = json_string(json_member(lease, texts[i].name), NULL);
                if (text && asker_set(texts[i].value, text) < 0)
                        return -ENOMEM;
        }
        return 0;
}

static int read_machine(const Json *json, SavedMachine *ret) {
        const Json *name = json_member(json, "name"), *number = json_member(json, "generation");
        const char *guest = json_string(json_member(json, "guest"), NULL);
        int kind = guest ? guest_kind_from_string(guest) : GUEST_UNKNOWN;
        int64_t generation = 0;

        if (!name || !json_string(name, NULL) || !number || json_integer(number, &generation) < 0 ||
                generation < 0)
                return -EBADMSG;
        *ret = (SavedMachine){
                .name = strdup(json_string(name, NULL)),
                .generation = (uint64_t)generation,
                .guest = kind >= 0 ? (GuestKind)kind : GUEST_UNKNOWN,
                .drained = json_boolean(json_member(json, "drained")),
                .due = due_reason(json),
        };
        for (size_t i = 0; i < ELEMENTSOF(numbers); i++)
                *(uint64_t *)((char *)ret + numbers[i].offset) =
                        read_count(json, numbers[i].name, numbers[i].max);
        read_hour(json_member(json, "hour"), &ret->hour);
        return ret->name ? read_user(json, &ret->user) : -ENOMEM;
}

static int read_machines(const Json *json, SavedState *state) {
        const Json *machines = json_member(json, "machines");
        if (!machines || json_type(machines) != JSON_ARRAY)
                return -EBADMSG;

        state->machines = calloc(json_size(machines) + 1, sizeof(*state->machines));
        if (!state->machines)
                return -ENOMEM;
        for (size_t i = 0; i < json_size(machines); i++) {
                int r = read_machine(json_at(machines, i), &state->machines[state->n_machines++]);
                if (r < 0)
                        return r;
        }
        return 0;
}

int state_file_read(int run_fd, SavedState *ret) {
        _cleanup_text_ Text text = {};
        _cleanup_json_ Json *json = NULL;
        _cleanup_(saved_state_done) SavedState state = {};
        JsonError error = {};

        int r = io_read_file(run_fd, STATE_FILE, STATE_LIMITS.size, &text);
        if (r == -ENOENT) {
                *ret = (SavedState){};
                return 0;
        }
        if (r >= 0)
                r = json_parse(text.data, text.size, STATE_LIMITS, &json, &error);
        if (r >= 0)
                r = read_machines(json, &state);
        if (r == -ENOMEM)
                return r;
        if (r < 0) {
                (void)log_warning_errno(r,
                        "The state file cannot be used, every machine counts as used: %s%s%m", error.message,
                        *error.message ? ": " : "");
                saved_state_done(&state);
                state.broken = true;
        }
        *ret = state;
        state = (SavedState){};
        return 0;
}

SavedMachine saved_machine(const SavedState *state, const char *name) {
        for (size_t i = 0; i < state->n_machines; i++)
                if (streq(state->machines[i].name, name))
                        return state->machines[i];
        return (SavedMachine){ .due = state->broken ? REVERT_UNCLEAN : REVERT_NONE };
}

/* ---- writing ---- */

static void put_lease(JsonWriter *w, const SavedLease *lease) {
        json_open_object(w);
        json_key(w, "id");
        json_put_string(w, lease->id);
        json_key(w, "nick");
        json_put_string(w, lease->nick);
        json_key(w, "channel");
        json_put_string(w, lease->channel);
        json_key(w, "language");
        json_put_string(w, lease->language);
        json_key(w, "pid");
        json_put_integer(w, lease->pid);
        json_close_object(w);
}

static void put_hour(JsonWriter *w, const Hour *hour) {
        json_open_object(w);
        json_key(w, "minute");
        json_put_integer(w, (int64_t)hour->minute);
        for (size_t i = 0; i < _HOUR_COUNT_MAX; i++) {
                _cleanup_text_ Text text = {};
                hour_format(hour, (HourCount)i, &text);
                json_key(w, hour_count_to_name((HourCount)i));
                json_put_string(w, text_string(&text));
        }
        json_close_object(w);
}

static void put_machine(JsonWriter *w, const SavedState *state, const SavedMachine *machine) {
        json_open_object(w);
        json_key(w, "name");
        json_put_string(w, machine->name);
        json_key(w, "generation");
        json_put_integer(w, (int64_t)machine->generation);
        json_key(w, "guest");
        json_put_string(w, guest_kind_to_string(machine->guest));
        json_key(w, "drained");
        json_put_boolean(w, machine->drained);
        json_key(w, "due");
        json_put_string(w, revert_reason_to_name(machine->due));
        for (size_t i = 0; i < ELEMENTSOF(numbers); i++) {
                json_key(w, numbers[i].name);
                json_put_integer(w, (int64_t)number_at(machine, i));
        }
        json_key(w, "hour");
        put_hour(w, &machine->hour);
        json_key(w, "leases");
        json_open_array(w);
        for (size_t i = 0; i < state->n_leases; i++)
                if (streq(state->leases[i].machine, machine->name))
                        put_lease(w, &state->leases[i]);
        json_close_array(w);
        json_close_object(w);
}

int state_file_format(const SavedState *state, Text *text) {
        _cleanup_(json_writer_freep) JsonWriter *w = json_writer_new(true);

        json_open_object(w);
        json_key(w, "machines");
        json_open_array(w);
        for (size_t i = 0; i < state->n_machines; i++)
                put_machine(w, state, &state->machines[i]);
        json_close_array(w);
        json_close_object(w);
        return json_writer_finish(w, text);
}

int state_file_write(int run_fd, const Text *text) {
        if (text->size > STATE_LIMITS.size)
                return -EFBIG;

        _cleanup_close_ int fd =
                openat(run_fd, STATE_FILE_NEW, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0600);
        if (fd < 0)
                return -errno;

        /* On a tmpfs: what matters is that the process may die, not the machine. */
        int r = io_write(fd, text->data, text->size, USEC_INFINITY);
        if (r < 0)
                return r;
        return renameat(run_fd, STATE_FILE_NEW, run_fd, STATE_FILE) < 0 ? -errno : 0;
}
