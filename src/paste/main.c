/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* pbotvm-paste: sends what -paste shows to a paste service. */
#include <curl/curl.h>
#include <getopt.h>
#include <signal.h>
#include <stdio.h>

#include "common/bus-loop.h"
#include "common/log.h"
#include "common/vm1.h"
#include "paste/paste-bus.h"
#include "paths.h"

typedef struct Arguments {
        PasteOptions paste;
} Arguments;

static void help(void) {
        printf("pbotvm-paste [OPTION...]\n\n"
               "Sends documents to the paste service of the configuration: the service\n"
               "pbotvm-paste.service, started by its D-Bus name, ended when idle.\n\n"
               "  -h --help             Show this help\n"
               "     --version          Show the version\n"
               "     --timeout=SECONDS  Time limit of one document (10)\n"
               "     --idle=SECONDS     End after so long without one (30; 0: never)\n");
}

static int parse_seconds(const char *name, const char *value, unsigned min, unsigned max, uint64_t *ret) {
        unsigned long seconds;
        char *end;

        errno = 0;
        seconds = strtoul(value, &end, 10);
        if (errno != 0 || *end || end == value || strchr(value, '-') || seconds < min || seconds > max) {
                fprintf(stderr,
                        "pbotvm-paste: --%s: a number of seconds from %u to %u was expected, not \"%s\"\n",
                        name, min, max, value);
                return -EINVAL;
        }
        *ret = seconds * USEC_PER_SEC;
        return 0;
}

/* 1 to go on, 0 to stop, negative errno. */
static int parse_arguments(int argc, char *argv[], Arguments *arguments) {
        enum { ARG_VERSION = 0x100, ARG_TIMEOUT, ARG_IDLE };
        static const struct option options[] = {
                { "help", no_argument, NULL, 'h' },
                { "version", no_argument, NULL, ARG_VERSION },
                { "timeout", required_argument, NULL, ARG_TIMEOUT },
                { "idle", required_argument, NULL, ARG_IDLE },
                {},
        };
        int c, r;

        while ((c = getopt_long(argc, argv, "h", options, NULL)) >= 0) {
                r = 0;
                switch (c) {
                case 'h':
                        help();
                        return 0;
                case ARG_VERSION:
                        puts("pbotvm " PBOTVM_VERSION);
                        return 0;
                case ARG_TIMEOUT:
                        r = parse_seconds("timeout", optarg, 1, 600, &arguments->paste.timeout_usec);
                        break;
                case ARG_IDLE:
                        r = parse_seconds("idle", optarg, 0, 86400, &arguments->paste.idle_usec);
                        if (arguments->paste.idle_usec == 0)
                                arguments->paste.idle_usec = USEC_INFINITY;
                        break;
                default:
                        return -EINVAL;
                }
                if (r < 0)
                        return r;
        }
        if (optind < argc) {
                fprintf(stderr, "pbotvm-paste: unexpected argument \"%s\"\n", argv[optind]);
                return -EINVAL;
        }
        return 1;
}

static int open_bus(sd_event *event, sd_bus **ret) {
        _cleanup_(sd_bus_unrefp) sd_bus *bus = NULL;
        int r;

        r = sd_bus_open_system_with_description(&bus, "paste");
        if (r >= 0)
                r = sd_bus_attach_event(bus, event, SD_EVENT_PRIORITY_NORMAL);
        if (r >= 0)
                r = sd_bus_set_exit_on_disconnect(bus, true);
        if (r < 0)
                return r;
        *ret = TAKE_PTR(bus);
        return 0;
}

static int run(const Arguments *arguments) {
        _cleanup_(sd_event_unrefp) sd_event *event = NULL;
        _cleanup_(sd_bus_flush_close_unrefp) sd_bus *bus = NULL;
        _cleanup_(paste_service_freep) PasteService *service = NULL;
        int r;

        r = sd_event_new(&event);
        if (r < 0)
                return log_error_errno(r, "Failed to make an event loop: %m");
        r = sd_event_add_signal(event, NULL, SIGTERM, NULL, NULL);
        if (r >= 0)
                r = sd_event_add_signal(event, NULL, SIGINT, NULL, NULL);
        if (r < 0)
                return log_error_errno(r, "Failed to watch for signals: %m");
        r = open_bus(event, &bus);
        if (r < 0)
                return log_error_errno(r, "Failed to connect to the bus: %m");
        r = paste_service_new(bus, &arguments->paste, &service);
        if (r < 0)
                return log_error_errno(r, "Failed to serve " VM1_PASTE ": %m");

        return bus_loop_run(event);
}

int main(int argc, char *argv[]) {
        Arguments arguments = { .paste = { .timeout_usec = 10 * USEC_PER_SEC,
                                        .idle_usec = 30 * USEC_PER_SEC } };
        sigset_t signals;
        int r;

        r = parse_arguments(argc, argv, &arguments);
        if (r <= 0)
                return r < 0 ? 2 : EXIT_SUCCESS;

        log_setup("pbotvm-paste");
        sigemptyset(&signals);
        sigaddset(&signals, SIGTERM);
        sigaddset(&signals, SIGINT);
        (void)sigprocmask(SIG_BLOCK, &signals, NULL);
        if (curl_global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK) {
                log_error("Failed to set up libcurl.");
                return EXIT_FAILURE;
        }
        r = run(&arguments);
        curl_global_cleanup();
        return r < 0 ? EXIT_FAILURE : EXIT_SUCCESS;
}
