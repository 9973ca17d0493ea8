/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "world.h"

#include <fcntl.h>
#include <ftw.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>

#include "common/io.h"
#include "common/text.h"
#include "test.h"

/* ---- files ---- */

static void write_file(const World *w, const char *name, const char *text) {
        char path[128];

        snprintf(path, sizeof(path), "%s/%s", w->directory, name);
        int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
        assert_true(fd >= 0);
        assert_int_equal(write(fd, text, strlen(text)), strlen(text));
        fd_close(fd);
}

static int remove_one(
        const char *path, const struct stat *st _unused_, int type _unused_, struct FTW *ftw _unused_) {
        return remove(path);
}

void world_configure_whole(World *w, const char *text) {
        write_file(w, "pbotvm.json", text);
}

void world_configure(World *w, const char *machine, const char *more) {
        _cleanup_text_ Text text = {};

        text_append_printf(&text,
                "{\"machines\": {\"vm\": {\"serial\": %i, \"heart\": %i, \"channel\": null, "
                "\"channel-heart\": null%s%s}"
                "}, \"default-machine\": \"vm\"%s}",
                fake_guest_data_port(w->guest), fake_guest_heart_port(w->guest), *machine ? ", " : "",
                machine, more);
        world_configure_whole(w, text_string(&text));
}

/* ---- the bus ---- */

static const char bus_config[] =
        "<!DOCTYPE busconfig PUBLIC \"-//freedesktop//DTD D-Bus Bus Configuration 1.0//EN\"\n"
        " \"http://www.freedesktop.org/standards/dbus/1.0/busconfig.dtd\">\n"
        "<busconfig><type>session</type><listen>unix:path=%s/bus</listen><auth>EXTERNAL</auth>\n"
        "<policy context=\"default\"><allow user=\"*\"/><allow own=\"*\"/><allow send_destination=\"*\"/>\n"
        "<allow eavesdrop=\"true\"/></policy></busconfig>\n";

/* It has come up when it prints its address. */
static void start_bus(World *w) {
        _cleanup_text_ Text config = {}, option = {};
        char line[256] = "";
        int ready[2];

        text_append_printf(&config, bus_config, w->directory);
        write_file(w, "bus.conf", text_string(&config));
        text_append_printf(&option, "--config-file=%s/bus.conf", w->directory);
        assert_int_equal(pipe2(ready, O_CLOEXEC), 0);
        w->bus_pid = fork();
        assert_true(w->bus_pid >= 0);
        if (w->bus_pid == 0) {
                prctl(PR_SET_PDEATHSIG, SIGKILL);
                dup2(ready[1], STDOUT_FILENO);
                /* It complains about limits that it may not raise. */
                dup2(open("/dev/null", O_WRONLY | O_CLOEXEC), STDERR_FILENO);
                execlp("dbus-daemon", "dbus-daemon", "--nofork", "--print-address", text_string(&option),
                        NULL);
                _exit(127);
        }
        fd_close(ready[1]);
        assert_true(io_read(ready[0], line, sizeof(line) - 1, now_monotonic() + WORLD_PATIENCE_USEC) > 0);
        fd_close(ready[0]);
        assert_true(asprintf(&w->address, "unix:path=%s/bus", w->directory) > 0);
}

sd_bus *world_connect(World *w) {
        sd_bus *bus = NULL;

        assert_int_equal(sd_bus_new(&bus), 0);
        assert_true(sd_bus_set_address(bus, w->address) >= 0);
        assert_true(sd_bus_set_bus_client(bus, true) >= 0);
        assert_true(sd_bus_start(bus) >= 0);
        return bus;
}

/* ---- the watchdog ---- */

static void open_notify(World *w) {
        struct sockaddr_un a = { .sun_family = AF_UNIX };

        snprintf(a.sun_path, sizeof(a.sun_path), "%s/notify", w->directory);
        w->notify_fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
        assert_true(w->notify_fd >= 0);
        assert_int_equal(bind(w->notify_fd, (struct sockaddr *)&a, sizeof(a)), 0);
}

