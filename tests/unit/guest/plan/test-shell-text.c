/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>

#include <cmocka.h>

#include "plan/shell-text.h"

/* Words are joined by '|'; NULL: a shell is needed. */
static const struct {
        const char *text, *words;
} cases[] = {
        { "sh prog.sh", "sh|prog.sh" },
        { " perl -w  prog.pl ", "perl|-w|prog.pl" },
        { "sh -c :", "sh|-c|:" },
        { "java -Dx=y@1,2 a+b_c/%d", "java|-Dx=y@1,2|a+b_c/%d" },
        { "sh -c 'A=1 bc -q < \"$f\"'", "sh|-c|A=1 bc -q < \"$f\"" },
        { "sh ''", "sh|" },
        { "python3", "python3" },
        { "", NULL },
        { "  ", NULL },
        { "echo x", NULL },
        { "time sh x", NULL },
        { "[ x ]", NULL },
        { ". x", NULL },
        { ": x", NULL },
        { "A=1 sh", NULL },
        { "./prog", NULL },
        { "/bin/sh x", NULL },
        { "'sh' x", NULL },
        { "sh x'y'", NULL },
        { "sh 'x'y", NULL },
        { "sh 'x", NULL },
        { "sh \"x\"", NULL },
        { "sh x; sh y", NULL },
        { "sh x\nsh y", NULL },
        { "sh\tx", NULL },
        { "sh $x", NULL },
        { "sh `x`", NULL },
        { "sh ~/x", NULL },
        { "sh *", NULL },
        { "sh a?", NULL },
        { "sh [a]", NULL },
        { "sh {a,b}", NULL },
        { "sh a\\b", NULL },
        { "sh #x", NULL },
        { "sh !x", NULL },
        { "sh >x", NULL },
        { "sh x&", NULL },
        { "sh x|y", NULL },
        { "sh (x)", NULL },
        { "sh \303\251", NULL },
};

static void test_what_needs_no_shell(void **state _unused_) {
        for (size_t i = 0; i < ELEMENTSOF(cases); i++) {
                _cleanup_words_ Words words = {};
                _cleanup_text_ Text joined = {};

                int r = shell_text_words(cases[i].text, &words);
                if (r != (cases[i].words ? 1 : 0))
                        fail_msg("%s: %i", cases[i].text, r);
                for (size_t k = 0; k < words.n; k++)
                        text_append_printf(&joined, "%s%s", k > 0 ? "|" : "", words.items[k]);
                assert_string_equal(text_string(&joined), cases[i].words ? cases[i].words : "");
        }
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_what_needs_no_shell),
        };
        return cmocka_run_group_tests(tests, NULL, NULL);
}
