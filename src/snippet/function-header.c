/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Backtracking over all readings of a line would take quadratic time and more. But everything from the type
 * to the last parenthesis lies between two of the characters ; and {, so where the parameters must end
 * depends on this segment alone; and whether a name can begin at an offset is answered by a few tables of
 * "what comes next". So each place for the blank between type and name is looked at once. */

#include "snippet/function-header.h"

enum {
        CLASS_SPACE = 1 << 0,
        CLASS_TYPE = 1 << 1,
        CLASS_NAME = 1 << 2,
};

#define NONE UINT32_MAX

struct HeaderScanner {
        const char *data;
        size_t size;
        bool java;
        uint8_t *class;      /* of each byte */
        uint32_t *space_end; /* the end of the white space that goes on here */
        uint32_t *type_end;  /* the end of the characters of a type that go on here */
        uint32_t *name_end;  /* the same for a name */
        uint32_t *last_open; /* the last ( before the offset, NONE if there is none */
        uint32_t
                *last_close; /* the ) that must end the parameters in this segment, NONE: no function here */
};

HeaderScanner *header_scanner_free(HeaderScanner *scanner) {
        if (scanner) {
                free(scanner->class);
                free(scanner->space_end);
                free(scanner->type_end);
                free(scanner->name_end);
                free(scanner->last_open);
                free(scanner->last_close);
                free(scanner);
        }
        return NULL;
}

static void classify(HeaderScanner *s) {
        for (size_t i = 0, n; i < s->size; i += n) {
                uint8_t class = 0;

                if ((n = scan_word(s->data, s->size, i)) > 0)
                        class = CLASS_TYPE | CLASS_NAME;
                else if ((n = scan_space(s->data, s->size, i)) > 0)
                        class = s->data[i] == ' ' ? CLASS_SPACE | CLASS_TYPE | CLASS_NAME : CLASS_SPACE;
                else {
                        n = 1;
                        if (s->data[i] == '*')
                                class = CLASS_TYPE | CLASS_NAME;
                        else if (memchr("():", s->data[i], 3) || (s->data[i] == '\\' && !s->java))
                                class = CLASS_NAME;
                }
                memset(s->class + i, class, n);
        }
}

static void find_runs(HeaderScanner *s) {
        uint32_t space = s->size, type = s->size, name = s->size, open = NONE;

        s->space_end[s->size] = s->type_end[s->size] = s->name_end[s->size] = s->size;
        for (size_t i = s->size; i-- > 0;) {
                if (!(s->class[i] & CLASS_SPACE))
                        space = i;
                if (!(s->class[i] & CLASS_TYPE))
                        type = i;
                if (!(s->class[i] & CLASS_NAME))
                        name = i;
                s->space_end[i] = space;
                s->type_end[i] = type;
                s->name_end[i] = name;
        }
        for (size_t i = 0; i <= s->size; i++) {
                s->last_open[i] = open;
                if (i < s->size && s->data[i] == '(')
                        open = i;
        }
}

static bool digraph_at(const HeaderScanner *s, size_t i) {
        return scan_at(s->data, s->size, i, "<%") || scan_at(s->data, s->size, i, "?\?<");
}

/* The parameters end before the brace, or the <% or ??<, that ends the segment. A pattern takes the last of
 * these in what lies between two braces, but so it takes the brackets of a statement in the body for those
 * of the body. */
static void find_segments(HeaderScanner *s) {
        size_t begin = 0;
        uint32_t close = NONE;

        for (size_t i = 0; i <= s->size; i++) {
                bool ends = i == s->size || s->data[i] == ';' || s->data[i] == '{';
                if (i < s->size && s->data[i] == ')') {
                        ends = digraph_at(s, s->space_end[i + 1]);
                        if (ends || scan_at(s->data, s->size, s->space_end[i + 1], "{"))
                                close = i;
                }
                if (!ends)
                        continue;
                for (size_t k = begin; k <= i; k++)
                        s->last_close[k] = close;
                begin = i + 1;
                close = NONE;
        }
}

int header_scanner_new(const char *data, size_t size, bool java, HeaderScanner **ret) {
        _cleanup_(header_scanner_freep) HeaderScanner *s = NULL;

        if (size >= NONE)
                return -ENOMEM;
        s = calloc(1, sizeof(*s));
        if (!s)
                return -ENOMEM;

        *s = (HeaderScanner){ .data = data, .size = size, .java = java };
        s->class = calloc(size + 1, sizeof(*s->class));
        s->space_end = calloc(size + 1, sizeof(uint32_t));
        s->type_end = calloc(size + 1, sizeof(uint32_t));
        s->name_end = calloc(size + 1, sizeof(uint32_t));
        s->last_open = calloc(size + 1, sizeof(uint32_t));
        s->last_close = calloc(size + 1, sizeof(uint32_t));
        if (!s->class || !s->space_end || !s->type_end || !s->name_end || !s->last_open || !s->last_close)
                return -ENOMEM;

        classify(s);
        find_runs(s);
        find_segments(s);
        *ret = TAKE_PTR(s);
        return 0;
}

/* Whether a name can begin at i. Its longest form ends where white space and a parenthesis follow its
 * characters, else before the last parenthesis among them. */
static bool name_at(const HeaderScanner *s, size_t i, FunctionHeader *ret) {
        const uint32_t close = s->last_close[i], end = s->name_end[i];
        uint32_t open;

        if (close == NONE || end == i)
                return false;

        open = s->space_end[end];
        if (!(open > end && open < close && s->data[open] == '(')) {
                open = s->last_open[MIN(end, close)];
                if (open == NONE || open <= i)
                        return false;
        }
        ret->name = (Span){ i, MIN(open, end) };
        ret->parameters = (Span){ open + 1, close };
        ret->body = s->space_end[close + 1];
        return true;
}

/* Where in one run of white space no name begins: from an offset to the run's end. */
typedef struct Tried {
        size_t space_end, from;
} Tried;

/* Whether a type can begin at the character at i, which is one of a type: the blank between type and name is
 * looked for from the right. */
static bool type_at(const HeaderScanner *s, size_t i, Tried *tried, FunctionHeader *ret) {
        for (size_t end = s->type_end[i]; end > i; end--) {
                if (end >= s->size || !(s->class[end] & CLASS_SPACE))
                        continue;
                if (s->space_end[end] != tried->space_end)
                        *tried = (Tried){ s->space_end[end], s->space_end[end] + 1 };
                while (tried->from > end + 1) {
                        if (name_at(s, --tried->from, ret)) {
                                ret->type = (Span){ i, end };
                                return true;
                        }
                }
        }
        return false;
}

/* The last blank before end, not before begin; SIZE_MAX if there is none. */
static size_t last_blank(const HeaderScanner *s, size_t begin, size_t end) {
        while (end > begin)
                if (s->data[--end] == ' ')
                        return end;
        return SIZE_MAX;
}

/* The type is only blanks of the white space in [begin, end), and the name follows at its end or begins with
 * its last blank. No function has no type, but what follows is then not searched. */
static bool blank_type(const HeaderScanner *s, size_t begin, size_t end, FunctionHeader *ret) {
        size_t name = end, type;

        if (!name_at(s, name, ret)) {
                name = last_blank(s, begin, end);
                if (name == SIZE_MAX || !name_at(s, name, ret))
                        return false;
        }
        if (name < begin + 2)
                return false;
        type = last_blank(s, begin, name - 1);
        if (type == SIZE_MAX)
                return false;
        ret->type = (Span){ type, type + 1 };
        return true;
}

/* In Java the white space at the start of a line is the type's own. */
static bool java_line(const HeaderScanner *s, size_t line, Tried *tried, FunctionHeader *ret) {
        return s->class[line] & CLASS_TYPE && type_at(s, line, tried, ret);
}

bool header_scanner_find(const HeaderScanner *s, size_t from, FunctionHeader *ret) {
        Tried tried = { SIZE_MAX, 0 };
        size_t last = SIZE_MAX;

        for (size_t line = from; line < s->size;) {
                size_t text = s->space_end[line];

                if (s->java) {
                        if (java_line(s, line, &tried, ret))
                                return true;
                } else if (text < s->size && text != last) {
                        /* Blank lines before it lead to the same text. */
                        last = text;
                        if (s->class[text] & CLASS_TYPE && type_at(s, text, &tried, ret))
                                return true;
                        if (blank_type(s, line, text, ret))
                                return true;
                }

                const char *newline = memchr(s->data + line, '\n', s->size - line);
                if (!newline)
                        return false;
                line = newline - s->data + 1;
        }
        return false;
}
