/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* A machine's spares, between a systemd and QEMUs that the test plays. */

#include <stdio.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>

#include "common/io.h"
#include "fake-systemd.h"
#include "test.h"
#include "watchdog/qemu/spares.h"

typedef struct World World;

/* A QEMU in a place, with the agent of its guest. */
typedef struct Fake {
        World *world;
        int number;
        int sockets[2], ways[2]; /* of monitor and data: listening, connected */
        sd_event_source *accepts[2], *reads[2];
        bool runs;
} Fake;

struct World {
        sd_event *event;
        char folder[40], channel[60];
        sd_bus *ours, *systemd;
        QemuFolders folders;
        MachineConfig config;
        Turns turns;
        Spares *spares;
        Fake fakes[SPARE_PLACES_MAX];
        Text asked; /* of systemd */
        unsigned jobs;
        bool fails, mute; /* its units do not start; their agents do not answer */
        unsigned changes, takes;
        int taken;
};

static void run_for(World *w, uint64_t usec) {
        uint64_t end = now_monotonic() + usec;

        while (now_monotonic() < end)
                assert_true(sd_event_run(w->event, 10 * USEC_PER_MSEC) >= 0);
}

/* ---- QEMU and its guest ---- */

static void say(int fd, const char *text) {
        (void)send(fd, text, strlen(text), MSG_NOSIGNAL);
}

static int on_command(sd_event_source *source, int fd, uint32_t revents _unused_, void *userdata) {
        Fake *f = userdata;
        char text[1000], answer[100];

        ssize_t n = recv(fd, text, sizeof(text) - 1, MSG_DONTWAIT);
        if (n <= 0)
                return sd_event_source_set_enabled(source, SD_EVENT_OFF);
        text[n] = '\0';
        if (strstr(text, "\"stop\""))
                f->runs = false;
        if (strstr(text, "\"cont\""))
                f->runs = true;
        snprintf(answer, sizeof(answer), "{\"return\": {}, \"id\": %i}\r\n",
                atoi(strstr(text, "\"id\":") + 5));
        say(fd, answer);
        return 0;
}

static int on_question(sd_event_source *source, int fd, uint32_t revents _unused_, void *userdata) {
        const Fake *f = userdata;
        char text[4000], answer[200];

        ssize_t n = recv(fd, text, sizeof(text) - 1, MSG_DONTWAIT);
        if (n <= 0)
                return sd_event_source_set_enabled(source, SD_EVENT_OFF);
        text[n] = '\0';
        if (f->world->mute)
                return 0;
        snprintf(answer, sizeof(answer),
                "result:{\"result\":\"%.24s\",\"pbotvm\":{\"speaks\":[\"lanes\"]}}\nresult:end\n",
                strstr(text, "\"id\":\"") + 6);
        say(fd, answer);
        return 0;
}

static void fake_connected(Fake *f, int i, int listener, sd_event_io_handler_t handler) {
        f->reads[i] = sd_event_source_disable_unref(f->reads[i]);
        fd_close(f->ways[i]);
        f->ways[i] = accept4(listener, NULL, NULL, SOCK_CLOEXEC);
        assert_return_code(f->ways[i], errno);
        assert_true(sd_event_add_io(f->world->event, &f->reads[i], f->ways[i], EPOLLIN, handler, f) >= 0);
}

static int on_monitor(sd_event_source *source _unused_, int fd, uint32_t revents _unused_, void *userdata) {
        Fake *f = userdata;

        fake_connected(f, 0, fd, on_command);
        say(f->ways[0],
                "{\"QMP\": {\"version\": {\"qemu\": {\"micro\": 1, \"minor\": 2, \"major\": 7}}}}\r\n");
        return 0;
}

static int on_data(sd_event_source *source _unused_, int fd, uint32_t revents _unused_, void *userdata) {
        fake_connected(userdata, 1, fd, on_question);
        return 0;
}

static void fake_stop(Fake *f) {
        for (int i = 0; i < 2; i++) {
                f->accepts[i] = sd_event_source_disable_unref(f->accepts[i]);
                f->reads[i] = sd_event_source_disable_unref(f->reads[i]);
                f->sockets[i] = fd_close(f->sockets[i]);
                f->ways[i] = fd_close(f->ways[i]);
        }
        f->runs = false;
}

static void place_name(const Fake *f, char ret[static 20]) {
        snprintf(ret, 20, f->number > 0 ? "vm@%i" : "vm", f->number);
}

