/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <strings.h>

#include "snippet/scan.h"
#include "snippet/snippet.h"

void snippet_options_done(SnippetOptions *options) {
        text_done(&options->includes);
        *options = (SnippetOptions){};
}

/* Whether what stands before i lets an option begin there: the start, or white space. */
static bool option_may_begin(const Text *code, size_t i) {
        if (i == 0)
                return true;

        size_t begin = i - 1;
        while (begin > 0 && ((uint8_t)code->data[begin] & 0xC0) == 0x80)
                begin--;
        return scan_space(code->data, i, begin) == i - begin;
}

/* Takes the first such option, and the white space behind it, out of the code. Nothing needs to end it. */
static bool take_flag(Text *code, const char *name) {
        const size_t n = strlen(name);

        for (size_t i = 0; i + n <= code->size; i++) {
                if (code->data[i] != '-' || strncasecmp(code->data + i, name, n) != 0 ||
                        !option_may_begin(code, i))
                        continue;

                _cleanup_text_ Text rest = {};
                size_t behind = scan_skip_space(code->data, code->size, i + n);
                text_append(&rest, code->data + behind, code->size - behind);
                text_truncate(code, i);
                text_append_text(code, &rest);
                return true;
        }
        return false;
}

/* Takes each -include NAME that white space follows, and that white space. */
static int take_includes(Text *code, Text *includes) {
        static const char option[] = "-include";
        _cleanup_text_ Text rest = {};
        size_t done = 0, i = 0;

        while ((i = scan_find(code->data, code->size, i, option)) != SIZE_MAX) {
                size_t name = scan_skip_space(code->data, code->size, i + strlen(option));
                size_t end = name;
                while (end < code->size && scan_space(code->data, code->size, end) == 0)
                        end++;
                size_t behind = scan_skip_space(code->data, code->size, end);

                if (name == i + strlen(option) || end == name || behind == end ||
                        !option_may_begin(code, i)) {
                        i++;
                        continue;
                }
                text_append_string(includes, "#include <");
                text_append(includes, code->data + name, end - name);
                text_append_string(includes, "> ");
                text_append(&rest, code->data + done, i - done);
                done = i = behind;
        }
        if (done == 0)
                return text_error(includes);

        text_append(&rest, code->data + done, code->size - done);
        if (text_failed(&rest))
                return -ENOMEM;
        text_move(code, &rest);
        return text_error(includes);
}

int snippet_take_options(Text *code, bool includes, SnippetOptions *ret) {
        SnippetOptions options = {};
        int r;

        options.no_main = take_flag(code, "-nomain");
        options.no_headers = take_flag(code, "-noheaders");
        r = text_error(code);
        if (r >= 0 && includes)
                r = take_includes(code, &options.includes);
        if (r < 0) {
                snippet_options_done(&options);
                return r;
        }
        *ret = options;
        return 0;
}
