/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* pbotvm-client, the drop-in for PBot's vm-client: its arguments, joined by spaces, are one request; the
 * answer goes to its output. */
#include <errno.h>
#include <netdb.h>
#include <signal.h>
#include <stdio.h>
#include <sys/socket.h>
#include <sys/un.h>

#include "common/io.h"
#include "paths.h"

/* Longer than a server of ours, or PBot's, may take to answer: pbotvm@.service. */
#define ANSWER_USEC (20 * 60 * USEC_PER_SEC)

/* Whoever does not take a connection for so long takes none. */
#define CONNECT_USEC (10 * USEC_PER_SEC)

static const char *variable(const char *name, const char *otherwise) {
        const char *value = getenv(name);
        return isempty(value) ? otherwise : value;
}

/* PBot shows what its client prints, so trouble goes to the output too. */
static int fatal(const char *message) {
        printf("Fatal error: %s; try again later\n", message);
        return EXIT_FAILURE;
}

static int connect_to(const struct sockaddr *address, socklen_t size) {
        uint64_t deadline = usec_add(now_monotonic(), CONNECT_USEC);
        int fd;

        /* Of a unix socket whose queue is full nobody tells when it is not. */
        while ((fd = io_connect(address, size, deadline)) == -EAGAIN && now_monotonic() < deadline)
                (void)usleep(20000);
        return fd;
}

static int connect_unix(const char *path, const char **ret_message) {
        struct sockaddr_un un = { .sun_family = AF_UNIX };
        int fd = -ENAMETOOLONG;

        if (strlen(path) < sizeof(un.sun_path)) {
                memcpy(un.sun_path, path, strlen(path));
                fd = connect_to((const struct sockaddr *)&un, sizeof(un));
        }
        if (fd < 0)
                *ret_message = strerror(-fd);
        return fd;
}

/* A connection, or negative errno; *ret_message says more where it can. */
static int connect_server(const char **ret_message) {
        const char *host = variable("PBOTVM_ADDR", "127.0.0.1");
        const char *port = variable("PBOTVM_PORT", variable("PBOTVM_SERVER", "9000"));
        const struct addrinfo hints = { .ai_family = AF_UNSPEC, .ai_socktype = SOCK_STREAM };
        struct addrinfo *addresses;
        int fd = -EADDRNOTAVAIL;

        if (host[0] == '/')
                return connect_unix(host, ret_message);
        int r = getaddrinfo(host, port, &hints, &addresses);
        if (r != 0) {
                *ret_message = r == EAI_SYSTEM ? strerror(errno) : gai_strerror(r);
                return -EADDRNOTAVAIL;
        }
        for (const struct addrinfo *a = addresses; a && fd < 0; a = a->ai_next)
                fd = connect_to(a->ai_addr, a->ai_addrlen);
        freeaddrinfo(addresses);
        if (fd < 0)
                *ret_message = strerror(-fd);
        return fd;
}

static int send_request(int fd, int argc, char *argv[], uint64_t deadline) {
        _cleanup_text_ Text line = {};

        for (int i = 1; i < argc; i++) {
                if (i > 1)
                        text_append_char(&line, ' ');
                text_append_string(&line, argv[i]);
        }
        text_append_char(&line, '\n');
        int r = text_error(&line);
        return r < 0 ? r : io_write(fd, line.data, line.size, deadline);
}

static int copy_answer(int fd, uint64_t deadline) {
        char buffer[65536];
        ssize_t n;

        while ((n = io_read(fd, buffer, sizeof(buffer), deadline)) > 0)
                if (fwrite(buffer, 1, (size_t)n, stdout) != (size_t)n)
                        return -EIO;
        return fflush(stdout) != 0 ? -EIO : (int)n;
}

static int help(void) {
        printf("pbotvm-client REQUEST...\n\n"
               "Sends a request, which is one line of text or JSON, to the server of PBot's\n"
               "virtual machine and shows the answer.\n\n"
               "  pbotvm-client -lang=sh echo hello\n\n"
               "PBOTVM_ADDR and PBOTVM_PORT (or PBOTVM_SERVER) name the server; without them\n"
               "it is 127.0.0.1, port 9000. PBOTVM_ADDR may be the path of a unix socket.\n");
        return EXIT_SUCCESS;
}

int main(int argc, char *argv[]) {
        const char *message = NULL;

        /* All else is part of the request. */
        if (argc == 2 && streq(argv[1], "--help"))
                return help();
        if (argc == 2 && streq(argv[1], "--version"))
                return puts("pbotvm " PBOTVM_VERSION) < 0;
        if (argc < 2) {
                fprintf(stderr,
                        "pbotvm-client: expected a request, as in: pbotvm-client -lang=sh echo hello\n");
                return EXIT_FAILURE;
        }

        (void)signal(SIGPIPE, SIG_IGN);
        _cleanup_close_ int fd = connect_server(&message);
        if (fd < 0)
                return fatal(message);

        uint64_t deadline = usec_add(now_monotonic(), ANSWER_USEC);
        int r = send_request(fd, argc, argv, deadline);
        /* A server that refuses a long line has said so before it closed. */
        if (r >= 0 || r == -EPIPE || r == -ECONNRESET)
                r = copy_answer(fd, deadline);
        return r < 0 ? fatal(strerror(-r)) : EXIT_SUCCESS;
}
