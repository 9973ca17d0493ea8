/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The backend of QEMU alone, between a systemd and a QEMU that the test plays. */

#include <stdio.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>

#include "common/io.h"
#include "fake-systemd.h"
#include "test.h"
#include "qemu/template.h"
#include "watchdog/qemu/driver.h"

#define JOB "/org/freedesktop/systemd1/job/7"
#define UNIT "pbotvm-qemu@vm.service"

typedef struct World {
        sd_event *event;
        char folder[40], definitions[60], templates[60], run[60];
        sd_bus *ours, *systemd;
        BackendDriver *driver;
        Backend *backend;
        MachineConfig config;

        /* What systemd was asked, and how it answers. */
        Text asked;
        const char *status_text;
        bool refuses;
        uint64_t cpu_nsec;

        /* QEMU. */
        int listener, monitor;
        sd_event_source *accepts, *reads;
        const char *status; /* NULL: it says nothing */

        /* What was told. */
        BackendLook look;
        char message[300];
        unsigned looks, crashes, reboots, reverts, changes;
        ResetResult reverted;
        int changed;
} World;

/* ---- systemd ---- */

static int on_call(sd_bus_message *call, void *userdata, sd_bus_error *error) {
        World *w = userdata;
        const char *member = sd_bus_message_get_member(call), *unit, *mode, *property;

        if (streq(member, "Subscribe"))
                return sd_bus_reply_method_return(call, NULL);
        if (streq(member, "Get")) {
                assert_true(sd_bus_message_read(call, "ss", &unit, &property) > 0);
                assert_string_equal(unit, "org.freedesktop.systemd1.Service");
                if (streq(property, "StatusText"))
                        return sd_bus_reply_method_return(call, "v", "s", w->status_text);
                assert_string_equal(property, "CPUUsageNSec");
                return sd_bus_reply_method_return(call, "v", "t", w->cpu_nsec);
        }
        assert_true(sd_bus_message_read(call, "ss", &unit, &mode) > 0);
        text_append_printf(&w->asked, "%s %s %s,", member, unit, mode);
        if (w->refuses)
                return sd_bus_error_set(error, SD_BUS_ERROR_ACCESS_DENIED, "Not you.");
        return sd_bus_reply_method_return(call, "o", JOB);
}

/* ---- QEMU ---- */

static void say(World *w, const char *text) {
        assert_int_equal(send(w->monitor, text, strlen(text), MSG_NOSIGNAL), strlen(text));
}

static int on_question(sd_event_source *source, int fd, uint32_t revents _unused_, void *userdata) {
        World *w = userdata;
        char text[1000], answer[200];

        ssize_t n = recv(fd, text, sizeof(text) - 1, MSG_DONTWAIT);
        if (n <= 0)
                return sd_event_source_set_enabled(source, SD_EVENT_OFF);
        text[n] = '\0';
        int id = atoi(strstr(text, "\"id\":") + 5);
        if (strstr(text, "qmp_capabilities"))
                snprintf(answer, sizeof(answer), "{\"return\": {}, \"id\": %i}\r\n", id);
        else if (w->status)
                snprintf(answer, sizeof(answer), "{\"return\": {\"status\": \"%s\"}, \"id\": %i}\r\n",
                        w->status, id);
        else
                return 0;
        say(w, answer);
        return 0;
}

static int on_connection(
        sd_event_source *source _unused_, int fd, uint32_t revents _unused_, void *userdata) {
        World *w = userdata;

        w->reads = sd_event_source_disable_unref(w->reads);
        fd_close(w->monitor);
        w->monitor = accept4(fd, NULL, NULL, SOCK_CLOEXEC);
        assert_true(w->monitor >= 0);
        say(w, "{\"QMP\": {\"version\": {\"qemu\": {\"micro\": 1, \"minor\": 2, \"major\": 7}}}}\r\n");
        assert_true(sd_event_add_io(w->event, &w->reads, w->monitor, EPOLLIN, on_question, w) >= 0);
        return 0;
}

static void start_qemu(World *w) {
        struct sockaddr_un address = { .sun_family = AF_UNIX };

        snprintf(address.sun_path, sizeof(address.sun_path), "%s/vm/monitor", w->run);
        (void)unlink(address.sun_path);
        w->listener = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
        assert_return_code(bind(w->listener, (struct sockaddr *)&address, sizeof(address)), errno);
        assert_return_code(listen(w->listener, 1), errno);
        assert_true(sd_event_add_io(w->event, &w->accepts, w->listener, EPOLLIN, on_connection, w) >= 0);
}

