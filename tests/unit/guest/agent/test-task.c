/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "cmocka-all.h"

#include "job-limits.h"
#include "common/frame.h"
#include "task.h"

#define SH                                                                                                  \
        "\"lang\":\"sh\",\"sourcefile\":\"prog.sh\",\"execfile\":\"prog.sh\",\"cmdline\":\"sh "             \
        "prog.sh\",\"code\":\":\""

static JobLimits base(void) {
        return limits_default((uint64_t)1 << 30);
}

static int task(const char *json, Task **ret, Text *error) {
        JobLimits limits = base();

        _cleanup_free_ char *id = NULL;

        return task_new(json, strlen(json), &limits, ret, &id, error);
}

static void test_what_is_no_request_is_told(_unused_ void **state) {
        static const char *const requests[] = { "", "{", "{\"a\":}", "[]", "5", "\"x\"", "true", "{}",
                "null", "{" SH ",\"pbotvm\":5}", "{" SH ",\"pbotvm\":{\"limits\":{\"wall_usec\":-1}}}",
                "{\"sourcefile\":\"../x\",\"cmdline\":\"sh x\"}" };

        for (size_t i = 0; i < ELEMENTSOF(requests); i++) {
                _cleanup_text_ Text error = {};
                Task *t = NULL;
                assert_int_equal(task(requests[i], &t, &error), -EBADMSG);
                assert_true(error.size > 0);
                assert_null(t);
        }
}

static void test_broken_json_in_pbots_words(_unused_ void **state) {
        _cleanup_text_ Text error = {};
        Task *t;

        assert_int_equal(task("{\"lang\": \"sh", &t, &error), -EBADMSG);
        assert_non_null(startswith(text_string(&error), "Failed to decode JSON: "));
}

static void test_deadline_with_and_without_the_hosts(_unused_ void **state) {
        _cleanup_text_ Text error = {};
        _cleanup_(task_freep) Task *ours = NULL, *pbots = NULL;

        assert_int_equal(task("{" SH ",\"pbotvm\":{\"limits\":{\"wall_usec\":3000000}}}", &ours, &error), 0);
        assert_int_equal(task("{" SH "}", &pbots, &error), 0);
        /* The host's clock has been running since it sent the request, PBot's agent's begins with the job.
         */
        uint64_t later = ours->arrived_usec + USEC_PER_SEC;
        assert_int_equal(task_deadline(ours, later), ours->arrived_usec + 3 * USEC_PER_SEC);
        assert_int_equal(task_deadline(pbots, later), later + base().wall_usec);
}

/* The settings of a slow guest hold for the debugger too, which ends before they do. */
static void test_the_debuggers_time_follows_from_the_limits_that_hold(_unused_ void **state) {
        static const char c[] = "{\"lang\":\"c11\",\"sourcefile\":\"prog.c\",\"execfile\":\"prog\","
                                "\"cmdline\":\"gcc prog.c -o prog\",\"code\":\"int main(void){}\"%s}";
        static const struct {
                const char *more, *time;
        } cases[] = {
                { "", "PBOTVM_TIME_USEC=24700000" },
                { ",\"pbotvm\":{\"limits\":{\"wall_usec\":20000000}}", "PBOTVM_TIME_USEC=19300000" },
                { ",\"pbotvm\":{\"limits\":{\"wall_usec\":90000000}}", "PBOTVM_TIME_USEC=24700000" },
        };
        JobLimits slow = base();

        slow.wall_usec = 60 * USEC_PER_SEC;
        slow.cpu_usec = 25 * USEC_PER_SEC;
        for (size_t i = 0; i < ELEMENTSOF(cases); i++) {
                _cleanup_text_ Text json = {}, error = {};
                _cleanup_free_ char *id = NULL;
                _cleanup_(task_freep) Task *t = NULL;
                bool found = false;

                text_append_printf(&json, c, cases[i].more);
                assert_int_equal(task_new(text_string(&json), json.size, &slow, &t, &id, &error), 0);
                for (char *const *e = t->plan->steps[1].env; e && *e; e++)
                        found = found || streq(*e, cases[i].time);
                assert_true(found);
        }
}

static void test_key_is_a_name(_unused_ void **state) {
        _cleanup_text_ Text error = {};
        _cleanup_(task_freep) Task *t = NULL, *none = NULL;

        assert_int_equal(task("{" SH ",\"persist-key\":\"../x\"}", &t, &error), 0);
        assert_string_equal(t->key, "=2E.=2Fx");
        assert_int_equal(task("{" SH ",\"persist-key\":\"\"}", &none, &error), 0);
        assert_null(none->key);
}

static void test_answers_carry_the_id(_unused_ void **state) {
        _cleanup_text_ Text error = {}, json = {}, plain = {};
        _cleanup_(task_freep) Task *t = NULL;
        JobResult result = { .outcome.timed_out = true };

        assert_int_equal(task("{" SH ",\"pbotvm\":{\"id\":\"x1\"}}", &t, &error), 0);
        assert_int_equal(task_reply(t, &result, &json), 0);
        assert_non_null(strstr(text_string(&json), "\"id\":\"x1\""));
        assert_non_null(strstr(text_string(&json), "\"timed_out\":true"));

        assert_int_equal(reply_text("no \"such\" thing", NULL, &plain), 0);
        assert_string_equal(text_string(&plain),
                "{\"result\":\"no \\\"such\\\" thing\\n\",\"pbotvm\":{\"exit_status\":null,\"signal\":null,"
                "\"timed_out\":false,\"oom\":false,\"truncated\":0,\"cpu_usec\":0,\"wall_usec\":0,"
                "\"max_rss_bytes\":0}}");
}

