/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "edit/substitute.h"

#define PCRE2_CODE_UNIT_WIDTH 8
#include <pcre2.h>

#include "edit/perl-pattern.h"
#include "edit/regex-error.h"

/* A stranger's pattern gets 16 MiB and a bounded number of steps. Neither bounds the time: one step may run
 * over the whole text, and a global substitution starts anew after each match. So PCRE2 is made to call back
 * before each item of the pattern (automatic callouts), and there the processor's clock is read now and
 * then. */
/* Bytes; PCRE2 takes a millisecond for some eight of them, at worst. */
#define PATTERN_SIZE_MAX 2048
#define HEAP_LIMIT_KIB (16 * 1024)
#define MATCH_LIMIT 10000000
#define DEPTH_LIMIT 100000
#define CALLOUTS_A_LOOK 64

#define COMPILE_OPTIONS                                                                                     \
        (PCRE2_UTF | PCRE2_UCP | PCRE2_DUPNAMES | PCRE2_NEVER_BACKSLASH_C | PCRE2_AUTO_CALLOUT)

static void code_freep(pcre2_code **code) {
        pcre2_code_free(*code);
}
static void compile_context_freep(pcre2_compile_context **context) {
        pcre2_compile_context_free(*context);
}
static void match_context_freep(pcre2_match_context **context) {
        pcre2_match_context_free(*context);
}
static void match_data_freep(pcre2_match_data **data) {
        pcre2_match_data_free(*data);
}

typedef struct Callout {
        Budget *budget;
        unsigned count;
} Callout;

static int on_callout(pcre2_callout_block *block _unused_, void *userdata) {
        Callout *callout = userdata;

        if (++callout->count % CALLOUTS_A_LOOK != 0)
                return 0;
        return budget_spent(callout->budget) ? PCRE2_ERROR_MATCHLIMIT : 0;
}

/* Escapes that PCRE2 does not know; Perl warns and takes the character itself. */
static bool is_unknown_escape(int error) {
        return error == PCRE2_ERROR_UNKNOWN_ESCAPE || error == PCRE2_ERROR_UNSUPPORTED_ESCAPE_SEQUENCE ||
               error == PCRE2_ERROR_INVALID_HEXADECIMAL || error == PCRE2_ERROR_INVALID_OCTAL;
}

/* 1 and *ret, 0 for a pattern that Perl takes but that cannot match, or -EINVAL with the error. */
static int compile(const Step *step, pcre2_code **ret, Text *error) {
        _cleanup_(compile_context_freep) pcre2_compile_context *context = pcre2_compile_context_create(NULL);
        uint32_t options = COMPILE_OPTIONS | (step->ignore_case ? PCRE2_CASELESS : 0);
        _cleanup_text_ Text pattern = {};
        int code;
        PCRE2_SIZE offset;

        if (!context)
                return -ENOMEM;

        (void)pcre2_set_max_pattern_length(context, PATTERN_SIZE_MAX);
        perl_pattern_write(step->text, &pattern);
        if (text_failed(&pattern))
                return -ENOMEM;
        PCRE2_SPTR written = (PCRE2_SPTR)text_string(&pattern);
        pcre2_code *compiled = pcre2_compile(written, pattern.size, options, &code, &offset, context);
        if (!compiled && is_unknown_escape(code)) {
                pcre2_set_compile_extra_options(context, PCRE2_EXTRA_BAD_ESCAPE_IS_LITERAL);
                compiled = pcre2_compile(written, pattern.size, options, &code, &offset, context);
        }
        if (compiled) {
                *ret = compiled;
                return 1;
        }
        if (code == PCRE2_ERROR_HEAP_FAILED)
                return -ENOMEM;
        if (code == PCRE2_ERROR_QUANTIFIER_OUT_OF_ORDER)
                return 0;
        regex_error_append(error, code, step->text, perl_pattern_place(step->text, offset));
        return -EINVAL;
}

static void append_group(
        Text *out, const Text *code, const PCRE2_SIZE *ovector, uint32_t pairs, uint32_t n) {
        if (n < pairs && ovector[2 * n] != PCRE2_UNSET)
                text_append(out, code->data + ovector[2 * n], ovector[2 * n + 1] - ovector[2 * n]);
}

/* Appends TO with its variables filled in. A backslash takes their meaning from the slash and the dollar
 * sign; before anything else it is one of the code's own. */