static void stop_qemu(World *w) {
        w->accepts = sd_event_source_disable_unref(w->accepts);
        w->reads = sd_event_source_disable_unref(w->reads);
        w->listener = fd_close(w->listener);
        w->monitor = fd_close(w->monitor);
}

/* ---- the machine ---- */

static void on_looked(const BackendLook *look, void *userdata) {
        World *w = userdata;

        w->looks++;
        w->look = *look;
        snprintf(w->message, sizeof(w->message), "%s", look->message ? look->message : "");
        w->look.message = NULL;
}

static void on_crashed(void *userdata) {
        ((World *)userdata)->crashes++;
}

static void on_rebooted(void *userdata) {
        ((World *)userdata)->reboots++;
}

static void on_reverted(ResetResult result, const char *message, void *userdata) {
        World *w = userdata;

        w->reverts++;
        w->reverted = result;
        /* As the watchdog does, before it has told of the words. */
        if (result == RESET_IMPOSSIBLE)
                w->backend->verbs->look(w->backend);
        snprintf(w->message, sizeof(w->message), "%s", message);
}

static void on_changed(int result, const char *message, void *userdata) {
        World *w = userdata;

        w->changes++;
        w->changed = result;
        snprintf(w->message, sizeof(w->message), "%s", message);
}

static void on_restocked(void *userdata _unused_) {
}

static void define(World *w, const char *json) {
        char path[100];

        snprintf(path, sizeof(path), "%s/vm.json", w->definitions);
        assert_int_equal(io_write_file(path, json, strlen(json), 0600), 0);
}

static void make_template(World *w) {
        const Passport passport = { .emulator = "7.2.1", .machine = "pc-i440fx-7.2" };
        _cleanup_(qemu_definition_freep) QemuDefinition *definition = NULL;
        _cleanup_text_ Text errors = {};
        char path[100];

        define(w, "{ \"disk\": { \"file\": \"/x\" } }");
        assert_int_equal(qemu_definition_load(w->definitions, "vm", &definition, &errors), 0);
        snprintf(path, sizeof(path), "%s/vm", w->templates);
        assert_return_code(mkdir(path, 0700), errno);
        assert_int_equal(qemu_template_sign(path, definition, &passport), 0);
}

static void world_setup(World *w) {
        const BackendHooks hooks = { on_looked, on_crashed, on_rebooted, on_reverted, on_changed,
                on_restocked, w };
        char path[100];

        *w = (World){ .folder = "/tmp/pbotvm-backend-XXXXXX",
                .listener = -EBADF,
                .monitor = -EBADF,
                .status = "running",
                .status_text = "",
                .config.name = (char *)"vm" };
        assert_non_null(mkdtemp(w->folder));
        snprintf(w->definitions, sizeof(w->definitions), "%s/definitions", w->folder);
        snprintf(w->templates, sizeof(w->templates), "%s/templates", w->folder);
        snprintf(w->run, sizeof(w->run), "%s/run", w->folder);
        snprintf(path, sizeof(path), "%s/vm", w->run);
        assert_true(mkdir(w->definitions, 0700) == 0 && mkdir(w->templates, 0700) == 0);
        assert_true(mkdir(w->run, 0700) == 0 && mkdir(path, 0700) == 0);
        assert_true(sd_event_new(&w->event) >= 0);
        fake_systemd_open(w->event, on_call, w, &w->ours, &w->systemd);
        const QemuFolders folders = { w->definitions, w->templates, w->run };
        assert_int_equal(qemu_driver_new(w->ours, &folders, &w->driver), 0);
        assert_int_equal(w->driver->verbs->open(w->driver, &w->config, &hooks, &w->backend), 0);
}

static void world_done(World *w) {
        char command[80];

        w->backend->verbs->free(w->backend);
        w->driver->verbs->end(w->driver);
        stop_qemu(w);
        sd_bus_close(w->ours);
        sd_bus_unref(w->ours);
        sd_bus_close(w->systemd);
        sd_bus_unref(w->systemd);
        sd_event_unref(w->event);
        text_done(&w->asked);
        snprintf(command, sizeof(command), "rm -rf %s", w->folder);
        assert_int_equal(system(command), 0);
}

static void look(World *w) {
        unsigned before = w->looks;

        w->backend->verbs->look(w->backend);
        assert_int_equal(w->looks, before); /* told from the loop alone */
        until(w->event, w->looks > before);
}

