/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The configuration file: what is read, and how each mistake is named. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>

#include <cmocka.h>

#include "config/config.h"

typedef struct Loaded {
        Config *config;
        Text errors;
        int result;
} Loaded;

static void loaded_done(Loaded *l) {
        config_free(l->config);
        text_done(&l->errors);
}
#define _cleanup_loaded_ _cleanup_(loaded_done)

static char the_path[64];

static int make_file(void **state) {
        (void)state;
        snprintf(the_path, sizeof(the_path), "/tmp/test-config-XXXXXX");
        int fd = mkstemp(the_path);
        if (fd < 0)
                return -1;
        close(fd);
        return 0;
}

static int remove_file(void **state) {
        (void)state;
        return unlink(the_path);
}

static Loaded load_with(const char *content, char *const *environment) {
        Loaded l = {};
        FILE *f = fopen(the_path, "w");

        assert_non_null(f);
        fputs(content, f);
        fclose(f);
        l.result = config_load(the_path, environment, &l.config, &l.errors);
        return l;
}

static Loaded load(const char *content) {
        return load_with(content, NULL);
}

/* PBot's shipped file. */
static const char shipped[] =
        "{\"machines\": {"
        "\"pbot-vm\": {\"addr\": \"127.0.0.1\", \"serial\": 5555, \"health\": 5556, \"cid\": 7,"
        " \"vport\": 5555, \"vagrant\": 0},"
        "\"pbot-test-vm\": {\"addr\": \"127.0.0.1\", \"serial\": 7777, \"heart\": \"7778\","
        " \"cid\": 42, \"vport\": 5556, \"vagrant\": 1}},"
        "\"aliases\": {\"main\": \"pbot-vm\", \"test\": \"pbot-test-vm\"},"
        "\"default-machine\": \"main\"}";

static void test_pbots_file_is_read_unchanged(void **state) {
        (void)state;
        _cleanup_loaded_ Loaded l = load(shipped);

        assert_int_equal(l.result, 0);
        assert_string_equal(text_string(&l.errors), "");
        assert_int_equal(l.config->n_machines, 2);
        const MachineConfig *m = config_machine(l.config, "pbot-test-vm");
        assert_non_null(m);
        assert_int_equal(m->serial_port, 7777);
        assert_int_equal(m->heart_port, 7778);
        assert_int_equal(m->cid, 42);
        assert_int_equal(m->vport, 5556);
        assert_string_equal(m->domain, "pbot-test-vm");
        assert_string_equal(m->channel_data, "/run/pbotvm/channel/pbot-test-vm.data");
        assert_string_equal(m->channel_heart, "/run/pbotvm/channel/pbot-test-vm.heart");
        assert_string_equal(config_alias(l.config, "main")->machines[0], "pbot-vm");
        assert_null(config_alias(l.config, "main")->machines[1]);
        assert_string_equal(l.config->default_machine, "main");
        assert_true(l.config->listen_default);
}

static void test_missing_file_is_pbots_default(void **state) {
        (void)state;
        _cleanup_loaded_ Loaded l = {};

        assert_int_equal(config_load("/nonexistent/pbotvm.json", NULL, &l.config, &l.errors), 0);
        const MachineConfig *m = config_machine(l.config, "pbot-vm");
        assert_non_null(m);
        assert_false(m->serial_named || m->heart_named || m->cid_named);
        assert_int_equal(m->serial_port, 0);
        assert_int_equal(m->heart_port, 0);
        assert_int_equal(m->cid, 0);
        assert_int_equal(m->timeout_usec, 10 * USEC_PER_SEC);
        assert_int_equal(m->policy, POLICY_ON_FAILURE);
        assert_int_equal(m->guest, GUEST_UNKNOWN);
        assert_string_equal(m->uri, "qemu:///system");
        assert_string_equal(m->snapshot, "1");
        assert_string_equal(config_alias(l.config, "test")->machines[0], "pbot-test-vm");
        assert_string_equal(l.config->default_language, "clang2x");
        assert_int_equal(l.config->wait_usec, 15 * USEC_PER_SEC);
}

