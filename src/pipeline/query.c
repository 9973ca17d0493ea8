/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <stdio.h>

#include "common/json.h"
#include "common/log.h"
#include "common/utf8.h"
#include "language/options.h"
#include "pipeline/pipeline.h"

/* A client's line is bounded by the handler; what it decodes to needs no other bound than JSON's own. */
#define CLIENT_LIMITS ((JsonLimits){ .size = 8 << 20, .depth = 32, .values = 10000 })

/* Some editors begin a file with it; no language and no JSON has a use for it. */
#define BYTE_ORDER_MARK "\xef\xbb\xbf"

void query_done(Query *query) {
        free(query->nick);
        free(query->channel);
        free(query->lang);
        free(query->arguments);
        free(query->factoid);
        free(query->persist_key);
        free(query->usage);
        free(query->vm);
        text_done(&query->code);
        *query = (Query){};
}

/* A member's text: 1, or 0 if there is none (or null), or -EBADMSG with the message for the client. */
static int read_text(const Json *request, const char *name, Text *ret, Text *error) {
        const Json *value = json_member(request, name);
        size_t size;
        const char *string;

        if (!value)
                return 0;
        switch (json_type(value)) {
        case JSON_NULL:
                return 0;
        case JSON_STRING:
                string = json_string(value, &size);
                text_append(ret, string, size);
                return 1;
        case JSON_NUMBER:
                json_append_number(value, ret);
                return 1;
        default:
                text_append_printf(error, "Request member \"%s\" must be a string, not %s.", name,
                        json_type_name(json_type(value)));
                return -EBADMSG;
        }
}

/* The same for a member that is a C string: cut at a NUL. */
static int read_string(const Json *request, const char *name, bool empty_is_none, char **ret, Text *error) {
        _cleanup_text_ Text text = {};
        int r = read_text(request, name, &text, error);
        if (r <= 0 || (empty_is_none && text.size == 0))
                return r < 0 ? r : 0;
        return text_steal(&text, ret, NULL);
}

static int read_members(const Json *request, Query *query, Text *error) {
        const struct {
                const char *name;
                bool empty_is_none;
                char **to;
        } members[] = {
                { "nick", false, &query->nick },
                { "channel", false, &query->channel },
                { "lang", false, &query->lang },
                { "arguments", false, &query->arguments },
                { "factoid", true, &query->factoid },
                { "persist-key", true, &query->persist_key },
                { "usage", false, &query->usage },
                { "vm", true, &query->vm },
        };

        for (size_t i = 0; i < ELEMENTSOF(members); i++) {
                int r = read_string(
                        request, members[i].name, members[i].empty_is_none, members[i].to, error);
                if (r < 0)
                        return r;
        }
        int r = read_text(request, "code", &query->code, error);
        if (r < 0)
                return r;
        return text_error(&query->code);
}

/* With these PBot lets a client choose ports, or act on a machine: not here. */
static const struct {
        const char *name;
        bool option; /* of a line too, not only a member of an object */
} ignored[] = {
        { "vm-serial", true },
        { "vm-cid", true },
        { "vm-vport", true },
        { "vm-domain", true },
        { "vm-health", true },
        { "vm-addr", false },
        { "vm-vagrant", false },
        { "health", true },
        { "revert", true },
};

/* What was ignored in one line, which may name it thousands of times: a bit for each of ignored[]. */
typedef struct Ignored {
        unsigned names;
        size_t times;
} Ignored;

static bool ignore(const char *name, size_t size, bool option, Ignored *seen) {
        for (size_t i = 0; i < ELEMENTSOF(ignored); i++)
                if (strlen(ignored[i].name) == size && memcmp(ignored[i].name, name, size) == 0 &&
                        (ignored[i].option || !option)) {
                        seen->names |= 1U << i;
                        seen->times++;
                        return true;
                }
        return false;
}

static void log_ignored(const Ignored *seen) {
        _cleanup_text_ Text names = {};

        for (size_t i = 0; i < ELEMENTSOF(ignored); i++)
                if (seen->names & 1U << i)
                        text_append_printf(&names, "%s%s", names.size > 0 ? ", " : "", ignored[i].name);
        if (seen->times > 0)
                log_info("Ignored of a request, %zu in all: %s. Machines are configured here.", seen->times,
                        text_string(&names));
}

static char *lower_dup(const char *data, size_t size) {
        char *copy = strndup(data, size);
        for (char *p = copy; p && *p; p++)
                if (*p >= 'A' && *p <= 'Z')
                        *p += 'a' - 'A';
        return copy;
}

