/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <assert.h>
#include <inttypes.h>

#include "common/text.h"
#include "watchdog/keeper-private.h"

/* A field is sent with its size, and what a guest or a client wrote is one line of printable bytes by the
 * time that it comes here: neither can make another field of it. What is not known is left out. */
static void add_string(Text *fields, size_t *n, const char *name, const char *value) {
        if (!isempty(value))
                text_append_printf(&fields[(*n)++], "%s=%s", name, value);
}

static void add_number(Text *fields, size_t *n, const char *name, uint64_t value) {
        if (value != USEC_INFINITY)
                text_append_printf(&fields[(*n)++], "%s=%" PRIu64, name, value);
}

/* An entry for each line: none of them can look like another one of ours. */
static void tell_words(const Keeper *keeper) {
        _cleanup_text_ Text generation = {};
        const char *line;

        text_append_printf(&generation, "PBOTVM_GENERATION=%" PRIu64, keeper->machine.generation);
        while ((line = pulse_take_words(keeper->pulse))) {
                _cleanup_text_ Text name = {};
                text_append_printf(&name, "PBOTVM_MACHINE=%s", keeper->config->name);
                const char *const fields[] = { text_string(&name), text_string(&generation), NULL };
                (void)log_write(LOG_NOTICE, 0, MESSAGE_GUEST_JOURNAL, fields, "The guest of %s told: %s",
                        keeper->config->name, line);
        }
}

void keeper_report(const Keeper *keeper) {
        const Machine *m = &keeper->machine;
        const char *reason = revert_reason_to_string(m->due);
        Text fields[16] = {};
        const char *list[ELEMENTSOF(fields) + 1] = {};
        size_t n = 0;

        tell_words(keeper);
        add_string(fields, &n, "PBOTVM_MACHINE", keeper->config->name);
        add_string(fields, &n, "PBOTVM_REASON", revert_reason_to_name(m->due));
        add_number(fields, &n, "PBOTVM_GENERATION", m->generation);
        add_number(fields, &n, "PBOTVM_SERVED", m->served);
        add_number(fields, &n, "PBOTVM_FAILURES", m->failures);
        add_string(fields, &n, "PBOTVM_DOMAIN_STATE", run_fact_to_string(m->run));
        add_string(fields, &n, "PBOTVM_AGENT", link_fact_to_string(m->link));
        add_string(fields, &n, "PBOTVM_BEAT", pulse_heartbeat(keeper->pulse)->last);
        add_number(fields, &n, "PBOTVM_BEAT_AGE_USEC", keeper_beat_age(keeper));
        if (keeper->memory_bytes > 0) {
                text_append_printf(&fields[n++], "PBOTVM_CPU_USAGE=%.2f", keeper->cpu.usage);
                add_number(fields, &n, "PBOTVM_MEMORY_BYTES", keeper->memory_bytes);
        }
        add_string(fields, &n, "PBOTVM_NICK", keeper->user.nick);
        add_string(fields, &n, "PBOTVM_CHANNEL", keeper->user.channel);
        add_string(fields, &n, "PBOTVM_LANGUAGE", keeper->user.language);
        assert(n <= ELEMENTSOF(fields));

        for (size_t i = 0; i < n; i++)
                list[i] = text_string(&fields[i]);
        (void)log_write(LOG_NOTICE, 0, MESSAGE_REVERT, list, "%s %s: %s.",
                machine_reverts(m) ? "Reverting" : "Connecting anew to", keeper->config->name, reason);
        for (size_t i = 0; i < n; i++)
                text_done(&fields[i]);
}
