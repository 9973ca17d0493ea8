/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "language/input.h"

#include <sys/stat.h>

#include "common/hex.h"
#include "common/utf8.h"

#define FORTUNE_WINDOW ((size_t)64 << 10)
#define FORTUNE_SHORT 160 /* as in fortune(6) */
#define FORTUNE_LONG 1000 /* better than none */

/* Looks at what follows a backslash: how many bytes of it are replaced, by which character; or 0. */
typedef size_t (*Escape)(const char *data, size_t size, uint32_t *ret);

static size_t escape_letter(const char *data, size_t size, char letter, uint32_t c, uint32_t *ret) {
        if (size == 0 || *data != letter)
                return 0;
        *ret = c;
        return 1;
}
static size_t escape_newline(const char *data, size_t size, uint32_t *ret) {
        return escape_letter(data, size, 'n', '\n', ret);
}
static size_t escape_return(const char *data, size_t size, uint32_t *ret) {
        return escape_letter(data, size, 'r', '\r', ret);
}
static size_t escape_tab(const char *data, size_t size, uint32_t *ret) {
        return escape_letter(data, size, 't', '\t', ret);
}
static size_t escape_backspace(const char *data, size_t size, uint32_t *ret) {
        return escape_letter(data, size, 'b', '\b', ret);
}

/* UINT32_MAX: no digit of any base. */
static unsigned digit_value(char c) {
        return (unsigned)hex_value(c);
}

/* Reads all digits that follow; numbers that are no character become U+FFFD. */
static size_t read_number(const char *data, size_t size, unsigned base, uint32_t *ret) {
        uint32_t c = 0;
        size_t n;

        for (n = 0; n < size && digit_value(data[n]) < base; n++)
                c = MIN(c * base + digit_value(data[n]), (uint32_t)0x110000);
        *ret = c > 0x10ffff || (c >= 0xd800 && c <= 0xdfff) ? 0xfffd : c;
        return n;
}

static size_t escape_hex(const char *data, size_t size, uint32_t *ret) {
        if (size == 0 || (*data != 'x' && *data != 'X'))
                return 0;
        size_t n = read_number(data + 1, size - 1, 16, ret);
        return n > 0 ? n + 1 : 0;
}

static size_t escape_octal(const char *data, size_t size, uint32_t *ret) {
        return read_number(data, size, 8, ret);
}

static void unescape(Text *input, Escape escape) {
        _cleanup_text_ Text result = {};
        const char *data = input->data;

        for (size_t i = 0; i < input->size; i++) {
                uint32_t c;
                size_t n = 0;
                if (data[i] == '\\' && (i == 0 || data[i - 1] != '\\'))
                        n = escape(data + i + 1, input->size - i - 1, &c);
                if (n > 0)
                        utf8_append(&result, c);
                else
                        text_append_char(&result, data[i]);
                i += n;
        }
        text_move(input, &result);
}

int input_unescape(Text *input) {
        static const Escape escapes[] = {
                escape_newline,
                escape_return,
                escape_tab,
                escape_backspace,
                escape_hex,
                escape_octal,
        };

        for (size_t i = 0;
                i < ELEMENTSOF(escapes) && input->size > 0 && memchr(input->data, '\\', input->size); i++)
                unescape(input, escapes[i]);
        return text_error(input);
}

/* The saying on one line: white space collapsed and trimmed, a colon (it would look like a nick's) made a
 * dash. */
static void append_saying(Text *input, const char *data, size_t size) {
        _cleanup_text_ Text valid = {};
        utf8_append_valid(&valid, data, size);

        size_t begin = input->size;
        bool space = false;
        for (size_t i = 0, n; i < valid.size; i += n) {
                uint32_t c;
                n = utf8_unit(valid.data + i, valid.size - i, &c);
                bool is_space = unicode_is_space(c);
                if (is_space || c == ':') {
                        space = true;
                        if (is_space)
                                continue;
                }
                if (space && input->size > begin)
                        text_append_char(input, ' ');
                if (c == ':')
                        text_append_char(input, '-');
                else
                        text_append(input, valid.data + i, n);
                space = c == ':';
        }
}

/* The next entry from *position on; false at the end. */
static bool next_entry(const char *data, size_t size, size_t *position, const char **ret, size_t *ret_size) {
        while (*position < size) {
                const char *begin = data + *position;
                const char *end = memmem(begin, size - *position, "\n%\n", 3);
                *ret = begin;
                *ret_size = end ? (size_t)(end - begin) : size - *position;
                *position += *ret_size + (end ? 3 : 0);
                if (*ret_size >= 2 && memcmp(begin, "%\n", 2) == 0)
                        *ret += 2, *ret_size -= 2;
                if (*ret_size > 0)
                        return true;
        }
        return false;
}

static const char *memrmem(const char *data, size_t size, const char *string) {
        size_t n = strlen(string);
        for (size_t i = size; i >= n; i--)
                if (memcmp(data + i - n, string, n) == 0)
                        return data + i - n;
        return NULL;
}

/* The window of the file that chance picks; *ret_skip is where its first whole entry begins. */
static int read_window(int fd, uint64_t chance, Text *window, size_t *ret_skip) {
        struct stat st;
        if (fstat(fd, &st) < 0)
                return -errno;

        off_t offset = st.st_size > 0 ? (off_t)(chance % (uint64_t)st.st_size) : 0;
        if (st.st_size <= (off_t)FORTUNE_WINDOW)
                offset = 0;
        else
                offset = MIN(offset, st.st_size - (off_t)FORTUNE_WINDOW);

        char *p = text_reserve(window, FORTUNE_WINDOW);
        if (!p)
                return -ENOMEM;
        ssize_t n = pread(fd, p, FORTUNE_WINDOW, offset);
        if (n < 0)
                return -errno;
        window->size += (size_t)n;

        const char *last = offset + n < st.st_size ? memrmem(window->data, window->size, "\n%\n") : NULL;
        if (last)
                text_truncate(window, (size_t)(last - window->data));
        const char *first = offset > 0 ? memmem(window->data, window->size, "\n%\n", 3) : NULL;
        *ret_skip = first ? (size_t)(first - window->data) + 3 : 0;
        return 0;
}

int fortune_read(int fd, uint64_t chance, Text *input) {
        _cleanup_text_ Text window = {};
        size_t skip = 0;
        int r = read_window(fd, chance, &window, &skip);
        if (r < 0)
                return r;

        const char *entry;
        size_t size, n = 0, limit = FORTUNE_SHORT;
        while (n == 0 && limit <= FORTUNE_LONG) {
                for (size_t position = skip; next_entry(window.data, window.size, &position, &entry, &size);)
                        n += size <= limit;
                if (n == 0)
                        limit = limit < FORTUNE_LONG ? FORTUNE_LONG : SIZE_MAX;
        }

        size_t wanted = n > 0 ? (size_t)(chance / 7 % n) : 0;
        for (size_t position = skip;
                n > 0 && next_entry(window.data, window.size, &position, &entry, &size);)
                if (size <= limit && wanted-- == 0) {
                        append_saying(input, entry, size);
                        return text_error(input);
                }
        return -ENODATA;
}
