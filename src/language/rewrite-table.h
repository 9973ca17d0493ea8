/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* The tree of rules behind a rewrites file: reading it is rewrite-table.c, applying it rewrite.c. */

#include "common/parts.h"
#include "common/text.h"

typedef enum RuleKind {
        RULE_REPLACE, /* "match", "replace" */
        RULE_IF,      /* "if", "then", "else": does the pattern match? */
        RULE_WHEN,    /* "when", "then", "else": what is known of the request */
        RULE_ANY,     /* "any", "then": has any of these rules changed something? */
} RuleKind;

typedef enum RuleCondition {
        WHEN_PASTING,
        WHEN_UNTERMINATED,
        WHEN_PUBLIC,
} RuleCondition;

typedef struct Rule Rule;

typedef struct RuleList {
        Rule *rules;
        size_t n;
} RuleList;

struct Rule {
        RuleKind kind;
        unsigned line;
        char *pattern;    /* macros replaced, but for %SOURCE% and %EXEC% */
        uint32_t options; /* of PCRE2 */
        bool global;
        char *replacement;
        unsigned who; /* whose words it is for: bits 1 << Who; always WHO_UNKNOWN's */
        RuleCondition condition;
        RuleList any, then, otherwise;
};

typedef struct RuleTable {
        char *file;
        RuleList rules;
} RuleTable;

void rule_table_done(RuleTable *table);

/* See rewrites_open(). */
int rule_table_read(const char *directory, const char *name, RuleTable *ret, Text *errors);
