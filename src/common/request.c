/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "common/request.h"

#include "common/base64.h"

const JobLimitField job_limit_fields[8] = {
        { "wall_usec", offsetof(JobLimits, wall_usec) },
        { "cpu_usec", offsetof(JobLimits, cpu_usec) },
        { "process_cpu_usec", offsetof(JobLimits, process_cpu_usec) },
        { "memory_bytes", offsetof(JobLimits, memory_bytes) },
        { "processes", offsetof(JobLimits, processes) },
        { "file_bytes", offsetof(JobLimits, file_bytes) },
        { "output_bytes", offsetof(JobLimits, output_bytes) },
        { "disk_bytes", offsetof(JobLimits, disk_bytes) },
};

/* PBot's members that are plain strings: where they are kept, and whether an absent one becomes "". */
static const struct {
        const char *name;
        size_t offset;
        bool required;
} string_members[] = {
        { "lang", offsetof(Request, lang), true },
        { "sourcefile", offsetof(Request, sourcefile), true },
        { "execfile", offsetof(Request, execfile), true },
        { "cmdline", offsetof(Request, cmdline), true },
        { "arguments", offsetof(Request, arguments), true },
        { "factoid", offsetof(Request, factoid), false },
        { "persist-key", offsetof(Request, persist_key), false },
};

static uint64_t *limit_at(JobLimits *limits, size_t i) {
        return (uint64_t *)((char *)limits + job_limit_fields[i].offset);
}

static char **string_at(Request *request, size_t i) {
        return (char **)((char *)request + string_members[i].offset);
}

void job_limits_lower(JobLimits *limits, const JobLimits *lower) {
        JobLimits other = *lower;

        for (size_t i = 0; i < ELEMENTSOF(job_limit_fields); i++)
                *limit_at(limits, i) = MIN(*limit_at(limits, i), *limit_at(&other, i));
}

void request_done(Request *request) {
        for (size_t i = 0; i < ELEMENTSOF(string_members); i++)
                free(*string_at(request, i));
        free(request->id);
        for (char **variable = request->environment; variable && *variable; variable++)
                free(*variable);
        free(request->environment);
        text_done(&request->input);
        text_done(&request->code);
        text_done(&request->storage);
        *request = REQUEST_INIT;
}

static void write_extension(const Request *request, JsonWriter *w) {
        JobLimits limits = request->limits;
        bool any = false;

        json_key(w, "pbotvm");
        json_open_object(w);
        if (request->id) {
                json_key(w, "id");
                json_put_string(w, request->id);
        }
        if (request->probe) {
                json_key(w, "probe");
                json_put_boolean(w, true);
        }
        if (request->generation > 0) {
                json_key(w, "generation");
                json_put_integer(w, (int64_t)MIN(request->generation, (uint64_t)INT64_MAX));
        }
        for (size_t i = 0; i < ELEMENTSOF(job_limit_fields); i++) {
                if (*limit_at(&limits, i) == LIMIT_UNSET)
                        continue;
                if (!any) {
                        json_key(w, "limits");
                        json_open_object(w);
                        any = true;
                }
                json_key(w, job_limit_fields[i].name);
                json_put_integer(w, (int64_t)MIN(*limit_at(&limits, i), (uint64_t)INT64_MAX));
        }
        if (any)
                json_close_object(w);
        if (request->have_entropy) {
                _cleanup_text_ Text encoded = {};
                base64_append_encoded(&encoded, request->entropy, sizeof(request->entropy));
                json_key(w, "entropy");
                json_put_string(w, text_string(&encoded));
        }
        if (request->have_secret) {
                _cleanup_text_ Text encoded = {};
                base64_append_encoded(&encoded, request->secret, sizeof(request->secret));
                json_key(w, "secret");
                json_put_string(w, text_string(&encoded));
        }
        if (request->have_storage) {
                _cleanup_text_ Text encoded = {};
                base64_append_encoded(&encoded, request->storage.data, request->storage.size);
                json_key(w, "storage");
                json_put_string(w, text_failed(&encoded) ? NULL : text_string(&encoded));
        }
        if (request->environment && *request->environment) {
                json_key(w, "environment");
                json_open_array(w);
                for (char **variable = request->environment; *variable; variable++)
                        json_put_string(w, *variable);
                json_close_array(w);
        }
        if (request->terminal) {
                json_key(w, "terminal");
                json_put_boolean(w, true);
        }
        json_close_object(w);
}

