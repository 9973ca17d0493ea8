/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "config/config.h"

/* The words of the configuration, by their enumerations' values. */
static const char *const guest_kinds[] = {
        [GUEST_UNKNOWN] = "",
        [GUEST_PBOTVM] = "pbotvm",
        [GUEST_PBOT_2023] = "pbot-2023",
        [GUEST_PBOT_2026] = "pbot-2026",
};

static const char *const transport_kinds[] = {
        [TRANSPORT_AUTO] = "auto",
        [TRANSPORT_VSOCK] = "vsock",
        [TRANSPORT_CHANNEL] = "channel",
        [TRANSPORT_SERIAL] = "serial",
        [TRANSPORT_STREAM] = "stream",
};

static const char *const revert_policies[] = {
        [POLICY_ON_FAILURE] = "on-failure",
        [POLICY_ALWAYS] = "always",
        [POLICY_ON_HANG] = "on-hang",
        [POLICY_NEVER] = "never",
};

static const char *const stale_policies[] = {
        [STALE_RENEW] = "renew",
        [STALE_TRY] = "try",
        [STALE_KEEP] = "keep",
};

static const char *const backend_kinds[] = {
        [BACKEND_LIBVIRT] = "libvirt",
        [BACKEND_QEMU] = "qemu",
};

static const char *const spare_states[] = {
        [SPARE_STOPPED] = "stopped",
        [SPARE_RUNNING] = "running",
};

static const char *word_of(const char *const *words, size_t n, size_t i) {
        return i < n ? words[i] : NULL;
}

static int index_of(const char *const *words, size_t n, const char *string) {
        for (size_t i = 0; i < n; i++)
                if (streq(words[i], string))
                        return (int)i;
        return -EINVAL;
}

const char *guest_kind_to_string(GuestKind kind) {
        return word_of(guest_kinds, ELEMENTSOF(guest_kinds), kind);
}

int guest_kind_from_string(const char *string) {
        return index_of(guest_kinds, ELEMENTSOF(guest_kinds), string);
}

const char *transport_kind_to_string(TransportKind kind) {
        return word_of(transport_kinds, ELEMENTSOF(transport_kinds), kind);
}

int transport_kind_from_string(const char *string) {
        return index_of(transport_kinds, ELEMENTSOF(transport_kinds), string);
}

const char *revert_policy_to_string(RevertPolicy policy) {
        return word_of(revert_policies, ELEMENTSOF(revert_policies), policy);
}

int revert_policy_from_string(const char *string) {
        return index_of(revert_policies, ELEMENTSOF(revert_policies), string);
}

int stale_policy_from_string(const char *string) {
        return index_of(stale_policies, ELEMENTSOF(stale_policies), string);
}

int backend_kind_from_string(const char *string) {
        return index_of(backend_kinds, ELEMENTSOF(backend_kinds), string);
}

int spare_state_from_string(const char *string) {
        return index_of(spare_states, ELEMENTSOF(spare_states), string);
}
