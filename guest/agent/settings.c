/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "settings.h"

#include <fcntl.h>
#include <inttypes.h>

#include "common/io.h"
#include "job-limits.h"
#include "guest-paths.h"

#define FILE_MAX ((size_t)64 << 10)
#define LIST_MAX 16

/* More at once would only share out the same CPUs and memory. */
#define SLOTS_MAX 64
#define OUTPUT_MAX ((uint64_t)1 << 20)

static void list_done(NameList *list) {
        for (size_t i = 0; i < list->n; i++)
                free(list->names[i]);
        free(list->names);
        *list = (NameList){};
}

static int list_add(NameList *list, const char *name, size_t size) {
        if (list->n >= LIST_MAX)
                return -E2BIG;
        char **names = reallocarray(list->names, list->n + 1, sizeof(char *));
        if (!names)
                return -ENOMEM;
        list->names = names;
        names[list->n] = bytes_dup(name, size);
        if (!names[list->n])
                return -ENOMEM;
        list->n++;
        return 0;
}

/* Replaces the list by the names in text, which commas or blanks part. */
static int list_split(NameList *list, const char *text) {
        list_done(list);
        for (;;) {
                text += strspn(text, ", ");
                size_t n = strcspn(text, ", ");
                if (n == 0)
                        return 0;
                int r = list_add(list, text, n);
                if (r < 0)
                        return r;
                text += n;
        }
}

void settings_done(Settings *settings) {
        free(settings->user);
        free(settings->storage);
        list_done(&settings->data);
        list_done(&settings->heartbeat);
        list_done(&settings->listen);
        list_done(&settings->listen_heart);
        *settings = SETTINGS_INIT;
}

static int settings_default(Settings *settings) {
        settings->vsock_port = 5555;
        settings->slots = 4;
        settings->storage_bytes = (uint64_t)1 << 20;
        settings->limits = limits_default(limits_total_memory());
        settings->user = strdup("vm");
        if (!settings->user)
                return -ENOMEM;
        /* The indexes of the seed's add-serials: what its text calls ttyS1 and ttyS2 must be set. */
        int r = list_split(&settings->data, "org.pbot.vm.0 /dev/ttyS2");
        return r < 0 ? r : list_split(&settings->heartbeat, "org.pbot.vm.heartbeat /dev/ttyS3");
}

typedef struct Parser {
        const char *path;
        const char *member;
        Settings *settings;
        Text *error;
} Parser;

static int wrong(const Parser *p, const Json *value, const char *expected) {
        text_append_printf(p->error, "%s:%u: member %s is %s, expected %s.", p->path, json_line(value),
                p->member, json_type_name(json_type(value)), expected);
        return -EBADMSG;
}

static int out_of_range(const Parser *p, const Json *value, uint64_t min, uint64_t max) {
        text_append_printf(p->error,
                "%s:%u: member %s is %s, expected a number from %" PRIu64 " to %" PRIu64 ".", p->path,
                json_line(value), p->member, json_number_text(value), min, max);
        return -EBADMSG;
}

static int parse_number(const Parser *p, const Json *value, uint64_t min, uint64_t max, uint64_t *ret) {
        int64_t n;

        if (json_type(value) != JSON_NUMBER)
                return wrong(p, value, "a number");
        if (json_integer(value, &n) < 0 || n < 0 || (uint64_t)n < min || (uint64_t)n > max)
                return out_of_range(p, value, min, max);
        *ret = (uint64_t)n;
        return 0;
}

static int parse_string(const Parser *p, const Json *value, bool null_allowed, char **ret) {
        const char *string = json_string(value, NULL);

        if (null_allowed && json_type(value) == JSON_NULL) {
                free(TAKE_PTR(*ret));
                return 0;
        }
        if (isempty(string))
                return wrong(p, value, null_allowed ? "a string or null" : "a string that is not empty");
        char *copy = strdup(string);
        if (!copy)
                return -ENOMEM;
        free(*ret);
        *ret = copy;
        return 0;
}

