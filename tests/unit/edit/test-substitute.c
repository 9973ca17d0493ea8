/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* s///: what Perl does, its errors, and patterns that would take for ever. */

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <cmocka.h>

#include "common/io.h"
#include "edit/substitute.h"

static Slice slice(const char *text) {
        return (Slice){ text, strlen(text) };
}

/* The result, "no match", or the error. */
static char *run(const char *text, size_t size, const char *pattern, const char *to, const char *flags) {
        _cleanup_text_ Text code = {}, typed = {}, out = {}, error = {};
        Budget budget = budget_start(EDIT_BUDGET_USEC);
        text_append_printf(
                &typed, "%s\\*", pattern); /* what follows a pattern in its line does not matter */
        Step step = { .type = STEP_SUBSTITUTE,
                .text = { text_string(&typed), strlen(pattern) },
                .to = slice(to),
                .global = strchr(flags, 'g'),
                .ignore_case = strchr(flags, 'i') };
        char *ret;

        text_append(&code, text, size);
        int r = substitute(&code, &step, &budget, &out, &error);
        if (r == 0)
                text_append_string(&out, "no match");
        else if (r == -EINVAL)
                text_move(&out, &error);
        else
                assert_int_equal(r, 1);
        assert_int_equal(text_steal(&out, &ret, NULL), 0);
        return ret;
}

