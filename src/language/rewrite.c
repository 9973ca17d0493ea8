/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "language/rewrite.h"

#define PCRE2_CODE_UNIT_WIDTH 8
#include <pcre2.h>

#include "common/io.h"
#include "language/definition.h"
#include "language/rewrite-table.h"

/* For one start of a match: PCRE2 counts again for each, so the patterns themselves have to be such that few
 * starts take long, and the deadline bounds what is left. Each place in the text costs a step at least. */
#define MATCH_LIMIT(size) (50000 + 2 * (uint32_t)MIN(size, (size_t)1 << 24))
#define HEAP_LIMIT_KIB 4096

#define GROUPS_MAX 10

struct Rewrites {
        RuleTable table;
};

/* One application. */
typedef struct Run {
        const Rewrites *rewrites;
        const RewriteContext *context;
        uint64_t deadline;
        pcre2_match_data *match;
        pcre2_match_context *limits;
        Text *text;
        Parts *parts;
        Text *errors;
        bool mistaken;
} Run;

/* A stretch of the text that a rule is for: neighbouring pieces. A match sees what is in front of it, but
 * nothing behind it. */
typedef struct Stretch {
        size_t begin, end;
        size_t next; /* the piece behind it */
} Stretch;

/* Goes to the next stretch; begin with an empty one. */
static bool stretch_next(const Run *run, const Rule *rule, Stretch *stretch) {
        const Parts *parts = run->parts;
        size_t i = stretch->next, begin = stretch->end;

        if (parts->n == 0) {
                *stretch = (Stretch){ .end = run->text->size, .next = 1 };
                return i == 0;
        }
        for (; i < parts->n && !(rule->who & 1u << parts->list[i].who); i++)
                begin += parts->list[i].size;
        *stretch = (Stretch){ .begin = begin, .end = begin, .next = i };
        for (; i < parts->n && rule->who & 1u << parts->list[i].who; i++)
                stretch->end += parts->list[i].size;
        stretch->next = i;
        return stretch->end > stretch->begin;
}

int rewrites_open(const char *directory, const char *name, Rewrites **ret, Text *errors) {
        _cleanup_(rewrites_freep) Rewrites *rewrites = calloc(1, sizeof(*rewrites));
        if (!rewrites)
                return -ENOMEM;
        int r = rule_table_read(directory, name, &rewrites->table, errors);
        if (r < 0)
                return r;
        *ret = TAKE_PTR(rewrites);
        return 0;
}

Rewrites *rewrites_free(Rewrites *rewrites) {
        if (!rewrites)
                return NULL;
        rule_table_done(&rewrites->table);
        free(rewrites);
        return NULL;
}

static bool expired(const Run *run) {
        return now_monotonic() >= run->deadline;
}

/* Appends a file name as a pattern that matches it alone. */
static void append_quoted(Text *pattern, const char *name) {
        for (; *name; name++) {
                if (strchr("\\^$.[|()?*+{}#-", *name))
                        text_append_char(pattern, '\\');
                text_append_char(pattern, *name);
        }
}

static void complete_pattern(const Run *run, const Rule *rule, Text *ret) {
        for (const char *p = rule->pattern, *rest; *p; p = rest)
                if ((rest = startswith(p, "%SOURCE%")))
                        append_quoted(ret, run->context->source_file);
                else if ((rest = startswith(p, "%EXEC%")))
                        append_quoted(ret, run->context->exec_file);
                else {
                        text_append_char(ret, *p);
                        rest = p + 1;
                }
}

/* A rule's pattern, compiled when it is first needed. */
typedef struct Pattern {
        Text literal;
        Text source;
        pcre2_code *code;
} Pattern;

static void pattern_done(Pattern *pattern) {
        text_done(&pattern->literal);
        text_done(&pattern->source);
        pcre2_code_free(pattern->code);
}

