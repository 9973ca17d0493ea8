/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "snippet/function-header.h"
#include "snippet/source-copy.h"
#include "snippet/stages.h"

void hoisted_done(Hoisted *hoisted) {
        text_done(&hoisted->functions);
        text_done(&hoisted->rest);
        *hoisted = (Hoisted){};
}

/* A function taken apart. */
typedef struct Function {
        Text before; /* what stands before it and behind the function before it */
        Text type, name, parameters;
        const Text *source;
        size_t body; /* where in the source the body begins */
} Function;

static void function_done(Function *function) {
        text_done(&function->before);
        text_done(&function->type);
        text_done(&function->name);
        text_done(&function->parameters);
        *function = (Function){};
}

static bool word_in(const Text *word, const char *const *list) {
        for (; *list; list++)
                if (text_equals(word, *list))
                        return true;
        return false;
}

/* if (...) {, and what is read like it, is no function. */
static bool is_control(const Function *function, bool java) {
        static const char *const types[] = { "else", "while", "if", "for", "switch", NULL };
        static const char *const names[] = { "for", "while", "if", "switch", NULL };
        static const char *const java_types[] = { "else", "while", "if", "for", NULL };
        static const char *const java_names[] = { "for", "while", "if", NULL };

        return function->type.size == 0 || word_in(&function->type, java ? java_types : types) ||
               word_in(&function->name, java ? java_names : names);
}

static bool is_main(const Text *name) {
        const char *data = text_string(name);
        size_t i = scan_skip_space(data, name->size, 0);

        if (scan_at(data, name->size, i, "("))
                i = scan_skip_space(data, name->size, i + 1);
        if (!scan_at(data, name->size, i, "main"))
                return false;
        i = scan_skip_space(data, name->size, i + strlen("main"));
        if (scan_at(data, name->size, i, ")"))
                i = scan_skip_space(data, name->size, i + 1);
        return i == name->size;
}

/* Appends the body to *ret. Returns the offset behind it, or 0 when its braces do not balance. Those in
 * literals count, as PBot has it. */
static size_t body_in_braces(const Text *source, size_t body, Text *ret) {
        size_t depth = 0;

        for (size_t i = body; i < source->size; i++)
                if (source->data[i] == '\\')
                        i++;
                else if (source->data[i] == '{')
                        depth++;
                else if (source->data[i] == '}' && --depth == 0) {
                        text_append(ret, source->data + body, i + 1 - body);
                        return i + 1;
                }
        return 0;
}

/* The length of the bracket at i, in any of its spellings, whose sign is 1 for opening and -1 for closing.
 */
static size_t bracket_at(const Text *source, size_t i, int *ret_sign) {
        static const struct {
                const char *text;
                int sign;
        } brackets[] = { { "{", 1 }, { "<%", 1 }, { "?\?<", 1 }, { "}", -1 }, { "%>", -1 }, { "?\?>", -1 } };

        for (size_t k = 0; k < ELEMENTSOF(brackets); k++)
                if (scan_at(source->data, source->size, i, brackets[k].text)) {
                        *ret_sign = brackets[k].sign;
                        return strlen(brackets[k].text);
                }
        return 0;
}

/* The same for a body that opens with <% or ??<. Its two brackets become braces; literals are skipped. */
static size_t body_in_digraphs(const Text *source, size_t body, Text *ret) {
        size_t opening = 0, n;
        int depth = 0, sign;

        for (size_t i = body; i < source->size; i += n) {
                n = literal_length(source->data, source->size, i);
                if (n > 0)
                        continue;
                n = bracket_at(source, i, &sign);
                if (n == 0) {
                        n = 1;
                        continue;
                }
                if (depth == 0)
                        opening = n;
                depth += sign;
                if (depth > 0)
                        continue;

                text_append_char(ret, '{');
                text_append(ret, source->data + body + opening, i - body - opening);
                text_append_char(ret, '}');
                return i + n;
        }
        return 0;
}

static void append_span(Text *text, const Text *source, Span span) {
        text_append(text, source->data + span.begin, span.end - span.begin);
}

static int function_fill(const Text *source, const FunctionHeader *header, Function *function) {
        append_span(&function->type, source, span_trim(source->data, header->type));
        append_span(&function->name, source, header->name);
        append_span(&function->parameters, source, header->parameters);

        if (text_failed(&function->before) || text_failed(&function->type) || text_failed(&function->name) ||
                text_failed(&function->parameters))
                return -ENOMEM;
        return 0;
}

/* What stands before the first function in the code. PBot cuts the code where the function begins in the
 * copy without comments. If only line comments lie between, they are lost that way and all else is right; so
 * it is done here. Else that cut would fall into a comment or a statement: this cuts at the function. */
