/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The way to an agent, over vsock above all: each lease and each probe a connection of its own. */

#include "fake-guest.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <linux/vm_sockets.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>

#include "common/io.h"
#include "common/lane.h"
#include "test.h"
#include "watchdog/transport/link.h"

#define PORT 59250
#define PATIENCE (15 * SEC)

typedef struct Fixture {
        sd_event *event;
        FakeGuest *guest; /* on vsock, and on TCP for what is no data */
        FakeGuest *serial;
        MachineConfig config;
        LinkHooks hooks;
        Link *link;
        LinkFact fact;
        unsigned facts;
        unsigned unasked, misdeeds;
        const char *misdeed; /* the last one */
        int strand_fd;
        bool strand_done;
} Fixture;

static void on_fact(Link *link _unused_, LinkFact fact, void *userdata) {
        Fixture *f = userdata;
        f->fact = fact;
        f->facts++;
}

static void on_unasked(Link *link _unused_, void *userdata) {
        ((Fixture *)userdata)->unasked++;
}

static void on_misbehaved(Link *link _unused_, const char *how, void *userdata) {
        Fixture *f = userdata;
        f->misdeeds++;
        f->misdeed = how;
}

static int setup(void **state) {
        Fixture *f = calloc(1, sizeof(*f));
        assert_non_null(f);

        assert_int_equal(sd_event_new(&f->event), 0);
        f->guest = fake_guest_new_vsock(PORT);
        f->serial = fake_guest_new(NULL);
        f->config = (MachineConfig){
                .cid = VMADDR_CID_LOCAL,
                .vport = PORT,
                .addr = (char *)"127.0.0.1",
                .serial_port = fake_guest_data_port(f->serial),
        };
        f->hooks = (LinkHooks){
                .fact = on_fact,
                .unasked = on_unasked,
                .misbehaved = on_misbehaved,
                .userdata = f,
        };
        assert_int_equal(link_new(f->event, &f->config, f->hooks, &f->link), 0);
        *state = f;
        return 0;
}

static int teardown(void **state) {
        Fixture *f = *state;

        link_free(f->link);
        fake_guest_free(f->serial);
        fake_guest_free(f->guest);
        sd_event_unref(f->event);
        free(f);
        return 0;
}

/* Turns the loop until the fact is told once more. */
static void wait_fact(Fixture *f, LinkFact fact) {
        uint64_t deadline = now_monotonic() + PATIENCE;
        unsigned before = f->facts;

        while (f->facts == before || f->fact != fact) {
                assert_true(now_monotonic() < deadline);
                assert_true(sd_event_run(f->event, SEC / 10) >= 0);
        }
}

static void on_strand(Strand *strand _unused_, int fd, void *userdata) {
        Fixture *f = userdata;
        f->strand_fd = fd;
        f->strand_done = true;
}

/* The client's descriptor, or a negative errno. */
static int open_strand(Fixture *f, Strand **ret) {
        uint64_t deadline = now_monotonic() + PATIENCE;

        f->strand_done = false;
        assert_int_equal(strand_new(f->link, on_strand, f, ret), 0);
        while (!f->strand_done) {
                assert_true(now_monotonic() < deadline);
                assert_true(sd_event_run(f->event, SEC / 10) >= 0);
        }
        return f->strand_fd;
}

static void echo(Fixture *f, int fd, const char *word) {
        _cleanup_text_ Text question = {};
        char answer[256] = "";
        size_t n = 0;

        text_append_printf(&question, "{\"code\":\"echo %s\"}\n\n", word);
        assert_int_equal(io_write(fd, question.data, question.size, now_monotonic() + PATIENCE), 0);
        while (!strstr(answer, "result:end")) {
                assert_true(sd_event_run(f->event, 0) >= 0);
                ssize_t r = io_read(fd, answer + n, sizeof(answer) - 1 - n, now_monotonic() + SEC / 100);
                assert_true(r > 0 || r == -ETIMEDOUT);
                n += r > 0 ? (size_t)r : 0;
        }
        assert_non_null(strstr(answer, word));
}

