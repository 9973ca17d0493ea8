/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>

#include <cmocka.h>

#include "common/base64.h"

static void test_vectors(void **state _unused_) {
        static const char *const cases[][2] = { /* RFC 4648, section 10 */
                { "", "" }, { "f", "Zg==" }, { "fo", "Zm8=" }, { "foo", "Zm9v" }, { "foob", "Zm9vYg==" },
                { "fooba", "Zm9vYmE=" }, { "foobar", "Zm9vYmFy" }
        };

        for (size_t i = 0; i < ELEMENTSOF(cases); i++) {
                _cleanup_text_ Text e = {}, d = {};
                base64_append_encoded(&e, cases[i][0], strlen(cases[i][0]));
                assert_string_equal(text_string(&e), cases[i][1]);
                assert_int_equal(base64_append_decoded(&d, cases[i][1], strlen(cases[i][1])), 0);
                assert_string_equal(text_string(&d), cases[i][0]);
        }
}

static void test_refuses(void **state _unused_) {
        static const char *const cases[] = { "Z", "Zg=", "Zg", "Z===", "====", "Zg==Zg==", "Zm9*", "Zm 9v",
                "Zg=A" };

        for (size_t i = 0; i < ELEMENTSOF(cases); i++) {
                _cleanup_text_ Text d = {};
                assert_int_equal(base64_append_decoded(&d, cases[i], strlen(cases[i])), -EBADMSG);
        }
}

int main(void) {
        const struct CMUnitTest tests[] = { cmocka_unit_test(test_vectors), cmocka_unit_test(test_refuses) };
        return cmocka_run_group_tests(tests, NULL, NULL);
}
