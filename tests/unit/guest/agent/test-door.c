/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Who comes over vsock has to prove to be the host before anything is read of him. */

#include "door.h"

#include <sys/socket.h>

#include "cmocka-all.h"
#include "common/io.h"

typedef struct Fixture {
        sd_event *event;
        Door *door;
        int passed; /* the last one */
        unsigned n_passed;
} Fixture;

static const uint8_t secret[SECRET_SIZE] = { 1, 2, 0xfe }, other[SECRET_SIZE] = { 1, 2, 0xff };

static void on_passed(int fd, void *userdata) {
        Fixture *f = userdata;

        fd_close(f->passed);
        f->passed = fd;
        f->n_passed++;
}

static int setup(void **state) {
        Fixture *f = calloc(1, sizeof(*f));

        assert_non_null(f);
        f->passed = -EBADF;
        assert_true(sd_event_new(&f->event) >= 0);
        assert_int_equal(door_new(f->event, on_passed, f, &f->door), 0);
        *state = f;
        return 0;
}

static int teardown(void **state) {
        Fixture *f = *state;

        door_free(f->door);
        fd_close(f->passed);
        sd_event_unref(f->event);
        free(f);
        return 0;
}

static void turn(Fixture *f, uint64_t usec) {
        uint64_t end = now_monotonic() + usec;

        do
                assert_true(sd_event_run(f->event, 10 * USEC_PER_MSEC) >= 0);
        while (now_monotonic() < end);
}

/* A caller's end of a connection that is at the door. */
static int call(Fixture *f) {
        int pair[2];

        assert_return_code(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, pair), errno);
        door_admit(f->door, pair[0]);
        return pair[1];
}

static bool is_closed(int fd) {
        char c;

        ssize_t n = recv(fd, &c, 1, MSG_DONTWAIT);
        return n == 0 || (n < 0 && errno == ECONNRESET);
}

static void test_the_proof_passes(void **state) {
        Fixture *f = *state;
        char proof[PROOF_SIZE], rest[8] = "";

        door_set_secret(f->door, secret);
        proof_write(secret, proof);
        int fd = call(f);
        /* In two parts, with what the host says next right behind it. */
        assert_int_equal(write(fd, proof, 30), 30);
        turn(f, 0);
        assert_int_equal(write(fd, proof + 30, PROOF_SIZE - 30), PROOF_SIZE - 30);
        assert_int_equal(write(fd, "{}", 2), 2);
        turn(f, 50 * USEC_PER_MSEC);
        assert_int_equal(f->n_passed, 1);
        assert_int_equal(read(f->passed, rest, sizeof(rest)), 2);
        assert_string_equal(rest, "{}");
        close(fd);
}

static void test_others_do_not(void **state) {
        Fixture *f = *state;
        char proof[PROOF_SIZE], request[4096];

        /* Before there is a secret nobody passes. */
        int fd = call(f);
        assert_true(is_closed(fd));
        close(fd);

        door_set_secret(f->door, secret);
        proof_write(other, proof);
        memset(request, '{', sizeof(request));
        const struct {
                const char *data;
                size_t size;
        } cases[] = { { proof, sizeof(proof) }, { request, sizeof(request) }, { "", 0 } };
        for (size_t i = 0; i < ELEMENTSOF(cases); i++) {
                fd = call(f);
                assert_int_equal(write(fd, cases[i].data, cases[i].size), cases[i].size);
                if (cases[i].size == 0)
                        (void)shutdown(fd, SHUT_WR);
                turn(f, 50 * USEC_PER_MSEC);
                assert_true(is_closed(fd));
                close(fd);
        }
        assert_int_equal(f->n_passed, 0);
}

static void test_waiting_is_bounded(void **state) {
        Fixture *f = *state;
        int fds[DOOR_WAITING_MAX + 2];
        char proof[PROOF_SIZE];

        door_set_secret(f->door, secret);
        for (size_t i = 0; i < ELEMENTSOF(fds); i++)
                fds[i] = call(f);
        for (size_t i = 0; i < ELEMENTSOF(fds); i++)
                assert_int_equal(is_closed(fds[i]), i < 2);
        /* The host is not kept out by them. */
        proof_write(secret, proof);
        int fd = call(f);
        assert_int_equal(write(fd, proof, PROOF_SIZE), PROOF_SIZE);
        turn(f, 50 * USEC_PER_MSEC);
        assert_int_equal(f->n_passed, 1);
        close(fd);
        turn(f, DOOR_PATIENCE_USEC + 200 * USEC_PER_MSEC);
        for (size_t i = 0; i < ELEMENTSOF(fds); i++) {
                assert_true(is_closed(fds[i]));
                close(fds[i]);
        }
}

int main(void) {
#define test_at_door(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
        const struct CMUnitTest tests[] = {
                test_at_door(test_the_proof_passes),
                test_at_door(test_others_do_not),
                test_at_door(test_waiting_is_bounded),
        };
        return cmocka_run_group_tests(tests, NULL, NULL);
}