/* -lang=NAME, -vm=NAME and those that are ignored: 1 if it was one, and taken, 0 if not, -ENOMEM. */
static int take_leading_option(const char *option, size_t size, Query *query, Ignored *seen) {
        const char *equals = memchr(option, '=', size);
        if (*option != '-' || !equals || equals + 1 == option + size)
                return 0;

        const char *name = option + 1;
        size_t name_size = (size_t)(equals - name);
        char **to = NULL;
        if (name_size == 4 && memcmp(name, "lang", 4) == 0)
                to = &query->lang;
        else if (name_size == 2 && memcmp(name, "vm", 2) == 0)
                to = &query->vm;
        else
                return ignore(name, name_size, true, seen);

        char *value = lower_dup(equals + 1, (size_t)(option + size - equals - 1));
        if (!value)
                return -ENOMEM;
        free(*to);
        *to = value;
        return 1;
}

/* An option with a value of its own, or the end of options: what follows is no option of ours. */
static bool ends_options(const char *option, size_t size) {
        static const char *const ends[] = { "-", "--", "-args", "--args", "-arguments", "--arguments",
                "-include" };
        for (size_t i = 0; i < ELEMENTSOF(ends); i++)
                if (size == strlen(ends[i]) && memcmp(option, ends[i], size) == 0)
                        return true;
        return memchr(option, '"', size) || memchr(option, '\'', size) || memmem(option, size, "-stdin", 6);
}

/* Takes them out of the options that the code begins with: -O2 -lang=sh is understood too. They may follow
 * white space, but for a space: that one keeps a line from being understood, as in PBot. */
static int take_leading_options(Query *query, Ignored *seen) {
        _cleanup_text_ Text kept = {};
        const char *data = text_string(&query->code);
        size_t size = query->code.size, taken_to = 0, kept_size = 0;

        for (size_t i = *data == ' ' ? 0 : space_size(data, size); i < size && data[i] == '-';) {
                const char *space = memchr(data + i, ' ', size - i);
                size_t end = space ? (size_t)(space - data) : size;
                size_t next = end + space_size(data + end, size - end);

                int r = take_leading_option(data + i, end - i, query, seen);
                if (r < 0)
                        return r;
                if (r > 0) {
                        taken_to = next;
                        kept_size = kept.size;
                } else {
                        if (ends_options(data + i, end - i))
                                break;
                        text_append(&kept, data + i, next - i);
                }
                i = next;
        }
        if (text_failed(&kept))
                return -ENOMEM;
        text_consume(&query->code, taken_to);
        text_prepend(&query->code, kept.data, kept_size);
        return text_error(&query->code);
}

static int set_default(char **to, const char *value) {
        if (!*to)
                *to = strdup(value);
        return *to ? 0 : -ENOMEM;
}

/* A line that is meant as JSON: {"name": ... No language's code begins like that. */
static bool looks_like_json(const char *line, size_t size) {
        size_t i = space_size(line, size);
        if (i >= size || line[i++] != '{')
                return false;
        i += space_size(line + i, size - i);
        if (i >= size || line[i] != '"')
                return false;
        const char *quote = memchr(line + i + 1, '"', size - i - 1);
        if (!quote)
                return false;
        i = (size_t)(quote - line) + 1;
        i += space_size(line + i, size - i);
        return i < size && line[i] == ':';
}

static int parse_line(const char *line, size_t size, Query *query, Ignored *seen, Text *error) {
        _cleanup_json_ Json *json = NULL;
        JsonError json_error;
        int r = json_parse(line, size, CLIENT_LIMITS, &json, &json_error);
        if (r == -ENOMEM)
                return r;

        if (r >= 0 && (json_type(json) == JSON_OBJECT || json_type(json) == JSON_NULL)) {
                for (size_t i = 0; i < json_size(json); i++)
                        (void)ignore(json_name_at(json, i), strlen(json_name_at(json, i)), false, seen);
                return read_members(json, query, error);
        }
        if (r < 0 && looks_like_json(line, size)) {
                text_append_printf(error, "Request is not valid JSON: %s.", json_error.message);
                return -EBADMSG;
        }
        /* Everything else is code, also what happens to be a JSON number or string. */
        text_append(&query->code, line, size);
        return text_error(&query->code);
}

int query_parse(const char *line, size_t size, const Config *config, Query *ret, Text *error) {
        _cleanup_query_ Query query = {};
        _cleanup_text_ Text valid = {};
        Ignored seen = {};

        utf8_append_valid(&valid, line, size);
        if (text_failed(&valid))
                return -ENOMEM;
        line = startswith(text_string(&valid), BYTE_ORDER_MARK) ?: text_string(&valid);
        size = valid.size - (size_t)(line - text_string(&valid));
        while (size > 0 && (line[size - 1] == '\n' || line[size - 1] == '\r'))
                size--;
        while (size > 0 && line[size - 1] == ' ')
                size--;

        int r = parse_line(line, size, &query, &seen, error);
        if (r >= 0)
                r = take_leading_options(&query, &seen);
        log_ignored(&seen);
        if (r >= 0)
                r = set_default(&query.nick, "vm");
        if (r >= 0)
                r = set_default(&query.channel, "vm");
        if (r >= 0)
                r = set_default(&query.lang, config->default_language);
        if (r >= 0)
                r = set_default(&query.arguments, "");
        if (r < 0)
                return r;

        *ret = query;
        query = (Query){};
        return 0;
}
