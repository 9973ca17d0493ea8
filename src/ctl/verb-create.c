/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* create: makes a machine's domain from an image, through libvirt, and starts it. */

#include <fcntl.h>
#include <stdio.h>

#include <libvirt/virterror.h>

#include "common/io.h"
#include "config/machine-config.h"
#include "ctl/configuration.h"
#include "ctl/create-definition.h"
#include "ctl/ctl.h"
#include "ctl/doctor/bounded.h"
#include "paths.h"

#define CREATE_USEC (60 * USEC_PER_SEC)
#define TEMPLATE_MAX (64 << 10)
#define DISKS "/domain/devices/disk[@device='disk']/source/@file"

/* What a thread does, with all that it needs. */
typedef struct Create {
        Config *config;
        CreateChoice choice;
        char *image;
        Text template;
        bool dry_run;
        bool was_there;
        Text xml;   /* of the dry run */
        Text error; /* empty: it went well */
} Create;

static Create *create_free(Create *create) {
        if (!create)
                return NULL;
        config_free(create->config);
        free(create->image);
        text_done(&create->template);
        text_done(&create->xml);
        text_done(&create->error);
        free(create);
        return NULL;
}

static void release(void *job) {
        create_free(job);
}

static void fail(Create *create) {
        text_append_string(&create->error, virGetLastErrorMessage());
}

static bool has_disk(const DomainFacts *domain, const char *image) {
        size_t n = xml_count(domain->xml, DISKS);
        bool has = false;

        for (size_t i = 0; i < n && !has; i++) {
                _cleanup_free_ char *file = xml_string(domain->xml, DISKS, i);
                has = file && streq(file, image);
        }
        return has;
}

/* Two that write to one image destroy it. */
static bool is_others(Create *create, const HypervisorFacts *facts) {
        const char *name = create->choice.machine->domain;

        for (size_t i = 0; i < facts->n_domains; i++)
                if (!streq(facts->domains[i].name, name) && has_disk(&facts->domains[i], create->image)) {
                        text_append_printf(
                                &create->error, "the image is domain %s's", facts->domains[i].name);
                        return true;
                }
        return false;
}

static void start(Create *create, virDomainPtr domain) {
        if (virDomainIsActive(domain) != 1 && virDomainCreate(domain) < 0)
                fail(create);
}

/* The one that is there stays as it is, whoever made it. */
static void keep(Create *create, virConnectPtr connection, const DomainFacts *facts) {
        create->was_there = true;
        if (!has_disk(facts, create->image)) {
                text_append_printf(&create->error,
                        "there is a domain %s already, of another image; to make it anew: virsh -c %s "
                        "undefine "
                        "%s --snapshots-metadata",
                        facts->name, create->choice.machine->uri, facts->name);
                return;
        }
        virDomainPtr domain = create->dry_run ? NULL : virDomainLookupByName(connection, facts->name);
        if (domain) {
                start(create, domain);
                virDomainFree(domain);
        } else if (!create->dry_run)
                fail(create);
}

static void define(Create *create, virConnectPtr connection, xmlDocPtr definition) {
        xmlChar *xml = NULL;
        int size;

        xmlDocDumpMemory(definition, &xml, &size);
        if (!xml)
                text_append_string(&create->error, strerror(ENOMEM));
        else if (create->dry_run)
                text_append_string(&create->xml, (const char *)xml);
        else {
                virDomainPtr domain = virDomainDefineXML(connection, (const char *)xml);
                if (domain) {
                        start(create, domain);
                        /* A second try begins anew. */
                        if (create->error.size > 0)
                                (void)virDomainUndefine(domain);
                        virDomainFree(domain);
                } else
                        fail(create);
        }
        xmlFree(xml);
}

