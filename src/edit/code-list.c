/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "edit/code-list.h"

#include <sys/stat.h>

#include "common/json.h"
#include "common/log.h"
#include "common/utf8.h"

/* How a line of ours begins; one that is not finished was torn. */
#define LINE_START "{\"code\":"

void code_list_done(CodeList *list) {
        fd_close(list->fd);
        text_done(&list->content);
        free(list->lines);
        *list = CODE_LIST_INIT;
}

static int read_all(int fd, Text *content) {
        struct stat st;

        if (fstat(fd, &st) < 0)
                return -errno;
        if (!S_ISREG(st.st_mode))
                return -EINVAL;
        if (st.st_size > (off_t)HISTORY_READ_MAX)
                return -EFBIG;

        char *p = text_reserve(content, (size_t)st.st_size);
        if (!p)
                return -ENOMEM;
        for (off_t at = 0; at < st.st_size;) {
                ssize_t n = pread(fd, p + at, (size_t)(st.st_size - at), at);
                if (n < 0 && errno != EINTR)
                        return -errno;
                if (n == 0)
                        break;
                at += MAX(n, (ssize_t)0);
                content->size = (size_t)at;
        }
        return 0;
}

/* Empty lines hold no code; NUL bytes are what a crash of the machine may leave of a line. */
static bool is_code(Slice line) {
        return line.size > 0 && !memchr(line.data, '\0', line.size);
}

static bool is_torn(Slice line) {
        return memcmp(line.data, LINE_START, MIN(line.size, strlen(LINE_START))) == 0;
}

static int split(CodeList *list) {
        const char *data = text_string(&list->content), *end = data + list->content.size;
        size_t allocate = 1;

        for (const char *p = data; (p = memchr(p, '\n', (size_t)(end - p))); p++)
                allocate++;
        list->lines = calloc(allocate, sizeof(Slice));
        if (!list->lines)
                return -ENOMEM;

        list->good_size = list->content.size;
        for (const char *p = data; p < end;) {
                const char *newline = memchr(p, '\n', (size_t)(end - p));
                Slice line = { p, (size_t)((newline ? newline : end) - p) };
                if (!newline && (!is_code(line) || is_torn(line))) {
                        list->good_size = (size_t)(p - data);
                        break;
                }
                if (is_code(line))
                        list->lines[list->n++] = line;
                p = newline ? newline + 1 : end;
        }
        return 0;
}

static int load(CodeList *list) {
        int r = read_all(list->fd, &list->content);

        return r < 0 ? r : split(list);
}

/* The list cannot be used: it is as if it were empty, and nothing is kept. */
static int give_up(CodeList *list, int error) {
        if (error == -ENOMEM)
                return error;
        log_warning_errno(error, "Failed to read the history %s: %m", list->name);
        list->fd = fd_close(list->fd);
        list->n = 0;
        list->exists = list->usable = false;
        return 0;
}

int code_list_open(
        const History *history, const char *channel, const char *language, bool exclusive, CodeList *ret) {
        _cleanup_code_list_ CodeList list = CODE_LIST_INIT;

        store_name(channel, language, STORE_CODES, list.name);
        list.usable = history->fd >= 0;
        list.fd = store_open(history, list.name, false, exclusive);
        int r = list.fd;
        if (r >= 0) {
                list.exists = true;
                r = load(&list);
        }
        if (r < 0 && r != -ENOENT) {
                r = give_up(&list, r);
                if (r < 0)
                        return r;
        }
        *ret = list;
        list = CODE_LIST_INIT;
        return 0;
}

int code_line_read(Slice line, Text *ret) {
        _cleanup_json_ Json *json = NULL;
        size_t size;

        text_clear(ret);
        if (line.size > 0 && line.data[0] == '{') {
                int r = json_parse(line.data, line.size, JSON_LIMITS_WIRE, &json, NULL);
                if (r == -ENOMEM)
                        return r;
        }
        const char *code = json_string(json_member(json, "code"), &size);
        if (code)
                text_append(ret, code, size);
        else
                utf8_append_valid(ret, line.data, line.size);
        return text_error(ret);
}

int code_list_get(const CodeList *list, size_t i, Text *ret) {
        text_clear(ret);
        if (i >= list->n)
                return 0;
        int r = code_line_read(list->lines[list->n - 1 - i], ret);
        return r < 0 ? r : 1;
}

