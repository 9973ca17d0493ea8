/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* A program of C or C++: headers, what goes to the top level, main(). */

#include "snippet/clashes.h"
#include "snippet/header-names.h"
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

/* A line for each of the names. */
static void names_write(Layout *layout, const Text *names, const char *before, const char *end) {
        for (size_t i = 0; i < names->size; i += strlen(names->data + i) + 1) {
                layout_string(layout, before);
                layout_string(layout, names->data + i);
                layout_string(layout, end);
        }
}

/* While the headers are read the name is another. */
static void name_hide(Layout *layout, const char *name, const char *params) {
        layout_string(layout, "#define ");
        layout_string(layout, name);
        layout_string(layout, params ?: "");
        layout_string(layout, " __pbotvm_hidden_");
        layout_string(layout, name);
        layout_string(layout, !params ? "" : streq(params, "(...)") ? "(__VA_ARGS__)" : params);
        layout_string(layout, "\n");
}

static bool names_have(const Text *names, const char *name) {
        for (size_t i = 0; i < names->size; i += strlen(names->data + i) + 1)
                if (streq(names->data + i, name))
                        return true;
        return false;
}

/* What C++'s headers will have by that name nonetheless: a type, which anything else of the name hides, and
 * in std what they call. */
static void name_stand_in(Layout *layout, const char *name, bool class) {
        const char *declaration = called_declaration(name);

        layout_string(layout, class ? "struct " : "enum ");
        layout_string(layout, name);
        layout_string(layout, class ? ";\n" : " {};\n");
        if (!declaration)
                return;
        layout_string(layout, "namespace std { ");
        layout_string(layout, declaration);
        layout_string(layout, " __asm__(\"");
        layout_string(layout, name);
        layout_string(layout, "\"); }\n");
}

static void names_hide(Layout *layout, const Clashes *clashes, const Text *names, bool cxx) {
        for (size_t i = 0; i < names->size; i += strlen(names->data + i) + 1) {
                const char *name = names->data + i;
                const bool shared = cxx && (name_is_in(&cxx_shared_names, name) || called_declaration(name));

                if (shared)
                        name_stand_in(layout, name, names_have(&clashes->classes, name));
                name_hide(layout, name, shared ? "(...)" : vector_function_params(name));
        }
}

/* A function of C++ that differs from the headers' one in its type alone is no overload: the compiler says
 * so, and our guest asks it once more. */
static void overloads_hide(Layout *layout, const Clashes *clashes) {
        if (clashes->overloaded.size == 0)
                return;
        layout_string(layout, "#ifdef __PBOTVM_OWN_FUNCTIONS\n");
        names_hide(layout, clashes, &clashes->overloaded, true);
        layout_string(layout, "#endif\n");
}

/* The language's headers, so that they do not clash with what the program declares. */
static void prelude_write(Program *program, const Clashes *clashes) {
        Layout *layout = &program->layout;
        const bool cxx = program->source.dialect == DIALECT_CXX;
        /* glibc's math.h warns of that name alone. */
        const bool warns = names_have(&clashes->hidden, "log");

        if (cxx && clashes->any_std)
                layout_string(layout, "#define __PBOTVM_NO_NAMESPACE_STD\n");
        if (warns)
                layout_string(
                        layout, "#pragma GCC diagnostic push\n#pragma GCC diagnostic ignored \"-Wcpp\"\n");
        names_hide(layout, clashes, &clashes->hidden, cxx);
        overloads_hide(layout, clashes);
        layout_string(layout, program->style->prelude);
        if (cxx && clashes->any_std)
                names_write(layout, &clashes->needed_std, "using std::", ";\n");
        names_write(layout, &clashes->hidden, "#undef ", "\n");
        names_write(layout, &clashes->overloaded, "#undef ", "\n");
        if (warns)
                layout_string(layout, "#pragma GCC diagnostic pop\n");
        /* No library may take the program's object for its function. */
        if (clashes->objects)
                layout_string(layout, "#pragma GCC visibility push(hidden)\n");
}

static int head_write(Program *program) {
        static const char include[] = "#include <prelude.h>";
        _cleanup_clashes_ Clashes clashes = {};
        const Text *text = &program->text;
        const bool own = has_include(&program->source), headers = !program->options->no_headers;
        const bool forced = program->style->force_prelude && headers;

        if (forced) {
                int r = clashes_find(&program->pieces, &clashes);
                if (r < 0)
                        return r;
        }
        /* A program that declares all that it uses needs nothing of ours. */
        const bool needless =
                program->placement.complete && !own && (clashes.replaces || (clashes.any && !clashes.needs));
        if (headers && !own && !needless)
                prelude_write(program, &clashes);
        program_head(program);
        if (forced && !needless && !memmem(text_string(text), text->size, include, strlen(include)))
                layout_string(&program->layout, "\n#include <prelude.h>\n");
        layout_newline(&program->layout);
        return 0;
}

int snippet_complete_c(const Text *code, const SnippetStyle *style, const SnippetOptions *options, Text *ret,
        bool *ret_unterminated) {
        _cleanup_program_ Program program = {};

        int r = program_read(&program, code, style, options);
        if (r != SNIPPET_COMPLETE)
                return r;

        *ret_unterminated = is_unterminated(&program.source);
        r = head_write(&program);
        if (r < 0)
                return r;
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
