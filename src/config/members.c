/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "config/members.h"

#include <inttypes.h>
#include <math.h>

#include "common/log.h"
#include "config/uri.h"

#define AT(member) offsetof(Config, member)
#define OF(member) offsetof(MachineConfig, member)
#define IN(member) offsetof(ListenerConfig, member)
#define PORT .min = 0, .max = UINT16_MAX, .expected = "a port number, 0 (none) to 65535"
#define EMPTY_MEANS_NULL .nullable = true

/* A revert may take half of it; with less the guest would be reverted again and again and serve nobody. */
#define MAX_AGE_MIN (60 * USEC_PER_SEC)

static const Member history_members[] = {
        { "file-bytes", MEMBER_BYTES, AT(history_file_bytes), "a number of bytes from 4096 to 67108864",
                4096, HISTORY_FILE_BYTES_MAX },
        { "total-bytes", MEMBER_BYTES, AT(history_total_bytes), "a number of bytes, at least 4096", 4096,
                INT64_MAX },
        {},
};

static const Member storage_members[] = {
        { "key-bytes", MEMBER_BYTES, AT(storage_key_bytes), "a number of bytes from 0 to 4194304", 0,
                4 << 20 },
        { "total-bytes", MEMBER_BYTES, AT(storage_total_bytes), "a number of bytes", 0, INT64_MAX },
        {},
};

static const Member nick_reverts_members[] = {
        { "count", MEMBER_BYTES, AT(nick_reverts.count), "a number from 0 (any) to 32", 0,
                NICK_REVERTS_MAX },
        { "seconds", MEMBER_SECONDS, AT(nick_reverts.usec), "a number of seconds from 1 to 86400",
                USEC_PER_SEC, 86400 * USEC_PER_SEC },
        {},
};

const Member config_members[] = {
        { "machines", MEMBER_ELSEWHERE },
        { "aliases", MEMBER_ELSEWHERE },
        { "listeners", MEMBER_ELSEWHERE },
        { "default-machine", MEMBER_STRING, AT(default_machine), "the name of a machine or an alias" },
        { "default-language", MEMBER_STRING, AT(default_language), "the name of a language" },
        { "wait", MEMBER_SECONDS, AT(wait_usec), "a number of seconds from 0 to 300", 0,
                300 * USEC_PER_SEC },
        { "queue", MEMBER_BYTES, AT(queue_max), "a number from 0 to 10000", 0, 10000 },
        { "reverts-per-nick", MEMBER_GROUP, .group = nick_reverts_members, .expected = "an object" },
        { "fortune", MEMBER_PATH, AT(fortune_file), "the absolute path of a file, or null",
                EMPTY_MEANS_NULL },
        { "paste", MEMBER_STRING, AT(paste_url), "a URL, or null", EMPTY_MEANS_NULL },
        { "show-usage", MEMBER_BOOLEAN, AT(show_usage), "true or false" },
        { "history", MEMBER_GROUP, .group = history_members, .expected = "an object" },
        { "storage", MEMBER_GROUP, .group = storage_members, .expected = "an object" },
        {},
};

