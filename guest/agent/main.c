/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* pbotvm-guest: the agent in the guest. */
#include <getopt.h>
#include <signal.h>
#include <stdio.h>
#include <sys/socket.h>

#include <systemd/sd-daemon.h>
#include <systemd/sd-event.h>

#include "agent.h"
#include "common/log.h"
#include "guest-paths.h"
#include "paths.h"

static void help(void) {
        printf("pbotvm-guest [OPTION...]\n\n"
               "Runs what the host of a PBot virtual machine asks for, inside the guest.\n\n"
               "  -h --help     Show this help\n"
               "     --version  Show the version\n"
               "     --check    Check the settings and stop\n\n"
               "Settings are read from " PBOTVM_GUEST_CONFIG_FILE ";\n"
               "see pbotvm-guest(8).\n");
}

/* 1: go on, 2: only check, 0 or less: stop with success or failure. */
static int parse_arguments(int argc, char *argv[]) {
        enum {
                ARG_VERSION = 256,
                ARG_CHECK,
        };
        static const struct option options[] = {
                { "help", no_argument, NULL, 'h' },
                { "version", no_argument, NULL, ARG_VERSION },
                { "check", no_argument, NULL, ARG_CHECK },
                {},
        };
        int result = 1;

        for (int c; (c = getopt_long(argc, argv, "h", options, NULL)) >= 0;)
                switch (c) {
                case 'h':
                        help();
                        return 0;
                case ARG_VERSION:
                        puts("pbotvm " PBOTVM_VERSION);
                        return 0;
                case ARG_CHECK:
                        result = 2;
                        break;
                default:
                        return -EINVAL;
                }
        if (optind < argc) {
                log_error("Unexpected argument %s.", argv[optind]);
                return -EINVAL;
        }
        return result;
}

static int settings_read(Settings *settings) {
        _cleanup_text_ Text error = {};

        int r = settings_load(settings, &error);
        if (r == -EBADMSG)
                return log_write(LOG_ERR, r, MESSAGE_CONFIG, NULL, "%s", text_string(&error));
        return r < 0 ? log_error_errno(r, "Failed to read the settings: %m") : 0;
}

/* The loop ends on SIGTERM and SIGINT. A job's own end is seen by its pidfd, so SIGCHLD stays as it is. */
static int loop_make(sd_event **ret) {
        _cleanup_(sd_event_unrefp) sd_event *event = NULL;
        sigset_t mask;

        int r = sd_event_new(&event);
        if (r < 0)
                return log_error_errno(r, "Failed to make an event loop: %m");
        sigemptyset(&mask);
        sigaddset(&mask, SIGTERM);
        sigaddset(&mask, SIGINT);
        (void)sigprocmask(SIG_BLOCK, &mask, NULL);
        r = sd_event_add_signal(event, NULL, SIGTERM, NULL, NULL);
        if (r >= 0)
                r = sd_event_add_signal(event, NULL, SIGINT, NULL, NULL);
        if (r < 0)
                return log_error_errno(r, "Failed to watch for signals: %m");
        /* Whoever started us may ignore some, which jobs would inherit. */
        for (int i = 1; i < NSIG; i++)
                (void)signal(i, SIG_DFL);
        (void)signal(SIGPIPE, SIG_IGN);
        *ret = TAKE_PTR(event);
        return 0;
}

static int run(int argc, char *argv[]) {
        _cleanup_settings_ Settings settings = SETTINGS_INIT;
        _cleanup_(sd_event_unrefp) sd_event *event = NULL;
        _cleanup_(agent_freep) Agent *agent = NULL;

        log_setup("pbotvm-guest");
        int what = parse_arguments(argc, argv);
        if (what <= 0)
                return what;
        int r = settings_read(&settings);
        if (r < 0 || what == 2)
                return r;
        if (geteuid() != 0)
                return log_error_errno(
                        -EPERM, "The agent must be started as root: it makes a sandbox for each job.");
        r = loop_make(&event);
        if (r < 0)
                return r;
        r = agent_new(event, &settings, &agent);
        if (r < 0)
                return r;

        r = sd_event_loop(event);
        (void)sd_notify(false, "STOPPING=1");
        return r < 0 ? log_error_errno(r, "The event loop failed: %m") : 0;
}

int main(int argc, char *argv[]) {
        return run(argc, argv) < 0 ? EXIT_FAILURE : EXIT_SUCCESS;
}