static void test_all_our_members(void **state) {
        (void)state;
        _cleanup_loaded_ Loaded l =
                load("// one line\n{ /* a comment */ \"machines\": {\"a\": {\"uri\": \"test:///default\", "
                     "\"domain\": null,\n"
                     "\"snapshot\": 1, \"guest\": \"pbot-2026\", \"transport\": \"serial\", \"policy\": "
                     "\"on-hang\",\n"
                     "\"channel\": null, \"channel-heart\": \"/x\", \"slots\": 3, \"timeout\": 2.5, "
                     "\"secret\": \"/s\", "
                     "\"heartbeat\": 4, \"max-age\": 60, \"stale-snapshot\": \"keep\", \"spares\": 8, "
                     "\"spare-state\": \"running\",\n"
                     "\"limits\": {\"wall_usec\": 7, \"disk_bytes\": 9}, \"serial\": 1, \"heart\": null}, "
                     "\"b\": {\"max-age\": 0, \"max-requests\": null}},\n"
                     "\"aliases\": {\"pool\": [\"a\", \"b\"]}, \"default-machine\": \"pool\",\n"
                     "\"default-language\": \"sh\", \"wait\": 0, \"queue\": 5, \"fortune\": \"/f\", "
                     "\"reverts-per-nick\": {\"count\": 3, \"seconds\": 1.5}, "
                     "\"paste\": \"http://p\",\n"
                     "\"history\": {\"file-bytes\": 4096, \"total-bytes\": 8192}, \"storage\": "
                     "{\"key-bytes\": 0},\n"
                     "\"listeners\": {\"127.0.0.1:9001\": \"b\", \"[::1]:9002\": \"pool\"}}");

        assert_string_equal(text_string(&l.errors), "");
        assert_int_equal(l.result, 0);
        const MachineConfig *m = config_machine(l.config, "a");
        assert_string_equal(m->uri, "test:///default");
        assert_null(m->domain);
        assert_string_equal(m->snapshot, "1");
        assert_int_equal(m->guest, GUEST_PBOT_2026);
        assert_int_equal(m->transport, TRANSPORT_SERIAL);
        assert_int_equal(m->policy, POLICY_ON_HANG);
        assert_int_equal(m->stale_snapshot, STALE_KEEP);
        assert_null(m->channel_data);
        assert_string_equal(m->channel_heart, "/x");
        assert_string_equal(m->secret, "/s");
        assert_int_equal(m->slots, 3);
        assert_int_equal(m->timeout_usec, 2500000);
        assert_int_equal(m->heartbeat_lost_usec, 4000000);
        assert_int_equal(m->max_age_usec, 60 * USEC_PER_SEC);
        assert_int_equal(m->spares, MACHINE_SPARES_MAX);
        assert_int_equal(m->spare_state, SPARE_RUNNING);
        assert_int_equal(config_machine(l.config, "b")->spares, 1);
        assert_int_equal(config_machine(l.config, "b")->spare_state, SPARE_STOPPED);
        assert_int_equal(config_machine(l.config, "b")->max_age_usec, 0);
        assert_int_equal(config_machine(l.config, "b")->max_requests, 0);
        assert_int_equal(m->limits.wall_usec, 7);
        assert_int_equal(m->limits.disk_bytes, 9);
        assert_true(m->limits.cpu_usec == LIMIT_UNSET);
        assert_int_equal(m->heart_port, 0);
        assert_string_equal(config_alias(l.config, "pool")->machines[1], "b");
        assert_null(config_alias(l.config, "pool")->machines[2]);
        assert_int_equal(l.config->wait_usec, 0);
        assert_int_equal(l.config->queue_max, 5);
        assert_int_equal(l.config->nick_reverts.count, 3);
        assert_int_equal(l.config->nick_reverts.usec, 1500000);
        assert_string_equal(l.config->fortune_file, "/f");
        assert_string_equal(l.config->paste_url, "http://p");
        assert_int_equal(l.config->history_file_bytes, 4096);
        assert_int_equal(l.config->history_total_bytes, 8192);
        assert_int_equal(l.config->storage_key_bytes, 0);
        assert_false(l.config->listen_default);
        assert_string_equal(config_listener(l.config, "127.0.0.1", 9001)->machine, "b");
        assert_string_equal(config_listener(l.config, "::ffff:127.0.0.1", 9001)->machine, "b");
        assert_string_equal(config_listener(l.config, "0::1", 9002)->machine, "pool");
        assert_null(config_listener(l.config, "127.0.0.1", 9002));
        assert_null(config_listener(l.config, "nonsense", 9001));
}

