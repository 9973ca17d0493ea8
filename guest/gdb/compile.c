/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "gdb/compile.h"

#include <fcntl.h>

#include "common/io.h"
#include "gdb/ahead.h"
#include "gdb/recipe.h"
#include "gdb/run.h"
#include "gdb/source.h"
#include "plan/diagnostics.h"
#include "plan/hidden-names.h"

/* Whether the macro fails since it asks for the type of a bit-field, which has none. */
static bool is_bit_field(const Text *err) {
        return strstr(text_string(err), "bit-field") && strstr(text_string(err), "typeof");
}

/* Or since the type that the expression defines is then defined three times. */
static bool is_defined_again(const Text *err) {
        return strstr(text_string(err), "redefinition of") || strstr(text_string(err), "redeclaration of");
}

/* Once more, with a further option. */
static int run_with(char **command, const char *option, Text *err, int *ret_status) {
        return run_compiler_with(command, (char *[]){ (char *)option, NULL }, err, ret_status);
}

/* With what is compiled ahead, and a further option unless it is NULL. A compiler that speaks of what nobody
 * else knows is run without. */
static int run_with_ahead(
        char **command, const Words *ahead, const char *option, Text *err, int *ret_status) {
        _cleanup_words_ Words options = {};
        int r = option ? 0 : recipe_run(command, ahead, err, ret_status);

        if (r != 0)
                return MIN(r, 0);
        words_add_strings(&options, ahead->items);
        if (option)
                words_add_string(&options, option);
        if (words_error(&options) < 0)
                return -ENOMEM;
        if (ahead->n > 0) {
                r = run_compiler_with(command, options.items, err, ret_status);
                if (r < 0 || !strstr(text_string(err), ahead_folder()))
                        return r;
                text_clear(err);
        }
        return option ? run_with(command, option, err, ret_status) : run_compiler(command, err, ret_status);
}

/* With all that the C library has; where it does not help either, the first complaints are the right ones.
 */
static int run_with_all_of_libc(char **command, Text *err, int *status) {
        _cleanup_text_ Text again = {};
        int other, r = run_with(command, "-D_DEFAULT_SOURCE", &again, &other);

        if (r < 0 || exit_status(other) != 0)
                return r;
        *status = other;
        text_move(err, &again);
        return 0;
}

/* A function of the program's own that differs from the headers' one in its type alone, as gcc and clang
 * call it. */
static bool is_own_function(const Text *err) {
        return strstr(text_string(err), "ambiguating new declaration") ||
               strstr(text_string(err), "functions that differ only in their return type");
}

/* With the headers' functions hidden that the program has for its own. Where the headers cannot do without,
 * the first complaints are the right ones. */
static int run_with_own_functions(char ***command, Words *ahead, Words *words, Text *err, int *status) {
        _cleanup_text_ Text again = {};
        int other, r;

        words_add_strings(words, *command);
        words_add_string(words, "-D__PBOTVM_OWN_FUNCTIONS");
        r = words_error(words);
        if (r >= 0)
                r = run_compiler(words->items, &again, &other);
        if (r < 0 || strstr(text_string(&again), "In file included from"))
                return r;
        /* Nothing of that is compiled ahead. */
        words_done(ahead);
        *command = words->items;
        *status = other;
        text_move(err, &again);
        return 0;
}

static int write_source(const Source *source) {
        _cleanup_close_ int fd = open(source->name, O_WRONLY | O_TRUNC | O_CLOEXEC);

        if (fd < 0)
                return -errno;
        return io_write(fd, text_string(&source->text), source->text.size, USEC_INFINITY);
}

int compile_run(const char *source_name, char **command) {
        _cleanup_source_ Source source = {};
        _cleanup_text_ Text err = {}, said = {};
        _cleanup_words_ Words ahead = {}, words = {};
        size_t offset = 0;
        unsigned line = 0;
        int status, r;

        if (source_load(source_name, &source) == 0)
                line = source_wrapper(&source, &offset);
        r = ahead_find(command, source_name, &source.text, &ahead);
        if (r >= 0)
                r = run_with_ahead(command, &ahead, NULL, &err, &status);
        if (r >= 0 && exit_status(status) != 0 && hidden_names_used(&source.text))
                r = run_with_all_of_libc(command, &err, &status);
        if (r >= 0 && exit_status(status) != 0 && is_own_function(&err))
                r = run_with_own_functions(&command, &ahead, &words, &err, &status);
        if (r < 0)
                return r;
        if (line == 0) {
                (void)io_write(STDERR_FILENO, text_string(&err), err.size, USEC_INFINITY);
                return exit_status(status);
        }
        if (exit_status(status) != 0 && (is_bit_field(&err) || is_defined_again(&err))) {
                const char *option = is_bit_field(&err) ? "-D__PBOTVM_BIT_FIELD" : "-D__PBOTVM_ONCE";
                text_clear(&err);
                r = run_with(command, option, &err, &status);
                if (r < 0)
                        return r;
        }
        if (exit_status(status) != 0 &&
                diagnostics_have_error(text_string(&err), err.size, source_name, line) &&
                source_unwrap(&source) && write_source(&source) == 0) {
                text_clear(&err);
                r = run_with_ahead(command, &ahead, "-Wno-unused-value", &err, &status);
                if (r >= 0)
                        (void)io_write(STDERR_FILENO, text_string(&err), err.size, USEC_INFINITY);
                return r < 0 ? r : exit_status(status);
        }
        diagnostics_unwrap(
                &said, text_string(&err), err.size, &(DiagnosticsPlace){ source_name, line, offset });
        if (text_failed(&said))
                return -ENOMEM;
        (void)io_write(STDERR_FILENO, said.data, said.size, USEC_INFINITY);
        return exit_status(status);
}
