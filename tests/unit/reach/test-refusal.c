/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What libvirt's errors are told as: those that its client gives, and that of a connection that is refused
 * for real. */

#include "reach/refusal.h"

#include <libvirt/libvirt.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#define TLS "qemu+tls://far/system"
#define TCP "qemu+tcp://far/system"
#define SSH "qemu+ssh://root@far/system"
#define SYSTEM VIR_ERR_SYSTEM_ERROR

/* words: the beginning; NULL: nothing is told. mend: a part. */
static const struct {
        const char *uri;
        int code, number;
        const char *message;
        const char *words, *mend;
} cases[] = {
        { TLS, VIR_ERR_AUTH_FAILED, -1, "Failed to verify peer's certificate",
                "the certificate of far does not fit", "-verify_hostname far" },
        { "qemu://far/system", VIR_ERR_AUTH_FAILED, -1, "", "the certificate of far does not fit", "far" },
        { TLS, SYSTEM, EIO, "Unable to read TLS confirmation", "far does not trust this host's",
                "clientcert" },
        { TLS, SYSTEM, ENOENT, "Cannot read CA certificate", "a certificate that this host needs", "ls -l" },
        { TLS, SYSTEM, EACCES, "", "the watchdog's user may not read", "chown pbotvm-watchdog" },
        { TLS, SYSTEM, -1, "Our own certificate", "this host's own certificate", "getent hosts far" },
        { TLS, SYSTEM, ECONNREFUSED, "", "nobody listens for libvirt on far", "libvirtd-tls.socket" },
        { TCP, SYSTEM, ECONNREFUSED, "", "nobody listens for libvirt on far", "libvirtd-tcp.socket" },
        { TLS, SYSTEM, EPERM, "", "the watchdog's service may not reach far", "IPAddressAllow=" },
        { TCP, SYSTEM, EHOSTUNREACH, "", "far cannot be reached", "ping -c 3 far" },
        { TCP, SYSTEM, -1, "Unable to resolve address", "far is no name that is known", "getent" },
        { SSH, SYSTEM, ECONNRESET, "Cannot recv data: Host key verification failed.: Connection reset",
                "the ssh host key of far is not known", "ssh-keygen -R far" },
        { SSH, SYSTEM, EIO, "End of file while reading data: Host key verification failed.: I/O",
                "the ssh host key of far is not known", "ssh-keygen -R far" },
        { SSH, SYSTEM, ECONNRESET, "Cannot recv data: root@far: Permission denied (publickey).: Reset",
                "far does not let the watchdog's user in", "ssh-copy-id far" },
        { SSH, SYSTEM, EIO, "sh: 1: nc: not found", "ssh to far ended before", "virsh -c" },
        { TLS, VIR_ERR_NO_CONNECT, -1, "", "libvirt on far has no such driver", "" },
        /* ssh's words are ssh's alone. */
        { TLS, SYSTEM, EIO, "Host key verification failed", "far does not trust", "" },
        /* What the error says is all. */
        { TLS, VIR_ERR_INTERNAL_ERROR, -1, "client socket is closed", NULL, NULL },
        { "qemu:///system", SYSTEM, ECONNREFUSED, "", NULL, NULL },
        { "qemu+tls//far", SYSTEM, ECONNREFUSED, "", NULL, NULL },
};

static void test_what_is_told(void **state _unused_) {
        for (size_t i = 0; i < ELEMENTSOF(cases); i++) {
                virError error = { .code = cases[i].code,
                        .domain = VIR_FROM_RPC,
                        .message = (char *)cases[i].message,
                        .int1 = cases[i].number,
                        .int2 = -1 };
                _cleanup_text_ Text words = {}, mend = {};

                bool told = refusal_tell(&error, cases[i].uri, &words, &mend);
                if (told != (cases[i].words != NULL))
                        fail_msg("row %zu: %s", i, text_string(&words));
                if (!told) {
                        assert_true(text_equals(&words, "") && text_equals(&mend, ""));
                        continue;
                }
                if (!startswith(text_string(&words), cases[i].words) ||
                        !strstr(text_string(&mend), cases[i].mend))
                        fail_msg("row %zu: \"%s\", \"%s\"", i, text_string(&words), text_string(&mend));
                assert_null(strchr(text_string(&words), '{'));
                assert_null(strchr(text_string(&mend), '{'));
        }
        assert_false(refusal_tell(NULL, TLS, NULL, NULL));
}

static void say_nothing(void *userdata _unused_, virErrorPtr error _unused_) {
}

/* Its client of this machine: nobody listens on port 1, and there are no certificates in /dev/null. */
static void test_what_libvirt_says(void **state _unused_) {
        static const struct {
                const char *uri, *words;
        } table[] = {
                { "qemu+tcp://127.0.0.1:1/system", "nobody listens for libvirt on 127.0.0.1" },
                { "qemu+tls://127.0.0.1:1/system?pkipath=/nonexistent", "a certificate that this host" },
        };

        virSetErrorFunc(NULL, say_nothing);
        for (size_t i = 0; i < ELEMENTSOF(table); i++) {
                _cleanup_text_ Text words = {}, mend = {};

                assert_null(virConnectOpen(table[i].uri));
                assert_true(refusal_tell(virGetLastError(), table[i].uri, &words, &mend));
                assert_true(startswith(text_string(&words), table[i].words));
        }
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_what_is_told),
                cmocka_unit_test(test_what_libvirt_says),
        };
        return cmocka_run_group_tests(tests, NULL, NULL);
}
