/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "common/json.h"

#include <yajl/yajl_gen.h>

#include "common/utf8.h"

struct JsonWriter {
        yajl_gen gen;
        bool failed;
};

JsonWriter *json_writer_new(bool indent) {
        JsonWriter *writer = calloc(1, sizeof(*writer));

        if (!writer)
                return NULL;
        writer->gen = yajl_gen_alloc(NULL);
        if (!writer->gen)
                return json_writer_free(writer);
        (void)yajl_gen_config(writer->gen, yajl_gen_beautify, (int)indent);
        (void)yajl_gen_config(writer->gen, yajl_gen_indent_string, "  ");
        return writer;
}

JsonWriter *json_writer_free(JsonWriter *writer) {
        if (!writer)
                return NULL;
        if (writer->gen)
                yajl_gen_free(writer->gen);
        free(writer);
        return NULL;
}

static void check(JsonWriter *writer, yajl_gen_status status) {
        if (status != yajl_gen_status_ok)
                writer->failed = true;
}

void json_open_object(JsonWriter *writer) {
        if (writer)
                check(writer, yajl_gen_map_open(writer->gen));
}

void json_close_object(JsonWriter *writer) {
        if (writer)
                check(writer, yajl_gen_map_close(writer->gen));
}

void json_open_array(JsonWriter *writer) {
        if (writer)
                check(writer, yajl_gen_array_open(writer->gen));
}

void json_close_array(JsonWriter *writer) {
        if (writer)
                check(writer, yajl_gen_array_close(writer->gen));
}

void json_key(JsonWriter *writer, const char *name) {
        json_put_bytes(writer, name, strlen(name));
}

void json_put_bytes(JsonWriter *writer, const char *data, size_t size) {
        if (!writer)
                return;

        _cleanup_text_ Text valid = {};
        utf8_append_valid(&valid, data, size);
        if (text_failed(&valid))
                writer->failed = true;
        else
                check(writer, yajl_gen_string(
                                      writer->gen, (const unsigned char *)text_string(&valid), valid.size));
}

void json_put_string(JsonWriter *writer, const char *string) {
        if (string)
                json_put_bytes(writer, string, strlen(string));
        else
                json_put_null(writer);
}

void json_put_integer(JsonWriter *writer, int64_t value) {
        if (writer)
                check(writer, yajl_gen_integer(writer->gen, value));
}

void json_put_boolean(JsonWriter *writer, bool value) {
        if (writer)
                check(writer, yajl_gen_bool(writer->gen, value));
}

void json_put_null(JsonWriter *writer) {
        if (writer)
                check(writer, yajl_gen_null(writer->gen));
}

int json_writer_finish(JsonWriter *writer, Text *text) {
        const unsigned char *data;
        size_t size;

        if (!writer)
                return -ENOMEM;
        if (writer->failed)
                return -EINVAL;
        if (yajl_gen_get_buf(writer->gen, &data, &size) != yajl_gen_status_ok || size == 0)
                return -EINVAL;

        /* A DEL can only stand in a string; yajl leaves it bare. */
        const char *p = (const char *)data, *end = p + size;
        for (const char *del; (del = memchr(p, 0x7F, (size_t)(end - p))); p = del + 1) {
                text_append(text, p, (size_t)(del - p));
                text_append_string(text, "\\u007f");
        }
        text_append(text, p, (size_t)(end - p));
        return text_error(text);
}