static void fake_start(Fake *f) {
        static const sd_event_io_handler_t handlers[] = { on_monitor, on_data };
        static const char *const names[] = { "monitor", "data" };
        struct sockaddr_un address = { .sun_family = AF_UNIX };
        char path[80], name[20];

        fake_stop(f);
        f->runs = true;
        place_name(f, name);
        snprintf(path, sizeof(path), "%s/%s", f->world->folder, name);
        assert_true(mkdir(path, 0700) == 0 || errno == EEXIST);
        for (int i = 0; i < 2; i++) {
                snprintf(address.sun_path, sizeof(address.sun_path), "%s/%s", path, names[i]);
                (void)unlink(address.sun_path);
                f->sockets[i] = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
                assert_return_code(bind(f->sockets[i], (struct sockaddr *)&address, sizeof(address)), errno);
                assert_return_code(listen(f->sockets[i], 1), errno);
                assert_true(sd_event_add_io(f->world->event, &f->accepts[i], f->sockets[i], EPOLLIN,
                                    handlers[i], f) >= 0);
        }
}

/* ---- systemd ---- */

static int on_call(sd_bus_message *call, void *userdata, sd_bus_error *error _unused_) {
        World *w = userdata;
        const char *member = sd_bus_message_get_member(call), *unit;
        char job[60];

        assert_true(sd_bus_message_read(call, "s", &unit) > 0);
        if (streq(member, "Get"))
                return sd_bus_reply_method_return(call, "v", "s", "it does not like it");
        const char *at = strchr(strchr(unit, '@') + 1, '@');
        Fake *f = &w->fakes[at ? atoi(at + 1) : 0];
        if (streq(member, "SetUnitProperties"))
                return sd_bus_reply_method_return(call, NULL);
        text_append_printf(&w->asked, "%s %i,", member, f->number);
        snprintf(job, sizeof(job), "/org/freedesktop/systemd1/job/%u", ++w->jobs);
        int r = sd_bus_reply_method_return(call, "o", job);
        if (streq(member, "StopUnit"))
                fake_stop(f);
        else {
                if (!w->fails)
                        fake_start(f);
                fake_systemd_end_job(w->systemd, job, unit, w->fails ? "failed" : "done");
        }
        return r;
}

/* ---- the machine ---- */

static void on_changed(void *userdata) {
        ((World *)userdata)->changes++;
}

static void on_taken(int result, void *userdata) {
        World *w = userdata;

        w->takes++;
        w->taken = result;
}

static void open_spares(World *w) {
        const SparesHooks hooks = { on_changed, on_taken, w };

        assert_int_equal(spares_new(w->ours, &w->folders, &w->config, &w->turns, &hooks, &w->spares), 0);
}

static void world_setup(World *w, unsigned spares) {
        *w = (World){ .folder = "/tmp/pbotvm-spares-XXXXXX",
                .turns.left = 1,
                .config = { .name = (char *)"vm", .spares = spares } };
        assert_non_null(mkdtemp(w->folder));
        snprintf(w->channel, sizeof(w->channel), "%s/vm/data", w->folder);
        w->config.channel_data = w->channel;
        w->folders = (QemuFolders){ .run = w->folder };
        for (int i = 0; i < SPARE_PLACES_MAX; i++)
                w->fakes[i] = (Fake){
                        .world = w, .number = i, .sockets = { -EBADF, -EBADF }, .ways = { -EBADF, -EBADF }
                };
        assert_true(sd_event_new(&w->event) >= 0);
        fake_systemd_open(w->event, on_call, w, &w->ours, &w->systemd);
        open_spares(w);
}

static void world_done(World *w) {
        char command[80];

        spares_free(w->spares);
        assert_int_equal(w->turns.left, 1);
        for (int i = 0; i < SPARE_PLACES_MAX; i++)
                fake_stop(&w->fakes[i]);
        sd_bus_close(w->ours);
        sd_bus_unref(w->ours);
        sd_bus_close(w->systemd);
        sd_bus_unref(w->systemd);
        sd_event_unref(w->event);
        text_done(&w->asked);
        snprintf(command, sizeof(command), "rm -rf %s", w->folder);
        assert_int_equal(system(command), 0);
}

static unsigned ready(const World *w) {
        return spare_plan_ready(spares_plan(w->spares));
}

static void assert_asked(World *w, const char *what) {
        run_for(w, 20 * USEC_PER_MSEC);
        assert_string_equal(text_string(&w->asked), what);
        text_clear(&w->asked);
}

/* Its guest runs from then on, in another place, and the one in use is ended. */
static void take(World *w, unsigned place) {
        unsigned before = w->takes;
        bool lanes = false;

        assert_int_equal(spares_take(w->spares), 0);
        until(w->event, w->takes > before);
        assert_int_equal(w->taken, 0);
        assert_int_equal(spares_plan(w->spares)->own, place);
        assert_true(w->fakes[place].runs);
        _cleanup_close_ int fd = spares_take_channel(w->spares, &lanes);
        assert_true(fd >= 0 && lanes);
        /* Once. */
        assert_int_equal(spares_take_channel(w->spares, &lanes), -EBADF);
}

