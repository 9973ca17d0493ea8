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
        Text *errors;
        bool mistaken;
} Run;

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

/* Finds the next match from offset on: whether there is one. Neither a mistake in the pattern nor a match
 * that takes too long changes anything. */
static bool pattern_match(Run *run, const Rule *rule, Pattern *pattern, size_t offset, uint32_t options) {
        const char *data = text_string(run->text);
        size_t size = run->text->size;

        if (pattern->literal.size > 0 &&
                !memmem(data + offset, size - offset, pattern->literal.data, pattern->literal.size))
                return false;
        if (pattern_compile(run, rule, pattern) < 0)
                return false;
        return pcre2_match(pattern->code, (PCRE2_SPTR)data, size, offset, options | PCRE2_NO_UTF_CHECK,
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

/* Returns 1 if something was replaced, 0 if not, or -ENOMEM. */
static int apply_replace(Run *run, const Rule *rule) {
        _cleanup_(pattern_done) Pattern pattern = {};
        _cleanup_text_ Text result = {};
        const PCRE2_SIZE *at = pcre2_get_ovector_pointer(run->match);
        size_t copied = 0, offset = 0;
        bool matched = false;
        uint32_t options = 0;

        int r = pattern_prepare(run, rule, &pattern);
        if (r < 0)
                return r;

        while (offset <= run->text->size && pattern_match(run, rule, &pattern, offset, options)) {
                matched = true;
                text_append(&result, text_string(run->text) + copied, at[0] - copied);
                append_replacement(run, rule->replacement, &result);
                copied = offset = at[1];
                /* Behind an empty match, none that is empty too. */
                options = at[0] == at[1] ? PCRE2_NOTEMPTY_ATSTART : 0;
                if (!rule->global || expired(run))
                        break;
        }
        if (!matched)
                return 0;
        text_append(&result, text_string(run->text) + copied, run->text->size - copied);
        if (text_failed(&result))
                return -ENOMEM;
        text_move(run->text, &result);
        return 1;
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
        case RULE_IF: {
                _cleanup_(pattern_done) Pattern pattern = {};
                r = pattern_prepare(run, rule, &pattern);
                if (r < 0)
                        return r;
                holds = pattern_match(run, rule, &pattern, 0, 0);
                break;
        }
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

int rewrites_apply(
        Rewrites *rewrites, const RewriteContext *context, uint64_t deadline, Text *text, Text *errors) {
        Run run = { .rewrites = rewrites,
                .context = context,
                .deadline = deadline,
                .text = text,
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
