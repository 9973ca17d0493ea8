/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "snippet/scan.h"
#include "snippet/source-copy.h"
#include "snippet/stages.h"

/* A statement with one of these words prints by itself, is no expression, or must not be one. Of the last
 * row PBot knows only asm, so there __asm__("nop") does not run. */
static const char *const unprinted_words[] = {
        "fgets",
        "memset",
        "printf",
        "puts",
        "while",
        "for",
        "do",
        "if",
        "switch",
        "ptype",
        "dump",
        "print",
        "trace",
        "watch",
        "gdb",
        "asm",
        "assert",
        "main",
        "return",
        "__asm",
        "__asm__",
        "_Static_assert",
        "static_assert",
};

static const char *const debugger_words[] = { "ptype", "dump", "print", "trace", "watch", "gdb" };

static bool word_in(const char *data, Span word, const char *const *list, size_t n) {
        for (size_t i = 0; i < n; i++)
                if (span_equals(data, word, list[i]))
                        return true;
        return false;
}

bool uses_debugger(const Text *functions) {
        Span word;

        for (size_t i = 0; scan_next_word(functions->data, functions->size, &i, &word);)
                if (word_in(functions->data, word, debugger_words, ELEMENTSOF(debugger_words)))
                        return true;
        return false;
}

static bool is_scanf(const char *data, Span word) {
        return word.end - word.begin >= strlen("scanf") && memcmp(data + word.end - 5, "scanf", 5) == 0;
}

static bool is_exec(const char *data, Span word) {
        if (word.end - word.begin <= strlen("exec") || memcmp(data + word.begin, "exec", 4) != 0)
                return false;
        for (size_t i = word.begin + 4; i < word.end; i++)
                if (!memchr("lvpe", data[i], 4))
                        return false;
        return true;
}

/* A word of unprinted_words, or no word at all. */
static bool has_unprinted_word(const char *data, size_t size) {
        bool any = false;
        Span word;

        for (size_t i = 0; scan_next_word(data, size, &i, &word); any = true)
                if (word_in(data, word, unprinted_words, ELEMENTSOF(unprinted_words)) ||
                        is_scanf(data, word) || is_exec(data, word))
                        return true;
        return !any;
}

/* "int a", but not "sizeof a". */
static bool is_declaration(const char *data, size_t size) {
        size_t first = scan_skip_word(data, size, 0);
        size_t second = scan_skip_space(data, size, first);

        if (first == 0 || second == first || scan_word(data, size, second) == 0)
                return false;
        return !(span_equals(data, (Span){ 0, first }, "sizeof") && second == first + 1 &&
                 data[first] == ' ');
}

/* "end:", as it is left of "end: ;". */
static bool is_label(const char *data, size_t size) {
        size_t i = scan_skip_word(data, size, 0);

        if (i == 0)
                return false;
        i = scan_skip_space(data, size, i);
        return scan_at(data, size, i, ":") && scan_skip_space(data, size, i + 1) == size;
}

static bool has_unprintable_sign(const char *data, size_t size) {
        static const char *const signs[] = { "#", "{", "}", "/*", "*/", "//", "?\?" };

        for (size_t i = 0; i < ELEMENTSOF(signs); i++)
                if (scan_contains(data, size, signs[i]))
                        return true;
        return false;
}

/* An = with a word or white space on either side, as in x = 5 and x=5, but not ==, <= or +=. */
static bool is_assignment(const char *data, size_t size) {
        bool before = false; /* the character before is of a word or white space */

        for (size_t i = 0, n; i < size; i += n) {
                if (data[i] == '=' && before &&
                        (scan_word(data, size, i + 1) > 0 || scan_space(data, size, i + 1) > 0))
                        return true;
                n = scan_word(data, size, i);
                if (n == 0)
                        n = scan_space(data, size, i);
                before = n > 0;
                if (n == 0)
                        n = 1;
        }
        return false;
}

