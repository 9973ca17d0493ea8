/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "edit/regex-error.h"

#define PCRE2_CODE_UNIT_WIDTH 8
#include <pcre2.h>

#include <ctype.h>

#include "common/utf8.h"

/* PCRE2 names the error and the place where it gave up; Perl's messages quote a part of the pattern and mark
 * the place where the mistake is, which for brackets is where they were opened. So each row below says how
 * to find the quoted part and the mark from the pattern and PCRE2's offset. */

typedef struct Finding {
        size_t mark;      /* what is before it is at fault */
        Slice quoted;     /* the %s of the row's text */
        const char *text; /* another text than the row's; NULL: the row's */
} Finding;

typedef Finding (*Finder)(Slice pattern, size_t offset);

typedef struct Row {
        int error;
        const char *text; /* at most one %s */
        Finder find;      /* NULL: no place is marked */
        /* PCRE2 10.49 marks some mistakes behind what 10.42 marks: the shortest one of the kind, and where
         * the finder expects its mark. NULL: all versions agree. */
        const char *example;
        size_t at;
} Row;

static Slice part(Slice pattern, size_t start, size_t end) {
        return (Slice){ pattern.data + start, end > start ? end - start : 0 };
}

static Finding find_offset(Slice pattern _unused_, size_t offset) {
        return (Finding){ .mark = offset };
}

static Finding find_behind(Slice pattern, size_t offset) {
        return (Finding){ .mark = MIN(offset + 1, pattern.size) };
}

/* The end of the character class that opens at i; the pattern's size if it is not closed. */
static size_t class_end(Slice pattern, size_t i) {
        size_t first = i + 1;
        bool may_end = true; /* not looked for again and again if there is no end of a name */

        if (first < pattern.size && pattern.data[first] == '^')
                first++;
        for (i = first; i < pattern.size; i++) {
                if (pattern.data[i] == ']' && i > first)
                        return i;
                if (pattern.data[i] == '\\')
                        i++;
                else if (pattern.data[i] == '[' && may_end && i + 1 < pattern.size &&
                         pattern.data[i + 1] == ':') {
                        const char *end =
                                memmem(pattern.data + i + 2, pattern.size - i - 2, ":]", strlen(":]"));
                        may_end = end;
                        if (end)
                                i = (size_t)(end - pattern.data) + 1;
                }
        }
        return pattern.size;
}

static Finding find_open_class(Slice pattern, size_t offset _unused_) {
        for (size_t i = 0; i < pattern.size; i++) {
                if (pattern.data[i] == '\\')
                        i++;
                else if (pattern.data[i] == '[') {
                        size_t end = class_end(pattern, i);
                        if (end >= pattern.size)
                                return (Finding){ .mark = i + 1 };
                        i = end;
                }
        }
        return (Finding){ .mark = pattern.size, .text = "Trailing \\" };
}

/* The last parenthesis that is still open at the end: how many are closed behind it is counted from the
 * right, which needs the ones inside classes and behind backslashes taken out first. */
static size_t last_open_parenthesis(Slice pattern) {
        size_t best = 0;
        long depth = 0, deepest = 0;

        for (int pass = 0; pass < 2; pass++) {
                depth = 0;
                for (size_t i = 0; i < pattern.size; i++) {
                        if (pattern.data[i] == '\\')
                                i++;
                        else if (pattern.data[i] == '[')
                                i = class_end(pattern, i);
                        else if (pattern.data[i] == ')')
                                depth--;
                        else if (pattern.data[i] == '(' && ++depth == deepest && pass == 1)
                                best = i;
                }
                deepest = depth;
        }
        return best;
}

/* An open "(?..." is told differently when the pattern ends in the middle of it. */
static Finding find_open_group(Slice pattern, size_t offset _unused_) {
        static const struct {
                const char *rest, *text;
        } unfinished[] = {
                { "?", "Sequence (? incomplete" },
                { "?=", "Sequence (?=... not terminated" },
                { "?!", "Sequence (?!... not terminated" },
                { "?<=", "Sequence (?<=... not terminated" },
                { "?<!", "Sequence (?<!... not terminated" },
                { "?P", "Sequence (?P...) not recognized" },
        };
        size_t open = last_open_parenthesis(pattern);
        Slice rest = part(pattern, open + 1, pattern.size);

        for (size_t i = 0; i < ELEMENTSOF(unfinished); i++)
                if (strlen(unfinished[i].rest) == rest.size &&
                        memcmp(unfinished[i].rest, rest.data, rest.size) == 0)
                        return (Finding){ .mark = pattern.size, .text = unfinished[i].text };

        size_t flags = 1;
        while (flags < rest.size && (isalpha((uint8_t)rest.data[flags]) || strchr("^-", rest.data[flags])))
                flags++;
        if (rest.size > 1 && rest.data[0] == '?' && flags == rest.size)
                return (Finding){ .mark = pattern.size, .text = "Sequence (?... not terminated" };
        if (rest.size > 1 && rest.data[0] == '?' && rest.data[1] == '(')
                return (Finding){ .mark = pattern.size, .text = "Switch (?(condition)... not terminated" };
        return (Finding){ .mark = open + 1 };
}