static void make(Create *create, virConnectPtr connection, const HypervisorFacts *facts) {
        _cleanup_free_ char *text = virConnectGetCapabilities(connection);
        _cleanup_(xml_freep) xmlDocPtr capabilities = xml_parse(text), definition = NULL;

        int r = create_definition(
                &create->choice, text_string(&create->template), capabilities, facts, &definition);
        if (r == -EBADMSG)
                text_append_string(&create->error, "the template is no definition of a domain");
        else if (r < 0)
                text_append_string(&create->error, r == -ENODATA ? facts->error : strerror(-r));
        else
                define(create, connection, definition);
}

static void run(void *job) {
        Create *create = job;
        const MachineConfig *machine = create->choice.machine;
        virConnectPtr connection = virConnectOpen(machine->uri);
        _cleanup_(facts_freep) HypervisorFacts *facts = facts_new(machine->uri);

        if (!connection || !facts) {
                if (connection)
                        text_append_string(&create->error, strerror(ENOMEM));
                else
                        fail(create);
        } else {
                facts_read(facts, connection);
                const DomainFacts *domain = facts_domain(facts, machine->domain);
                if (facts->error)
                        text_append_string(&create->error, facts->error);
                else if (!is_others(create, facts)) {
                        if (domain)
                                keep(create, connection, domain);
                        else
                                make(create, connection, facts);
                }
        }
        if (connection)
                virConnectClose(connection);
}

/* 0, or an exit code, told on stderr. */
static int prepare(Create *create, const char *name, const char *image, const char *template) {
        const char *why;

        int r = configuration_machine(name, &create->config, &create->choice.machine);
        if (r != 0)
                return r;
        if (!machine_uri_is_local(create->choice.machine->uri)) {
                fprintf(stderr, "Machine %s is of another host, %s, where this would have to be said.\n",
                        name, create->choice.machine->uri);
                return EXIT_FAILURE;
        }
        create->image = realpath(image, NULL);
        if (!create->image) {
                fprintf(stderr, "%s: %s\n", image, strerror(errno));
                return EXIT_FAILURE;
        }
        create->choice.image = create->image;
        if (!create_image_format(create->image, &why)) {
                fprintf(stderr, "%s: %s.\n", create->image, why);
                return EXIT_FAILURE;
        }
        r = io_read_file(AT_FDCWD, template, TEMPLATE_MAX, &create->template);
        if (r < 0)
                fprintf(stderr, "Failed to read %s: %s\n", template, strerror(-r));
        return r < 0 ? EXIT_FAILURE : 0;
}

static void tell(const Ctl *ctl, const Create *create) {
        const MachineConfig *machine = create->choice.machine;

        if (ctl->dry_run)
                ctl_print(&create->xml);
        if (!ctl->legend || (ctl->dry_run && !create->was_there))
                return;
        if (create->was_there) {
                printf("Domain %s is there already, of this image.\n", machine->domain);
                return;
        }
        printf("Domain %s is made and started. When its agent answers (pbotvmctl status), take its "
               "snapshot: "
               "pbotvmctl snapshot %s\n",
                machine->domain, machine->name);
}

int verb_create(Ctl *ctl, int argc _unused_, char **argv) {
        char what[300];
        Create *create = calloc(1, sizeof(*create));

        (void)snprintf(what, sizeof(what), "create the domain of %s", argv[1]);
        if (!create)
                return ctl_failure(-ENOMEM, what);
        create->dry_run = ctl->dry_run;
        create->choice.memory_mib = ctl->memory_mib;
        create->choice.cpus = ctl->cpus;
        int r = prepare(create, argv[1], argv[2], ctl->template ?: PBOTVM_DOMAIN_FILE);
        if (r != 0) {
                create_free(create);
                return r;
        }

        libvirt_silence();
        r = bounded_run(run, release, create, CREATE_USEC, ctl->legend ? ctl_say_waiting : NULL,
                create->choice.machine->uri);
        if (r == -ETIMEDOUT) /* the thread has the job */
                return ctl_failure(r, what);
        if (r < 0)
                r = ctl_failure(r, what);
        else if (create->error.size > 0) {
                fprintf(stderr, "Failed to %s: %s\n", what, text_string(&create->error));
                r = EXIT_FAILURE;
        } else
                tell(ctl, create);
        create_free(create);
        return r;
}
