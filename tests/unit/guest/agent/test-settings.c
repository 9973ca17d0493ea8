/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "cmocka-all.h"

#include <fcntl.h>
#include <stdio.h>

#include "settings.h"

static int parse(const char *json, Settings *settings, Text *error) {
        return settings_parse("guest.json", json, strlen(json), settings, error);
}

static void check_error(const char *json, const char *expected) {
        _cleanup_settings_ Settings settings = SETTINGS_INIT;
        _cleanup_text_ Text error = {};

        assert_int_equal(parse(json, &settings, &error), -EBADMSG);
        assert_string_equal(text_string(&error), expected);
}

static void test_members(_unused_ void **state) {
        _cleanup_settings_ Settings s = SETTINGS_INIT;
        _cleanup_text_ Text error = {};

        assert_int_equal(parse("// of this guest\n{\"user\": \"nobody\", \"data\": [\"/dev/ttyS1\"],\n"
                               "\"heartbeat\": [\"/dev/ttyS2\", \"x\"], \"vsock-port\": 0, "
                               "\"vsock-host-only\": true, \"vsock-proof\": false,\n"
                               "\"slots\": 2, \"storage\": \"/dev/vdb1\", \"storage-bytes\": 4096,\n"
                               "\"limits\": {\"wall_usec\": 5, \"processes\": 7}}",
                                 &s, &error),
                0);
        assert_string_equal(s.user, "nobody");
        assert_int_equal(s.data.n, 1);
        assert_string_equal(s.data.names[0], "/dev/ttyS1");
        assert_int_equal(s.heartbeat.n, 2);
        assert_int_equal(s.vsock_port, 0);
        assert_true(s.vsock_host_only);
        assert_true(s.vsock_proof_named);
        assert_false(s.vsock_proof);
        assert_int_equal(s.slots, 2);
        assert_string_equal(s.storage, "/dev/vdb1");
        assert_int_equal(s.storage_bytes, 4096);
        assert_int_equal(s.limits.wall_usec, 5);
        assert_int_equal(s.limits.processes, 7);
}

static void test_errors_name_place_and_expectation(_unused_ void **state) {
        check_error("{\n\"slots\": \"x\"}", "guest.json:2: member slots is a string, expected a number.");
        check_error("{\"slots\": 0}", "guest.json:1: member slots is 0, expected a number from 1 to 64.");
        check_error("{\"slots\": -1}", "guest.json:1: member slots is -1, expected a number from 1 to 64.");
        check_error("{\"color\": 1}", "guest.json:1: there is no setting color.");
        check_error("{\"limits\": {\n\"wall\": 1}}", "guest.json:2: there is no limit wall.");
        check_error("{\"limits\": {\"wall_usec\": true}}",
                "guest.json:1: member wall_usec is a boolean, expected a number.");
        check_error("{\"user\": \"\"}",
                "guest.json:1: member user is a string, expected a string that is not empty.");
        check_error("{\"data\": \"/dev/ttyS1\"}",
                "guest.json:1: member data is a string, expected an array of at most 16 strings.");
        check_error("[]", "guest.json:1: an array, expected an object.");
}

static void test_broken_json_has_a_line(_unused_ void **state) {
        _cleanup_settings_ Settings s = SETTINGS_INIT;
        _cleanup_text_ Text error = {};

        assert_int_equal(parse("{\n\n\"slots\": }", &s, &error), -EBADMSG);
        assert_non_null(startswith(text_string(&error), "guest.json:3: "));
}

static void test_environment_wins(_unused_ void **state) {
        _cleanup_settings_ Settings s = SETTINGS_INIT;
        _cleanup_text_ Text error = {};

        setenv("PBOTVM_GUEST_CONFIG", "/nonexistent/guest.json", 1);
        setenv("PBOTVM_GUEST_DATA", "/dev/ttyS1,org.x", 1);
        setenv("PBOTVM_GUEST_HEARTBEAT", "", 1);
        setenv("PBOTVM_GUEST_VSOCK_PORT", "77", 1);
        assert_int_equal(settings_load(&s, &error), 0);
        assert_int_equal(s.data.n, 2);
        assert_string_equal(s.data.names[1], "org.x");
        assert_int_equal(s.heartbeat.n, 0);
        assert_int_equal(s.vsock_port, 77);
        assert_string_equal(s.user, "vm");
        assert_int_equal(s.slots, 4);

        setenv("PBOTVM_GUEST_VSOCK_PORT", "many", 1);
        settings_done(&s);
        assert_int_equal(settings_load(&s, &error), -EBADMSG);
        assert_string_equal(text_string(&error), "PBOTVM_GUEST_VSOCK_PORT is many, expected a port number.");
        unsetenv("PBOTVM_GUEST_DATA");
        unsetenv("PBOTVM_GUEST_HEARTBEAT");
        unsetenv("PBOTVM_GUEST_VSOCK_PORT");
}

static void test_defaults_find_both_kinds_of_devices(_unused_ void **state) {
        _cleanup_settings_ Settings s = SETTINGS_INIT;
        _cleanup_text_ Text error = {};

        setenv("PBOTVM_GUEST_CONFIG", "/nonexistent/guest.json", 1);
        assert_int_equal(settings_load(&s, &error), 0);
        assert_int_equal(s.vsock_port, 5555);
        assert_string_equal(s.data.names[0], "org.pbot.vm.0");
        assert_string_equal(s.data.names[1], "/dev/ttyS2");
        assert_string_equal(s.heartbeat.names[0], "org.pbot.vm.heartbeat");
        assert_string_equal(s.heartbeat.names[1], "/dev/ttyS3");
        assert_null(s.storage);
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_members),
                cmocka_unit_test(test_errors_name_place_and_expectation),
                cmocka_unit_test(test_broken_json_has_a_line),
                cmocka_unit_test(test_environment_wins),
                cmocka_unit_test(test_defaults_find_both_kinds_of_devices),
        };
        return cmocka_run_group_tests(tests, NULL, NULL);
}
