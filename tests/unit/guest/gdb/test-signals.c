/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>

#include <cmocka.h>

#include "gdb/signals.h"

static void test_numbers(void **state _unused_) {
        assert_int_equal(signal_number("SIGSEGV"), SIGSEGV);
        assert_int_equal(signal_number("SIGKILL"), SIGKILL);
        assert_int_equal(signal_number("SEGV"), 0);
        assert_int_equal(signal_number("SIGNOSUCH"), 0);
}

static void test_actions(void **state _unused_) {
        assert_int_equal(signal_action(SIGSEGV), SIGNAL_ENDS);
        assert_int_equal(signal_action(SIGUSR1), SIGNAL_ENDS);
        assert_int_equal(signal_action(0), SIGNAL_ENDS);
        assert_int_equal(signal_action(SIGSTOP), SIGNAL_STOPS);
        assert_int_equal(signal_action(SIGTTOU), SIGNAL_STOPS);
        assert_int_equal(signal_action(SIGCONT), SIGNAL_DOES_NOTHING);
}

static void ignore(int number _unused_) {
}

static void test_handled(void **state _unused_) {
        (void)signal(SIGUSR1, ignore);
        (void)signal(SIGUSR2, SIG_IGN);
        assert_true(signal_is_handled(getpid(), SIGUSR1));
        assert_true(signal_is_handled(getpid(), SIGUSR2));
        assert_false(signal_is_handled(getpid(), SIGTERM));
        assert_false(signal_is_handled(0, SIGUSR1));
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_numbers),
                cmocka_unit_test(test_actions),
                cmocka_unit_test(test_handled),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