static void test_vsock_comes_first(void **state) {
        Fixture *f = *state;

        link_start(f->link, FRAMING_CHUNKS);
        wait_fact(f, LINK_PROVEN);
        assert_int_equal(link_transport(f->link), TRANSPORT_VSOCK);
        assert_int_equal(fake_guest_requests(f->serial), 0);
}

static void test_several_leases_at_once(void **state) {
        Fixture *f = *state;
        Strand *a, *b;
        char c;

        link_start(f->link, FRAMING_CHUNKS);
        wait_fact(f, LINK_PROVEN);
        _cleanup_close_ int fd_a = open_strand(f, &a);
        _cleanup_close_ int fd_b = open_strand(f, &b);
        echo(f, fd_b, "second");
        echo(f, fd_a, "first");
        /* A probe goes beside them. */
        link_probe(f->link);
        wait_fact(f, LINK_PROVEN);

        /* Taking one back shuts it down, even though the client holds the connection. */
        assert_false(strand_close(a));
        assert_int_equal(io_read(fd_a, &c, 1, now_monotonic() + PATIENCE), 0);
        assert_true(send(fd_a, "x", 1, MSG_NOSIGNAL) < 0);
        echo(f, fd_b, "second");
        assert_false(strand_close(b));
}

static void test_vsock_that_is_refused_or_silent(void **state) {
        Fixture *f = *state;

        fake_guest_set(f->guest, FAKE_ANSWERS, false);
        link_start(f->link, FRAMING_CHUNKS);
        wait_fact(f, LINK_PROVEN);
        assert_int_equal(link_transport(f->link), TRANSPORT_SERIAL);

        link_stop(f->link);
        fake_guest_set(f->serial, FAKE_UP, false);
        fake_guest_set(f->guest, FAKE_UP, false);
        link_start(f->link, FRAMING_CHUNKS);
        wait_fact(f, LINK_REFUSED);
        assert_int_equal(link_transport(f->link), TRANSPORT_AUTO);
        fake_guest_set(f->guest, FAKE_ANSWERS, true);
        fake_guest_set(f->guest, FAKE_UP, true);
        wait_fact(f, LINK_PROVEN);
        assert_int_equal(link_transport(f->link), TRANSPORT_VSOCK);
}

static void test_vsock_that_goes(void **state) {
        Fixture *f = *state;
        Strand *strand;

        link_start(f->link, FRAMING_CHUNKS);
        wait_fact(f, LINK_PROVEN);
        fake_guest_set(f->guest, FAKE_UP, false);
        /* Whoever wants a lease is told, and a probe finds out. */
        assert_true(open_strand(f, &strand) < 0);
        (void)strand_close(strand);
        link_probe(f->link);
        wait_fact(f, LINK_DOWN);
        wait_fact(f, LINK_PROVEN);
        assert_int_equal(link_transport(f->link), TRANSPORT_SERIAL);
}

/* The secret goes over the channel alone, and comes first on each connection of vsock. */
static void test_proof_over_vsock(void **state) {
        Fixture *f = *state;
        char directory[] = "/tmp/test-link-XXXXXX", path[64];
        Strand *strand;

        assert_non_null(mkdtemp(directory));
        FakeGuest *channel = fake_guest_new(directory);
        snprintf(path, sizeof(path), "%s/data", directory);
        f->config.transport = TRANSPORT_VSOCK;
        f->config.channel_data = path;
        assert_true(link_set_lines(f->link, &f->config, &(DomainLines){}));

        fake_guest_set(channel, FAKE_PROOF, true);
        link_start(f->link, FRAMING_CHUNKS);
        wait_fact(f, LINK_PROVEN);
        assert_int_equal(link_transport(f->link), TRANSPORT_VSOCK);
        _cleanup_free_ char *first = fake_guest_secret(channel), *leaked = fake_guest_secret(f->guest);
        assert_non_null(first);
        assert_null(leaked);
        assert_int_equal(fake_guest_proofs(f->guest), 1);
        int fd = open_strand(f, &strand);
        echo(f, fd, "proven");
        assert_int_equal(fake_guest_proofs(f->guest), 2);
        assert_false(strand_close(strand));
        fd_close(fd);

        /* Another life, another secret; an agent that knows nothing of it is not confused by one. */
        link_stop(f->link);
        fake_guest_set(channel, FAKE_PROOF, false);
        link_start(f->link, FRAMING_CHUNKS);
        wait_fact(f, LINK_PROVEN);
        assert_int_equal(link_transport(f->link), TRANSPORT_VSOCK);
        _cleanup_free_ char *second = fake_guest_secret(channel);
        assert_string_not_equal(second, first);
        assert_int_equal(fake_guest_proofs(f->guest), 2);

        link_stop(f->link);
        fake_guest_free(channel);
        assert_return_code(rmdir(directory), errno);
}