static int parse_list(const Parser *p, const Json *value, NameList *list) {
        if (json_type(value) != JSON_ARRAY || json_size(value) > LIST_MAX)
                return wrong(p, value, "an array of at most 16 strings");
        list_done(list);
        for (size_t i = 0; i < json_size(value); i++) {
                size_t size;
                const char *string = json_string(json_at(value, i), &size);
                if (isempty(string))
                        return wrong(p, json_at(value, i), "a string that is not empty");
                int r = list_add(list, string, size);
                if (r < 0)
                        return r;
        }
        return 0;
}

static int member_user(const Parser *p, const Json *value) {
        return parse_string(p, value, false, &p->settings->user);
}

static int member_data(const Parser *p, const Json *value) {
        return parse_list(p, value, &p->settings->data);
}

static int member_heartbeat(const Parser *p, const Json *value) {
        return parse_list(p, value, &p->settings->heartbeat);
}

static int member_vsock_port(const Parser *p, const Json *value) {
        uint64_t n = 0;
        int r = parse_number(p, value, 0, UINT32_MAX - 1, &n);

        p->settings->vsock_port = (uint32_t)n;
        return r;
}

static int member_vsock_host_only(const Parser *p, const Json *value) {
        if (json_type(value) != JSON_BOOLEAN)
                return wrong(p, value, "true or false");
        p->settings->vsock_host_only = json_boolean(value);
        return 0;
}

static int member_vsock_proof(const Parser *p, const Json *value) {
        if (json_type(value) != JSON_BOOLEAN && json_type(value) != JSON_NULL)
                return wrong(p, value, "true, false or null");
        p->settings->vsock_proof_named = json_type(value) == JSON_BOOLEAN;
        p->settings->vsock_proof = json_boolean(value);
        return 0;
}

static int member_slots(const Parser *p, const Json *value) {
        uint64_t n = 0;
        int r = parse_number(p, value, 1, SLOTS_MAX, &n);

        p->settings->slots = (unsigned)n;
        return r;
}

static int member_storage(const Parser *p, const Json *value) {
        return parse_string(p, value, true, &p->settings->storage);
}

static int member_storage_bytes(const Parser *p, const Json *value) {
        return parse_number(p, value, 0, (uint64_t)4 << 20, &p->settings->storage_bytes);
}

static int member_limits(const Parser *p, const Json *value) {
        if (json_type(value) != JSON_OBJECT)
                return wrong(p, value, "an object");

        for (size_t i = 0; i < json_size(value); i++) {
                const JobLimitField *field = NULL;
                Parser inner = *p;
                inner.member = json_name_at(value, i);
                for (size_t j = 0; j < ELEMENTSOF(job_limit_fields); j++)
                        if (streq(job_limit_fields[j].name, inner.member))
                                field = &job_limit_fields[j];
                if (!field) {
                        text_append_printf(p->error, "%s:%u: there is no limit %s.", p->path,
                                json_line(json_at(value, i)), inner.member);
                        return -EBADMSG;
                }
                /* What a program prints has to fit into a frame, where JSON writes a byte as six at worst.
                 */
                bool output = streq(field->name, "output_bytes");
                int r = parse_number(&inner, json_at(value, i), 1, output ? OUTPUT_MAX : INT64_MAX,
                        (uint64_t *)((char *)&p->settings->limits + field->offset));
                if (r < 0)
                        return r;
        }
        return 0;
}

static const struct {
        const char *name;
        int (*parse)(const Parser *p, const Json *value);
} members[] = {
        { "user", member_user },
        { "data", member_data },
        { "heartbeat", member_heartbeat },
        { "vsock-port", member_vsock_port },
        { "vsock-host-only", member_vsock_host_only },
        { "vsock-proof", member_vsock_proof },
        { "slots", member_slots },
        { "storage", member_storage },
        { "storage-bytes", member_storage_bytes },
        { "limits", member_limits },
};

