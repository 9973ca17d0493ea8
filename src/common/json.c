/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Parsing. yajl's callback parser is used, not its tree: callbacks give lengths and positions, and let size
 * and depth be refused before memory is spent. */

#include "common/json.h"

#include <math.h>
#include <stdarg.h>
#include <stdio.h>

#include <yajl/yajl_parse.h>

#include "common/hex.h"

/* A document's values, names and strings lie one behind the other in a few pieces of memory, which go
 * together: a request reads tables of thousands of them, and to allocate and free each would cost as much
 * as to parse it. */
typedef struct Chunk {
        struct Chunk *next; /* the one that was filled before */
        size_t size, used;
        max_align_t data[];
} Chunk;

struct Json {
        JsonType type;
        bool boolean;
        unsigned line;
        const char *name; /* of a member */
        Json *next;       /* in its container */
        const char *text; /* a string's bytes, or a number's spelling, NUL behind */
        Json **children;
        size_t size;   /* of the text, or how many children */
        Chunk *chunks; /* the root's: all of the document */
};

/* A container that is not closed yet. */
typedef struct Open {
        Json *json, *first, *last;
} Open;

typedef struct Parser {
        yajl_handle yajl;
        const char *data;
        size_t size;
        JsonLimits limits;
        Chunk *chunks;
        Json *root;
        Open *stack; /* innermost last */
        size_t depth;
        size_t n_values;
        const char *name; /* the member name that waits for its value */
        size_t counted;   /* bytes whose newlines are in line */
        unsigned line;
        int error;
        char message[200];
} Parser;

/* A string may fill one alone. */
#define CHUNK_MIN 1024
#define CHUNK_MAX 65536

static void *chunks_take(Chunk **chunks, size_t size) {
        Chunk *chunk = *chunks;

        size = (size + sizeof(max_align_t) - 1) / sizeof(max_align_t) * sizeof(max_align_t);
        if (!chunk || chunk->size - chunk->used < size) {
                size_t room = chunk ? MIN(2 * chunk->size, (size_t)CHUNK_MAX) : CHUNK_MIN;

                chunk = malloc(sizeof(*chunk) + MAX(room, size));
                if (!chunk)
                        return NULL;
                *chunk = (Chunk){ .next = *chunks, .size = MAX(room, size) };
                *chunks = chunk;
        }
        chunk->used += size;
        return (char *)chunk->data + chunk->used - size;
}

static void chunks_free(Chunk *chunk) {
        while (chunk) {
                Chunk *next = chunk->next;
                free(chunk);
                chunk = next;
        }
}

Json *json_free(Json *json) {
        if (json)
                chunks_free(json->chunks);
        return NULL;
}

static _printf_(3, 4) int parser_fail(Parser *p, int error, const char *format, ...) {
        va_list ap;

        p->error = error;
        va_start(ap, format);
        (void)vsnprintf(p->message, sizeof(p->message), format, ap);
        va_end(ap);
        return 0;
}

/* The line on which the token that yajl has just read ends. A string cannot hold a newline, so for scalars
 * it is the line of the beginning too. */
static unsigned parser_line(Parser *p) {
        size_t to = MIN(yajl_get_bytes_consumed(p->yajl), p->size);

        for (; p->counted < to; p->counted++)
                if (p->data[p->counted] == '\n')
                        p->line++;
        return p->line;
}

static Json *parser_add(Parser *p, JsonType type) {
        if (++p->n_values > p->limits.values) {
                parser_fail(p, -EMSGSIZE, "more than %zu values", p->limits.values);
                return NULL;
        }

        Json *json = chunks_take(&p->chunks, sizeof(*json));

        if (!json) {
                parser_fail(p, -ENOMEM, "out of memory");
                return NULL;
        }
        *json = (Json){ .type = type, .line = parser_line(p), .name = p->name };
        p->name = NULL;
        if (p->depth == 0)
                p->root = json;
        else {
                Open *open = &p->stack[p->depth - 1];

                if (open->last)
                        open->last->next = json;
                else
                        open->first = json;
                open->last = json;
                open->json->size++;
        }
        return json;
}

/* NULL without memory, which is noted. */
static const char *parser_keep(Parser *p, const void *data, size_t size) {
        char *copy = chunks_take(&p->chunks, size + 1);

        if (!copy) {
                parser_fail(p, -ENOMEM, "out of memory");
                return NULL;
        }
        if (size > 0)
                memcpy(copy, data, size);
        copy[size] = '\0';
        return copy;
}

static int on_text(Parser *p, JsonType type, const void *data, size_t size) {
        Json *json = parser_add(p, type);
        if (!json)
                return 0;
        json->text = parser_keep(p, data, size);
        json->size = size;
        return !!json->text;
}

