/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* pbotvm-qemu: becomes the QEMU of a machine. */
#include <ctype.h>
#include <fcntl.h>
#include <stdio.h>

#include <systemd/sd-daemon.h>

#include "common/log.h"
#include "paths.h"
#include "qemu/arguments.h"
#include "qemu/confine.h"
#include "qemu/memory.h"
#include "qemu/options.h"
#include "qemu/template.h"
#include "qemu/usher.h"

static const QemuProgram program = {
        .name = "pbotvm-qemu",
        .help = "pbotvm-qemu [OPTION...] MACHINE[@NUMBER]\n\n"
                "Becomes the QEMU of a machine, with the machine's template if there is one:\n"
                "the service pbotvm-qemu@MACHINE.service. With a number it is a spare of it, with\n"
                "sockets of its own, and does not boot.\n\n"
                "  -h --help                Show this help\n"
                "     --version             Show the version\n"
                "     --print               Show QEMU's arguments, one a line, and end\n"
                "     --definitions=FOLDER  Where MACHINE.json is\n"
                "                           (" PBOTVM_QEMU_CONFIG_DIR ")\n"
                "     --templates=FOLDER    Where the template, a folder MACHINE, may be\n"
                "                           (" PBOTVM_QEMU_STATE_DIR ")\n"
                "     --run=FOLDER          Where the folder MACHINE[@NUMBER] is, for sockets\n"
                "                           (" PBOTVM_QEMU_RUN_DIR ")\n",
        .may_print = true,
};

static void print(char *const *arguments) {
        for (; *arguments; arguments++)
                puts(*arguments);
}

/* Once all is known: the vector is executed, or shown. */
static int become(const QemuOptions *options, const QemuDefinition *definition, char *const *arguments,
        const UsherOrder *order) {
        if (options->prints) {
                print(arguments);
                return 0;
        }

        int r = qemu_confine(definition);
        if (r < 0)
                return log_error_errno(r, "Failed to forbid what %s does not need: %m", options->name);
        r = usher_start(order);
        if (r < 0)
                return log_error_errno(r, "Failed to start what waits for QEMU: %m");
        (void)execv(arguments[0], arguments);
        return log_error_errno(-errno, "Failed to execute %s: %m", arguments[0]);
}

/* What is wrong, for the journal and for whoever started the service. */
static int refuse(int error, const char *message_id, const Text *why) {
        (void)sd_notifyf(0, "STATUS=%s", text_string(why));
        return log_write(
                LOG_ERR, error, message_id, NULL, "%s", why->size > 0 ? text_string(why) : strerror(-error));
}

/* Looks at the template, as qemu_template_look(). A new one may take its place at any time, and what is
 * looked at, mapped and loaded has to be of one: its folder is opened, by a descriptor that QEMU inherits.
 */
static int find_template(const QemuOptions *options, const QemuDefinition *definition, Text *ret_folder,
        QemuTemplate *ret, Text *why) {
        _cleanup_text_ Text path = {};

        text_append_printf(&path, "%s/%s", options->templates, options->name);
        if (text_failed(&path))
                return -ENOMEM;
        if (options->prints) {
                text_append_text(ret_folder, &path);
                return qemu_template_look(text_string(&path), definition, ret, why);
        }
        for (unsigned tries = 0;; tries++) {
                _cleanup_close_ int fd = open(text_string(&path), O_PATH | O_DIRECTORY);
                if (fd < 0 && errno != ENOENT) {
                        int r = -errno;
                        text_append_printf(why, "%s cannot be opened: %s", text_string(&path), strerror(-r));
                        return r;
                }
                text_clear(ret_folder);
                text_clear(why);
                text_append_printf(ret_folder, "/proc/self/fd/%i", fd);
                int r = fd < 0 ? -ENOENT : qemu_template_look(text_string(ret_folder), definition, ret, why);
                /* The one that was opened may be the old one, which is being removed. */
                if (r == -ENOENT && fd >= 0 && tries < 3)
                        continue;
                if (r >= 0)
                        TAKE_FD(fd);
                return r;
        }
}

static int run_place(const QemuOptions *options, const char *place) {
        _cleanup_(qemu_definition_freep) QemuDefinition *definition = NULL;
        _cleanup_(qemu_arguments_freep) char **arguments = NULL;
        _cleanup_text_ Text why = {}, folder = {}, monitor = {}, from = {}, devices = {}, ram = {};
        QemuTemplate template = {};
        int memory = 0;

        int r = qemu_definition_load(options->definitions, options->name, &definition, &why);
        if (r < 0)
                return refuse(r, MESSAGE_CONFIG, &why);

        text_append_printf(&folder, "%s/%s", options->run, place);
        text_append_printf(&monitor, "%s/monitor", text_string(&folder));
        int found = find_template(options, definition, &from, &template, &why);
        if (found < 0 && (found != -ENOENT || !streq(place, options->name)))
                return refuse(found, NULL, &why);
        text_append_printf(&devices, "%s/devices", text_string(&from));
        text_append_printf(&ram, "%s/ram", text_string(&from));
        if (text_failed(&monitor) || text_failed(&from) || text_failed(&devices) || text_failed(&ram))
                return log_oom();

        bool loads = found >= 0;
        if (loads && !options->prints)
                memory = qemu_memory_open(text_string(&ram), template.passport.emulator);
        if (memory < 0)
                return log_error_errno(
                        memory, "Failed to copy the memory of the template of %s: %m", options->name);
        arguments = qemu_arguments(definition, loads ? QEMU_RUN_LOAD : QEMU_RUN_BOOT,
                loads ? template.passport.machine : NULL,
                &(QemuPaths){ text_string(&folder), text_string(&from), memory });
        if (!arguments)
                return log_oom();
        return become(options, definition, arguments,
                &(UsherOrder){ options->name, text_string(&monitor), loads ? text_string(&devices) : NULL,
                        &template });
}

/* MACHINE is the machine's own place, MACHINE@NUMBER one of a spare's. */
static int run(const QemuOptions *options) {
        const char *at = strchr(options->name, '@');
        QemuOptions of_machine = *options;

        if (!at || !isdigit((unsigned char)at[1]) || at[1] == '0' || at[2])
                return run_place(options, options->name);
        _cleanup_free_ char *machine = strndup(options->name, (size_t)(at - options->name));
        if (!machine)
                return log_oom();
        of_machine.name = machine;
        return run_place(&of_machine, options->name);
}

int main(int argc, char *argv[]) {
        QemuOptions options = { .definitions = PBOTVM_QEMU_CONFIG_DIR,
                .templates = PBOTVM_QEMU_STATE_DIR,
                .run = PBOTVM_QEMU_RUN_DIR };

        int r = qemu_options_parse(argc, argv, &program, &options);
        if (r <= 0)
                return r < 0 ? 2 : EXIT_SUCCESS;
        log_setup("pbotvm-qemu");
        return run(&options) < 0 ? EXIT_FAILURE : EXIT_SUCCESS;
}
