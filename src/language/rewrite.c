/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "language/rewrite.h"

#include <fcntl.h>

#define PCRE2_CODE_UNIT_WIDTH 8
#include <pcre2.h>

#include "common/io.h"

#define FILE_SIZE_MAX ((size_t)256 << 10)
#define TABLES_MAX 8
/* Output comes from strangers: a match that backtracks so often is given up. Each place in the output costs
 * one step at least, so that long outputs are allowed more. */
#define MATCH_LIMIT(size) (50000 + 2 * (uint32_t)MIN(size, (size_t)1 << 24))
#define HEAP_LIMIT_KIB 4096
/* All rules on one output together. */
#define BUDGET_USEC (300 * USEC_PER_MSEC)
#define OUTPUT_SIZE_MAX ((size_t)16 << 20)

typedef struct Table {
        char *file;
        Json *rules;
} Table;

struct Rewrites {
        Table tables[TABLES_MAX];
        size_t n_tables;
        unsigned compiled;
};

/* One application of all rules to one output. */
typedef struct Run {
        Rewrites *rewrites;
        const RewriteContext *context;
        const char *file;
        Text *output;
        Text *error;
        uint64_t deadline;
        pcre2_match_context *limits;
} Run;

Rewrites *rewrites_free(Rewrites *rewrites) {
        if (!rewrites)
                return NULL;
        for (size_t i = 0; i < rewrites->n_tables; i++) {
                free(rewrites->tables[i].file);
                json_free(rewrites->tables[i].rules);
        }
        free(rewrites);
        return NULL;
}

unsigned rewrites_compiled(const Rewrites *rewrites) {
        return rewrites->compiled;
}

static int load_table(const char *dir, const char *name, Table *table, Text *error) {
        _cleanup_text_ Text path = {}, content = {};
        JsonError where;

        text_append_printf(&path, "%s/%s.json", dir, name);
        int r = io_read_file(AT_FDCWD, text_string(&path), FILE_SIZE_MAX, &content);
        if (r == -ENOMEM)
                return r;
        if (r < 0) {
                text_append_printf(error, "%s: cannot be read: %s", text_string(&path), strerror(-r));
                return -EINVAL;
        }
        r = json_parse(text_string(&content), content.size, JSON_LIMITS_FILE, &table->rules, &where);
        if (r == -ENOMEM)
                return r;
        if (r < 0 || json_type(table->rules) != JSON_ARRAY) {
                text_append_printf(error, "%s:%u: expected %s", text_string(&path), r < 0 ? where.line : 1,
                        r < 0 ? where.message : "an array of rules");
                return -EINVAL;
        }
        return text_steal(&path, &table->file, NULL);
}

int rewrites_load(const char *dir, const Language *language, Rewrites **ret, Text *error) {
        _cleanup_(rewrites_freep) Rewrites *rewrites = calloc(1, sizeof(*rewrites));

        if (!rewrites)
                return -ENOMEM;
        for (size_t i = 0; language->rewrites && language->rewrites[i] && i < TABLES_MAX; i++) {
                rewrites->n_tables++;
                int r = load_table(dir, language->rewrites[i], &rewrites->tables[i], error);
                if (r < 0)
                        return r;
        }
        *ret = TAKE_PTR(rewrites);
        return 0;
}

static const char *member(const Json *rule, const char *name) {
        return json_string(json_member(rule, name), NULL);
}

/* True if the text holds needle: a string, or one of several. */
static bool contains(const Text *text, const Json *needle) {
        size_t size;
        const char *string = json_string(needle, &size);

        if (string)
                return memmem(text_string(text), text->size, string, size);
        for (size_t i = 0; i < json_size(needle); i++)
                if (contains(text, json_at(needle, i)))
                        return true;
        return false;
}

