/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "client/direct.h"

#include <linux/vm_sockets.h>
#include <netdb.h>
#include <stdio.h>
#include <sys/socket.h>

#include "common/io.h"

/* The machine that is configured with what the variables say. */
static const MachineConfig *find(
        const Config *config, const MachineConfig *wanted, bool serial, bool cid, bool domain) {
        for (size_t i = 0; i < config->n_machines; i++) {
                const MachineConfig *m = &config->machines[i];
                if ((!serial || m->serial_port == wanted->serial_port) &&
                        (!cid || (m->cid == wanted->cid && m->vport == wanted->vport)) &&
                        (!domain || streq_ptr(m->domain, wanted->domain)))
                        return m;
        }
        return NULL;
}

int direct_decide(const Config *configured, const Config *effective, char *const *environment,
        const MachineConfig **ret_machine) {
        bool serial = environment_get(environment, "PBOTVM_SERIAL"),
             domain = environment_get(environment, "PBOTVM_DOMAIN"),
             cid = environment_get(environment, "PBOTVM_CID") ||
                   environment_get(environment, "PBOTVM_VPORT");
        const MachineConfig *wanted = config_default_machine(effective);

        /* PBOTVM_CID=0 says which way not to go, not where. */
        if (cid && wanted->cid == 0)
                cid = false;
        if (!serial && !cid && !domain)
                return DIRECT_NONE;

        const MachineConfig *machine = find(configured, wanted, serial, cid, domain);
        if (!machine && !serial && !cid)
                return -ENOENT;
        *ret_machine = machine ? machine : wanted;
        return machine ? DIRECT_MACHINE : DIRECT_CONNECT;
}

static int connect_serial(const MachineConfig *machine, uint64_t deadline) {
        const struct addrinfo hints = { .ai_family = AF_UNSPEC, .ai_socktype = SOCK_STREAM };
        struct addrinfo *addresses;
        char port[8];
        int fd = -EADDRNOTAVAIL;

        snprintf(port, sizeof(port), "%u", machine->serial_port);
        if (getaddrinfo(machine->addr, port, &hints, &addresses) != 0)
                return -EADDRNOTAVAIL;
        for (const struct addrinfo *a = addresses; a && fd < 0; a = a->ai_next)
                fd = io_connect(a->ai_addr, a->ai_addrlen, deadline);
        freeaddrinfo(addresses);
        return fd;
}

int direct_connect(const MachineConfig *machine, uint64_t deadline) {
        int fd = -EADDRNOTAVAIL;

        if (machine->cid != 0) {
                const struct sockaddr_vm address = {
                        .svm_family = AF_VSOCK, .svm_cid = machine->cid, .svm_port = machine->vport
                };
                fd = io_connect((const struct sockaddr *)&address, sizeof(address), deadline);
        }
        if (fd < 0 && machine->serial_port != 0)
                fd = connect_serial(machine, deadline);
        return fd;
}