static void test_wildcard_listener(void **state) {
        (void)state;
        _cleanup_loaded_ Loaded l = load("{\"machines\": {\"a\": {}, \"b\": {}}, \"default-machine\": \"a\","
                                         "\"listeners\": {\"0.0.0.0:1\": \"a\", \"10.0.0.1:1\": \"b\","
                                         "\"[::]:2\": \"b\"}}");

        assert_int_equal(l.result, 0);
        assert_string_equal(config_listener(l.config, "10.0.0.1", 1)->machine, "b");
        assert_string_equal(config_listener(l.config, "10.0.0.2", 1)->machine, "a");
        assert_null(config_listener(l.config, "::1", 1));
        assert_string_equal(config_listener(l.config, "::1", 2)->machine, "b");
        assert_string_equal(config_listener(l.config, "10.0.0.2", 2)->machine, "b");
}

/* A wrong file, and what is said of it behind "FILE:". Lines count; all mistakes are told. */
static const struct {
        const char *content, *errors;
} mistakes[] = {
        { "", "1: expected JSON: " },
        { "{\n\n  \"machines\": }", "3: expected JSON: " },
        { "[]", "1: expected an object, found an array\n" },
        { "{\"machines\": []}", "1: machines: expected an object of 1 to 4096 machines by their names\n" },
        { "{\"machines\": {\"a\": 5}}", "1: machines.a: expected an object, found a number\n" },
        { "{\"machines\": {\"a\":\n{\"serial\":\n70000}}}",
                "3: machines.a.serial: expected a port number, 0 (none) to 65535, found a number, 70000\n" },
        { "{\"machines\": {\"a\": {\"serial\": \"x\"}}}",
                "1: machines.a.serial: expected a port number, 0 (none) to 65535, found a string, \"x\"\n" },
        { "{\"machines\": {\"a\": {\"cid\": -1}}}", "1: machines.a.cid: expected a vsock context id, 0 "
                                                    "(none) to 4294967294, found a number, -1\n" },
        { "{\"machines\": {\"a\": {\"vport\": null}}}",
                "1: machines.a.vport: expected a vsock port, 1 to 4294967294, found null\n" },
        { "{\"machines\": {\"a\": {\"domain\": \"\"}}}", "1: machines.a.domain: expected the name of a "
                                                         "libvirt domain, or null, found a string, \"\"\n" },
        { "{\"machines\": {\"a\": {\"guest\": \"pbot\"}}}",
                "1: machines.a.guest: expected \"pbotvm\", \"pbot-2023\", \"pbot-2026\", or null (found "
                "out), "
                "found a string, \"pbot\"\n" },
        { "{\"machines\": {\"a\": {\"uri\": \"qemu+tpc://host/system\"}}}",
                "1: machines.a.uri: expected a libvirt connection URI, such as \"qemu:///system\" or "
                "\"qemu+tls://HOST/system\", found a string, \"qemu+tpc://host/system\"\n" },
        { "{\"machines\": {\"a\": {\"timeout\": \"10\"}}}",
                "1: machines.a.timeout: expected a number of seconds from 1 to 600, found a string, "
                "\"10\"\n" },
        { "{\"machines\": {\"a\": {\"timeout\": 1e300}}}",
                "1: machines.a.timeout: expected a number of seconds from 1 to 600, found a number, "
                "1e300\n" },
        { "{\"machines\": {\"a\": {\"max-age\": 1}}}",
                "1: machines.a.max-age: expected a number of seconds, at least 60, or 0 or null (any), "
                "found a number, 1\n" },
        { "{\"machines\": {\"a\": {\"max-age\": 0.0000009}}}",
                "1: machines.a.max-age: expected a number of seconds, at least 60, or 0 or null (any), "
                "found a number, 0.0000009\n" },
        { "{\"machines\": {\"a\": {\"max-age\": 59.9}}}", "1: machines.a.max-age: expected " },
        { "{\"machines\": {\"a\": {\"max-requests\": -1}}}",
                "1: machines.a.max-requests: expected a number, or 0 or null (any), found a number, -1\n" },
        { "{\"machines\": {\"a\": {\"spares\": 9}}}",
                "1: machines.a.spares: expected a number from 0 to 8, found a number, 9\n" },
        { "{\"machines\": {\"a\": {\"spare-state\": \"asleep\"}}}",
                "1: machines.a.spare-state: expected \"stopped\" or \"running\", found a string, "
                "\"asleep\"\n" },
        { "{\"machines\": {\"a\": {\"channel\": \"x\"}}}",
                "1: machines.a.channel: expected the absolute path of a socket, or null, found a string, "
                "\"x\"\n" },
        { "{\"machines\": {\"a\": {\"limits\": {\"cpu\": 1}}}}",
                "1: machines.a.limits.cpu: unknown limit, " },
        { "{\"machines\": {\"a\": {\"limits\": {\"cpu_usec\": 0}}}}",
                "1: machines.a.limits.cpu_usec: expected a positive integer, found a number, 0\n" },
        { "{\"machines\": {\"a\": {\"transport\": \"vsock\"}}}",
                "1: machines.a: expected a cid, since its transport is \"vsock\"\n" },
        { "{\"machines\": {\"a\": {\"transport\": \"stream\", \"domain\": null}}}",
                "1: machines.a: expected a domain of libvirt's, since its transport is \"stream\"\n" },
        { "{\"machines\": {\"a\": {\"uri\": \"qemu+tls://h/system\", \"transport\": \"channel\"}}}",
                "1: machines.a: expected a uri of this host, since its transport is \"channel\"\n" },
        { "{\"machines\": {\"a\": {\"uri\": \"qemu+tls://h/system\", \"transport\": \"serial\", "
          "\"serial\": 5}}}",
                "1: machines.a: expected the addr of its host, since its transport is \"serial\"\n" },
        { "{\"machines\": {\"a\": {\"channel\": null}}}",
                "1: machines.a: expected a way to the guest: a cid, a channel or a serial port\n" },
        { "{\"machines\": {\"a\": {\"backend\": \"xen\"}}}",
                "1: machines.a.backend: expected \"libvirt\" or \"qemu\", found a string, \"xen\"\n" },
        { "{\"machines\": {\"a\": {\"backend\": \"qemu\", \"domain\": \"b\"}}}",
                "1: machines.a.backend: expected no domain of libvirt's beside \"qemu\", found \"b\"\n" },
        { "{\"machines\": {\"a+\": {\"backend\": \"qemu\"}}}",
                "1: machines.a+.backend: expected a machine without a + in its name beside \"qemu\"\n" },
        { "{\"machines\": {\"../a\": {}}}", "1: machines.../a: expected a name of at most 64 letters" },
        { "{\"machines\": {\"a\": {}, \"a\": {}}}",
                "1: machines.a: expected a name that is not used twice\n" },
        { "{\"machines\": {\"a\": {\"serial\": 1,\n\"serial\": 2}}}",
                "2: machines.a.serial: expected one such member, there is one in line 1 already\n" },
        { "{\"machines\": {\"a\": {}, \"b\": {}}}",
                "1: default-machine: expected this member, since there are several machines\n" },
        { "{\"default-machine\": \"c\"}",
                "1: default-machine: expected the name of a machine or an alias, found \"c\"\n" },
        { "{\"aliases\": {\"x\": \"nobody\"}}",
                "1: aliases.x: expected the name of a machine, found \"nobody\"\n" },
        { "{\"machines\": {\"a\": {}}, \"aliases\": {\"x\": [\"b\", \"a\"]}}",
                "1: aliases.x: expected the name of a machine, found \"b\"\n" },
        { "{\"aliases\": {\"x\": []}}", "1: aliases.x: expected 1 to 4096 machines\n" },
        { "{\"machines\": {\"a\": {}}, \"listeners\": {\"9001\": \"a\"}}",
                "1: listeners.9001: expected a numeric address and a port as name" },
        { "{\"machines\": {\"a\": {}}, \"listeners\": {\"::1:9001\": \"a\"}}",
                "1: listeners.::1:9001: expected a " },
        { "{\"machines\": {\"a\": {}}, \"listeners\": {\"127.0.0.1:1\": \"b\"}}",
                "1: listeners.127.0.0.1:1: expected the name of a machine or an alias, found \"b\"\n" },
        { "{\"machines\": {\"a\": {}}, \"listeners\": {\"[::1]:1\": \"a\", \"[0::1]:1\": \"a\"}}",
                "1: listeners.[0::1]:1: expected an address that is not used twice\n" },
        { "{\"machines\": {\"a\": {}}, \"listeners\": {\"/run/x y\": \"a\"}}",
                "1: listeners./run/x y: expected a numeric address and a port as name" },
        { "{\"machines\": {\"a\": {}}, \"listeners\": {\"/run/%n\": \"a\"}}",
                "1: listeners./run/%n: expected a numeric address and a port as name" },
        { "{\"machines\": {\"a\": {}}, \"listeners\": {\"/run/x\": {\"machine\": \"a\", \"mode\": 660}}}",
                "1: listeners./run/x.mode: expected a file mode in octal digits, as in \"0660\", found a "
                "number, "
                "660\n" },
        { "{\"machines\": {\"a\": {}}, \"listeners\": {\"127.0.0.1:1\": {\"machine\": \"a\", \"mode\": "
          "\"0600\"}}}",
                "1: listeners.127.0.0.1:1: expected \"mode\" and \"group\" of a unix socket alone\n" },
        { "{\"machines\": {\"a\": {}}, \"listeners\": {\"/run/x\": \"a\", \"/run/y\": {\"machine\": \"a\", "
          "\"group\": \"g\"}}}",
                "1: listeners./run/y: expected the \"mode\" and \"group\" of the other unix sockets\n" },
        { "{\"machines\": {\"a\": {}}, \"listeners\": {\"/run/x\": {\"machine\": \"a\", \"group\": "
          "\"a b\"}}}",
                "1: listeners./run/x: expected the name of a group\n" },
        { "{\"machines\": {\"a\": {}}, \"listeners\": {\"/run/x\": {\"fixed\": true}}}",
                "1: listeners./run/x: expected the name of a machine or an alias\n" },
        { "{\"machines\": {\"a\": {}}, \"listeners\": {\"/run/x\": {\"machine\": \"a\", \"fixed\": 1}}}",
                "1: listeners./run/x.fixed: expected true or false, found a number, 1\n" },
        { "{\"history\": {\"file-bytes\": 1}}", "1: history.file-bytes: expected a number of bytes from "
                                                "4096 to 67108864, found a number, 1\n" },
        { "{\"reverts-per-nick\": {\"count\": 33}}",
                "1: reverts-per-nick.count: expected a number from 0 (any) to 32, found a number, 33\n" },
        { "{\"reverts-per-nick\": {\"seconds\": 0}}",
                "1: reverts-per-nick.seconds: expected a number of seconds from 1 to 86400, found a "
                "number, 0\n" },
        { "{\"history\": {\"file-bytes\": 67108865}}",
                "1: history.file-bytes: expected a number of bytes from "
                "4096 to 67108864, found a number, 67108865\n" },
        { "{\"wait\": false}", "1: wait: expected a number of seconds from 0 to 300, found a boolean\n" },
        { "{\"machnies\": {}}",
                "1: machnies: unknown member, expected machines, aliases, listeners, default-machine, " },
};