/* A rule that is bound to a case ("when"), or to a text ("needs"), applies only there. */
static bool rule_applies(const Run *run, const Json *rule) {
        const Json *needs = json_member(rule, "needs");
        const char *when = member(rule, "when");
        const RewriteContext *context = run->context;

        if (when)
                if ((streq(when, "paste") && !context->paste) ||
                        (streq(when, "nopaste") && context->paste) ||
                        (streq(when, "channel") && !context->channel) ||
                        (streq(when, "unterminated") && !context->unterminated))
                        return false;
        return !needs || contains(run->output, needs);
}

/* The text with @source@ and @executable@ filled in. */
static void expand(const Run *run, const char *template, Text *text) {
        static const char source[] = "@source@", executable[] = "@executable@";

        for (const char *p = template; *p;) {
                const char *rest;
                if ((rest = startswith(p, source))) {
                        text_append_string(text, run->context->source);
                        p = rest;
                } else if ((rest = startswith(p, executable))) {
                        text_append_string(text, run->context->executable);
                        p = rest;
                } else
                        text_append_char(text, *p++);
        }
}

static int mistake(const Run *run, const Json *rule, const char *what) {
        text_append_printf(run->error, "%s:%u: %s", run->file, json_line(rule), what);
        return -EINVAL;
}

static int compile(Run *run, const Json *rule, const char *pattern, const char *flags, pcre2_code **ret) {
        _cleanup_text_ Text text = {};
        uint32_t options = PCRE2_UTF | PCRE2_UCP | PCRE2_NO_UTF_CHECK;
        int error;
        PCRE2_SIZE offset;

        for (const char *f = flags ? flags : ""; *f; f++)
                options |= *f == 's'   ? PCRE2_DOTALL
                           : *f == 'm' ? PCRE2_MULTILINE
                           : *f == 'i' ? PCRE2_CASELESS
                                       : 0;
        expand(run, pattern, &text);
        if (text_failed(&text))
                return -ENOMEM;

        *ret = pcre2_compile((PCRE2_SPTR)text_string(&text), text.size, options, &error, &offset, NULL);
        if (!*ret) {
                PCRE2_UCHAR message[128] = "wrong pattern";
                (void)pcre2_get_error_message(error, message, sizeof(message));
                return mistake(run, rule, (const char *)message);
        }
        run->rewrites->compiled++;
        return 0;
}

/* The replacement in the words of pcre2_substitute(): $1 to $9 are groups, a backslash is one. */
static void append_replacement(const Run *run, const char *replacement, Text *text) {
        _cleanup_text_ Text expanded = {};

        expand(run, replacement, &expanded);
        for (const char *p = text_string(&expanded); *p; p++)
                if (*p == '$' && !(p[1] >= '0' && p[1] <= '9'))
                        text_append_string(text, "$$");
                else
                        text_append_char(text, *p);
}

/* Replaces in the output. Returns how many times; 0 also when a limit was reached. */
static int substitute(Run *run, const pcre2_code *code, const char *replacement, bool global) {
        _cleanup_text_ Text to = {}, out = {};
        uint32_t options = PCRE2_NO_UTF_CHECK | PCRE2_SUBSTITUTE_UNSET_EMPTY |
                           PCRE2_SUBSTITUTE_OVERFLOW_LENGTH | (global ? PCRE2_SUBSTITUTE_GLOBAL : 0);
        PCRE2_SIZE size = run->output->size + 1024;

        append_replacement(run, replacement ? replacement : "", &to);
        for (int attempt = 0; attempt < 2; attempt++) {
                PCRE2_SIZE room = size;
                char *buffer = text_reserve(&out, size);
                if (!buffer || text_failed(&to))
                        return -ENOMEM;

                int n = pcre2_substitute(code, (PCRE2_SPTR)text_string(run->output), run->output->size, 0,
                        options, NULL, run->limits, (PCRE2_SPTR)text_string(&to), to.size,
                        (PCRE2_UCHAR *)buffer, &room);
                if (n == PCRE2_ERROR_NOMEMORY && attempt == 0 && room <= OUTPUT_SIZE_MAX) {
                        size = room;
                        continue;
                }
                if (n <= 0)
                        return 0;
                out.size += room;
                text_move(run->output, &out);
                return n;
        }
        return 0;
}

