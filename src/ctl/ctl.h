/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* What the verbs of pbotvmctl share: the options, the bus, the way errors are told. */

#include <systemd/sd-bus.h>

#include "common/text.h"
#include "common/vm1.h"

/* Exit codes, those of LSB, and so of systemctl: pbotvmctl(1). */
enum {
        EXIT_USAGE = 2,
        EXIT_DENIED = 4,
        EXIT_NO_MACHINE = 5,
        EXIT_NOT_RUNNING = 7, /* the service */
        /* Of status, which LSB gives others: */
        EXIT_STATUS_DOWN = 3, /* the service does not run, or a machine takes no requests */
        EXIT_STATUS_UNKNOWN = 4,
};

typedef struct Ctl {
        sd_bus *bus;
        const char *host; /* whose bus it is; NULL: this one's */
        bool json;
        bool legend;
        bool ask_password;     /* let polkit ask the person at the terminal */
        bool languages;        /* doctor: a round trip for each */
        bool try;              /* languages: a round trip for each */
        bool dry_run;          /* attach, create, import: show it only */
        bool force;            /* import: what is there is replaced */
        bool warm;             /* snapshot: run a hello world of each compiler and interpreter first */
        unsigned lines;        /* status: recent messages of a machine */
        const char *directory; /* languages: of their files; NULL: those that are installed */
        unsigned memory_mib;   /* create: of the domain */
        unsigned cpus;         /* the same */
        const char *template;  /* create: by which; NULL: the installed one */
        const char *state;     /* import: where the history is; NULL: where the handlers keep it */
        const char *output;    /* metrics: the file; NULL: stdout */
} Ctl;

/* Connects to the system bus, of the host if one is given. 0, or an exit code, told on stderr. */
int ctl_connect(Ctl *ctl);

/* Whether the service is on the bus. */
bool ctl_service_runs(Ctl *ctl);

/* A call of a method of the manager (path VM1_PATH) or of a machine, which does not start the service;
 * arguments are appended by the caller. 0 or negative errno. */
int ctl_message(Ctl *ctl, const char *path, const char *interface, const char *method, sd_bus_message **ret);
/* Calls, and waits for the reply for timeout_usec at most. 0 with *ret_reply (may be NULL), or an exit code,
 * told on stderr as "Failed to WHAT: ...". */
int ctl_call(Ctl *ctl, sd_bus_message *message, uint64_t timeout_usec, const char *what,
        sd_bus_message **ret_reply);

/* Tells on stderr of what a call came back with, negative errno and maybe an error of the bus's. Returns an
 * exit code. */
int ctl_refusal(const Ctl *ctl, const sd_bus_error *error, int r, const char *what);
/* Tells of an error without a bus error's text: "Failed to WHAT: ...". Returns an exit code. */
int ctl_failure(int error, const char *what);

/* Says on stderr that libvirt at a URI (a string) is waited for, and how long at most: for bounded_run(). */
void ctl_say_waiting(void *uri, uint64_t usec);

/* Writes all of text to stdout. */
void ctl_print(const Text *text);

/* For a time that may take a person's password, and for a revert. */
#define CALL_USEC (30 * USEC_PER_SEC)
#define ACTION_USEC (180 * USEC_PER_SEC)

/* The verbs: argv[0] is the verb. They return an exit code. */
int verb_status(Ctl *ctl, int argc, char **argv);
int verb_list(Ctl *ctl, int argc, char **argv);
int verb_monitor(Ctl *ctl, int argc, char **argv);
int verb_metrics(Ctl *ctl, int argc, char **argv);
int verb_revert(Ctl *ctl, int argc, char **argv);
int verb_drain(Ctl *ctl, int argc, char **argv);
int verb_resume(Ctl *ctl, int argc, char **argv);
int verb_reload(Ctl *ctl, int argc, char **argv);
int verb_doctor(Ctl *ctl, int argc, char **argv);    /* connects by itself */
int verb_create(Ctl *ctl, int argc, char **argv);    /* without the service */
int verb_import(Ctl *ctl, int argc, char **argv);    /* without the service */
int verb_languages(Ctl *ctl, int argc, char **argv); /* without the service, unless they are tried */
int verb_attach(Ctl *ctl, int argc, char **argv);    /* without the service */
int verb_snapshot(Ctl *ctl, int argc, char **argv);
