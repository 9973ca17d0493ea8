/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What the way to a guest needs, once the file and the variables have been read. */
#include "config/config-private.h"
#include "config/machine-config.h"

/* What a machine lacks, and the variable that may have taken it away. */
typedef struct Lack {
        const char *what;
        const char *variable; /* NULL: none can */
} Lack;

static Lack lack_of(const MachineConfig *m) {
        if (m->transport == TRANSPORT_STREAM && (!m->domain || m->backend != BACKEND_LIBVIRT))
                return (Lack){ "a domain of libvirt's", NULL };
        if (machine_config_is_remote(m) &&
                (m->transport == TRANSPORT_VSOCK || m->transport == TRANSPORT_CHANNEL))
                return (Lack){ "a uri of this host", NULL };
        if (machine_config_is_remote(m) && m->transport == TRANSPORT_SERIAL && !m->addr_named)
                return (Lack){ "the addr of its host", NULL };
        if (m->transport == TRANSPORT_VSOCK && m->cid == 0)
                return (Lack){ "a cid", "PBOTVM_CID" };
        if (m->transport == TRANSPORT_CHANNEL && !m->channel_data)
                return (Lack){ "a channel", NULL };
        if (m->transport == TRANSPORT_SERIAL && m->serial_port == 0)
                return (Lack){ "a serial port", "PBOTVM_SERIAL" };
        return (Lack){};
}

static void append_lack(ConfigReader *reader, const MachineConfig *m, Lack lack) {
        if (lack.what)
                text_append_printf(reader->errors, "expected %s, since its transport is \"%s\"\n", lack.what,
                        transport_kind_to_string(m->transport));
        else
                text_append_string(
                        reader->errors, "expected a way to the guest: a cid, a channel or a serial port\n");
}

void config_check_transports(
        ConfigReader *reader, const Config *config, const MachineGiven *given, char *const *environment) {
        const MachineConfig *main_machine = config_default_machine(config);

        for (size_t i = 0; i < config->n_machines; i++) {
                const MachineConfig *m = &config->machines[i];
                Lack lack = lack_of(m);

                if (!lack.what && (m->transport == TRANSPORT_STREAM || machine_config_is_remote(m) ||
                                          m->cid > 0 || m->channel_data || m->serial_port > 0))
                        continue;
                reader->n_errors++;
                if (!reader->errors)
                        continue;
                if (m == main_machine && lack.variable && environment_get(environment, lack.variable))
                        text_append_printf(reader->errors, "%s: machine %s: ", lack.variable, m->name);
                else
                        text_append_printf(reader->errors, "%s:%u: machines.%s: ", reader->file,
                                given ? given[i].line : 1, m->name);
                append_lack(reader, m, lack);
        }
}
