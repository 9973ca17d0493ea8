/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "config/machine-config.h"

/* The members that are strings; all others are plain values. */
static const size_t strings[] = {
        offsetof(MachineConfig, name),
        offsetof(MachineConfig, uri),
        offsetof(MachineConfig, domain),
        offsetof(MachineConfig, snapshot),
        offsetof(MachineConfig, addr),
        offsetof(MachineConfig, channel_data),
        offsetof(MachineConfig, channel_heart),
        offsetof(MachineConfig, secret),
};

static char **string_at(MachineConfig *config, size_t i) {
        return (char **)((char *)config + strings[i]);
}

static const char *const_string_at(const MachineConfig *config, size_t i) {
        return *(char *const *)((const char *)config + strings[i]);
}

MachineConfig *machine_config_copy(const MachineConfig *config) {
        _cleanup_(machine_config_freep) MachineConfig *copy = malloc(sizeof(*copy));
        if (!copy)
                return NULL;

        *copy = *config;
        for (size_t i = 0; i < ELEMENTSOF(strings); i++)
                *string_at(copy, i) = NULL;
        for (size_t i = 0; i < ELEMENTSOF(strings); i++) {
                const char *s = const_string_at(config, i);
                if (s && !(*string_at(copy, i) = strdup(s)))
                        return NULL;
        }
        return TAKE_PTR(copy);
}

void machine_config_done(MachineConfig *config) {
        for (size_t i = 0; i < ELEMENTSOF(strings); i++)
                free(*string_at(config, i));
}

MachineConfig *machine_config_free(MachineConfig *config) {
        if (!config)
                return NULL;
        machine_config_done(config);
        free(config);
        return NULL;
}

bool machine_config_equal(const MachineConfig *a, const MachineConfig *b) {
        for (size_t i = 0; i < ELEMENTSOF(strings); i++)
                if (!streq_ptr(const_string_at(a, i), const_string_at(b, i)))
                        return false;
        return a->backend == b->backend && a->guest == b->guest && a->transport == b->transport &&
               a->policy == b->policy && a->stale_snapshot == b->stale_snapshot &&
               a->serial_port == b->serial_port && a->heart_port == b->heart_port && a->cid == b->cid &&
               a->vport == b->vport && a->serial_named == b->serial_named &&
               a->heart_named == b->heart_named && a->cid_named == b->cid_named &&
               a->addr_named == b->addr_named && a->slots == b->slots &&
               a->timeout_usec == b->timeout_usec && a->heartbeat_lost_usec == b->heartbeat_lost_usec &&
               a->max_age_usec == b->max_age_usec && a->max_requests == b->max_requests &&
               a->spares == b->spares && a->spare_state == b->spare_state &&
               memcmp(&a->limits, &b->limits, sizeof(a->limits)) == 0;
}

bool machine_config_is_remote(const MachineConfig *config) {
        return config->backend == BACKEND_LIBVIRT && config->domain && config->uri &&
               !machine_uri_is_local(config->uri);
}