static void test_every_mistake_is_named(void **state) {
        (void)state;
        for (size_t i = 0; i < ELEMENTSOF(mistakes); i++) {
                _cleanup_loaded_ Loaded l = load(mistakes[i].content);
                const char *rest = startswith(text_string(&l.errors), the_path);

                assert_int_equal(l.result, -EINVAL);
                assert_null(l.config);
                if (!rest || !startswith(rest, ":") || !startswith(rest + 1, mistakes[i].errors))
                        fail_msg("%s: expected %s\ngot %s", mistakes[i].content, mistakes[i].errors,
                                text_string(&l.errors));
                if (mistakes[i].errors[strlen(mistakes[i].errors) - 1] == '\n')
                        assert_string_equal(rest + 1, mistakes[i].errors);
        }
}

static void test_all_mistakes_are_told(void **state) {
        (void)state;
        _cleanup_loaded_ Loaded l =
                load("{\n\"wait\": \"x\",\n\"machines\": {\"a\": {\n\"serial\": -1,\n\"typo\": 0}},\n"
                     "\"aliases\": {\n\"b\": 7}}");
        unsigned lines[] = { 2, 4, 5, 7 };
        const char *p = text_string(&l.errors);

        assert_int_equal(l.result, -EINVAL);
        for (size_t i = 0; i < ELEMENTSOF(lines); i++) {
                const char *rest = startswith(p, the_path);
                assert_non_null(rest);
                assert_int_equal(strtoul(rest + 1, NULL, 10), lines[i]);
                p = strchr(p, '\n') + 1;
        }
        assert_string_equal(p, "");
}

