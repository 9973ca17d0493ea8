/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "examples.h"

#include <time.h>

#include "language/prepare.h"

#define DATA_DIR SOURCE_DIR "/src/language/data"
static const char *const shipped[] = { DATA_DIR, NULL };

static Language *open_language(const char *name) {
        _cleanup_text_ Text errors = {};
        Language *language = NULL;
        int r = language_open(shipped, name, &language, &errors);

        if (r < 0)
                print_error("%s: %s\n", name, text_string(&errors));
        assert_int_equal(r, 0);
        return language;
}

/* Literals in [], comments in (). */
static const struct {
        const char *language, *code, *wanted;
} spans[] = {
        { "c11", "a \"b//\" 'c' // d\n/* e \" */f", "a [\"b//\"] ['c'] (// d)\n(/* e \" */)f" },
        { "c11", "\"a\\\"b\" \"it's\n x", "[\"a\\\"b\"] \"it's\n x" },
        { "c++", "1'000 + 0xff'ff + u'a' + L'\\''", "1'000 + 0xff'ff + u['a'] + L['\\'']" },
        { "c++", "R\"x(a)\"b)x\" R\"(\\)\" R\"(open", "[R\"x(a)\"b)x\"] [R\"(\\)\"] R\"(open" },
        { "c11", "/* open 'a'", "/* open ['a']" },
        { "java", "\"\"\"\na \" b\n\"\"\" + \"c\"", "[\"\"\"\na \" b\n\"\"\"] + [\"c\"]" },
        { "python3", "x = '''it's\n''' # don't\n'a'", "x = ['''it's\n'''] (# don't)\n['a']" },
        { "python3", "\"\"\"a\\\"\"\"b\"\"\"", "[\"\"\"a\\\"\"\"b\"\"\"]" },
        { "sh", "echo $# ${#x} a#b # it's\necho '\\' \"\\\"\" \\' $'\\''",
                "echo $# ${#x} a#b (# it's)\necho ['\\'] [\"\\\"\"] \\' [$'\\'']" },
        { "sh", "cat <<EOF | tr a b; echo 'x'\nit's\nEOF\necho 'y'",
                "cat <<EOF | tr a b; echo ['x']\n[it's\n]EOF\necho ['y']" },
        { "sh", "cat <<A <<-'B'\n'\nA\n\"\n\tB\n'c'", "cat <<A <<-['B']\n['\nA\n\"\n]\tB\n['c']" },
        { "sh", "echo $((1<<2)) $((x<<y))\n'a'", "echo $((1<<2)) $((x<<y))\n['a']" },
        { "sh", "cat <<<EOF\n'a'\nEOF", "cat <<<EOF\n['a']\nEOF" },
        { "sh", "cat <<EOF\\nit's\\nEOF\\necho 'a'", "cat <<EOF\\nit's\\nEOF\\necho ['a']" },
        { "lua", "--[==[ a ]] b ]==] [[c\"]] [=[d]]]=] -- e",
                "(--[==[ a ]] b ]==]) [[[c\"]]] [[=[d]]]=]] (-- e)" },
        { "lua", "a[b[1]] = 'c' t[ [[x]] ]", "a[b[1]] = ['c'] t[ [[[x]]] ]" },
        { "haskell", "f' = \"a\" {- {- ' -} -} -- it's\ng'' 'x' '\\'' '\\n' 'ab'",
                "f' = [\"a\"] ({- {- ' -} -}) (-- it's)\ng'' ['x'] ['\\''] ['\\n'] 'ab'" },
        { "scheme", "'(a \"b;\") ; it's\n#| \" |# #\\\" (c)",
                "'(a [\"b;\"]) (; it's)\n(#| \" |#) [#\\\"] (c)" },
        { "javascript", "`a\n'${b}`; /it's/.test(x) a / b / c 'd' // e",
                "[`a\n'${b}`]; [/it's/].test(x) a / b / c ['d'] (// e)" },
        { "perl", "s/'/\"/; q{a{b}'c}; $#x; %s = (y => 1); tr(')(\"); 'd' # e'",
                "[s/'/\"/]; [q{a{b}'c}]; $#x; %s = (y => 1); [tr(')(\")]; ['d'] (# e')" },
        { "perl", "print <<\"X\";\nit's\nX\n=pod\n'\n=cut\n'a' =~ /'/",
                "print <<[\"X\"];\n[it's\n]X\n(=pod\n'\n=cut)\n['a'] =~ [/'/]" },
        { "ruby", "%q(it's) <<~X\n'\n  X\n=begin\n\"\n=end\n\"#{a}\" # '",
                "[%q(it's)] <<~X\n['\n]  X\n(=begin\n\"\n=end)\n[\"#{a}\"] (# ')" },
        { "php", "<?php 'a'; // it's\n#[B]\n# c'\n/* ' */ <<<X\n'\nX;\n?> it's <?php \"d\"",
                "<?php ['a']; (// it's)\n[#[B]]\n(# c')\n(/* ' */) <<<X\n['\n]X;\n[?> it's <?]php [\"d\"]" },
        { "tcl", "puts {it's} \"a\" b\"c\n# don't\nputs \"d\"",
                "puts {it's} [\"a\"] b\"c\n(# don't)\nputs [\"d\"]" },
        { "go", "`a\\` 'b' \"c`\" // d`\n`e`", "[`a\\`] ['b'] [\"c`\"] (// d`)\n[`e`]" },
        { "bc", "\"a'\" # b\"\n/* ' */ 1", "[\"a'\"] (# b\")\n(/* ' */) 1" },
        { "bf", "'\"+", "'\"+" },
        { "freebasic", "print \"it's\" ' don't\n/' ' '/ \"a\\\"",
                "print [\"it's\"] (' don't)\n(/' ' '/) [\"a\\\"]" },
};

