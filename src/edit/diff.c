/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "edit/diff.h"

#define PCRE2_CODE_UNIT_WIDTH 8
#include <pcre2.h>

#include "common/utf8.h"
#include "edit/command.h"
#include "edit/lcs.h"

/* Where a token starts, but for the first: at a word, at punctuation, at control characters, when the
 * character before it is none of that class. White space and symbols stay with the token before them. */
#define WORD "[\\p{L}\\p{M}\\p{Nd}\\p{Nl}\\p{Pc}\\x{200C}\\x{200D}]"
#define TOKEN_START "(?<!" WORD ")(?=" WORD ")|(?<!\\p{P})(?=\\p{P})|(?<!\\p{Cc})(?=\\p{Cc})"

typedef struct Tokens {
        Slice *slices;
        uint32_t *ids; /* equal tokens have equal ids */
        size_t n, allocated;
} Tokens;

typedef struct Token {
        Slice slice;
        uint32_t *id;
} Token;

static void tokens_done(Tokens *tokens) {
        free(tokens->slices);
        free(tokens->ids);
}

static void code_freep(pcre2_code **code) {
        pcre2_code_free(*code);
}
static void match_data_freep(pcre2_match_data **data) {
        pcre2_match_data_free(*data);
}

static int tokens_add(Tokens *tokens, const char *data, size_t size) {
        if (tokens->n == tokens->allocated) {
                size_t allocate = MAX(tokens->allocated * 2, (size_t)64);
                Slice *slices = reallocarray(tokens->slices, allocate, sizeof(Slice));
                if (!slices)
                        return -ENOMEM;
                tokens->slices = slices;
                tokens->allocated = allocate;
        }
        tokens->slices[tokens->n++] = (Slice){ data, size };
        return 0;
}

static int split(const pcre2_code *starts, pcre2_match_data *data, const Text *text, Tokens *ret) {
        const PCRE2_SIZE *ovector = pcre2_get_ovector_pointer(data);
        size_t token = 0;

        if (text->size == 0)
                return 0;
        for (;;) {
                int r = pcre2_match(starts, (PCRE2_SPTR)text->data, text->size, token,
                        PCRE2_NO_UTF_CHECK | PCRE2_NOTEMPTY_ATSTART, data, NULL);
                /* The match is empty, so that NOTEMPTY_ATSTART makes the next start the one found. */
                size_t next = r >= 0 ? ovector[0] : text->size;
                if (r < 0 && r != PCRE2_ERROR_NOMATCH)
                        return -ENOMEM;
                if (tokens_add(ret, text->data + token, next - token) < 0)
                        return -ENOMEM;
                if (next == text->size)
                        return 0;
                token = next;
        }
}

static int by_content(const void *a, const void *b) {
        const Slice *x = &((const Token *)a)->slice, *y = &((const Token *)b)->slice;

        if (x->size != y->size)
                return x->size < y->size ? -1 : 1;
        return memcmp(x->data, y->data, x->size);
}

/* Numbers the tokens of both texts. */
static int number(Tokens *a, Tokens *b) {
        size_t n = a->n + b->n;
        _cleanup_free_ Token *all = calloc(n + 1, sizeof(Token));
        uint32_t id = 0;

        a->ids = calloc(a->n + 1, sizeof(uint32_t));
        b->ids = calloc(b->n + 1, sizeof(uint32_t));
        if (!all || !a->ids || !b->ids)
                return -ENOMEM;

        for (size_t i = 0; i < a->n; i++)
                all[i] = (Token){ a->slices[i], &a->ids[i] };
        for (size_t i = 0; i < b->n; i++)
                all[a->n + i] = (Token){ b->slices[i], &b->ids[i] };
        qsort(all, n, sizeof(Token), by_content);
        for (size_t i = 0; i < n; i++) {
                if (i > 0 && by_content(&all[i - 1], &all[i]) != 0)
                        id++;
                *all[i].id = id;
        }
        return 0;
}

