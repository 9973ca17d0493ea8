/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "gdb/ahead-list.h"

#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>

#include "common/io.h"
#include "gdb/ahead.h"
#include "gdb/recipe.h"
#include "plan/plan.h"

#define LIST_MAX ((size_t)1 << 20)

/* The fields of an entry's first line. */
typedef struct Entry {
        char lang[32], source[64], executable[64];
        const char *command; /* up to the end of the line */
} Entry;

static int parse_entry(char *line, Entry *ret) {
        int n = 0;

        if (sscanf(line, "= %31s %63s %63s %n", ret->lang, ret->source, ret->executable, &n) != 3 || n == 0)
                return -EBADMSG;
        ret->command = line + n;
        return 0;
}

/* The compiler's command in a plan, behind our own driver's options. */
static char **find_command(char **argv) {
        for (char **word = argv; *word; word++)
                if (streq(*word, "--"))
                        return word + 1;
        return argv;
}

/* What the agent itself would run for such a request. */
static int make_entry(const Entry *entry, const char *code, size_t size) {
        _cleanup_(plan_freep) Plan *plan = NULL;
        _cleanup_request_ Request request = REQUEST_INIT;
        _cleanup_text_ Text error = {};
        char **command;
        int r;

        request.lang = strdup(entry->lang);
        request.sourcefile = strdup(entry->source);
        request.execfile = strdup(entry->executable);
        request.cmdline = strdup(entry->command);
        text_append(&request.code, code, size);
        if (!request.lang || !request.sourcefile || !request.execfile || !request.cmdline ||
                text_failed(&request.code))
                return -ENOMEM;
        r = plan_make(&request, &plan, &error);
        if (r < 0)
                return r;
        command = find_command(plan->steps[0].argv);
        r = recipe_make(command, entry->source);
        if (r >= 0)
                r = ahead_make(command, entry->source, &plan->source);
        return r == -ENOENT ? 0 : r;
}

int ahead_make_list(const char *path) {
        _cleanup_text_ Text list = {};
        char *next;
        int r = io_read_file(AT_FDCWD, path, LIST_MAX, &list);

        if (r < 0)
                return r;
        if (mkdir(ahead_folder(), 0755) < 0 && errno != EEXIST)
                return -errno;
        if (!startswith(text_string(&list), "= "))
                return -EBADMSG;
        for (char *p = list.data; *p && r >= 0; p = next) {
                char *newline = strchr(p, '\n'), *end = newline ? strstr(newline, "\n= ") : NULL;
                Entry entry;

                if (!newline)
                        return -EBADMSG;
                *newline = '\0';
                next = end ? end + 1 : newline + 1 + strlen(newline + 1);
                r = parse_entry(p, &entry);
                if (r >= 0)
                        r = make_entry(&entry, newline + 1, (size_t)(next - newline - 1));
        }
        return r;
}
