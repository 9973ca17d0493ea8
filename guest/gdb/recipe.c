/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "gdb/recipe.h"

#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include "common/io.h"
#include "gdb/ahead.h"
#include "gdb/run.h"
#include "gdb/stamps.h"

#define RECIPE_MAX ((size_t)1 << 18)

/* A compiler that did not like the program ends with 1, go's with 2; with more where it is at fault itself.
 */
#define COMPILER_FAILED_MAX 2

/* The file has, each with an empty line behind: the command, stamps of the programs, the steps; a word a
 * line. */
typedef struct Recipe {
        Words steps[RECIPE_STEPS_MAX];
        size_t n_steps;
} Recipe;

static void recipe_done(Recipe *recipe) {
        for (size_t i = 0; i < ELEMENTSOF(recipe->steps); i++)
                words_done(&recipe->steps[i]);
}

int recipe_append(Text *text, char **words) {
        for (char **word = words; *word; word++) {
                if (!**word || strchr(*word, '\n'))
                        return -EINVAL;
                text_append_string(text, *word);
                text_append_char(text, '\n');
        }
        text_append_char(text, '\n');
        return text_error(text);
}

static int append_path(Text *path, const Text *command) {
        text_append_printf(path, "%s/%016" PRIx64 ".steps", ahead_folder(),
                ahead_digest(text_string(command), command->size));
        return text_error(path);
}

/* The command as the file has it, and the file's path. */
static int locate(char **command, Text *words, Text *path) {
        int r = recipe_append(words, command);

        return r < 0 ? r : append_path(path, words);
}

int recipe_save(char **command, const Text *stamps, const Text *steps) {
        _cleanup_text_ Text path = {}, content = {};
        int r = locate(command, &content, &path);

        if (r < 0)
                return r;
        text_append_text(&content, stamps);
        text_append_char(&content, '\n');
        text_append_text(&content, steps);
        if (text_failed(&content))
                return -ENOMEM;
        return io_write_file(text_string(&path), content.data, content.size, 0644);
}

void recipe_forget(char **command) {
        _cleanup_text_ Text path = {}, words = {};

        if (locate(command, &words, &path) >= 0)
                (void)unlink(text_string(&path));
}

char *recipe_next_section(char **p) {
        char *section = *p, *end = strstr(section, "\n\n");

        if (!end)
                return NULL;
        end[1] = '\0';
        *p = end + 2;
        return section;
}

int recipe_split_lines(const char *section, Words *ret) {
        for (const char *p = section, *newline; *p; p = newline + 1) {
                newline = strchr(p, '\n');
                words_add(ret, p, (size_t)(newline - p));
        }
        return words_error(ret);
}

/* 1, 0 if there is none that holds, or a negative errno. */
static int load(char **command, Recipe *ret) {
        _cleanup_text_ Text words = {}, path = {}, content = {};
        char *p, *section;
        int r = locate(command, &words, &path);

        if (r < 0)
                return r == -EINVAL ? 0 : r;
        if (io_read_file(AT_FDCWD, text_string(&path), RECIPE_MAX, &content) < 0 ||
                content.size < words.size || memcmp(content.data, words.data, words.size) != 0)
                return 0;
        p = content.data + words.size;
        section = recipe_next_section(&p);
        if (!section || !stamps_hold(section))
                return 0;
        while (ret->n_steps < RECIPE_STEPS_MAX && r >= 0 && (section = recipe_next_section(&p)))
                r = recipe_split_lines(section, &ret->steps[ret->n_steps++]);
        return r < 0 ? r : ret->n_steps > 0;
}

bool recipe_is_kept(char **command) {
        _cleanup_(recipe_done) Recipe recipe = {};

        return load(command, &recipe) > 0;
}

/* The step's words with the directories in the places of the marks. */
static int expand(const Words *step, const char *directory, const char *temporary, Words *ret) {
        for (size_t i = 0; i < step->n; i++) {
                _cleanup_text_ Text word = {};

                for (const char *p = step->items[i]; *p; p++)
                        if (*p == RECIPE_DIRECTORY[0] || *p == RECIPE_TEMPORARY[0])
                                text_append_string(&word, *p == RECIPE_DIRECTORY[0] ? directory : temporary);
                        else
                                text_append_char(&word, *p);
                if (text_failed(&word))
                        return -ENOMEM;
                words_add_string(ret, text_string(&word));
        }
        return words_error(ret);
}

/* One step. 1: go on, 0: the driver is to do it all, 2: this is the end, as the driver would have had it. */
static int run_step(char **argv, bool first, Text *err, int *ret_status) {
        _cleanup_text_ Text said = {};
        int r = run_command(argv, &said, ret_status);

        if (r < 0 || text_failed(&said))
                return r == -ENOMEM || text_failed(&said) ? -ENOMEM : 0;
        /* Assembler and linker have nothing to say, or it is told by their names for files and in bfd's
         * words. */
        if (!first)
                return *ret_status == 0 && said.size == 0;
        if (strstr(text_string(&said), ahead_folder()))
                return 0;
        text_append_text(err, &said);
        if (*ret_status == 0)
                return 1;
        return WIFEXITED(*ret_status) && WEXITSTATUS(*ret_status) <= COMPILER_FAILED_MAX ? 2 : 0;
}

static int run_steps(
        const Recipe *recipe, const char *temporary, const Words *options, Text *err, int *ret_status) {
        _cleanup_free_ char *directory = getcwd(NULL, 0);
        int r = directory ? 1 : 0;

        for (size_t i = 0; r == 1 && i < recipe->n_steps; i++) {
                _cleanup_words_ Words words = {};

                r = expand(&recipe->steps[i], directory, temporary, &words);
                if (i == 0)
                        words_add_strings(&words, options->items);
                if (r < 0 || words.failed)
                        return -ENOMEM;
                r = run_step(words.items, i == 0, err, ret_status);
        }
        return r;
}

/* Removes the directory of temporary files and what the steps have put there. */
static void temporary_remove(const Recipe *recipe, const char *temporary) {
        for (size_t i = 0; i < recipe->n_steps; i++) {
                _cleanup_words_ Words words = {};

                (void)expand(&recipe->steps[i], "", temporary, &words);
                for (size_t k = 0; k < words.n; k++)
                        if (startswith(words.items[k], temporary))
                                (void)unlink(words.items[k]);
        }
        (void)rmdir(temporary);
}

int recipe_run(char **command, const Words *options, Text *err, int *ret_status) {
        _cleanup_(recipe_done) Recipe recipe = {};
        char temporary[] = "/tmp/pbotvm-XXXXXX";
        int r = load(command, &recipe);

        if (r <= 0)
                return r;
        if (!mkdtemp(temporary))
                return 0;
        r = run_steps(&recipe, temporary, options, err, ret_status);
        temporary_remove(&recipe, temporary);
        if (r == 0)
                text_clear(err);
        return MIN(r, 1);
}