static bool is_escaped(Slice pattern, size_t i) {
        size_t backslashes = 0;

        while (i > backslashes && pattern.data[i - backslashes - 1] == '\\')
                backslashes++;
        return backslashes % 2 == 1;
}

static Finding find_quantifier(Slice pattern, size_t offset) {
        size_t start = offset;

        if (start > 0 && start < pattern.size && pattern.data[start] == '*' &&
                pattern.data[start - 1] == '(')
                return (Finding){ .mark = start + 1, .text = "Unterminated '(*...' construct" };
        if (start < pattern.size && pattern.data[start] == '}') /* Perl marks where the braces open */
                while (start > 0 && pattern.data[start] != '{')
                        start--;

        bool nested =
                start > 0 && strchr("*+?}", pattern.data[start - 1]) && !is_escaped(pattern, start - 1);
        return (Finding){ .mark = MIN(start + 1, pattern.size),
                .text = nested ? "Nested quantifiers" : NULL };
}

/* One character to the left of end, with the backslash that escapes it. */
static size_t character_before(Slice pattern, size_t end) {
        size_t i = end;

        while (i > 0 && ((uint8_t)pattern.data[--i] & 0xC0) == 0x80)
                ;
        return i > 0 && is_escaped(pattern, i) ? i - 1 : i;
}

static Finding find_range(Slice pattern, size_t offset) {
        size_t end = MIN(offset + 1, pattern.size);

        while (end < pattern.size && ((uint8_t)pattern.data[end] & 0xC0) == 0x80)
                end++;

        size_t start = character_before(pattern, end);
        if (start > 0 && pattern.data[start - 1] == '-')
                start = character_before(pattern, start - 1);
        return (Finding){ .mark = end, .quoted = part(pattern, start, end) };
}

static size_t search_back(Slice pattern, size_t from, const char *string) {
        size_t n = strlen(string);

        for (size_t i = MIN(from, pattern.size) + 1; i-- > 0;)
                if (i + n <= pattern.size && memcmp(pattern.data + i, string, n) == 0)
                        return i;
        return 0;
}

static Finding find_sequence(Slice pattern, size_t offset) {
        /* What stands at the place itself may be the start of the next. */
        size_t start = search_back(pattern, MAX(offset, (size_t)1) - 1, "(?"),
               mark = MIN(offset + 1, pattern.size);
        Slice sequence = part(pattern, start, mark);

        if (mark > start + 2 && strchr("{?", pattern.data[start + 2]))
                return (Finding){ .mark = SIZE_MAX, .text = "Eval-group not allowed" };
        return (Finding){ .mark = mark, .quoted = sequence };
}

static Finding find_reference(Slice pattern, size_t offset) {
        size_t end = offset;

        if (end < pattern.size && byte_is_word(pattern.data[end]) && !isdigit((uint8_t)pattern.data[end])) {
                while (end < pattern.size && byte_is_word(pattern.data[end]))
                        end++;
                return (Finding){ .mark = end, .text = "Reference to nonexistent named group" };
        }
        while (end < pattern.size && isdigit((uint8_t)pattern.data[end]))
                end++;
        if (end < pattern.size && strchr(")}>'", pattern.data[end]))
                end++;
        return (Finding){ .mark = end };
}

/* [. .] and [= =] inside of a class. */
static Finding find_collating(Slice pattern, size_t offset) {
        /* At its beginning, or, since PCRE2 10.46, at what closes it or the class: "=]]". */
        if (offset < pattern.size && pattern.data[offset] == ']') {
                size_t end = offset - (offset > 0 && pattern.data[offset - 1] == ']');
                const char open[] = { '[', end > 0 ? pattern.data[end - 1] : '.', '\0' };

                offset = search_back(pattern, end, open);
        }
        char sign = offset + 1 < pattern.size ? pattern.data[offset + 1] : '.';

        for (size_t i = offset + 2; i + 1 < pattern.size; i++)
                if (pattern.data[i] == sign && pattern.data[i + 1] == ']')
                        return (Finding){ .mark = i + 2, .quoted = { sign == '=' ? "= =" : ". .", 3 } };
        return (Finding){ .mark = offset, .quoted = { ". .", 3 } };
}