static void test_too_large(void **state) {
        (void)state;
        size_t size = (1 << 20) + 10;
        _cleanup_free_ char *spaces = malloc(size + 1);

        memset(spaces, ' ', size);
        spaces[size] = 0;
        _cleanup_loaded_ Loaded l = load(spaces);
        assert_int_equal(l.result, -EINVAL);
        assert_non_null(strstr(text_string(&l.errors), ":1: expected a file of at most 1048576 bytes\n"));
}

static void test_errors_may_be_null(void **state) {
        (void)state;
        _cleanup_(config_freep) Config *config = NULL;
        _cleanup_loaded_ Loaded l = load("{\"wait\": []}");

        assert_int_equal(l.result, -EINVAL);
        assert_int_equal(config_load(the_path, NULL, &config, NULL), -EINVAL);
        assert_null(config);
}

static void test_a_directory_is_an_error(void **state) {
        (void)state;
        _cleanup_loaded_ Loaded l = {};

        assert_int_equal(config_load("/", NULL, &l.config, &l.errors), -EISDIR);
        assert_string_equal(text_string(&l.errors), "/: cannot be read: Is a directory\n");
}

static void test_listeners_of_all_kinds(void **state) {
        (void)state;
        _cleanup_loaded_ Loaded l = load(
                "{\"machines\": {\"a\": {}}, \"listeners\": {\"/run/pbot\": {\"machine\": \"a\", \"mode\": "
                "\"0660\", \"group\": \"irc\", \"fixed\": true}, \"[::1]:9\": {\"machine\": \"a\"}}}");

        assert_string_equal(text_string(&l.errors), "");
        const ListenerConfig *u = config_listener_unix(l.config, "/run/pbot"),
                             *t = config_listener(l.config, "::1", 9);
        assert_non_null(u);
        assert_true(u->fixed && u->mode == 0660);
        assert_string_equal(u->group, "irc");
        assert_string_equal(u->machine, "a");
        assert_non_null(t);
        assert_false(t->fixed);
        assert_null(config_listener_unix(l.config, "[::1]:9"));
        assert_null(config_listener_unix(l.config, "/run/pbo"));
        assert_null(config_listener(l.config, "::1", 0));
        assert_false(l.config->listen_default);
}

