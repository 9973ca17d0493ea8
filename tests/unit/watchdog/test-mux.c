/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Several leases on one stream, whatever the guest and the clients do to it. */

#include "watchdog/transport/mux.h"

#include <sys/socket.h>

#include "common/frame.h"
#include "common/io.h"
#include "test.h"

typedef struct Fixture {
        sd_event *event;
        int guest_fd; /* the watchdog's connection to the guest */
        int far_fd;   /* the guest's end of it */
        Mux *mux;
        int broken; /* the error */
} Fixture;

static void on_broken(Mux *mux, int error, void *userdata) {
        Fixture *f = userdata;

        assert_ptr_equal(mux, f->mux);
        assert_int_equal(f->broken, 0);
        f->broken = error;
        f->mux = mux_free(f->mux);
}

static int setup(void **state) {
        Fixture *f = calloc(1, sizeof(*f));
        int pair[2];

        assert_non_null(f);
        assert_int_equal(sd_event_new(&f->event), 0);
        assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, pair), 0);
        f->guest_fd = pair[0];
        f->far_fd = pair[1];
        assert_int_equal(mux_new(f->event, f->guest_fd, on_broken, f, &f->mux), 0);
        *state = f;
        return 0;
}

static int teardown(void **state) {
        Fixture *f = *state;

        mux_free(f->mux);
        sd_event_unref(f->event);
        fd_close(f->guest_fd);
        fd_close(f->far_fd);
        free(f);
        return 0;
}

static void turn(Fixture *f) {
        while (sd_event_run(f->event, 0) > 0)
                ;
}

static Lane *open_lane(Fixture *f, int *ret_fd) {
        Lane *lane = NULL;

        assert_int_equal(lane_new(f->mux, &lane, ret_fd), 0);
        return lane;
}

static void say(int fd, const char *text) {
        assert_int_equal(write(fd, text, strlen(text)), strlen(text));
}

static void expect(Fixture *f, int fd, const char *text) {
        char buffer[256];

        turn(f);
        ssize_t n = recv(fd, buffer, sizeof(buffer) - 1, MSG_DONTWAIT);
        buffer[n > 0 ? n : 0] = '\0';
        assert_string_equal(buffer, text);
}

static void expect_end(Fixture *f, int fd) {
        char c;

        turn(f);
        assert_int_equal(recv(fd, &c, 1, MSG_DONTWAIT), 0);
}

static void test_side_by_side(void **state) {
        Fixture *f = *state;
        int a_fd, b_fd;
        Lane *a = open_lane(f, &a_fd), *b = open_lane(f, &b_fd);

        say(a_fd, "first");
        expect(f, f->far_fd, "@000005\nfirst");
        say(b_fd, "second");
        expect(f, f->far_fd, "@010006\nsecond");
        say(f->far_fd, "@010002\nye@000002\nno@01");
        expect(f, a_fd, "no");
        expect(f, b_fd, "ye");
        say(f->far_fd, "0001\ns");
        expect(f, b_fd, "s");
        assert_true(mux_is_used(f->mux));
        lane_free(a);
        lane_free(b);
        assert_false(mux_is_used(f->mux));
        assert_int_equal(f->broken, 0);
        fd_close(a_fd);
        fd_close(b_fd);
}

/* A number is given again when the guest has said that nothing of the one before will come. */
static void test_the_end_of_a_lane(void **state) {
        Fixture *f = *state;
        int a_fd, b_fd;

        lane_free(open_lane(f, &a_fd));
        expect_end(f, a_fd);
        expect(f, f->far_fd, "@000000\n");
        Lane *b = open_lane(f, &b_fd);
        say(b_fd, "x");
        expect(f, f->far_fd, "@010001\nx");
        say(f->far_fd, "@000004\nlate@000000\n");
        turn(f);
        fd_close(a_fd);
        Lane *c = open_lane(f, &a_fd);
        say(a_fd, "y");
        expect(f, f->far_fd, "@000001\ny");
        expect(f, a_fd, "");
        lane_free(b);
        lane_free(c);
        assert_int_equal(f->broken, 0);
        fd_close(a_fd);
        fd_close(b_fd);
}

/* Neither a client that does not read nor one that says much keeps the others waiting. */
static void test_a_stalled_client(void **state) {
        Fixture *f = *state;
        int a_fd, b_fd;
        Lane *a = open_lane(f, &a_fd), *b = open_lane(f, &b_fd);
        _cleanup_text_ Text much = {}, pieces = {};
        size_t got = 0;

        for (size_t i = 0; i < (4 << 20); i++)
                text_append_char(&much, 'x');
        lane_append(&pieces, 0, much.data, much.size);
        for (size_t i = 0; i < pieces.size;) {
                ssize_t n = send(f->far_fd, pieces.data + i, pieces.size - i, MSG_DONTWAIT);
                i += n > 0 ? (size_t)n : 0;
                turn(f);
        }
        say(f->far_fd, "@010002\nhi");
        expect(f, b_fd, "hi");
        say(b_fd, "more");
        expect(f, f->far_fd, "@010004\nmore");

        while (got < much.size) {
                char buffer[65536];
                turn(f);
                ssize_t n = recv(a_fd, buffer, sizeof(buffer), MSG_DONTWAIT);
                assert_true(n > 0);
                got += (size_t)n;
        }
        lane_free(a);
        lane_free(b);
        fd_close(a_fd);
        fd_close(b_fd);
}

