/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "snippet/scan.h"
#include "snippet/source-copy.h"
#include "snippet/stages.h"

/* The word import with white space behind it, outside of literals. */
static int has_import(const Text *code) {
        _cleanup_text_ Text masked = {};
        Span word;
        int r;

        r = literals_mask(code->data, code->size, &masked);
        if (r < 0)
                return r;
        for (size_t i = 0; scan_next_word(masked.data, masked.size, &i, &word);)
                if (span_equals(masked.data, word, "import") &&
                        scan_space(masked.data, masked.size, word.end))
                        return true;
        return false;
}

static int code_head(Text *code, const SnippetStyle *style, const SnippetOptions *options, Text *head) {
        static const char *const prefixes[] = { "import", NULL };
        int r;

        if (!options->no_headers) {
                r = has_import(code);
                if (r < 0)
                        return r;
                if (r == 0)
                        text_prepend(code, style->prelude, strlen(style->prelude));
        }
        return head_split(code, prefixes, head);
}

/* How many braces are open at the end of the text. */
static int open_braces(const Text *text, size_t *ret) {
        _cleanup_source_copy_ SourceCopy copy = {};
        size_t depth = 0;
        int r;

        r = source_copy_make(text, false, &copy);
        if (r < 0)
                return r;
        for (size_t i = 0; i < copy.masked.size; i++)
                if (copy.masked.data[i] == '{')
                        depth++;
                else if (copy.masked.data[i] == '}' && depth > 0)
                        depth--;
        *ret = depth;
        return 0;
}

/* The user's own main() (or -nomain): nothing is made around it but a class, where there is none. Where it
 * stood in a class, that class goes on in the rest, which PBot drops. */
static int program_keep(const Text *head, const Hoisted *hoisted, Text *ret) {
        size_t depth;
        int r;

        r = open_braces(&hoisted->functions, &depth);
        if (r < 0)
                return r;

        text_append_text(ret, head);
        text_append_char(ret, '\n');
        if (depth > 0 || !hoisted->has_main) {
                text_append_text(ret, &hoisted->functions);
                if (depth > 0)
                        text_append_text(ret, &hoisted->rest);
                return text_error(ret);
        }
        text_append_string(ret, "class prog {\n");
        text_append_text(ret, &hoisted->functions);
        text_append_string(ret, "\n}");
        return text_error(ret);
}

static int program_join(const Text *head, Hoisted *hoisted, Text *ret) {
        brace_hoist(hoisted);
        text_append_text(ret, head);
        text_append_string(ret, "\nclass prog {\n");
        text_append_text(ret, &hoisted->functions);
        text_append_string(ret, "\npublic static void main(String[] args) {\n");
        text_append_text(ret, &hoisted->rest);
        text_append_string(ret, "\n;\n}\n}");
        return text_error(ret);
}

int snippet_complete_java(
        const Text *code, const SnippetStyle *style, const SnippetOptions *options, Text *ret) {
        _cleanup_hoisted_ Hoisted hoisted = {};
        _cleanup_text_ Text lines = {}, head = {}, program = {};
        int r;

        r = newlines_complete(code, true, &lines);
        if (r < 0)
                return r;
        r = code_head(&lines, style, options, &head);
        if (r < 0)
                return r;
        r = functions_hoist(&lines, true, false, &hoisted);
        if (r != SNIPPET_COMPLETE)
                return r;
        text_trim(&hoisted.rest);
        r = braces_unwrap(&hoisted.rest);
        if (r < 0)
                return r;

        r = hoisted.has_main || options->no_main ? program_keep(&head, &hoisted, &program)
                                                 : program_join(&head, &hoisted, &program);
        if (r < 0)
                return r;
        r = program_tidy(&program, true, ret);
        return r < 0 ? r : SNIPPET_COMPLETE;
}
