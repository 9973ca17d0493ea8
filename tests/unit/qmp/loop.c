/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "loop.h"

#include <stdio.h>

#include "common/io.h"

typedef struct Tagged {
        Told *told;
        char tag;
} Tagged;

static Tagged tags[128];

static void on_ready(Qmp *qmp _unused_, void *userdata) {
        ((Told *)userdata)->ready++;
}

static void on_event(Qmp *qmp _unused_, const char *name, const Json *data, void *userdata) {
        Told *told = userdata;
        const char *reason = json_string(json_member(data, "reason"), NULL);

        text_append_printf(&told->events, "%s%s%s,", name, reason ? " " : "", reason ? reason : "");
}

static void on_closed(Qmp *qmp _unused_, int error, const char *why, void *userdata) {
        Told *told = userdata;

        told->closed++;
        told->error = error;
        snprintf(told->why, sizeof(told->why), "%s", why);
}

const QmpHooks told_hooks = { .ready = on_ready, .event = on_event, .closed = on_closed };

static void on_done(Qmp *qmp, int result, const Json *value, const char *message, void *userdata) {
        Tagged *tagged = userdata;
        Told *told = tagged->told;
        const char *string = json_string(value, NULL);

        text_append_printf(&told->ends, "%c %i,", tagged->tag, result);
        snprintf(told->why, sizeof(told->why), "%s", message);
        if (value && !string)
                string = json_string(json_member(value, "status"), NULL);
        snprintf(told->value, sizeof(told->value), "%s", string ? string : "");
        if (told->frees)
                told->qmp = qmp_free(qmp);
}

int told_call(Told *told, char tag, const char *command, const char *arguments, int fd, uint64_t timeout) {
        tags[(unsigned char)tag] = (Tagged){ told, tag };
        return qmp_call(told->qmp, command, arguments, fd, timeout, on_done, &tags[(unsigned char)tag]);
}

uint64_t told_now(void) {
        return now_monotonic();
}

void told_setup(Told *told) {
        *told = (Told){};
        assert_true(sd_event_new(&told->event) >= 0);
}

void told_done(Told *told) {
        qmp_free(told->qmp);
        sd_event_unref(told->event);
        text_done(&told->events);
        text_done(&told->ends);
}
