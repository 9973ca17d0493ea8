/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* pbotvm-exec, the drop-in for PBot's vm-exec: the handler's pipeline, from a shell. */
#include <signal.h>
#include <stdio.h>
#include <sys/stat.h>

#include "client/direct.h"
#include "common/io.h"
#include "common/log.h"
#include "common/utf8.h"
#include "handler/run.h"
#include "paths.h"

#define LANGUAGE_DIRS_MAX 4
#define CONNECT_USEC (2 * USEC_PER_SEC)
#define SETTLE_USEC (2 * USEC_PER_SEC)

typedef struct Arguments {
        bool dry_run;
        const char *config_file;
        const char *rewrites_dir;
        const char *state_dir;
        const char *language_dirs[LANGUAGE_DIRS_MAX + 1];
        size_t n_language_dirs;
        int first; /* the index in argv at which the request begins */
} Arguments;

static int help(void) {
        printf("pbotvm-exec [OPTION...] REQUEST...\n\n"
               "Runs a request, which is text or JSON, on PBot's virtual machine, as a request\n"
               "from the network would be, and shows the answer.\n\n"
               "     --help             Show this help\n"
               "     --version          Show the version\n"
               "     --dry-run          Show the request to the guest, do not send it\n"
               "     --config=FILE      Configuration file\n"
               "     --languages=DIR    Language files; may be repeated, the first found counts\n"
               "     --rewrites=DIR     Rewrites of output\n"
               "     --state=DIR        History and storage\n\n"
               "  pbotvm-exec -lang=sh echo hello\n"
               "  pbotvm-exec -lang=?                  list the languages\n\n"
               "PBOTVM_SERIAL, PBOTVM_CID and PBOTVM_DOMAIN choose the machine that has them; a\n"
               "serial port or CID that no machine has is connected to without the watchdog.\n");
        return 0;
}

/* 1 if it is one of our options, 0 if the request begins here, negative errno. */
static int take_option(const char *option, Arguments *arguments) {
        const struct {
                const char *prefix;
                const char **to;
        } options[] = { { "--config=", &arguments->config_file },
                { "--rewrites=", &arguments->rewrites_dir }, { "--state=", &arguments->state_dir } };
        const char *value;

        if (streq(option, "--dry-run")) {
                arguments->dry_run = true;
                return 1;
        }
        for (size_t i = 0; i < ELEMENTSOF(options); i++)
                if ((value = startswith(option, options[i].prefix))) {
                        *options[i].to = value;
                        return 1;
                }
        if (!(value = startswith(option, "--languages=")))
                return 0;
        if (arguments->n_language_dirs == LANGUAGE_DIRS_MAX) {
                log_error("At most %i --languages= are possible.", LANGUAGE_DIRS_MAX);
                return -EINVAL;
        }
        arguments->language_dirs[arguments->n_language_dirs++] = value;
        return 1;
}

/* Our options stand in front; the rest is the request, whatever it begins with. 1 to go on, 0 to stop. */
static int parse_arguments(int argc, char *argv[], Arguments *arguments) {
        int i = 1, r = 1;

        if (argc == 2 && streq(argv[1], "--help"))
                return help();
        if (argc == 2 && streq(argv[1], "--version")) {
                puts("pbotvm " PBOTVM_VERSION);
                return 0;
        }
        while (i < argc && (r = take_option(argv[i], arguments)) > 0)
                i++;
        if (r < 0)
                return r;
        if (arguments->n_language_dirs == 0) {
                arguments->language_dirs[0] = PBOTVM_LANGUAGES_LOCAL_DIR;
                arguments->language_dirs[1] = PBOTVM_LANGUAGES_DIR;
        }
        arguments->first = i;
        return 1;
}

/* The service's own directory for its user; for everybody else, root too, one of his own: files that root
 * makes would lock the handlers out. NULL if there is none. */
static char *find_state_dir(const char *given) {
        _cleanup_text_ Text path = {};
        const char *home = getenv("HOME"), *xdg = getenv("XDG_STATE_HOME");
        struct stat st;
        char *copy = NULL;

        if (!isempty(given))
                text_append_string(&path, given);
        else if (stat(PBOTVM_STATE_DIR, &st) >= 0 && st.st_uid == geteuid() && st.st_uid != 0)
                text_append_string(&path, PBOTVM_STATE_DIR);
        else if (xdg && xdg[0] == '/')
                text_append_printf(&path, "%s/pbotvm", xdg);
        else if (home && home[0] == '/')
                text_append_printf(&path, "%s/.local/state/pbotvm", home);
        else
                return NULL;

        int r = io_make_directories(text_string(&path));
        if (r < 0)
                log_warning_errno(r, "Failed to make %s, no history is kept: %m", text_string(&path));
        else
                (void)text_steal(&path, &copy, NULL);
        return copy;
}

