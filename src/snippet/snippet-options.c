/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <strings.h>

#include "snippet/snippet.h"

void snippet_options_done(SnippetOptions *options) {
        text_done(&options->includes);
        *options = (SnippetOptions){};
}

/* An option begins with a - at the start or behind white space, outside of literals and comments. */
static bool is_option(const Source *source, size_t i) {
        const Token *token = &source->tokens[i];
        const size_t before = i > 0 ? token[-1].end : 0;

        return token->kind == TOKEN_SIGN && token->end == token->begin + 1 &&
               source->data[token->begin] == '-' && token[1].kind == TOKEN_WORD &&
               token[1].begin == token->end && (token->begin == 0 || before < token->begin);
}

static size_t skip_space(const Source *source, size_t i) {
        for (size_t n; (n = space_length(source->data, source->size, i)) > 0;)
                i += n;
        return i;
}

/* Takes the first such option, and the white space behind it, out of the code. Nothing needs to end it. */
static bool take_flag(const Source *source, Text *code, const char *name) {
        const size_t n = strlen(name);

        for (size_t i = 0; i < source->n_tokens; i++) {
                const size_t begin = source->tokens[i].begin;
                if (!is_option(source, i) || source->size - begin < n ||
                        strncasecmp(source->data + begin, name, n) != 0)
                        continue;
                const size_t behind = skip_space(source, begin + n);
                _cleanup_text_ Text rest = {};
                text_append(&rest, source->data + behind, source->size - behind);
                text_truncate(code, begin);
                text_append_text(code, &rest);
                return true;
        }
        return false;
}

/* The end of the name of an -include whose token is i, if white space follows it; 0: it is none. */
static size_t include_end(const Source *source, size_t i, size_t *ret_name) {
        if (!is_option(source, i) || !token_is(source, &source->tokens[i + 1], "include"))
                return 0;
        const size_t behind = source->tokens[i + 1].end, name = skip_space(source, behind);
        size_t end = name;
        while (end < source->size && space_length(source->data, source->size, end) == 0)
                end++;
        *ret_name = name;
        return name > behind && end > name && end < source->size ? end : 0;
}

/* Takes each -include NAME that white space follows, and that white space. */
static int take_includes(const Source *source, Text *code, Text *includes) {
        _cleanup_text_ Text rest = {};
        size_t done = 0, name = 0;

        for (size_t i = 0; i < source->n_tokens; i++) {
                const size_t end = source->tokens[i].begin < done ? 0 : include_end(source, i, &name);
                if (end == 0)
                        continue;
                text_append_printf(includes, "#include <%.*s> ", (int)(end - name), source->data + name);
                text_append(&rest, source->data + done, source->tokens[i].begin - done);
                done = skip_space(source, end);
        }
        text_append(&rest, source->data + done, source->size - done);
        if (text_failed(&rest))
                return -ENOMEM;
        text_move(code, &rest);
        return text_error(includes);
}

static int take(Text *code, Dialect dialect, SnippetOptions *options, unsigned step) {
        _cleanup_source_ Source source = {};

        int r = source_read(text_string(code), code->size, dialect, true, &source);
        if (r < 0)
                return r;
        switch (step) {
        case 0:
                options->no_main = take_flag(&source, code, "-nomain");
                break;
        case 1:
                options->no_headers = take_flag(&source, code, "-noheaders");
                break;
        default:
                r = dialect == DIALECT_JAVA ? 0 : take_includes(&source, code, &options->includes);
        }
        return r < 0 ? r : text_error(code);
}

int snippet_take_options(Text *code, Dialect dialect, SnippetOptions *ret) {
        SnippetOptions options = {};

        if (!memmem(text_string(code), code->size, "-", 1)) {
                *ret = options;
                return 0;
        }
        for (unsigned step = 0; step < 3; step++) {
                int r = take(code, dialect, &options, step);
                if (r < 0) {
                        snippet_options_done(&options);
                        return r;
                }
        }
        *ret = options;
        return 0;
}
