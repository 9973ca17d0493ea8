/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "handler/record.h"

#include <inttypes.h>

#include "common/io.h"
#include "common/log.h"
#include "common/utf8.h"

#define FIELDS_MAX 20
#define VALUE_MAX 256
#define NAME_SHOWN 64

typedef struct Fields {
        Text lines[FIELDS_MAX];
        const char *list[FIELDS_MAX + 1];
        size_t n;
} Fields;

static void fields_done(Fields *fields) {
        for (size_t i = 0; i < fields->n; i++)
                text_done(&fields->lines[i]);
}

static void add(Fields *fields, const char *name, const char *value) {
        Text *line = &fields->lines[fields->n];

        if (isempty(value) || fields->n == FIELDS_MAX)
                return;
        text_append_printf(line, "%s=%.*s", name, VALUE_MAX, value);
        fields->list[fields->n++] = text_string(line);
}

static void add_number(Fields *fields, const char *name, uint64_t value) {
        char number[24];

        snprintf(number, sizeof(number), "%" PRIu64, value);
        add(fields, name, number);
}

static void add_lease(Fields *fields, const Run *run) {
        add(fields, "PBOTVM_LEASE", run->lease.id);
        add(fields, "PBOTVM_TRANSPORT", run->lease.transport);
        add(fields, "PBOTVM_GUEST", guest_kind_to_string(run->lease.guest));
        add_number(fields, "PBOTVM_GENERATION", run->lease.generation);
        add_number(fields, "PBOTVM_WAIT_USEC", run->wait_usec);
        add_number(fields, "PBOTVM_RUN_USEC", run->run_usec);
        if (run->attempts > 1)
                add_number(fields, "PBOTVM_ATTEMPTS", run->attempts);
}

/* "configure=210 receive=15 ...": what each step took. */
static void add_steps(Fields *fields, const Steps *steps, uint64_t began) {
        _cleanup_text_ Text text = {};

        for (size_t i = 0; i < steps->n; i++) {
                text_append_printf(&text, "%s%s=%" PRIu64, i > 0 ? " " : "", steps->list[i].name,
                        steps->list[i].usec - began);
                began = steps->list[i].usec;
        }
        add(fields, "PBOTVM_STEPS_USEC", text_string(&text));
        log_debug("steps: %s", text_string(&text));
}

/* What a stranger typed stands in a message of one line. */
static void append_plain(Text *text, const char *string) {
        char line[NAME_SHOWN + 1];

        utf8_copy_line(line, sizeof(line), string ?: "");
        text_append_string(text, line);
}

void record_request(const Run *run, uint64_t began, size_t answer_size) {
        _cleanup_(fields_done) Fields fields = {};
        _cleanup_text_ Text who = {};
        uint64_t duration = now_monotonic() - began;
        const char *machine = run->lease.machine ? run->lease.machine
                              : run->pipeline    ? pipeline_machine(run->pipeline)
                                                 : run->query.vm;
        bool good = verdict_is_good(run->verdict);

        add(&fields, "PBOTVM_NICK", run->query.nick);
        add(&fields, "PBOTVM_CHANNEL", run->query.channel);
        add(&fields, "PBOTVM_LANGUAGE", run->query.lang);
        add(&fields, "PBOTVM_CODE", run->query.code.size > 0 ? text_string(&run->query.code) : NULL);
        add(&fields, "PBOTVM_MACHINE", machine);
        add(&fields, "PBOTVM_VERDICT", verdict_name(run->verdict));
        add_number(&fields, "PBOTVM_DURATION_USEC", duration);
        add_number(&fields, "PBOTVM_ANSWER_BYTES", answer_size);
        add(&fields, "PBOTVM_CONFINED",
                run->confined.landlock && run->confined.seccomp ? "landlock seccomp"
                : run->confined.landlock                        ? "landlock"
                : run->confined.seccomp                         ? "seccomp"
                                                                : NULL);
        if (run->parts_ignored)
                add(&fields, "PBOTVM_PARTS_IGNORED", "1");
        if (run->lease.id)
                add_lease(&fields, run);
        add_steps(&fields, &run->steps, began);

        append_plain(&who, run->query.nick ? run->query.nick : "a client");
        if (run->query.channel) {
                text_append_string(&who, " in ");
                append_plain(&who, run->query.channel);
                text_append_string(&who, ": ");
                append_plain(&who, run->query.lang);
        }
        if (machine) {
                text_append_string(&who, " on ");
                append_plain(&who, machine);
        }
        log_write(good ? LOG_INFO : LOG_NOTICE, 0, good ? MESSAGE_REQUEST : MESSAGE_REQUEST_FAILED,
                fields.list, "%s: %s, %" PRIu64 ".%03" PRIu64 " s", text_string(&who),
                verdict_name(run->verdict), duration / USEC_PER_SEC,
                duration % USEC_PER_SEC / USEC_PER_MSEC);
}
