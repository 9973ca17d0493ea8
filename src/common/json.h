/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* JSON in and out. The only file that knows yajl.
 *
 * Values are a tree owned by its root. Size and depth are limited before anything is built. Strings carry
 * their length (they may hold NUL), numbers keep their spelling, objects keep the order of their members; of
 * two members of one name the last counts. */

#include "common/text.h"

typedef enum JsonType {
        JSON_NULL,
        JSON_BOOLEAN,
        JSON_NUMBER,
        JSON_STRING,
        JSON_ARRAY,
        JSON_OBJECT,
} JsonType;

typedef struct Json Json;

typedef struct JsonLimits {
        size_t size;   /* bytes of input */
        size_t depth;  /* nesting of arrays and objects */
        size_t values; /* values in all: each costs some 100 bytes of memory, whatever its size here */
        bool comments; /* allow C and C++ comments */
} JsonLimits;

/* What a frame may hold: 8 MiB, 32 levels. */
#define JSON_LIMITS_WIRE ((JsonLimits){ .size = 8 << 20, .depth = 32, .values = 10000 })
/* A file that a person wrote. */
#define JSON_LIMITS_FILE ((JsonLimits){ .size = 1 << 20, .depth = 32, .values = 100000, .comments = true })

typedef struct JsonError {
        unsigned line; /* counted from 1 */
        char message[200];
} JsonError;

/* Parses exactly one value (white space around it allowed) from size bytes. Returns 0 and *ret (freed with
 * json_free()), -EBADMSG (malformed; *error, unless NULL, says where and why), -EMSGSIZE (too long or too
 * deep; *error too) or -ENOMEM. A lone surrogate escape is malformed. */
int json_parse(const char *data, size_t size, JsonLimits limits, Json **ret, JsonError *error);
Json *json_free(Json *json);
DEFINE_CLEANUP(Json *, json_free);
#define _cleanup_json_ _cleanup_(json_freep)

JsonType json_type(const Json *json);
/* "null", "a boolean", "a number", "a string", "an array", "an object". */
const char *json_type_name(JsonType type);
/* The line on which the value begins, counted from 1. */
unsigned json_line(const Json *json);
/* Appends a line "FILE:LINE: MEMBER: what" about a file that a person wrote. where: any value of it, for its
 * line; NULL: line 1. member: NULL or "": it is about none. */
void json_append_mistake(Text *errors, const char *file, const Json *where, const char *member,
        const char *format, va_list ap) _printf_(5, 0);

/* Strings: the bytes (UTF-8, NUL behind) and, unless NULL, their count. NULL if it is no string. */
const char *json_string(const Json *json, size_t *ret_size);
/* Booleans: the value; false for all else. */
bool json_boolean(const Json *json);
/* Numbers: 0 and the value, -ERANGE if it is no integer of 64 bits, -EINVAL if it is no number. */
int json_integer(const Json *json, int64_t *ret);
int json_real(const Json *json, double *ret);
/* Numbers as written, "1.50"; NULL if it is no number. */
const char *json_number_text(const Json *json);
/* Appends a number as Perl prints it: 1.50 is 1.5, 1e3 is 1000. */
void json_append_number(const Json *json, Text *ret);

/* Arrays and objects: how many elements; 0 for all else. */
size_t json_size(const Json *json);
/* Element or member value by position (all members are seen here, also those that a later one hides). */
const Json *json_at(const Json *json, size_t i);
/* Member name by position. */
const char *json_name_at(const Json *json, size_t i);
/* Member by name, NULL if it has none. json may be NULL or no object. */
const Json *json_member(const Json *json, const char *name);

/* Writing. A writer is sticky like a Text: check once, at json_writer_finish(). */
typedef struct JsonWriter JsonWriter;

/* indent: two spaces a level, for people; else compact. NULL without memory; every call accepts NULL. */
JsonWriter *json_writer_new(bool indent);
JsonWriter *json_writer_free(JsonWriter *writer);
DEFINE_CLEANUP(JsonWriter *, json_writer_free);

void json_open_object(JsonWriter *writer);
void json_close_object(JsonWriter *writer);
void json_open_array(JsonWriter *writer);
void json_close_array(JsonWriter *writer);
void json_key(JsonWriter *writer, const char *name);
/* size bytes; malformed UTF-8 becomes U+FFFD, DEL is escaped (a serial tty would take it as an erase). */
void json_put_bytes(JsonWriter *writer, const char *data, size_t size);
/* A C string, or null for NULL. */
void json_put_string(JsonWriter *writer, const char *string);
void json_put_integer(JsonWriter *writer, int64_t value);
void json_put_boolean(JsonWriter *writer, bool value);
void json_put_null(JsonWriter *writer);
/* Appends the document to *text. 0, -ENOMEM, or -EINVAL if it is unfinished. */
int json_writer_finish(JsonWriter *writer, Text *text);
