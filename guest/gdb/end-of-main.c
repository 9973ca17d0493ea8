/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "gdb/end-of-main.h"

#include <ctype.h>

#include "plan/scan.h"

typedef struct Reader {
        Scanner scanner;
        const char *counted; /* up to here newlines are */
        unsigned line;       /* of that place */
        unsigned braces, parentheses;
        bool starts; /* the next token begins a statement, unless it continues one */
        EndOfMain end;
} Reader;

static unsigned line_of(Reader *reader, const char *place) {
        for (; reader->counted < place; reader->counted++)
                reader->line += *reader->counted == '\n';
        return reader->line;
}

/* Behind the end of a statement, or of something in braces. */
static bool continues(const Token *token) {
        static const char *const words[] = { "else", "catch", ";", ",", ".", ")" };

        for (size_t i = 0; i < ELEMENTSOF(words); i++)
                if (token_is(token, words[i]))
                        return true;
        return false;
}

/* A token of main()'s body, at any depth. */
static void note_statement(Reader *reader, const Token *token) {
        const bool top = reader->braces == 1 && reader->parentheses == 0;

        reader->end.last = line_of(reader, token->data);
        if (reader->starts && !continues(token))
                reader->end.first = reader->end.last;
        if (token_is(token, "("))
                reader->parentheses++;
        else if (token_is(token, ")") && reader->parentheses > 0)
                reader->parentheses--;
        reader->starts = top && token_is(token, ";");
}

static bool stands_alone(const char *text, const char *brace) {
        for (const char *p = brace; p > text && p[-1] != '\n'; p--)
                if (!isspace((unsigned char)p[-1]))
                        return false;
        return true;
}

/* The brace is where the depth of braces is back at none after main was named at depth none. Where braces do
 * not match, since some stand in what the preprocessor leaves out, it is the last one: a host puts nothing
 * behind the main() that it writes. */
EndOfMain end_of_main_find(const Source *source) {
        const char *text = text_string(&source->text), *found = NULL, *last = NULL;
        Reader reader = {
                .scanner = { .p = text, .end = text + source->text.size }, .counted = text, .line = 1
        };
        bool named = false, in_main = false, in_directive = false, amiss = false;
        Token token;

        while ((token = scan(&reader.scanner)).kind != TOKEN_END) {
                if (token.first)
                        in_directive = token.kind == TOKEN_HASH;
                if (in_directive)
                        continue;
                last = NULL;
                if (token_is(&token, "main")) {
                        named = true;
                        in_main |= reader.braces == 0;
                } else if (reader.braces == 0 && token_is(&token, ";"))
                        in_main = false;
                if (token_is(&token, "{")) {
                        if (reader.braces++ > 0 && in_main && !found)
                                note_statement(&reader, &token);
                        reader.starts |= reader.braces == 1;
                } else if (token_is(&token, "}")) {
                        last = token.data;
                        amiss |= reader.braces == 0;
                        if (reader.braces > 0 && --reader.braces == 0 && in_main && !found)
                                found = token.data;
                        else if (in_main && !found)
                                note_statement(&reader, &token);
                        reader.starts |= reader.braces == 1 && reader.parentheses == 0;
                } else if (reader.braces > 0 && in_main && !found)
                        note_statement(&reader, &token);
        }
        amiss |= reader.braces > 0;
        if (amiss)
                reader.end.first = reader.end.last = 0;

        const char *brace = !named ? NULL : amiss ? last : found;
        if (!brace || !stands_alone(text, brace))
                return (EndOfMain){};
        reader.counted = text;
        reader.line = 1;
        reader.end.brace = line_of(&reader, brace);
        return reader.end;
}

static unsigned line_at(const MiValue *lines, size_t i) {
        const char *line = i < lines->n ? mi_text(&lines->items[i], "line") : NULL;

        return line ? (unsigned)strtoul(line, NULL, 10) : 0;
}

/* A statement on one line may have that code in its middle, and what unwinds behind it: each place that
 * follows the line is one where it may end. */
static size_t behind_line(const EndOfMain *end, const MiValue *lines, const char **ret) {
        size_t n = 0;

        for (size_t i = 1; i < lines->n && n < END_PLACES_MAX; i++)
                if (line_at(lines, i) == end->brace && line_at(lines, i - 1) == end->last)
                        ret[n++] = mi_text(&lines->items[i], "pc");
        return n;
}

/* Best is what follows the line where the statement begins, as the head of a loop, which is the last of its
 * code, and goes on with none of its lines, as what lies within it does; else it may be what merely follows
 * that line, or what leaves the statement from another of its lines. What unwinds comes later. */
static size_t behind_lines(const EndOfMain *end, const MiValue *lines, const char **ret) {
        const char *beside = NULL, *behind = NULL;
        size_t n = 0;

        for (size_t i = 1, next; i < lines->n; i = next) {
                next = i + 1;
                if (line_at(lines, i) != end->brace)
                        continue;
                while (line_at(lines, next) == end->brace)
                        next++;
                const unsigned before = line_at(lines, i - 1), after = line_at(lines, next);
                if (before < end->first || before > end->last)
                        continue;
                const char *address = mi_text(&lines->items[i], "pc");
                const bool leaves = after < end->first || after > end->last;
                if (before == end->first && leaves) {
                        ret[0] = address;
                        return 1;
                }
                if (before == end->first)
                        beside = address;
                else if (leaves && !behind)
                        behind = address;
        }
        if (beside)
                ret[n++] = beside;
        if (behind)
                ret[n++] = behind;
        return n;
}

size_t end_of_main_places(
        const EndOfMain *end, const MiValue *lines, const char *ret[static END_PLACES_MAX]) {
        if (end->first == 0 || !lines)
                return 0;
        return end->first == end->last ? behind_line(end, lines, ret) : behind_lines(end, lines, ret);
}