static void test_a_guest_that_does_not_read(void **state) {
        Fixture *f = *state;
        int a_fd, b_fd;
        Lane *a = open_lane(f, &a_fd), *b = open_lane(f, &b_fd);
        char block[65536] = "";
        size_t accepted = 0, seen_a = 0, seen_b = 0;
        LaneReader reader = {};

        for (bool more = true; more; turn(f)) {
                ssize_t n = send(a_fd, block, sizeof(block), MSG_DONTWAIT);
                more = n > 0;
                accepted += n > 0 ? (size_t)n : 0;
        }
        assert_true(accepted < (2 << 20));
        say(b_fd, "b");
        /* Once it reads, both are heard. */
        for (ssize_t n = 1; n > 0 || seen_a < accepted; turn(f)) {
                n = recv(f->far_fd, block, sizeof(block), MSG_DONTWAIT);
                for (size_t i = 0; n > 0 && i < (size_t)n;) {
                        size_t used;
                        LanePiece piece;
                        if (lane_reader_feed(&reader, block + i, (size_t)n - i, &used, &piece) > 0)
                                *(piece.lane == 0 ? &seen_a : &seen_b) += piece.size;
                        i += used;
                }
        }
        assert_int_equal(seen_a, accepted);
        assert_int_equal(seen_b, 1);
        lane_free(a);
        lane_free(b);
        fd_close(a_fd);
        fd_close(b_fd);
}

static void test_what_breaks_it(void **state) {
        static const char *const garbage[] = { "result:{}\nresult:end\n", "@010001\nx", "@000000\n",
                "@400001\nx", "@00000x\n" };
        Fixture *f = *state;

        for (size_t i = 0; i < ELEMENTSOF(garbage); i++) {
                int fd;
                Lane *lane = open_lane(f, &fd);
                say(f->far_fd, garbage[i]);
                expect_end(f, fd);
                assert_int_equal(f->broken, -EBADMSG);
                assert_null(f->mux);
                lane_free(lane);
                fd_close(fd);
                f->broken = 0;
                assert_int_equal(mux_new(f->event, f->guest_fd, on_broken, f, &f->mux), 0);
        }
}

static void test_a_guest_that_babbles(void **state) {
        Fixture *f = *state;
        _cleanup_text_ Text much = {}, pieces = {};
        int fd;
        Lane *lane = open_lane(f, &fd);

        for (size_t i = 0; i < (1 << 20); i++)
                text_append_char(&much, 'x');
        lane_append(&pieces, 0, much.data, much.size);
        for (size_t total = 0; f->mux && total <= FRAME_SIZE_MAX + (2 << 20); total += much.size)
                for (size_t i = 0; f->mux && i < pieces.size; turn(f)) {
                        ssize_t n = send(f->far_fd, pieces.data + i, pieces.size - i, MSG_DONTWAIT);
                        i += n > 0 ? (size_t)n : 0;
                }
        assert_int_equal(f->broken, -EBADMSG);
        lane_free(lane);
        fd_close(fd);
}

static void test_a_guest_that_goes(void **state) {
        Fixture *f = *state;
        int fd;
        Lane *lane = open_lane(f, &fd);

        f->far_fd = fd_close(f->far_fd);
        expect_end(f, fd);
        assert_int_equal(f->broken, -ECONNRESET);
        lane_free(lane);
        fd_close(fd);
}

static void test_as_many_as_there_are(void **state) {
        Fixture *f = *state;
        Lane *lanes[LANES_MAX], *more;
        int fds[LANES_MAX], fd;

        for (size_t i = 0; i < LANES_MAX; i++)
                lanes[i] = open_lane(f, &fds[i]);
        assert_int_equal(lane_new(f->mux, &more, &fd), -EBUSY);
        for (size_t i = 0; i < LANES_MAX; i++) {
                lane_free(lanes[i]);
                fd_close(fds[i]);
        }
}

int main(void) {
#define test_with_mux(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
        const struct CMUnitTest tests[] = {
                test_with_mux(test_side_by_side),
                test_with_mux(test_the_end_of_a_lane),
                test_with_mux(test_a_stalled_client),
                test_with_mux(test_a_guest_that_does_not_read),
                test_with_mux(test_what_breaks_it),
                test_with_mux(test_a_guest_that_babbles),
                test_with_mux(test_a_guest_that_goes),
                test_with_mux(test_as_many_as_there_are),
        };
        cmocka_set_test_filter(getenv("PBOTVM_TEST_FILTER"));
        return cmocka_run_group_tests(tests, NULL, NULL);
}
