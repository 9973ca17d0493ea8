/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <inttypes.h>
#include <stdio.h>
#include <sys/stat.h>

#include "common/log.h"
#include "common/utf8.h"
#include "edit/store.h"

/* The file: a line with the time (usec since 1970) and the output's size, then the output. A file that was
 * torn does not have that size, and is as good as none. */

#define REPEAT_USEC (240 * USEC_PER_SEC)
#define REPEAT_CHARACTERS 50
#define HEADER_MAX 64

static bool has_more_characters(const char *text, size_t size, size_t n) {
        size_t count = 0;

        while (size > 0 && count <= n) {
                uint32_t c;
                size_t unit = utf8_unit(text, size, &c);
                text += unit;
                size -= unit;
                count++;
        }
        return count > n;
}

/* The size of the header, 0 if there is no good one. */
static size_t read_header(int fd, uint64_t *ret_usec, uint64_t *ret_size) {
        char header[HEADER_MAX + 1];
        int n = 0;

        ssize_t got = pread(fd, header, HEADER_MAX, 0);
        if (got <= 0)
                return 0;
        header[got] = '\0';
        if (sscanf(header, "%" SCNu64 " %" SCNu64 "%n", ret_usec, ret_size, &n) != 2 || header[n] != '\n')
                return 0;
        return (size_t)n + 1;
}

static bool is_repeated(int fd, const char *output, size_t size, uint64_t now_usec) {
        uint64_t then, stored;
        size_t header = read_header(fd, &then, &stored);

        if (header == 0 || stored != size || now_usec < then || now_usec - then > REPEAT_USEC)
                return false;

        _cleanup_free_ char *content = malloc(size + 1);
        return content && pread(fd, content, size, (off_t)header) == (ssize_t)size &&
               memcmp(content, output, size) == 0;
}

static int write_all(int fd, const Text *content) {
        for (size_t done = 0; done < content->size;) {
                ssize_t n = pwrite(fd, content->data + done, content->size - done, (off_t)done);
                if (n < 0 && errno == EINTR)
                        continue;
                if (n <= 0)
                        return n < 0 ? -errno : -EIO;
                done += (size_t)n;
        }
        return ftruncate(fd, (off_t)content->size) < 0 ? -errno : 0;
}

static int store(const History *history, const char *name, int fd, const char *output, size_t size,
        uint64_t now_usec) {
        _cleanup_text_ Text content = {};
        struct stat st;

        if (fstat(fd, &st) < 0)
                return -errno;
        text_append_printf(&content, "%" PRIu64 " %zu\n", now_usec, size);
        text_append(&content, output, size);
        if (text_failed(&content))
                return -ENOMEM;
        if (content.size > history->max_file)
                text_clear(&content);

        int r = write_all(fd, &content);
        if (r < 0) {
                (void)ftruncate(fd, 0);
                return r;
        }
        if (content.size > (size_t)st.st_size)
                store_make_room(history, name, (uint64_t)st.st_size, content.size);
        return 0;
}

int history_output(History *history, const char *channel, const char *language, const char *output,
        size_t size, bool no_repeat, uint64_t now_usec) {
        char name[NAME_MAX + 1];

        if (history->fd < 0)
                return 0;
        store_name(channel, language, STORE_OUTPUT, name);
        _cleanup_close_ int fd = store_open(history, name, true, true);
        int r = fd;
        if (r >= 0) {
                if (no_repeat && channel[0] == '#' && has_more_characters(output, size, REPEAT_CHARACTERS) &&
                        is_repeated(fd, output, size, now_usec))
                        return 1;
                r = store(history, name, fd, output, size, now_usec);
        }
        if (r < 0)
                log_warning_errno(r, "Failed to write the last output %s: %m", name);
        return 0;
}
