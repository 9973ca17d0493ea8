/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "edit/import.h"

#include <fcntl.h>
#include <sys/stat.h>

#include "common/utf8.h"
#include "edit/code-list.h"

/* The lines of the new file, newest first, one behind the other. */
typedef struct Lines {
        Text text;
        size_t *starts;
        size_t n, allocated;
} Lines;

static void lines_done(Lines *lines) {
        text_done(&lines->text);
        free(lines->starts);
}

/* PBot of 2026 encodes what is UTF-8 already. Such text is of characters below U+0100 alone, whose numbers
 * are UTF-8 again; what was encoded once is hardly ever both. Empties *ret if it was. */
static void decode_once(Slice line, Text *ret) {
        uint32_t c;

        text_clear(ret);
        for (size_t i = 0; i < line.size;) {
                i += utf8_unit(line.data + i, line.size - i, &c);
                if (c > 0xFF) {
                        text_clear(ret);
                        return;
                }
                text_append_char(ret, (char)c);
        }
        for (size_t i = 0; i < ret->size;) {
                i += utf8_unit(ret->data + i, ret->size - i, &c);
                if (c == UINT32_MAX)
                        text_clear(ret);
        }
}

static int read_line(Slice line, Text *code) {
        _cleanup_text_ Text decoded = {};

        if (line.size > 0 && line.data[0] == '{')
                decode_once(line, &decoded);
        if (text_failed(&decoded))
                return -ENOMEM;
        return code_line_read(decoded.size > 0 ? (Slice){ decoded.data, decoded.size } : line, code);
}

static int lines_add(Lines *lines, const Text *code) {
        if (lines->n == lines->allocated) {
                size_t allocate = MAX(lines->allocated * 2, (size_t)64);
                size_t *starts = reallocarray(lines->starts, allocate, sizeof(*starts));
                if (!starts)
                        return -ENOMEM;
                lines->starts = starts;
                lines->allocated = allocate;
        }
        lines->starts[lines->n++] = lines->text.size;
        return code_line_append(&lines->text, code);
}

/* As many of the newest as fit, and a quarter of room, as where codes are left out otherwise. */
static int convert(const History *history, const char *data, size_t size, Lines *lines, size_t *older) {
        size_t room = history->max_file - history->max_file / 4;
        const char *end = data + size;

        for (const char *p = data; p < end;) {
                _cleanup_text_ Text code = {};
                const char *newline = memchr(p, '\n', (size_t)(end - p));
                Slice line = { p, (size_t)((newline ?: end) - p) };

                p = newline ? newline + 1 : end;
                int r = read_line(line, &code);
                if (r < 0)
                        return r;
                if (code.size == 0) /* PBot puts one behind the first code that it keeps */
                        continue;
                if (*older == 0) {
                        r = lines_add(lines, &code);
                        if (r < 0)
                                return r;
                        if (lines->text.size <= room)
                                continue;
                        text_truncate(&lines->text, lines->starts[--lines->n]);
                }
                (*older)++;
        }
        return 0;
}

static int reverse(const Lines *lines, Text *ret) {
        size_t end = lines->text.size;

        for (size_t i = lines->n; i > 0; i--) {
                text_append(ret, lines->text.data + lines->starts[i - 1], end - lines->starts[i - 1]);
                end = lines->starts[i - 1];
        }
        return text_error(ret);
}

static int compare(int fd, const Text *content, bool replace, ImportOutcome *ret) {
        struct stat st;

        if (fstat(fd, &st) < 0)
                return -errno;
        if (!S_ISREG(st.st_mode))
                return -EINVAL;
        *ret = st.st_size == 0 || replace ? IMPORT_DONE : IMPORT_TAKEN;
        if ((uint64_t)st.st_size != content->size)
                return 0;

        _cleanup_free_ char *old = malloc(content->size);
        if (!old)
                return -ENOMEM;
        if (pread(fd, old, content->size, 0) == (ssize_t)content->size &&
                memcmp(old, content->data, content->size) == 0)
                *ret = IMPORT_SAME;
        return 0;
}

static int store(History *history, const char *name, const Text *content, bool replace, bool dry,
        struct timespec written, ImportOutcome *ret) {
        _cleanup_close_ int fd = store_open(history, name, !dry, !dry);

        if (fd == -ENOENT && dry) {
                *ret = IMPORT_DONE;
                return 0;
        }
        int r = fd < 0 ? fd : compare(fd, content, replace, ret);
        if (r < 0 || *ret != IMPORT_DONE || dry)
                return r;
        /* Who waits for the lock opens the new one then. */
        r = store_replace(history, name, content);
        if (r < 0)
                return r;
        (void)utimensat(
                history->fd, name, (const struct timespec[]){ written, written }, AT_SYMLINK_NOFOLLOW);
        store_make_room(history, name, 0, content->size);
        return 0;
}

int history_import(History *history, const char *channel, const char *language, const char *data,
        size_t size, bool replace, bool dry, struct timespec written, Import *ret) {
        _cleanup_(lines_done) Lines lines = {};
        _cleanup_text_ Text content = {};
        char name[NAME_MAX + 1];

        *ret = (Import){ .outcome = IMPORT_EMPTY };
        int r = convert(history, data, size, &lines, &ret->older);
        if (r >= 0)
                r = reverse(&lines, &content);
        if (r < 0 || content.size == 0)
                return r;
        ret->codes = lines.n;
        store_name(channel, language, STORE_CODES, name);
        return store(history, name, &content, replace, dry, written, &ret->outcome);
}
