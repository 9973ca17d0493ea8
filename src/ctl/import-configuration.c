/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "ctl/import.h"

#include <fcntl.h>
#include <stdio.h>

#include "common/io.h"
#include "common/json.h"
#include "config/config.h"
#include "ctl/configuration.h"
#include "ctl/replace-file.h"

#define FILE_MAX (1 << 20)

/* What a machine may have there that means nothing here, and what does. */
static const struct {
        const char *member, *instead;
} without_counterpart[] = {
        { "vagrant", "\"uri\" says which libvirt; by default it is qemu:///system" },
};

static void tell_differences(const char *path, const Text *content) {
        _cleanup_json_ Json *json = NULL;

        if (json_parse(content->data, content->size, JSON_LIMITS_FILE, &json, NULL) < 0)
                return;
        const Json *machines = json_member(json, "machines");
        for (size_t i = 0; i < json_size(machines); i++)
                for (size_t k = 0; k < ELEMENTSOF(without_counterpart); k++) {
                        const Json *value = json_member(json_at(machines, i), without_counterpart[k].member);
                        if (value)
                                fprintf(stderr,
                                        "%s:%u: machines.%s.%s: has no counterpart and is ignored; %s.\n",
                                        path, json_line(value), json_name_at(machines, i),
                                        without_counterpart[k].member, without_counterpart[k].instead);
                }
}

/* 1 if it is good, 0 if it has mistakes, which are told, or negative errno. */
static int check(const char *path, const Text *content, size_t *ret_machines) {
        _cleanup_(config_freep) Config *config = NULL;
        _cleanup_text_ Text errors = {}, warnings = {};

        int r = config_load(path, NULL, &config, &errors);
        if (r < 0 && errors.size > 0) {
                fputs(text_string(&errors), stderr);
                return 0;
        }
        if (r < 0)
                return r;
        tell_differences(path, content);
        config_warn(config, &warnings);
        fputs(text_string(&warnings), stderr);
        *ret_machines = config->n_machines;
        return 1;
}

/* The one that is replaced stays beside it. */
static int keep_old(const char *path) {
        _cleanup_text_ Text old = {};

        text_append_printf(&old, "%s.old", path);
        if (text_failed(&old))
                return -ENOMEM;
        if (unlink(text_string(&old)) < 0 && errno != ENOENT)
                return -errno;
        return link(path, text_string(&old)) < 0 ? -errno : 0;
}

static int write_it(
        ImportRun *run, const char *from, const char *path, const Text *content, size_t n_machines) {
        bool quiet = !run->ctl->legend, dry = run->ctl->dry_run;
        _cleanup_text_ Text present = {};

        int r = io_read_file(AT_FDCWD, path, FILE_MAX, &present);
        bool there = r != -ENOENT;
        if (r < 0 && there && r != -EFBIG)
                return r;
        if (r >= 0 && present.size == content->size &&
                memcmp(present.data, content->data, present.size) == 0) {
                if (!quiet)
                        printf("%s: is %s already\n", path, from);
                return 0;
        }
        if (there && !run->ctl->force) {
                fprintf(stderr, "%s: is there and stays.\n", path);
                run->stayed++;
                return 0;
        }
        r = there && !dry ? keep_old(path) : 0;
        if (r >= 0 && !dry)
                r = replace_file(path, content);
        if (r >= 0 && !quiet)
                printf("%s: %s %s, %zu machine%s%s\n", path, dry ? "would be" : "is now", from, n_machines,
                        n_machines == 1 ? "" : "s", there ? "; the old one is kept as .old" : "");
        return r;
}

int import_configuration(ImportRun *run) {
        _cleanup_text_ Text path = {}, content = {};
        size_t n_machines = 0;

        text_append_printf(&path, "%s/config/vm-exec.json", run->directory);
        if (text_failed(&path))
                return ctl_failure(-ENOMEM, "import the configuration");
        const char *from = text_string(&path), *to = configuration_file();
        int r = io_read_file(AT_FDCWD, from, FILE_MAX, &content);
        if (r == -ENOENT) {
                if (run->ctl->legend)
                        printf("%s: is not there; the configuration stays as it is\n", from);
                return 0;
        }
        if (r < 0)
                fprintf(stderr, "Failed to read %s: %s\n", from, strerror(-r));
        else {
                r = check(from, &content, &n_machines);
                if (r == 0)
                        return EXIT_FAILURE;
                if (r < 0)
                        return ctl_failure(r, "import the configuration");
                r = write_it(run, from, to, &content, n_machines);
                if (r < 0)
                        fprintf(stderr, "Failed to write %s: %s\n", to, strerror(-r));
        }
        return r < 0 ? EXIT_FAILURE : 0;
}