static const struct {
        const char *code, *pattern, *to, *flags, *result;
} cases[] = {
        { "a b a", "a", "Q", "", "Q b a" },
        { "a b a", "a", "Q", "g", "Q b Q" },
        { "A b a", "a", "Q", "i", "Q b a" },
        { "a", "A", "Q", "", "no match" },
        { "aXbXc", "(.)X(.)", "$2-$1", "", "b-aXc" },
        { "b-a", "-", "$`|$'", "", "bb|aa" },
        { "ab cd", "(\\w)(\\w)", "$2$1", "g", "ba dc" }, /* each match has its own groups */
        { "a", "(b)?a", "<$1$9$0$&\\1>", "", "<$0a\\1>" },
        { "6 * 7", "\\d", "($&)", "g", "(6) * (7)" },
        { "a b", "a\\/?", "6 \\/ 2", "", "6 / 2 b" },
        { "a b", "a", "\\$1\\$&\\n\\\\/\\\\$&\\", "", "$1$&\\n\\\\/\\\\a\\ b" },
        { "echo $1 foo", "foo", "bar", "", "echo $1 bar" }, /* the code's own $1 stays */
        { "abc", "x*", "-", "g", "-a-b-c-" },
        { "axb", "x*", "-", "g", "-a--b-" },
        { "a\nb\n", "$", "!", "", "a\nb!\n" },
        { "a\nb", "^b", "!", "", "no match" },
        { "", "^", "x", "", "x" },
        { "echo \xC3\xA9 \xC3\xBC", "\\w\\b(?! )", "u", "", "ech\x6F \xC3\xA9 u" },
        { "\xC3\x89", "\xC3\xA9", "e", "i", "e" },
        { "a", "", "x", "", "no match" },
        { "y", "\\y", "z", "", "z" },
        { "a{3,1}", "a{3,1}", "x", "", "no match" },
        /* What PCRE2 reads otherwise than Perl. */
        { "Qa.bE a.b", "\\Qa.b\\E", "x", "", "x a.b" },
        { "E]", "[\\Q\\E]", "x", "", "x]" },
        { "aaa", "a{,2}", "x", "", "xa" },
        { "a{,}", "a{,}", "x", "", "x" },
        { "aaaa", "a{ 1,\t3 }", "x", "", "xa" },
        { "aaaa", "a{2 }b?", "x", "g", "xx" },
        { "{2} {,1}", "{2}|{,1}", "x", "g", "x x" },
        { "({2})", "\\((?:{2})\\)", "x", "", "x" },
        { "a{2", "a{2", "x", "", "x" },
        { "a", "^*$+a?", "x", "", "ax" },
        { "ba", "\\b+\\A{2}b", "x", "", "xa" },
        { "b^a", "[^*]", "x", "g", "xxx" },
        { "b-1", "[a-\\d]", "x", "g", "bxx" },
        { "b-1z", "[\\d-z]", "x", "g", "bxxx" },
        { "b-1z", "[[:digit:]-\\s]", "x", "g", "bxxz" },
        { "b-c", "[a-c-]", "x", "g", "xxx" },
        { "x:a", "[:alpha:]", "y", "g", "xyy" },
        { "[.a.]", "[.a.]", "y", "g", "[yyy]" },
        { "]a", "[]a]", "y", "g", "yy" },
        { "]a", "[^]a]", "y", "", "no match" },
        { "aA", "(?u)(?ai-x:A)(?p)", "x", "g", "xx" },
        { "a{2}", "a(?#{2}[)", "x", "", "x{2}" },
        { "a", "\\x{61}\\x{61}{,1}", "x", "", "x" },
        { "o", "(*UTF)o", "x", "",
                "Unknown verb pattern 'UTF' in regex; marked by <-- HERE in m/(*UTF) <-- HERE o/" },
        { "a", "a{,2}[\\d-z](", "x", "",
                "Unmatched ( in regex; marked by <-- HERE in m/a{,2}[\\d-z]( <-- HERE /" },
        { "a", "\\Qa{,2}**", "x", "",
                "Nested quantifiers in regex; marked by <-- HERE in m/\\Qa{,2}* <-- HERE */" },
        { "a", "(", "x", "", "Unmatched ( in regex; marked by <-- HERE in m/( <-- HERE /" },
        { "a", "a(b(c", "x", "", "Unmatched ( in regex; marked by <-- HERE in m/a(b( <-- HERE c/" },
        { "a", "[(]a(", "x", "", "Unmatched ( in regex; marked by <-- HERE in m/[(]a( <-- HERE /" },
        { "a", "a)b", "x", "", "Unmatched ) in regex; marked by <-- HERE in m/a) <-- HERE b/" },
        { "a", "a[b[c", "x", "", "Unmatched [ in regex; marked by <-- HERE in m/a[ <-- HERE b[c/" },
        { "a", "*a", "x", "", "Quantifier follows nothing in regex; marked by <-- HERE in m/* <-- HERE a/" },
        { "a", "a**", "x", "", "Nested quantifiers in regex; marked by <-- HERE in m/a** <-- HERE /" },
        { "a", "a{2}{3}", "x", "",
                "Nested quantifiers in regex; marked by <-- HERE in m/a{2}{ <-- HERE 3}/" },
        { "a", "[z-a]", "x", "",
                "Invalid [] range \"z-a\" in regex; marked by <-- HERE in m/[z-a <-- HERE ]/" },
        { "a", "(?z)", "x", "",
                "Sequence (?z...) not recognized in regex; marked by <-- HERE in m/(?z <-- HERE )/" },
        { "a", "(?", "x", "", "Sequence (? incomplete in regex; marked by <-- HERE in m/(? <-- HERE /" },
        { "a", "(?i(?i", "x", "",
                "Sequence (?i(...) not recognized in regex; marked by <-- HERE in m/(?i( <-- HERE ?i/" },
        { "a", "(?<n", "x", "",
                "Sequence (?<... not terminated in regex; marked by <-- HERE in m/(?<n <-- HERE /" },
        { "a", "(a)\\2", "x", "",
                "Reference to nonexistent group in regex; marked by <-- HERE in m/(a)\\2 <-- HERE /" },
        { "a", "\\k<x>", "x", "",
                "Reference to nonexistent named group in regex; marked by <-- HERE in m/\\k<x <-- HERE >/" },
        { "a", "[[:foo:]]", "x", "",
                "POSIX class [:foo:] unknown in regex; marked by <-- HERE in m/[[:foo:] <-- HERE ]/" },
        { "a", "\\p{Foo}", "x", "",
                "Can't find Unicode property definition \"Foo\" in regex; marked by <-- HERE in m/\\p{Foo} "
                "<-- HERE /" },
        { "a", "\\P{L", "x", "",
                "Missing right brace on \\P{} in regex; marked by <-- HERE in m/\\P{ <-- HERE L/" },
        { "a", "\\p{", "x", "",
                "Missing right brace on \\p{} in regex; marked by <-- HERE in m/\\p{ <-- HERE /" },
        { "a", "b\\p", "x", "", "Empty \\p in regex; marked by <-- HERE in m/b\\p <-- HERE /" },
        { "a", "\\p{}", "x", "", "Empty \\p{} in regex; marked by <-- HERE in m/\\p{ <-- HERE }/" },
        { "a", "[[=a=]]", "x", "",
                "POSIX syntax [= =] is reserved for future extensions in regex; marked by <-- HERE in "
                "m/[[=a=] <-- HERE ]/" },
        { "a", "(?Pa)", "x", "",
                "Sequence (?Pa...) not recognized in regex; marked by <-- HERE in m/(?Pa <-- HERE )/" },
        { "a", "(?<=a+)", "x", "", "Lookbehind longer than 255 not implemented in regex m/(?<=a+)/" },
        { "a", "a{99999}", "x", "",
                "Quantifier in {,} bigger than 65534 in regex; marked by <-- HERE in m/a{99999 <-- HERE "
                "}/" },
        { "a", "(*FOO)", "x", "",
                "Unknown verb pattern 'FOO' in regex; marked by <-- HERE in m/(*FOO) <-- HERE /" },
        { "a", "(?{ 1 })", "x", "", "Eval-group not allowed" },
};

