/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "generator/env-file.h"

char **env_list_free(char **list) {
        for (size_t i = 0; list && list[i]; i++)
                free(list[i]);
        free(list);
        return NULL;
}

typedef struct Reader {
        const char *at; /* NUL-terminated */
        unsigned line;
} Reader;

static char next(Reader *reader) {
        char c = *reader->at;

        if (c) {
                reader->at++;
                if (c == '\n')
                        reader->line++;
        }
        return c;
}

static bool is_blank(char c) {
        return c == ' ' || c == '\t' || c == '\r';
}

static void skip_line(Reader *reader) {
        for (char c = next(reader); c && c != '\n';)
                c = next(reader);
}

static bool is_name_char(char c, bool first) {
        return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || c == '_' ||
               (!first && c >= '0' && c <= '9');
}

/* Up to the closing quote. In double quotes a backslash protects " \ $ and `, and joins lines. */
static void read_quoted(Reader *reader, char quote, Text *value) {
        for (char c; (c = next(reader)) && c != quote;) {
                if (quote == '"' && c == '\\' && *reader->at && strchr("\"\\$`\n", *reader->at)) {
                        c = next(reader);
                        if (c == '\n')
                                continue;
                }
                text_append_char(value, c);
        }
}

/* The rest of a line, without the white space around it. */
static void read_value(Reader *reader, Text *value) {
        size_t kept = 0; /* up to here it does not end in unquoted white space */

        while (is_blank(*reader->at))
                next(reader);
        for (char c; (c = next(reader)) && c != '\n';) {
                if (c == '"' || c == '\'')
                        read_quoted(reader, c, value);
                else if (c == '\\') {
                        c = next(reader);
                        if (c && c != '\n')
                                text_append_char(value, c);
                } else {
                        text_append_char(value, c);
                        if (is_blank(c))
                                continue;
                }
                kept = value->size;
        }
        text_truncate(value, kept);
}

static int list_add(char ***list, size_t *n, Text *entry) {
        char **longer, *string;
        int r;

        r = text_steal(entry, &string, NULL);
        if (r < 0)
                return r;
        longer = realloc(*list, (*n + 2) * sizeof(char *));
        if (!longer) {
                free(string);
                return -ENOMEM;
        }
        *list = longer;
        longer[(*n)++] = string;
        longer[*n] = NULL;
        return 0;
}

/* At the first character of a line that is no white space. */
static int read_line(Reader *reader, char ***list, size_t *n, Text *errors) {
        _cleanup_text_ Text entry = {}, value = {};
        const unsigned line = reader->line;

        while (is_name_char(*reader->at, entry.size == 0))
                text_append_char(&entry, next(reader));
        if (entry.size == 0 || *reader->at != '=') {
                text_append_printf(errors, "%u: expected NAME=value\n", line);
                skip_line(reader);
                return 0;
        }
        text_append_char(&entry, next(reader));
        read_value(reader, &value);
        text_append_text(&entry, &value);
        return list_add(list, n, &entry);
}

int env_file_parse(const Text *text, char ***ret, Text *errors) {
        Reader reader = { text_string(text), 1 };
        _cleanup_(env_list_freep) char **list = calloc(1, sizeof(char *));
        size_t n = 0;
        int r;

        if (!list)
                return -ENOMEM;
        while (*reader.at) {
                if (is_blank(*reader.at) || *reader.at == '\n')
                        next(&reader);
                else if (*reader.at == '#' || *reader.at == ';')
                        skip_line(&reader);
                else if ((r = read_line(&reader, &list, &n, errors)) < 0)
                        return r;
        }
        *ret = TAKE_PTR(list);
        return 0;
}
