/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "handler/session.h"

#include "common/io.h"
#include "common/log.h"
#include "handler/client-link.h"
#include "handler/crowd.h"
#include "handler/record.h"
#include "handler/run.h"

/* A client that does not take its answer is given up. */
#define ANSWER_USEC (10 * USEC_PER_SEC)
/* One that sends more than it may is still read from, or the kernel would reset the connection and the
 * answer with it. */
#define DRAIN_USEC (2 * USEC_PER_SEC)
#define SETTLE_USEC (2 * USEC_PER_SEC)

static void log_mistakes(const Text *errors) {
        const char *p = text_string(errors);

        while (*p) {
                size_t n = strcspn(p, "\n");
                (void)log_write(LOG_ERR, 0, MESSAGE_CONFIG, NULL, "%.*s", (int)n, p);
                p += n + (p[n] == '\n');
        }
}

static int load_config(const SessionOptions *options, char *const *environment, Config **ret) {
        _cleanup_text_ Text errors = {};

        int r = config_load(options->config_file, environment, ret, &errors);
        if (r < 0)
                log_mistakes(&errors);
        return r;
}

/* The listener that was connected to, or NULL. */
static const ListenerConfig *find_listener(const Config *config, int fd) {
        char host[64], path[108];
        uint16_t port;

        if (config->n_listeners == 0)
                return NULL;
        if (client_local_path(fd, path) >= 0)
                return config_listener_unix(config, path);
        return client_local_address(fd, host, &port) >= 0 ? config_listener(config, host, port) : NULL;
}

static void handle_line(int fd, const SessionOptions *options, const Config *config, const Text *line,
        Run *run, Text *answer) {
        RunSetup setup = { RUN_SETUP_INIT };
        const ListenerConfig *listener = find_listener(config, fd);

        setup.config = config;
        setup.language_dirs = options->language_dirs;
        setup.rewrites_dir = options->rewrites_dir;
        setup.state_dir = options->state_dir;
        setup.machine = listener ? listener->machine : NULL;
        setup.machine_fixed = listener && listener->fixed;
        setup.client_fd = fd;
        setup.received = now_monotonic();
        setup.confine = options->confine;
        if (run_prepare(&setup, line->data, line->size, run, answer) == PIPELINE_RUN)
                run_execute(&setup, run, answer);
}

/* Decides the answer to what came in. */
static void decide(int fd, const SessionOptions *options, const Config *config, int input, const Text *line,
        Run *run, Text *answer) {
        if (input == CLIENT_TOO_LONG)
                run->verdict = VERDICT_TOO_LONG;
        else if (!config)
                run->verdict = VERDICT_MISCONFIGURED;
        else {
                handle_line(fd, options, config, line, run, answer);
                return;
        }
        text_append_string(answer, verdict_text(run->verdict));
}

int session_run(int fd, const SessionOptions *options, char *const *environment, uint64_t began) {
        _cleanup_(config_freep) Config *config = NULL;
        _cleanup_run_ Run run = RUN_INIT;
        _cleanup_text_ Text line = {}, answer = {};
        _cleanup_close_ int client = fd;

        (void)load_config(options, environment, &config);
        step_done(&run.steps, "configure");
        int input = client_receive(client, began, crowd_count, &line);
        if (input < 0)
                return log_error_errno(input, "Failed to read the request: %m");
        if (input == CLIENT_NOTHING)
                return 0;

        step_done(&run.steps, "receive");
        decide(client, options, config, input, &line, &run, &answer);
        size_t size = answer.size;
        int r = 0;
        if (run.verdict != VERDICT_CLIENT_GONE)
                r = client_answer(client, &answer, usec_add(now_monotonic(), ANSWER_USEC),
                        input == CLIENT_TOO_LONG ? DRAIN_USEC : 0);
        client = fd_close(client);
        step_done(&run.steps, "answer");

        if (run.bus)
                (void)lease_settle(run.bus, usec_add(now_monotonic(), SETTLE_USEC));
        record_request(&run, began, size);
        if (r == -EPIPE || r == -ECONNRESET)
                return 0;
        return r < 0 ? log_warning_errno(r, "Failed to send the answer: %m") : 0;
}
