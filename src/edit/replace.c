/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "edit/replace.h"

#include "common/utf8.h"
#include "edit/scan.h"

static bool is_boundary(const Text *code, size_t at) {
        bool before = at > 0 && ascii_is_word(code->data[at - 1]);
        bool after = at < code->size && ascii_is_word(code->data[at]);

        return before != after;
}

/* Bytes that are compared in a few microseconds: what is spent is not asked for more often. */
#define COMPARED_AT_ONCE ((size_t)65536)

/* The next place at or after start where FROM stands; false if there is none, or no time is left. */
static bool find(const Text *code, Slice from, size_t start, Budget *budget, size_t *ret) {
        size_t compared = 0;

        while (start < code->size) {
                compared += from.size;
                if (compared > COMPARED_AT_ONCE) {
                        if (budget_spent(budget))
                                return false;
                        compared = 0;
                }
                const char *found = memmem(code->data + start, code->size - start, from.data, from.size);
                if (!found)
                        return false;

                size_t at = (size_t)(found - code->data);
                if ((!ascii_is_word(from.data[0]) || is_boundary(code, at)) &&
                        (!ascii_is_word(from.data[from.size - 1]) || is_boundary(code, at + from.size))) {
                        *ret = at;
                        return true;
                }
                start = at + 1;
        }
        return false;
}

/* A match takes the character before it along where FROM begins with no word character. Where there is none
 * to take, at the start of the search or of a line, the first character of FROM itself may be that
 * character, if FROM comes once more right behind it: ";;" holds ";" only once, and it is the second. */
static bool find_with_neighbour(const Text *code, Slice from, size_t start, Budget *budget, size_t *ret) {
        size_t at, next;

        if (!find(code, from, start, budget, &at))
                return false;
        if (!ascii_is_word(from.data[0]) && (at == start || code->data[at - 1] == '\n')) {
                uint32_t c;
                size_t n = utf8_unit(code->data + at, code->size - at, &c);
                if (find(code, from, at + n, budget, &next) && next == at + n)
                        at = next;
        }
        *ret = at;
        return true;
}

/* Where the search goes on behind a match that ends at end. */
static size_t behind(const Text *code, Slice from, size_t end) {
        uint32_t c;

        if (ascii_is_word(from.data[from.size - 1]) || end >= code->size || code->data[end] == '\n')
                return end;
        return end + utf8_unit(code->data + end, code->size - end, &c);
}

static int replace_numbered(const Text *code, const Step *step, int number, Budget *budget, Text *ret) {
        size_t copied = 0, at;
        int count = 0;

        for (size_t start = 0; find_with_neighbour(code, step->text, start, budget, &at);) {
                size_t end = at + step->text.size;
                count++;
                if (number == NUMBER_ALL || number == count) {
                        text_append(ret, code->data + copied, at - copied);
                        text_append(ret, step->to.data, step->to.size);
                        copied = end;
                }
                start = behind(code, step->text, end);
        }
        text_append(ret, code->data + copied, code->size - copied);
        return count > 0;
}

/* The last one of the first line that has one. */
static int replace_last(const Text *code, const Step *step, Budget *budget, Text *ret) {
        size_t at, next;

        if (!find(code, step->text, 0, budget, &at))
                return 0;

        const char *newline = memchr(code->data + at, '\n', code->size - at);
        size_t line_end = newline ? (size_t)(newline - code->data) : code->size;
        while (find(code, step->text, at + 1, budget, &next) && next < line_end)
                at = next;

        size_t end = at + step->text.size;
        text_append(ret, code->data, at);
        text_append(ret, step->to.data, step->to.size);
        text_append(ret, code->data + end, code->size - end);
        return 1;
}

static int by_from_and_number(const void *a, const void *b) {
        const Step *x = *(const Step *const *)a, *y = *(const Step *const *)b;
        int r = memcmp(x->text.data, y->text.data, MIN(x->text.size, y->text.size));

        if (r != 0)
                return r;
        if (x->text.size != y->text.size)
                return x->text.size < y->text.size ? -1 : 1;
        if (MAX(x->number, 0) != MAX(y->number, 0))
                return MAX(x->number, 0) < MAX(y->number, 0) ? -1 : 1;
        return x < y ? -1 : x > y; /* else in the order in which they were typed */
}

static bool same_from(const Step *a, const Step *b) {
        return a->text.size == b->text.size && memcmp(a->text.data, b->text.data, a->text.size) == 0;
}

static int replace_one(Text *code, const Step *typed, int number, Budget *budget, Text *error) {
        _cleanup_text_ Text out = {}, from = {};

        typed_append(&from, typed->text, '\'');
        if (text_failed(&from))
                return -ENOMEM;
        if (from.size == 0 || code->size == 0)
                return 0;

        const Step step = { .text = { from.data, from.size }, .to = typed->to };
        int found = number == NUMBER_LAST ? replace_last(code, &step, budget, &out)
                                          : replace_numbered(code, &step, number, budget, &out);
        if (text_failed(&out))
                return -ENOMEM;
        if (budget_spent(budget)) {
                text_append_string(error, EDIT_TOO_SLOW);
                return -EINVAL;
        }
        if (out.size > EDIT_SIZE_MAX) {
                text_append_string(error, EDIT_TOO_LONG);
                return -EINVAL;
        }
        if (found)
                text_move(code, &out);
        return found;
}

int replace_all(Text *code, const Step *steps, size_t n_steps, Budget *budget, Text *error) {
        _cleanup_free_ const Step **sorted = calloc(n_steps + 1, sizeof(*sorted));
        size_t n = 0;
        int any = 0, previous_number = 0;

        if (!sorted)
                return -ENOMEM;
        for (size_t i = 0; i < n_steps; i++)
                if (steps[i].type == STEP_REPLACE)
                        sorted[n++] = &steps[i];
        qsort(sorted, n, sizeof(*sorted), by_from_and_number);

        for (size_t i = 0; i < n; i++) {
                int number = sorted[i]->number;
                if (i > 0 && previous_number > 0 && same_from(sorted[i - 1], sorted[i]))
                        number = previous_number;

                int r = replace_one(code, sorted[i], number, budget, error);
                if (r < 0)
                        return r;
                any |= r;
                previous_number = number;
        }
        return any;
}
