/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "cmocka-all.h"

#include <fcntl.h>

#include "output-pipe.h"

static void test_keeps_what_fits(_unused_ void **state) {
        OutputBudget budget = { .limit = 10 };
        _cleanup_text_ Text a = {}, b = {};
        int fds[2];

        assert_int_equal(pipe2(fds, O_NONBLOCK), 0);
        assert_int_equal(write(fds[1], "1234567", 7), 7);
        assert_int_equal(output_read(fds[0], &budget, &a), 7);
        assert_int_equal(write(fds[1], "abcdefg", 7), 7);
        assert_int_equal(output_read(fds[0], &budget, &b), 7);
        assert_true(text_equals(&a, "1234567"));
        assert_true(text_equals(&b, "abc"));
        assert_int_equal(budget.truncated, 4);
        assert_false(output_flooded(&budget));
        assert_int_equal(output_read(fds[0], &budget, &a), -EAGAIN);
        close(fds[1]);
        assert_int_equal(output_read(fds[0], &budget, &a), 0);
        close(fds[0]);
}

static void test_drains_a_full_pipe(_unused_ void **state) {
        OutputBudget budget = { .limit = 1 << 20 };
        _cleanup_text_ Text text = {};
        char block[4096] = {};
        size_t total = 0;
        int fds[2];

        assert_int_equal(pipe2(fds, O_NONBLOCK), 0);
        for (ssize_t n; (n = write(fds[1], block, sizeof(block))) > 0;)
                total += (size_t)n;
        output_drain(fds[0], &budget, &text);
        assert_int_equal(text.size, total);
        close(fds[0]);
        close(fds[1]);
}

static void test_floods_end(_unused_ void **state) {
        assert_false(output_flooded(&(OutputBudget){ .limit = 1 << 20, .truncated = 1 << 20 }));
        assert_true(output_flooded(&(OutputBudget){ .limit = 1 << 20, .truncated = 100 << 20 }));
}

static void count_news(_unused_ const OutputPipe *pipe, void *userdata) {
        (*(int *)userdata)++;
}

static void test_pipe_tells_of_output_and_of_its_end(_unused_ void **state) {
        OutputBudget budget = { .limit = 4 };
        _cleanup_text_ Text text = {};
        OutputPipe pipe;
        sd_event *event;
        int news = 0;

        assert_int_equal(sd_event_new(&event), 0);
        assert_true(output_pipe_open(&pipe, event, false, &budget, &text, count_news, &news) >= 0);
        assert_int_equal(sd_event_run(event, 0), 0);
        assert_int_equal(news, 0);
        assert_int_equal(write(pipe.child_fd, "output", 6), 6);
        assert_true(sd_event_run(event, 0) > 0);
        assert_int_equal(news, 1);
        assert_true(pipe.fd >= 0);
        assert_true(text_equals(&text, "outp"));
        output_pipe_close_child(&pipe);
        assert_true(sd_event_run(event, 0) > 0);
        assert_int_equal(news, 2);
        assert_int_equal(pipe.fd, -EBADF);
        output_pipe_close(&pipe);

        /* Another's end is open, and nobody is told. */
        budget.limit = 100;
        assert_true(output_pipe_open(&pipe, event, false, &budget, &text, count_news, &news) >= 0);
        assert_int_equal(write(pipe.child_fd, "ut", 2), 2);
        output_pipe_drain(&pipe);
        assert_true(text_equals(&text, "output"));
        assert_int_equal(pipe.fd, -EBADF);
        assert_int_equal(news, 2);
        output_pipe_close(&pipe);
        sd_event_unref(event);
}

static void test_terminal_changes_nothing(_unused_ void **state) {
        static const char bytes[] = "a\nb\r\n\t\x03\x04\x11\x1b\x7f\xff";
        OutputBudget budget = { .limit = 1 << 20 };
        _cleanup_text_ Text text = {};
        OutputPipe pipe;
        sd_event *event;
        int news = 0;

        assert_int_equal(sd_event_new(&event), 0);
        assert_true(output_pipe_open(&pipe, event, true, &budget, &text, count_news, &news) >= 0);
        assert_true(isatty(pipe.child_fd));
        assert_int_equal(write(pipe.child_fd, bytes, sizeof(bytes)), sizeof(bytes));
        output_pipe_close_child(&pipe);
        while (pipe.fd >= 0)
                assert_true(sd_event_run(event, 5 * USEC_PER_SEC) > 0);
        assert_int_equal(text.size, sizeof(bytes));
        assert_memory_equal(text.data, bytes, sizeof(bytes));
        output_pipe_close(&pipe);
        sd_event_unref(event);
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_keeps_what_fits),
                cmocka_unit_test(test_drains_a_full_pipe),
                cmocka_unit_test(test_floods_end),
                cmocka_unit_test(test_pipe_tells_of_output_and_of_its_end),
                cmocka_unit_test(test_terminal_changes_nothing),
        };
        return cmocka_run_group_tests(tests, NULL, NULL);
}