/* Where there is no channel the operator gives it to both, and it stays the same. */
static void test_a_secret_of_the_operator(void **state) {
        Fixture *f = *state;
        char path[] = "/tmp/test-link-XXXXXX";
        Strand *strand;
        int fd = mkstemp(path);

        assert_return_code(fd, errno);
        assert_int_equal(dprintf(fd, "%064i\n", 7), 65);
        fd_close(fd);
        f->config.secret = path;
        f->link = link_free(f->link);
        assert_int_equal(link_new(f->event, &f->config, f->hooks, &f->link), 0);

        for (unsigned life = 1; life <= 2; life++) {
                link_start(f->link, FRAMING_CHUNKS);
                wait_fact(f, LINK_PROVEN);
                assert_int_equal(link_transport(f->link), TRANSPORT_VSOCK);
                assert_int_equal(fake_guest_proofs(f->guest), 2 * life - 1);
                fd = open_strand(f, &strand);
                echo(f, fd, "proven");
                assert_int_equal(fake_guest_proofs(f->guest), 2 * life);
                assert_false(strand_close(strand));
                fd_close(fd);
                link_stop(f->link);
        }

        /* One that everybody may read is none. */
        assert_return_code(chmod(path, 0644), errno);
        link_start(f->link, FRAMING_CHUNKS);
        wait_fact(f, LINK_PROVEN);
        assert_int_equal(fake_guest_proofs(f->guest), 4);
        link_stop(f->link);
        assert_return_code(unlink(path), errno);
}

static unsigned open_descriptors(void) {
        DIR *dir = opendir("/proc/self/fd");
        unsigned n = 0;

        assert_non_null(dir);
        while (readdir(dir))
                n++;
        closedir(dir);
        return n;
}

/* A guest that hangs up before it has heard the proof costs no descriptor, however often it does. */
static void test_hanging_up_before_the_proof(void **state) {
        Fixture *f = *state;
        char path[] = "/tmp/test-link-XXXXXX";
        int fd = mkstemp(path);

        assert_return_code(fd, errno);
        assert_int_equal(dprintf(fd, "%064i\n", 7), 65);
        fd_close(fd);
        f->config.secret = path;
        f->config.transport = TRANSPORT_VSOCK;
        f->link = link_free(f->link);
        assert_int_equal(link_new(f->event, &f->config, f->hooks, &f->link), 0);
        link_start(f->link, FRAMING_CHUNKS);
        wait_fact(f, LINK_PROVEN);

        unsigned before = open_descriptors();
        for (unsigned i = 0; i < 8; i++) {
                fake_guest_set(f->guest, FAKE_SHUTS, true);
                link_probe(f->link);
                /* It has hung up by the time that the link looks at the connection. */
                usleep(50 * 1000);
                wait_fact(f, LINK_DOWN);
                fake_guest_set(f->guest, FAKE_SHUTS, false);
                wait_fact(f, LINK_PROVEN);
        }
        /* The guest's own ends, which it closes in its own time, are counted too. */
        assert_true(open_descriptors() < before + 4);
        link_stop(f->link);
        assert_return_code(unlink(path), errno);
}