int code_line_append(Text *lines, const Text *code) {
        _cleanup_(json_writer_freep) JsonWriter *writer = json_writer_new(false);

        json_open_object(writer);
        json_key(writer, "code");
        json_put_bytes(writer, text_string(code), code->size);
        json_close_object(writer);
        if (json_writer_finish(writer, lines) < 0)
                return -ENOMEM;
        text_append_char(lines, '\n');
        return text_error(lines);
}

/* The file would get too long: its successor has the newest codes, and a quarter of room, so that this is
 * not done at each request. */
static int rewrite(const History *history, const CodeList *list, size_t keep, const Text *lines) {
        size_t room = history->max_file - history->max_file / 4, first = keep;
        _cleanup_text_ Text content = {};

        if (lines->size > room)
                return -EFBIG;
        room -= lines->size;
        while (first > 0 && list->lines[first - 1].size < room)
                room -= list->lines[--first].size + 1;

        for (size_t i = first; i < keep; i++) {
                text_append(&content, list->lines[i].data, list->lines[i].size);
                text_append_char(&content, '\n');
        }
        text_append_text(&content, lines);
        return text_failed(&content) ? -ENOMEM : store_replace(history, list->name, &content);
}

/* Cuts off the dropped and torn ends and appends. */
static int change_in_place(CodeList *list, size_t keep, const Text *lines) {
        size_t end = list->good_size;

        if (keep == 0)
                end = 0;
        else if (keep < list->n)
                end = (size_t)(list->lines[keep].data - list->content.data);
        if (end < list->content.size && ftruncate(list->fd, (off_t)end) < 0)
                return -errno;

        if (end > 0 && list->content.data[end - 1] != '\n') {
                int r = store_append(list->fd, "\n", 1);
                if (r < 0)
                        return r;
        }
        return store_append(list->fd, text_string(lines), lines->size);
}

static int change(const History *history, CodeList *list, size_t keep, const Text *lines) {
        if (list->fd < 0) {
                list->fd = store_open(history, list->name, true, true);
                if (list->fd < 0)
                        return list->fd;
                int r = load(list);
                if (r < 0)
                        return r;
                keep = list->n; /* somebody may have been faster */
        }

        uint64_t old_size = list->content.size;
        int r = old_size + lines->size + 1 > history->max_file ? rewrite(history, list, keep, lines)
                                                               : change_in_place(list, keep, lines);
        if (r >= 0)
                store_make_room(history, list->name, old_size, old_size + lines->size);
        return r;
}

static int report(const char *name, int error) {
        if (error < 0 && error != -ENOMEM) {
                log_warning_errno(error, "Failed to write the history %s: %m", name);
                return 0;
        }
        return error;
}

int code_list_change(
        const History *history, CodeList *list, size_t drop, const Text *const *append, size_t n_append) {
        _cleanup_text_ Text lines = {};

        if (!list->usable || (drop == 0 && n_append == 0))
                return 0;
        for (size_t i = 0; i < n_append; i++) {
                int r = code_line_append(&lines, append[i]);
                if (r < 0)
                        return r;
        }
        return report(list->name, change(history, list, list->n - MIN(drop, list->n), &lines));
}

/* Appends without reading, if the file is whole and has room: 1 if it was done. */
static int push_quickly(const History *history, const CodeList *list, const Text *line) {
        struct stat st;
        char last = '\n';

        if (fstat(list->fd, &st) < 0)
                return -errno;
        if (st.st_size > 0 && pread(list->fd, &last, 1, st.st_size - 1) != 1)
                return -EIO;
        if (last != '\n' || (uint64_t)st.st_size + line->size > history->max_file)
                return 0;

        int r = store_append(list->fd, line->data, line->size);
        if (r < 0)
                return r;
        store_make_room(history, list->name, (uint64_t)st.st_size, (uint64_t)st.st_size + line->size);
        return 1;
}

int code_list_push(const History *history, const char *channel, const char *language, const Text *code) {
        _cleanup_code_list_ CodeList list = CODE_LIST_INIT;
        _cleanup_text_ Text line = {};

        if (history->fd < 0)
                return 0;
        store_name(channel, language, STORE_CODES, list.name);
        int r = code_line_append(&line, code);
        if (r < 0)
                return r;

        list.fd = store_open(history, list.name, true, true);
        if (list.fd < 0)
                return report(list.name, list.fd);
        r = push_quickly(history, &list, &line);
        if (r == 0) {
                r = load(&list);
                if (r >= 0)
                        r = change(history, &list, list.n, &line);
        }
        return report(list.name, MIN(r, 0));
}
