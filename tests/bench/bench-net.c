/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The three ends of the overhead bench: a service that echoes a line, a guest that answers at once, and
 * clients that measure from connect to the end of file. */
#include <arpa/inet.h>
#include <inttypes.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <pthread.h>
#include <stdio.h>
#include <sys/socket.h>

#include "common/frame.h"
#include "common/io.h"
#include "common/reply.h"
#include "common/request.h"

static int fail(const char *what) {
        fprintf(stderr, "bench-net: %s: %m\n", what);
        return EXIT_FAILURE;
}

static struct sockaddr_in loopback(const char *port) {
        return (struct sockaddr_in){ .sin_family = AF_INET,
                .sin_port = htons((uint16_t)atoi(port)),
                .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
}

/* The bare service: its standard input is the connection. */
static int echo(void) {
        char line[4096];
        ssize_t n = read(STDIN_FILENO, line, sizeof(line));

        return n > 0 && write(STDIN_FILENO, line, (size_t)n) == n ? EXIT_SUCCESS : EXIT_FAILURE;
}

static int listen_on(const char *port) {
        struct sockaddr_in address = loopback(port);
        int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), one = 1;

        (void)setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one));
        if (fd < 0 || bind(fd, (struct sockaddr *)&address, sizeof(address)) < 0 || listen(fd, 16) < 0)
                return -errno;
        return fd;
}

static int answer_one(int fd, const RequestReader *reader) {
        _cleanup_request_ Request request = REQUEST_INIT;
        _cleanup_reply_ Reply reply = {};
        _cleanup_text_ Text error = {}, json = {}, frame = {};

        if (request_parse(reader->content.data, reader->content.size, &request, &error) < 0)
                return -EBADMSG;
        const char *nonce = startswith(text_string(&request.code), "echo ");
        text_append_string(&reply.result, nonce ? nonce : "ok");
        text_append_char(&reply.result, '\n');
        reply.present = request.present;
        reply.id = request.id;
        request.id = NULL;
        reply.exited = true;
        int r = reply_write(&reply, &json);
        if (r < 0)
                return r;
        frame_append_reply(&frame, json.data, json.size);
        return io_write(fd, frame.data, frame.size, USEC_INFINITY);
}

/* One connection to the guest's data port. */
static void *serve_data(void *userdata) {
        int fd = (int)(intptr_t)userdata;
        RequestReader reader = {};
        char buffer[65536];
        ssize_t n;

        while ((n = io_read(fd, buffer, sizeof(buffer), USEC_INFINITY)) > 0)
                for (size_t i = 0, used; i < (size_t)n; i += used)
                        if (request_reader_feed(&reader, buffer + i, (size_t)n - i, &used) == 1) {
                                (void)answer_one(fd, &reader);
                                request_reader_reset(&reader);
                        }
        request_reader_done(&reader);
        close(fd);
        return NULL;
}

static void *serve_heart(void *userdata) {
        int fd = (int)(intptr_t)userdata;

        while (io_write(fd, "\n", 1, USEC_INFINITY) == 0)
                sleep(1);
        close(fd);
        return NULL;
}

typedef struct Acceptor {
        int fd;
        void *(*serve)(void *);
} Acceptor;

static void *accept_all(void *userdata) {
        const Acceptor *a = userdata;
        int fd, one = 1;

        while ((fd = accept(a->fd, NULL, NULL)) >= 0) {
                pthread_t thread;
                (void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
                if (pthread_create(&thread, NULL, a->serve, (void *)(intptr_t)fd) == 0)
                        pthread_detach(thread);
        }
        return NULL;
}

static int guest(const char *data_port, const char *heart_port) {
        Acceptor data = { listen_on(data_port), serve_data }, heart = { listen_on(heart_port), serve_heart };
        pthread_t thread;

        if (data.fd < 0 || heart.fd < 0)
                return fail("cannot listen");
        if (pthread_create(&thread, NULL, accept_all, &data) != 0)
                return fail("cannot make a thread");
        (void)accept_all(&heart);
        return EXIT_FAILURE;
}

typedef struct Load {
        const char *port, *line;
        uint64_t *usec; /* of each request */
        unsigned n;
        unsigned failed;
} Load;

static bool request_once(const Load *load, uint64_t *ret_usec) {
        struct sockaddr_in address = loopback(load->port);
        char buffer[65536];
        ssize_t n, total = 0;
        uint64_t began = now_monotonic();

        _cleanup_close_ int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
        if (fd < 0 || connect(fd, (struct sockaddr *)&address, sizeof(address)) < 0 ||
                io_write(fd, load->line, strlen(load->line), USEC_INFINITY) < 0)
                return false;
        while ((n = read(fd, buffer, sizeof(buffer))) > 0)
                total += n;
        *ret_usec = now_monotonic() - began;
        return n == 0 && total > 1;
}

static void *run_load(void *userdata) {
        Load *load = userdata;

        for (unsigned i = 0; i < load->n; i++)
                if (!request_once(load, &load->usec[i]))
                        load->failed++;
        return NULL;
}

static int compare(const void *a, const void *b) {
        uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;
        return x < y ? -1 : x > y;
}

/* Prints "MEDIAN P95 FAILED SECONDS", the first two in usec. */
static int load(const char *port, unsigned requests, unsigned clients, const char *request) {
        uint64_t *usec = calloc(requests, sizeof(*usec));
        Load *loads = calloc(clients, sizeof(*loads));
        pthread_t *threads = calloc(clients, sizeof(*threads));
        _cleanup_text_ Text line = {};
        unsigned each = requests / clients, failed = 0;

        text_append_printf(&line, "%s\n", request);
        if (!usec || !loads || !threads || text_failed(&line))
                return fail("memory");
        uint64_t began = now_monotonic();
        for (unsigned i = 0; i < clients; i++) {
                loads[i] = (Load){
                        .port = port, .line = text_string(&line), .usec = usec + i * each, .n = each
                };
                if (pthread_create(&threads[i], NULL, run_load, &loads[i]) != 0)
                        return fail("cannot make a thread");
        }
        for (unsigned i = 0; i < clients; i++) {
                pthread_join(threads[i], NULL);
                failed += loads[i].failed;
        }
        double seconds = (double)(now_monotonic() - began) / 1e6;
        unsigned n = each * clients;
        qsort(usec, n, sizeof(*usec), compare);
        printf("%" PRIu64 " %" PRIu64 " %u %.3f\n", usec[n / 2], usec[n * 95 / 100], failed, seconds);
        free(usec);
        free(loads);
        free(threads);
        return failed > 0 ? EXIT_FAILURE : EXIT_SUCCESS;
}

int main(int argc, char *argv[]) {
        if (argc == 2 && streq(argv[1], "echo"))
                return echo();
        if (argc == 4 && streq(argv[1], "guest"))
                return guest(argv[2], argv[3]);
        if (argc == 6 && streq(argv[1], "load") && atoi(argv[3]) > 0 && atoi(argv[4]) > 0)
                return load(argv[2], (unsigned)atoi(argv[3]), (unsigned)atoi(argv[4]), argv[5]);
        fprintf(stderr, "usage: bench-net echo | guest DATA HEART | load PORT REQUESTS CLIENTS LINE\n");
        return EXIT_FAILURE;
}
