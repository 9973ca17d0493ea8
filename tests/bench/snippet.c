/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What reading a snippet costs, in time of the processor: 32 and 64 kB of each pattern as C, C++ and Java,
 * and the ratio of both times, which is 2 where time is in proportion to size. The formatter is left out.
 *
 * usage: bench-snippet; exit status 1 when 64 kB take over 200 ms, or when they take long enough
 * to be measured and the ratio is one of a square. */

#include <malloc.h>
#include <stdio.h>
#include <time.h>

#include "snippet/snippet.h"

#define SIZE ((size_t)64 * 1024)
#define LIMIT_MS 200.0
#define MEASURED_MS 2.0
#define LIMIT_RATIO 3.5
#define ROUNDS 7

static const char *const patterns[] = { "int x = 1; x;\n", "int f(int a) { return a; } ", "f(", "{", "}",
        "[", "a<", "a<b>", "if (a) ", "do ", "else ", "\"a\" ", "'", "/* a */ ", "// a\n", "#define a b\n",
        "#if 1\n", "#else\n", "#endif\n", "f(a) int b; ", "template<class T> ", "struct a {", ";", "R\"a(",
        "a::", "@a ", "case 1:", "a ? b : ", "\\\n", "print = 1; " };

static double complete_ms(const char *pattern, size_t size, Dialect dialect) {
        const SnippetStyle style = {
                .dialect = dialect,
                .prelude = "",
                .force_prelude = true,
                .wrap_last_statement = true,
                .line_comments = true,
        };
        const SnippetOptions options = {};
        _cleanup_text_ Text code = {};
        double best = -1;

        while (code.size < size)
                text_append_string(&code, pattern);
        for (unsigned i = 0; i < ROUNDS; i++) {
                _cleanup_(java_names_done) JavaNames names = {};
                _cleanup_text_ Text program = {};
                bool unterminated;
                const clock_t start = clock();
                int r = dialect == DIALECT_JAVA
                                ? snippet_complete_java(&code, &style, &options, &program, &names)
                                : snippet_complete_c(&code, &style, &options, &program, &unterminated);
                const double ms = (double)(clock() - start) * 1e3 / CLOCKS_PER_SEC;
                if (r < 0)
                        return -1;
                if (best < 0 || ms < best)
                        best = ms;
        }
        return best;
}

int main(void) {
        static const char *const names[] = { "c", "c++", "java" };
        bool failed = false;

        /* Memory that goes back to the kernel is paid for anew by faults of its pages: the larger size alone
         * would do so, and the ratio would tell of malloc(). */
        (void)mallopt(M_MMAP_THRESHOLD, 1 << 30);
        (void)mallopt(M_TRIM_THRESHOLD, 1 << 30);

        for (size_t i = 0; i < ELEMENTSOF(patterns); i++)
                for (unsigned dialect = 0; dialect < ELEMENTSOF(names); dialect++) {
                        const double half = complete_ms(patterns[i], SIZE / 2, dialect);
                        const double whole = complete_ms(patterns[i], SIZE, dialect);
                        const double ratio = half > 0 ? whole / half : 0;
                        const bool over = half < 0 || whole < 0 || whole > LIMIT_MS ||
                                          (whole > MEASURED_MS && ratio > LIMIT_RATIO);
                        printf("%-5s %7.2f ms, ratio %.1f, ", names[dialect], whole, ratio);
                        for (const char *c = patterns[i]; *c; c++)
                                (void)putchar(*c == '\n' ? ' ' : *c);
                        puts(over ? ": TOO LONG" : "");
                        failed |= over;
                }
        return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