static int on_null(void *p) {
        return !!parser_add(p, JSON_NULL);
}

static int on_boolean(void *p, int value) {
        Json *json = parser_add(p, JSON_BOOLEAN);
        if (!json)
                return 0;
        json->boolean = value;
        return 1;
}

static int on_number(void *p, const char *data, size_t size) {
        return on_text(p, JSON_NUMBER, data, size);
}

static int on_string(void *userdata, const unsigned char *data, size_t size) {
        return on_text(userdata, JSON_STRING, data, size);
}

static int on_key(void *userdata, const unsigned char *data, size_t size) {
        Parser *p = userdata;

        if (memchr(data, 0, size))
                return parser_fail(p, -EBADMSG, "a NUL in a member's name");
        p->name = parser_keep(p, data, size);
        return !!p->name;
}

static int on_open(Parser *p, JsonType type) {
        if (p->depth >= p->limits.depth)
                return parser_fail(p, -EMSGSIZE, "nested deeper than %zu levels", p->limits.depth);
        Json *json = parser_add(p, type);
        if (!json)
                return 0;
        p->stack[p->depth++] = (Open){ .json = json };
        return 1;
}

static int on_open_object(void *p) {
        return on_open(p, JSON_OBJECT);
}

static int on_open_array(void *p) {
        return on_open(p, JSON_ARRAY);
}

static int on_close(void *userdata) {
        Parser *p = userdata;
        Open *open = &p->stack[--p->depth];
        size_t n = 0;

        if (!open->first)
                return 1;
        open->json->children = chunks_take(&p->chunks, open->json->size * sizeof(Json *));
        if (!open->json->children)
                return parser_fail(p, -ENOMEM, "out of memory");
        for (Json *child = open->first; child; child = child->next)
                open->json->children[n++] = child;
        return 1;
}

/* Four hex digits at s, or -1. */
static int hex4(const char *s, const char *end) {
        int value = 0;

        if (end - s < 4)
                return -1;
        for (int i = 0; i < 4; i++) {
                int digit = hex_value(s[i]);
                if (digit < 0)
                        return -1;
                value = value * 16 + digit;
        }
        return value;
}

/* True if the text holds an escape of half a surrogate pair; such text is refused, since yajl would change
 * it silently. Backslashes stand only in strings (and, harmlessly, in comments), so no scanner is needed. */
static bool has_lone_surrogate(const char *data, size_t size, size_t *ret_at) {
        const char *end = data + size;

        for (const char *p = data; (p = memchr(p, '\\', (size_t)(end - p)));) {
                if (end - p < 2)
                        return false;
                *ret_at = (size_t)(p - data);
                if (p[1] != 'u') {
                        p += 2;
                        continue;
                }

                int high = hex4(p + 2, end);
                p += 2;
                if (high >= 0xDC00 && high <= 0xDFFF)
                        return true;
                if (high < 0xD800 || high > 0xDBFF)
                        continue;
                if (end - p < 10 || p[4] != '\\' || p[5] != 'u')
                        return true;
                int low = hex4(p + 6, end);
                if (low < 0xDC00 || low > 0xDFFF)
                        return true;
                p += 10;
        }
        return false;
}

static unsigned line_at(const char *data, size_t at) {
        unsigned line = 1;

        for (size_t i = 0; i < at; i++)
                if (data[i] == '\n')
                        line++;
        return line;
}

/* yajl's own words, without its prefix, its picture of the place and its newlines. */
static void parser_explain(Parser *p) {
        unsigned char *said = yajl_get_error(p->yajl, 0, (const unsigned char *)p->data, p->size);
        const char *text = said ? (const char *)said : "malformed";

        const char *after = startswith(text, "lexical error: ");
        if (!after)
                after = startswith(text, "parse error: ");
        if (after)
                text = after;
        size_t size = strcspn(text, "\n");
        while (size > 0 && text[size - 1] == '.')
                size--;
        parser_fail(p, -EBADMSG, "%.*s", (int)size, text);
        if (said)
                yajl_free_error(p->yajl, said);
}

static int fail(JsonError *error, int r, unsigned line, const char *message) {
        if (error) {
                error->line = line;
                (void)snprintf(error->message, sizeof(error->message), "%s", message);
        }
        return r;
}

