/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* What pbotvmctl doctor looks at, as tables: a row is one thing that can be wrong, with its words and the
 * command that mends it. A look is a function of the facts alone and changes nothing. */

#include "config/machine-config.h"
#include "ctl/doctor/facts.h"
#include "ctl/machines.h"

/* What one look at something gave. */
typedef enum LookResult {
        LOOK_LEFT_OUT, /* it does not apply here, or cannot be told */
        LOOK_OK,
        LOOK_WRONG,
} LookResult;

typedef enum CheckLevel {
        CHECK_OK,
        CHECK_WARNING, /* it works, but not as well as it could, or not for ever */
        CHECK_FAULT,
} CheckLevel;
const char *check_level_to_string(CheckLevel level); /* "ok", "warning", "fault" */

/* What a row is looked at for, and what its look may count on. */
typedef enum CheckScope {
        SCOPE_HOST,       /* once */
        SCOPE_HYPERVISOR, /* each libvirt that a machine names: hypervisor */
        SCOPE_MACHINE,    /* each machine with a domain, while its libvirt answers: machine, hypervisor */
        SCOPE_DOMAIN,     /* those whose domain is there: domain too */
        SCOPE_SERVICE,    /* each machine, while the service runs: machine */
} CheckScope;

/* The service, as the bus shows it. */
typedef struct ServiceFacts {
        bool bus; /* there is one */
        bool running;
        Machines machines;
} ServiceFacts;

typedef struct Patient {
        int root;             /* the host's root folder */
        const Config *config; /* NULL: it has mistakes */
        const char *config_file;
        const Text *config_errors, *config_warnings; /* a line each */
        const ServiceFacts *service;
        /* The subject, see CheckScope. */
        const MachineConfig *machine;
        const HypervisorFacts *hypervisor;
        const DomainFacts *domain;
        const MachineInfo *info; /* NULL: the service does not show it */
} Patient;

/* Whether the hypervisor is on this host, so that its files are those that are seen. */
static inline bool patient_is_local(const Patient *patient) {
        return machine_uri_is_local(patient->hypervisor->uri);
}

/* What a look tells beside its result: {what} and {mend} in the row's words and command. */
typedef struct Found {
        Text what, mend;
} Found;

/* For a row's command: while the snapshot is there, the watchdog reverts a domain that is off, and with it
 * the definition; so it goes first, and comes again from a guest that has booted with what was changed. */
#define DELETE_SNAPSHOT "virsh -c {uri} snapshot-delete {domain} {snapshot}"
#define COLD_BOOT                                                                                           \
        "virsh -c {uri} shutdown {domain}  # while there is no snapshot nobody reverts; once it is off: "   \
        "virsh -c {uri} start {domain}, then pbotvmctl snapshot {machine}"
/* What changes the definition of a domain that may have no snapshot yet. */
#define CHANGED(command) DELETE_SNAPSHOT "; " command " && " COLD_BOOT

typedef struct Check {
        const char *name;
        CheckScope scope;
        CheckLevel level;     /* when it is wrong */
        const char *looks_at; /* shown when all is well */
        LookResult (*look)(const Patient *patient, Found *found);
        /* {machine}, {domain}, {snapshot}, {uri}, {config}, {what} and {mend} are replaced; in the command
         * all but {mend} are quoted for a shell. */
        const char *wrong;
        const char *mend;
} Check;

typedef struct CheckTable {
        const Check *checks;
        size_t n;
} CheckTable;

/* By theme. */
extern const CheckTable host_checks;
extern const CheckTable install_checks;
extern const CheckTable service_checks;
extern const CheckTable libvirt_checks;
extern const CheckTable domain_checks;
extern const CheckTable line_checks;
extern const CheckTable disk_checks;
extern const CheckTable rights_checks;
extern const CheckTable snapshot_checks;
