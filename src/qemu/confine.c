/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "qemu/confine.h"

#include <seccomp.h>
#include <sys/socket.h>

static bool is_wanted(const QemuDefinition *definition, int family) {
        switch (family) {
        case AF_UNIX:
                return true;
        case AF_INET:
        case AF_INET6:
                return definition->serial_data > 0 || definition->serial_heart > 0 ||
                       definition->network != QEMU_NETWORK_NONE;
        default:
                return false;
        }
}

static int add_rules(scmp_filter_ctx filter, const QemuDefinition *definition) {
        int r = 0;

        for (int family = 0; r >= 0 && family < AF_MAX; family++)
                if (!is_wanted(definition, family))
                        r = seccomp_rule_add(filter, SCMP_ACT_ERRNO(EAFNOSUPPORT), SCMP_SYS(socket), 1,
                                SCMP_A0(SCMP_CMP_EQ, (scmp_datum_t)family));
        if (r >= 0)
                r = seccomp_rule_add(filter, SCMP_ACT_ERRNO(EAFNOSUPPORT), SCMP_SYS(socket), 1,
                        SCMP_A0(SCMP_CMP_GE, AF_MAX));
        /* It makes sockets, too, of any kind, and past all filters of system calls. */
        if (r >= 0)
                r = seccomp_rule_add(filter, SCMP_ACT_ERRNO(EPERM), SCMP_SYS(io_uring_setup), 0);
        return r;
}

int qemu_confine(const QemuDefinition *definition) {
        scmp_filter_ctx filter = seccomp_init(SCMP_ACT_ALLOW);
        if (!filter)
                return -ENOMEM;

        /* Without privileges to gain, which is this library's default, too. */
        int r = seccomp_attr_set(filter, SCMP_FLTATR_CTL_NNP, 1);
        if (r >= 0)
                r = add_rules(filter, definition);
        if (r >= 0)
                r = seccomp_load(filter);
        seccomp_release(filter);
        return r;
}
