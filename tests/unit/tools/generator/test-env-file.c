/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>

#include <cmocka.h>

#include "generator/env-file.h"

static const struct {
        const char *text, *entries; /* each with a newline */
        const char *errors;
} cases[] = {
        { "A=1\nB_2=x y \n", "A=1\nB_2=x y\n", "" },
        { "# A=1\n ;B=2\n\n\t C=3", "C=3\n", "" },
        { "A=\"1 \\\" \\$ \\n \"\nB='1 \\' ", "A=1 \" $ \\n \nB=1 \\\n", "" },
        { "A=a\\\nb\nB=\"c\\\nd\"\nC=x\\ ", "A=ab\nB=cd\nC=x \n", "" },
        { "A=\nB=  \nC= \"\" ", "A=\nB=\nC=\n", "" },
        { "A=1 # no comment", "A=1 # no comment\n", "" },
        { "A\nB=1\nexport C=2\n=3\n1D=4\nE =5\n", "B=1\n",
                "1: expected NAME=value\n3: expected NAME=value\n4: expected NAME=value\n"
                "5: expected NAME=value\n6: expected NAME=value\n" },
        { "A=1\r\nB=2\r\n", "A=1\nB=2\n", "" },
        { "A=a\"b \"'c'", "A=ab c\n", "" },
        { "A=\"open", "A=open\n", "" },
        { "A=\\", "A=\n", "" },
        { "", "", "" },
};

static void test_files(_unused_ void **state) {
        for (size_t i = 0; i < ELEMENTSOF(cases); i++) {
                _cleanup_text_ Text text = {}, errors = {}, entries = {};
                _cleanup_(env_list_freep) char **list = NULL;

                text_append_string(&text, cases[i].text);
                assert_int_equal(env_file_parse(&text, &list, &errors), 0);
                for (size_t k = 0; list[k]; k++)
                        text_append_printf(&entries, "%s\n", list[k]);
                assert_string_equal(text_string(&entries), cases[i].entries);
                assert_string_equal(text_string(&errors), cases[i].errors);
        }
}

int main(void) {
        const struct CMUnitTest tests[] = { cmocka_unit_test(test_files) };
        return cmocka_run_group_tests(tests, NULL, NULL);
}
