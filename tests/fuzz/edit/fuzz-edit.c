/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Lines that people type, with the history that they leave. The input is a conversation: lines (which may
 * have newlines in them) with "--" between them. */

#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>

#include "edit/edit.h"

#define SEPARATOR "\n--\n"
#define LINES_MAX 16

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static History *history;
static char directory[] = "/tmp/fuzz-edit-XXXXXX";

static void clean(void) {
        static const char *const names[] = { "#c@sh.hist", "#c@sh.last-output" };

        for (size_t i = 0; i < ELEMENTSOF(names); i++)
                (void)unlinkat(history_fd(history), names[i], 0);
}

static void finish(void) {
        clean();
        history = history_free(history);
        (void)rmdir(directory);
}

static void start(void) {
        if (!mkdtemp(directory) || history_open(directory, 1 << 20, 4 << 20, &history) < 0)
                abort();
        (void)atexit(finish);
}

static void say(const char *line, size_t size) {
        _cleanup_(edit_done) Edit edit = {};

        if (edit_apply(history, "#c", "sh", line, size, true, &edit) < 0)
                abort();
        if (edit.outcome == EDIT_ANSWER && edit.text.size == 0)
                abort(); /* nobody gets an empty line */
        (void)history_output(history, "#c", "sh", text_string(&edit.text), edit.text.size, true, 1);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
        const char *p = (const char *)data, *end = p + size;

        if (!history)
                start();
        clean();
        for (unsigned n = 0; p && p < end && n < LINES_MAX; n++) {
                const char *next = memmem(p, (size_t)(end - p), SEPARATOR, strlen(SEPARATOR));
                say(p, (size_t)((next ? next : end) - p));
                p = next ? next + strlen(SEPARATOR) : NULL;
        }
        return 0;
}
