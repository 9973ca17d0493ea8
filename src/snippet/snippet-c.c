/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "snippet/scan.h"
#include "snippet/stages.h"

/* Comments count, "# include" does not. */
static int has_include(const Text *code) {
        _cleanup_text_ Text masked = {};
        int r;

        r = literals_mask(code->data, code->size, &masked);
        return r < 0 ? r : scan_contains(masked.data, masked.size, "#include");
}

/* The code with -include lines before it, in lines. */
static int code_lines(const Text *code, const SnippetOptions *options, Text *ret) {
        _cleanup_text_ Text whole = {};

        text_append_text(&whole, &options->includes);
        text_append_text(&whole, code);
        if (text_failed(&whole))
                return -ENOMEM;
        return newlines_complete(&whole, false, ret);
}

static bool line_starts_with(const Text *text, const char *line) {
        for (size_t i = 0; (i = scan_find(text->data, text->size, i, line)) != SIZE_MAX; i++)
                if (i == 0 || text->data[i - 1] == '\n')
                        return true;
        return false;
}

/* Directives, headers among them, that go before everything else. */
static int code_head(Text *code, const SnippetStyle *style, const SnippetOptions *options, Text *head,
        bool *ret_unterminated) {
        static const char *const prefixes[] = { "#", "using", NULL };
        int r;

        if (!options->no_headers) {
                r = has_include(code);
                if (r < 0)
                        return r;
                if (r == 0)
                        text_prepend(code, style->prelude, strlen(style->prelude));
        }
        r = head_split(code, prefixes, head);
        if (r < 0)
                return r;
        *ret_unterminated = directive_unterminated(code);

        if (style->force_prelude && !options->no_headers && !line_starts_with(head, "#include <prelude.h>"))
                text_append_string(head, "\n#include <prelude.h>\n");
        return text_error(head);
}

/* The rest becomes main(), or is dropped where there is or shall be none. */
static int program_join(const Text *head, Hoisted *hoisted, bool no_main, bool print, Text *ret) {
        int r;

        text_append_text(ret, head);
        text_append_char(ret, '\n');
        if (no_main || hoisted->has_main) {
                text_append_text(ret, &hoisted->functions);
                return text_error(ret);
        }

        brace_hoist(hoisted);
        if (print && !uses_debugger(&hoisted->functions)) {
                r = last_statement_print(&hoisted->rest, head);
                if (r < 0)
                        return r;
        }
        text_append_text(ret, &hoisted->functions);
        text_append_string(ret, "\nint main(int argc, char *argv[]) {\n");
        text_append_text(ret, &hoisted->rest);
        text_append_string(ret, "\n;\nreturn 0;\n}\n");
        return text_error(ret);
}

int snippet_complete_c(const Text *code, const SnippetStyle *style, const SnippetOptions *options, Text *ret,
        bool *ret_unterminated) {
        _cleanup_hoisted_ Hoisted hoisted = {};
        _cleanup_text_ Text lines = {}, head = {}, program = {};
        bool unterminated = false;
        int r;

        r = code_lines(code, options, &lines);
        if (r < 0)
                return r;
        r = code_head(&lines, style, options, &head, &unterminated);
        if (r < 0)
                return r;

        r = functions_hoist(&lines, false, style->block_comments_first, &hoisted);
        if (r != SNIPPET_COMPLETE)
                return r;
        text_trim(&hoisted.rest);
        r = braces_unwrap(&hoisted.rest);
        if (r < 0)
                return r;

        r = program_join(&head, &hoisted, options->no_main,
                style->wrap_last_statement && !options->no_headers, &program);
        if (r < 0)
                return r;
        r = program_tidy(&program, false, ret);
        if (r < 0)
                return r;
        *ret_unterminated = unterminated;
        return SNIPPET_COMPLETE;
}
