/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The PBOTVM_ variables: which machine they change, which name wins, what is refused. */
#include <fnmatch.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>

#include <cmocka.h>

#include "config/config.h"

#define NOWHERE "/nonexistent/pbotvm.json"

static Config *load(char *const *environment) {
        Config *config = NULL;
        _cleanup_text_ Text errors = {};

        assert_int_equal(config_load(NOWHERE, environment, &config, &errors), 0);
        assert_string_equal(text_string(&errors), "");
        return config;
}

static void test_all_variables(void **state) {
        (void)state;
        char *environment[] = { (char *)"PBOTVM_DOMAIN=other", (char *)"PBOTVM_SERVER=9001",
                (char *)"PBOTVM_SERIAL=1", (char *)"PBOTVM_HEART=2", (char *)"PBOTVM_CID=3",
                (char *)"PBOTVM_VPORT=4", (char *)"PBOTVM_TIMEOUT=30", (char *)"PBOTVM_NOREVERT=1",
                (char *)"PBOTVM_ADDR=::1", NULL };
        _cleanup_(config_freep) Config *config = load(environment);
        const MachineConfig *m = config_machine(config, "pbot-vm"),
                            *test = config_machine(config, "pbot-test-vm");

        assert_string_equal(m->domain, "other");
        assert_int_equal(m->serial_port, 1);
        assert_int_equal(m->heart_port, 2);
        assert_int_equal(m->cid, 3);
        assert_int_equal(m->vport, 4);
        assert_int_equal(m->timeout_usec, 30 * USEC_PER_SEC);
        assert_int_equal(m->policy, POLICY_NEVER);
        assert_string_equal(config->listen_address, "::1");
        assert_int_equal(config->listen_port, 9001);
        assert_true(config->listen_default);

        /* The other machine keeps its own, but for what is of the whole server. */
        assert_string_equal(test->domain, "pbot-test-vm");
        assert_true(m->serial_named && m->heart_named && m->cid_named);
        assert_false(test->serial_named || test->heart_named || test->cid_named);
        assert_int_equal(test->serial_port, 0);
        assert_int_equal(test->cid, 0);
        assert_int_equal(test->timeout_usec, 30 * USEC_PER_SEC);
        assert_int_equal(test->policy, POLICY_NEVER);
}

static void test_newer_names_win(void **state) {
        (void)state;
        char *environment[] = { (char *)"PBOTVM_PORT=9002", (char *)"PBOTVM_SERVER=9001",
                (char *)"PBOTVM_HEALTH=12", (char *)"PBOTVM_HEART=11", NULL };
        _cleanup_(config_freep) Config *config = load(environment);

        assert_int_equal(config->listen_port, 9002);
        assert_int_equal(config_machine(config, "pbot-vm")->heart_port, 12);
}

static void test_empty_is_unset(void **state) {
        (void)state;
        char *environment[] = { (char *)"PBOTVM_SERIAL=", (char *)"PBOTVM_NOREVERT=0",
                (char *)"PBOTVM_CID=0", (char *)"PBOTVM_ADDR=localhost", (char *)"PBOTVM_SERIALS=77", NULL };
        _cleanup_(config_freep) Config *config = load(environment);
        const MachineConfig *m = config_machine(config, "pbot-vm");

        assert_false(m->serial_named);
        assert_int_equal(m->policy, POLICY_ON_FAILURE);
        assert_true(m->cid_named);
        assert_int_equal(m->cid, 0);
        assert_string_equal(config->listen_address, "127.0.0.1");
}

static void test_mistakes_name_the_variable(void **state) {
        (void)state;
        static const struct {
                const char *variable, *error;
        } cases[] = {
                { "PBOTVM_SERIAL=x",
                        "PBOTVM_SERIAL: expected a port number, 0 (none) to 65535, found \"x\"\n" },
                { "PBOTVM_HEART=65536",
                        "PBOTVM_HEART: expected a port number, 0 (none) to 65535, found \"65536\"\n" },
                { "PBOTVM_PORT=0", "PBOTVM_PORT: expected a port number, 1 to 65535, found \"0\"\n" },
                { "PBOTVM_SERVER=-1", "PBOTVM_SERVER: expected a port number, 1 to 65535, found \"-1\"\n" },
                { "PBOTVM_CID=4294967295", "PBOTVM_CID: expected a vsock context id, 0 (none) to "
                                           "4294967294, found \"4294967295\"\n" },
                { "PBOTVM_TIMEOUT=0",
                        "PBOTVM_TIMEOUT: expected a number of seconds from 1 to 600, found \"0\"\n" },
                { "PBOTVM_TIMEOUT=1.2.3",
                        "PBOTVM_TIMEOUT: expected a number of seconds from 1 to 600, found \"1.2.3\"\n" },
                { "PBOTVM_ADDR=vm.example.org",
                        "PBOTVM_ADDR: expected a numeric address or localhost, found \"vm.example.org\"\n" },
        };

        for (size_t i = 0; i < ELEMENTSOF(cases); i++) {
                char *environment[] = { (char *)cases[i].variable, NULL };
                Config *config = NULL;
                _cleanup_text_ Text errors = {};

                assert_int_equal(config_load(NOWHERE, environment, &config, &errors), -EINVAL);
                assert_string_equal(text_string(&errors), cases[i].error);
        }
}

static void write_file(const char *path, const char *content) {
        FILE *f = fopen(path, "w");
        assert_non_null(f);
        fputs(content, f);
        fclose(f);
}

