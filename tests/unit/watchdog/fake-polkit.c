/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "fake-polkit.h"

#include <stdio.h>
#include <sys/eventfd.h>

#include <systemd/sd-event.h>

#include "common/io.h"
#include "test.h"

#define WAITING_MAX 128

struct FakePolkit {
        pthread_t thread;
        pthread_mutex_t lock; /* over what both threads use */
        FakeVerdict verdict;
        unsigned questions, cancelled;
        char action[128], subject[64];
        bool stop;

        int wake;
        sd_event *event;
        sd_bus *bus;
        sd_bus_message *waiting[WAITING_MAX];
        size_t n_waiting;
};

static void reply(sd_bus_message *question, FakeVerdict verdict) {
        assert_true(sd_bus_reply_method_return(question, "(bba{ss})", verdict == FAKE_ALLOW,
                            verdict == FAKE_CHALLENGE, 0) >= 0);
}

static int on_check(sd_bus_message *m, void *userdata, sd_bus_error *error _unused_) {
        FakePolkit *p = userdata;
        const char *kind, *key, *subject, *action;

        assert_true(sd_bus_message_read(m, "(sa{sv})", &kind, 1, &key, "s", &subject) > 0);
        assert_string_equal(kind, "system-bus-name");
        assert_true(sd_bus_message_read(m, "s", &action) > 0);

        pthread_mutex_lock(&p->lock);
        snprintf(p->action, sizeof(p->action), "%s", action);
        snprintf(p->subject, sizeof(p->subject), "%s", subject);
        p->questions++;
        FakeVerdict verdict = p->verdict;
        pthread_mutex_unlock(&p->lock);
        if (verdict != FAKE_WAIT)
                reply(m, verdict);
        else if (p->n_waiting < WAITING_MAX)
                p->waiting[p->n_waiting++] = sd_bus_message_ref(m);
        return 1;
}

static int on_cancel(sd_bus_message *m, void *userdata, sd_bus_error *error _unused_) {
        FakePolkit *p = userdata;

        pthread_mutex_lock(&p->lock);
        p->cancelled++;
        pthread_mutex_unlock(&p->lock);
        return sd_bus_reply_method_return(m, NULL);
}

static const sd_bus_vtable vtable[] = {
        SD_BUS_VTABLE_START(0),
        SD_BUS_METHOD(
                "CheckAuthorization", "(sa{sv})sa{ss}us", "(bba{ss})", on_check, SD_BUS_VTABLE_UNPRIVILEGED),
        SD_BUS_METHOD("CancelCheckAuthorization", "s", NULL, on_cancel, SD_BUS_VTABLE_UNPRIVILEGED),
        SD_BUS_VTABLE_END,
};

static int on_wake(sd_event_source *source _unused_, int fd, uint32_t revents _unused_, void *userdata) {
        FakePolkit *p = userdata;
        uint64_t count;

        (void)!read(fd, &count, sizeof(count));
        pthread_mutex_lock(&p->lock);
        FakeVerdict verdict = p->verdict;
        bool stop = p->stop;
        pthread_mutex_unlock(&p->lock);

        for (size_t i = 0; verdict != FAKE_WAIT && i < p->n_waiting; i++) {
                reply(p->waiting[i], verdict);
                sd_bus_message_unref(p->waiting[i]);
        }
        if (verdict != FAKE_WAIT)
                p->n_waiting = 0;
        if (stop)
                (void)sd_event_exit(p->event, 0);
        return 0;
}

static void *run(void *userdata) {
        FakePolkit *p = userdata;

        (void)sd_event_loop(p->event);
        return NULL;
}

static void kick(FakePolkit *p) {
        pthread_mutex_unlock(&p->lock);
        (void)!write(p->wake, &(uint64_t){ 1 }, sizeof(uint64_t));
}

FakePolkit *fake_polkit_new(World *world, FakeVerdict verdict) {
        FakePolkit *p = calloc(1, sizeof(*p));
        assert_non_null(p);

        pthread_mutex_init(&p->lock, NULL);
        p->verdict = verdict;
        p->wake = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
        p->bus = world_connect(world);
        assert_true(sd_event_new(&p->event) >= 0);
        assert_true(sd_event_add_io(p->event, NULL, p->wake, 1, on_wake, p) >= 0);
        assert_true(sd_bus_attach_event(p->bus, p->event, 0) >= 0);
        assert_true(sd_bus_add_object_vtable(p->bus, NULL, "/org/freedesktop/PolicyKit1/Authority",
                            "org.freedesktop.PolicyKit1.Authority", vtable, p) >= 0);
        assert_true(sd_bus_request_name(p->bus, "org.freedesktop.PolicyKit1", 0) >= 0);
        assert_int_equal(pthread_create(&p->thread, NULL, run, p), 0);
        return p;
}

void fake_polkit_free(FakePolkit *p) {
        pthread_mutex_lock(&p->lock);
        p->stop = true;
        kick(p);
        pthread_join(p->thread, NULL);
        for (size_t i = 0; i < p->n_waiting; i++)
                sd_bus_message_unref(p->waiting[i]);
        sd_bus_flush_close_unref(p->bus);
        sd_event_unref(p->event);
        fd_close(p->wake);
        pthread_mutex_destroy(&p->lock);
        free(p);
}

void fake_polkit_set(FakePolkit *p, FakeVerdict verdict) {
        pthread_mutex_lock(&p->lock);
        p->verdict = verdict;
        kick(p);
}

static void wait_for(FakePolkit *p, const unsigned *counter, unsigned value) {
        uint64_t deadline = now_monotonic() + WORLD_PATIENCE_USEC;
        unsigned is = 0;

        while (is < value) {
                assert_true(now_monotonic() < deadline);
                pthread_mutex_lock(&p->lock);
                is = *counter;
                pthread_mutex_unlock(&p->lock);
                usleep(1000);
        }
}

void fake_polkit_wait_questions(FakePolkit *p, unsigned questions) {
        wait_for(p, &p->questions, questions);
}

void fake_polkit_wait_cancelled(FakePolkit *p, unsigned cancelled) {
        wait_for(p, &p->cancelled, cancelled);
}

const char *fake_polkit_action(FakePolkit *p) {
        return p->action;
}

const char *fake_polkit_subject(FakePolkit *p) {
        return p->subject;
}