/* By default waiting and time limit fit into what PBot waits, whatever the time limit is. */
static void test_wait_and_timeout(void **state) {
        (void)state;
        static const struct {
                const char *timeout, *more, *warning;
                unsigned wait;
        } cases[] = {
                { "10", "", "", 15 },
                { "13", "", "", 15 },
                { "22", "", "", 6 },
                { "25", "", "", 3 },
                { "30", "", "Machine a: a request may wait 3 s and run 30 s, in all more than 28 s", 3 },
                { "10", ", \"wait\": 18", "", 18 },
                { "10", ", \"wait\": 19", "Machine a: a request may wait 19 s", 19 },
                { "600", ", \"wait\": 0", "Machine a: a request may wait 0 s and run 600 s", 0 },
        };

        for (size_t i = 0; i < ELEMENTSOF(cases); i++) {
                _cleanup_text_ Text content = {}, warnings = {};
                text_append_printf(&content,
                        "{\"machines\": {\"a\": {\"timeout\": %s}, \"b\": {}}, "
                        "\"aliases\": {\"pool\": [\"b\", \"a\"]}, "
                        "\"default-machine\": \"pool\"%s}",
                        cases[i].timeout, cases[i].more);
                _cleanup_loaded_ Loaded l = load(text_string(&content));
                assert_int_equal(l.result, 0);
                assert_int_equal(config_wait(l.config, "a"), cases[i].wait * USEC_PER_SEC);
                assert_int_equal(config_wait(l.config, "pool"), cases[i].wait * USEC_PER_SEC);
                config_warn(l.config, &warnings);
                assert_non_null(startswith(text_string(&warnings), cases[i].warning));
                assert_int_equal(warnings.size > 0, cases[i].warning[0] != 0);
        }
}

