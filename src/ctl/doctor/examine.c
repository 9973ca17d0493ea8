/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "ctl/doctor/examine.h"

#include <stdio.h>

#include "ctl/doctor/bounded.h"
#include "ctl/doctor/words.h"

static const CheckTable *const tables[] = { &host_checks, &install_checks, &service_checks, &libvirt_checks,
        &domain_checks, &line_checks, &disk_checks, &rights_checks, &snapshot_checks };

const char *check_level_to_string(CheckLevel level) {
        static const char *const names[] = { "ok", "warning", "fault" };

        return names[level];
}

void results_done(Results *results) {
        for (size_t i = 0; i < results->n; i++) {
                free(results->results[i].subject);
                free(results->results[i].wrong);
                free(results->results[i].mend);
        }
        free(results->results);
        *results = (Results){};
}

int results_add(Results *results, const char *check, const char *looks_at, CheckLevel level,
        const char *subject, const char *wrong, const char *mend) {
        Result *more = reallocarray(results->results, results->n + 1, sizeof(Result));

        if (!more)
                return -ENOMEM;
        results->results = more;
        more[results->n] = (Result){ .check = check,
                .looks_at = looks_at,
                .level = level,
                .subject = strdup(subject),
                .wrong = wrong ? strdup(wrong) : NULL,
                .mend = mend ? strdup(mend) : NULL };
        const Result *result = &more[results->n++];
        return result->subject && (!wrong || result->wrong) && (!mend || result->mend) ? 0 : -ENOMEM;
}

void hypervisors_done(Hypervisors *hypervisors) {
        for (size_t i = 0; i < hypervisors->n; i++)
                facts_free(hypervisors->facts[i]);
        free(hypervisors->facts);
        *hypervisors = (Hypervisors){};
}

static const HypervisorFacts *find_hypervisor(const Hypervisors *hypervisors, const char *uri) {
        for (size_t i = 0; i < hypervisors->n; i++)
                if (streq(hypervisors->facts[i]->uri, uri))
                        return hypervisors->facts[i];
        return NULL;
}

static void run_gather(void *job) {
        facts_gather(job);
}

static void release_gather(void *job) {
        facts_free(job);
}

/* Facts that did not come in time are those of a libvirt that does not answer. */
static HypervisorFacts *gather(const char *uri, void (*waiting)(void *uri, uint64_t usec)) {
        HypervisorFacts *facts = facts_new(uri);

        if (!facts)
                return NULL;
        int r = bounded_run(run_gather, release_gather, facts, GATHER_USEC, waiting, (void *)uri);
        if (r == 0)
                return facts;
        if (r != -ETIMEDOUT)
                facts_free(facts);
        facts = facts_new(uri);
        if (facts && asprintf(&facts->error, "no answer within %d s", (int)(GATHER_USEC / USEC_PER_SEC)) < 0)
                facts->error = NULL;
        return facts && facts->error ? facts : facts_free(facts);
}

int hypervisors_gather(const Config *config, Hypervisors *ret, void (*waiting)(void *uri, uint64_t usec)) {
        for (size_t i = 0; config && i < config->n_machines; i++) {
                const MachineConfig *machine = &config->machines[i];
                if (!machine->domain || find_hypervisor(ret, machine->uri))
                        continue;
                HypervisorFacts **more = reallocarray(ret->facts, ret->n + 1, sizeof(*more));
                if (!more)
                        return -ENOMEM;
                ret->facts = more;
                more[ret->n] = gather(machine->uri, waiting);
                if (!more[ret->n])
                        return -ENOMEM;
                ret->n++;
        }
        return 0;
}

/* One look, in a thread. */
typedef struct Look {
        const Check *check;
        Patient patient;
        Found found;
        LookResult result;
} Look;

static void run_look(void *job) {
        Look *look = job;

        look->result = look->check->look(&look->patient, &look->found);
}

static void look_free(void *job) {
        Look *look = job;

        text_done(&look->found.what);
        text_done(&look->found.mend);
        free(look);
}

static const char *subject_of(const Check *check, const Patient *patient) {
        return check->scope == SCOPE_HOST         ? "host"
               : check->scope == SCOPE_HYPERVISOR ? patient->hypervisor->uri
                                                  : patient->machine->name;
}