const Member machine_members[] = {
        /* PBot's. heart and health are one: the port of the heartbeat in its versions of 2023 and 2026. */
        { "addr", MEMBER_STRING, OF(addr), "a host name or address" },
        { "serial", MEMBER_PORT, OF(serial_port), PORT, EMPTY_MEANS_NULL },
        { "heart", MEMBER_PORT, OF(heart_port), PORT, EMPTY_MEANS_NULL },
        { "health", MEMBER_PORT, OF(heart_port), PORT, EMPTY_MEANS_NULL },
        { "cid", MEMBER_UINT32, OF(cid), "a vsock context id, 0 (none) to 4294967294", 0, UINT32_MAX - 1,
                EMPTY_MEANS_NULL },
        { "vport", MEMBER_UINT32, OF(vport), "a vsock port, 1 to 4294967294", 1, UINT32_MAX - 1 },
        { "vagrant", MEMBER_IGNORED },
        /* Ours. */
        { "backend", MEMBER_WORD, OF(backend), "\"libvirt\" or \"qemu\"",
                .from_string = backend_kind_from_string },
        { "uri", MEMBER_URI, OF(uri),
                "a libvirt connection URI, such as \"qemu:///system\" or \"qemu+tls://HOST/system\"" },
        { "domain", MEMBER_STRING, OF(domain), "the name of a libvirt domain, or null", EMPTY_MEANS_NULL },
        { "snapshot", MEMBER_STRING, OF(snapshot), "the name of a snapshot" },
        { "guest", MEMBER_WORD, OF(guest), "\"pbotvm\", \"pbot-2023\", \"pbot-2026\", or null (found out)",
                EMPTY_MEANS_NULL, .from_string = guest_kind_from_string },
        { "transport", MEMBER_WORD, OF(transport),
                "\"auto\", \"vsock\", \"channel\", \"serial\" or \"stream\"",
                .from_string = transport_kind_from_string },
        { "policy", MEMBER_WORD, OF(policy), "\"on-failure\", \"always\", \"on-hang\" or \"never\"",
                .from_string = revert_policy_from_string },
        { "stale-snapshot", MEMBER_WORD, OF(stale_snapshot), "\"renew\", \"try\" or \"keep\"",
                .from_string = stale_policy_from_string },
        { "channel", MEMBER_PATH, OF(channel_data), "the absolute path of a socket, or null",
                EMPTY_MEANS_NULL },
        { "channel-heart", MEMBER_PATH, OF(channel_heart), "the absolute path of a socket, or null",
                EMPTY_MEANS_NULL },
        { "secret", MEMBER_PATH, OF(secret), "the absolute path of a file, or null", EMPTY_MEANS_NULL },
        { "slots", MEMBER_COUNT, OF(slots), "a number from 0 (by the kind of guest) to 64", 0, 64 },
        { "timeout", MEMBER_SECONDS, OF(timeout_usec), "a number of seconds from 1 to 600", USEC_PER_SEC,
                600 * USEC_PER_SEC },
        { "heartbeat", MEMBER_SECONDS, OF(heartbeat_lost_usec),
                "a number of seconds from 0 (by the kind of guest) to 600", 0, 600 * USEC_PER_SEC },
        { "max-age", MEMBER_SECONDS, OF(max_age_usec),
                "a number of seconds, at least 60, or 0 or null (any)", MAX_AGE_MIN, INT64_MAX / 2,
                EMPTY_MEANS_NULL, .zero = true },
        { "max-requests", MEMBER_BYTES, OF(max_requests), "a number, or 0 or null (any)", 0, INT64_MAX,
                EMPTY_MEANS_NULL },
        { "spares", MEMBER_COUNT, OF(spares), "a number from 0 to 8", 0, MACHINE_SPARES_MAX },
        { "spare-state", MEMBER_WORD, OF(spare_state), "\"stopped\" or \"running\"",
                .from_string = spare_state_from_string },
        { "limits", MEMBER_LIMITS, OF(limits), "an object" },
        {},
};

const Member listener_members[] = {
        { "machine", MEMBER_STRING, IN(machine), "the name of a machine or an alias" },
        { "fixed", MEMBER_BOOLEAN, IN(fixed), "true or false" },
        { "mode", MEMBER_MODE, IN(mode), "a file mode in octal digits, as in \"0660\"" },
        { "group", MEMBER_STRING, IN(group), "the name of a group" },
        {},
};

void config_mistake(ConfigReader *reader, const Json *where, const char *member, const char *format, ...) {
        va_list ap;

        reader->n_errors++;
        if (!reader->errors)
                return;
        va_start(ap, format);
        json_append_mistake(reader->errors, reader->file, where, member, format, ap);
        va_end(ap);
}

void config_set_string(ConfigReader *reader, char **to, const char *string) {
        char *copy = strdup(string);
        if (!copy) {
                reader->out_of_memory = true;
                return;
        }
        free(*to);
        *to = copy;
}