/* The tokens from first to last lie behind one another in their text, so they are one slice. */
static Slice join(const Tokens *tokens, size_t first, size_t last) {
        if (first == last)
                return (Slice){};

        const Slice *end = &tokens->slices[last - 1];
        const char *start = tokens->slices[first].data;
        return (Slice){ start, (size_t)(end->data + end->size - start) };
}

static size_t trimmed_size(Slice slice) {
        return slice.size > 0 ? utf8_trimmed_size(slice.data, slice.size) : 0;
}

/* White space at the end of what changed is shown behind its mark; what was removed and what came for it are
 * told in one. */
static void append_change(Text *out, Slice removed, Slice inserted) {
        Slice last = inserted.size > 0 ? inserted : removed;
        size_t before = trimmed_size(removed), after = trimmed_size(inserted), shown = trimmed_size(last);

        if (removed.size > 0 && inserted.size > 0) {
                text_append_string(out, "`replaced ");
                text_append(out, removed.data, before);
                text_append_string(out, " with ");
                text_append(out, inserted.data, after);
        } else {
                text_append_string(out, removed.size > 0 ? "`removed " : "`inserted ");
                text_append(out, last.data, shown);
        }
        text_append_char(out, '`');
        text_append(out, last.data + shown, last.size - shown);
}

/* A text with nothing but white space between a removal and an insertion: they are told as one replacement.
 */
static bool joins(Slice removed, Slice inserted, Slice same, size_t next_removed) {
        return removed.size > 0 && inserted.size == 0 && next_removed == 0 && trimmed_size(same) == 0;
}

static void append_hunks(Text *out, const Tokens *a, const Tokens *b, const uint32_t *match) {
        size_t i = 0, j = 0;

        while (i < a->n || j < b->n) {
                size_t i1 = i, j1 = j;
                while (i1 < a->n && match[i1] == LCS_NONE)
                        i1++;
                j1 = i1 < a->n ? match[i1] : b->n;
                Slice removed = join(a, i, i1), inserted = join(b, j, j1);

                size_t i2 = i1, j2 = j1;
                while (i2 < a->n && match[i2] == j2) {
                        i2++;
                        j2++;
                }
                Slice same = join(a, i1, i2);

                size_t i3 = i2;
                while (i3 < a->n && match[i3] == LCS_NONE)
                        i3++;
                size_t j3 = i3 < a->n ? match[i3] : b->n;
                if (joins(removed, inserted, same, i3 - i2) && j3 > j2) {
                        append_change(out, removed, join(b, j2, j3));
                        i = i3;
                        j = j3;
                        continue;
                }

                if (removed.size > 0 || inserted.size > 0)
                        append_change(out, removed, inserted);
                text_append(out, same.data, same.size);
                i = i2;
                j = j2;
        }
}

int word_diff(const Text *older, const Text *newer, Text *out) {
        _cleanup_(code_freep) pcre2_code *starts = NULL;
        _cleanup_(match_data_freep) pcre2_match_data *data = NULL;
        _cleanup_(tokens_done) Tokens a = {}, b = {};
        int error;
        PCRE2_SIZE offset;

        if (older->size == newer->size &&
                (older->size == 0 || memcmp(older->data, newer->data, older->size) == 0))
                return 0;

        starts = pcre2_compile(
                (PCRE2_SPTR)TOKEN_START, PCRE2_ZERO_TERMINATED, PCRE2_UTF, &error, &offset, NULL);
        data = starts ? pcre2_match_data_create(1, NULL) : NULL;
        if (!data || split(starts, data, older, &a) < 0 || split(starts, data, newer, &b) < 0 ||
                number(&a, &b) < 0)
                return -ENOMEM;

        _cleanup_free_ uint32_t *match = calloc(a.n + 1, sizeof(uint32_t));
        if (!match || lcs(a.ids, a.n, b.ids, b.n, match) < 0)
                return -ENOMEM;
        append_hunks(out, &a, &b, match);
        return text_failed(out) ? -ENOMEM : 1;
}
