/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "ctl/doctor/languages.h"

#include <fcntl.h>
#include <netdb.h>
#include <stdio.h>

#include "common/io.h"
#include "common/utf8.h"
#include "ctl/doctor/words.h"

#define ANSWER_MAX 4096 /* of it is kept; a hello is shorter */
#define ANSWER_SHOWN 100
#define LOOKS_AT "hello world runs"

static int connect_to(const char *host, uint16_t port, uint64_t deadline) {
        const struct addrinfo hints = { .ai_flags = AI_NUMERICHOST | AI_NUMERICSERV,
                .ai_socktype = SOCK_STREAM };
        struct addrinfo *address;
        char service[8];

        (void)snprintf(service, sizeof(service), "%u", port);
        if (getaddrinfo(host, service, &hints, &address) != 0)
                return -EINVAL;
        int fd = io_connect(address->ai_addr, address->ai_addrlen, deadline);
        freeaddrinfo(address);
        return fd;
}

/* One request, as PBot would send it. */
static int write_request(const char *language, const Json *code, Text *ret) {
        _cleanup_(json_writer_freep) JsonWriter *writer = json_writer_new(false);
        size_t size;
        const char *data = json_string(code, &size);

        json_open_object(writer);
        json_key(writer, "nick");
        json_put_string(writer, "pbotvmctl");
        json_key(writer, "channel");
        json_put_string(writer, "pbotvmctl");
        json_key(writer, "lang");
        json_put_string(writer, language);
        json_key(writer, "code");
        json_put_bytes(writer, data, size);
        json_close_object(writer);
        int r = json_writer_finish(writer, ret);
        text_append_char(ret, '\n');
        return r < 0 ? r : text_error(ret);
}

static int ask(const char *host, uint16_t port, const Text *request, Text *answer) {
        uint64_t deadline = usec_add(now_monotonic(), LANGUAGE_USEC);
        _cleanup_close_ int fd = connect_to(host, port, deadline);
        char buffer[1024];
        ssize_t n;

        if (fd < 0)
                return fd;
        int r = io_write(fd, request->data, request->size, deadline);
        if (r < 0)
                return r;
        while ((n = io_read(fd, buffer, sizeof(buffer), deadline)) > 0)
                if (answer->size < ANSWER_MAX)
                        text_append(answer, buffer, (size_t)n);
        return n < 0 ? (int)n : text_error(answer);
}

static bool is_hello(const Text *answer) {
        const char *text = text_string(answer);
        size_t n = strcspn(text, "\r\n");

        return n == strlen("hello") && strncmp(text, "hello", n) == 0 &&
               text[n + strspn(text + n, "\r\n")] == '\0';
}

/* What is wrong is the guest's lack of the language; of the default one it is everybody's. */
static int add(const Config *config, const char *language, int r, const Text *answer, Results *results) {
        bool needed = streq(language, config->default_language);
        _cleanup_text_ Text wrong = {}, mend = {};
        char shown[ANSWER_SHOWN];

        if (r >= 0 && is_hello(answer))
                return results_add(results, "language", LOOKS_AT, CHECK_OK, language, NULL, NULL);
        if (r < 0) {
                text_append_printf(&wrong, "the service could not be asked: %s", strerror(-r));
                text_append_string(&mend, "systemctl restart pbotvm.socket");
        } else {
                utf8_copy_line(shown, sizeof(shown), text_string(answer));
                text_append_printf(&wrong, "hello world gave: %s", shown);
                text_append_string(&mend, "guest/install --languages ");
                words_quote(&mend, language);
                text_append_string(&mend, "  # in the guest, then a new snapshot");
        }
        if (text_failed(&wrong) || text_failed(&mend))
                return -ENOMEM;
        return results_add(results, "language", LOOKS_AT, needed || r < 0 ? CHECK_FAULT : CHECK_WARNING,
                language, text_string(&wrong), text_string(&mend));
}

static int try_all(const Config *config, const Json *programs, const char *host, uint16_t port,
        bool progress, Results *results) {
        for (size_t i = 0; i < json_size(programs); i++) {
                const char *language = json_name_at(programs, i);
                const Json *code = json_member(json_at(programs, i), "code");
                _cleanup_text_ Text request = {}, answer = {};

                if (!json_string(code, NULL))
                        continue;
                int r = write_request(language, code, &request);
                if (r < 0)
                        return r;
                if (progress)
                        fprintf(stderr, "Running hello world in %s...\n", language);
                r = ask(host, port, &request, &answer);
                if (r == -ENOMEM)
                        return r;
                int added = add(config, language, r, &answer, results);
                if (added < 0 || r == -ECONNREFUSED) /* the next would not be heard either */
                        return added;
        }
        return 0;
}

int languages_try(const Config *config, const char *file, bool progress, Results *results) {
        const char *host = config->listen_default ? config->listen_address : NULL;
        uint16_t port = config->listen_port;
        _cleanup_json_ Json *programs = NULL;
        _cleanup_text_ Text content = {};

        for (size_t i = 0; !host && i < config->n_listeners; i++) {
                host = config->listeners[i].host;
                port = config->listeners[i].port;
        }
        int r = io_read_file(AT_FDCWD, file, JSON_LIMITS_FILE.size, &content);
        if (r >= 0)
                r = json_parse(text_string(&content), content.size, JSON_LIMITS_FILE, &programs, NULL);
        if (r == -ENOMEM)
                return r;
        if (r < 0)
                return results_add(results, "language", LOOKS_AT, CHECK_FAULT, file,
                        "the languages' programs cannot be read", "meson install -C build");
        if (!host)
                return results_add(results, "language", LOOKS_AT, CHECK_FAULT, "host",
                        "there is no TCP address to send a request to", "man pbotvm.json  # \"listeners\"");
        return try_all(config, programs, host, port, progress, results);
}
