/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "gdb/ahead.h"

#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <sys/stat.h>

#include "common/io.h"
#include "gdb/run.h"
#include "gdb/stamps.h"

#define FOLDER "/var/cache/pbotvm-guest/compilers"
#define FILES_MAX ((size_t)1 << 20)

const char *ahead_folder(void) {
        const char *folder = getenv("PBOTVM_AHEAD");

        return folder ? folder : FOLDER;
}

static bool line_is(const char *line, size_t size, const char *text) {
        return strlen(text) == size && memcmp(line, text, size) == 0;
}

static bool line_begins(const char *line, size_t size, const char *text) {
        return size > strlen(text) && memcmp(line, text, strlen(text)) == 0;
}

/* Adds a line of the head. 1: it was the last one, 0: more is to come, -EINVAL: this is no head. */
static int add_line(const char *line, size_t size, Text *ret) {
        if (line_is(line, size, "#include <prelude.hpp>")) {
                text_append_string(ret, "#include <prelude-library.hpp>\n");
                return 1;
        }
        if ((!line_begins(line, size, "#include <") && !line_begins(line, size, "#define ")) ||
                line[size - 1] == '\\')
                return -EINVAL;
        text_append(ret, line, size);
        text_append_char(ret, '\n');
        return line_is(line, size, "#include <prelude.h>");
}

bool ahead_head(const Text *source, Text *ret) {
        const char *p = text_string(source), *end = p + source->size, *newline;
        bool comment = false, defines = false;
        int r = 0;

        for (; p < end && r == 0; p = newline + 1) {
                size_t size;

                newline = memchr(p, '\n', (size_t)(end - p));
                if (!newline)
                        return false;
                size = (size_t)(newline - p);
                if (comment) {
                        comment = !line_is(p, size, "#endif");
                        continue;
                }
                comment = line_is(p, size, "#if 0") || line_is(p, size, "#ifdef __PBOTVM_OWN_FUNCTIONS");
                if (comment || size == 0 || line_is(p, size, "#define __PBOTVM_NO_NAMESPACE_STD"))
                        continue;
                defines |= line_is(p, size, "#define __USE_XOPEN");
                r = add_line(p, size, ret);
        }
        /* libc gives it a value, and the source would define it anew. */
        if (defines)
                text_append_string(ret, "#undef __USE_XOPEN\n");
        return r == 1;
}

/* Options that change nothing in a header of the system: warnings, what diagnostics look like, libraries.
 * -pedantic is none of them: by it g++ has hexadecimal fractions or not. */
static bool is_indifferent(const char *word) {
        static const char *const diagnostics[] = { "-fcaret-diagnostics", "-fno-caret-diagnostics",
                "-fdiagnostics-show-caret", "-fno-diagnostics-show-caret", "-w" };

        for (size_t i = 0; i < ELEMENTSOF(diagnostics); i++)
                if (streq(word, diagnostics[i]))
                        return true;
        return startswith(word, "-l") ||
               (startswith(word, "-W") && !strchr(word, ',') && !streq(word, "-Wpedantic"));
}

/* The words of the command that matter, the compiler first. */
static int relevant_words(char **command, const char *source_name, Words *ret) {
        for (char **word = command; *word; word++) {
                if (streq(*word, "-o") && word[1]) {
                        word++;
                        continue;
                }
                if (word == command || !(streq(*word, source_name) || is_indifferent(*word)))
                        words_add_string(ret, *word);
        }
        return words_error(ret);
}

/* A standard's name from before it was one; for the compiler it is the same. */
static const char *final_name(const char *word) {
        static const struct {
                const char *early, *final;
        } names[] = {
                { "++0x", "++11" },
                { "++1y", "++14" },
                { "++1z", "++17" },
                { "++2a", "++20" },
                { "++2b", "++23" },
                { "1x", "11" },
                { "18", "17" },
                { "2x", "23" },
        };
        size_t size = strlen(word);

        for (size_t i = 0; startswith(word, "-std=") && i < ELEMENTSOF(names); i++) {
                size_t n = strlen(names[i].early);

                if (streq(word + size - n, names[i].early))
                        return names[i].final;
        }
        return NULL;
}

uint64_t ahead_digest(const char *data, size_t size) {
        uint64_t hash = 0xcbf29ce484222325;

        for (size_t i = 0; i < size; i++)
                hash = (hash ^ (unsigned char)data[i]) * 0x100000001b3;
        return hash;
}

/* The header's path. */
static int append_path(const Words *words, const Text *head, Text *ret) {
        _cleanup_text_ Text joined = {};

        for (size_t i = 0; i < words->n; i++) {
                const char *word = words->items[i], *final = final_name(word);

                text_append(&joined, word, strlen(word) - (final ? strlen(final) : 0));
                text_append_string(&joined, final ? final : "");
                text_append_char(&joined, '\n');
        }
        text_append_printf(ret, "%s/%016" PRIx64 "-%016" PRIx64 ".h", ahead_folder(),
                ahead_digest(text_string(&joined), joined.size),
                ahead_digest(text_string(head), head->size));
        return text_failed(&joined) || text_failed(head) ? -ENOMEM : text_error(ret);
}

