/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "examples.h"

#include "language/prepare.h"

static void test_escapes_of_pbot(void **state) {
        _cleanup_json_ Json *examples = examples_load();
        const Json *cases = json_member(examples, "newline_escape_lang_sh");
        static const Language none = {};
        (void)state;

        assert_true(json_size(cases) > 10);
        for (size_t i = 0; i < json_size(cases); i++) {
                _cleanup_text_ Text input = {}, wanted = {}, got = {};
                append_member(&input, json_at(cases, i), "input");
                append_member(&wanted, json_at(cases, i), "v2026");
                assert_int_equal(newline_escapes_expand(
                                         language_syntax(&none), text_string(&input), input.size, &got),
                        0);
                assert_text_equal(&got, text_string(&wanted), wanted.size);
        }
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_escapes_of_pbot),
        };
        return cmocka_run_group_tests(tests, NULL, NULL);
}
