/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* What the programs of all languages are put together from. */

#include "snippet/last-expression.h"
#include "snippet/program.h"

void program_done(Program *program) {
        text_done(&program->code);
        source_done(&program->source);
        pieces_done(&program->pieces);
        placement_done(&program->placement);
        text_done(&program->text);
}

/* A function whose body is not closed cannot be told from what follows it. */
static bool is_unbalanced(const Pieces *pieces) {
        for (size_t i = 0; i < pieces->n; i++)
                if (pieces->list[i].kind == PIECE_FUNCTION && pieces->list[i].unclosed &&
                        !pieces->brackets.conditionals)
                        return true;
        return false;
}

int program_read(
        Program *program, const Text *code, const SnippetStyle *style, const SnippetOptions *options) {
        program->style = style;
        program->options = options;
        text_append_text(&program->code, &options->includes);
        text_append_text(&program->code, code);
        if (text_failed(&program->code))
                return -ENOMEM;

        int r = source_read(text_string(&program->code), program->code.size, style->dialect,
                style->line_comments, &program->source);
        if (r >= 0)
                r = pieces_read(&program->source, &program->pieces);
        if (r < 0)
                return r;
        if (is_unbalanced(&program->pieces))
                return SNIPPET_UNBALANCED;
        r = placement_make(&program->pieces, options->no_main, &program->placement);
        if (r < 0)
                return r;
        program->layout = (Layout){ .source = &program->source, .to = &program->text };
        return SNIPPET_COMPLETE;
}

/* The place where the gap before a piece begins. */
static size_t gap_begin(const Program *program, const Piece *piece) {
        size_t begin = piece->first > 0 ? program->source.tokens[piece->first - 1].end : 0;

        return MAX(begin, program->head_end);
}

static size_t piece_begin(const Program *program, const Piece *piece) {
        return program->source.tokens[piece->first].begin;
}

/* Where the last token ends, or the head. */
static size_t tail_begin(const Program *program) {
        const Source *source = &program->source;
        size_t end = source->n_tokens > 0 ? source->tokens[source->n_tokens - 1].end : 0;

        return MAX(end, program->head_end);
}

/* A line of the head, with the newline that ends it and one more. */
static void head_piece(Program *program, const Piece *piece, bool first) {
        const Source *source = &program->source;
        const size_t end = source->tokens[piece->end - 1].end, begin = piece_begin(program, piece);
        size_t i = end;

        /* Comments stand here within a conditional alone. */
        if (first)
                layout_gap(&program->layout,
                        layout_gap_comment(&program->layout, gap_begin(program, piece), begin), begin);
        layout_tokens(&program->layout, piece->first, piece->end);
        while (i < source->size && i < end + 2 && source->data[i] == '\n')
                i++;
        if (program->layout.newlines == 0)
                layout_newline(&program->layout);
        if (i == end + 2)
                layout_newline(&program->layout);
        if (first)
                program->head_end = i;
}

void program_head(Program *program) {
        bool first = true; /* nothing else came before */

        for (size_t i = 0; i < program->pieces.n; i++)
                if (program->placement.places[i] == PLACE_HEAD)
                        head_piece(program, &program->pieces.list[i], first);
                else
                        first = false;
}

/* The brackets of a function's body are braces, however they are spelled (the formatter knows no other). */
static void function_write(Program *program, const Piece *piece) {
        const uint32_t close = piece->end - 1, open = program->pieces.brackets.pair[close];
        const Token *tokens = program->source.tokens;
        Layout *layout = &program->layout;

        if (open == NO_TOKEN || open < piece->first || tokens[open].end == tokens[open].begin + 1)
                layout_tokens(layout, piece->first, close);
        else {
                layout_tokens(layout, piece->first, open);
                layout_string(layout, " {");
                layout_gap(layout, tokens[open].end, tokens[open + 1].begin);
                layout_tokens(layout, open + 1, close);
        }
        layout_gap(layout, tokens[close - 1].end, tokens[close].begin);
        layout_string(layout, "}");
}

/* Whether it says so itself, before its name. */
static bool is_static(const Program *program, const Piece *piece) {
        for (uint32_t i = annotations_skip(&program->pieces, piece); i < MIN(piece->end, piece->name); i++) {
                const Token *token = &program->source.tokens[i];
                if (token->word == WORD_STATIC)
                        return true;
                if (token_is_sign(token, SIGN_ASSIGN) || token_is_sign(token, SIGN_BRACE_OPEN))
                        return false;
        }
        return false;
}

static void top_level_piece(Program *program, size_t i, bool member) {
        const Piece *piece = &program->pieces.list[i];
        Layout *layout = &program->layout;

        layout_gap(layout, gap_begin(program, piece), piece_begin(program, piece));
        if (piece->kind == PIECE_FUNCTION)
                layout_newline(layout);
        if (member && !is_static(program, piece))
                layout_string(layout, "static ");
        if (piece->kind == PIECE_FUNCTION) {
                function_write(program, piece);
                layout_newline(layout);
        } else if (program->placement.places[i] == PLACE_SPLIT) {
                layout_tokens(layout, piece->first, declaration_split(&program->pieces, piece));
                layout_string(layout, ";\n");
        } else
                layout_tokens(layout, piece->first, piece->end);
}