static int pattern_compile(Run *run, const Rule *rule, Pattern *pattern) {
        int error;
        PCRE2_SIZE offset;

        if (pattern->code)
                return 0;
        pattern->code = pcre2_compile((PCRE2_SPTR)text_string(&pattern->source), pattern->source.size,
                rule->options | PCRE2_UTF | PCRE2_UCP, &error, &offset, NULL);
        if (pattern->code)
                return 0;

        PCRE2_UCHAR message[128];
        (void)pcre2_get_error_message(error, message, sizeof(message));
        text_append_printf(run->errors, "%s:%u: \"%s\": %s at character %zu\n", run->rewrites->table.file,
                rule->line, text_string(&pattern->source), (const char *)message, offset);
        run->mistaken = true;
        return -EINVAL;
}

/* Finds the next match between offset and end: whether there is one. Neither a mistake in the pattern nor a
 * match that takes too long changes anything. */
static bool pattern_match(
        Run *run, const Rule *rule, Pattern *pattern, size_t offset, size_t end, uint32_t options) {
        const char *data = text_string(run->text);

        if (pattern->literal.size > 0 &&
                !memmem(data + offset, end - offset, pattern->literal.data, pattern->literal.size))
                return false;
        if (pattern_compile(run, rule, pattern) < 0)
                return false;
        return pcre2_match(pattern->code, (PCRE2_SPTR)data, end, offset, options | PCRE2_NO_UTF_CHECK,
                       run->match, run->limits) > 0;
}

static int pattern_prepare(Run *run, const Rule *rule, Pattern *pattern) {
        complete_pattern(run, rule, &pattern->source);
        if (!(rule->options & PCRE2_CASELESS))
                pattern_literal(text_string(&pattern->source), &pattern->literal);
        return text_failed(&pattern->source) ? -ENOMEM : text_error(&pattern->literal);
}

/* Appends the replacement: $1 to $9 are what the groups matched, the names of the files are filled in. */
static void append_replacement(Run *run, const char *replacement, Text *ret) {
        const PCRE2_SIZE *at = pcre2_get_ovector_pointer(run->match);
        uint32_t n = pcre2_get_ovector_count(run->match);

        for (const char *p = replacement, *rest; *p; p = rest)
                if (*p == '$' && p[1] >= '1' && p[1] <= '9') {
                        uint32_t group = (uint32_t)(p[1] - '0');
                        rest = p + 2;
                        if (group < n && at[2 * group] != PCRE2_UNSET)
                                text_append(ret, run->text->data + at[2 * group],
                                        at[2 * group + 1] - at[2 * group]);
                } else if ((rest = startswith(p, "%SOURCE%")))
                        text_append_string(ret, run->context->source_file);
                else if ((rest = startswith(p, "%EXEC%")))
                        text_append_string(ret, run->context->exec_file);
                else {
                        text_append_char(ret, *p);
                        rest = p + 1;
                }
}

/* The text as it becomes, up to some place of the old one. */
typedef struct Result {
        Text text;
        Parts parts;
        PartsWalk walk;
        size_t copied; /* bytes of the old text that it stands for */
} Result;

static void result_done(Result *result) {
        text_done(&result->text);
        parts_done(&result->parts);
}

static void result_copy(Run *run, Result *result, size_t end) {
        text_append(&result->text, text_string(run->text) + result->copied, end - result->copied);
        if (run->parts->n > 0)
                parts_walk_copy(&result->walk, result->copied, end, &result->parts);
        result->copied = end;
}

/* What is put for a match is of who said its beginning. */
static void result_replace(Run *run, const Rule *rule, Result *result) {
        const PCRE2_SIZE *at = pcre2_get_ovector_pointer(run->match);

        result_copy(run, result, at[0]);
        append_replacement(run, rule->replacement, &result->text);
        if (run->parts->n > 0)
                parts_extend(
                        &result->parts, parts_walk_who(&result->walk, result->copied), result->text.size);
        result->copied = at[1];
}