static void test_qemu(void **state) {
        (void)state;
        static char *const environment[] = { (char *)"PBOTVM_DOMAIN=a", NULL };
        static const char content[] =
                "{\"machines\": {\"a\": {\"backend\": \"qemu\", \"channel-heart\": \"/x\"}}}";
        _cleanup_loaded_ Loaded l = load(content), with_domain = load_with(content, environment);

        assert_int_equal(l.result, 0);
        assert_int_equal(l.config->machines[0].backend, BACKEND_QEMU);
        assert_null(l.config->machines[0].domain);
        assert_string_equal(l.config->machines[0].channel_data, "/run/pbotvm/qemu/a/data");
        assert_string_equal(l.config->machines[0].channel_heart, "/x");
        assert_int_equal(with_domain.result, -EINVAL);
}

static void test_words(void **state) {
        (void)state;
        assert_int_equal(backend_kind_from_string("qemu"), BACKEND_QEMU);
        assert_string_equal(guest_kind_to_string(GUEST_UNKNOWN), "");
        assert_int_equal(guest_kind_from_string("pbot-2023"), GUEST_PBOT_2023);
        assert_int_equal(guest_kind_from_string("x"), -EINVAL);
        assert_string_equal(transport_kind_to_string(TRANSPORT_AUTO), "auto");
        assert_int_equal(transport_kind_from_string("serial"), TRANSPORT_SERIAL);
        assert_string_equal(revert_policy_to_string(POLICY_ALWAYS), "always");
        assert_int_equal(revert_policy_from_string("never"), POLICY_NEVER);
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_pbots_file_is_read_unchanged),
                cmocka_unit_test(test_missing_file_is_pbots_default),
                cmocka_unit_test(test_all_our_members),
                cmocka_unit_test(test_wildcard_listener),
                cmocka_unit_test(test_every_mistake_is_named),
                cmocka_unit_test(test_all_mistakes_are_told),
                cmocka_unit_test(test_too_large),
                cmocka_unit_test(test_errors_may_be_null),
                cmocka_unit_test(test_a_directory_is_an_error),
                cmocka_unit_test(test_wait_and_timeout),
                cmocka_unit_test(test_listeners_of_all_kinds),
                cmocka_unit_test(test_qemu),
                cmocka_unit_test(test_words),
        };
        return cmocka_run_group_tests(tests, make_file, remove_file);
}