/* PBOTVM_CONFIG names the file; what a machine says itself is not overridden by what is the server's. */
static void test_file_and_variables(void **state) {
        (void)state;
        char path[] = "/tmp/test-environment-XXXXXX", variable[80];
        _cleanup_(config_freep) Config *config = NULL;
        _cleanup_text_ Text errors = {};
        int fd = mkstemp(path);

        assert_true(fd >= 0);
        close(fd);
        write_file(path, "{\"machines\": {\"a\": {\"timeout\": 5, \"policy\": \"always\"},"
                         "\"b\": {\"timeout\": 6, \"policy\": \"always\"}, \"c\": {}},"
                         "\"aliases\": {\"pool\": [\"b\", \"c\"]}, \"default-machine\": \"pool\"}");
        snprintf(variable, sizeof(variable), "PBOTVM_CONFIG=%s", path);
        char *environment[] = { variable, (char *)"PBOTVM_TIMEOUT=7.5", (char *)"PBOTVM_NOREVERT=1",
                (char *)"PBOTVM_SERIAL=44", NULL };
        assert_int_equal(config_load(NULL, environment, &config, &errors), 0);
        unlink(path);

        assert_int_equal(config_machine(config, "a")->timeout_usec, 5 * USEC_PER_SEC);
        assert_int_equal(config_machine(config, "b")->timeout_usec, 7500000);
        assert_int_equal(config_machine(config, "c")->timeout_usec, 7500000);
        assert_int_equal(config_machine(config, "a")->policy, POLICY_ALWAYS);
        assert_int_equal(config_machine(config, "b")->policy, POLICY_NEVER);
        assert_int_equal(config_machine(config, "c")->policy, POLICY_NEVER);
        assert_int_equal(config_machine(config, "a")->serial_port, 0);
        assert_int_equal(config_machine(config, "b")->serial_port, 44);
}

/* What a variable takes away is missed as if the file had not had it; what it gives is there. */
static void test_a_variable_and_a_transport(void **state) {
        (void)state;
        static const struct {
                const char *machine, *variable, *error;
        } cases[] = {
                { "{\"transport\": \"vsock\", \"cid\": 7}", "PBOTVM_CID=0",
                        "PBOTVM_CID: machine a: expected a cid, since its transport is \"vsock\"\n" },
                { "{\"transport\": \"serial\", \"serial\": 7}", "PBOTVM_SERIAL=0",
                        "PBOTVM_SERIAL: machine a: expected a serial port, since its transport is "
                        "\"serial\"\n" },
                { "{\"channel\": null, \"cid\": 7}", "PBOTVM_CID=0",
                        "/tmp/*:2: machines.a: expected a way to the guest: a cid, a channel or a serial "
                        "port\n" },
                { "{\"transport\": \"vsock\"}", "PBOTVM_CID=7", NULL },
                { "{\"transport\": \"vsock\"}", "PBOTVM_SERIAL=7",
                        "/tmp/*:2: machines.a: expected a cid, since its transport is \"vsock\"\n" },
        };

        for (size_t i = 0; i < ELEMENTSOF(cases); i++) {
                char path[] = "/tmp/test-environment-XXXXXX", content[200];
                char *environment[] = { (char *)cases[i].variable, NULL };
                _cleanup_(config_freep) Config *config = NULL;
                _cleanup_text_ Text errors = {};
                int fd = mkstemp(path);

                assert_true(fd >= 0);
                close(fd);
                snprintf(content, sizeof(content), "{\"machines\": {\n\"a\": %s}}", cases[i].machine);
                write_file(path, content);
                int r = config_load(path, environment, &config, &errors);
                unlink(path);
                assert_int_equal(r, cases[i].error ? -EINVAL : 0);
                assert_int_equal(fnmatch(cases[i].error ? cases[i].error : "", text_string(&errors), 0), 0);
        }
}

static void test_listen_addresses(void **state) {
        (void)state;
        static const char *const bad[] = { "", ":", "127.0.0.1", "127.0.0.1:", "127.0.0.1:0",
                "127.0.0.1:65536", "127.0.0.1:1x", "::1:9000", "[::1]", "[::1", "[]:1", "host:1",
                "[aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa]:1" };
        static const char *const good[][2] = { { "127.0.0.1:9000", "127.0.0.1" }, { "[::1]:9000", "::1" },
                { "[0:0::1]:9000", "::1" }, { "[::ffff:1.2.3.4]:9000", "1.2.3.4" },
                { "0.0.0.0:9000", "0.0.0.0" } };

        for (size_t i = 0; i < ELEMENTSOF(bad); i++) {
                char *host = NULL;
                uint16_t port;
                assert_int_equal(listen_address_parse(bad[i], &host, &port), -EINVAL);
                assert_null(host);
        }
        for (size_t i = 0; i < ELEMENTSOF(good); i++) {
                _cleanup_free_ char *host = NULL;
                uint16_t port = 0;
                assert_int_equal(listen_address_parse(good[i][0], &host, &port), 0);
                assert_string_equal(host, good[i][1]);
                assert_int_equal(port, 9000);
        }
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_all_variables),
                cmocka_unit_test(test_newer_names_win),
                cmocka_unit_test(test_empty_is_unset),
                cmocka_unit_test(test_mistakes_name_the_variable),
                cmocka_unit_test(test_file_and_variables),
                cmocka_unit_test(test_a_variable_and_a_transport),
                cmocka_unit_test(test_listen_addresses),
        };
        return cmocka_run_group_tests(tests, NULL, NULL);
}