static void test_ways(void **state) {
        (void)state;
        _cleanup_(world_done) World w;

        world_setup(&w);
        look(&w);
        assert_int_equal(w.look.way, WAY_NO_MACHINE);
        assert_int_equal(w.look.run, RUN_OFF);
        define(&w, "{ \"disk\": 1 }");
        look(&w);
        assert_int_equal(w.look.way, WAY_REFUSED);
        assert_non_null(strstr(w.message, "vm.json:1: disk: expected an object, found a number, 1"));
        define(&w, "{ \"disk\": { \"file\": \"/x\" } }");
        look(&w);
        assert_int_equal(w.look.way, WAY_NO_SNAPSHOT);
        assert_int_equal(w.look.snapshot_usec, 0);
        make_template(&w);
        look(&w);
        assert_int_equal(w.look.way, WAY_OPEN);
        assert_true(w.look.snapshot_usec > 0);
        assert_string_equal(w.look.snapshot_made_by, "QEMU 7.2.1, machine pc-i440fx-7.2");
        assert_int_equal(w.look.memory_bytes, (uint64_t)2 << 30);
        define(&w, "{ \"disk\": { \"file\": \"/x\" }, \"processors\": 2 }");
        look(&w);
        assert_int_equal(w.look.way, WAY_REFUSED);
        assert_non_null(
                strstr(w.message, "\"-smp 2\" is new; make one with: systemctl start pbotvm-template@vm"));
}

static void test_run(void **state) {
        (void)state;
        static const struct {
                const char *status;
                RunFact run;
        } table[] = {
                { "paused", RUN_PAUSED },
                { "inmigrate", RUN_PAUSED },
                { "io-error", RUN_PAUSED },
                { "guest-panicked", RUN_CRASHED },
                { "finish-migrate", RUN_SAVING },
                { "running", RUN_RUNNING },
        };
        _cleanup_(world_done) World w;

        world_setup(&w);
        make_template(&w);
        w.cpu_nsec = 5000000;
        start_qemu(&w);
        look(&w);
        assert_int_equal(w.look.run, RUN_RUNNING);
        assert_int_equal(w.look.cpu_usec, 5000);
        int id = w.look.id;
        for (size_t i = 0; i < ELEMENTSOF(table); i++) {
                w.status = table[i].status;
                look(&w);
                assert_int_equal(w.look.run, table[i].run);
                assert_int_equal(w.look.id, id);
        }

        /* What happens to it is told, or looked at. */
        unsigned looks = w.looks;
        say(&w, "{\"event\": \"GUEST_PANICKED\", \"data\": {\"action\": \"pause\"}}\r\n");
        until(w.event, w.crashes == 1);
        say(&w, "{\"event\": \"RESET\", \"data\": {\"guest\": false, \"reason\": "
                "\"host-qmp-system-reset\"}}\r\n"
                "{\"event\": \"RESET\", \"data\": {\"guest\": true, \"reason\": \"guest-reset\"}}\r\n"
                "{\"event\": \"STOP\"}\r\n");
        until(w.event, w.looks > looks);
        assert_int_equal(w.reboots, 1);

        /* It ends, and another one comes. */
        looks = w.looks;
        stop_qemu(&w);
        until(w.event, w.looks > looks);
        assert_int_equal(w.look.run, RUN_OFF);
        start_qemu(&w);
        look(&w);
        assert_int_equal(w.look.run, RUN_RUNNING);
        assert_int_not_equal(w.look.id, id);
}

static void test_silent(void **state) {
        (void)state;
        _cleanup_(world_done) World w;

        world_setup(&w);
        make_template(&w);
        start_qemu(&w);
        w.status = NULL;
        look(&w);
        assert_int_equal(w.look.run, RUN_UNKNOWN);
}

/* Others hold the monitor and fill its queue: that is no end of QEMU's. */
static void test_full_queue(void **state) {
        (void)state;
        struct sockaddr_un address = { .sun_family = AF_UNIX };
        _cleanup_(world_done) World w;
        int fds[8], n = 0, r = 0;

        world_setup(&w);
        make_template(&w);
        start_qemu(&w);
        w.accepts = sd_event_source_disable_unref(w.accepts);
        snprintf(address.sun_path, sizeof(address.sun_path), "%s/vm/monitor", w.run);
        for (; r == 0 && n < (int)ELEMENTSOF(fds); n++) {
                fds[n] = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
                assert_return_code(fds[n], errno);
                r = connect(fds[n], (const struct sockaddr *)&address, sizeof(address)) < 0 ? -errno : 0;
        }
        assert_int_equal(r, -EAGAIN);
        look(&w);
        assert_int_equal(w.look.run, RUN_UNKNOWN);
        while (n > 0)
                fd_close(fds[--n]);
}

