/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* pbotvmctl: shows and commands the machines of pbotvm-watchdog. */

#include <getopt.h>
#include <locale.h>
#include <stdio.h>

#include "ctl/ctl.h"
#include "paths.h"

#define LINES_DEFAULT 5
#define LINES_MAX 1000
/* MiB, of a domain that is made. */
#define MEMORY_DEFAULT 2048
#define MEMORY_MIN 256
#define MEMORY_MAX (1 << 20)
#define CPUS_MAX 512

static const struct {
        const char *name;
        int arguments_min, arguments_max;
        bool json;
        bool bus; /* it is connected to first; if that fails, the verb is not run */
        int (*run)(Ctl *ctl, int argc, char **argv);
} verbs[] = {
        { "status", 0, 1, true, true, verb_status },
        { "list", 0, 0, true, true, verb_list },
        { "monitor", 0, 0, true, true, verb_monitor },
        { "revert", 1, 100, true, true, verb_revert },
        { "drain", 1, 1, true, true, verb_drain },
        { "snapshot", 1, 1, false, true, verb_snapshot },
        { "resume", 1, 1, true, true, verb_resume },
        { "reload", 0, 0, false, true, verb_reload },
        { "metrics", 0, 0, false, true, verb_metrics },
        { "doctor", 0, 0, true, false, verb_doctor },
        { "languages", 0, 0, true, false, verb_languages },
        { "attach", 2, 2, false, false, verb_attach },
        { "create", 2, 2, false, false, verb_create },
        { "import", 1, 1, false, false, verb_import },
};

static int help(void) {
        puts("pbotvmctl [OPTION...] [COMMAND]\n"
             "\n"
             "Show and command the virtual machines of pbotvm.\n"
             "\n"
             "Commands:\n"
             "  status [MACHINE]          How one machine or all of them are (default)\n"
             "  list                      A table of the machines\n"
             "  monitor                   Print what changes, until interrupted\n"
             "  revert MACHINE [REASON]   Revert to the snapshot, wait until it is done\n"
             "  snapshot MACHINE          Replace its snapshot by what it is now, tried\n"
             "  drain MACHINE             Give it no more requests\n"
             "  resume MACHINE            Give it requests again\n"
             "  reload                    Read the configuration again\n"
             "  metrics                   Print metrics for Prometheus\n"
             "  doctor                    Find what is wrong, and what mends it\n"
             "  languages                 The languages, and how their tools are called\n"
             "  attach KIND MACHINE       Give its domain a serial, vsock or channel\n"
             "  create MACHINE IMAGE      Make its domain from an image, and start it\n"
             "  import DIRECTORY          Take over what PBot's own programs kept there\n"
             "\n"
             "Options:\n"
             "  -h --help                 Show this help\n"
             "     --version              Show the version\n"
             "  -H --host=[USER@]HOST     Speak with the service of that host, by ssh\n"
             "  -j --json                 Print JSON\n"
             "     --languages            doctor: try each language too\n"
             "     --try                  languages: run each one's hello world too\n"
             "     --directory=DIR        languages: the files of this folder\n"
             "     --dry-run              attach, create, import: show, change nothing\n"
             "     --memory=MIB           create: memory of the domain, 2048\n"
             "     --cpus=N               create: its processors, 1\n"
             "     --template=FILE        create: by another definition\n"
             "     --force                import: replace what is there\n"
             "     --state=DIR            import: put the history there\n"
             "     --no-warm              snapshot: run no hello world before\n"
             "  -n --lines=N              Messages of the journal that status shows\n"
             "     --output=FILE          metrics: replace this file\n"
             "  -q --quiet --no-legend    No headings, no word of success\n"
             "     --no-ask-password      Never ask for a password\n"
             "     --no-pager             Accepted; there is no pager\n"
             "\n"
             "See pbotvmctl(1).");
        return EXIT_SUCCESS;
}

enum {
        OPTION_VERSION = 256,
        OPTION_NO_ASK_PASSWORD,
        OPTION_NO_PAGER,
        OPTION_LANGUAGES,
        OPTION_DRY_RUN,
        OPTION_FORCE,
        OPTION_MEMORY,
        OPTION_CPUS,
        OPTION_TEMPLATE,
        OPTION_STATE,
        OPTION_OUTPUT,
        OPTION_TRY,
        OPTION_DIRECTORY,
        OPTION_NO_WARM,
};

/* A number from min to max: 1, or -EINVAL, told. */
static int parse_number(const char *option, const char *text, unsigned min, unsigned max, unsigned *ret) {
        char *end;

        errno = 0;
        unsigned long number = strtoul(text, &end, 10);
        if (errno != 0 || *end || end == text || *text == '-' || number < min || number > max) {
                fprintf(stderr, "--%s=%s: expected a number from %u to %u.\n", option, text, min, max);
                return -EINVAL;
        }
        *ret = (unsigned)number;
        return 1;
}

static int parse_host(Ctl *ctl, const char *host) {
        /* What begins with a dash is an option to ssh. */
        if (isempty(host) || *host == '-') {
                fprintf(stderr, "--host=%s: expected [USER@]HOST.\n", host);
                return -EINVAL;
        }
        ctl->host = host;
        ctl->ask_password = false; /* who is asked there is nobody here */
        return 1;
}

