/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "gdb/mi.h"

#include <ctype.h>

#define DEPTH_MAX 32

typedef struct Parser {
        const char *p, *end;
        unsigned depth;
} Parser;

static void value_done(MiValue *value) {
        for (size_t i = 0; i < value->n; i++)
                value_done(&value->items[i]);
        free(value->items);
        free(value->name);
        text_done(&value->text);
        *value = (MiValue){};
}

MiRecord *mi_record_free(MiRecord *record) {
        if (!record)
                return NULL;
        value_done(&record->results);
        text_done(&record->stream);
        free(record->class);
        free(record);
        return NULL;
}

static bool peek(const Parser *parser, char c) {
        return parser->p < parser->end && *parser->p == c;
}

static bool accept(Parser *parser, char c) {
        if (!peek(parser, c))
                return false;
        parser->p++;
        return true;
}

static bool is_octal(char c) {
        return c >= '0' && c <= '7';
}

/* What follows a backslash. */
static int parse_escape(Parser *parser, Text *text) {
        static const char letters[] = "abefnrtv", bytes[] = "\a\b\033\f\n\r\t\v";
        const char *letter;
        unsigned value = 0;

        if (parser->p == parser->end)
                return -EBADMSG;
        if (!is_octal(*parser->p)) {
                letter = memchr(letters, *parser->p, sizeof(letters) - 1);
                text_append_char(text, letter ? bytes[letter - letters] : *parser->p);
                parser->p++;
                return 0;
        }
        for (int i = 0; i < 3 && parser->p < parser->end && is_octal(*parser->p); i++)
                value = value * 8 + (unsigned)(*parser->p++ - '0');
        text_append_char(text, (char)value);
        return 0;
}

static int parse_string(Parser *parser, Text *text) {
        if (!accept(parser, '"'))
                return -EBADMSG;
        while (parser->p < parser->end && *parser->p != '"') {
                if (!accept(parser, '\\')) {
                        text_append_char(text, *parser->p++);
                        continue;
                }
                int r = parse_escape(parser, text);
                if (r < 0)
                        return r;
        }
        return accept(parser, '"') ? text_error(text) : -EBADMSG;
}

/* A name: letters, digits, '-', '_'. */
static int parse_name(Parser *parser, char **ret) {
        const char *start = parser->p;

        while (parser->p < parser->end &&
                (isalnum((unsigned char)*parser->p) || *parser->p == '-' || *parser->p == '_'))
                parser->p++;
        if (parser->p == start)
                return -EBADMSG;
        *ret = bytes_dup(start, (size_t)(parser->p - start));
        return *ret ? 0 : -ENOMEM;
}

static MiValue *add_item(MiValue *value) {
        /* Grown by powers of two. */
        if ((value->n & (value->n - 1)) == 0) {
                MiValue *items = reallocarray(value->items, value->n ? value->n * 2 : 1, sizeof(MiValue));
                if (!items)
                        return NULL;
                value->items = items;
        }
        value->items[value->n] = (MiValue){};
        return &value->items[value->n++];
}

static int parse_value(Parser *parser, MiValue *value);

/* NAME=VALUE, or in a list VALUE alone. */
static int parse_item(Parser *parser, MiValue *parent) {
        MiValue *item = add_item(parent);
        int r;

        if (!item)
                return -ENOMEM;
        if (!peek(parser, '"') && !peek(parser, '{') && !peek(parser, '[')) {
                r = parse_name(parser, &item->name);
                if (r < 0)
                        return r;
                if (!accept(parser, '='))
                        return -EBADMSG;
        }
        return parse_value(parser, item);
}

static int parse_items(Parser *parser, MiValue *value, char close) {
        int r;

        if (accept(parser, close))
                return 0;
        do {
                r = parse_item(parser, value);
                if (r < 0)
                        return r;
        } while (accept(parser, ','));
        return accept(parser, close) ? 0 : -EBADMSG;
}

static int parse_value(Parser *parser, MiValue *value) {
        int r;

        if (peek(parser, '"')) {
                value->type = MI_STRING;
                return parse_string(parser, &value->text);
        }
        value->type = peek(parser, '{') ? MI_TUPLE : MI_LIST;
        if (++parser->depth > DEPTH_MAX)
                return -EBADMSG;
        if (accept(parser, '{'))
                r = parse_items(parser, value, '}');
        else if (accept(parser, '['))
                r = parse_items(parser, value, ']');
        else
                r = -EBADMSG;
        parser->depth--;
        return r;
}

static int parse_record(Parser *parser, MiRecord *record) {
        int r;

        while (parser->p < parser->end && isdigit((unsigned char)*parser->p))
                record->token = record->token * 10 + (unsigned)(*parser->p++ - '0');
        if (parser->p == parser->end || !strchr("^*+=~@&(", *parser->p) || !*parser->p)
                return -EBADMSG;
        record->kind = (MiKind)*parser->p++;
        record->results.type = MI_TUPLE;
        if (record->kind == MI_PROMPT)
                return parser->end - parser->p >= 4 && memcmp(parser->p, "gdb)", 4) == 0 ? 0 : -EBADMSG;
        if (record->kind == MI_CONSOLE || record->kind == MI_TARGET || record->kind == MI_LOG) {
                r = parse_string(parser, &record->stream);
                return r < 0 || parser->p == parser->end ? r : -EBADMSG;
        }
        r = parse_name(parser, &record->class);
        while (r == 0 && accept(parser, ','))
                r = parse_item(parser, &record->results);
        return r < 0 || parser->p == parser->end ? r : -EBADMSG;
}

int mi_parse(const char *line, size_t size, MiRecord **ret) {
        _cleanup_mi_record_ MiRecord *record = calloc(1, sizeof(MiRecord));
        Parser parser = { .p = line, .end = line + size };
        int r;

        if (!record)
                return -ENOMEM;
        if (size > 0 && line[size - 1] == '\r')
                parser.end--;
        r = parse_record(&parser, record);
        if (r < 0)
                return r;
        *ret = TAKE_PTR(record);
        return 0;
}

const MiValue *mi_member(const MiValue *value, const char *name) {
        for (size_t i = 0; value && i < value->n; i++)
                if (streq_ptr(value->items[i].name, name))
                        return &value->items[i];
        return NULL;
}

const char *mi_text(const MiValue *value, const char *name) {
        const MiValue *member = mi_member(value, name);

        return member && member->type == MI_STRING ? text_string(&member->text) : NULL;
}
