/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "plan/words.h"

#include <ctype.h>

void words_done(Words *words) {
        strings_free(words->items);
        *words = (Words){};
}

void strings_free(char **strings) {
        for (char **s = strings; s && *s; s++)
                free(*s);
        free(strings);
}

void words_add(Words *words, const char *data, size_t size) {
        char **items, *copy;

        if (words->failed)
                return;
        items = reallocarray(words->items, words->n + 2, sizeof(char *));
        if (items)
                words->items = items;
        copy = items ? bytes_dup(data, size) : NULL;
        if (!copy) {
                if (items)
                        items[words->n] = NULL;
                words->failed = true;
                return;
        }
        items[words->n++] = copy;
        items[words->n] = NULL;
}

void words_add_string(Words *words, const char *string) {
        words_add(words, string, strlen(string));
}

void words_add_strings(Words *words, char **strings) {
        for (char **s = strings; s && *s; s++)
                words_add_string(words, *s);
}

int words_error(const Words *words) {
        return words->failed ? -ENOMEM : 0;
}

bool strings_contain(char **strings, const char *word) {
        for (char **s = strings; *s; s++)
                if (streq(*s, word))
                        return true;
        return false;
}

char **words_steal(Words *words) {
        if (words->failed)
                return NULL;
        words->n = 0;
        return TAKE_PTR(words->items);
}

/* The quote that ends what *open begins, or NULL. */
static const char *find_partner(const char *open) {
        for (const char *p = open + 1; *p; p++) {
                if (*p == '\\' && p[1])
                        p++;
                else if (*p == *open)
                        return p;
        }
        return NULL;
}

static bool is_space(char c) {
        return isspace((unsigned char)c);
}

/* Takes one word from *p on, which is not white space, into *word. */
static void take_word(const char **p, SplitBackslash backslash, Text *word) {
        const char *s = *p, *end = NULL; /* end: the quote that closes, while one is open */

        for (; *s && (end || !is_space(*s)); s++) {
                if (*s == '\\' && s[1]) {
                        if (backslash == SPLIT_KEEP_BACKSLASH)
                                text_append_char(word, *s);
                        text_append_char(word, *++s);
                } else if (s == end)
                        end = NULL;
                else if (!end && (*s == '\'' || *s == '"') && (end = find_partner(s)))
                        ;
                else
                        text_append_char(word, *s);
        }
        *p = s;
}

int words_split(const char *text, SplitBackslash backslash, Words *ret) {
        const char *p = text;
        size_t before = ret->n;

        for (;;) {
                _cleanup_text_ Text word = {};

                while (is_space(*p))
                        p++;
                if (!*p)
                        break;
                take_word(&p, backslash, &word);
                if (text_failed(&word))
                        return -ENOMEM;
                words_add(ret, text_string(&word), word.size);
        }
        if (*text && ret->n == before)
                words_add_string(ret, "");
        return words_error(ret);
}