static void test_cases(void **state) {
        size_t wrong = 0;

        (void)state;
        for (size_t i = 0; i < ELEMENTSOF(cases); i++) {
                _cleanup_free_ char *got = run(
                        cases[i].code, strlen(cases[i].code), cases[i].pattern, cases[i].to, cases[i].flags);
                if (streq(got, cases[i].result))
                        continue;
                print_error("s/%s/: %s instead of %s\n", cases[i].pattern, got, cases[i].result);
                wrong++;
        }
        assert_int_equal(wrong, 0);
}

/* What is wrong is found in one go, however long the pattern is. */
static void test_long_mistakes(void **state) {
        static const char *const pieces[] = { "[:", "[-[:a", "{ 1 , ", "(?i", "\\p{", "(*", "[\\d-", "a)",
                "\\" };

        (void)state;
        for (size_t i = 0; i < ELEMENTSOF(pieces); i++) {
                _cleanup_text_ Text pattern = {};
                while (pattern.size < 256 << 10)
                        text_append_string(&pattern, pieces[i]);
                uint64_t start = thread_time_nsec();
                _cleanup_free_ char *got = run("a", 1, text_string(&pattern), "x", "");
                uint64_t msec = (thread_time_nsec() - start) / 1000000;
                if (msec > 800)
                        fail_msg("%s... took %u ms: %.60s", pieces[i], (unsigned)msec, got);
        }
}

/* Each would run for seconds to centuries. */
static void test_slow_patterns(void **state) {
        static const char *const patterns[] = { "(a+)+$", "(a|aa)+$", "(?:[^b]*+[bc])",
                "(?:(?=[^b]*+[bc])b|a)*c", "(.*)(.*)(.*)(.*)(.*)\\d", "(?:(?:a?){50}){50}{50}x", "(?R)?a+",
                "((((a*)*)*)*)*b", "(a*)\\1\\1b", "(*NO_START_OPT)(*NO_AUTO_POSSESS)a*a*a*a*a*b" };
        _cleanup_text_ Text code = {};

        (void)state;
        for (unsigned i = 0; i < 65536; i++)
                text_append_char(&code, 'a');
        for (size_t i = 0; i < ELEMENTSOF(patterns); i++) {
                uint64_t start = thread_time_nsec();
                _cleanup_free_ char *got = run(code.data, code.size, patterns[i], "$`$'", "g");
                uint64_t msec = (thread_time_nsec() - start) / 1000000;
                if (msec > 800)
                        fail_msg("%s took %u ms: %.60s", patterns[i], (unsigned)msec, got);
        }
}

static void test_large_result(void **state) {
        _cleanup_text_ Text code = {};

        (void)state;
        for (unsigned i = 0; i < 65536; i++)
                text_append_char(&code, 'a');
        _cleanup_free_ char *got = run(code.data, code.size, ".", "$`$'", "g");
        assert_string_equal(got, EDIT_TOO_LONG);
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_cases),
                cmocka_unit_test(test_long_mistakes),
                cmocka_unit_test(test_slow_patterns),
                cmocka_unit_test(test_large_result),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
