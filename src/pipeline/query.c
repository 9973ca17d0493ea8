/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <ctype.h>
#include <stdio.h>

#include "common/json.h"
#include "common/log.h"
#include "common/utf8.h"
#include "pipeline/pipeline.h"

/* The members of a request. Those that choose ports and the like are not taken from clients. */
static const struct {
        const char *name;
        size_t offset;
} string_members[] = {
        { "nick", offsetof(Query, nick) },
        { "channel", offsetof(Query, channel) },
        { "lang", offsetof(Query, lang) },
        { "arguments", offsetof(Query, arguments) },
        { "factoid", offsetof(Query, factoid) },
        { "persist-key", offsetof(Query, persist_key) },
        { "usage", offsetof(Query, usage) },
        { "vm", offsetof(Query, vm) },
};

static const char *const ignored_members[] = {
        "vm-serial",
        "vm-cid",
        "vm-vport",
        "vm-domain",
        "vm-addr",
        "vm-health",
        "vm-vagrant",
};

/* Leading options: the member that they set, or none. */
static const struct {
        const char *name;
        ssize_t offset;
} leading_options[] = {
        { "lang", offsetof(Query, lang) },
        { "vm", offsetof(Query, vm) },
        { "vm-cid", -1 },
        { "vm-vport", -1 },
        { "vm-serial", -1 },
        { "vm-domain", -1 },
        { "vm-health", -1 },
        { "revert", -1 },
        { "health", -1 },
};

void query_done(Query *query) {
        for (size_t i = 0; i < ELEMENTSOF(string_members); i++)
                free(*(char **)((char *)query + string_members[i].offset));
        text_done(&query->code);
        *query = (Query){};
}

static char **member_at(Query *query, size_t offset) {
        return (char **)((char *)query + offset);
}

static int refuse(Text *error, const char *name, const Json *value) {
        text_append_printf(error, "Bad request: member %s is %s, not a string.", name,
                json_type_name(json_type(value)));
        return -EBADMSG;
}

/* A number as Perl prints it: 1.50 is 1.5. */
static void append_number(Text *text, const Json *value) {
        int64_t n;
        double d;

        if (json_integer(value, &n) >= 0)
                text_append_printf(text, "%lli", (long long)n);
        else if (json_real(value, &d) >= 0)
                text_append_printf(text, "%.15g", d);
}

/* A member's text; null and absence are nothing. */
static int read_scalar(const Json *value, const char *name, Text *text, Text *error) {
        size_t size;
        const char *string = json_string(value, &size);

        if (string)
                text_append(text, string, size);
        else if (value && json_type(value) == JSON_NUMBER)
                append_number(text, value);
        else if (value && json_type(value) != JSON_NULL)
                return refuse(error, name, value);
        return text_error(text);
}

static int read_members(const Json *object, Query *query, Text *error) {
        for (size_t i = 0; i < ELEMENTSOF(string_members); i++) {
                _cleanup_text_ Text text = {};
                int r = read_scalar(
                        json_member(object, string_members[i].name), string_members[i].name, &text, error);
                if (r < 0)
                        return r;
                if (text.size == 0)
                        continue;
                /* what follows a NUL could not be an argument or a file's name anyway */
                text_truncate(&text, strlen(text_string(&text)));
                r = text_steal(&text, member_at(query, string_members[i].offset), NULL);
                if (r < 0)
                        return r;
        }
        for (size_t i = 0; i < ELEMENTSOF(ignored_members); i++)
                if (json_member(object, ignored_members[i]))
                        log_info("Member %s of a request is ignored, machines come from the configuration.",
                                ignored_members[i]);
        return read_scalar(json_member(object, "code"), "code", &query->code, error);
}

/* One leading -NAME=VALUE and the white space behind it: its length, 0 if there is none. */
static size_t leading_option(const Text *code, size_t *ret_option, size_t *ret_value) {
        const char *data = text_string(code);

        if (data[0] != '-')
                return 0;
        for (size_t i = 0; i < ELEMENTSOF(leading_options); i++) {
                const char *value = startswith(data + 1, leading_options[i].name);
                if (!value || *value != '=')
                        continue;
                size_t at = (size_t)(value + 1 - data), end = at;
                while (end < code->size && data[end] != ' ')
                        end++;
                if (end == at)
                        continue;
                *ret_option = i;
                *ret_value = at;
                return end;
        }
        return 0;
}

static int take_leading_options(Query *query) {
        size_t option, value, end;

        while ((end = leading_option(&query->code, &option, &value)) > 0) {
                if (leading_options[option].offset >= 0) {
                        char **p = member_at(query, (size_t)leading_options[option].offset);
                        char *copy = bytes_dup(query->code.data + value, end - value);
                        if (!copy)
                                return -ENOMEM;
                        for (char *c = copy; *c; c++)
                                *c = (char)tolower((unsigned char)*c);
                        free(*p);
                        *p = copy;
                } else
                        log_info("Option -%s of a request is ignored, machines come from the configuration.",
                                leading_options[option].name);

                while (end < query->code.size && isspace((unsigned char)query->code.data[end]))
                        end++;
                text_consume(&query->code, end);
        }
        return 0;
}

static int trim(char **p) {
        const char *s = *p;

        while (isspace((unsigned char)*s))
                s++;
        char *copy = bytes_dup(s, utf8_trimmed_size(s, strlen(s)));
        if (!copy)
                return -ENOMEM;
        free(*p);
        *p = copy;
        return 0;
}

static int set_defaults(Query *query, const Config *config) {
        const struct {
                char **p;
                const char *value;
        } defaults[] = {
                { &query->nick, "vm" },
                { &query->channel, "vm" },
                { &query->lang, config->default_language },
                { &query->arguments, "" },
        };

        for (size_t i = 0; i < ELEMENTSOF(defaults); i++) {
                if (*defaults[i].p)
                        continue;
                *defaults[i].p = strdup(defaults[i].value);
                if (!*defaults[i].p)
                        return -ENOMEM;
        }
        int r = trim(&query->nick);
        return r < 0 ? r : trim(&query->channel);
}

/* A line that is JSON but no object is text: somebody typed 5 or "x". So is what does not parse, unless it
 * was clearly meant to be a request. */
static int read_line(const char *line, size_t size, Query *query, Text *error) {
        _cleanup_json_ Json *json = NULL;
        JsonError where;

        int r = json_parse(line, size, JSON_LIMITS_WIRE, &json, &where);
        if (r == -ENOMEM)
                return r;
        if (r >= 0 && (json_type(json) == JSON_OBJECT || json_type(json) == JSON_NULL))
                return read_members(json, query, error);
        if (r < 0 && size > 0 && line[0] == '{' && memmem(line, size, "\"code\"", 6)) {
                text_append_printf(error, "Bad request: the JSON is malformed: %s.", where.message);
                return -EBADMSG;
        }
        while (size > 0 && line[size - 1] == ' ')
                size--;
        text_append(&query->code, line, size);
        return text_error(&query->code);
}

int query_parse(const char *line, size_t size, const Config *config, Query *ret, Text *error) {
        _cleanup_query_ Query query = {};
        _cleanup_text_ Text valid = {};

        utf8_append_valid(&valid, line, size);
        if (text_failed(&valid))
                return -ENOMEM;
        int r = read_line(text_string(&valid), valid.size, &query, error);
        if (r >= 0)
                r = take_leading_options(&query);
        if (r >= 0)
                r = set_defaults(&query, config);
        if (r < 0)
                return r;
        *ret = query;
        query = (Query){};
        return 0;
}
