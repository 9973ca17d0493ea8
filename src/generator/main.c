/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* pbotvm-generator: run by systemd at boot and at daemon-reload, before any unit is loaded
 * (systemd.generator(7)). So there is no journal yet and no bus; what it has to say goes to the kernel's
 * log. */

#include <fcntl.h>
#include <getopt.h>
#include <stdio.h>

#include "common/io.h"
#include "generator/drop-in.h"
#include "generator/env-file.h"
#include "paths.h"

#define ENVIRONMENT_FILE "/etc/default/pbotvm"
#define ENVIRONMENT_BYTES (64 * 1024)

typedef struct Arguments {
        const char *config;
        const char *environment;
        const char *folder;
} Arguments;

/* Each line of the text, to stderr where a person looks at it, to the kernel's log where systemd runs this.
 */
static void complain(const char *about, const Text *text) {
        _cleanup_close_ int kmsg = -EBADF;
        const char *at = text_string(text);

        if (!isatty(STDERR_FILENO) && !streq_ptr(getenv("PBOTVM_LOG"), "stderr"))
                kmsg = open("/dev/kmsg", O_WRONLY | O_NOCTTY | O_CLOEXEC);
        while (*at) {
                int n = (int)strcspn(at, "\n");
                if (kmsg >= 0)
                        dprintf(kmsg, "<3>pbotvm-generator[%d]: %s%.*s\n", getpid(), about, n, at);
                else
                        fprintf(stderr, "pbotvm-generator: %s%.*s\n", about, n, at);
                at += n;
                at += *at == '\n';
        }
}

static int complain_errno(int error, const char *what, const char *path) {
        _cleanup_text_ Text text = {};

        text_append_printf(&text, "%s %s: %s", what, path, strerror(-error));
        complain("", &text);
        return error;
}

/* A file that is not there sets nothing; neither does a line that is wrong. */
static int read_environment(const char *path, char ***ret) {
        _cleanup_text_ Text text = {}, errors = {}, about = {};
        int r;

        r = io_read_file(AT_FDCWD, path, ENVIRONMENT_BYTES, &text);
        if (r < 0 && r != -ENOENT)
                return complain_errno(r, "Failed to read", path);
        r = env_file_parse(&text, ret, &errors);
        if (r < 0)
                return complain_errno(r, "Failed to read", path);
        text_append_printf(&about, "%s:", path);
        complain(text_string(&about), &errors);
        return 0;
}

static int run(const Arguments *arguments) {
        _cleanup_(env_list_freep) char **environment = NULL;
        _cleanup_(config_freep) Config *config = NULL;
        _cleanup_text_ Text errors = {}, drop_in = {};
        int r;

        r = read_environment(arguments->environment, &environment);
        if (r < 0)
                return r;
        r = config_load(arguments->config, environment, &config, &errors);
        if (r < 0) {
                complain("", &errors);
                return r;
        }
        r = drop_in_make(config, &drop_in);
        if (r >= 0 && drop_in.size > 0)
                r = drop_in_write(arguments->folder, &drop_in);
        return r < 0 ? complain_errno(r, "Failed to write to", arguments->folder) : 0;
}

static void help(FILE *file) {
        fputs("pbotvm-generator [OPTION...] FOLDER [FOLDER FOLDER]\n\n"
              "Makes pbotvm.socket.d/50-pbotvm.conf in the first folder where the configuration\n"
              "asks for other addresses than the unit. systemd runs it: systemd.generator(7).\n\n"
              "  -h --help              Show this help\n"
              "     --version           Show the version\n"
              "     --config=FILE       Configuration file\n"
              "     --environment=FILE  PBOTVM_ variables (" ENVIRONMENT_FILE ")\n",
                file);
}

/* 1 to go on, 0 to stop, negative errno. */
static int parse_arguments(int argc, char *argv[], Arguments *arguments) {
        enum { ARG_VERSION = 0x100, ARG_CONFIG, ARG_ENVIRONMENT };
        static const struct option options[] = {
                { "help", no_argument, NULL, 'h' },
                { "version", no_argument, NULL, ARG_VERSION },
                { "config", required_argument, NULL, ARG_CONFIG },
                { "environment", required_argument, NULL, ARG_ENVIRONMENT },
                {},
        };
        int c;

        while ((c = getopt_long(argc, argv, "h", options, NULL)) >= 0)
                switch (c) {
                case 'h':
                        help(stdout);
                        return 0;
                case ARG_VERSION:
                        puts("pbotvm " PBOTVM_VERSION);
                        return 0;
                case ARG_CONFIG:
                        arguments->config = optarg;
                        break;
                case ARG_ENVIRONMENT:
                        arguments->environment = optarg;
                        break;
                default:
                        return -EINVAL;
                }
        if (argc - optind != 1 && argc - optind != 3) {
                fputs("pbotvm-generator: one folder or three were expected\n", stderr);
                return -EINVAL;
        }
        arguments->folder = argv[optind];
        return 1;
}

int main(int argc, char *argv[]) {
        Arguments arguments = { .environment = ENVIRONMENT_FILE };
        int r;

        r = parse_arguments(argc, argv, &arguments);
        if (r <= 0)
                return r < 0 ? 2 : EXIT_SUCCESS;
        /* A failure is for the log; systemd goes on without the drop-in. */
        return run(&arguments) < 0 ? EXIT_FAILURE : EXIT_SUCCESS;
}
