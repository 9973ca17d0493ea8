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
static const char *const values[] = { "\"other\"", "\"/other\"", "17", "23.5", "90", "\"pbotvm\"",
        "\"serial\"", "\"always\"", "\"qemu\"", "\"try\"", "true", "{\"processes\": 7}" };

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

static void test_local_uris(void **state _unused_) {
        assert_true(machine_uri_is_local("qemu:///system"));
        assert_true(machine_uri_is_local("test:///default"));
        assert_false(machine_uri_is_local("qemu+ssh://root@host/system"));
        assert_false(machine_uri_is_local("qemu+tls://host/system"));
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_every_member_is_compared),
                cmocka_unit_test(test_local_uris),
        };
        return cmocka_run_group_tests(tests, NULL, NULL);
}
