/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "fake-guest.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <pthread.h>
#include <stdio.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <sys/un.h>
/* Needs struct sockaddr. */
#include <linux/vm_sockets.h>

#include "common/io.h"
#include "common/lane.h"
#include "common/text.h"
#include "test.h"

#define CONNECTIONS_MAX 16
#define BEAT_USEC (100 * USEC_PER_MSEC)

enum { DATA, HEART, N_LINES };

typedef struct Connection {
        int fd;
        int line; /* DATA or HEART */
        Text in;
        LaneReader reader;
        Text *lanes; /* NULL: none was opened */
} Connection;

struct FakeGuest {
        pthread_t thread;
        pthread_mutex_t lock;
        int wake;
        bool stop;
        bool traits[_FAKE_TRAIT_MAX];
        const char *beat;
        Text say;
        unsigned requests, end_markers, proofs;
        char *secret;

        char *paths[N_LINES]; /* NULL: TCP */
        uint32_t vsock_port;  /* of the data line; 0: it has another one */
        uint16_t ports[N_LINES];
        int listeners[N_LINES];
        Connection connections[CONNECTIONS_MAX];
        uint64_t beat_usec;
};

static int open_unix(const char *path) {
        struct sockaddr_un a = { .sun_family = AF_UNIX };

        snprintf(a.sun_path, sizeof(a.sun_path), "%s", path);
        (void)unlink(path);
        int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
        assert_true(fd >= 0);
        assert_int_equal(bind(fd, (struct sockaddr *)&a, sizeof(a)), 0);
        return fd;
}

/* The port is the kernel's choice at first, and kept afterwards. */
static int open_tcp(uint16_t *port) {
        struct sockaddr_in a = {
                .sin_family = AF_INET,
                .sin_addr.s_addr = htonl(INADDR_LOOPBACK),
                .sin_port = htons(*port),
        };
        socklen_t size = sizeof(a);

        int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
        assert_true(fd >= 0);
        (void)setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &(int){ 1 }, sizeof(int));
        assert_int_equal(bind(fd, (struct sockaddr *)&a, sizeof(a)), 0);
        assert_int_equal(getsockname(fd, (struct sockaddr *)&a, &size), 0);
        *port = ntohs(a.sin_port);
        return fd;
}

