/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* attach: gives a domain what host and guest reach each other by, through libvirt. */

#include <stdio.h>

#include <libvirt/virterror.h>

#include "ctl/attach-edit.h"
#include "ctl/configuration.h"
#include "ctl/ctl.h"
#include "ctl/doctor/bounded.h"

#define ATTACH_USEC (30 * USEC_PER_SEC)

/* What a thread does, with all that it needs. */
typedef struct Attach {
        Config *config;
        const MachineConfig *machine;
        TransportKind kind;
        bool dry_run;
        Text changed;
        Text error; /* empty: it went well */
} Attach;

static Attach *attach_free(Attach *attach) {
        if (!attach)
                return NULL;
        config_free(attach->config);
        text_done(&attach->changed);
        text_done(&attach->error);
        free(attach);
        return NULL;
}

static void release(void *job) {
        attach_free(job);
}

static void fail(Attach *attach) {
        text_append_string(&attach->error, virGetLastErrorMessage());
}

static void define(Attach *attach, virConnectPtr connection, xmlDocPtr definition) {
        xmlChar *xml = NULL;
        int size;

        xmlDocDumpMemory(definition, &xml, &size);
        virDomainPtr domain = xml ? virDomainDefineXML(connection, (const char *)xml) : NULL;
        if (!domain)
                fail(attach);
        else
                virDomainFree(domain);
        xmlFree(xml);
}

static void edit(Attach *attach, virConnectPtr connection, virDomainPtr domain) {
        _cleanup_free_ char *xml =
                virDomainGetXMLDesc(domain, VIR_DOMAIN_XML_INACTIVE | VIR_DOMAIN_XML_SECURE);
        _cleanup_(xml_freep) xmlDocPtr definition = xml_parse(xml);
        _cleanup_(facts_freep) HypervisorFacts *facts = NULL;

        if (!xml) {
                fail(attach);
                return;
        }
        if (attach_needs_facts(attach->kind)) {
                facts = facts_new(attach->machine->uri);
                if (!facts) {
                        text_append_string(&attach->error, strerror(ENOMEM));
                        return;
                }
                facts_read(facts, connection);
        }
        int r = attach_edit(definition, attach->kind, attach->machine, facts, &attach->changed);
        if (r < 0)
                text_append_string(&attach->error, r == -ENODATA ? facts->error : strerror(-r));
        else if (attach->changed.size > 0 && !attach->dry_run)
                define(attach, connection, definition);
}

static void run(void *job) {
        Attach *attach = job;
        virConnectPtr connection = virConnectOpen(attach->machine->uri);

        if (!connection) {
                fail(attach);
                return;
        }
        virDomainPtr domain = virDomainLookupByName(connection, attach->machine->domain);
        if (domain) {
                edit(attach, connection, domain);
                virDomainFree(domain);
        } else
                fail(attach);
        virConnectClose(connection);
}

/* Fills in configuration and machine. 0, or an exit code, told on stderr. */
static int find_machine(Attach *attach, const char *name) {
        int r = configuration_machine(name, &attach->config, &attach->machine);

        if (r != 0)
                return r;
        if (attach->kind != TRANSPORT_CHANNEL ||
                (attach->machine->channel_data && attach->machine->channel_heart))
                return 0;
        fprintf(stderr, "Machine %s has no channel: see \"channel\" in pbotvm.json(5).\n", name);
        return EXIT_FAILURE;
}

static void tell(const Ctl *ctl, const Attach *attach, const char *kind) {
        const MachineConfig *machine = attach->machine;

        if (attach->dry_run)
                ctl_print(&attach->changed);
        if (!ctl->legend || attach->dry_run)
                return;
        if (attach->changed.size == 0) {
                printf("Domain %s has its %s already.\n", machine->domain, kind);
                return;
        }
        printf("Domain %s has its %s from its next cold start on. Snapshot %s is older and would bring the "
               "definition of its time back:\ndelete the snapshot (while it is there, an off domain is "
               "reverted to it), boot the domain (virsh shutdown, virsh start),\nand take it anew: "
               "pbotvmctl snapshot %s\n",
                machine->domain, kind, machine->snapshot, machine->name);
}

int verb_attach(Ctl *ctl, int argc _unused_, char **argv) {
        char what[300];
        Attach *attach;

        int kind = transport_kind_from_string(argv[1]);
        if (kind < 0 || kind == TRANSPORT_AUTO || kind == TRANSPORT_STREAM) {
                fprintf(stderr, "attach %s: expected serial, vsock or channel.\n", argv[1]);
                return EXIT_USAGE;
        }
        (void)snprintf(what, sizeof(what), "attach the %s to %s", argv[1], argv[2]);
        attach = calloc(1, sizeof(*attach));
        if (!attach)
                return ctl_failure(-ENOMEM, what);
        attach->kind = (TransportKind)kind;
        attach->dry_run = ctl->dry_run;
        int r = find_machine(attach, argv[2]);
        if (r != 0) {
                attach_free(attach);
                return r;
        }

        libvirt_silence();
        r = bounded_run(run, release, attach, ATTACH_USEC, ctl->legend ? ctl_say_waiting : NULL,
                attach->machine->uri);
        if (r == -ETIMEDOUT) /* the thread has the job */
                return ctl_failure(r, what);
        if (r < 0)
                r = ctl_failure(r, what);
        else if (attach->error.size > 0) {
                fprintf(stderr, "Failed to %s: %s\n", what, text_string(&attach->error));
                r = EXIT_FAILURE;
        } else
                tell(ctl, attach, argv[1]);
        attach_free(attach);
        return r;
}
