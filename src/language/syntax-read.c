/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "language/syntax.h"

#define OPEN_MAX 16

typedef struct Name {
        const char *name;
        int value;
} Name;

static const Name forms[] = {
        { "heredoc", SYNTAX_HEREDOC },
        { "raw", SYNTAX_RAW },
        { "delimited", SYNTAX_DELIMITED },
        { "character", SYNTAX_CHARACTER },
};

static const Name places[] = {
        { "line", SYNTAX_AT_LINE },
        { "word", SYNTAX_AT_WORD },
        { "blank", SYNTAX_AT_BLANK },
        { "outside-number", SYNTAX_OUTSIDE_NUMBER },
};

typedef struct Reader {
        SyntaxRule *rule;
        const Json **where;
        const char **message;
        bool has_close, has_form, out_of_memory;
} Reader;

void syntax_done(Syntax *syntax) {
        for (size_t i = 0; i < syntax->n; i++) {
                free(syntax->rules[i].open);
                free(syntax->rules[i].close);
                free(syntax->rules[i].after);
        }
        free(syntax->rules);
        *syntax = (Syntax){};
}

static bool wrong(Reader *reader, const Json *where, const char *message) {
        *reader->where = where;
        *reader->message = message;
        return false;
}

static bool read_text(Reader *reader, const Json *value, size_t least, size_t most, char **to) {
        size_t size;
        const char *string = json_string(value, &size);

        if (!string || strlen(string) != size || size < least || size > most)
                return wrong(reader, value,
                        most == 1 ? "expected one character" : "expected a string of a few characters");
        free(*to);
        *to = strdup(string);
        reader->out_of_memory |= !*to;
        return true;
}

static bool read_character(Reader *reader, const Json *value, char *to) {
        _cleanup_free_ char *text = NULL;

        if (!read_text(reader, value, 1, 1, &text))
                return false;
        *to = text ? *text : 0;
        return true;
}

static bool read_name(
        Reader *reader, const Json *value, const Name *names, size_t n, const char *message, int *to) {
        for (size_t i = 0; i < n; i++)
                if (streq_ptr(json_string(value, NULL), names[i].name)) {
                        *to = names[i].value;
                        return true;
                }
        return wrong(reader, value, message);
}

static bool read_flag(Reader *reader, const Json *value, bool *to) {
        if (json_type(value) != JSON_BOOLEAN)
                return wrong(reader, value, "expected true or false");
        *to = json_boolean(value);
        return true;
}

static bool read_member(Reader *reader, const char *name, const Json *value) {
        SyntaxRule *rule = reader->rule;
        int number = 0;
        bool flag;

        if (streq(name, "open"))
                return read_text(reader, value, 1, OPEN_MAX, &rule->open);
        if (streq(name, "close"))
                return reader->has_close = true, read_text(reader, value, 0, OPEN_MAX, &rule->close);
        if (streq(name, "after"))
                return read_text(reader, value, 1, 64, &rule->after);
        if (streq(name, "escape"))
                return read_character(reader, value, &rule->escape);
        if (streq(name, "fill"))
                return read_character(reader, value, &rule->fill);
        if (streq(name, "comment"))
                return read_flag(reader, value, &rule->comment);
        if (streq(name, "nests"))
                return read_flag(reader, value, &rule->nests);
        if (streq(name, "one-line"))
                return read_flag(reader, value, &rule->one_line);
        if (streq(name, "two-parts")) {
                if (!read_flag(reader, value, &flag))
                        return false;
                rule->parts = flag ? 2 : 1;
                return true;
        }
        if (streq(name, "form")) {
                if (!read_name(reader, value, forms, ELEMENTSOF(forms),
                            "expected \"heredoc\", \"raw\", \"delimited\" or \"character\"", &number))
                        return false;
                rule->form = (SyntaxForm)number;
                reader->has_form = true;
                return true;
        }
        if (streq(name, "at")) {
                if (!read_name(reader, value, places, ELEMENTSOF(places),
                            "expected \"line\", \"word\", \"blank\" or \"outside-number\"", &number))
                        return false;
                rule->place = (SyntaxPlace)number;
                return true;
        }
        return wrong(reader, value, "has an unknown member");
}

static bool read_rule(Reader *reader, const Json *object) {
        SyntaxRule *rule = reader->rule;

        reader->has_close = reader->has_form = false;
        if (json_type(object) != JSON_OBJECT)
                return wrong(reader, object, "expected an array of objects");
        rule->parts = 1;
        for (size_t i = 0; i < json_size(object); i++)
                if (!read_member(reader, json_name_at(object, i), json_at(object, i)))
                        return false;
        if (!rule->open)
                return wrong(reader, object, "\"open\" is missing");
        if (reader->has_form && reader->has_close)
                return wrong(reader, object, "\"form\" has a \"close\" of its own");
        if (!reader->has_form && !reader->has_close) {
                rule->form = SYNTAX_LINE;
                rule->comment = true;
        }
        if (rule->fill && (strlen(rule->open) < 2 || !rule->close || strlen(rule->close) < 2))
                return wrong(reader, object, "\"fill\" needs two characters in \"open\" and in \"close\"");
        return true;
}

int syntax_read(const Json *array, Syntax *ret, const Json **ret_where, const char **ret_message) {
        Syntax syntax = {};
        Reader reader = { .where = ret_where, .message = ret_message };
        bool right = json_type(array) == JSON_ARRAY && json_size(array) <= SYNTAX_RULES_MAX;

        if (!right)
                (void)wrong(&reader, array, "expected an array of at most 32 objects");
        else {
                syntax.rules = calloc(json_size(array) + 1, sizeof(*syntax.rules));
                reader.out_of_memory = !syntax.rules;
        }
        for (size_t i = 0; right && !reader.out_of_memory && i < json_size(array); i++) {
                reader.rule = &syntax.rules[syntax.n++];
                right = read_rule(&reader, json_at(array, i));
                if (right && !reader.out_of_memory)
                        syntax.begins[(unsigned char)reader.rule->open[0]] = true;
        }
        if (!right || reader.out_of_memory) {
                syntax_done(&syntax);
                return reader.out_of_memory ? -ENOMEM : -EINVAL;
        }
        syntax_done(ret);
        *ret = syntax;
        return 0;
}
