/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "test.h"

#include <sys/socket.h>

#include "common/io.h"
#include "watchdog/transport/relay.h"

typedef struct Fixture {
        sd_event *event;
        int guest_fd; /* the watchdog's connection to the guest */
        int far_fd;   /* the guest's end of it */
        int client_fd;
        Relay *relay;
        unsigned lost;
} Fixture;

static void on_lost(Relay *relay _unused_, void *userdata) {
        ((Fixture *)userdata)->lost++;
}

static int setup(void **state) {
        Fixture *f = calloc(1, sizeof(*f));
        int pair[2];

        assert_non_null(f);
        assert_int_equal(sd_event_new(&f->event), 0);
        assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, pair), 0);
        f->guest_fd = pair[0];
        f->far_fd = pair[1];
        assert_int_equal(relay_new(f->event, f->guest_fd, on_lost, f, &f->relay, &f->client_fd), 0);
        *state = f;
        return 0;
}

static int teardown(void **state) {
        Fixture *f = *state;

        relay_free(f->relay);
        sd_event_unref(f->event);
        fd_close(f->guest_fd);
        fd_close(f->far_fd);
        fd_close(f->client_fd);
        free(f);
        return 0;
}

/* Turns the loop until it has nothing more to do. */
static void turn(Fixture *f) {
        while (sd_event_run(f->event, 0) > 0)
                ;
}

static void test_both_directions(void **state) {
        Fixture *f = *state;
        char buffer[16];

        assert_int_equal(write(f->client_fd, "to guest", 8), 8);
        assert_int_equal(write(f->far_fd, "to client", 9), 9);
        turn(f);
        assert_int_equal(read(f->far_fd, buffer, sizeof(buffer)), 8);
        assert_memory_equal(buffer, "to guest", 8);
        assert_int_equal(read(f->client_fd, buffer, sizeof(buffer)), 9);
        assert_memory_equal(buffer, "to client", 9);
        assert_false(relay_is_torn(f->relay));
        assert_int_equal(read(f->client_fd, buffer, sizeof(buffer)), -1);
        assert_int_equal(errno, EAGAIN);
}

static void test_taking_back_is_a_close(void **state) {
        Fixture *f = *state;
        char buffer[16];

        f->relay = relay_free(f->relay);
        assert_int_equal(read(f->client_fd, buffer, sizeof(buffer)), 0);
        /* The guest's connection lives on. */
        assert_int_equal(write(f->far_fd, "x", 1), 1);
        assert_int_equal(read(f->guest_fd, buffer, sizeof(buffer)), 1);
}

static void test_end_of_the_guest(void **state) {
        Fixture *f = *state;
        char buffer[16];

        assert_int_equal(write(f->far_fd, "last", 4), 4);
        f->far_fd = fd_close(f->far_fd);
        turn(f);
        assert_int_equal(f->lost, 1);
        assert_int_equal(read(f->client_fd, buffer, sizeof(buffer)), 4);
        assert_int_equal(read(f->client_fd, buffer, sizeof(buffer)), 0);
}

/* The client's end of file is no reason to stop what the guest still says: most clients half-close. */
static void test_half_close(void **state) {
        Fixture *f = *state;
        char buffer[16];

        assert_int_equal(shutdown(f->client_fd, SHUT_WR), 0);
        turn(f);
        assert_int_equal(write(f->far_fd, "answer", 6), 6);
        turn(f);
        assert_int_equal(read(f->client_fd, buffer, sizeof(buffer)), 6);
        assert_int_equal(f->lost, 0);
}

static void test_client_gone(void **state) {
        Fixture *f = *state;
        char big[4096] = {};

        f->client_fd = fd_close(f->client_fd);
        turn(f);
        /* What the guest says now goes nowhere, and does not pile up. */
        for (int i = 0; i < 100; i++) {
                assert_int_equal(write(f->far_fd, big, sizeof(big)), sizeof(big));
                turn(f);
        }
        assert_int_equal(f->lost, 0);
}

static void test_bounded(void **state) {
        Fixture *f = *state;
        char big[4096] = {};
        size_t sent = 0, received = 0;

        /* Nobody reads: at some point the guest has to wait. */
        for (;;) {
                ssize_t n = write(f->far_fd, big, sizeof(big));
                turn(f);
                if (n < 0)
                        break;
                sent += (size_t)n;
                assert_true(sent < ((size_t)4 << 20));
        }
        for (;;) {
                ssize_t n = read(f->client_fd, big, sizeof(big));
                turn(f);
                if (n < 0)
                        break;
                received += (size_t)n;
        }
        assert_int_equal(received, sent);
}

static void test_torn_requests(void **state) {
        Fixture *f = *state;
        char big[4096] = {};

        assert_int_equal(write(f->client_fd, "x", 1), 1);
        assert_true(relay_is_torn(f->relay));
        turn(f);
        assert_false(relay_is_torn(f->relay));
        for (int i = 0; i < 1000 && write(f->client_fd, big, sizeof(big)) > 0; i++)
                turn(f);
        assert_true(relay_is_torn(f->relay));
}

int main(void) {
#define test_with_relay(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
        const struct CMUnitTest tests[] = {
                test_with_relay(test_both_directions),
                test_with_relay(test_taking_back_is_a_close),
                test_with_relay(test_end_of_the_guest),
                test_with_relay(test_half_close),
                test_with_relay(test_client_gone),
                test_with_relay(test_bounded),
                test_with_relay(test_torn_requests),
        };
        return cmocka_run_group_tests(tests, NULL, NULL);
}