/* "a string, "abc"", "a number, 70000", "an array": what stood there, for the message. */
static void append_found(Text *text, const Json *value) {
        text_append_string(text, json_type_name(json_type(value)));
        if (json_type(value) == JSON_STRING)
                text_append_printf(text, ", \"%.60s\"", json_string(value, NULL));
        else if (json_type(value) == JSON_NUMBER)
                text_append_printf(text, ", %.60s", json_number_text(value));
}

static void mistake_expected(
        ConfigReader *reader, const Json *value, const char *name, const char *expected) {
        _cleanup_text_ Text found = {};

        append_found(&found, value);
        config_mistake(reader, value, name, "expected %s, found %s", expected, text_string(&found));
}

/* A string without NUL bytes and not empty, or a number as written; NULL else. */
static const char *string_value(const Json *value) {
        size_t size;
        const char *s = json_string(value, &size);

        if (s)
                return size > 0 && strlen(s) == size ? s : NULL;
        return json_number_text(value);
}

/* An integer, also one in a string, as Perl would take it. */
static int integer_value(const Json *value, int64_t *ret) {
        size_t size;
        const char *s = json_string(value, &size);
        char *end;

        if (!s)
                return json_integer(value, ret);
        if (size == 0 || size > 18 || strspn(s, "0123456789") != size)
                return -EINVAL;
        *ret = strtoll(s, &end, 10);
        return 0;
}

static bool is_in_range(const Member *member, uint64_t n) {
        return (n >= member->min && n <= member->max) || (member->zero && n == 0);
}

static bool integer_in_range(const Json *value, const Member *member, uint64_t *ret) {
        int64_t n;

        if (integer_value(value, &n) < 0 || n < 0)
                return false;
        *ret = (uint64_t)n;
        return is_in_range(member, *ret);
}

static bool seconds_in_range(const Json *value, const Member *member, uint64_t *ret) {
        double seconds;

        if (json_real(value, &seconds) < 0 || !isfinite(seconds) || seconds < 0 || seconds > 1e9)
                return false;
        *ret = (uint64_t)(seconds * 1e6 + 0.5);
        return is_in_range(member, *ret);
}

static void limits_read(ConfigReader *reader, const Json *object, const char *name, JobLimits *limits) {
        for (size_t i = 0; i < json_size(object); i++) {
                const Json *value = json_at(object, i);
                _cleanup_text_ Text path = {};
                const JobLimitField *field = NULL;
                int64_t n;

                text_append_printf(&path, "%s.%s", name, json_name_at(object, i));
                for (size_t k = 0; k < ELEMENTSOF(job_limit_fields); k++)
                        if (streq(job_limit_fields[k].name, json_name_at(object, i)))
                                field = &job_limit_fields[k];
                if (!field)
                        config_mistake(reader, value, text_string(&path),
                                "unknown limit, expected wall_usec, cpu_usec, process_cpu_usec, "
                                "memory_bytes, processes, file_bytes, output_bytes or disk_bytes");
                else if (json_integer(value, &n) < 0 || n <= 0)
                        mistake_expected(reader, value, text_string(&path), "a positive integer");
                else
                        *(uint64_t *)((char *)limits + field->offset) = (uint64_t)n;
        }
}

static bool text_read(ConfigReader *reader, const Member *member, const Json *value, char **to) {
        const char *s = string_value(value);
        LibvirtUri uri;

        if (!s || (member->kind == MEMBER_PATH && s[0] != '/') ||
                (member->kind == MEMBER_URI && libvirt_uri_parse(s, &uri) < 0))
                return false;
        config_set_string(reader, to, s);
        return true;
}

static bool number_read(const Member *member, const Json *value, void *to) {
        uint64_t n;

        if (member->kind == MEMBER_SECONDS ? !seconds_in_range(value, member, &n)
                                           : !integer_in_range(value, member, &n))
                return false;
        if (member->kind == MEMBER_PORT)
                *(uint16_t *)to = (uint16_t)n;
        else if (member->kind == MEMBER_UINT32)
                *(uint32_t *)to = (uint32_t)n;
        else if (member->kind == MEMBER_COUNT)
                *(unsigned *)to = (unsigned)n;
        else
                *(uint64_t *)to = n;
        return true;
}

