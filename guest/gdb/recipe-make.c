/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Asking a driver what it starts: "-###" prints that, a command a line, words that need it in quotes. */
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>

#include "common/io.h"
#include "gdb/ahead.h"
#include "gdb/recipe.h"
#include "gdb/run.h"
#include "gdb/stamps.h"

/* The linker that is the fastest, and makes the same of what these compilers give it. */
#define FAST_LINKER "/usr/bin/ld.gold"
#define PLAIN_LINKER "/usr/bin/ld"

static const char program[] = "int main(void)\n{\n    return 0;\n}\n";

static const char *base_name(const char *path) {
        const char *slash = strrchr(path, '/');

        return slash ? slash + 1 : path;
}

/* The words of a line as drivers print them. */
static int split_quoted(const char *line, size_t size, Words *ret) {
        const char *p = line, *end = line + size;

        while (p < end) {
                _cleanup_text_ Text word = {};
                bool quoted = false;

                for (; p < end && (quoted || *p != ' '); p++)
                        if (*p == '"')
                                quoted = !quoted;
                        else {
                                p += *p == '\\' && p + 1 < end;
                                text_append_char(&word, *p);
                        }
                p++;
                if (word.size > 0)
                        words_add(ret, word.data, word.size);
                if (text_failed(&word))
                        return -ENOMEM;
        }
        return words_error(ret);
}

/* Appends the word with a mark in the place of a directory. */
static void add_marked(Words *words, const char *word, const char *directory) {
        _cleanup_text_ Text marked = {}, temporary = {};

        text_append_printf(&temporary, "%s/tmp/", directory);
        for (const char *p = word; *p;)
                if (startswith(p, text_string(&temporary))) {
                        text_append_string(&marked, RECIPE_TEMPORARY "/");
                        p += temporary.size;
                } else if (startswith(p, directory)) {
                        text_append_string(&marked, RECIPE_DIRECTORY);
                        p += strlen(directory);
                } else
                        text_append_char(&marked, *p++);
        if (text_failed(&marked) || text_failed(&temporary))
                words->failed = true;
        else
                words_add(words, text_string(&marked), marked.size);
}

static bool is_compiler(const Words *step) {
        const char *name = base_name(step->items[0]);

        return streq(name, "cc1") || streq(name, "cc1plus") ||
               (step->n > 1 && streq(step->items[1], "-cc1"));
}

static bool is_linker(const Words *step) {
        const char *name = base_name(step->items[0]);

        return streq(name, "collect2") || streq(name, "ld");
}

/* The linker itself, without what it would load for optimisation at link time, which no kept command asks
 * for. */
static int replace_linker(const Words *step, const char *linker, Words *ret) {
        words_add_string(ret, linker);
        for (size_t i = 1; i < step->n; i++)
                if (streq(step->items[i], "-plugin"))
                        i++;
                else if (!startswith(step->items[i], "-plugin-opt="))
                        words_add_string(ret, step->items[i]);
        return words_error(ret);
}

/* Appends the step of a line. -ENOTSUP if it is none of those that are known to be all that a driver does.
 */
static int append_step(const char *line, size_t size, const char *directory, const char *linker, size_t *n,
        Text *stamps, Text *steps) {
        _cleanup_words_ Words words = {}, step = {}, marked = {};
        const Words *kept = &words;
        int r = split_quoted(line, size, &words);

        if (r < 0)
                return r;
        if (words.n == 0 || is_compiler(&words) != (*n == 0))
                return -ENOTSUP;
        if (is_linker(&words)) {
                r = replace_linker(&words, linker, &step);
                if (r < 0)
                        return r;
                kept = &step;
        }
        for (size_t i = 0; i < kept->n; i++)
                add_marked(&marked, kept->items[i], directory);
        r = words_error(&marked);
        if (r >= 0 && marked.items[0][0] == '/')
                r = stamps_append(stamps, marked.items[0]);
        (*n)++;
        return r < 0 ? r : recipe_append(steps, marked.items);
}

/* What a driver printed as the content of a recipe. */
static int translate(
        const char *said, const char *directory, const char *linker, Text *stamps, Text *steps) {
        size_t n = 0;
        int r = 0;

        if (strstr(said, "warning: ") || strstr(said, "error: "))
                return -ENOTSUP;
        for (const char *p = said, *newline; r >= 0 && (newline = strchr(p, '\n')); p = newline + 1)
                if (*p == ' ' && !startswith(p, " (in-process)"))
                        r = append_step(
                                p + 1, (size_t)(newline - p) - 1, directory, linker, &n, stamps, steps);
        return r < 0 ? r : n < 2 || n > RECIPE_STEPS_MAX ? -ENOTSUP : 0;
}

static int ask_driver(char **command, Text *said) {
        int status, r = run_compiler_with(command, (char *[]){ (char *)"-###", NULL }, said, &status);

        return r < 0 ? r : status != 0 ? -ENOTSUP : 0;
}

/* Keeps it, if it makes a program. 1, 0 if it does not, or a negative errno. */
static int keep(char **command, char **asked, const char *directory, const char *linker) {
        _cleanup_text_ Text said = {}, stamps = {}, steps = {}, err = {};
        int status, r = ask_driver(asked, &said);

        if (r >= 0)
                r = stamps_append_program(&stamps, asked[0]);
        if (r >= 0)
                r = translate(text_string(&said), directory, linker, &stamps, &steps);
        if (r >= 0)
                r = recipe_save(command, &stamps, &steps);
        if (r >= 0)
                r = recipe_run(command, &(Words){}, &err, &status);
        if (r < 0)
                return r == -ENOTSUP || r == -EINVAL ? 0 : r;
        if (r == 0 || status != 0 || err.size > 0) {
                recipe_forget(command);
                return 0;
        }
        return 1;
}

/* In a directory of its own, so that its name can be told from everything else. */
static int make_in(const char *directory, char **command, const char *source_name) {
        static const char *const linkers[] = { FAST_LINKER, PLAIN_LINKER };
        _cleanup_text_ Text temporary = {};
        int r = 0;

        text_append_printf(&temporary, "%s/tmp", directory);
        if (text_failed(&temporary))
                return -ENOMEM;
        if (mkdir(text_string(&temporary), 0700) < 0 || setenv("TMPDIR", text_string(&temporary), true) < 0)
                return -errno;
        r = io_write_file(source_name, program, strlen(program), 0644);
        for (size_t i = 0; r == 0 && i < ELEMENTSOF(linkers); i++) {
                _cleanup_words_ Words asked = {};

                if (access(linkers[i], X_OK) < 0)
                        continue;
                /* A copy: run_compiler() cuts a compiler's version off in place, and the recipe's key is the
                 * command with it. */
                words_add_strings(&asked, command);
                if (words_error(&asked) < 0)
                        return -ENOMEM;
                r = keep(command, asked.items, directory, linkers[i]);
        }
        return MIN(r, 0);
}

static void remove_directory(const char *directory) {
        (void)run_command(
                (char *[]){ (char *)"rm", (char *)"-rf", (char *)directory, NULL }, NULL, &(int){ 0 });
}

int recipe_make(char **command, const char *source_name) {
        _cleanup_close_ int back = open(".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        char directory[] = "/tmp/pbotvm-recipe-XXXXXX";
        int r;

        if (recipe_is_kept(command))
                return 0;
        if (back < 0 || !mkdtemp(directory))
                return -errno;
        r = chdir(directory) < 0 ? -errno : make_in(directory, command, source_name);
        (void)unsetenv("TMPDIR");
        if (fchdir(back) < 0 && r >= 0)
                r = -errno;
        remove_directory(directory);
        return r;
}