static void test_revert(void **state) {
        (void)state;
        _cleanup_(world_done) World w;

        world_setup(&w);
        make_template(&w);
        start_qemu(&w);
        look(&w);
        unsigned looks = w.looks;

        /* A look on its way counts for nothing. */
        w.backend->verbs->look(w.backend);
        assert_int_equal(w.backend->verbs->revert(w.backend, SNAPSHOT_IN_FORCE), 0);
        w.backend->verbs->look(w.backend);
        until(w.event, w.asked.size > 0);
        assert_string_equal(text_string(&w.asked), "RestartUnit pbotvm-qemu@vm.service replace,");
        stop_qemu(&w);
        fake_systemd_end_job(w.systemd, "/org/freedesktop/systemd1/job/6", UNIT, "failed");
        fake_systemd_end_job(w.systemd, JOB, UNIT, "done");
        until(w.event, w.reverts == 1);
        assert_int_equal(w.reverted, RESET_DONE);
        assert_string_equal(w.message, "");
        assert_int_equal(w.looks, looks);
        start_qemu(&w);
        look(&w);
        assert_int_equal(w.look.run, RUN_RUNNING);
}

static void test_failed_revert(void **state) {
        (void)state;
        _cleanup_(world_done) World w;

        world_setup(&w);
        make_template(&w);
        for (int i = 0; i < 2; i++) {
                w.status_text = i == 0 ? "QEMU does not like it" : "";
                assert_int_equal(w.backend->verbs->revert(w.backend, SNAPSHOT_IN_FORCE), 0);
                until(w.event, w.asked.size > 0);
                text_clear(&w.asked);
                for (int k = 0; k < 3; k++)
                        assert_true(sd_event_run(w.event, 10 * USEC_PER_MSEC) >= 0);
                fake_systemd_end_job(w.systemd, JOB, UNIT, "timeout");
                until(w.event, w.reverts == (unsigned)i + 1);
                assert_int_equal(w.reverted, RESET_FAILED);
                assert_string_equal(
                        w.message, i == 0 ? "QEMU does not like it"
                                          : "pbotvm-qemu@vm.service: timeout; its journal says why");
        }
        w.refuses = true;
        assert_int_equal(w.backend->verbs->revert(w.backend, SNAPSHOT_IN_FORCE), 0);
        until(w.event, w.reverts == 3);
        assert_int_equal(w.reverted, RESET_FAILED);
        assert_string_equal(w.message, "systemd does not start pbotvm-qemu@vm.service: Not you.");
}

/* Without a template it would boot: nothing is begun. */
static void test_impossible_revert(void **state) {
        (void)state;
        _cleanup_(world_done) World w;

        world_setup(&w);
        define(&w, "{ \"disk\": { \"file\": \"/x\" } }");
        assert_int_equal(w.backend->verbs->revert(w.backend, SNAPSHOT_IN_FORCE), 0);
        assert_int_equal(w.reverts, 0);
        define(&w, "{ \"disk\": 1 }");
        until(w.event, w.reverts == 1);
        assert_int_equal(w.reverted, RESET_IMPOSSIBLE);
        assert_string_equal(
                w.message, "vm has no template; make one with: systemctl start pbotvm-template@vm");
        assert_int_equal(w.asked.size, 0);
        look(&w);
}

static void test_template(void **state) {
        (void)state;
        _cleanup_(world_done) World w;

        world_setup(&w);
        make_template(&w);
        assert_int_equal(w.backend->verbs->take(w.backend, SNAPSHOT_SPARE), 0);
        assert_int_equal(w.changes, 0);
        until(w.event, w.changes == 1);
        assert_int_equal(w.changed, 1);
        w.status_text = "the guest's agent did not answer";
        assert_int_equal(w.backend->verbs->take(w.backend, SNAPSHOT_PROPER), 0);
        until(w.event, w.asked.size > 0);
        assert_string_equal(text_string(&w.asked), "StartUnit pbotvm-template@vm.service replace,");
        for (int k = 0; k < 3; k++)
                assert_true(sd_event_run(w.event, 10 * USEC_PER_MSEC) >= 0);
        fake_systemd_end_job(w.systemd, JOB, UNIT, "failed");
        until(w.event, w.changes == 2);
        assert_int_equal(w.changed, -EIO);
        assert_string_equal(w.message, "the guest's agent did not answer");
        /* Then the old one is there as before. */
        assert_int_equal(w.backend->verbs->drop(w.backend, SNAPSHOT_PROPER), 0);
        until(w.event, w.changes == 3);
        assert_int_equal(w.changed, 1);
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_ways),
                cmocka_unit_test(test_run),
                cmocka_unit_test(test_silent),
                cmocka_unit_test(test_full_queue),
                cmocka_unit_test(test_revert),
                cmocka_unit_test(test_failed_revert),
                cmocka_unit_test(test_impossible_revert),
                cmocka_unit_test(test_template),
        };
        return cmocka_run_group_tests(tests, NULL, NULL);
}