static void hear(World *w, char *text) {
        pthread_mutex_lock(&w->lock);
        for (char *save, *line = strtok_r(text, "\n", &save); line; line = strtok_r(NULL, "\n", &save)) {
                const char *status = startswith(line, "STATUS=");
                if (status)
                        snprintf(w->status, sizeof(w->status), "%s", status);
                w->readies += streq(line, "READY=1");
                w->reloads += streq(line, "RELOADING=1");
                w->pings += streq(line, "WATCHDOG=1");
                w->stops += streq(line, "STOPPING=1");
        }
        pthread_cond_broadcast(&w->told);
        pthread_mutex_unlock(&w->lock);
}

/* An empty datagram ends it. */
static void *listen_to_it(void *userdata) {
        World *w = userdata;
        char text[8192];
        ssize_t n;

        while ((n = recv(w->notify_fd, text, sizeof(text) - 1, 0)) > 0) {
                text[n] = '\0';
                hear(w, text);
        }
        return NULL;
}

static void start_listener(World *w) {
        pthread_condattr_t attributes;

        pthread_condattr_init(&attributes);
        pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
        pthread_cond_init(&w->told, &attributes);
        pthread_condattr_destroy(&attributes);
        pthread_mutex_init(&w->lock, NULL);
        assert_int_equal(pthread_create(&w->listener, NULL, listen_to_it, w), 0);
}

static void stop_listener(World *w) {
        struct sockaddr_un a = { .sun_family = AF_UNIX };

        snprintf(a.sun_path, sizeof(a.sun_path), "%s/notify", w->directory);
        (void)sendto(w->notify_fd, "", 0, 0, (struct sockaddr *)&a, sizeof(a));
        pthread_join(w->listener, NULL);
        pthread_cond_destroy(&w->told);
        pthread_mutex_destroy(&w->lock);
}

/* With the lock held: false when nothing more came in time. */
static bool wait_until(World *w, uint64_t deadline) {
        struct timespec t = { (time_t)(deadline / USEC_PER_SEC), (long)(deadline % USEC_PER_SEC * 1000) };

        return pthread_cond_timedwait(&w->told, &w->lock, &t) == 0;
}

void world_wait_status(World *w, const char *text) {
        uint64_t deadline = now_monotonic() + WORLD_PATIENCE_USEC;
        bool found;

        pthread_mutex_lock(&w->lock);
        while (!(found = strstr(w->status, text)) && wait_until(w, deadline))
                ;
        pthread_mutex_unlock(&w->lock);
        if (!found)
                fail_msg("waited for the status '%s', it is '%s'", text, w->status);
}

unsigned world_count(World *w, const unsigned *counter) {
        pthread_mutex_lock(&w->lock);
        unsigned is = *counter;
        pthread_mutex_unlock(&w->lock);
        return is;
}

void world_wait_count(World *w, const unsigned *counter, unsigned value) {
        uint64_t deadline = now_monotonic() + WORLD_PATIENCE_USEC;

        pthread_mutex_lock(&w->lock);
        while (*counter < value && wait_until(w, deadline))
                ;
        unsigned is = *counter;
        pthread_mutex_unlock(&w->lock);
        assert_true(is >= value);
}

static void read_log(const World *w, Text *log) {
        _cleanup_text_ Text path = {};

        text_append_printf(&path, "%s/log", w->directory);
        assert_int_equal(io_read_file(AT_FDCWD, text_string(&path), (size_t)64 << 20, log), 0);
}

void world_wait_log(World *w, const char *text) {
        uint64_t deadline = now_monotonic() + WORLD_PATIENCE_USEC;

        while (world_log_count(w, text) == 0 && now_monotonic() < deadline)
                usleep(10000);
        assert_int_equal(world_log_count(w, text), 1);
}

