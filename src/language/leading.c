/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "language/options.h"

#define PCRE2_CODE_UNIT_WIDTH 8
#include <pcre2.h>

#include "common/log.h"
#include "common/utf8.h"

/* What almost every program takes for an option, and no language for a number. */
#define USUAL "--?[A-Za-z#?]\\S*"
/* Ours, which are taken elsewhere. */
#define STANDARD                                                                                            \
        "--?(?:no-?)?(?:info|paste)|-no(?:main|headers)|--?arg(?:ument)?s(?:=\\S*)?|--?stdin\\S*|-include|" \
        "-lang="                                                                                            \
        "\\S*"
/* The pattern is the operator's, the text a stranger's. */
#define MATCH_LIMIT 100000
/* No program takes more in front of the code. */
#define OPTIONS_MAX 256

/* Whether the language has a comment there. */
static bool is_comment(const Language *language, const char *data, size_t size) {
        SyntaxScan scan = syntax_scan(language_syntax(language), data, size, false);
        SyntaxSpan span;

        return syntax_next(&scan, &span) && span.start == 0 && span.comment;
}

typedef struct Matcher {
        pcre2_code *pattern;
        pcre2_match_data *match;
        pcre2_match_context *context;
} Matcher;

static void matcher_done(Matcher *matcher) {
        pcre2_code_free(matcher->pattern);
        pcre2_match_data_free(matcher->match);
        pcre2_match_context_free(matcher->context);
}

/* 0, -EINVAL for a pattern that is none, which is logged, or -ENOMEM. */
static int matcher_open(const Language *language, const char *more, Matcher *ret) {
        _cleanup_text_ Text pattern = {};
        int error;
        PCRE2_SIZE offset;

        text_append_printf(&pattern, "(?:%s%s)(?=\\s|$)", language->option ?: USUAL, more);
        if (text_failed(&pattern))
                return -ENOMEM;
        ret->pattern = pcre2_compile((PCRE2_SPTR)text_string(&pattern), pattern.size,
                PCRE2_ANCHORED | PCRE2_DOLLAR_ENDONLY, &error, &offset, NULL);
        if (!ret->pattern && error != PCRE2_ERROR_HEAP_FAILED) {
                log_warning("The option of language %s is no regular expression: error %i at %zu.",
                        language->name, error, (size_t)offset);
                return -EINVAL;
        }
        ret->match = pcre2_match_data_create(1, NULL);
        ret->context = pcre2_match_context_create(NULL);
        if (!ret->pattern || !ret->match || !ret->context)
                return -ENOMEM;
        (void)pcre2_set_match_limit(ret->context, MATCH_LIMIT);
        return 0;
}

/* The end of the option that begins at i; 0 if there is none. */
static size_t option_end(const Matcher *matcher, const Text *code, size_t i) {
        if (i >= code->size || code->data[i] != '-' ||
                pcre2_match(matcher->pattern, (PCRE2_SPTR)code->data, code->size, i, 0, matcher->match,
                        matcher->context) < 0)
                return 0;
        return pcre2_get_ovector_pointer(matcher->match)[1];
}

/* Whether what stands at i is not even looked at. */
static bool begins_otherwise(const Language *language, const Text *code, size_t i) {
        return i >= code->size || code->data[i] != '-' ||
               (!language->option && is_comment(language, code->data + i, code->size - i));
}

int command_options_take(const Language *language, Text *code, Text *options) {
        _cleanup_(matcher_done) Matcher matcher = {};
        size_t taken = 0, i = space_size(text_string(code), code->size), end;

        if (begins_otherwise(language, code, i))
                return 0;
        int r = matcher_open(language, "", &matcher);
        if (r < 0)
                return r == -EINVAL ? 0 : r;

        for (size_t n = 0; n < OPTIONS_MAX && (end = option_end(&matcher, code, i)) > 0; n++) {
                if (options->size > 0)
                        text_append_char(options, ' ');
                text_append(options, code->data + i, end - i);
                taken = i = end + space_size(code->data + end, code->size - end);
        }
        text_consume(code, taken);
        return text_error(options);
}

bool options_begin(const Language *language, const Text *code) {
        _cleanup_(matcher_done) Matcher matcher = {};
        size_t i = space_size(text_string(code), code->size);

        if (i >= code->size || code->data[i] != '-')
                return true;
        if (begins_otherwise(language, code, i))
                return false;
        return matcher_open(language, "|" STANDARD, &matcher) >= 0 && option_end(&matcher, code, i) > 0;
}