int json_parse(const char *data, size_t size, JsonLimits limits, Json **ret, JsonError *error) {
        static const yajl_callbacks callbacks = {
                .yajl_null = on_null,
                .yajl_boolean = on_boolean,
                .yajl_number = on_number,
                .yajl_string = on_string,
                .yajl_start_map = on_open_object,
                .yajl_map_key = on_key,
                .yajl_end_map = on_close,
                .yajl_start_array = on_open_array,
                .yajl_end_array = on_close,
        };
        Parser p = { .data = data, .size = size, .limits = limits, .line = 1 };
        size_t at;

        if (size > limits.size)
                return fail(error, -EMSGSIZE, 1, "too long");
        if (has_lone_surrogate(data, size, &at))
                return fail(error, -EBADMSG, line_at(data, at), "an escape of half a surrogate pair");

        _cleanup_free_ Open *stack = calloc(limits.depth + 1, sizeof(*stack));
        p.stack = stack;
        p.yajl = stack ? yajl_alloc(&callbacks, NULL, &p) : NULL;
        if (!p.yajl)
                return fail(error, -ENOMEM, 1, "out of memory");
        (void)yajl_config(p.yajl, yajl_allow_comments, (int)limits.comments);

        yajl_status status = yajl_parse(p.yajl, (const unsigned char *)data, size);
        if (status == yajl_status_ok)
                status = yajl_complete_parse(p.yajl);
        if (status == yajl_status_error)
                parser_explain(&p);

        int r = status == yajl_status_ok && p.root ? 0 : p.error < 0 ? p.error : -EBADMSG;
        if (r < 0) {
                chunks_free(p.chunks);
                fail(error, r, parser_line(&p), p.message[0] ? p.message : "no value");
        } else {
                p.root->chunks = p.chunks;
                *ret = p.root;
        }
        yajl_free(p.yajl);
        return r;
}

JsonType json_type(const Json *json) {
        return json->type;
}

const char *json_type_name(JsonType type) {
        static const char *const names[] = {
                [JSON_NULL] = "null",
                [JSON_BOOLEAN] = "a boolean",
                [JSON_NUMBER] = "a number",
                [JSON_STRING] = "a string",
                [JSON_ARRAY] = "an array",
                [JSON_OBJECT] = "an object",
        };
        return names[type];
}

unsigned json_line(const Json *json) {
        return json->line;
}

void json_append_mistake(Text *errors, const char *file, const Json *where, const char *member,
        const char *format, va_list ap) {
        text_append_printf(errors, "%s:%u: ", file, where ? json_line(where) : 1);
        if (!isempty(member))
                text_append_printf(errors, "%s: ", member);
        text_append_vprintf(errors, format, ap);
        text_append_char(errors, '\n');
}

const char *json_string(const Json *json, size_t *ret_size) {
        if (!json || json->type != JSON_STRING)
                return NULL;
        if (ret_size)
                *ret_size = json->size;
        return json->text;
}

bool json_boolean(const Json *json) {
        return json && json->boolean;
}

const char *json_number_text(const Json *json) {
        return json && json->type == JSON_NUMBER ? json->text : NULL;
}

int json_integer(const Json *json, int64_t *ret) {
        const char *s = json_number_text(json);
        char *end;

        if (!s)
                return -EINVAL;
        errno = 0;
        long long value = strtoll(s, &end, 10);
        if (errno != 0 || *end)
                return -ERANGE;
        *ret = value;
        return 0;
}

int json_real(const Json *json, double *ret) {
        const char *s = json_number_text(json);
        if (!s)
                return -EINVAL;
        *ret = strtod(s, NULL);
        return 0;
}

void json_append_number(const Json *json, Text *ret) {
        int64_t integer;
        double real;

        if (json_integer(json, &integer) >= 0)
                text_append_printf(ret, "%lld", (long long)integer);
        else if (json_type(json) == JSON_NUMBER && !strpbrk(json_number_text(json), ".eE"))
                text_append_string(ret, json_number_text(json)); /* of any size */
        else if (json_real(json, &real) >= 0 && isinf(real))
                text_append_string(ret, real < 0 ? "-Inf" : "Inf");
        else if (json_real(json, &real) >= 0)
                text_append_printf(ret, "%.15g", real);
}

size_t json_size(const Json *json) {
        return json && json->children ? json->size : 0;
}

const Json *json_at(const Json *json, size_t i) {
        return i < json_size(json) ? json->children[i] : NULL;
}

const char *json_name_at(const Json *json, size_t i) {
        return i < json_size(json) ? json->children[i]->name : NULL;
}

const Json *json_member(const Json *json, const char *name) {
        if (!json || json->type != JSON_OBJECT)
                return NULL;
        for (size_t i = json_size(json); i > 0; i--)
                if (streq(json->children[i - 1]->name, name))
                        return json->children[i - 1];
        return NULL;
}
