/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* pbotvm-handler: serves the one connection that it inherits. */
#include <fcntl.h>
#include <getopt.h>
#include <signal.h>
#include <stdio.h>
#include <sys/socket.h>
#include <systemd/sd-daemon.h>

#include "common/io.h"
#include "common/log.h"
#include "handler/session.h"
#include "paths.h"

#define LANGUAGE_DIRS_MAX 4

typedef struct Arguments {
        SessionOptions session;
        const char *language_dirs[LANGUAGE_DIRS_MAX + 1];
        size_t n_language_dirs;
} Arguments;

static const char *const default_language_dirs[] = { PBOTVM_LANGUAGES_LOCAL_DIR, PBOTVM_LANGUAGES_DIR,
        NULL };

static void help(void) {
        printf("pbotvm-handler [OPTION...]\n\n"
               "Serves one request to PBot's virtual machine on the connection that is its\n"
               "standard input, or that is passed by socket activation.\n\n"
               "  -h --help             Show this help\n"
               "     --version          Show the version\n"
               "     --config=FILE      Configuration file\n"
               "     --languages=DIR    Language files; may be repeated, the first found counts\n"
               "     --rewrites=DIR     Rewrites of output\n"
               "     --state=DIR        History and storage\n");
}

/* 1 to go on, 0 to stop, negative errno. */
static int parse_arguments(int argc, char *argv[], Arguments *arguments) {
        enum { ARG_VERSION = 0x100, ARG_CONFIG, ARG_LANGUAGES, ARG_REWRITES, ARG_STATE };
        static const struct option options[] = {
                { "help", no_argument, NULL, 'h' },
                { "version", no_argument, NULL, ARG_VERSION },
                { "config", required_argument, NULL, ARG_CONFIG },
                { "languages", required_argument, NULL, ARG_LANGUAGES },
                { "rewrites", required_argument, NULL, ARG_REWRITES },
                { "state", required_argument, NULL, ARG_STATE },
                {},
        };
        int c;

        while ((c = getopt_long(argc, argv, "h", options, NULL)) >= 0)
                switch (c) {
                case 'h':
                        help();
                        return 0;
                case ARG_VERSION:
                        puts("pbotvm " PBOTVM_VERSION);
                        return 0;
                case ARG_CONFIG:
                        arguments->session.config_file = optarg;
                        break;
                case ARG_LANGUAGES:
                        if (arguments->n_language_dirs == LANGUAGE_DIRS_MAX) {
                                log_error("At most %i --languages= are possible.", LANGUAGE_DIRS_MAX);
                                return -EINVAL;
                        }
                        arguments->language_dirs[arguments->n_language_dirs++] = optarg;
                        arguments->session.language_dirs = arguments->language_dirs;
                        break;
                case ARG_REWRITES:
                        arguments->session.rewrites_dir = optarg;
                        break;
                case ARG_STATE:
                        arguments->session.state_dir = optarg;
                        break;
                default:
                        return -EINVAL;
                }
        if (optind < argc) {
                log_error("Unexpected argument '%s'.", argv[optind]);
                return -EINVAL;
        }
        return 1;
}

/* The connection as a descriptor of its own, so that closing it ends it: it stands as input and as output.
 */
static int take_over(int fd) {
        int connection = fcntl(fd, F_DUPFD_CLOEXEC, 3);
        if (connection < 0)
                return log_error_errno(-errno, "Failed to duplicate the connection: %m");

        _cleanup_close_ int null = open("/dev/null", O_RDWR | O_CLOEXEC | O_NOCTTY);
        if (null < 0)
                return log_error_errno(-errno, "Failed to open /dev/null: %m");
        (void)dup2(null, STDIN_FILENO);
        (void)dup2(null, STDOUT_FILENO);
        if (fd > STDERR_FILENO)
                fd_close(fd);
        return connection;
}

/* The one socket: passed by socket activation, or standard input (Accept=yes with StandardInput=socket). */
static int adopt_connection(void) {
        int n = sd_listen_fds(true), fd = n == 1 ? SD_LISTEN_FDS_START : STDIN_FILENO;

        if (n > 1) {
                log_error("Expected one connection, got %i.", n);
                return -EINVAL;
        }
        if (sd_is_socket(fd, AF_UNSPEC, SOCK_STREAM, 0) <= 0) {
                log_error("Expected a connection as standard input: this program is run by pbotvm.socket.");
                return -ENOTSOCK;
        }
        return take_over(fd);
}

int main(int argc, char *argv[]) {
        uint64_t began = now_monotonic();
        Arguments arguments = { .session = {
                                        .language_dirs = default_language_dirs,
                                        .rewrites_dir = PBOTVM_REWRITES_DIR,
                                        .state_dir = PBOTVM_STATE_DIR,
                                        .confine = true,
                                } };

        log_setup("pbotvm-handler");
        (void)signal(SIGPIPE, SIG_IGN);
        int r = parse_arguments(argc, argv, &arguments);
        if (r <= 0)
                return r < 0 ? EXIT_FAILURE : EXIT_SUCCESS;

        int fd = adopt_connection();
        if (fd < 0)
                return EXIT_FAILURE;
        log_open();
        r = session_run(fd, &arguments.session, environ, began);
        return r < 0 ? EXIT_FAILURE : EXIT_SUCCESS;
}
