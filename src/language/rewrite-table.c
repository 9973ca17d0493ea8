/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "language/rewrite-table.h"

#include <fcntl.h>

#define PCRE2_CODE_UNIT_WIDTH 8
#include <pcre2.h>

#include "common/io.h"
#include "common/json.h"
#include "language/definition.h"

#define FILE_SIZE_MAX ((size_t)256 << 10)
#define DEPTH_MAX 8

typedef struct Reader {
        const char *file;
        const Json *define; /* "define", or NULL */
        Text *errors;
        bool mistaken;
        bool out_of_memory;
} Reader;

static void wrong(Reader *reader, const Json *where, const char *member, const char *what) {
        reader->mistaken = true;
        definition_mistake(reader->errors, reader->file, where, member, "%s", what);
}

static const char *read_string(Reader *reader, const Json *rule, const char *member) {
        const Json *value = json_member(rule, member);
        size_t size;
        const char *string = json_string(value, &size);
        if (!string || strlen(string) != size) {
                wrong(reader, value ?: rule, member, "expected a string");
                return NULL;
        }
        return string;
}

/* Appends a pattern with each %NAME% that the file defines replaced; the two that only a request defines
 * stay. */
static void expand_macros(Reader *reader, const Json *where, const char *pattern, Text *ret) {
        for (const char *p = pattern; *p; p++) {
                size_t n = *p == '%' ? strspn(p + 1, "ABCDEFGHIJKLMNOPQRSTUVWXYZ_") : 0;
                if (n == 0 || p[n + 1] != '%') {
                        text_append_char(ret, *p);
                        continue;
                }

                _cleanup_free_ char *name = strndup(p + 1, n);
                const char *value = name ? json_string(json_member(reader->define, name), NULL) : NULL;
                reader->out_of_memory |= !name;
                if (value)
                        text_append_string(ret, value);
                else if (name && (streq(name, "SOURCE") || streq(name, "EXEC")))
                        text_append(ret, p, n + 2);
                else if (name)
                        definition_mistake(
                                reader->errors, reader->file, where, NULL, "%%%s%% is not defined", name),
                                reader->mistaken = true;
                p += n + 1;
        }
}

static void read_pattern(Reader *reader, const Json *json, const char *member, Rule *rule) {
        const char *pattern = read_string(reader, json, member);
        if (!pattern)
                return;

        _cleanup_text_ Text expanded = {};
        expand_macros(reader, json_member(json, member), pattern, &expanded);
        if (text_steal(&expanded, &rule->pattern, NULL) < 0)
                reader->out_of_memory = true;
}

static void read_flags(Reader *reader, const Json *json, Rule *rule) {
        if (!json_member(json, "flags"))
                return;

        const char *flags = read_string(reader, json, "flags");
        for (const char *f = flags ?: ""; *f; f++)
                if (*f == 'g')
                        rule->global = true;
                else if (*f == 'i')
                        rule->options |= PCRE2_CASELESS;
                else if (*f == 'm')
                        rule->options |= PCRE2_MULTILINE;
                else if (*f == 's')
                        rule->options |= PCRE2_DOTALL;
                else
                        wrong(reader, json_member(json, "flags"), "flags", "expected letters of \"gims\"");
}

static void read_condition(Reader *reader, const Json *json, Rule *rule) {
        static const char *const names[] = {
                [WHEN_PASTING] = "pasting",
                [WHEN_UNTERMINATED] = "unterminated",
                [WHEN_PUBLIC] = "public",
        };

        const char *name = read_string(reader, json, "when");
        for (size_t i = 0; name && i < ELEMENTSOF(names); i++)
                if (streq(name, names[i])) {
                        rule->condition = (RuleCondition)i;
                        return;
                }
        if (name)
                wrong(reader, json_member(json, "when"), "when",
                        "expected \"pasting\", \"unterminated\" or \"public\"");
}

/* "for": whose words; without it those of what encloses the rule. What nobody claims is everybody's. */
static unsigned read_for(Reader *reader, const Json *json, unsigned enclosing) {
        const Json *list = json_member(json, "for");
        unsigned bits = 1u << WHO_UNKNOWN;

        if (!list)
                return enclosing;
        if (json_type(list) != JSON_ARRAY)
                wrong(reader, list, "for", "expected an array");
        for (size_t i = 0; i < json_size(list); i++) {
                Who who = who_from_name(json_string(json_at(list, i), NULL));
                if (who == WHO_UNKNOWN)
                        wrong(reader, json_at(list, i), "for",
                                "expected \"compiler\", \"program\", \"debugger\" or \"agent\"");
                bits |= 1u << who;
        }
        return bits;
}

/* Where a list of rules stands: how deep, and whose words are meant around it. */
typedef struct Place {
        unsigned depth;
        unsigned who;
} Place;

static void read_rules(
        Reader *reader, const Json *json, const char *member, const Place *place, RuleList *ret);

static const struct {
        const char *member;
        RuleKind kind;
        const char *members[6];
} rule_kinds[] = {
        { "match", RULE_REPLACE, { "for", "match", "flags", "replace" } },
        { "if", RULE_IF, { "for", "if", "flags", "then", "else" } },
        { "when", RULE_WHEN, { "for", "when", "then", "else" } },
        { "any", RULE_ANY, { "for", "any", "then" } },
};

