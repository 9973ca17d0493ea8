/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* A program of C or C++: headers, what goes to the top level, main(). */

#include "snippet/program.h"

static bool has_include(const Source *source) {
        for (size_t i = 0; i < source->n_tokens; i++)
                if (source->tokens[i].kind == TOKEN_DIRECTIVE && source->tokens[i].sign == DIRECTIVE_INCLUDE)
                        return true;
        return false;
}

/* A directive that is the code's last and that no newline ends swallows what was to follow it. */
static bool is_unterminated(const Source *source) {
        if (source->n_tokens == 0)
                return false;
        const Token *last = &source->tokens[source->n_tokens - 1];
        return last->kind == TOKEN_DIRECTIVE && last->unterminated && last->sign != DIRECTIVE_ENDIF;
}

static void head_write(Program *program) {
        static const char include[] = "#include <prelude.h>";
        const Text *text = &program->text;

        program_head(program, has_include(&program->source));
        if (program->style->force_prelude && !program->options->no_headers &&
                !memmem(text_string(text), text->size, include, strlen(include)))
                layout_string(&program->layout, "\n#include <prelude.h>\n");
        layout_newline(&program->layout);
}

int snippet_complete_c(const Text *code, const SnippetStyle *style, const SnippetOptions *options, Text *ret,
        bool *ret_unterminated) {
        _cleanup_program_ Program program = {};

        int r = program_read(&program, code, style, options);
        if (r != SNIPPET_COMPLETE)
                return r;

        *ret_unterminated = is_unterminated(&program.source);
        head_write(&program);
        program_top_level(&program, false);
        if (program.placement.complete || options->no_main)
                program_tail(&program);
        else {
                layout_string(&program.layout, "\nint main(int argc, char *argv[]) {\n");
                program_body(&program, style->wrap_last_statement && !options->no_headers);
                layout_string(&program.layout, "return 0;\n}");
        }
        return program_finish(&program, ret);
}
