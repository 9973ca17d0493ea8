/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "common/reply.h"

#include "common/base64.h"
#include "common/utf8.h"

/* The members of "pbotvm" that are counts. */
static const struct {
        const char *name;
        size_t offset;
} counts[] = {
        { "truncated", offsetof(Reply, truncated) },
        { "cpu_usec", offsetof(Reply, cpu_usec) },
        { "wall_usec", offsetof(Reply, wall_usec) },
        { "max_rss_bytes", offsetof(Reply, max_rss_bytes) },
};

static uint64_t *count_at(Reply *reply, size_t i) {
        return (uint64_t *)((char *)reply + counts[i].offset);
}

void reply_done(Reply *reply) {
        text_done(&reply->result);
        text_done(&reply->storage);
        parts_done(&reply->parts);
        free(reply->id);
        free(reply->signal);
        *reply = (Reply){};
}

static void write_parts(const Parts *parts, JsonWriter *w) {
        json_key(w, "parts");
        json_open_array(w);
        for (size_t i = 0; i < parts->n; i++) {
                json_open_array(w);
                json_put_string(w, who_name(parts->list[i].who));
                json_put_integer(w, (int64_t)parts->list[i].size);
                json_close_array(w);
        }
        json_close_array(w);
}

static void write_extension(const Reply *reply, JsonWriter *w) {
        Reply copy = *reply;

        json_key(w, "pbotvm");
        json_open_object(w);
        if (reply->id) {
                json_key(w, "id");
                json_put_string(w, reply->id);
        }
        json_key(w, "exit_status");
        if (reply->exited)
                json_put_integer(w, reply->exit_status);
        else
                json_put_null(w);
        json_key(w, "signal");
        json_put_string(w, reply->signal);
        json_key(w, "timed_out");
        json_put_boolean(w, reply->timed_out);
        json_key(w, "oom");
        json_put_boolean(w, reply->oom);
        for (size_t i = 0; i < ELEMENTSOF(counts); i++) {
                json_key(w, counts[i].name);
                json_put_integer(w, (int64_t)MIN(*count_at(&copy, i), (uint64_t)INT64_MAX));
        }
        if (reply->parts.n > 0)
                write_parts(&reply->parts, w);
        if (reply->have_storage) {
                _cleanup_text_ Text encoded = {};
                base64_append_encoded(&encoded, reply->storage.data, reply->storage.size);
                json_key(w, "storage");
                json_put_string(w, text_failed(&encoded) ? NULL : text_string(&encoded));
        }
        if (reply->probed) {
                json_key(w, "speaks");
                json_open_array(w);
                json_put_string(w, "proof");
                if (reply->lanes)
                        json_put_string(w, "lanes");
                json_close_array(w);
        }
        json_close_object(w);
}

int reply_write(const Reply *reply, Text *json) {
        _cleanup_(json_writer_freep) JsonWriter *w = json_writer_new(false);

        json_open_object(w);
        json_key(w, "result");
        json_put_bytes(w, text_string(&reply->result), reply->result.size);
        if (reply->present)
                write_extension(reply, w);
        json_close_object(w);
        return json_writer_finish(w, json) < 0 ? -ENOMEM : 0;
}

static int parse_string(const Json *object, const char *name, char **ret) {
        const Json *value = json_member(object, name);
        size_t size;

        if (!value || json_type(value) == JSON_NULL)
                return 0;
        const char *string = json_string(value, &size);
        if (!string || memchr(string, 0, size) || size > 256)
                return -EBADMSG;
        *ret = bytes_dup(string, size);
        return *ret ? 0 : -ENOMEM;
}

static int parse_boolean(const Json *object, const char *name, bool *ret) {
        const Json *value = json_member(object, name);

        if (value && json_type(value) != JSON_BOOLEAN)
                return -EBADMSG;
        *ret = json_boolean(value);
        return 0;
}

/* One piece, [who, bytes], of a result of which size bytes from data on are left. -EBADMSG if it does not
 * fit: it ends beyond, or inside a character. */
static int parse_part(const Json *part, const char *data, size_t size, Parts *parts) {
        Who who = who_from_name(json_string(json_at(part, 0), NULL));
        int64_t n;

        if (json_type(part) != JSON_ARRAY || json_size(part) != 2 || who == WHO_UNKNOWN ||
                json_integer(json_at(part, 1), &n) < 0 || n < 0 || (uint64_t)n > size)
                return -EBADMSG;
        if ((size_t)n < size && ((unsigned char)data[n] & 0xc0) == 0x80)
                return -EBADMSG;
        parts_add(parts, who, (size_t)n);
        return parts_error(parts);
}