static void test_spans(void **state) {
        (void)state;
        for (size_t i = 0; i < ELEMENTSOF(spans); i++) {
                _cleanup_(language_freep) Language *language = open_language(spans[i].language);
                const char *code = spans[i].code;
                SyntaxScan scan = syntax_scan(language_syntax(language), code, strlen(code), false);
                SyntaxSpan span;
                _cleanup_text_ Text got = {};
                size_t from = 0;

                for (; syntax_next(&scan, &span); from = span.end) {
                        assert_true(span.start >= from && span.end > span.start && span.end <= strlen(code));
                        text_append(&got, code + from, span.start - from);
                        text_append_char(&got, span.comment ? '(' : '[');
                        text_append(&got, code + span.start, span.end - span.start);
                        text_append_char(&got, span.comment ? ')' : ']');
                }
                text_append(&got, code + from, strlen(code) - from);
                if (!text_equals(&got, spans[i].wanted))
                        print_error("%s: %s\n", spans[i].language, code);
                assert_text(&got, spans[i].wanted);
        }
}

/* What a person types, ~ standing for a backslash-n that becomes a newline. */
static const struct {
        const char *language, *code;
} typed[] = {
        { "sh", "a~b" },
        { "sh", "echo it\\'s~echo \"a\\nb\"" },
        { "sh", "# it's~echo 'a\\nb'" },
        { "sh", "cat <<EOF~it's~isn't~EOF~printf 'a\\nb'" },
        { "sh", "cat <<EOF\nit's \\n\nEOF\necho a~b" },
        { "sh", "printf '#!/bin/sh\\necho ran\\n' > /tmp/x && chmod +x /tmp/x" },
        { "python3", "# don't panic\nprint('a\\nb')\n" },
        { "python3", "# don't panic~print('a\\nb')" },
        { "python3", "# a \\n b\nprint(1)" },
        { "python3", "def f():~ \"\"\"it's\\n\"\"\"~ return '\\n'~print(f())" },
        { "c11", "// a 5\" disk\nputs(\"a\\nb\");\n" },
        { "c11", "int x = 1; // it's~x" },
        { "c++", "auto s = R\"(a\\n'b)\";~s" },
        { "lua", "print([[a\\nb]])~print('c\\n')" },
        { "lua", "--[[ it's\\n ]] print(1)~x = [==[\\n]]\\n]==]" },
        { "tcl", "puts {it's}~puts \"a\\nb\"~# don't~puts b" },
        { "haskell", "main = do~ print (map (\\n -> n + 1) [1])~ putStrLn \"a\\nb\"" },
        { "haskell", "f' x = x~main = print (f' '\\n')" },
        { "scheme", "(display #\\newline)~'(a)~(display \"a\\nb\") ; it's\\\\~(display 1)" },
        { "javascript", "let a = /it's\\n/~console.log(`b\\n`)" },
        { "perl", "$x =~ s/'//g;~print 'a\\n', q(\\n), \"b\\n\"" },
        { "ruby", "puts %q(it's)~puts 'a\\nb'" },
        { "php", "// it's~echo 'a\\nb';" },
        { "go", "// it's~var a = `\\n`" },
        { "java", "// it's~char c = '\\n';" },
};

