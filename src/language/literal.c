/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The plain text in a pattern: whatever matches it contains that, so a search for it, which is cheap, tells
 * most of the times that the pattern need not be tried, nor compiled. */

#include "language/rewrite.h"

/* After a backslash: classes, assertions and characters that need no look at what follows. */
#define SIMPLE_ESCAPES "sSdDwWbBhHvVntrAzZGRKefa"

typedef struct Scanner {
        const char *p;
        Text run; /* the piece that is being read */
        Text *best;
        size_t last; /* where the last character of run begins: a quantifier is about it alone */
} Scanner;

static void end_run(Scanner *s) {
        if (s->run.size > s->best->size) {
                text_clear(s->best);
                text_append_text(s->best, &s->run);
        }
        text_clear(&s->run);
}

static void add(Scanner *s, char c) {
        if (((unsigned char)c & 0xc0) != 0x80)
                s->last = s->run.size;
        text_append_char(&s->run, c);
}

/* Past a class, p being behind its opening bracket. */
static void skip_class(Scanner *s) {
        if (*s->p == '^')
                s->p++;
        if (*s->p == ']')
                s->p++;
        for (; *s->p && *s->p != ']'; s->p++)
                if (*s->p == '\\' && s->p[1])
                        s->p++;
        if (*s->p)
                s->p++;
}

/* Past a group, p being behind its opening parenthesis. */
static void skip_group(Scanner *s) {
        for (unsigned depth = 1; *s->p && depth > 0;) {
                char c = *s->p++;
                if (c == '\\' && *s->p)
                        s->p++;
                else if (c == '[')
                        skip_class(s);
                else
                        depth += (unsigned)(c == '(') - (unsigned)(c == ')');
        }
}

static void skip_braces(Scanner *s) {
        s->p += strcspn(s->p, "}");
        s->p += *s->p == '}';
}

/* A backslash before a letter is a class or an assertion (is_beyond_us() has seen to the others); before
 * anything else it makes plain text of it. */
static void read_escape(Scanner *s) {
        if (*s->p == '\0')
                return;
        if (strchr(SIMPLE_ESCAPES, *s->p))
                end_run(s);
        else
                add(s, *s->p);
        s->p++;
}

/* A quantifier that allows none of the last character takes it out of the text. */
static void read_quantifier(Scanner *s, char c) {
        if (c == '{')
                skip_braces(s);
        if (c != '+' && s->run.size > 0)
                text_truncate(&s->run, s->last);
        end_run(s);
}

/* Options other than s and m change what characters mean; (?=, (?<!, (?> and (?: do not. */
static bool changes_options(const char *group) {
        if (*group != '?')
                return false;
        group++;
        return *group && !strchr("=!<>:sm#", *group);
}

/* Whether something of the pattern stands for alternatives, or changes what characters mean. */
static bool is_beyond_us(const char *pattern) {
        Scanner s = { .p = pattern };

        for (const char *p = pattern; *p; p++)
                if (*p == '\\' && p[1]) {
                        p++;
                        bool is_word = (*p >= 'a' && *p <= 'z') || (*p >= 'A' && *p <= 'Z') ||
                                       (*p >= '0' && *p <= '9');
                        if (is_word && !strchr(SIMPLE_ESCAPES, *p))
                                return true;
                } else if (*p == '(' && changes_options(p + 1))
                        return true;

        while (*s.p) {
                char c = *s.p++;
                if (c == '\\' && *s.p)
                        s.p++;
                else if (c == '[')
                        skip_class(&s);
                else if (c == '(')
                        skip_group(&s);
                else if (c == '|')
                        return true;
        }
        return false;
}

void pattern_literal(const char *pattern, Text *ret) {
        _cleanup_text_ Text best = {};
        Scanner s = { .p = pattern, .best = &best };

        if (is_beyond_us(pattern))
                return;
        while (*s.p) {
                char c = *s.p++;
                if (c == '\\')
                        read_escape(&s);
                else if (c == '?' || c == '*' || c == '+' || c == '{')
                        read_quantifier(&s, c);
                else if (strchr("[(.^$)", c)) {
                        end_run(&s);
                        if (c == '[')
                                skip_class(&s);
                        else if (c == '(')
                                skip_group(&s);
                } else
                        add(&s, c);
        }
        end_run(&s);
        text_append_text(ret, &best);
        if (text_failed(&s.run) || text_failed(&best))
                ret->failed = true;
        text_done(&s.run);
}
