/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* A program of Java: imports, and a class with all that a snippet consists of, unless the user has his own.
 */

#include "snippet/java-imports.h"
#include "snippet/program.h"

static bool has_import(const Pieces *pieces) {
        for (size_t i = 0; i < pieces->n; i++)
                if (pieces->list[i].kind == PIECE_USING &&
                        pieces->source->tokens[pieces->list[i].first].word == WORD_IMPORT)
                        return true;
        return false;
}

/* A name that may be a file's and stand in a command line. */
static bool is_plain(const char *data, size_t size) {
        for (size_t i = 0; i < size; i++)
                if (!memchr("_0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz", data[i], 63))
                        return false;
        return size > 0 && size <= 64;
}

static bool is_public(const Source *source, const Piece *piece) {
        for (uint32_t i = piece->first; i < piece->name; i++)
                if (token_is(source, &source->tokens[i], "public"))
                        return true;
        return false;
}

/* The names that the compiler and the machine ask for: the file's is that of the public class, the program's
 * that of the class with main(). */
static void name_classes(const Program *program, JavaNames *names) {
        const Source *source = &program->source;

        for (size_t i = 0; i < program->pieces.n; i++) {
                const Piece *piece = &program->pieces.list[i];
                if (piece->kind != PIECE_TYPE || piece->name == NO_TOKEN)
                        continue;
                const Token *name = &source->tokens[piece->name];
                const char *data = source->data + name->begin;
                const size_t size = name->end - name->begin;
                if (!is_plain(data, size))
                        continue;
                if (is_public(source, piece) && names->file.size == 0)
                        text_append(&names->file, data, size);
                if (piece->main && names->program.size == 0)
                        text_append(&names->program, data, size);
        }
}

void java_names_done(JavaNames *names) {
        text_done(&names->file);
        text_done(&names->program);
}

/* A whole program that imports something imports all that it needs. */
static void prelude_write(Program *program, bool whole) {
        const bool own = has_import(&program->pieces);
        _cleanup_text_ Text imports = {};

        if (!own || !whole)
                java_imports(&program->pieces, !own, &imports);
        layout_string(&program->layout, text_string(&imports));
        program->text.failed |= text_failed(&imports);
        if (!own)
                layout_string(&program->layout, program->style->prelude);
}

/* True for the name of a call that is made on something, "Thread.sleep(", and not on System or what is in
 * it. */
static bool is_call_on(const Source *source, uint32_t name) {
        const Token *t = source->tokens;

        if (name < 2 || t[name].kind != TOKEN_WORD || !token_is_sign(&t[name + 1], SIGN_PAREN_OPEN) ||
                !token_is_sign(&t[name - 1], SIGN_DOT))
                return false;
        uint32_t root = name - 2;
        while (root >= 2 && t[root].kind == TOKEN_WORD && token_is_sign(&t[root - 1], SIGN_DOT))
                root -= 2;
        return !token_is(source, &t[root], "System");
}

/* Whether something in it may throw what Java wants to be caught or declared. */
static bool may_throw(const Source *source) {
        for (uint32_t i = 0; i < source->n_tokens; i++)
                if (is_call_on(source, i) || token_is(source, &source->tokens[i], "throw"))
                        return true;
        return false;
}

int snippet_complete_java(const Text *code, const SnippetStyle *style, const SnippetOptions *options,
        Text *ret, JavaNames *ret_names) {
        _cleanup_program_ Program program = {};
        _cleanup_(java_names_done) JavaNames names = {};

        int r = program_read(&program, code, style, options);
        if (r != SNIPPET_COMPLETE)
                return r;

        const bool whole = program.placement.main_class || (options->no_main && !program.placement.complete);
        if (!options->no_headers)
                prelude_write(&program, whole);
        program_head(&program);
        layout_newline(&program.layout);
        if (!whole)
                layout_string(&program.layout, "class prog {\n");
        program_top_level(&program, !whole);
        if (program.placement.complete || options->no_main)
                program_tail(&program);
        else {
                layout_string(&program.layout, "\npublic static void main(String[] args)");
                if (may_throw(&program.source))
                        layout_string(&program.layout, " throws Throwable");
                layout_string(&program.layout, " {\n");
                program_body(&program, false);
                layout_string(&program.layout, "}");
        }
        if (!whole)
                layout_string(&program.layout, "\n}");
        else
                name_classes(&program, &names);
        if (text_failed(&names.file) || text_failed(&names.program))
                return -ENOMEM;
        r = program_finish(&program, ret);
        if (r < 0)
                return r;
        *ret_names = names;
        names = (JavaNames){};
        return SNIPPET_COMPLETE;
}
