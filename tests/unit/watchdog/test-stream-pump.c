/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* What is between a stream of libvirt's and its user: nothing is lost, nothing grows without bound, and
 * neither side keeps the other one waiting. The streams are sockets (fake-stream.c). */

#include "watchdog/libvirt/stream-pump.h"

#include <fcntl.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <sys/socket.h>
#include <sys/un.h>

#include "common/io.h"
#include "test.h"
#include "watchdog/libvirt/stream.h"

#define MIB ((size_t)1 << 20)
#define LONG (20 * SEC)

typedef struct Bed {
        char directory[64];
        virConnectPtr connection;
        virStreamPtr stream;
        int guest; /* the far end of the channel */
        int user;
        StreamPump *pump;
        pthread_t sender;
} Bed;

static atomic_bool over;

static void *turn(void *userdata _unused_) {
        while (!over)
                virEventRunDefaultImpl();
        return NULL;
}

static void on_time(int timer, void *userdata _unused_) {
        virEventRemoveTimeout(timer);
}

static void *send_on(void *userdata) {
        stream_pump_run(userdata);
        return NULL;
}

static int bed_setup(void **state) {
        Bed *b = calloc(1, sizeof(*b));
        assert_non_null(b);
        struct sockaddr_un a = { .sun_family = AF_UNIX };

        snprintf(b->directory, sizeof(b->directory), "/tmp/pbotvm-stream-XXXXXX");
        assert_non_null(mkdtemp(b->directory));
        setenv("PBOTVM_TEST_CHANNELS", b->directory, true);
        snprintf(a.sun_path, sizeof(a.sun_path), "%s/data", b->directory);
        int listener = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
        assert_int_equal(bind(listener, (struct sockaddr *)&a, sizeof(a)), 0);
        assert_int_equal(listen(listener, 1), 0);

        b->connection = virConnectOpen("test:///default");
        assert_non_null(b->connection);
        virDomainPtr domain = virDomainLookupByName(b->connection, "test");
        b->stream = virStreamNew(b->connection, VIR_STREAM_NONBLOCK);
        assert_true(domain && b->stream);
        assert_int_equal(virDomainOpenChannel(domain, "org.pbot.vm.0", b->stream, 0), 0);
        virDomainFree(domain);
        b->guest = accept4(listener, NULL, NULL, SOCK_CLOEXEC);
        assert_true(b->guest >= 0);
        fd_close(listener);
        unlink(a.sun_path);
        assert_int_equal(stream_pump_new(b->connection, b->stream, &b->pump, &b->user), 0);
        assert_int_equal(pthread_create(&b->sender, NULL, send_on, b->pump), 0);
        *state = b;
        return 0;
}

static int bed_teardown(void **state) {
        Bed *b = *state;

        fd_close(b->user);
        fd_close(b->guest);
        pthread_join(b->sender, NULL);
        stream_pump_free(b->pump);
        virStreamFree(b->stream);
        virConnectClose(b->connection);
        rmdir(b->directory);
        free(b);
        return 0;
}

static void fill(char *data, size_t size, size_t from) {
        for (size_t i = 0; i < size; i++)
                data[i] = (char)((from + i) * 7 >> 3);
}

/* Reads up to the end of file, or so many bytes, all of which are those that were sent. */
static size_t read_all(int fd, size_t most) {
        static char data[65536], wanted[65536];
        uint64_t deadline = now_monotonic() + LONG;
        size_t got = 0;

        while (got < most) {
                ssize_t n = io_read(fd, data, MIN(sizeof(data), most - got), deadline);
                if (n == 0)
                        break;
                assert_true(n > 0);
                fill(wanted, (size_t)n, got);
                assert_memory_equal(data, wanted, (size_t)n);
                got += (size_t)n;
        }
        return got;
}

static void write_all(int fd, size_t size) {
        static char data[65536];

        for (size_t done = 0, n; done < size; done += n) {
                n = MIN(sizeof(data), size - done);
                fill(data, n, done);
                assert_int_equal(io_write(fd, data, n, now_monotonic() + LONG), 0);
        }
}

static void test_both_ways(void **state) {
        Bed *b = *state;

        write_all(b->user, 100);
        assert_int_equal(read_all(b->guest, 100), 100);
        write_all(b->guest, 100);
        assert_int_equal(read_all(b->user, 100), 100);
}

/* A frame waits for a user that is late, and then its end comes. */
static void test_a_late_user(void **state) {
        Bed *b = *state;

        write_all(b->guest, STREAM_WINDOW_MAX - MIB);
        b->guest = fd_close(b->guest);
        usleep(SEC / 5);
        assert_int_equal(read_all(b->user, SIZE_MAX), STREAM_WINDOW_MAX - MIB);
}

/* More than that is thrown away, with the stream, and not kept; the guest is read all the same. */
static void test_a_flood(void **state) {
        Bed *b = *state;

        write_all(b->guest, 4 * STREAM_WINDOW_MAX);
        assert_true(read_all(b->user, SIZE_MAX) < STREAM_WINDOW_MAX + MIB);
        write_all(b->guest, 4 * STREAM_WINDOW_MAX);
}

/* A guest that does not read is still heard, and one that goes then frees who sends. */
static void test_a_guest_that_does_not_read(void **state) {
        Bed *b = *state;
        static const char data[65536];

        /* Until nothing goes on. */
        for (int still = 0; still < 10;)
                if (send(b->user, data, sizeof(data), MSG_DONTWAIT | MSG_NOSIGNAL) < 0) {
                        still++;
                        usleep(SEC / 100);
                } else
                        still = 0;
        write_all(b->guest, 1000);
        assert_int_equal(read_all(b->user, 1000), 1000);
        b->guest = fd_close(b->guest);
        pthread_join(b->sender, NULL);
        assert_int_equal(pthread_create(&b->sender, NULL, send_on, b->pump), 0);
        assert_int_equal(read_all(b->user, SIZE_MAX), 0);
}

int main(void) {
#define test_in_bed(name) cmocka_unit_test_setup_teardown(name, bed_setup, bed_teardown)
        const struct CMUnitTest tests[] = {
                test_in_bed(test_both_ways),
                test_in_bed(test_a_late_user),
                test_in_bed(test_a_flood),
                test_in_bed(test_a_guest_that_does_not_read),
        };
        pthread_t thread;

        assert_int_equal(virInitialize(), 0);
        assert_int_equal(virEventRegisterDefaultImpl(), 0);
        assert_int_equal(pthread_create(&thread, NULL, turn, NULL), 0);
        cmocka_set_test_filter(getenv("PBOTVM_TEST_FILTER"));
        int failed = cmocka_run_group_tests(tests, NULL, NULL);
        over = true;
        (void)virEventAddTimeout(0, on_time, NULL, NULL);
        pthread_join(thread, NULL);
        /* What was given up last is let go of by the next turns. */
        for (int i = 0; i < 3; i++) {
                (void)virEventAddTimeout(0, on_time, NULL, NULL);
                (void)virEventRunDefaultImpl();
        }
        return failed;
}