/* Replaces in one stretch, once or as often as it matches; returns whether it did. */
static bool replace_in(
        Run *run, const Rule *rule, Pattern *pattern, const Stretch *stretch, Result *result) {
        const PCRE2_SIZE *at = pcre2_get_ovector_pointer(run->match);
        size_t offset = stretch->begin;
        bool matched = false;
        uint32_t options = 0;

        while (offset <= stretch->end && pattern_match(run, rule, pattern, offset, stretch->end, options)) {
                matched = true;
                result_replace(run, rule, result);
                offset = at[1];
                /* Behind an empty match, none that is empty too. */
                options = at[0] == at[1] ? PCRE2_NOTEMPTY_ATSTART : 0;
                if (!rule->global || expired(run))
                        break;
        }
        return matched;
}

/* Returns 1 if something was replaced, 0 if not, or -ENOMEM. */
static int apply_replace(Run *run, const Rule *rule) {
        _cleanup_(pattern_done) Pattern pattern = {};
        _cleanup_(result_done) Result result = { .walk = { .parts = run->parts } };
        Stretch stretch = {};
        bool matched = false;

        int r = pattern_prepare(run, rule, &pattern);
        if (r < 0)
                return r;

        while (stretch_next(run, rule, &stretch) && !(matched && (!rule->global || expired(run))))
                matched |= replace_in(run, rule, &pattern, &stretch, &result);
        if (!matched)
                return 0;
        result_copy(run, &result, run->text->size);
        if (text_failed(&result.text) || parts_error(&result.parts) < 0)
                return -ENOMEM;
        text_move(run->text, &result.text);
        parts_move(run->parts, &result.parts);
        return 1;
}

static int pattern_holds(Run *run, const Rule *rule, bool *ret) {
        _cleanup_(pattern_done) Pattern pattern = {};
        Stretch stretch = {};

        int r = pattern_prepare(run, rule, &pattern);
        if (r < 0)
                return r;
        *ret = false;
        while (!*ret && stretch_next(run, rule, &stretch))
                *ret = pattern_match(run, rule, &pattern, stretch.begin, stretch.end, 0);
        return 0;
}

static bool condition_holds(const RewriteContext *context, RuleCondition condition) {
        switch (condition) {
        case WHEN_PASTING:
                return context->pasting;
        case WHEN_UNTERMINATED:
                return context->unterminated;
        case WHEN_PUBLIC:
                return context->public;
        }
        return false;
}

static int apply_rules(Run *run, const RuleList *list);

static int apply_rule(Run *run, const Rule *rule) {
        bool holds = false;
        int r;

        switch (rule->kind) {
        case RULE_REPLACE:
                return apply_replace(run, rule);
        case RULE_IF:
                r = pattern_holds(run, rule, &holds);
                if (r < 0)
                        return r;
                break;
        case RULE_WHEN:
                holds = condition_holds(run->context, rule->condition);
                break;
        case RULE_ANY:
                r = apply_rules(run, &rule->any);
                if (r < 0)
                        return r;
                holds = r > 0;
                break;
        }
        return apply_rules(run, holds ? &rule->then : &rule->otherwise);
}

/* Returns 1 if something was replaced, 0 if not, or -ENOMEM. */
static int apply_rules(Run *run, const RuleList *list) {
        int changed = 0;

        for (size_t i = 0; i < list->n && !expired(run); i++) {
                int r = apply_rule(run, &list->rules[i]);
                if (r < 0)
                        return r;
                changed |= r;
        }
        return changed;
}

int rewrites_apply(Rewrites *rewrites, const RewriteContext *context, uint64_t deadline, Text *text,
        Parts *parts, Text *errors) {
        Run run = { .rewrites = rewrites,
                .context = context,
                .deadline = deadline,
                .text = text,
                .parts = parts,
                .errors = errors };
        int r = -ENOMEM;

        run.match = pcre2_match_data_create(GROUPS_MAX, NULL);
        run.limits = pcre2_match_context_create(NULL);
        if (run.match && run.limits) {
                (void)pcre2_set_match_limit(run.limits, MATCH_LIMIT(text->size));
                (void)pcre2_set_heap_limit(run.limits, HEAP_LIMIT_KIB);
                r = apply_rules(&run, &rewrites->table.rules);
        }
        pcre2_match_context_free(run.limits);
        pcre2_match_data_free(run.match);
        if (r < 0)
                return r;
        return run.mistaken ? -EINVAL : 0;
}
