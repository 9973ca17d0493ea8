/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "cmocka-all.h"

#include <sys/resource.h>
#include <sys/wait.h>

#include "job-limits.h"

#define GIB ((uint64_t)1 << 30)

static void test_defaults_are_pbots(_unused_ void **state) {
        JobLimits limits = limits_default(GIB);

        assert_int_equal(limits.cpu_usec, 8000000);
        assert_int_equal(limits.wall_usec, 9500000);
        assert_int_equal(limits.processes, 200);
        assert_int_equal(limits.file_bytes, 2048000);
        assert_int_equal(limits.output_bytes, 1 << 20);
        assert_true(limits.memory_bytes < GIB);
        assert_true(limits.disk_bytes <= limits.memory_bytes / 2);
        assert_true(limits_default(64 * GIB).disk_bytes == 256 << 20);
}

static void test_all_jobs_leave_room(_unused_ void **state) {
        assert_true(limits_all_memory(GIB) == GIB / 4 * 3);
        assert_true(limits_all_memory(GIB / 4) == GIB / 16 * 3);
        assert_true(limits_all_memory(64 * GIB) == 64 * GIB - GIB / 2);
        /* One job alone reaches its own limit first. */
        for (uint64_t total = GIB / 4; total <= 64 * GIB; total *= 2)
                assert_true(limits_default(total).memory_bytes < limits_all_memory(total));
}

static void test_requests_lower_and_never_raise(_unused_ void **state) {
        JobLimits base = limits_default(GIB), request = JOB_LIMITS_UNSET;

        request.wall_usec = 1000000;
        request.cpu_usec = 1000000000;
        request.processes = 10;
        JobLimits limits = limits_resolve(&base, &request);
        assert_int_equal(limits.wall_usec, 1000000);
        assert_int_equal(limits.cpu_usec, base.cpu_usec);
        assert_int_equal(limits.processes, 10);
        assert_int_equal(limits.memory_bytes, base.memory_bytes);
}

static void test_one_process_gets_no_more_than_all(_unused_ void **state) {
        JobLimits limits = limits_default(GIB);

        assert_int_equal(limits_process_cpu(&limits), limits.cpu_usec);
        limits.process_cpu_usec = 3 * USEC_PER_SEC;
        assert_int_equal(limits_process_cpu(&limits), 3 * USEC_PER_SEC);
        limits.cpu_usec = USEC_PER_SEC;
        assert_int_equal(limits_process_cpu(&limits), USEC_PER_SEC);
}

static void test_too_little_still_starts(_unused_ void **state) {
        JobLimits base = limits_default(GIB), request = { 0 };
        JobLimits limits = limits_resolve(&base, &request);

        assert_true(limits.memory_bytes > 0);
        assert_true(limits.processes > 1);
        assert_true(limits.disk_bytes > 4096);
        assert_int_equal(limits.wall_usec, 0);
        assert_true(limits_inodes(&limits) > 16);
}

static void test_limits_hold_in_a_process(_unused_ void **state) {
        const ProcessLimits limits = { 8 * USEC_PER_SEC, 12345, 77 };
        pid_t pid = fork();

        if (pid == 0) {
                struct rlimit l;
                if (limits_apply(&limits) < 0)
                        _exit(1);
                if (getrlimit(RLIMIT_FSIZE, &l) < 0 || l.rlim_cur != 12345 || l.rlim_max != 12345)
                        _exit(2);
                if (getrlimit(RLIMIT_CORE, &l) < 0 || l.rlim_cur != 1 || l.rlim_max != 1)
                        _exit(3);
                /* Equal, or a shell would see SIGXCPU and the texts of the kill would differ. */
                if (getrlimit(RLIMIT_CPU, &l) < 0 || l.rlim_cur != 8 || l.rlim_max != 8)
                        _exit(4);
                if (getrlimit(RLIMIT_NPROC, &l) < 0 || l.rlim_cur != 77 || l.rlim_max != 77)
                        _exit(5);
                _exit(0);
        }
        int status;
        assert_int_equal(waitpid(pid, &status, 0), pid);
        assert_int_equal(status, 0);
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_defaults_are_pbots),
                cmocka_unit_test(test_all_jobs_leave_room),
                cmocka_unit_test(test_requests_lower_and_never_raise),
                cmocka_unit_test(test_one_process_gets_no_more_than_all),
                cmocka_unit_test(test_too_little_still_starts),
                cmocka_unit_test(test_limits_hold_in_a_process),
        };
        return cmocka_run_group_tests(tests, NULL, NULL);
}
