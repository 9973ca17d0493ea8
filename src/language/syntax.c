/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "language/syntax.h"

#include "common/utf8.h"

/* Such searches, each of which may look at all of the text. Nobody means more. */
#define MISSES_MAX 32
#define FILL_MAX 16
#define TAG_MAX 64
/* Between the quotes of a character: '\x10ffff', '\DEL'. */
#define CHARACTER_MAX 12

static bool is_one_of(char c, const char *set) {
        return c && strchr(set, c);
}

static bool is_blank(char c) {
        return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

SyntaxScan syntax_scan(const Syntax *syntax, const char *data, size_t size, bool open_ended) {
        size_t end = size;

        while (end > 0 && is_blank(data[end - 1]))
                end--;
        return (SyntaxScan){
                .syntax = syntax,
                .data = data,
                .size = size,
                .typed = !memchr(data, '\n', end),
                .open_ended = open_ended,
        };
}

/* How many bytes of a newline stand at i. */
static size_t newline_size(const SyntaxScan *scan, size_t i) {
        if (scan->data[i] == '\n')
                return 1;
        return scan->typed && scan->data[i] == '\\' && i + 1 < scan->size && scan->data[i + 1] == 'n' ? 2
                                                                                                      : 0;
}

static size_t line_end(const SyntaxScan *scan, size_t i) {
        while (i < scan->size && newline_size(scan, i) == 0)
                i++;
        return i;
}

static bool stands_at(const SyntaxScan *scan, size_t i, const char *text, size_t size) {
        return size <= scan->size - i && memcmp(scan->data + i, text, size) == 0;
}

/* A digit and what may follow it up to i: 0xff'ff, 1.5e3'0. */
static bool in_number(const SyntaxScan *scan, size_t i) {
        size_t start = i;

        while (start > 0 && i - start < TAG_MAX &&
                (byte_is_word(scan->data[start - 1]) || is_one_of(scan->data[start - 1], "'.")))
                start--;
        return start < i && scan->data[start] >= '0' && scan->data[start] <= '9';
}

static bool place_fits(const SyntaxScan *scan, const SyntaxRule *rule) {
        size_t i = scan->at;
        bool first = i == scan->line_start;
        char before = first ? '\n' : scan->data[i - 1];

        if (rule->after && scan->last && !is_one_of(scan->last, rule->after))
                return false;
        switch (rule->place) {
        case SYNTAX_AT_LINE:
                return first;
        case SYNTAX_AT_WORD:
                return !byte_is_word(before) && !is_one_of(before, "$@%&");
        case SYNTAX_AT_BLANK:
                return is_blank(before) || is_one_of(before, ";&|()");
        case SYNTAX_OUTSIDE_NUMBER:
                return !in_number(scan, i);
        default:
                return true;
        }
}

/* The size of open at i, with its fill; 0 if it is not there. */
static size_t open_size(const SyntaxScan *scan, const SyntaxRule *rule, size_t i, size_t *ret_fill) {
        size_t size = strlen(rule->open), fill = 0;

        if (!rule->fill) {
                *ret_fill = 0;
                return stands_at(scan, i, rule->open, size) ? size : 0;
        }
        if (!stands_at(scan, i, rule->open, size - 1))
                return 0;
        while (fill < FILL_MAX && i + size - 1 + fill < scan->size &&
                scan->data[i + size - 1 + fill] == rule->fill)
                fill++;
        *ret_fill = fill;
        return stands_at(scan, i + size - 1 + fill, rule->open + size - 1, 1) ? size + fill : 0;
}

static size_t close_size(const SyntaxScan *scan, const SyntaxRule *rule, size_t i, size_t fill) {
        size_t size = strlen(rule->close);

        if (!rule->fill)
                return stands_at(scan, i, rule->close, size) ? size : 0;
        if (!stands_at(scan, i, rule->close, size - 1))
                return 0;
        for (size_t k = 0; k <= fill; k++) {
                char wanted = k < fill ? rule->fill : rule->close[size - 1];
                if (i + size - 1 + k >= scan->size || scan->data[i + size - 1 + k] != wanted)
                        return 0;
        }
        return size + fill;
}

/* Where a pair that opens at scan->at ends; 0: nowhere. *ret_stop: how far it was looked. */
static size_t pair_end(
        const SyntaxScan *scan, const SyntaxRule *rule, size_t from, size_t fill, size_t *ret_stop) {
        size_t depth = 1, n, ignored, i = from;

        if (isempty(rule->close))
                return MIN(from + 1, scan->size);
        while (i < scan->size) {
                if (rule->one_line && scan->data[i] == '\n')
                        break;
                if (rule->escape && scan->data[i] == rule->escape) {
                        i += 2;
                        continue;
                }
                if ((n = close_size(scan, rule, i, fill)) > 0) {
                        if (--depth == 0)
                                return i + n;
                        i += n;
                } else if (rule->nests && (n = open_size(scan, rule, i, &ignored)) > 0) {
                        depth++;
                        i += n;
                } else
                        i++;
        }
        *ret_stop = MIN(i, scan->size);
        return 0;
}

/* R"tag( ... )tag" */
static size_t raw_end(const SyntaxScan *scan, size_t from) {
        const char *data = scan->data;
        size_t tag = from;

        while (tag < scan->size && tag - from < TAG_MAX && !is_one_of(data[tag], " ()\\\"\t\n"))
                tag++;
        if (tag >= scan->size || data[tag] != '(')
                return 0;
        size_t size = tag - from;
        for (size_t i = tag + 1; i + size + 2 <= scan->size; i++)
                if (data[i] == ')' && memcmp(data + i + 1, data + from, size) == 0 &&
                        data[i + 1 + size] == '"')
                        return i + size + 2;
        return 0;
}

static char partner(char delimiter) {
        static const char pairs[] = "(){}[]<>";
        const char *p = memchr(pairs, delimiter, strlen(pairs));

        return p && (p - pairs) % 2 == 0 ? p[1] : delimiter;
}

/* q{...}, s/.../.../ */
static size_t delimited_end(const SyntaxScan *scan, const SyntaxRule *rule, size_t from) {
        const char *data = scan->data;
        size_t i = from;

        for (unsigned part = 0; part < rule->parts; part++) {
                if (i >= scan->size || byte_is_word(data[i]) || is_blank(data[i]) ||
                        is_one_of(data[i], "=,;)"))
                        return 0;
                char open = data[i++], close = partner(open);
                size_t depth = 1;
                for (; i < scan->size; i++) {
                        if (data[i] == '\\')
                                i++;
                        else if (data[i] == close && --depth == 0)
                                break;
                        else if (data[i] == open && open != close)
                                depth++;
                }
                if (i >= scan->size)
                        return 0;
                /* The delimiter in the middle is the first part's and the second's. */
                if (open != close || part + 1 == rule->parts)
                        i++;
        }
        return i;
}

static size_t character_end(const SyntaxScan *scan, const SyntaxRule *rule, size_t from) {
        /* Names may end in several: g''. */
        if (scan->at > 0 && scan->data[scan->at - 1] == rule->open[0])
                return 0;

        bool escaped = from < scan->size && scan->data[from] == rule->escape && rule->escape;
        size_t least = from + (escaped ? 2 : 1), most = from + CHARACTER_MAX;

        for (size_t i = least; i < scan->size && i <= most; i++) {
                if (scan->data[i] == rule->open[0])
                        return i + 1;
                if (!escaped && ((unsigned char)scan->data[i] & 0xC0) != 0x80)
                        return 0;
        }
        return 0;
}

/* <<EOF, <<-'EOF', <<~EOF: the body begins behind this line. */
static void note_heredoc(SyntaxScan *scan, size_t from) {
        const char *data = scan->data;
        char quote = 0;

        if (scan->at > 0 && data[scan->at - 1] == '<')
                return;
        if (from < scan->size && is_one_of(data[from], "-~"))
                from++;
        while (from < scan->size && data[from] == ' ')
                from++;
        if (from < scan->size && is_one_of(data[from], "'\"\\"))
                quote = data[from++];
        size_t end = from;
        while (end < scan->size && end - from < TAG_MAX && byte_is_word(data[end]))
                end++;
        if (end == from || (data[from] >= '0' && data[from] <= '9') ||
                scan->n_heredocs == SYNTAX_HEREDOCS_MAX)
                return;
        if (quote && quote != '\\' && (end >= scan->size || data[end] != quote))
                return;
        scan->heredocs[scan->n_heredocs].tag = from;
        scan->heredocs[scan->n_heredocs++].tag_size = end - from;
}

/* The start of the line that ends a here-document whose first line begins at i; SIZE_MAX: there is none. */
static size_t heredoc_end(const SyntaxScan *scan, size_t i, size_t tag, size_t tag_size) {
        for (;;) {
                size_t word = i, end = line_end(scan, i);
                while (word < end && (scan->data[word] == ' ' || scan->data[word] == '\t'))
                        word++;
                if (end - word >= tag_size && memcmp(scan->data + word, scan->data + tag, tag_size) == 0 &&
                        (end == word + tag_size || is_one_of(scan->data[word + tag_size], ";,)\r")))
                        return i;
                if (end >= scan->size)
                        return SIZE_MAX;
                i = end + newline_size(scan, end);
        }
}

/* The here-documents of the line that ended before scan->at: true if they are a span. What was typed on one
 * line is cut into lines by the typed newlines, so there it is none, but it has no quotes either. */
static bool take_heredocs(SyntaxScan *scan, SyntaxSpan *ret) {
        size_t end = scan->at;

        for (size_t i = 0; i < scan->n_heredocs; i++) {
                size_t found = scan->misses < MISSES_MAX ? heredoc_end(scan, end, scan->heredocs[i].tag,
                                                                   scan->heredocs[i].tag_size)
                                                         : SIZE_MAX;
                if (found == SIZE_MAX) {
                        scan->misses++;
                        break;
                }
                end = found;
                if (i + 1 < scan->n_heredocs)
                        end = line_end(scan, found), end += end < scan->size ? newline_size(scan, end) : 0;
        }
        scan->n_heredocs = 0;
        if (end == scan->at)
                return false;
        *ret = (SyntaxSpan){ .start = scan->at, .end = end };
        scan->at = scan->line_start = end;
        return !scan->typed;
}

/* Where the literal or comment of a rule that begins at scan->at ends; 0: it is none. */
static size_t rule_end(SyntaxScan *scan, size_t index) {
        const SyntaxRule *rule = &scan->syntax->rules[index];
        size_t fill, stop = 0, end = 0, open = open_size(scan, rule, scan->at, &fill);
        size_t from = scan->at + open;

        if (open == 0 || !place_fits(scan, rule) || scan->at < scan->dead_until[index])
                return 0;
        if (rule->form == SYNTAX_LINE)
                return scan->no_line_comments ? 0 : line_end(scan, from);
        if (rule->form == SYNTAX_HEREDOC) {
                note_heredoc(scan, from);
                return 0;
        }
        if (rule->form == SYNTAX_CHARACTER)
                return character_end(scan, rule, from);
        if (rule->form == SYNTAX_PAIR && !rule->fill) {
                end = pair_end(scan, rule, from, fill, &stop);
                if (end == 0)
                        scan->dead_until[index] = stop;
        } else if (scan->misses < MISSES_MAX) {
                end = rule->form == SYNTAX_RAW         ? raw_end(scan, from)
                      : rule->form == SYNTAX_DELIMITED ? delimited_end(scan, rule, from)
                                                       : pair_end(scan, rule, from, fill, &stop);
                if (end == 0)
                        scan->misses++;
        }
        return end == 0 && scan->open_ended && rule->form == SYNTAX_PAIR ? MAX(stop, from) : end;
}

static bool is_apostrophe(const SyntaxScan *scan) {
        return scan->no_apostrophes && scan->data[scan->at] == '\'' && scan->at > 0 &&
               byte_is_word(scan->data[scan->at - 1]);
}

static bool take_rule(SyntaxScan *scan, SyntaxSpan *ret) {
        if (is_apostrophe(scan))
                return false;
        for (size_t i = 0; i < scan->syntax->n; i++) {
                size_t end = rule_end(scan, i);
                if (end == 0)
                        continue;
                const SyntaxRule *rule = &scan->syntax->rules[i];
                *ret = (SyntaxSpan){ scan->at, end, rule->comment, rule->form == SYNTAX_LINE };
                if (!rule->comment)
                        scan->last = '"';
                scan->at = end;
                return true;
        }
        return false;
}

bool syntax_next(SyntaxScan *scan, SyntaxSpan *ret) {
        while (scan->at < scan->size) {
                char c = scan->data[scan->at];
                size_t newline = newline_size(scan, scan->at);

                if (scan->syntax->begins[(unsigned char)c] && take_rule(scan, ret))
                        return true;
                if (newline > 0) {
                        scan->at += newline;
                        scan->line_start = scan->at;
                        if (scan->n_heredocs > 0 && take_heredocs(scan, ret))
                                return true;
                        continue;
                }
                if (!is_blank(c))
                        scan->last = c;
                /* Outside of literals, too, a backslash takes the meaning from a quote. */
                scan->at +=
                        c == '\\' && scan->at + 1 < scan->size && scan->data[scan->at + 1] != '\n' ? 2 : 1;
        }
        return false;
}
