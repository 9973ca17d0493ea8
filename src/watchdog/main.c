/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* pbotvm-watchdog: owns the machines, alone. This is its table of contents. */

#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <sys/stat.h>

#include "common/bus-loop.h"
#include "common/log.h"
#include "common/vm1.h"
#include "paths.h"
#include "watchdog/bus/manager-object.h"
#include "watchdog/failed-start.h"
#include "watchdog/manager.h"

extern char **environ;

/* systemd's RUNTIME_DIRECTORY, else what a private run names, else the usual place. */
static int open_run_dir(void) {
        const char *path = getenv("RUNTIME_DIRECTORY");

        if (!path)
                path = getenv("PBOTVM_WATCHDOG_RUN_DIR");
        if (!path)
                path = PBOTVM_WATCHDOG_RUN_DIR;
        (void)mkdir(path, 0700);

        int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        if (fd < 0)
                return log_error_errno(-errno, "Failed to open the runtime directory %s: %m", path);
        return fd;
}

static int load_config(Config **ret) {
        _cleanup_text_ Text errors = {};

        int r = config_load(NULL, environ, ret, &errors);
        if (r < 0)
                return log_write(LOG_ERR, r, MESSAGE_CONFIG, NULL, "The configuration is wrong: %s",
                        text_string(&errors));
        return 0;
}

static int open_bus(sd_event *event, sd_bus **ret) {
        sd_bus *bus = NULL;

        int r = sd_bus_open_system(&bus);
        if (r >= 0)
                r = sd_bus_attach_event(bus, event, SD_EVENT_PRIORITY_NORMAL);
        /* Without the bus nobody can lease or release: the next start puts the machines right. */
        if (r >= 0)
                r = sd_bus_set_exit_on_disconnect(bus, true);
        if (r < 0) {
                sd_bus_unref(bus);
                return log_error_errno(r, "Failed to connect to the bus: %m");
        }
        *ret = bus;
        return 0;
}

static int on_signal(sd_event_source *source _unused_, const struct signalfd_siginfo *info, void *userdata) {
        _cleanup_text_ Text errors = {};

        if (info->ssi_signo == SIGHUP)
                (void)manager_reload(userdata, &errors);
        else
                manager_stop(userdata);
        return 0;
}

static int add_signals(sd_event *event, Manager *manager) {
        static const int signals[] = { SIGTERM, SIGINT, SIGHUP };

        for (size_t i = 0; i < ELEMENTSOF(signals); i++) {
                int r = sd_event_add_signal(event, NULL, signals[i], on_signal, manager);
                if (r < 0)
                        return log_error_errno(r, "Failed to watch for signals: %m");
        }
        return 0;
}

/* *started: it served, whatever came then. */
static int run(int run_fd, bool *started) {
        _cleanup_(sd_event_unrefp) sd_event *event = NULL;
        _cleanup_(sd_bus_unrefp) sd_bus *bus = NULL;
        _cleanup_(manager_freep) Manager *manager = NULL;
        _cleanup_(bus_objects_freep) BusObjects *objects = NULL;
        Config *config = NULL;

        int r = load_config(&config);
        if (r < 0)
                return r;

        r = sd_event_new(&event);
        if (r < 0) {
                config_free(config);
                return log_error_errno(r, "Failed to make an event loop: %m");
        }
        r = open_bus(event, &bus);
        if (r < 0) {
                config_free(config);
                return r;
        }
        r = manager_new(event, bus, config, run_fd, &manager);
        if (r < 0)
                return log_error_errno(r, "Failed to set up: %m");
        r = add_signals(event, manager);
        if (r < 0)
                return r;
        r = bus_objects_new(manager, bus, &objects);
        if (r >= 0)
                r = sd_bus_request_name(bus, VM1_NAME, 0);
        if (r < 0)
                return log_error_errno(r, "Failed to take the name " VM1_NAME " on the bus: %m");
        manager_start(manager);
        *started = true;
        failed_start_forget(run_fd);
        return bus_loop_run(event);
}

static int start(void) {
        _cleanup_close_ int run_fd = open_run_dir();
        bool started = false;

        int r = run_fd < 0 ? run_fd : run(run_fd, &started);
        if (r < 0 && !started)
                failed_start_wait(run_fd);
        return r;
}

int main(int argc, char *argv[]) {
        if (argc == 2 && streq(argv[1], "--version")) {
                puts(PBOTVM_VERSION);
                return 0;
        }
        if (argc > 1) {
                bool asked = streq(argv[1], "--help");
                fprintf(asked ? stdout : stderr,
                        "pbotvm-watchdog [--help | --version]\n\n"
                        "Owns the virtual machines: the service pbotvm-watchdog.service.\n"
                        "It is configured by /etc/pbotvm/pbotvm.json; see pbotvm-watchdog(8).\n");
                return asked ? 0 : 2;
        }

        sigset_t signals;
        sigemptyset(&signals);
        sigaddset(&signals, SIGTERM);
        sigaddset(&signals, SIGINT);
        sigaddset(&signals, SIGHUP);
        (void)sigprocmask(SIG_BLOCK, &signals, NULL);

        log_setup("pbotvm-watchdog");
        return start() < 0 ? EXIT_FAILURE : EXIT_SUCCESS;
}