static void test_what_is_refused_has_its_id(_unused_ void **state) {
        static const char *const requests[] = { "{" SH ",\"pbotvm\":{\"limits\":5,\"id\":\"x1\"}}",
                "{\"lang\":[],\"pbotvm\":{\"id\":\"x1\"}}", "{\"pbotvm\":{\"id\":\"x1\"}}" };
        JobLimits limits = base();

        for (size_t i = 0; i < ELEMENTSOF(requests); i++) {
                _cleanup_text_ Text error = {};
                _cleanup_free_ char *id = NULL;
                Task *t;
                assert_int_equal(
                        task_new(requests[i], strlen(requests[i]), &limits, &t, &id, &error), -EBADMSG);
                assert_string_equal(id, "x1");
        }
}

static void test_a_broken_sandbox_is_told(_unused_ void **state) {
        _cleanup_text_ Text error = {}, json = {};
        _cleanup_(task_freep) Task *t = NULL;
        JobResult result = { .broken_errno = ENOSPC, .broken_where = "disk" };

        assert_int_equal(task("{" SH "}", &t, &error), 0);
        assert_int_equal(task_reply(t, &result, &json), 0);
        assert_non_null(strstr(text_string(&json), "could not run this: disk: No space left on device"));
}

static void test_storage_goes_back_to_our_host_alone(_unused_ void **state) {
        _cleanup_text_ Text error = {}, json = {}, other = {};
        _cleanup_(task_freep) Task *ours = NULL, *pbots = NULL;
        JobResult result = { .have_storage = true };

        text_append_string(&result.storage, "tar");
        assert_int_equal(task("{" SH ",\"persist-key\":\"k\",\"pbotvm\":{\"id\":\"x\"}}", &ours, &error), 0);
        assert_int_equal(task_reply(ours, &result, &json), 0);
        assert_non_null(strstr(text_string(&json), "\"storage\":\"dGFy\""));

        assert_int_equal(task("{" SH ",\"persist-key\":\"k\"}", &pbots, &error), 0);
        assert_int_equal(task_reply(pbots, &result, &other), 0);
        assert_null(strstr(text_string(&other), "storage"));
        job_result_done(&result);
}

static void test_a_reply_fits_into_a_frame(_unused_ void **state) {
        _cleanup_text_ Text error = {}, json = {};
        _cleanup_(task_freep) Task *t = NULL;
        _cleanup_free_ char *bytes = calloc(4, 1 << 20);
        JobResult result = { .have_storage = true };
        StepOutcome *step = &result.outcome.steps[0];

        step->started = step->ended = true;
        assert_non_null(bytes);
        text_append(&result.storage, bytes, 4 << 20);
        text_append(&step->out, bytes, 1 << 20);
        assert_int_equal(task("{" SH ",\"persist-key\":\"k\",\"pbotvm\":{\"id\":\"x\"}}", &t, &error), 0);
        assert_int_equal(task_reply(t, &result, &json), 0);
        assert_true(json.size < FRAME_SIZE_MAX);
        assert_true(json.size > 6 << 20);
        assert_non_null(strstr(text_string(&json), " [Storage not kept: too large beside so much output]"));
        job_result_done(&result);
}

static void test_why_storage_is_not_kept(_unused_ void **state) {
        static const struct {
                int number;
                const char *said, *told;
        } table[] = {
                { EFBIG, "More than 5 bytes or 4096 files.\n",
                        "[Storage not kept: it is larger than allowed]" },
                { EIO, "a/b: Permission denied\nmore\n", "[Storage not kept: a/b: Permission denied]" },
                { ENOSPC, "", "[Storage not kept: No space left on device]" },
        };

        for (size_t i = 0; i < ELEMENTSOF(table); i++) {
                _cleanup_text_ Text error = {}, json = {};
                _cleanup_(task_freep) Task *t = NULL;
                JobResult result = { .storage_errno = table[i].number };

                result.outcome.steps[0].started = true;
                text_append_string(&result.storage_error, table[i].said);
                assert_int_equal(task("{" SH ",\"persist-key\":\"k\"}", &t, &error), 0);
                assert_int_equal(task_reply(t, &result, &json), 0);
                assert_non_null(strstr(text_string(&json), table[i].told));
                job_result_done(&result);
        }
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_what_is_no_request_is_told),
                cmocka_unit_test(test_broken_json_in_pbots_words),
                cmocka_unit_test(test_deadline_with_and_without_the_hosts),
                cmocka_unit_test(test_the_debuggers_time_follows_from_the_limits_that_hold),
                cmocka_unit_test(test_key_is_a_name),
                cmocka_unit_test(test_answers_carry_the_id),
                cmocka_unit_test(test_what_is_refused_has_its_id),
                cmocka_unit_test(test_a_broken_sandbox_is_told),
                cmocka_unit_test(test_storage_goes_back_to_our_host_alone),
                cmocka_unit_test(test_a_reply_fits_into_a_frame),
                cmocka_unit_test(test_why_storage_is_not_kept),
        };
        return cmocka_run_group_tests(tests, NULL, NULL);
}