void program_top_level(Program *program, bool members) {
        for (size_t i = 0; i < program->pieces.n; i++) {
                const Place place = program->placement.places[i];
                const PieceKind kind = program->pieces.list[i].kind;
                const bool member =
                        kind == PIECE_FUNCTION || kind == PIECE_DECLARATION || kind == PIECE_TYPE;
                if (place == PLACE_FILE || place == PLACE_SPLIT || place == PLACE_BOTH)
                        top_level_piece(program, i, members && member);
        }
}

/* The last piece of main(), whose value may be shown; the number of pieces if there is none. */
static size_t last_piece(const Program *program) {
        size_t last = program->pieces.n;

        for (size_t i = 0; i < program->pieces.n; i++)
                if (program->placement.places[i] == PLACE_MAIN)
                        last = i;
        return last;
}

static bool is_shown(const Program *program, size_t last) {
        const Pieces *pieces = &program->pieces;

        if (last == pieces->n || (program->placement.opened && pieces->list[last].ended))
                return false;
        for (size_t i = 0; i < pieces->n; i++)
                if (program->placement.places[i] == PLACE_FILE && uses_debugger(pieces, &pieces->list[i]))
                        return false;
        return expression_is_shown(pieces, &pieces->list[last]);
}

/* In a line of its own; of what stands before it, what is in other lines. */
static void last_expression_write(Program *program, Layout *layout, const Piece *piece) {
        const size_t begin = gap_begin(program, piece);
        const size_t line = layout_gap_line(layout, begin, piece_begin(program, piece));
        const size_t comment = layout_gap_comment(layout, begin, line);

        if (comment < line)
                layout_gap(layout, layout->to->size > 0 ? begin : comment, line);
        else
                layout_trim(layout);
        layout_line(layout);
        layout_string(layout, " print_last_statement(");
        layout_tokens(layout, piece->first, piece->end - piece->ended);
        layout_string(layout, ");");
}

static void main_piece(Program *program, Layout *layout, size_t i) {
        const Piece *piece = &program->pieces.list[i];
        const size_t end = piece_begin(program, piece);
        size_t begin = gap_begin(program, piece);

        if (layout->to->size == 0 && !program->placement.opened)
                begin = layout_gap_comment(layout, begin, end);
        layout_gap(layout, begin, end);
        if (program->placement.places[i] == PLACE_SPLIT)
                layout_tokens(layout, declaration_split(&program->pieces, piece) - 1, piece->end);
        else
                layout_tokens(layout, piece->first, piece->end);
}

/* Whether the last piece still lacks its end. A ; also parts a comment at the end from what follows. */
static bool needs_end(const Program *program, size_t last) {
        const Source *source = &program->source;

        if (last == program->pieces.n || comment_between(source, tail_begin(program), source->size))
                return true;
        const Piece *piece = &program->pieces.list[last];
        const Token *token = &source->tokens[piece->end - 1];
        if (token->kind != TOKEN_DIRECTIVE && token->unterminated && source->data[token->end - 1] == ';')
                return false;
        return !piece->ended || piece->kind == PIECE_LABEL || piece->kind == PIECE_DIRECTIVE;
}

static void body_write(Program *program, Layout *layout, bool show) {
        const size_t last = last_piece(program);
        const bool shown = show && is_shown(program, last);
        const size_t tail = tail_begin(program), size = program->source.size;

        if (program->placement.opened && program->source.dialect == DIALECT_JAVA)
                layout_newline(layout);
        for (size_t i = 0; i < program->pieces.n; i++) {
                const Place place = program->placement.places[i];
                if (i == last && shown)
                        last_expression_write(program, layout, &program->pieces.list[i]);
                else if (place == PLACE_MAIN || place == PLACE_SPLIT || place == PLACE_BOTH)
                        main_piece(program, layout, i);
        }
        layout_gap(layout, layout->to->size > 0 ? tail : layout_gap_comment(layout, tail, size), size);
        layout_trim(layout);
        if (layout->to->size > 0)
                layout_string(layout, !shown && needs_end(program, last) ? "\n;\n" : "\n");
}

void program_body(Program *program, bool show) {
        _cleanup_text_ Text body = {};
        Layout layout = { .source = &program->source, .to = &body };

        body_write(program, &layout, show);
        text_append_text(&program->text, &body);
        program->text.failed |= text_failed(&body);
}

void program_tail(Program *program) {
        layout_gap(&program->layout, tail_begin(program), program->source.size);
        layout_trim(&program->layout);
}

int program_finish(Program *program, Text *ret) {
        Text *text = &program->text;
        size_t blank = 0;

        layout_trim(&program->layout);
        while (blank < text->size && (text->data[blank] == '\n' || text->data[blank] == ' '))
                blank++;
        text_consume(text, blank);
        if (text_failed(text))
                return -ENOMEM;
        text_move(ret, text);
        return SNIPPET_COMPLETE;
}