/* A rule "match", "replace": how many times it was applied. */
static int apply_match(Run *run, const Json *rule, const char *pattern) {
        const char *flags = member(rule, "flags");
        pcre2_code *code;

        int r = compile(run, rule, pattern, flags, &code);
        if (r < 0)
                return r;
        r = substitute(run, code, member(rule, "replace"), flags && strchr(flags, 'g'));
        pcre2_code_free(code);
        return r;
}

static int apply_rules(Run *run, const Json *rules, bool *ret_any);

/* A rule "if", "then", "else": 1 if the pattern matches and, where "first-group" is given, its group is
 * that. */
static int condition(Run *run, const Json *rule, const char *pattern) {
        const char *wanted = member(rule, "first-group");
        pcre2_code *code;

        int r = compile(run, rule, pattern, member(rule, "flags"), &code);
        if (r < 0)
                return r;
        pcre2_match_data *data = pcre2_match_data_create_from_pattern(code, NULL);
        int n = !data ? -ENOMEM
                      : pcre2_match(code, (PCRE2_SPTR)text_string(run->output), run->output->size, 0,
                                PCRE2_NO_UTF_CHECK, data, run->limits);
        bool yes = n > 0;
        if (yes && wanted) {
                const PCRE2_SIZE *at = pcre2_get_ovector_pointer(data);
                yes = n > 1 && at[3] - at[2] == strlen(wanted) &&
                      memcmp(run->output->data + at[2], wanted, at[3] - at[2]) == 0;
        }
        pcre2_match_data_free(data);
        pcre2_code_free(code);
        return data ? yes : -ENOMEM;
}

/* One rule; more than 0 if it changed the output. */
static int apply_rule(Run *run, const Json *rule) {
        const char *pattern = member(rule, "match"), *if_pattern = member(rule, "if");
        const Json *any = json_member(rule, "any");
        bool changed = false;
        int r;

        if (now_monotonic() > run->deadline || !rule_applies(run, rule))
                return 0;
        if (pattern)
                return apply_match(run, rule, pattern);
        if (any) {
                r = apply_rules(run, any, &changed);
                return r < 0 || !changed ? r : apply_rules(run, json_member(rule, "then"), &changed);
        }
        if (!if_pattern)
                return mistake(run, rule, "expected a rule with \"match\", \"if\" or \"any\"");
        r = condition(run, rule, if_pattern);
        return r < 0 ? r : apply_rules(run, json_member(rule, r > 0 ? "then" : "else"), &changed);
}

static int apply_rules(Run *run, const Json *rules, bool *ret_any) {
        for (size_t i = 0; i < json_size(rules); i++) {
                int r = apply_rule(run, json_at(rules, i));
                if (r < 0)
                        return r;
                *ret_any |= r > 0;
        }
        return 0;
}

int rewrites_apply(Rewrites *rewrites, const RewriteContext *context, Text *output, Text *error) {
        Run run = {
                .rewrites = rewrites,
                .context = context,
                .output = output,
                .error = error,
                .deadline = usec_add(now_monotonic(), BUDGET_USEC),
        };
        bool any = false;
        int r = 0;

        if (rewrites->n_tables == 0)
                return 0;
        run.limits = pcre2_match_context_create(NULL);
        if (!run.limits)
                return -ENOMEM;
        (void)pcre2_set_match_limit(run.limits, MATCH_LIMIT(output->size));
        (void)pcre2_set_heap_limit(run.limits, HEAP_LIMIT_KIB);

        for (size_t i = 0; i < rewrites->n_tables && r >= 0; i++) {
                run.file = rewrites->tables[i].file;
                r = apply_rules(&run, rewrites->tables[i].rules, &any);
        }
        pcre2_match_context_free(run.limits);
        return r;
}