bool world_log_has_line(World *w, const char *first, const char *then) {
        _cleanup_text_ Text log = {};

        read_log(w, &log);
        for (const char *p = text_string(&log); (p = strstr(p, first)); p++) {
                const char *behind = strstr(p, then);
                if (behind && behind < p + strcspn(p, "\n"))
                        return true;
        }
        return false;
}

size_t world_log_count(World *w, const char *text) {
        _cleanup_text_ Text log = {};
        size_t n = 0;

        read_log(w, &log);
        for (const char *p = text_string(&log); (p = strstr(p, text)); p++)
                n++;
        return n;
}

void world_set(World *w, const char *name, const char *value) {
        assert_true(w->n_variables < ELEMENTSOF(w->variables));
        assert_true(asprintf(&w->variables[w->n_variables++], "%s=%s", name, value) > 0);
}

void world_unset_all(World *w) {
        while (w->n_variables > 0)
                free(w->variables[--w->n_variables]);
}

static void run_watchdog(const World *w) {
        static const struct {
                const char *name;
                const char *file;
        } paths[] = {
                { "NOTIFY_SOCKET", "notify" },
                { "PBOTVM_WATCHDOG_RUN_DIR", "run" },
                { "PBOTVM_CONFIG", "pbotvm.json" },
        };
        char path[128];

        prctl(PR_SET_PDEATHSIG, SIGKILL);
        for (size_t i = 0; i < ELEMENTSOF(paths); i++) {
                snprintf(path, sizeof(path), "%s/%s", w->directory, paths[i].file);
                setenv(paths[i].name, path, true);
        }
        setenv("DBUS_SYSTEM_BUS_ADDRESS", w->address, true);
        for (size_t i = 0; i < w->n_variables; i++)
                putenv(w->variables[i]);
        if (!getenv("PBOTVM_TEST_VERBOSE")) {
                snprintf(path, sizeof(path), "%s/log", w->directory);
                int fd = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
                dup2(fd, STDERR_FILENO);
        }
        execl(getenv("PBOTVM_WATCHDOG"), "pbotvm-watchdog", NULL);
        _exit(127);
}

void world_start_dying(World *w) {
        pthread_mutex_lock(&w->lock);
        w->status[0] = '\0';
        w->readies = 0;
        pthread_mutex_unlock(&w->lock);
        w->watchdog_pid = fork();
        assert_true(w->watchdog_pid >= 0);
        if (w->watchdog_pid == 0)
                run_watchdog(w);
}

void world_start(World *w) {
        world_start_dying(w);
        world_wait_count(w, &w->readies, 1);
}

void world_start_ready(World *w, const char *machine) {
        world_configure(w, machine, "");
        world_start(w);
        world_wait_status(w, "vm ready");
}

int world_wait_end(World *w) {
        int status = 0;

        assert_int_equal(waitpid(w->watchdog_pid, &status, 0), w->watchdog_pid);
        w->watchdog_pid = 0;
        return status;
}

int world_end(World *w, int sig) {
        assert_int_equal(kill(w->watchdog_pid, sig), 0);
        return world_wait_end(w);
}

int world_setup(void **state) {
        World *w = calloc(1, sizeof(*w));
        assert_non_null(w);

        snprintf(w->directory, sizeof(w->directory), "/tmp/pbotvm-test-XXXXXX");
        assert_non_null(mkdtemp(w->directory));
        start_bus(w);
        open_notify(w);
        start_listener(w);
        w->guest = fake_guest_new(NULL);
        *state = w;
        return 0;
}

int world_teardown(void **state) {
        World *w = *state;

        if (w->watchdog_pid > 0)
                (void)world_end(w, SIGKILL);
        (void)kill(w->bus_pid, SIGKILL);
        (void)waitpid(w->bus_pid, NULL, 0);
        fake_guest_free(w->guest);
        stop_listener(w);
        fd_close(w->notify_fd);
        world_unset_all(w);
        (void)nftw(w->directory, remove_one, 8, FTW_DEPTH | FTW_PHYS);
        free(w->address);
        free(w);
        return 0;
}