int request_write(const Request *request, bool indent, Text *json) {
        _cleanup_(json_writer_freep) JsonWriter *w = json_writer_new(indent);
        Request copy = *request;

        json_open_object(w);
        for (size_t i = 0; i < ELEMENTSOF(string_members); i++) {
                const char *value = *string_at(&copy, i);
                if (!value && !string_members[i].required)
                        continue;
                json_key(w, string_members[i].name);
                json_put_string(w, value ? value : "");
        }
        json_key(w, "input");
        if (request->input_null)
                json_put_null(w);
        else
                json_put_bytes(w, text_string(&request->input), request->input.size);
        json_key(w, "code");
        json_put_bytes(w, text_string(&request->code), request->code.size);
        json_key(w, "date");
        json_put_integer(w, request->date);
        if (request->present)
                write_extension(request, w);
        json_close_object(w);
        return json_writer_finish(w, json) < 0 ? -ENOMEM : 0;
}

static _printf_(2, 3) int refuse(Text *error, const char *format, ...) {
        va_list ap;

        va_start(ap, format);
        text_append_vprintf(error, format, ap);
        va_end(ap);
        return -EBADMSG;
}

/* The text of a scalar, as PBot's agents take it: null is empty, a number is as written. */
static int scalar_text(const Json *value, const char *name, Text *text, Text *error) {
        size_t size;
        const char *string = json_string(value, &size);

        if (string)
                text_append(text, string, size);
        else if (!value || json_type(value) == JSON_NULL)
                ;
        else if (json_type(value) == JSON_NUMBER)
                text_append_string(text, json_number_text(value));
        else if (json_type(value) == JSON_BOOLEAN)
                text_append_string(text, json_boolean(value) ? "1" : "0");
        else
                return refuse(error, "Bad request: member %s is %s, not a string.", name,
                        json_type_name(json_type(value)));
        return text_error(text);
}

static int parse_strings(const Json *object, Request *request, Text *error) {
        for (size_t i = 0; i < ELEMENTSOF(string_members); i++) {
                const char *name = string_members[i].name;
                const Json *value = json_member(object, name);
                _cleanup_text_ Text text = {};

                bool absent = !value || json_type(value) == JSON_NULL;
                if (absent && !string_members[i].required)
                        continue;
                int r = scalar_text(value, name, &text, error);
                if (r < 0)
                        return r;
                if (memchr(text_string(&text), 0, text.size))
                        return refuse(error, "Bad request: member %s has a NUL in it.", name);
                r = text_steal(&text, string_at(request, i), NULL);
                if (r < 0)
                        return r;
        }
        return 0;
}

static int parse_limits(const Json *object, JobLimits *limits, Text *error) {
        if (!object)
                return 0;
        if (json_type(object) != JSON_OBJECT)
                return refuse(error, "Bad request: member pbotvm.limits is %s, not an object.",
                        json_type_name(json_type(object)));

        for (size_t i = 0; i < ELEMENTSOF(job_limit_fields); i++) {
                const Json *value = json_member(object, job_limit_fields[i].name);
                int64_t n;

                if (!value)
                        continue;
                if (json_integer(value, &n) < 0 || n < 0)
                        return refuse(error, "Bad request: member pbotvm.limits.%s is not a natural number.",
                                job_limit_fields[i].name);
                *limit_at(limits, i) = (uint64_t)n;
        }
        return 0;
}

static int parse_base64(const Json *object, const char *name, Text *text, bool *ret_have, Text *error) {
        const Json *value = json_member(object, name);
        size_t size;

        if (!value)
                return 0;
        const char *encoded = json_string(value, &size);
        int r = encoded ? base64_append_decoded(text, encoded, size) : -EBADMSG;
        if (r == -EBADMSG)
                return refuse(error, "Bad request: member pbotvm.%s is not base64.", name);
        if (r < 0)
                return r;
        *ret_have = true;
        return 0;
}

static int parse_environment(const Json *array, char ***ret, Text *error) {
        if (!array)
                return 0;
        if (json_type(array) != JSON_ARRAY || json_size(array) > REQUEST_ENVIRONMENT_MAX)
                return refuse(error, "Bad request: member pbotvm.environment is not an array of at most %i.",
                        REQUEST_ENVIRONMENT_MAX);
        *ret = calloc(json_size(array) + 1, sizeof(**ret));
        if (!*ret)
                return -ENOMEM;
        for (size_t i = 0; i < json_size(array); i++) {
                size_t size;
                const char *string = json_string(json_at(array, i), &size);
                if (!string || strlen(string) != size || *string == '=' || !strchr(string, '='))
                        return refuse(
                                error, "Bad request: member pbotvm.environment[%zu] is no variable.", i);
                (*ret)[i] = strdup(string);
                if (!(*ret)[i])
                        return -ENOMEM;
        }
        return 0;
}