static void check_members(Reader *reader, const Json *json, size_t kind) {
        for (size_t i = 0; i < json_size(json); i++) {
                bool known = false;
                for (size_t k = 0; k < ELEMENTSOF(rule_kinds[kind].members) && rule_kinds[kind].members[k];
                        k++)
                        known |= streq(json_name_at(json, i), rule_kinds[kind].members[k]);
                if (!known)
                        wrong(reader, json_at(json, i), json_name_at(json, i), "unknown member");
        }
}

static void read_rule(Reader *reader, const Json *json, const Place *place, Rule *rule) {
        const Place inside = { place->depth + 1, read_for(reader, json, place->who) };
        size_t kind = 0;

        rule->line = json_line(json);
        rule->who = inside.who;
        while (kind < ELEMENTSOF(rule_kinds) && !json_member(json, rule_kinds[kind].member))
                kind++;
        if (kind == ELEMENTSOF(rule_kinds)) {
                wrong(reader, json, NULL, "expected an object with \"match\", \"if\", \"when\" or \"any\"");
                return;
        }

        check_members(reader, json, kind);
        rule->kind = rule_kinds[kind].kind;
        if (rule->kind == RULE_REPLACE || rule->kind == RULE_IF) {
                read_pattern(reader, json, rule_kinds[kind].member, rule);
                read_flags(reader, json, rule);
        }
        if (rule->kind == RULE_REPLACE) {
                const char *replacement =
                        json_member(json, "replace") ? read_string(reader, json, "replace") : "";
                rule->replacement = strdup(replacement ?: "");
                reader->out_of_memory |= !rule->replacement;
        }
        if (rule->kind == RULE_WHEN)
                read_condition(reader, json, rule);
        if (rule->kind == RULE_ANY)
                read_rules(reader, json, "any", &inside, &rule->any);
        if (rule->kind != RULE_REPLACE) {
                read_rules(reader, json, "then", &inside, &rule->then);
                read_rules(reader, json, "else", &inside, &rule->otherwise);
        }
}

static void read_rules(
        Reader *reader, const Json *json, const char *member, const Place *place, RuleList *ret) {
        const Json *array = json_member(json, member);
        if (!array)
                return;
        if (json_type(array) != JSON_ARRAY || place->depth > DEPTH_MAX) {
                wrong(reader, array, member,
                        place->depth > DEPTH_MAX ? "nested too deep" : "expected an array of rules");
                return;
        }

        ret->rules = calloc(json_size(array) + 1, sizeof(Rule));
        if (!ret->rules) {
                reader->out_of_memory = true;
                return;
        }
        ret->n = json_size(array);
        for (size_t i = 0; i < ret->n; i++)
                read_rule(reader, json_at(array, i), place, &ret->rules[i]);
}

static void rule_list_done(RuleList *list) {
        for (size_t i = 0; i < list->n; i++) {
                Rule *rule = &list->rules[i];
                free(rule->pattern);
                free(rule->replacement);
                rule_list_done(&rule->any);
                rule_list_done(&rule->then);
                rule_list_done(&rule->otherwise);
        }
        free(list->rules);
}

void rule_table_done(RuleTable *table) {
        rule_list_done(&table->rules);
        free(table->file);
        *table = (RuleTable){};
}

static int parse_file(const char *file, Json **ret, Text *errors) {
        _cleanup_text_ Text content = {};
        int r = io_read_file(AT_FDCWD, file, FILE_SIZE_MAX, &content);
        if (r < 0) {
                definition_mistake(errors, file, NULL, NULL, "cannot be read: %s", strerror(-r));
                return r;
        }

        JsonError error;
        _cleanup_json_ Json *json = NULL;
        r = json_parse(text_string(&content), content.size, JSON_LIMITS_FILE, &json, &error);
        if (r == -ENOMEM)
                return r;
        if (r < 0 || json_type(json) != JSON_OBJECT) {
                text_append_printf(errors, "%s:%u: %s\n", file, r < 0 ? error.line : 1,
                        r < 0 ? error.message : "expected an object");
                return -EINVAL;
        }
        *ret = TAKE_PTR(json);
        return 0;
}

int rule_table_read(const char *directory, const char *name, RuleTable *ret, Text *errors) {
        _cleanup_(rule_table_done) RuleTable table = {};
        _cleanup_json_ Json *json = NULL;
        _cleanup_text_ Text path = {};

        text_append_printf(&path, "%s/%s.json", directory, name);
        int r = text_steal(&path, &table.file, NULL);
        if (r >= 0)
                r = parse_file(table.file, &json, errors);
        if (r < 0)
                return r;

        Reader reader = { .file = table.file, .define = json_member(json, "define"), .errors = errors };
        for (size_t i = 0; i < json_size(json); i++)
                if (!streq(json_name_at(json, i), "define") && !streq(json_name_at(json, i), "for") &&
                        !streq(json_name_at(json, i), "rules"))
                        wrong(&reader, json_at(json, i), json_name_at(json, i), "unknown member");
        if (!json_member(json, "rules"))
                wrong(&reader, json, "rules", "is missing");
        const Place top = { 0, read_for(&reader, json, (1u << _WHO_MAX) - 1) };
        read_rules(&reader, json, "rules", &top, &table.rules);

        if (reader.out_of_memory || text_failed(errors))
                return -ENOMEM;
        if (reader.mistaken)
                return -EINVAL;
        *ret = table;
        table = (RuleTable){};
        return 0;
}