/* An operator sits before it: mistakes go to the terminal as they are. */
static int load_config(const char *file, char *const *environment, Config **ret) {
        _cleanup_text_ Text errors = {};

        int r = config_load(file, environment, ret, &errors);
        if (r < 0)
                fputs(text_string(&errors), stderr);
        return r;
}

static uint64_t timeout_of_environment(const Config *config) {
        if (isempty(getenv("PBOTVM_TIMEOUT")))
                return 0;
        return config_default_machine(config)->timeout_usec;
}

/* Where the request goes by the environment. */
static int choose_machine(const Config *configured, const Config *config, RunSetup *setup) {
        const MachineConfig *machine = NULL;

        int r = direct_decide(configured, config, environ, &machine);
        if (r == DIRECT_MACHINE)
                setup->machine = machine->name;
        if (r < 0) {
                log_error("PBOTVM_DOMAIN: expected the domain of a machine, found \"%s\".",
                        getenv("PBOTVM_DOMAIN"));
                return r;
        }
        if (r != DIRECT_CONNECT || setup->dry)
                return 0;

        setup->direct_machine = machine;
        setup->direct_fd = direct_connect(machine, usec_add(now_monotonic(), CONNECT_USEC));
        if (setup->direct_fd < 0)
                return log_error_errno(setup->direct_fd,
                        "Failed to connect to the guest (serial port %u, CID %u): %m", machine->serial_port,
                        machine->cid);
        return 0;
}

static void append_request(int argc, char *argv[], int first, Text *line) {
        for (int i = first; i < argc; i++) {
                if (i > first)
                        text_append_char(line, ' ');
                text_append_string(line, argv[i]);
        }
}

/* As the network's clients get it: white space at the end is one newline. */
static int show(const Text *text) {
        fwrite(text_string(text), 1, utf8_trimmed_size(text_string(text), text->size), stdout);
        putchar('\n');
        return fflush(stdout) == 0 ? 0 : -EIO;
}

static int show_request(const Request *request) {
        _cleanup_text_ Text json = {};

        int r = request_write(request, true, &json);
        return r < 0 ? log_error_errno(r, "Failed to write the request: %m") : show(&json);
}

static int run_line(const RunSetup *setup, const Text *line) {
        _cleanup_run_ Run run = RUN_INIT;
        _cleanup_text_ Text answer = {};

        if (run_prepare(setup, text_string(line), line->size, &run, &answer) == PIPELINE_RUN) {
                if (setup->dry)
                        return show_request(&run.request);
                run_execute(setup, &run, &answer);
        }
        int r = show(&answer);
        if (run.bus)
                (void)lease_settle(run.bus, usec_add(now_monotonic(), SETTLE_USEC));
        return r < 0 ? r : verdict_is_good(run.verdict) ? 0 : -EIO;
}

int main(int argc, char *argv[]) {
        Arguments arguments = { .rewrites_dir = PBOTVM_REWRITES_DIR };
        _cleanup_(config_freep) Config *config = NULL, *configured = NULL;
        _cleanup_free_ char *state_dir = NULL;
        _cleanup_text_ Text line = {};

        log_setup("pbotvm-exec");
        (void)signal(SIGPIPE, SIG_IGN);
        int r = parse_arguments(argc, argv, &arguments);
        if (r <= 0)
                return r < 0 ? EXIT_FAILURE : EXIT_SUCCESS;
        if (load_config(arguments.config_file, environ, &config) < 0)
                return EXIT_FAILURE;
        /* The same file, so that a mistake would have shown already. */
        const char *file = arguments.config_file ? arguments.config_file : getenv("PBOTVM_CONFIG");
        if (load_config(file, NULL, &configured) < 0)
                return EXIT_FAILURE;

        state_dir = find_state_dir(arguments.state_dir);
        RunSetup setup = { RUN_SETUP_INIT };
        setup.config = config;
        setup.language_dirs = arguments.language_dirs;
        setup.rewrites_dir = arguments.rewrites_dir;
        setup.state_dir = state_dir;
        setup.received = now_monotonic();
        setup.confine = !arguments.dry_run;
        setup.dry = arguments.dry_run;
        setup.timeout_usec = timeout_of_environment(config);
        if (choose_machine(configured, config, &setup) < 0)
                return EXIT_FAILURE;

        append_request(argc, argv, arguments.first, &line);
        r = run_line(&setup, &line);
        fd_close(setup.direct_fd);
        return r < 0 ? EXIT_FAILURE : EXIT_SUCCESS;
}