static int add_look(const Look *look, Results *results) {
        const Check *check = look->check;
        const char *subject = subject_of(check, &look->patient);
        _cleanup_text_ Text wrong = {}, mend = {};

        if (text_failed(&look->found.what) || text_failed(&look->found.mend))
                return -ENOMEM;
        if (look->result == LOOK_LEFT_OUT)
                return 0;
        if (look->result == LOOK_OK)
                return results_add(results, check->name, check->looks_at, CHECK_OK, subject, NULL, NULL);
        words_append(&wrong, check->wrong, &look->patient, &look->found);
        words_append_command(&mend, check->mend, &look->patient, &look->found);
        if (text_failed(&wrong) || text_failed(&mend))
                return -ENOMEM;
        return results_add(results, check->name, check->looks_at, check->level, subject, text_string(&wrong),
                text_string(&mend));
}

/* One that goes on in its thread. */
static int add_given_up(const Check *check, const Patient *patient, Results *results) {
        _cleanup_text_ Text wrong = {};

        results->given_up = true;
        text_append_printf(
                &wrong, "this could not be told within %d s", (int)(LOOK_LIMIT_USEC / USEC_PER_SEC));
        if (text_failed(&wrong))
                return -ENOMEM;
        return results_add(results, check->name, check->looks_at, CHECK_FAULT, subject_of(check, patient),
                text_string(&wrong), NULL);
}

static int make_look(const Check *check, const Patient *patient, Results *results) {
        Look *look = calloc(1, sizeof(*look));

        if (!look)
                return -ENOMEM;
        look->check = check;
        look->patient = *patient;
        int r = bounded_run(run_look, look_free, look, LOOK_LIMIT_USEC, NULL, NULL);
        if (r == -ETIMEDOUT)
                return add_given_up(check, patient, results);
        if (r == 0)
                r = add_look(look, results);
        look_free(look);
        return r;
}

static int make_looks(CheckScope scope, const Patient *patient, Results *results) {
        for (size_t t = 0; t < ELEMENTSOF(tables); t++)
                for (size_t i = 0; i < tables[t]->n; i++) {
                        const Check *check = &tables[t]->checks[i];
                        int r = check->scope == scope ? make_look(check, patient, results) : 0;
                        if (r < 0)
                                return r;
                }
        return 0;
}

static const MachineInfo *find_info(const ServiceFacts *service, const char *name) {
        for (size_t i = 0; i < service->machines.n; i++)
                if (streq(service->machines.machines[i].name, name))
                        return &service->machines.machines[i];
        return NULL;
}

static int examine_machine(const Patient *host, const MachineConfig *machine, const Hypervisors *hypervisors,
        Results *results) {
        Patient patient = *host;
        int r = 0;

        patient.machine = machine;
        patient.info = find_info(host->service, machine->name);
        if (host->service->running)
                r = make_looks(SCOPE_SERVICE, &patient, results);
        patient.hypervisor = machine->domain ? find_hypervisor(hypervisors, machine->uri) : NULL;
        if (r < 0 || !patient.hypervisor || patient.hypervisor->error)
                return r;
        patient.domain = facts_domain(patient.hypervisor, machine->domain);
        r = make_looks(SCOPE_MACHINE, &patient, results);
        if (r >= 0 && patient.domain)
                r = make_looks(SCOPE_DOMAIN, &patient, results);
        return r;
}

int examine(const Patient *patient, const Hypervisors *hypervisors, Results *ret) {
        int r = make_looks(SCOPE_HOST, patient, ret);

        for (size_t i = 0; r >= 0 && patient->config && i < hypervisors->n; i++) {
                Patient with_hypervisor = *patient;
                with_hypervisor.hypervisor = hypervisors->facts[i];
                r = make_looks(SCOPE_HYPERVISOR, &with_hypervisor, ret);
        }
        for (size_t i = 0; r >= 0 && patient->config && i < patient->config->n_machines; i++)
                r = examine_machine(patient, &patient->config->machines[i], hypervisors, ret);
        return r;
}
