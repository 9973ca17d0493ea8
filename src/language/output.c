/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "language/output.h"

#include <sys/random.h>

#include "common/utf8.h"

static const char *const bells[] = {
        "*BEEP*",
        "*BING*",
        "*DING*",
        "*DONG*",
        "*CLUNK*",
        "*BONG*",
        "*PING*",
        "*BOOP*",
        "*BLIP*",
        "*BOP*",
        "*WHIRR*",
};

/* Control characters below 0x20 that pass as they are: TAB, LF, CR and IRC's 02 03 0F 11 1D 1E 1F. */
#define PASSES                                                                                              \
        ((uint32_t)(1U << 0x09 | 1U << 0x0A | 1U << 0x0D | 1U << 0x02 | 1U << 0x03 | 1U << 0x0F |           \
                    1U << 0x11 | 1U << 0x1D | 1U << 0x1E | 1U << 0x1F))

/* A backspace moves the place of writing to the left; what comes later overwrites, nothing is erased. */
static int move_backspaces(Text *output) {
        if (output->size == 0 || !memchr(output->data, '\b', output->size))
                return 0;

        _cleanup_free_ uint32_t *cells = calloc(output->size, sizeof(*cells));
        _cleanup_text_ Text out = {};
        size_t n = 0, at = 0;

        if (!cells)
                return -ENOMEM;
        for (size_t i = 0; i < output->size;) {
                uint32_t c;
                i += utf8_unit(output->data + i, output->size - i, &c);
                if (c == '\b')
                        at -= at > 0;
                else {
                        cells[at++] = c == UINT32_MAX ? 0xFFFD : c;
                        n = MAX(n, at);
                }
        }
        for (size_t i = 0; i < n; i++)
                utf8_append(&out, cells[i]);
        if (text_failed(&out))
                return -ENOMEM;
        text_move(output, &out);
        return 0;
}

static const char *some_bell(void) {
        uint8_t random = 0;

        (void)!getrandom(&random, sizeof(random), GRND_NONBLOCK);
        return bells[random % ELEMENTSOF(bells)];
}

static bool is_shown(uint8_t c) {
        return c < 0x20 && !(PASSES >> c & 1);
}

static int show_controls(Text *output) {
        _cleanup_text_ Text out = {};
        size_t done = 0;

        for (size_t i = 0; i < output->size; i++) {
                uint8_t c = (uint8_t)output->data[i];
                if (!is_shown(c))
                        continue;
                text_append(&out, output->data + done, i - done);
                done = i + 1;
                if (c == 0x07)
                        text_append_string(&out, some_bell());
                else if (c == 0x1B)
                        text_append_string(&out, "<esc>");
                else if (c == 0x0C)
                        text_append_string(&out, "<ff>");
                else
                        text_append_printf(&out, "\\x%02X", (unsigned)c);
        }
        if (done == 0)
                return 0;
        text_append(&out, output->data + done, output->size - done);
        if (text_failed(&out))
                return -ENOMEM;
        text_move(output, &out);
        return 0;
}

int output_clean(Text *output) {
        if (output->size > 0 && output->data[output->size - 1] == '\n')
                text_truncate(output, output->size - 1);
        int r = move_backspaces(output);
        return r < 0 ? r : show_controls(output);
}