static void before_first(const Text *code, size_t copied, size_t real, Text *before) {
        size_t cut = source_is_line_comments(code, copied, real) ? copied : real;

        text_append(before, code->data, cut);
}

/* Takes the first function, which is looked for in a copy without comments. *rest becomes its body and all
 * that follows it. 1, 0 if there is no function, -ENOMEM. */
static int first_function(
        const Text *code, bool java, bool block_comments_first, Function *ret, Text *rest) {
        _cleanup_(header_scanner_freep) HeaderScanner *scanner = NULL;
        _cleanup_source_copy_ SourceCopy copy = {};
        FunctionHeader header;
        int r;

        r = source_copy_make(code, block_comments_first, &copy);
        if (r < 0)
                return r;
        r = header_scanner_new(text_string(&copy.masked), copy.masked.size, java, &scanner);
        if (r < 0)
                return r;
        if (!header_scanner_find(scanner, 0, &header))
                return 0;

        before_first(code, header.type.begin, copy.origin[header.type.begin], &ret->before);
        r = function_fill(&copy.plain, &header, ret);
        if (r < 0)
                return r;
        r = source_append_rest(code, copy.origin[header.body], block_comments_first, rest);
        if (r < 0)
                return r;
        ret->source = rest;
        ret->body = 0;
        return 1;
}

/* Takes the next function from the offset on. Comments are looked at no more. */
static int next_function(const HeaderScanner *scanner, const Text *code, size_t from, Function *ret) {
        FunctionHeader header;
        int r;

        if (!header_scanner_find(scanner, from, &header))
                return 0;

        append_span(&ret->before, code, (Span){ from, header.type.begin });
        r = function_fill(code, &header, ret);
        if (r < 0)
                return r;
        ret->source = code;
        ret->body = header.body;
        return 1;
}

/* Appends the function to those hoisted. Returns the offset behind it, 0 when its braces do not balance. */
static size_t function_hoist(const Function *function, Hoisted *hoisted) {
        Text *to = &hoisted->functions;

        text_append_text(to, &function->before);
        text_append_char(to, '\n');
        text_append_text(to, &function->type);
        text_append_char(to, ' ');
        text_append_text(to, &function->name);
        text_append_char(to, '(');
        text_append_text(to, &function->parameters);
        text_append_string(to, ") ");
        size_t end = scan_at(function->source->data, function->source->size, function->body, "{")
                             ? body_in_braces(function->source, function->body, to)
                             : body_in_digraphs(function->source, function->body, to);
        text_append_char(to, '\n');

        hoisted->has_main = hoisted->has_main || is_main(&function->name);
        return end;
}

/* What was read as a function but is none ends the search; it is put together again. */
static void control_restore(const Function *function, Text *rest) {
        text_append_text(rest, &function->before);
        text_append_text(rest, &function->type);
        text_append_char(rest, ' ');
        text_append_text(rest, &function->name);
        text_append_string(rest, " (");
        text_append_text(rest, &function->parameters);
        text_append_string(rest, ") ");
        append_span(rest, function->source, (Span){ function->body, function->source->size });
}

static int hoisted_finish(Hoisted *hoisted, Hoisted *ret) {
        if (text_failed(&hoisted->functions) || text_failed(&hoisted->rest))
                return -ENOMEM;
        *ret = *hoisted;
        *hoisted = (Hoisted){};
        return SNIPPET_COMPLETE;
}

int functions_hoist(const Text *code, bool java, bool block_comments_first, Hoisted *ret) {
        _cleanup_(header_scanner_freep) HeaderScanner *scanner = NULL;
        _cleanup_hoisted_ Hoisted hoisted = {};
        _cleanup_(function_done) Function function = {};
        _cleanup_text_ Text following = {};
        size_t end;
        int r;

        r = first_function(code, java, block_comments_first, &function, &following);
        if (r < 0)
                return r;
        if (r == 0) {
                text_append_text(&hoisted.rest, code);
                return hoisted_finish(&hoisted, ret);
        }
        r = header_scanner_new(text_string(&following), following.size, java, &scanner);
        if (r < 0)
                return r;

        do {
                if (is_control(&function, java)) {
                        control_restore(&function, &hoisted.rest);
                        return hoisted_finish(&hoisted, ret);
                }
                end = function_hoist(&function, &hoisted);
                if (end == 0)
                        return SNIPPET_UNBALANCED;

                function_done(&function);
                r = next_function(scanner, &following, end, &function);
                if (r < 0)
                        return r;
        } while (r > 0);

        append_span(&hoisted.rest, &following, (Span){ end, following.size });
        return hoisted_finish(&hoisted, ret);
}