static void test_newlines(void **state) {
        (void)state;
        for (size_t i = 0; i < ELEMENTSOF(typed); i++) {
                _cleanup_(language_freep) Language *language = open_language(typed[i].language);
                _cleanup_text_ Text code = {}, wanted = {}, got = {};

                for (const char *p = typed[i].code; *p; p++)
                        if (*p == '~' && p[-1] != '=') {
                                text_append_string(&code, "\\n");
                                text_append_char(&wanted, '\n');
                        } else {
                                text_append_char(&code, *p);
                                text_append_char(&wanted, *p);
                        }
                assert_int_equal(
                        newline_escapes_expand(language_syntax(language), code.data, code.size, &got), 0);
                if (!text_equals(&got, text_string(&wanted)))
                        print_error("%s\n", typed[i].language);
                assert_text(&got, text_string(&wanted));
        }
}

static void test_opening(void **state) {
        static const struct {
                const char *language, *code, *wanted;
        } cases[] = {
                { "php", "echo 6 * 7;", "<?php echo 6 * 7;" },
                { "php", "<?php echo 1;", "<?php echo 1;" },
                { "php", " <b><?= 1 ?></b>", " <b><?= 1 ?></b>" },
                { "php", "a <?= 1 ?>", "a <?= 1 ?>" },
                { "php", "echo \"<?php\"; // <?", "<?php echo \"<?php\"; // <?" },
                { "php", "", "<?php " },
                { "sh", "echo", "echo" },
        };
        (void)state;

        for (size_t i = 0; i < ELEMENTSOF(cases); i++) {
                _cleanup_(language_freep) Language *language = open_language(cases[i].language);
                _cleanup_text_ Text code = {};
                text_append_string(&code, cases[i].code);
                assert_int_equal(opening_add(language, &code), 0);
                assert_text(&code, cases[i].wanted);
        }
}

/* Of this process alone: others may keep the machine busy. */
static uint64_t cpu_usec(void) {
        struct timespec ts;

        assert_int_equal(clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &ts), 0);
        return (uint64_t)ts.tv_sec * USEC_PER_SEC + (uint64_t)ts.tv_nsec / NSEC_PER_USEC;
}

/* Twice the text takes at most some more than twice the time. */
static void test_time_grows_with_the_text(void **state) {
        static const char *const names[] = { "c++", "sh", "lua", "perl", "ruby", "php", "haskell", "scheme",
                "python3", "javascript" };
        static const char *const pieces[] = { "\"", "'", "/*", "R\"a(", "<<A ", "<<A\n", "[[", "[=[", "--[[",
                "q(", "s/", "{-", "#|", "`", "#", "/", "%q(", "'\\", "\\n", "=\n", "<<A <<B\n'", "1'",
                "\n=x" };
        (void)state;

        for (size_t k = 0; k < ELEMENTSOF(names); k++) {
                _cleanup_(language_freep) Language *language = open_language(names[k]);
                for (size_t i = 0; i < ELEMENTSOF(pieces); i++)
                        for (int open_ended = 0; open_ended < 2; open_ended++) {
                                _cleanup_text_ Text code = {};
                                SyntaxSpan span;
                                while (code.size < (size_t)256 << 10)
                                        text_append_string(&code, pieces[i]);
                                uint64_t start = cpu_usec();
                                SyntaxScan scan = syntax_scan(
                                        language_syntax(language), code.data, code.size, open_ended);
                                while (syntax_next(&scan, &span))
                                        ;
                                uint64_t took = cpu_usec() - start;
                                if (took > USEC_PER_SEC / 2)
                                        print_error("%s %s: %llu\n", names[k], pieces[i],
                                                (unsigned long long)took);
                                assert_true(took <= USEC_PER_SEC / 2);
                        }
        }
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_spans),
                cmocka_unit_test(test_newlines),
                cmocka_unit_test(test_opening),
                cmocka_unit_test(test_time_grows_with_the_text),
        };
        return cmocka_run_group_tests(tests, NULL, NULL);
}