/* What does not fit tells nothing, and is no reason to refuse the result. */
static int parse_parts(const Json *array, Reply *reply) {
        _cleanup_parts_ Parts parts = {};
        const char *result = text_string(&reply->result);
        size_t size = reply->result.size;
        int r = json_type(array) != JSON_ARRAY || json_size(array) > PARTS_MAX ? -EBADMSG : 0;

        for (size_t i = 0; r >= 0 && i < json_size(array); i++)
                r = parse_part(json_at(array, i), result + parts.size, size - parts.size, &parts);
        if (r == -ENOMEM)
                return r;
        reply->parts_ignored = r < 0 || parts.size != size;
        if (!reply->parts_ignored)
                parts_move(&reply->parts, &parts);
        return 0;
}

static int parse_extension(const Json *object, Reply *reply) {
        int64_t n;

        if (!object)
                return 0;
        if (json_type(object) != JSON_OBJECT)
                return -EBADMSG;
        reply->present = true;

        const Json *status = json_member(object, "exit_status");
        if (status && json_type(status) != JSON_NULL) {
                if (json_integer(status, &n) < 0 || n < 0 || n > 255)
                        return -EBADMSG;
                reply->exited = true;
                reply->exit_status = (int)n;
        }

        int r = parse_string(object, "id", &reply->id);
        if (r >= 0)
                r = parse_string(object, "signal", &reply->signal);
        if (r >= 0)
                r = parse_boolean(object, "timed_out", &reply->timed_out);
        if (r >= 0)
                r = parse_boolean(object, "oom", &reply->oom);
        if (r < 0)
                return r;

        for (size_t i = 0; i < ELEMENTSOF(counts); i++) {
                const Json *value = json_member(object, counts[i].name);
                if (!value)
                        continue;
                if (json_integer(value, &n) < 0 || n < 0)
                        return -EBADMSG;
                *count_at(reply, i) = (uint64_t)n;
        }

        const Json *parts = json_member(object, "parts");
        r = parts ? parse_parts(parts, reply) : 0;
        if (r < 0)
                return r;

        const Json *storage = json_member(object, "storage");
        if (storage && json_type(storage) != JSON_NULL) {
                size_t size;
                const char *encoded = json_string(storage, &size);
                if (!encoded)
                        return -EBADMSG;
                r = base64_append_decoded(&reply->storage, encoded, size);
                if (r < 0)
                        return r;
                reply->have_storage = true;
        }
        return 0;
}

/* One object's result and a newline; a missing or null result is empty. */
static int add_object(Reply *reply, const char *data, size_t size, bool first) {
        _cleanup_text_ Text escaped = {};
        _cleanup_json_ Json *object = NULL;

        utf8_append_escaped(&escaped, data, size);
        if (text_failed(&escaped))
                return -ENOMEM;
        int r = json_parse(text_string(&escaped), escaped.size, JSON_LIMITS_WIRE, &object, NULL);
        if (r < 0)
                return r == -ENOMEM ? r : -EBADMSG;
        if (json_type(object) != JSON_OBJECT)
                return -EBADMSG;

        const Json *result = json_member(object, "result");
        size_t n;
        const char *string = json_string(result, &n);
        if (string)
                text_append(&reply->result, string, n);
        else if (result && json_type(result) == JSON_NUMBER)
                json_append_number(result, &reply->result);
        else if (result && json_type(result) == JSON_BOOLEAN)
                text_append_char(&reply->result, json_boolean(result) ? '1' : '0');
        else if (result && json_type(result) != JSON_NULL)
                return -EBADMSG;
        r = text_failed(&reply->result) ? -ENOMEM : 0;
        if (r >= 0 && first)
                r = parse_extension(json_member(object, "pbotvm"), reply);
        text_append_char(&reply->result, '\n');
        return r;
}

int reply_parse(const ReplyReader *reader, Reply *ret) {
        _cleanup_reply_ Reply reply = {};

        if (!reader->have_object)
                return -EBADMSG;
        int r = add_object(&reply, text_string(&reader->object), reader->object.size, true);

        const char *p = text_string(&reader->rest), *end = p + reader->rest.size;
        while (r >= 0 && p < end) {
                const char *newline = memchr(p, '\n', (size_t)(end - p));
                size_t n = (size_t)(newline - p);

                if (n >= strlen("result:") && memcmp(p, "result:", strlen("result:")) == 0)
                        r = add_object(&reply, p + strlen("result:"), n - strlen("result:"), false);
                else
                        utf8_append_escaped(&reply.result, p, n + 1);
                p = newline + 1;
        }
        if (reply.parts.n > 0)
                parts_extend(&reply.parts, WHO_AGENT, reply.result.size);
        if (r >= 0)
                r = text_failed(&reply.result) ? -ENOMEM : parts_error(&reply.parts);
        if (r < 0)
                return r;

        *ret = reply;
        reply = (Reply){};
        return 0;
}