/* Whether the statement calls a macro that stands for a statement: #define F(x) do { ... } while (0) */
static bool calls_statement_macro(const char *data, size_t size, const Text *head) {
        static const char *const statements[] = { "do", "if", "for", "while", "switch" };
        size_t n = scan_skip_word(data, size, 0), i = 0;

        while (n > 0 && scan_at(data, size, n, "(") &&
                (i = scan_find(head->data, head->size, i, "#define")) != SIZE_MAX) {
                i = scan_skip_space(head->data, head->size, i + strlen("#define"));
                Span name = { i, scan_skip_word(head->data, head->size, i) };
                if (name.end - name.begin != n || memcmp(head->data + name.begin, data, n) != 0 ||
                        !scan_at(head->data, head->size, name.end, "("))
                        continue;

                i = scan_find(head->data, head->size, name.end, ")");
                if (i == SIZE_MAX)
                        return false;
                i = scan_skip_space(head->data, head->size, i + 1);
                Span word = { i, scan_skip_word(head->data, head->size, i) };
                return scan_at(head->data, head->size, i, "{") ||
                       word_in(head->data, word, statements, ELEMENTSOF(statements));
        }
        return false;
}

static bool is_printable(const char *data, size_t size, const Text *head) {
        return !has_unprinted_word(data, size) && !is_declaration(data, size) &&
               !has_unprintable_sign(data, size) && !is_assignment(data, size) &&
               !calls_statement_macro(data, size, head);
}

static size_t line_begin(const Text *text, size_t i) {
        const char *newline = i > 0 ? memrchr(text->data, '\n', i) : NULL;

        return newline ? (size_t)(newline - text->data) + 1 : 0;
}

/* Where the last statement begins: at the start of the last line, or, if that line goes on inside of
 * parentheses and closes them, of the line in which they opened. */
static int statement_begin(const Text *rest, size_t *ret) {
        _cleanup_source_copy_ SourceCopy copy = {};
        const size_t last = line_begin(rest, rest->size);
        size_t depth = 0, opened = 0;
        int r;

        r = source_copy_make(rest, false, &copy);
        if (r < 0)
                return r;

        *ret = last;
        for (size_t i = 0; i < copy.masked.size; i++) {
                const char c = copy.masked.data[i];

                if (copy.origin[i] >= last && depth == 0)
                        return 0;
                if (c == '(' || c == '[') {
                        if (depth++ == 0)
                                opened = copy.origin[i];
                } else if ((c == ')' || c == ']') && depth > 0 && --depth == 0 && copy.origin[i] >= last) {
                        *ret = line_begin(rest, opened);
                        return 0;
                }
        }
        return 0;
}

/* Whether what begins there is an expression; *ret becomes it, without its ; and white space. */
static bool printable_from(const Text *rest, size_t begin, const Text *head, Text *ret) {
        size_t from = scan_skip_space(rest->data, rest->size, begin);

        text_clear(ret);
        text_append(ret, rest->data + from, rest->size - from);
        if (text_failed(ret))
                return false;
        if (ret->size > 0 && ret->data[ret->size - 1] == ';') {
                text_truncate(ret, ret->size - 1);
                if (is_label(ret->data, ret->size))
                        return false;
        }
        return is_printable(text_string(ret), ret->size, head);
}

/* A last line that alone is no expression, as the ) of a call, leaves the statement as it is, as in PBot. */
int last_statement_print(Text *rest, const Text *head) {
        _cleanup_text_ Text statement = {};
        size_t begin;
        int r;

        if (rest->size == 0)
                return 0;
        if (!printable_from(rest, line_begin(rest, rest->size), head, &statement))
                return text_error(&statement);
        r = statement_begin(rest, &begin);
        if (r < 0)
                return r;
        if (!printable_from(rest, begin, head, &statement))
                return text_error(&statement);

        /* Of the white space before it one newline stays. */
        size_t from = span_trim(rest->data, (Span){ 0, begin }).end;
        text_truncate(rest, from);
        if (begin > 0)
                text_append_char(rest, '\n');
        text_append_string(rest, " print_last_statement(");
        text_append_text(rest, &statement);
        text_append_string(rest, ");");
        return text_error(rest);
}