/* A channel whose agent understands lanes has several, and a probe beside them. */
static void test_lanes_of_a_channel(void **state) {
        Fixture *f = *state;
        char directory[] = "/tmp/test-link-XXXXXX", path[64];
        Strand *a, *b;
        char c;

        assert_non_null(mkdtemp(directory));
        FakeGuest *channel = fake_guest_new(directory);
        snprintf(path, sizeof(path), "%s/data", directory);
        f->config.channel_data = path;
        assert_true(link_set_lines(f->link, &f->config, &(DomainLines){}));
        fake_guest_set(channel, FAKE_LANES, true);
        link_start(f->link, FRAMING_CHUNKS);
        wait_fact(f, LINK_PROVEN);
        assert_int_equal(link_transport(f->link), TRANSPORT_CHANNEL);
        assert_true(link_is_wide(f->link));

        int fd_a = open_strand(f, &a), fd_b = open_strand(f, &b);
        echo(f, fd_b, "second");
        echo(f, fd_a, "first");
        link_probe(f->link);
        wait_fact(f, LINK_PROVEN);
        /* An agent that is slow in its answer does not end the others. */
        fake_guest_set(channel, FAKE_ANSWERS, false);
        link_probe(f->link);
        wait_fact(f, LINK_SILENT);
        fake_guest_set(channel, FAKE_ANSWERS, true);
        wait_fact(f, LINK_PROVEN);
        echo(f, fd_b, "third");

        assert_false(strand_close(a));
        assert_int_equal(io_read(fd_a, &c, 1, now_monotonic() + PATIENCE), 0);
        echo(f, fd_b, "fourth");
        /* What is in no lane breaks the protocol, and ends all. */
        fake_guest_say(channel, "result:end\n", 1);
        wait_fact(f, LINK_DOWN);
        assert_int_equal(f->misdeeds, 1);
        assert_string_equal(f->misdeed, "it does not keep to its lanes");
        assert_int_equal(io_read(fd_b, &c, 1, now_monotonic() + PATIENCE), 0);
        assert_false(strand_close(b));
        fd_close(fd_a);
        fd_close(fd_b);
        wait_fact(f, LINK_PROVEN);

        link_stop(f->link);
        fake_guest_free(channel);
        assert_return_code(rmdir(directory), errno);
}

static int connect_to(const char *path) {
        struct sockaddr_un address = { .sun_family = AF_UNIX };

        snprintf(address.sun_path, sizeof(address.sun_path), "%s", path);
        int fd = io_connect((const struct sockaddr *)&address, sizeof(address), now_monotonic() + PATIENCE);
        assert_true(fd >= 0);
        return fd;
}

/* A connection to another socket than the configured one, whose agent has answered already: nobody is asked
 * again, with lanes and without. When it breaks, it is that socket that is connected to. */
static void test_adopted_channel(void **state) {
        Fixture *f = *state;
        char directory[] = "/tmp/test-link-XXXXXX", path[64];

        assert_non_null(mkdtemp(directory));
        FakeGuest *channel = fake_guest_new(directory);
        snprintf(path, sizeof(path), "%s/data", directory);
        f->config.channel_data = (char *)"/nowhere/data";
        for (int lanes = 0; lanes < 2; lanes++) {
                const DomainLines lines = { .data = path };
                unsigned requests = fake_guest_requests(channel), facts = f->facts;
                Strand *strand;

                (void)link_set_lines(f->link, &f->config, &lines);
                fake_guest_set(channel, FAKE_LANES, lanes);
                link_adopt(f->link, FRAMING_CHUNKS, connect_to(path), lanes);
                assert_int_equal(f->facts, facts + 1);
                assert_int_equal(f->fact, LINK_PROVEN);
                assert_int_equal(link_transport(f->link), TRANSPORT_CHANNEL);
                assert_true(link_is_wide(f->link) == lanes);
                int fd = open_strand(f, &strand);
                echo(f, fd, "first");
                assert_int_equal(fake_guest_requests(channel), requests + 1);
                fd_close(fd);
                (void)strand_close(strand);
                fake_guest_set(channel, FAKE_UP, false);
                wait_fact(f, LINK_DOWN);
                fake_guest_set(channel, FAKE_UP, true);
                wait_fact(f, LINK_PROVEN);
                assert_int_equal(link_transport(f->link), TRANSPORT_CHANNEL);
                link_stop(f->link);
        }
        fake_guest_free(channel);
        assert_return_code(rmdir(directory), errno);
}

