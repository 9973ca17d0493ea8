/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The PBOTVM_ variables, as a table. */
#include "config/config-private.h"

#include <arpa/inet.h>

typedef enum VariableScope {
        SCOPE_CONFIG,
        SCOPE_DEFAULT_MACHINE,
        SCOPE_MACHINES, /* the default machine, and those that say nothing themselves */
} VariableScope;

typedef struct Variable {
        const char *name;
        VariableScope scope;
        MemberKind kind; /* of those that numbers and strings use */
        size_t offset;
        uint64_t min, max;
        const char *expected;
} Variable;

#define AT(member) offsetof(Config, member)
#define OF(member) offsetof(MachineConfig, member)
#define PORT_OR_NONE 0, UINT16_MAX, "a port number, 0 (none) to 65535"
#define PORT_TO_LISTEN 1, UINT16_MAX, "a port number, 1 to 65535"

/* Of two names of one thing the newer one stands last, and wins. */
static const Variable variables[] = {
        { "PBOTVM_SERVER", SCOPE_CONFIG, MEMBER_PORT, AT(listen_port), PORT_TO_LISTEN },
        { "PBOTVM_PORT", SCOPE_CONFIG, MEMBER_PORT, AT(listen_port), PORT_TO_LISTEN },
        { "PBOTVM_ADDR", SCOPE_CONFIG, MEMBER_STRING, AT(listen_address), 0, 0,
                "a numeric address or localhost" },
        { "PBOTVM_DOMAIN", SCOPE_DEFAULT_MACHINE, MEMBER_STRING, OF(domain), 0, 0, "a domain's name" },
        { "PBOTVM_SERIAL", SCOPE_DEFAULT_MACHINE, MEMBER_PORT, OF(serial_port), PORT_OR_NONE },
        { "PBOTVM_HEART", SCOPE_DEFAULT_MACHINE, MEMBER_PORT, OF(heart_port), PORT_OR_NONE },
        { "PBOTVM_HEALTH", SCOPE_DEFAULT_MACHINE, MEMBER_PORT, OF(heart_port), PORT_OR_NONE },
        { "PBOTVM_CID", SCOPE_DEFAULT_MACHINE, MEMBER_UINT32, OF(cid), 0, UINT32_MAX - 1,
                "a vsock context id, 0 (none) to 4294967294" },
        { "PBOTVM_VPORT", SCOPE_DEFAULT_MACHINE, MEMBER_UINT32, OF(vport), 1, UINT32_MAX - 1,
                "a vsock port, 1 to 4294967294" },
        { "PBOTVM_TIMEOUT", SCOPE_MACHINES, MEMBER_SECONDS, OF(timeout_usec), USEC_PER_SEC,
                600 * USEC_PER_SEC, "a number of seconds from 1 to 600" },
};

const char *environment_get(char *const *environment, const char *name) {
        for (size_t i = 0; environment && environment[i]; i++) {
                const char *rest = startswith(environment[i], name);
                if (rest && rest[0] == '=' && rest[1])
                        return rest + 1;
        }
        return NULL;
}

static bool number_value(const Variable *v, const char *value, uint64_t *ret) {
        bool seconds = v->kind == MEMBER_SECONDS;
        size_t n = strlen(value);

        if (n == 0 || n > 10 || strspn(value, seconds ? "0123456789." : "0123456789") != n ||
                value[0] == '.')
                return false;
        if (seconds) {
                char *end;
                double d = strtod(value, &end);
                if (*end)
                        return false;
                *ret = (uint64_t)(d * 1e6 + 0.5);
        } else
                *ret = strtoull(value, NULL, 10);
        return *ret >= v->min && *ret <= v->max;
}

static void number_store(const Variable *v, uint64_t number, void *base) {
        void *to = (char *)base + v->offset;

        if (v->kind == MEMBER_PORT)
                *(uint16_t *)to = (uint16_t)number;
        else if (v->kind == MEMBER_UINT32)
                *(uint32_t *)to = (uint32_t)number;
        else
                *(uint64_t *)to = number;
}

/* The address is listened on, so a name that would have to be looked up is none; localhost is the exception.
 */
static const char *string_value(const Variable *v, const char *value) {
        struct in6_addr six;

        if (v->scope != SCOPE_CONFIG)
                return value;
        if (streq(value, "localhost"))
                return "127.0.0.1";
        return inet_pton(AF_INET, value, &six) == 1 || inet_pton(AF_INET6, value, &six) == 1 ? value : NULL;
}

/* The configuration is ours to change. */
static MachineConfig *default_machine(Config *config) {
        return (MachineConfig *)config_default_machine(config);
}

static void apply_to_machines(
        const Variable *v, uint64_t number, Config *config, const MachineGiven *given) {
        const MachineConfig *main_machine = default_machine(config);

        for (size_t i = 0; i < config->n_machines; i++)
                if (&config->machines[i] == main_machine || !given || !given[i].timeout)
                        number_store(v, number, &config->machines[i]);
}

static void apply(ConfigReader *reader, Config *config, const MachineGiven *given, const Variable *v,
        const char *value) {
        void *base = v->scope == SCOPE_CONFIG ? (void *)config : default_machine(config);
        const char *string = v->kind == MEMBER_STRING ? string_value(v, value) : NULL;
        uint64_t number = 0;

        if (v->kind == MEMBER_STRING ? !string : !number_value(v, value, &number)) {
                reader->n_errors++;
                if (reader->errors)
                        text_append_printf(reader->errors, "%s: expected %s, found \"%.60s\"\n", v->name,
                                v->expected, value);
                return;
        }
        if (v->scope == SCOPE_MACHINES)
                apply_to_machines(v, number, config, given);
        else if (base && string)
                config_set_string(reader, (char **)((char *)base + v->offset), string);
        else if (base)
                number_store(v, number, base);
}

/* As Perl has it, "0" is not set. */
static void apply_norevert(Config *config, const MachineGiven *given, char *const *environment) {
        const char *value = environment_get(environment, "PBOTVM_NOREVERT");
        const MachineConfig *main_machine = default_machine(config);

        if (!value || streq(value, "0"))
                return;
        for (size_t i = 0; i < config->n_machines; i++)
                if (&config->machines[i] == main_machine || !given || !given[i].policy)
                        config->machines[i].policy = POLICY_NEVER;
}

void config_apply_environment(
        ConfigReader *reader, Config *config, const MachineGiven *given, char *const *environment) {
        const char *address = environment_get(environment, "PBOTVM_ADDR");
        /* Where clients connect; a unix socket is one of the listeners. */
        bool unix_socket = address && address[0] == '/';

        for (size_t i = 0; i < ELEMENTSOF(variables); i++) {
                const char *value = environment_get(environment, variables[i].name);
                if (value && (value != address || !unix_socket))
                        apply(reader, config, given, &variables[i], value);
        }
        MachineConfig *m = default_machine(config);
        if (m) {
                m->serial_named |= environment_get(environment, "PBOTVM_SERIAL") != NULL;
                m->heart_named |= environment_get(environment, "PBOTVM_HEALTH") ||
                                  environment_get(environment, "PBOTVM_HEART");
                m->cid_named |= environment_get(environment, "PBOTVM_CID") != NULL;
        }
        apply_norevert(config, given, environment);
        if ((address && !unix_socket) || environment_get(environment, "PBOTVM_PORT") ||
                environment_get(environment, "PBOTVM_SERVER"))
                config->listen_default = true;
}