static void append_replacement(
        Text *out, const Text *code, Slice to, const PCRE2_SIZE *ovector, uint32_t pairs) {
        for (size_t i = 0; i < to.size && out->size <= EDIT_SIZE_MAX; i++) {
                char c = to.data[i], behind = i + 1 < to.size ? to.data[i + 1] : '\0';
                char next = c == '$' ? behind : '\0';

                if (c == '\\' && (behind == '/' || behind == '$'))
                        text_append_char(out, behind);
                else if (c == '\\' && behind == '\\')
                        text_append_string(out, "\\\\");
                else if (next >= '1' && next <= '9')
                        append_group(out, code, ovector, pairs, (uint32_t)(next - '0'));
                else if (next == '&')
                        append_group(out, code, ovector, pairs, 0);
                else if (next == '`')
                        text_append(out, code->data, ovector[0]);
                else if (next == '\'')
                        text_append(out, code->data + ovector[1], code->size - ovector[1]);
                else {
                        text_append_char(out, c);
                        continue;
                }
                i++;
        }
}

static int refuse(Text *error, const char *text) {
        text_append_string(error, text);
        return -EINVAL;
}

static int match_failure(int code, Text *error) {
        switch (code) {
        case PCRE2_ERROR_NOMATCH:
                return 0;
        case PCRE2_ERROR_NOMEMORY:
                return -ENOMEM;
        default:
                return refuse(error, EDIT_TOO_SLOW);
        }
}

/* The matches one after another, from left to right. As in Perl, a match may be empty, but not at the place
 * where the one before it was empty too. */
static int replace_matches(const Text *code, const Step *step, const pcre2_code *pattern,
        pcre2_match_data *data, pcre2_match_context *context, Text *out, Text *error) {
        const PCRE2_SIZE *ovector = pcre2_get_ovector_pointer(data);
        uint32_t pairs = pcre2_get_ovector_count(data), options = PCRE2_NO_UTF_CHECK;
        size_t at = 0, copied = 0;
        bool any = false;

        do {
                int r = pcre2_match(pattern, (PCRE2_SPTR)code->data, code->size, at, options, data, context);
                if (r < 0) {
                        r = match_failure(r, error);
                        if (r < 0)
                                return r;
                        break;
                }
                /* With \K in a lookahead, a match may start behind its own end, or before the last one. */
                if (ovector[0] > ovector[1] || ovector[0] < copied)
                        break;

                any = true;
                text_append(out, code->data + copied, ovector[0] - copied);
                append_replacement(out, code, step->to, ovector, pairs);
                if (out->size > EDIT_SIZE_MAX)
                        return refuse(error, EDIT_TOO_LONG);
                at = copied = ovector[1];
                options = PCRE2_NO_UTF_CHECK | (ovector[0] == ovector[1] ? PCRE2_NOTEMPTY_ATSTART : 0);
        } while (step->global);

        text_append(out, code->data + copied, code->size - copied);
        return any;
}

int substitute(const Text *code, const Step *step, Budget *budget, Text *ret, Text *error) {
        _cleanup_(code_freep) pcre2_code *pattern = NULL;
        _cleanup_(match_context_freep) pcre2_match_context *context = NULL;
        _cleanup_(match_data_freep) pcre2_match_data *data = NULL;
        _cleanup_text_ Text out = {}, subject = {};
        Callout callout = { .budget = budget };

        if (step->text.size == 0)
                return 0;
        if (budget_spent(budget))
                return refuse(error, EDIT_TOO_SLOW);

        int r = compile(step, &pattern, error);
        if (r <= 0)
                return r;
        context = pcre2_match_context_create(NULL);
        data = pcre2_match_data_create_from_pattern(pattern, NULL);
        if (!context || !data)
                return -ENOMEM;
        pcre2_set_match_limit(context, MATCH_LIMIT);
        pcre2_set_heap_limit(context, HEAP_LIMIT_KIB);
        pcre2_set_depth_limit(context, DEPTH_LIMIT);
        pcre2_set_callout(context, on_callout, &callout);

        text_append_text(&subject, code); /* an empty text has no data, which PCRE2 would refuse */
        text_append(&subject, "", 0);
        if (text_failed(&subject))
                return -ENOMEM;
        r = replace_matches(&subject, step, pattern, data, context, &out, error);
        if (r <= 0)
                return r;
        if (text_failed(&out))
                return -ENOMEM;
        if (out.size > EDIT_SIZE_MAX)
                return refuse(error, EDIT_TOO_LONG);
        text_move(ret, &out);
        return 1;
}