static bool is_clang(const char *compiler) {
        return strstr(compiler, "clang");
}

/* The path of the header for the command and source. 1, 0 if the source has no head, or a negative errno. */
static int locate(
        char **command, const char *source_name, const Text *source, Words *words, Text *head, Text *path) {
        int r;

        if (!ahead_head(source, head))
                return text_error(head);
        r = relevant_words(command, source_name, words);
        if (r >= 0)
                r = append_path(words, head, path);
        return r < 0 ? r : 1;
}

/* Whether the header is this one, and nothing that went into it has changed. */
static bool is_good(const char *path, const Text *head) {
        _cleanup_text_ Text content = {}, files = {}, name = {};

        text_append_printf(&name, "%s.files", path);
        return io_read_file(AT_FDCWD, text_string(&name), FILES_MAX, &files) == 0 &&
               io_read_file(AT_FDCWD, path, FILES_MAX, &content) == 0 &&
               text_equals(&content, text_string(head)) && stamps_hold(text_string(&files));
}

int ahead_find(char **command, const char *source_name, const Text *source, Words *ret) {
        _cleanup_text_ Text head = {}, path = {};
        _cleanup_words_ Words words = {};
        int r = locate(command, source_name, source, &words, &head, &path);

        if (r <= 0 || !is_good(text_string(&path), &head))
                return MIN(r, 0);
        /* gcc looks for it beside the header. */
        if (is_clang(command[0]))
                text_append_string(&path, ".pch");
        words_add_string(ret, is_clang(command[0]) ? "-include-pch" : "-include");
        words_add_string(ret, text_string(&path));
        return text_failed(&path) ? -ENOMEM : words_error(ret);
}

static int write_text(const char *path, const Text *content) {
        return io_write_file(path, text_string(content), content->size, 0644);
}

/* Appends the stamps of what a file for make names as prerequisites. */
static int stamp_prerequisites(const char *path, Text *files) {
        _cleanup_text_ Text rule = {};
        char *saved = NULL;
        int r = io_read_file(AT_FDCWD, path, FILES_MAX, &rule);

        (void)text_string(&rule);
        for (char *word = r < 0 ? NULL : strtok_r(rule.data, " \\\n", &saved); word && r >= 0;
                word = strtok_r(NULL, " \\\n", &saved))
                if (word[strlen(word) - 1] != ':')
                        r = stamps_append(files, word);
        return r;
}

/* The compiler's own command for the header: what was found to matter, into which file, and where the rule
 * for make goes. */
static int compile_header(const Words *relevant, const char *header, const char *made, const char *rule,
        Text *err, int *ret_status) {
        _cleanup_words_ Words words = {};
        const char *language = strstr(relevant->items[0], "++") ? "c++-header" : "c-header";
        const char *const more[] = { "-w", "-MD", "-MF", rule, "-x", language, header, "-o", made };

        words_add_strings(&words, relevant->items);
        if (is_clang(relevant->items[0]))
                words_add_string(&words, "-fpch-instantiate-templates");
        for (size_t i = 0; i < ELEMENTSOF(more); i++)
                words_add_string(&words, more[i]);
        return words.failed ? -ENOMEM : run_compiler(words.items, err, ret_status);
}

int ahead_make(char **command, const char *source_name, const Text *source) {
        _cleanup_text_ Text head = {}, path = {}, made = {}, rule = {}, list = {}, files = {}, err = {};
        _cleanup_words_ Words words = {};
        int status, r = locate(command, source_name, source, &words, &head, &path);
        const char *header = text_string(&path);

        if (r <= 0 || is_good(header, &head))
                return MIN(r, 0);
        text_append_printf(&made, "%s.%s", header, is_clang(command[0]) ? "pch" : "gch");
        text_append_printf(&rule, "%s.d", header);
        text_append_printf(&list, "%s.files", header);
        if (text_failed(&made) || text_failed(&rule) || text_failed(&list))
                return -ENOMEM;
        (void)unlink(text_string(&list));
        r = write_text(header, &head);
        if (r >= 0)
                r = compile_header(&words, header, text_string(&made), text_string(&rule), &err, &status);
        if (r < 0)
                return r;
        if (status != 0) {
                (void)fprintf(stderr, "%s cannot compile ahead: %.*s\n", command[0],
                        (int)strcspn(text_string(&err), "\n"), text_string(&err));
                (void)unlink(text_string(&made));
        } else {
                r = stamps_append_program(&files, command[0]);
                if (r >= 0)
                        r = stamp_prerequisites(text_string(&rule), &files);
                if (r >= 0)
                        r = write_text(text_string(&list), &files);
        }
        (void)unlink(text_string(&rule));
        return r;
}