static void test_rounds(void **state) {
        (void)state;
        _cleanup_(world_done) World w;

        world_setup(&w, 2);
        /* From nothing there is none. */
        assert_int_equal(spares_take(w.spares), -ENOENT);
        spares_follow(w.spares, "a");
        until(w.event, ready(&w) == 2);
        assert_asked(&w, "RestartUnit 1,RestartUnit 2,");
        assert_false(w.fakes[1].runs || w.fakes[2].runs);

        take(&w, 1);
        until(w.event, ready(&w) == 2);
        assert_asked(&w, "StopUnit 0,RestartUnit 0,");
        take(&w, 2);
        assert_string_equal(text_string(&spares_own(w.spares)->unit), "pbotvm-qemu@vm@2.service");
        /* The next one before it is ready: it is waited for once there is no other. */
        take(&w, 0);
        until(w.event, ready(&w) == 2);
        take(&w, 1);
        assert_int_equal(spares_plan(w.spares)->failures, 0);
}

static void test_running(void **state) {
        (void)state;
        _cleanup_(world_done) World w;

        world_setup(&w, 1);
        w.spares = spares_free(w.spares);
        w.config.spare_state = SPARE_RUNNING;
        open_spares(&w);
        spares_follow(w.spares, "a");
        until(w.event, ready(&w) == 1);
        assert_true(w.fakes[1].runs);
        take(&w, 1);
}

/* What was made from something else is given up, and nothing is made from nothing. */
static void test_another_template(void **state) {
        (void)state;
        _cleanup_(world_done) World w;

        world_setup(&w, 1);
        spares_follow(w.spares, "a");
        until(w.event, ready(&w) == 1);
        text_clear(&w.asked);
        spares_follow(w.spares, "b");
        assert_int_equal(ready(&w), 0);
        assert_int_equal(spares_take(w.spares), -ENOENT);
        until(w.event, ready(&w) == 1);
        assert_asked(&w, "StopUnit 1,RestartUnit 1,");
        spares_follow(w.spares, NULL);
        run_for(&w, 50 * USEC_PER_MSEC);
        assert_int_equal(ready(&w), 0);
        assert_asked(&w, "StopUnit 1,");
        assert_int_equal(spares_plan(w.spares)->failures, 0);
}

static void test_bad_ones(void **state) {
        (void)state;
        _cleanup_(world_done) World w;

        world_setup(&w, 1);
        w.fails = true;
        spares_follow(w.spares, "a");
        until(w.event, spares_plan(w.spares)->failures == 1);
        /* Not at once again. */
        run_for(&w, 100 * USEC_PER_MSEC);
        assert_asked(&w, "RestartUnit 1,StopUnit 1,");
        w.fails = false;
        until(w.event, ready(&w) == 1);

        /* One that dies while it waits. */
        fake_stop(&w.fakes[1]);
        until(w.event, spares_plan(w.spares)->failures == 2);
        assert_int_equal(ready(&w), 0);
        until(w.event, ready(&w) == 1);

        /* One that panics is no better, whatever it says later. */
        say(w.fakes[1].ways[0], "{\"event\": \"GUEST_PANICKED\"}\r\n{\"event\": \"RESET\"}\r\n");
        until(w.event, spares_plan(w.spares)->failures == 3);
}

/* Whoever waits for one that turns out bad is told so. */
static void test_bad_while_waited_for(void **state) {
        (void)state;
        _cleanup_(world_done) World w;

        world_setup(&w, 1);
        w.mute = true;
        spares_follow(w.spares, "a");
        until(w.event, w.fakes[1].ways[1] >= 0);
        assert_int_equal(spares_take(w.spares), 0);
        run_for(&w, 50 * USEC_PER_MSEC);
        assert_int_equal(w.takes, 0);
        fake_stop(&w.fakes[1]);
        until(w.event, w.takes == 1);
        assert_int_equal(w.taken, -ENOENT);
        assert_int_equal(spares_plan(w.spares)->own, 0);
}

/* An earlier process's: all but the guest in use are stopped. */
static void test_left_over(void **state) {
        (void)state;
        _cleanup_(world_done) World w;

        world_setup(&w, 1);
        for (int i = 0; i < 4; i++)
                fake_start(&w.fakes[i]);
        spares_recall(w.spares, 2);
        spares_follow(w.spares, "a");
        until(w.event, ready(&w) == 1);
        assert_asked(&w, "StopUnit 0,StopUnit 1,StopUnit 3,RestartUnit 0,");
        assert_true(w.fakes[2].runs);
        take(&w, 0);
        assert_int_equal(spares_plan(w.spares)->own, 0);
        until(w.event, ready(&w) == 1);
        text_clear(&w.asked);
        w.spares = spares_free(w.spares);
        assert_asked(&w, "StopUnit 1,");
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_rounds),
                cmocka_unit_test(test_running),
                cmocka_unit_test(test_another_template),
                cmocka_unit_test(test_bad_ones),
                cmocka_unit_test(test_bad_while_waited_for),
                cmocka_unit_test(test_left_over),
        };
        return cmocka_run_group_tests(tests, NULL, NULL);
}