static Finding find_posix_class(Slice pattern, size_t offset) {
        size_t start = search_back(pattern, offset, "[:");
        const char *close = memmem(pattern.data + start, pattern.size - start, ":]", strlen(":]"));
        size_t end = close ? (size_t)(close - pattern.data) + 2 : pattern.size;

        return (Finding){ .mark = end, .quoted = part(pattern, start, end) };
}

static Finding find_property(Slice pattern, size_t offset) {
        size_t end = MIN(offset, pattern.size), start = end;

        while (start > 0 && pattern.data[start - 1] != '\\')
                start--;
        start++;
        while (start < end && strchr("{^ ", pattern.data[start]))
                start++;
        if (start + 1 == end && pattern.data[start] == '}')
                return (Finding){ .mark = start, .text = "Empty \\p{}" };
        return (Finding){ .mark = end,
                .quoted =
                        part(pattern, start, end > start && pattern.data[end - 1] == '}' ? end - 1 : end) };
}

static Finding find_name(Slice pattern, size_t offset) {
        size_t start = search_back(pattern, offset, "(?");

        if (offset < pattern.size)
                return find_behind(pattern, offset);
        if (start == 0 && pattern.data[0] != '(') /* \g{ or \k< */
                start = pattern.size > 3 ? pattern.size - 3 : 0;
        return (Finding){ .mark = pattern.size,
                .quoted = part(pattern, start, MIN(start + 3, pattern.size)),
                .text = "Sequence %s... not terminated" };
}

static Finding find_unfinished(Slice pattern, size_t offset) {
        size_t start = search_back(pattern, offset, "(?");

        return (Finding){ .mark = pattern.size,
                .quoted = part(pattern, start, MIN(start + 3, pattern.size)) };
}

/* "(?P" and what cannot follow it. */
static Finding find_python(Slice pattern, size_t offset) {
        size_t start = search_back(pattern, offset, "(?P"), mark = MIN(start + 4, pattern.size);

        return (Finding){ .mark = mark, .quoted = part(pattern, start, mark) };
}

static Finding find_malformed_property(Slice pattern, size_t offset) {
        size_t start = MIN(offset, pattern.size);

        while (start > 0 && pattern.data[start - 1] != '\\')
                start--;
        if (start + 1 >= pattern.size || pattern.data[start + 1] != '{')
                return (Finding){ .mark = offset };
        return (Finding){ .mark = start + 2,
                .quoted = part(pattern, start, start + 1),
                .text = "Missing right brace on \\%s{}" };
}

static Finding find_verb(Slice pattern, size_t offset) {
        size_t start = search_back(pattern, offset, "(*") + 2, end = MIN(offset, pattern.size);

        return (Finding){ .mark = MIN(offset + 1, pattern.size), .quoted = part(pattern, start, end) };
}