/* A guest that ends no lane has none left after a while: it is not taken for one that works. */
static void test_lanes_that_are_not_ended(void **state) {
        Fixture *f = *state;
        char directory[] = "/tmp/test-link-XXXXXX", path[64];

        assert_non_null(mkdtemp(directory));
        FakeGuest *channel = fake_guest_new(directory);
        snprintf(path, sizeof(path), "%s/data", directory);
        f->config.channel_data = path;
        assert_true(link_set_lines(f->link, &f->config, &(DomainLines){}));
        fake_guest_set(channel, FAKE_LANES, true);
        fake_guest_set(channel, FAKE_ENDS_LANES, false);
        link_start(f->link, FRAMING_CHUNKS);
        wait_fact(f, LINK_PROVEN);
        for (unsigned i = 0; i < LANES_MAX; i++) {
                link_probe(f->link);
                wait_fact(f, LINK_PROVEN);
        }
        assert_int_equal(f->misdeeds, 0);
        link_probe(f->link);
        wait_fact(f, LINK_DOWN);
        assert_int_equal(f->misdeeds, 1);
        assert_string_equal(f->misdeed, "it ends no lane");

        /* The way to it is a new one. */
        wait_fact(f, LINK_PROVEN);
        link_probe(f->link);
        wait_fact(f, LINK_PROVEN);
        link_stop(f->link);
        fake_guest_free(channel);
        assert_return_code(rmdir(directory), errno);
}

/* A byte stream has one holder, and is given back for the next one. */
static void test_serial(void **state) {
        Fixture *f = *state;
        Strand *a, *b;

        fake_guest_set(f->guest, FAKE_UP, false);
        link_start(f->link, FRAMING_CHUNKS);
        wait_fact(f, LINK_PROVEN);
        int fd = open_strand(f, &a);
        echo(f, fd, "first");
        assert_int_equal(open_strand(f, &b), -ENOTCONN);
        (void)strand_close(b);
        assert_false(strand_close(a));
        fd_close(fd);
        link_probe(f->link);
        wait_fact(f, LINK_PROVEN);
        fd = open_strand(f, &b);
        echo(f, fd, "second");
        assert_false(strand_close(b));
        fd_close(fd);

        fake_guest_set(f->serial, FAKE_ANSWERS, false);
        link_probe(f->link);
        wait_fact(f, LINK_SILENT);
}

/* What nobody asked for is thrown away, and nobody is given a stream on which it lies. */
static void test_leftovers(void **state) {
        Fixture *f = *state;
        Strand *a;

        fake_guest_set(f->guest, FAKE_UP, false);
        link_start(f->link, FRAMING_CHUNKS);
        wait_fact(f, LINK_PROVEN);
        fake_guest_say(f->serial, "result:end\n", 1);
        /* Whichever is looked at first, the clock or the stream. */
        int fd = open_strand(f, &a);
        if (fd < 0) {
                assert_int_equal(fd, -EAGAIN);
                (void)strand_close(a);
                while (f->unasked == 0)
                        assert_true(sd_event_run(f->event, SEC) >= 0);
                fd = open_strand(f, &a);
        }
        echo(f, fd, "mine");
        assert_false(strand_close(a));
        fd_close(fd);
        assert_int_equal(f->unasked, 1);
        assert_int_equal(f->misdeeds, 0);
}

int main(void) {
#define test_with_link(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
        const struct CMUnitTest tests[] = {
                test_with_link(test_vsock_comes_first),
                test_with_link(test_several_leases_at_once),
                test_with_link(test_vsock_that_is_refused_or_silent),
                test_with_link(test_vsock_that_goes),
                test_with_link(test_proof_over_vsock),
                test_with_link(test_a_secret_of_the_operator),
                test_with_link(test_hanging_up_before_the_proof),
                test_with_link(test_lanes_of_a_channel),
                test_with_link(test_adopted_channel),
                test_with_link(test_lanes_that_are_not_ended),
                test_with_link(test_serial),
                test_with_link(test_leftovers),
        };
        cmocka_set_test_filter(getenv("PBOTVM_TEST_FILTER"));
        return cmocka_run_group_tests(tests, NULL, NULL);
}
