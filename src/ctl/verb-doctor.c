/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* doctor: gathers what there is to see, has it examined, and shows the results. */

#include <stdio.h>

#include "ctl/configuration.h"
#include "ctl/doctor/examine.h"
#include "ctl/doctor/languages.h"
#include "ctl/format.h"
#include "ctl/report.h"
#include "paths.h"

/* All that is looked at. */
typedef struct Doctor {
        Config *config;
        Text errors, warnings;
        ServiceFacts service;
        Hypervisors hypervisors;
        int root;
} Doctor;

static void doctor_done(Doctor *doctor) {
        hypervisors_done(&doctor->hypervisors);
        machines_done(&doctor->service.machines);
        config_free(doctor->config);
        text_done(&doctor->errors);
        text_done(&doctor->warnings);
        fd_close(doctor->root);
}

static int read_configuration(Doctor *doctor) {
        int r = configuration_read(doctor->root, &doctor->config, &doctor->errors);

        if (r >= 0 && doctor->config)
                config_warn(doctor->config, &doctor->warnings);
        return r < 0 ? r : text_error(&doctor->warnings);
}

/* A service that goes while it is asked does not run. */
static void read_service(Ctl *ctl, ServiceFacts *service) {
        service->bus = sd_bus_open_system(&ctl->bus) >= 0;
        service->running =
                service->bus && ctl_service_runs(ctl) && machines_list(ctl, &service->machines) == 0;
        for (size_t i = 0; service->running && i < service->machines.n; i++)
                service->running = machine_read(ctl, &service->machines.machines[i]) == 0;
}

static void append_result(Text *text, const Result *result, bool colours) {
        static const char *const states[] = { "ready", "starting", "failed" }; /* whose colours fit */
        const char *level = check_level_to_string(result->level);

        text_append_printf(text, "%s%-7s%s  %s", format_state_colour(states[result->level], colours), level,
                format_colour_end(colours), result->check);
        if (!streq(result->subject, "host"))
                text_append_printf(text, " (%s)", result->subject);
        text_append_printf(text, ": %s\n", result->wrong ?: result->looks_at);
        if (!isempty(result->mend))
                text_append_printf(text, "         mend: %s\n", result->mend);
}

static size_t count_level(const Results *results, CheckLevel level) {
        size_t n = 0;

        for (size_t i = 0; i < results->n; i++)
                n += results->results[i].level == level;
        return n;
}

static void append_text(Text *text, const Results *results, bool legend) {
        bool colours = format_colours();

        for (size_t i = 0; i < results->n; i++)
                if (legend || results->results[i].level != CHECK_OK)
                        append_result(text, &results->results[i], colours);
        if (legend)
                text_append_printf(text, "%zu ok, %zu warnings, %zu faults.\n",
                        count_level(results, CHECK_OK), count_level(results, CHECK_WARNING),
                        count_level(results, CHECK_FAULT));
}

static int append_json(Text *text, const Results *results) {
        _cleanup_(json_writer_freep) JsonWriter *writer = json_writer_new(isatty(STDOUT_FILENO));

        json_open_array(writer);
        for (size_t i = 0; i < results->n; i++) {
                const Result *result = &results->results[i];
                const struct {
                        const char *name, *value;
                } members[] = {
                        { "check", result->check },
                        { "subject", result->subject },
                        { "result", check_level_to_string(result->level) },
                        { "looks_at", result->looks_at },
                        { "wrong", result->wrong },
                        { "mend", result->mend },
                };
                json_open_object(writer);
                for (size_t k = 0; k < ELEMENTSOF(members); k++) {
                        json_key(writer, members[k].name);
                        json_put_string(writer, members[k].value);
                }
                json_close_object(writer);
        }
        json_close_array(writer);
        return report_finish(writer, text);
}

static int look_at_all(Ctl *ctl, Doctor *doctor, Results *results) {
        doctor->root = configuration_root();
        if (doctor->root < 0)
                return doctor->root;
        int r = read_configuration(doctor);
        if (r < 0)
                return r;
        read_service(ctl, &doctor->service);
        r = hypervisors_gather(doctor->config, &doctor->hypervisors, ctl->legend ? ctl_say_waiting : NULL);
        if (r < 0)
                return r;

        const Patient patient = { .root = doctor->root,
                .config = doctor->config,
                .config_file = configuration_file(),
                .config_errors = &doctor->errors,
                .config_warnings = &doctor->warnings,
                .service = &doctor->service };
        r = examine(&patient, &doctor->hypervisors, results);
        if (r >= 0 && ctl->languages && doctor->config)
                r = languages_try(doctor->config, PBOTVM_HELLO_FILE, ctl->legend, results);
        return r;
}

int verb_doctor(Ctl *ctl, int argc _unused_, char **argv _unused_) {
        static const char what[] = "examine";
        _cleanup_results_ Results results = {};
        _cleanup_text_ Text text = {};
        Doctor doctor = { .root = -EBADF };

        int r = look_at_all(ctl, &doctor, &results);
        if (!results.given_up)
                doctor_done(&doctor);
        if (r < 0)
                return ctl_failure(r, what);
        if (ctl->json)
                r = append_json(&text, &results);
        else
                append_text(&text, &results, ctl->legend);
        if (r < 0)
                return ctl_failure(r, what);
        ctl_print(&text);
        return count_level(&results, CHECK_FAULT) > 0 ? EXIT_FAILURE : EXIT_SUCCESS;
}