static int parse_bytes(
        const Json *object, const char *name, uint8_t *ret, size_t size, bool *ret_have, Text *error) {
        _cleanup_text_ Text bytes = {};

        int r = parse_base64(object, name, &bytes, ret_have, error);
        if (r < 0 || !*ret_have)
                return r;
        if (bytes.size != size)
                return refuse(error, "Bad request: member pbotvm.%s is not %zu bytes long.", name, size);
        memcpy(ret, bytes.data, size);
        return 0;
}

static int parse_extension(const Json *object, Request *request, Text *error) {
        if (!object)
                return 0;
        if (json_type(object) != JSON_OBJECT)
                return refuse(error, "Bad request: member pbotvm is %s, not an object.",
                        json_type_name(json_type(object)));
        request->present = true;

        const Json *id = json_member(object, "id");
        if (id) {
                size_t size;
                const char *string = json_string(id, &size);
                if (!string || size > REQUEST_ID_MAX || memchr(string, 0, size))
                        return refuse(error,
                                "Bad request: member pbotvm.id is not a string of at most %i bytes.",
                                REQUEST_ID_MAX);
                request->id = bytes_dup(string, size);
                if (!request->id)
                        return -ENOMEM;
        }
        request->probe = json_boolean(json_member(object, "probe"));

        const Json *generation = json_member(object, "generation");
        int64_t n;
        if (generation) {
                if (json_integer(generation, &n) < 0 || n < 0)
                        return refuse(
                                error, "Bad request: member pbotvm.generation is not a natural number.");
                request->generation = (uint64_t)n;
        }

        int r = parse_limits(json_member(object, "limits"), &request->limits, error);
        if (r >= 0)
                r = parse_environment(json_member(object, "environment"), &request->environment, error);
        if (r < 0)
                return r;
        request->terminal = json_boolean(json_member(object, "terminal"));

        r = parse_bytes(object, "entropy", request->entropy, sizeof(request->entropy),
                &request->have_entropy, error);
        if (r >= 0)
                r = parse_bytes(object, "secret", request->secret, sizeof(request->secret),
                        &request->have_secret, error);
        if (r < 0)
                return r;
        return parse_base64(object, "storage", &request->storage, &request->have_storage, error);
}

static int parse_members(const Json *object, Request *request, Text *error) {
        /* First the id: an answer that refuses the rest shall carry it. */
        int r = parse_extension(json_member(object, "pbotvm"), request, error);
        if (r < 0)
                return r;
        r = parse_strings(object, request, error);
        if (r < 0)
                return r;
        const Json *input = json_member(object, "input");
        request->input_null = !input || json_type(input) == JSON_NULL;
        r = scalar_text(input, "input", &request->input, error);
        if (r >= 0)
                r = scalar_text(json_member(object, "code"), "code", &request->code, error);
        if (r >= 0 && json_integer(json_member(object, "date"), &request->date) < 0)
                request->date = 0;
        return r;
}

int request_parse(const char *data, size_t size, Request *ret, Text *error) {
        _cleanup_request_ Request request = REQUEST_INIT;
        _cleanup_json_ Json *object = NULL;
        JsonError where = {};

        int r = json_parse(data, size, JSON_LIMITS_WIRE, &object, &where);
        if (r == -ENOMEM)
                return r;
        if (r < 0)
                return refuse(error, "Failed to decode JSON: %s.", where.message);
        if (json_type(object) != JSON_OBJECT && json_type(object) != JSON_NULL)
                return refuse(error, "Bad request: %s, not an object.", json_type_name(json_type(object)));

        r = parse_members(object, &request, error);
        if (r == -EBADMSG)
                ret->id = TAKE_PTR(request.id);
        if (r < 0)
                return r;

        *ret = request;
        request = REQUEST_INIT;
        return 0;
}

int request_probe(const char *nonce, const char *id, int64_t date, Request *ret) {
        _cleanup_request_ Request request = REQUEST_INIT;

        request.lang = strdup("sh");
        request.sourcefile = strdup("prog.sh");
        request.execfile = strdup("prog.sh");
        request.cmdline = strdup("sh prog.sh");
        request.arguments = strdup("");
        request.id = strdup(id);
        text_append_printf(&request.code, "echo %s", nonce);
        request.input_null = false;
        request.date = date;
        request.present = true;
        request.probe = true;
        if (!request.lang || !request.sourcefile || !request.execfile || !request.cmdline ||
                !request.arguments || !request.id || text_failed(&request.code))
                return -ENOMEM;

        *ret = request;
        request = REQUEST_INIT;
        return 0;
}
