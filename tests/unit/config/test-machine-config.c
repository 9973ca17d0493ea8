/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* No member of a machine's configuration is forgotten where two are compared, or one is copied: a reload
 * would not see its change. And which of libvirt's URIs are of this host. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>

#include <cmocka.h>

#include "common/io.h"
#include "config/machine-config.h"
#include "config/members.h"

/* Some value of each kind; one of them fits any member, and is not what the machine has without it. */
static const char *const values[] = { "\"other\"", "\"/other\"", "3", "17", "23.5", "90", "\"pbotvm\"",
        "\"qemu+tls://host/system\"", "\"serial\"", "\"always\"", "\"qemu\"", "\"try\"", "\"running\"",
        "true", "{\"processes\": 7}" };

/* The machine "a" with this member; NULL if it is a mistake. */
static Config *load(const char *member, const char *value) {
        char path[] = "/tmp/test-machine-config-XXXXXX";
        _cleanup_text_ Text text = {};
        Config *config = NULL;
        int fd = mkstemp(path);

        assert_true(fd >= 0);
        text_append_string(&text, "{\"machines\": {\"a\": {");
        /* What a demanded transport needs. */
        if (!member || !streq(member, "serial"))
                text_append_printf(&text, "\"serial\": 9%s", member ? ", " : "");
        if (member)
                text_append_printf(&text, "\"%s\": %s", member, value);
        text_append_string(&text, "}}}");
        assert_int_equal(io_write(fd, text.data, text.size, USEC_INFINITY), 0);
        fd_close(fd);
        (void)config_load(path, NULL, &config, NULL);
        unlink(path);
        return config;
}

static bool is_seen(const Config *base, const char *member) {
        bool fits = false;

        for (size_t i = 0; i < ELEMENTSOF(values); i++) {
                _cleanup_(config_freep) Config *config = load(member, values[i]);
                if (!config)
                        continue;
                fits = true;
                _cleanup_(machine_config_freep) MachineConfig *copy =
                        machine_config_copy(&config->machines[0]);
                assert_true(machine_config_equal(copy, &config->machines[0]));
                if (!machine_config_equal(&base->machines[0], copy))
                        return true;
        }
        if (!fits)
                fail_msg("no value of this test fits the member \"%s\": add one", member);
        return false;
}

static void test_every_member_is_compared(void **state _unused_) {
        _cleanup_(config_freep) Config *base = load(NULL, NULL), *same = load(NULL, NULL);

        assert_true(base && same);
        assert_true(machine_config_equal(&base->machines[0], &same->machines[0]));
        for (const Member *m = machine_members; m->name; m++)
                if (m->kind != MEMBER_IGNORED && !is_seen(base, m->name))
                        fail_msg("a change of \"%s\" is not seen", m->name);
}

/* transport: NULL: it is no URI; host: "" on this host. */
static const struct {
        const char *uri, *transport, *host;
} uris[] = {
        { "qemu:///system", "unix", "" },
        { "test:///default", "unix", "" },
        { "qemu+unix:///system?socket=/x@y", "unix", "" },
        { "qemu+ext:///system?command=/x", "ext", "" },
        { "qemu://host/system", "tls", "host" },
        { "qemu+tls://host.example:16514/system?no_verify=1", "tls", "host.example" },
        { "qemu+tls://[fe80::1%eth0]:1/system", "tls", "fe80::1%eth0" },
        { "qemu+tcp://10.0.0.1/system", "tcp", "10.0.0.1" },
        { "qemu+ssh://root@host/system", "ssh", "host" },
        { "qemu+ssh://root@host", "ssh", "host" },
        { "qemu+libssh2://host/system", "libssh2", "host" },
        { "qemu+tls:///system", NULL, NULL },
        { "qemu+ssh://root@/system", NULL, NULL },
        { "qemu+tls://[::1/system", NULL, NULL },
        { "qemu+tls://host;ls/system", NULL, NULL },
        { "qemu+tpc://host/system", NULL, NULL },
        { "qemu+://host/system", NULL, NULL },
        { "qemu+tls//host/system", NULL, NULL },
        { "qemu:system", NULL, NULL },
        { "://host/system", NULL, NULL },
        { "alias", NULL, NULL },
        { "", NULL, NULL },
};

static void test_uris(void **state _unused_) {
        for (size_t i = 0; i < ELEMENTSOF(uris); i++) {
                LibvirtUri uri = {};

                int r = libvirt_uri_parse(uris[i].uri, &uri);
                if (r != (uris[i].transport ? 0 : -EINVAL))
                        fail_msg("%s: %i", uris[i].uri, r);
                assert_string_equal(uri.transport, uris[i].transport ?: "");
                assert_string_equal(uri.host, uris[i].host ?: "");
                assert_int_equal(machine_uri_is_local(uris[i].uri), !uris[i].host || !*uris[i].host);
        }
}

static void test_which_are_remote(void **state _unused_) {
        _cleanup_(config_freep) Config *here = load("uri", "\"qemu:///system\""),
                                       *there = load("uri", "\"qemu+tls://host/system\"");

        assert_true(here && there);
        assert_false(machine_config_is_remote(&here->machines[0]));
        assert_true(machine_config_is_remote(&there->machines[0]));
        /* Without a domain nothing is asked of that libvirt. */
        free(there->machines[0].domain);
        there->machines[0].domain = NULL;
        assert_false(machine_config_is_remote(&there->machines[0]));
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_every_member_is_compared),
                cmocka_unit_test(test_uris),
                cmocka_unit_test(test_which_are_remote),
        };
        return cmocka_run_group_tests(tests, NULL, NULL);
}
