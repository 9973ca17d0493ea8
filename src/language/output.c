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
        uint8_t size;
        uint8_t who;
} Cell;

/* A text with whose it is. */
typedef struct Piecewise {
        Text text;
        Parts parts;
} Piecewise;

static void piecewise_done(Piecewise *piecewise) {
        text_done(&piecewise->text);
        parts_done(&piecewise->parts);
}

static int piecewise_error(const Piecewise *piecewise) {
        return text_failed(&piecewise->text) ? -ENOMEM : parts_error(&piecewise->parts);
}

/* Newlines are ordinary characters here, and nothing is erased. */
static int carry_out_backspaces(const Piecewise *from, Piecewise *ret) {
        const char *data = text_string(&from->text);
        size_t size = from->text.size;
        _cleanup_free_ Cell *cells = reallocarray(NULL, size, sizeof(*cells));
        PartsWalk walk = { .parts = &from->parts };
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
                cells[position++] = (Cell){
                        .offset = (uint32_t)i, .size = (uint8_t)n, .who = (uint8_t)parts_walk_who(&walk, i)
                };
                n_cells = MAX(n_cells, position);
        }

        for (size_t i = 0; i < n_cells; i++) {
                text_append(&ret->text, data + cells[i].offset, cells[i].size);
                parts_extend(&ret->parts, (Who)cells[i].who, ret->text.size);
        }
        return piecewise_error(ret);
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

static void show_controls(const char *data, size_t size, uint64_t *chance, Text *ret) {
        size_t from = 0;

        for (size_t i = 0; i < size; i++) {
                unsigned char c = (unsigned char)data[i];
                if (c >= ELEMENTSOF(stays) || stays[c])
                        continue;
                text_append(ret, data + from, i - from);
                show_control(ret, c, chance);
                from = i + 1;
        }
        text_append(ret, data + from, size - from);
}

/* The pieces one by one, of well-formed UTF-8. */
static void append_valid(const char *data, size_t size, const Parts *parts, Piecewise *ret) {
        size_t used = 0;

        for (size_t i = 0; parts && i < parts->n; used += parts->list[i++].size) {
                utf8_append_valid(&ret->text, data + used, parts->list[i].size);
                parts_extend(&ret->parts, parts->list[i].who, ret->text.size);
        }
        utf8_append_valid(&ret->text, data + used, size - used);
        parts_extend(&ret->parts, WHO_UNKNOWN, ret->text.size);
}

int output_clean(
        const char *data, size_t size, const Parts *parts, uint64_t chance, Text *ret, Parts *ret_parts) {
        _cleanup_(piecewise_done) Piecewise valid = {}, written = {};
        Piecewise *clean = &valid;

        append_valid(data, size, parts, &valid);
        if (piecewise_error(&valid) < 0)
                return -ENOMEM;
        if (valid.text.size > 0 && valid.text.data[valid.text.size - 1] == '\n') {
                text_truncate(&valid.text, valid.text.size - 1);
                parts_truncate(&valid.parts, valid.text.size);
        }

        if (valid.text.size > 0 && memchr(valid.text.data, '\b', valid.text.size)) {
                int r = carry_out_backspaces(&valid, &written);
                if (r < 0)
                        return r;
                clean = &written;
        }
        for (size_t i = 0, used = 0; i < clean->parts.n; used += clean->parts.list[i++].size) {
                show_controls(clean->text.data + used, clean->parts.list[i].size, &chance, ret);
                if (ret_parts)
                        parts_extend(ret_parts, clean->parts.list[i].who, ret->size);
        }
        return text_failed(ret) || (ret_parts && parts_error(ret_parts) < 0) ? -ENOMEM : 0;
}