static const Row rows[] = {
        { PCRE2_ERROR_END_BACKSLASH, "Unmatched [", find_open_class },
        { PCRE2_ERROR_END_BACKSLASH_C, "Character following \"\\c\" must be printable ASCII", find_offset },
        { PCRE2_ERROR_QUANTIFIER_TOO_BIG, "Quantifier in {,} bigger than 65534", find_offset },
        { PCRE2_ERROR_MISSING_SQUARE_BRACKET, "Unmatched [", find_open_class },
        { PCRE2_ERROR_CLASS_RANGE_ORDER, "Invalid [] range \"%s\"", find_range, "[b-a]", 3 },
        { PCRE2_ERROR_QUANTIFIER_INVALID, "Quantifier follows nothing", find_quantifier, "*", 0 },
        { PCRE2_ERROR_INVALID_AFTER_PARENS_QUERY, "Sequence %s...) not recognized", find_sequence, "(?z)",
                2 },
        { PCRE2_ERROR_UNRECOGNIZED_AFTER_QUERY_P, "Sequence %s...) not recognized", find_python },
        { PCRE2_ERROR_POSIX_NO_SUPPORT_COLLATING, "POSIX syntax [%s] is reserved for future extensions",
                find_collating },
        { PCRE2_ERROR_MISSING_CLOSING_PARENTHESIS, "Unmatched (", find_open_group },
        { PCRE2_ERROR_BAD_SUBPATTERN_REFERENCE, "Reference to nonexistent group", find_reference },
        { PCRE2_ERROR_MISSING_COMMENT_CLOSING, "Sequence (?#... not terminated", NULL },
        { PCRE2_ERROR_UNMATCHED_CLOSING_PARENTHESIS, "Unmatched )", find_behind, ")", 0 },
        { PCRE2_ERROR_LOOKBEHIND_NOT_FIXED_LENGTH, "Lookbehind longer than 255 not implemented", NULL },
        { PCRE2_ERROR_TOO_MANY_CONDITION_BRANCHES, "Switch (?(condition)... contains too many branches",
                find_offset },
        { PCRE2_ERROR_UNKNOWN_POSIX_CLASS, "POSIX class %s unknown", find_posix_class },
        { PCRE2_ERROR_MISSING_NAME_TERMINATOR, "Sequence %s... not terminated", find_unfinished },
        { PCRE2_ERROR_INVALID_SUBPATTERN_NAME, "Group name must start with a non-digit word character",
                find_behind },
        { PCRE2_ERROR_MALFORMED_UNICODE_PROPERTY, "Empty \\p", find_malformed_property },
        { PCRE2_ERROR_UNKNOWN_UNICODE_PROPERTY, "Can't find Unicode property definition \"%s\"",
                find_property },
        { PCRE2_ERROR_CLASS_INVALID_RANGE, "False [] range", find_behind },
        { PCRE2_ERROR_BACKSLASH_O_MISSING_BRACE, "Missing braces on \\o{}", find_behind },
        { PCRE2_ERROR_BACKSLASH_G_SYNTAX, "Unterminated \\g... pattern", find_offset },
        { PCRE2_ERROR_PARENS_QUERY_R_MISSING_CLOSING, "Sequence (?R) not terminated", NULL },
        { PCRE2_ERROR_VERB_UNKNOWN, "Unknown verb pattern '%s'", find_verb },
        { PCRE2_ERROR_SUBPATTERN_NAME_EXPECTED, "Group name must start with a non-digit word character",
                find_name },
        { PCRE2_ERROR_BACKSLASH_K_SYNTAX, "Sequence \\k... not terminated", find_offset },
        { PCRE2_ERROR_MISSING_OCTAL_OR_HEX_DIGITS, "Missing right brace on \\x{}", find_offset },
        { PCRE2_ERROR_BACKSLASH_C_CALLER_DISABLED, "\\C no longer supported", find_offset },
        { PCRE2_ERROR_ALPHA_ASSERTION_UNKNOWN, "Unknown '(*...)' construct '%s'", find_verb },
};

static void append_formatted(Text *text, const char *format, Slice quoted) {
        const char *place = strstr(format, "%s");

        text_append(text, format, place ? (size_t)(place - format) : strlen(format));
        if (place) {
                text_append(text, quoted.data, quoted.size);
                text_append_string(text, place + 2);
        }
}

/* An error without a row: PCRE2's own words. */
static void append_other(Text *text, int error) {
        char message[256];

        if (pcre2_get_error_message(error, (PCRE2_UCHAR *)message, sizeof(message)) < 0)
                (void)strcpy(message, "invalid pattern");
        message[0] = (char)toupper((uint8_t)message[0]);
        text_append_string(text, message);
}

static void append_pattern(Text *text, Slice pattern, size_t mark) {
        mark = MIN(mark, pattern.size);
        text_append_string(text, " in regex; marked by <-- HERE in m/");
        text_append(text, pattern.data, mark);
        text_append_string(text, " <-- HERE ");
        text_append(text, pattern.data + mark, pattern.size - mark);
        text_append_char(text, '/');
}

/* How much farther this version of PCRE2 marks the row's mistakes than the finder expects. */
static size_t row_shift(const Row *row) {
        PCRE2_SIZE offset = row->at;
        int error;

        if (row->example)
                pcre2_code_free(pcre2_compile(
                        (PCRE2_SPTR)row->example, PCRE2_ZERO_TERMINATED, 0, &error, &offset, NULL));
        return offset - MIN(offset, row->at);
}

void regex_error_append(Text *text, int error, Slice pattern, size_t offset) {
        const Row *row = NULL;

        for (size_t i = 0; i < ELEMENTSOF(rows) && !row; i++)
                if (rows[i].error == error)
                        row = &rows[i];
        if (!row) {
                append_other(text, error);
                append_pattern(text, pattern, offset);
                return;
        }
        if (!row->find) {
                text_append_printf(text, "%s in regex m/", row->text);
                text_append(text, pattern.data, pattern.size);
                text_append_char(text, '/');
                return;
        }

        Finding finding = row->find(pattern, offset - MIN(offset, row_shift(row)));
        append_formatted(text, finding.text ? finding.text : row->text, finding.quoted);
        if (finding.mark != SIZE_MAX)
                append_pattern(text, pattern, finding.mark);
}