/* 1 to go on, 0 if all is done, negative for a wrong option. */
static int parse_options(Ctl *ctl, int argc, char **argv) {
        static const struct option options[] = {
                { "help", no_argument, NULL, 'h' },
                { "version", no_argument, NULL, OPTION_VERSION },
                { "host", required_argument, NULL, 'H' },
                { "json", no_argument, NULL, 'j' },
                { "lines", required_argument, NULL, 'n' },
                { "quiet", no_argument, NULL, 'q' },
                { "no-legend", no_argument, NULL, 'q' },
                { "no-ask-password", no_argument, NULL, OPTION_NO_ASK_PASSWORD },
                { "no-pager", no_argument, NULL, OPTION_NO_PAGER },
                { "languages", no_argument, NULL, OPTION_LANGUAGES },
                { "dry-run", no_argument, NULL, OPTION_DRY_RUN },
                { "memory", required_argument, NULL, OPTION_MEMORY },
                { "cpus", required_argument, NULL, OPTION_CPUS },
                { "template", required_argument, NULL, OPTION_TEMPLATE },
                { "force", no_argument, NULL, OPTION_FORCE },
                { "state", required_argument, NULL, OPTION_STATE },
                { "no-warm", no_argument, NULL, OPTION_NO_WARM },
                { "try", no_argument, NULL, OPTION_TRY },
                { "directory", required_argument, NULL, OPTION_DIRECTORY },
                { "output", required_argument, NULL, OPTION_OUTPUT },
                {},
        };
        int c, r = 1;

        while (r > 0 && (c = getopt_long(argc, argv, "hH:jn:q", options, NULL)) >= 0)
                switch (c) {
                case 'h':
                        return help();
                case OPTION_VERSION:
                        puts("pbotvm " PBOTVM_VERSION);
                        return 0;
                case 'H':
                        r = parse_host(ctl, optarg);
                        break;
                case 'j':
                        ctl->json = true;
                        break;
                case 'n':
                        r = parse_number("lines", optarg, 0, LINES_MAX, &ctl->lines);
                        break;
                case 'q':
                        ctl->legend = false;
                        break;
                case OPTION_NO_ASK_PASSWORD:
                        ctl->ask_password = false;
                        break;
                case OPTION_NO_PAGER:
                        break;
                case OPTION_LANGUAGES:
                        ctl->languages = true;
                        break;
                case OPTION_DRY_RUN:
                        ctl->dry_run = true;
                        break;
                case OPTION_MEMORY:
                        r = parse_number("memory", optarg, MEMORY_MIN, MEMORY_MAX, &ctl->memory_mib);
                        break;
                case OPTION_CPUS:
                        r = parse_number("cpus", optarg, 1, CPUS_MAX, &ctl->cpus);
                        break;
                case OPTION_TEMPLATE:
                        ctl->template = optarg;
                        break;
                case OPTION_FORCE:
                        ctl->force = true;
                        break;
                case OPTION_STATE:
                        ctl->state = optarg;
                        break;
                case OPTION_NO_WARM:
                        ctl->warm = false;
                        break;
                case OPTION_TRY:
                        ctl->try = true;
                        break;
                case OPTION_DIRECTORY:
                        ctl->directory = optarg;
                        break;
                case OPTION_OUTPUT:
                        ctl->output = optarg;
                        break;
                default:
                        return -EINVAL; /* getopt has told */
                }
        return r;
}

static int run_verb(Ctl *ctl, int argc, char **argv) {
        for (size_t i = 0; i < ELEMENTSOF(verbs); i++) {
                if (!streq(verbs[i].name, argv[0]))
                        continue;
                if (argc - 1 < verbs[i].arguments_min) {
                        fprintf(stderr, "%s: which %s? See: %s\n", argv[0], verbs[i].bus ? "machine" : "one",
                                verbs[i].bus ? "pbotvmctl list" : "pbotvmctl(1)");
                        return EXIT_USAGE;
                }
                if (argc - 1 > verbs[i].arguments_max) {
                        fprintf(stderr, "%s: too many arguments.\n", argv[0]);
                        return EXIT_USAGE;
                }
                if (ctl->json && !verbs[i].json) {
                        fprintf(stderr, "%s: there is no JSON of this.\n", argv[0]);
                        return EXIT_USAGE;
                }
                if (ctl->host && !verbs[i].bus) {
                        fprintf(stderr, "%s: this looks at its own host; try: ssh %s pbotvmctl %s\n",
                                argv[0], ctl->host, argv[0]);
                        return EXIT_USAGE;
                }
                int r = verbs[i].bus ? ctl_connect(ctl) : 0;
                return r != 0 ? r : verbs[i].run(ctl, argc, argv);
        }
        fprintf(stderr, "Unknown command '%s'; see: pbotvmctl --help\n", argv[0]);
        return EXIT_USAGE;
}

int main(int argc, char **argv) {
        static char status[] = "status";
        char *nothing[] = { status, NULL };
        Ctl ctl = { .legend = true,
                .ask_password = true,
                .warm = true,
                .lines = LINES_DEFAULT,
                .memory_mib = MEMORY_DEFAULT,
                .cpus = 1 };

        (void)setlocale(LC_ALL, "");
        int r = parse_options(&ctl, argc, argv);
        if (r <= 0)
                return r < 0 ? EXIT_USAGE : EXIT_SUCCESS;

        r = optind < argc ? run_verb(&ctl, argc - optind, argv + optind) : run_verb(&ctl, 1, nothing);
        sd_bus_flush_close_unref(ctl.bus);
        return r;
}
