/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "language/output.h"

#include "common/utf8.h"

/* Of the control characters: which stay. Bold, colour, reset, monospace, italics, strike-through and
 * underline are IRC's. */
static const bool stays[32] = {
        ['\t'] = true,
        ['\n'] = true,
        ['\r'] = true,
        [0x02] = true,
        [0x03] = true,
        [0x0f] = true,
        [0x11] = true,
        [0x1d] = true,
        [0x1e] = true,
        [0x1f] = true,
};

static const char *const noises[] = {
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

/* Characters, as the text's bytes, so that one can be overwritten by one of another length. */
typedef struct Cell {
        uint32_t offset;
        uint32_t size;
} Cell;

/* Newlines are ordinary characters here, and nothing is erased. */
static int carry_out_backspaces(const char *data, size_t size, Text *ret) {
        _cleanup_free_ Cell *cells = reallocarray(NULL, size, sizeof(*cells));
        if (!cells)
                return -ENOMEM;

        size_t position = 0, n_cells = 0;
        for (size_t i = 0, n; i < size; i += n) {
                uint32_t c;
                n = utf8_unit(data + i, size - i, &c);
                if (c == '\b') {
                        position -= position > 0;
                        continue;
                }
                cells[position++] = (Cell){ .offset = (uint32_t)i, .size = (uint32_t)n };
                n_cells = MAX(n_cells, position);
        }

        for (size_t i = 0; i < n_cells; i++)
                text_append(ret, data + cells[i].offset, cells[i].size);
        return text_error(ret);
}

static void show_control(Text *text, unsigned char c, uint64_t *chance) {
        switch (c) {
        case '\a':
                /* Knuth's constants: noises need no better chance. */
                *chance = *chance * 6364136223846793005 + 1442695040888963407;
                text_append_string(text, noises[(*chance >> 33) % ELEMENTSOF(noises)]);
                break;
        case 0x1b:
                text_append_string(text, "<esc>");
                break;
        case '\f':
                text_append_string(text, "<ff>");
                break;
        default:
                text_append_printf(text, "\\x%02X", c);
        }
}

static void show_controls(const char *data, size_t size, uint64_t chance, Text *ret) {
        size_t from = 0;

        for (size_t i = 0; i < size; i++) {
                unsigned char c = (unsigned char)data[i];
                if (c >= ELEMENTSOF(stays) || stays[c])
                        continue;
                text_append(ret, data + from, i - from);
                show_control(ret, c, &chance);
                from = i + 1;
        }
        text_append(ret, data + from, size - from);
}

int output_clean(const char *data, size_t size, uint64_t chance, Text *ret) {
        _cleanup_text_ Text valid = {}, written = {};

        utf8_append_valid(&valid, data, size);
        if (text_failed(&valid))
                return -ENOMEM;
        if (valid.size > 0 && valid.data[valid.size - 1] == '\n')
                text_truncate(&valid, valid.size - 1);

        if (valid.size > 0 && memchr(valid.data, '\b', valid.size)) {
                int r = carry_out_backspaces(valid.data, valid.size, &written);
                if (r < 0)
                        return r;
                text_move(&valid, &written);
        }
        show_controls(text_string(&valid), valid.size, chance, ret);
        return text_error(ret);
}