static int parse_member(Parser *p, const char *name, const Json *value) {
        p->member = name;
        for (size_t i = 0; i < ELEMENTSOF(members); i++)
                if (streq(members[i].name, name))
                        return members[i].parse(p, value);

        text_append_printf(p->error, "%s:%u: there is no setting %s.", p->path, json_line(value), name);
        return -EBADMSG;
}

int settings_parse(const char *path, const char *data, size_t size, Settings *settings, Text *error) {
        _cleanup_json_ Json *object = NULL;
        JsonError where = {};
        Parser p = { .path = path, .settings = settings, .error = error };

        int r = json_parse(data, size, JSON_LIMITS_FILE, &object, &where);
        if (r == -ENOMEM)
                return r;
        if (r < 0) {
                text_append_printf(error, "%s:%u: %s.", path, where.line, where.message);
                return -EBADMSG;
        }
        if (json_type(object) != JSON_OBJECT) {
                text_append_printf(
                        error, "%s:1: %s, expected an object.", path, json_type_name(json_type(object)));
                return -EBADMSG;
        }
        for (size_t i = 0; i < json_size(object); i++) {
                r = parse_member(&p, json_name_at(object, i), json_at(object, i));
                if (r < 0)
                        return r;
        }
        return 0;
}

static int load_file(Settings *settings, Text *error) {
        const char *path = getenv("PBOTVM_GUEST_CONFIG");
        _cleanup_text_ Text text = {};

        if (isempty(path))
                path = PBOTVM_GUEST_CONFIG_FILE;
        int r = io_read_file(AT_FDCWD, path, FILE_MAX, &text);
        if (r == -ENOENT)
                return 0;
        if (r < 0) {
                text_append_printf(error, "%s: %s.", path, strerror(-r));
                return -EBADMSG;
        }
        return settings_parse(path, text_string(&text), text.size, settings, error);
}

static int environment_string(const char *name, char **ret) {
        const char *value = getenv(name);

        if (isempty(value))
                return 0;
        char *copy = strdup(value);
        if (!copy)
                return -ENOMEM;
        free(*ret);
        *ret = copy;
        return 0;
}

static int environment_list(const char *name, NameList *list) {
        const char *value = getenv(name);

        /* Set and empty: none. */
        return value ? list_split(list, value) : 0;
}

static int environment_port(Settings *settings, Text *error) {
        const char *value = getenv("PBOTVM_GUEST_VSOCK_PORT");
        char *end;

        if (isempty(value))
                return 0;
        errno = 0;
        unsigned long port = strtoul(value, &end, 10);
        if (errno != 0 || *end || *value == '-' || port >= UINT32_MAX) {
                text_append_printf(error, "PBOTVM_GUEST_VSOCK_PORT is %s, expected a port number.", value);
                return -EBADMSG;
        }
        settings->vsock_port = (uint32_t)port;
        return 0;
}

static int load_environment(Settings *settings, Text *error) {
        int r = environment_string("PBOTVM_GUEST_USER", &settings->user);
        if (r >= 0)
                r = environment_string("PBOTVM_GUEST_STORAGE", &settings->storage);
        if (r >= 0)
                r = environment_list("PBOTVM_GUEST_DATA", &settings->data);
        if (r >= 0)
                r = environment_list("PBOTVM_GUEST_HEARTBEAT", &settings->heartbeat);
        if (r >= 0)
                r = environment_list("PBOTVM_GUEST_LISTEN", &settings->listen);
        if (r >= 0)
                r = environment_list("PBOTVM_GUEST_LISTEN_HEARTBEAT", &settings->listen_heart);
        return r < 0 ? r : environment_port(settings, error);
}

int settings_load(Settings *ret, Text *error) {
        _cleanup_settings_ Settings settings = SETTINGS_INIT;

        int r = settings_default(&settings);
        if (r >= 0)
                r = load_file(&settings, error);
        if (r >= 0)
                r = load_environment(&settings, error);
        if (r < 0)
                return r;

        *ret = settings;
        settings = SETTINGS_INIT;
        return 0;
}
