/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* What may take long: a call that is given up, and the round trips of the languages. */

#include "patient.h"

#include <arpa/inet.h>
#include <poll.h>
#include <pthread.h>
#include <sys/socket.h>

#include "common/io.h"
#include "ctl/doctor/bounded.h"
#include "ctl/doctor/languages.h"

/* Waits for a byte, or for the pipe's end. */
typedef struct Job {
        int wait[2], released[2];
        bool ran;
} Job;

static void run(void *data) {
        Job *job = data;
        char c;

        (void)!read(job->wait[0], &c, 1);
        job->ran = true;
}

static void release(void *data) {
        Job *job = data;

        (void)!write(job->released[1], "r", 1);
}

static void count(void *userdata, uint64_t usec) {
        assert_int_equal(usec, USEC_PER_SEC + USEC_PER_SEC / 10);
        (*(int *)userdata)++;
}

static void test_bounded(void **state) {
        Job job = {};
        int waited = 0;
        char c;

        (void)state;
        assert_int_equal(pipe(job.wait), 0);
        assert_int_equal(pipe(job.released), 0);
        assert_int_equal(bounded_run(run, release, &job, USEC_PER_SEC + USEC_PER_SEC / 10, count, &waited),
                -ETIMEDOUT);
        assert_int_equal(waited, 1);
        assert_false(job.ran);

        /* It ends when it ends. */
        assert_int_equal(write(job.wait[1], "w", 1), 1);
        assert_true(io_wait(job.released[0], POLLIN, now_monotonic() + 20 * USEC_PER_SEC) > 0);
        assert_int_equal(read(job.released[0], &c, 1), 1);
        assert_true(job.ran);

        job.ran = false;
        assert_int_equal(write(job.wait[1], "w", 1), 1);
        assert_int_equal(bounded_run(run, release, &job, 20 * USEC_PER_SEC, NULL, NULL), 0);
        assert_true(job.ran);
        for (size_t i = 0; i < 2; i++) {
                close(job.wait[i]);
                close(job.released[i]);
        }
}

/* Answers one request after the other. */
static void *serve(void *data) {
        static const char *const answers[] = { "hello\n", "sh: 1: nothing: \x1Bnot found\n", "" };
        int listener = *(int *)data;

        for (size_t i = 0; i < ELEMENTSOF(answers); i++) {
                _cleanup_close_ int fd = accept(listener, NULL, NULL);
                char request[300];
                (void)!read(fd, request, sizeof(request));
                (void)!write(fd, answers[i], strlen(answers[i]));
        }
        return NULL;
}

static void test_languages(void **state) {
        static char address[] = "127.0.0.1", language[] = "c";
        static const char programs[] =
                "{\"about\": \"x\", \"a\": {\"code\": \"1\"}, \"b\": {\"code\": \"2\"}, "
                "\"c\": {\"code\": \"3\"}}";
        struct sockaddr_in sa = { .sin_family = AF_INET, .sin_addr = { htonl(INADDR_LOOPBACK) } };
        char path[] = "/tmp/test-languages-XXXXXX";
        socklen_t size = sizeof(sa);
        _cleanup_results_ Results results = {}, away = {};
        pthread_t thread;

        (void)state;
        _cleanup_close_ int file = mkstemp(path);
        assert_int_equal(write(file, programs, strlen(programs)), strlen(programs));
        int listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
        assert_int_equal(bind(listener, (struct sockaddr *)&sa, sizeof(sa)), 0);
        assert_int_equal(listen(listener, 5), 0);
        assert_int_equal(getsockname(listener, (struct sockaddr *)&sa, &size), 0);
        assert_int_equal(pthread_create(&thread, NULL, serve, &listener), 0);
        const Config config = { .listen_default = true,
                .listen_address = address,
                .listen_port = ntohs(sa.sin_port),
                .default_language = language };

        assert_int_equal(languages_try(&config, path, false, &results), 0);
        assert_int_equal(pthread_join(thread, NULL), 0);
        assert_int_equal(results.n, 3);
        assert_int_equal(results.results[0].level, CHECK_OK);
        assert_int_equal(results.results[1].level, CHECK_WARNING);
        assert_string_equal(results.results[1].subject, "b");
        assert_non_null(strstr(results.results[1].wrong, "?not found"));
        assert_non_null(strstr(results.results[1].mend, "guest/install --languages b"));
        assert_int_equal(results.results[2].level, CHECK_FAULT); /* the default one */

        close(listener);
        assert_int_equal(languages_try(&config, path, false, &away), 0);
        assert_int_equal(away.n, 1); /* the others would not be heard either */
        assert_int_equal(away.results[0].level, CHECK_FAULT);
        assert_string_equal(away.results[0].mend, "systemctl restart pbotvm.socket");
        assert_int_equal(unlink(path), 0);
        assert_int_equal(languages_try(&config, path, false, &away), 0);
        assert_string_equal(away.results[1].subject, path);
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_bounded),
                cmocka_unit_test(test_languages),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