static bool mode_read(const Json *value, unsigned *to) {
        size_t size;
        const char *s = json_string(value, &size);

        if (!s || size < 3 || size > 4 || strspn(s, "01234567") != size)
                return false;
        *to = (unsigned)strtoul(s, NULL, 8);
        return *to <= 0777;
}

static bool word_read(const Member *member, const Json *value, int *to) {
        const char *s = json_string(value, NULL);
        int word = s ? member->from_string(s) : -EINVAL;

        if (word < 0)
                return false;
        *to = word;
        return true;
}

/* What null means: no string, no number, an enumeration's first value. */
static void member_unset(const Member *member, void *to) {
        switch (member->kind) {
        case MEMBER_STRING:
        case MEMBER_PATH:
        case MEMBER_URI:
                free(*(char **)to);
                *(char **)to = NULL;
                break;
        case MEMBER_PORT:
                *(uint16_t *)to = 0;
                break;
        case MEMBER_UINT32:
                *(uint32_t *)to = 0;
                break;
        case MEMBER_BYTES:
        case MEMBER_SECONDS:
                *(uint64_t *)to = 0;
                break;
        default:
                *(int *)to = 0;
        }
}

static bool member_read(
        ConfigReader *reader, const Json *value, const char *name, const Member *member, void *target) {
        void *to = (char *)target + member->offset;

        if (member->nullable && json_type(value) == JSON_NULL) {
                member_unset(member, to);
                return true;
        }

        switch (member->kind) {
        case MEMBER_STRING:
        case MEMBER_PATH:
        case MEMBER_URI:
                return text_read(reader, member, value, to);
        case MEMBER_WORD:
                return word_read(member, value, to);
        case MEMBER_BOOLEAN:
                *(bool *)to = json_boolean(value);
                return json_type(value) == JSON_BOOLEAN;
        case MEMBER_MODE:
                return mode_read(value, to);
        case MEMBER_LIMITS:
                if (json_type(value) != JSON_OBJECT)
                        return false;
                limits_read(reader, value, name, to);
                return true;
        case MEMBER_GROUP:
                if (json_type(value) != JSON_OBJECT)
                        return false;
                members_read(reader, value, name, member->group, target, NULL);
                return true;
        case MEMBER_IGNORED:
                log_debug(
                        "%s:%u: %s: ignored, it has no meaning here.", reader->file, json_line(value), name);
                return true;
        case MEMBER_ELSEWHERE:
                return true;
        default:
                return number_read(member, value, to);
        }
}

static void mistake_unknown(
        ConfigReader *reader, const Json *value, const char *name, const Member *members) {
        _cleanup_text_ Text known = {};

        for (const Member *m = members; m->name; m++)
                text_append_printf(&known, "%s%s", m == members ? "" : m[1].name ? ", " : " or ", m->name);
        config_mistake(reader, value, name, "unknown member, expected %s", text_string(&known));
}

/* The line of an earlier member of the same name, or 0. */
static unsigned earlier_line(const Json *object, size_t i) {
        for (size_t k = 0; k < i; k++)
                if (streq(json_name_at(object, k), json_name_at(object, i)))
                        return json_line(json_at(object, k));
        return 0;
}

void members_read(ConfigReader *reader, const Json *object, const char *name, const Member *members,
        void *target, bool *given) {
        for (size_t i = 0; i < json_size(object); i++) {
                const Json *value = json_at(object, i);
                const char *key = json_name_at(object, i);
                const Member *member = members;
                _cleanup_text_ Text path = {};
                unsigned earlier = earlier_line(object, i);

                text_append_printf(&path, "%s%s%s", name, isempty(name) ? "" : ".", key);
                while (member->name && !streq(member->name, key))
                        member++;

                if (!member->name)
                        mistake_unknown(reader, value, text_string(&path), members);
                else if (earlier > 0)
                        config_mistake(reader, value, text_string(&path),
                                "expected one such member, there is one in line %u already", earlier);
                else if (!member_read(reader, value, text_string(&path), member, target))
                        mistake_expected(reader, value, text_string(&path), member->expected);
                else if (given)
                        given[member - members] = true;
        }
}
