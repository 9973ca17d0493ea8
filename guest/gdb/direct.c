/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "gdb/direct.h"

#include <fcntl.h>

#include "common/io.h"
#include "gdb/recipe.h"
#include "gdb/run.h"
#include "gdb/stamps.h"

#define FILE_MAX ((size_t)1 << 18)

/* Whether the words of a compiler that failed are those of the whole command. Go's begin with a line of its
 * own, and ghc's with an empty one; but where ghc does all, it knows of modules beside the source, and says
 * more of another's program that failed. */
static bool are_all_words(const Text *err) {
        static const char *const others[] = { "Could not find module", "interface", "failed in phase" };

        for (size_t i = 0; i < ELEMENTSOF(others); i++)
                if (strstr(text_string(err), others[i]))
                        return false;
        return startswith(text_string(err), "\n") || startswith(text_string(err), "# ");
}

int direct_run(char **command) {
        _cleanup_text_ Text err = {};
        int status, r = recipe_run(command, &(Words){}, &err, &status);

        if (r > 0 && (status == 0 || are_all_words(&err))) {
                (void)io_write(STDERR_FILENO, text_string(&err), err.size, USEC_INFINITY);
                return exit_status(status);
        }
        (void)execvp(command[0], command);
        return -errno;
}

static int split_section(char **p, Words *ret) {
        char *section = recipe_next_section(p);

        return section ? recipe_split_lines(section, ret) : -EBADMSG;
}

/* The command, and the content of its recipe. */
static int parse(char *content, Words *command, Text *stamps, Text *steps) {
        _cleanup_words_ Words paths = {};
        char *p = content, *section;
        int r = split_section(&p, command);

        if (r >= 0)
                r = split_section(&p, &paths);
        for (size_t i = 0; r >= 0 && i < paths.n; i++)
                r = stamps_append_program(stamps, paths.items[i]);
        while (r >= 0 && (section = recipe_next_section(&p)))
                text_append_printf(steps, "%s\n", section);
        if (r >= 0 && (command->n == 0 || steps->size == 0))
                return -EBADMSG;
        return r < 0 ? r : text_error(steps);
}

/* Whether there is the program now that the command names. */
static bool made_program(const Words *command) {
        for (size_t i = 0; i + 1 < command->n; i++)
                if (streq(command->items[i], "-o"))
                        return access(command->items[i + 1], X_OK) == 0;
        return false;
}

int direct_keep(const char *path) {
        _cleanup_text_ Text content = {}, stamps = {}, steps = {}, err = {};
        _cleanup_words_ Words command = {};
        int status, r = io_read_file(AT_FDCWD, path, FILE_MAX, &content);

        if (r < 0)
                return r;
        (void)text_string(&content);
        r = parse(content.data, &command, &stamps, &steps);
        if (r >= 0)
                r = recipe_save(command.items, &stamps, &steps);
        if (r >= 0)
                r = recipe_run(command.items, &(Words){}, &err, &status);
        if (r > 0 && status == 0 && err.size == 0 && made_program(&command))
                return 0;
        if (command.n > 0)
                recipe_forget(command.items);
        return r < 0 ? r : -ENOTSUP;
}