static int open_vsock(uint32_t port) {
        struct sockaddr_vm a = { .svm_family = AF_VSOCK, .svm_cid = VMADDR_CID_ANY, .svm_port = port };

        int fd = socket(AF_VSOCK, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
        assert_true(fd >= 0);
        assert_int_equal(bind(fd, (struct sockaddr *)&a, sizeof(a)), 0);
        return fd;
}

static void listen_on(FakeGuest *g, int line) {
        int fd = line == DATA && g->vsock_port > 0 ? open_vsock(g->vsock_port)
                 : g->paths[line]                  ? open_unix(g->paths[line])
                                                   : open_tcp(&g->ports[line]);

        assert_int_equal(listen(fd, 8), 0);
        g->listeners[line] = fd;
}

static void drop(Connection *c) {
        c->fd = fd_close(c->fd);
        text_done(&c->in);
        for (size_t i = 0; c->lanes && i < LANES_MAX; i++)
                text_done(&c->lanes[i]);
        free(c->lanes);
        c->lanes = NULL;
        c->reader = (LaneReader){};
}

static void go_down(FakeGuest *g) {
        for (int line = 0; line < N_LINES; line++) {
                g->listeners[line] = fd_close(g->listeners[line]);
                if (g->paths[line])
                        (void)unlink(g->paths[line]);
        }
        for (size_t i = 0; i < CONNECTIONS_MAX; i++)
                drop(&g->connections[i]);
}

static void put(Connection *c, const char *data, size_t size) {
        if (c->fd >= 0 && send(c->fd, data, size, MSG_NOSIGNAL) < 0 && errno != EAGAIN)
                drop(c);
}

/* What stands behind "echo " in the request, up to the end of the word. */
static void answer(FakeGuest *g, Connection *c, const Text *in, int lane) {
        static const char proof[] = "{\"pbotvm\":{\"proof\":\"", key[] = "\"secret\":\"";
        const char *echo = memmem(in->data, in->size, "echo ", 5),
                   *secret = memmem(in->data, in->size, key, strlen(key));
        _cleanup_text_ Text out = {};

        if (startswith(text_string(in), proof)) {
                g->proofs++;
                return;
        }
        if (secret) {
                free(g->secret);
                g->secret = bytes_dup(secret + strlen(key), strcspn(secret + strlen(key), "\""));
        }
        g->requests++;
        if (g->traits[FAKE_HANGS_UP]) {
                drop(c);
                return;
        }
        if (!g->traits[FAKE_ANSWERS])
                return;
        text_append_string(&out, "{\"an echo\":\"of the request\"}\r\nresult:{\"result\":\"");
        if (echo)
                text_append(&out, echo + 5, strcspn(echo + 5, "\"\\\n "));
        text_append_printf(&out, "\\n\"%s}\r\nresult:end\r\n",
                g->traits[FAKE_LANES]   ? ",\"pbotvm\":{\"speaks\":[\"lanes\"]}"
                : g->traits[FAKE_PROOF] ? ",\"pbotvm\":{\"speaks\":[\"proof\"]}"
                                        : "");
        if (lane < 0)
                put(c, out.data, out.size);
        else {
                _cleanup_text_ Text pieces = {};
                lane_append(&pieces, (unsigned)lane, out.data, out.size);
                put(c, pieces.data, pieces.size);
        }
}

/* Answers all whole requests of a conversation. */
static void take_requests(FakeGuest *g, Connection *c, Text *in, int lane) {
        while (c->fd >= 0 && in->size > 0) {
                const char *end = memmem(in->data, in->size, "\n\n", 2),
                           *marker = memmem(in->data, in->size, ":end:\n", 6);
                if (!end && !marker)
                        return;
                size_t used = marker && (!end || marker < end) ? (size_t)(marker - in->data) + 6
                                                               : (size_t)(end - in->data) + 2;
                g->end_markers += marker && (!end || marker < end);
                answer(g, c, in, lane);
                if (c->fd >= 0)
                        text_consume(in, used);
        }
}

static void take_lanes(FakeGuest *g, Connection *c) {
        if (!c->lanes)
                c->lanes = calloc(LANES_MAX, sizeof(Text));
        while (c->fd >= 0 && c->in.size > 0) {
                _cleanup_text_ Text end = {};
                LanePiece piece;
                size_t used;
                int r = lane_reader_feed(&c->reader, c->in.data, c->in.size, &used, &piece);
                assert_true(r >= 0);
                if (r > 0 && piece.size > 0) {
                        text_append(&c->lanes[piece.lane], piece.data, piece.size);
                        take_requests(g, c, &c->lanes[piece.lane], (int)piece.lane);
                } else if (r > 0) {
                        text_clear(&c->lanes[piece.lane]);
                        if (g->traits[FAKE_ENDS_LANES])
                                lane_append(&end, piece.lane, "", 0);
                        put(c, text_string(&end), end.size);
                }
                if (c->fd >= 0)
                        text_consume(&c->in, used);
        }
}

static void take_questions(FakeGuest *g, Connection *c) {
        static const char health[] = "\r\nprocs -----------memory\r\n 1 0\r\n\r\n:END\r\n";

        for (size_t i = 0; i < c->in.size && c->fd >= 0; i++)
                if (c->in.data[i] == '\n' && g->traits[FAKE_ASKED])
                        put(c, health, strlen(health));
        if (c->fd >= 0)
                text_clear(&c->in);
}

static void receive(FakeGuest *g, Connection *c) {
        char *p = text_reserve(&c->in, 4096);
        ssize_t n = recv(c->fd, p, 4096, MSG_DONTWAIT);

        if (n < 0 && errno == EAGAIN)
                return;
        if (n <= 0) {
                drop(c);
                return;
        }
        c->in.size += (size_t)n;
        if (c->line == DATA && (c->lanes || c->in.data[0] == '@'))
                take_lanes(g, c);
        else if (c->line == DATA)
                take_requests(g, c, &c->in, -1);
        else
                take_questions(g, c);
}

static void accept_one(FakeGuest *g, int line) {
        int fd = accept4(g->listeners[line], NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);

        bool keep = line != DATA || !g->traits[FAKE_SHUTS];
        for (size_t i = 0; keep && fd >= 0 && i < CONNECTIONS_MAX; i++)
                if (g->connections[i].fd < 0) {
                        g->connections[i] = (Connection){ .fd = fd, .line = line };
                        return;
                }
        fd_close(fd);
}

static void speak(FakeGuest *g) {
        uint64_t now = now_monotonic();
        bool beat = g->traits[FAKE_BEATS] && now >= g->beat_usec + BEAT_USEC;

        for (size_t i = 0; i < CONNECTIONS_MAX; i++) {
                Connection *c = &g->connections[i];
                if (c->line == HEART && beat) {
                        put(c, g->beat, strlen(g->beat));
                        put(c, "\n", 1);
                }
                if (c->line == DATA && g->say.size > 0)
                        put(c, g->say.data, g->say.size);
        }
        if (beat)
                g->beat_usec = now;
        text_clear(&g->say);
}

static void obey(FakeGuest *g) {
        bool up = g->listeners[DATA] >= 0;

        if (g->traits[FAKE_UP] && !up)
                for (int line = 0; line < N_LINES; line++)
                        listen_on(g, line);
        else if (!g->traits[FAKE_UP] && up)
                go_down(g);
}

static void turn(FakeGuest *g, struct pollfd *p) {
        uint64_t count;

        pthread_mutex_lock(&g->lock);
        if (p[0].revents)
                (void)!read(g->wake, &count, sizeof(count));
        for (size_t i = 0; i < CONNECTIONS_MAX; i++)
                if (p[1 + N_LINES + i].revents && g->connections[i].fd == p[1 + N_LINES + i].fd)
                        receive(g, &g->connections[i]);
        for (int line = 0; line < N_LINES; line++)
                if (p[1 + line].revents && g->listeners[line] >= 0)
                        accept_one(g, line);
        obey(g);
        speak(g);
        pthread_mutex_unlock(&g->lock);
}

static bool is_stopped(FakeGuest *g) {
        pthread_mutex_lock(&g->lock);
        bool stop = g->stop;
        pthread_mutex_unlock(&g->lock);
        return stop;
}

static void *run(void *userdata) {
        FakeGuest *g = userdata;

        while (!is_stopped(g)) {
                struct pollfd p[1 + N_LINES + CONNECTIONS_MAX];
                p[0] = (struct pollfd){ .fd = g->wake, .events = POLLIN };
                for (int line = 0; line < N_LINES; line++)
                        p[1 + line] = (struct pollfd){ .fd = g->listeners[line], .events = POLLIN };
                for (size_t i = 0; i < CONNECTIONS_MAX; i++)
                        p[1 + N_LINES + i] = (struct pollfd){ .fd = g->connections[i].fd, .events = POLLIN };
                if (poll(p, ELEMENTSOF(p), (int)(BEAT_USEC / USEC_PER_MSEC / 2)) < 0 && errno != EINTR)
                        break;
                turn(g, p);
        }
        return NULL;
}

/* Returns once the thread has done what it was told. */
static void kick(FakeGuest *g) {
        pthread_mutex_unlock(&g->lock);
        (void)!write(g->wake, &(uint64_t){ 1 }, sizeof(uint64_t));
        for (bool obeyed = false; !obeyed; usleep(1000)) {
                pthread_mutex_lock(&g->lock);
                obeyed = g->traits[FAKE_UP] == (g->listeners[DATA] >= 0) && g->say.size == 0;
                pthread_mutex_unlock(&g->lock);
        }
}

static FakeGuest *make(const char *directory, uint32_t vsock_port) {
        FakeGuest *g = calloc(1, sizeof(*g));
        assert_non_null(g);

        pthread_mutex_init(&g->lock, NULL);
        g->wake = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
        g->beat = "pbotvm 1";
        g->vsock_port = vsock_port;
        g->traits[FAKE_UP] = g->traits[FAKE_BEATS] = g->traits[FAKE_ANSWERS] = true;
        g->traits[FAKE_ENDS_LANES] = true;
        for (size_t i = 0; i < CONNECTIONS_MAX; i++)
                g->connections[i].fd = -EBADF;
        for (int line = 0; line < N_LINES; line++) {
                if (directory)
                        assert_true(asprintf(&g->paths[line], "%s/%s", directory,
                                            line == DATA ? "data" : "heart") > 0);
                listen_on(g, line);
        }
        assert_int_equal(pthread_create(&g->thread, NULL, run, g), 0);
        return g;
}

FakeGuest *fake_guest_new(const char *directory) {
        return make(directory, 0);
}

FakeGuest *fake_guest_new_vsock(uint32_t port) {
        return make(NULL, port);
}

void fake_guest_free(FakeGuest *g) {
        if (!g)
                return;
        pthread_mutex_lock(&g->lock);
        g->stop = true;
        pthread_mutex_unlock(&g->lock);
        (void)!write(g->wake, &(uint64_t){ 1 }, sizeof(uint64_t));
        pthread_join(g->thread, NULL);
        go_down(g);
        text_done(&g->say);
        free(g->secret);
        for (int line = 0; line < N_LINES; line++)
                free(g->paths[line]);
        fd_close(g->wake);
        pthread_mutex_destroy(&g->lock);
        free(g);
}

uint16_t fake_guest_data_port(const FakeGuest *g) {
        return g->ports[DATA];
}

uint16_t fake_guest_heart_port(const FakeGuest *g) {
        return g->ports[HEART];
}

void fake_guest_set(FakeGuest *g, FakeTrait trait, bool value) {
        pthread_mutex_lock(&g->lock);
        g->traits[trait] = value;
        kick(g);
}

void fake_guest_set_beat(FakeGuest *g, const char *line) {
        pthread_mutex_lock(&g->lock);
        g->beat = line;
        kick(g);
}

void fake_guest_say(FakeGuest *g, const char *text, size_t times) {
        pthread_mutex_lock(&g->lock);
        for (size_t i = 0; i < times; i++)
                text_append_string(&g->say, text);
        kick(g);
}

static unsigned read_counter(FakeGuest *g, const unsigned *counter) {
        pthread_mutex_lock(&g->lock);
        unsigned value = *counter;
        pthread_mutex_unlock(&g->lock);
        return value;
}

unsigned fake_guest_requests(FakeGuest *g) {
        return read_counter(g, &g->requests);
}

unsigned fake_guest_proofs(FakeGuest *g) {
        return read_counter(g, &g->proofs);
}

char *fake_guest_secret(FakeGuest *g) {
        pthread_mutex_lock(&g->lock);
        char *secret = g->secret ? strdup(g->secret) : NULL;
        pthread_mutex_unlock(&g->lock);
        return secret;
}

unsigned fake_guest_end_markers(FakeGuest *g) {
        return read_counter(g, &g->end_markers);
}
