/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "pipeline/document.h"

#include "common/utf8.h"

#define LINE_MAX_BYTES 120

/* The first white space behind 120 bytes of a line becomes a newline, again and again. */
static void wrap_lines(Text *text) {
        size_t column = 0;

        for (size_t i = 0; i < text->size; i++) {
                char c = text->data[i];
                bool space = c == ' ' || (c >= '\t' && c <= '\r');
                if (space && column >= LINE_MAX_BYTES)
                        c = text->data[i] = '\n';
                column = c == '\n' ? 0 : column + 1;
        }
}

int document_append(Text *document, const Language *language, const Request *request, const char *stdin_text,
        const Text *output) {
        _cleanup_text_ Text d = {};

        text_append_text(&d, &request->code);
        text_append_string(&d, "\n\n");
        text_append_string(&d, language->comments[0]);
        text_append_printf(&d, "%s\n", request->cmdline);
        if (!isempty(request->arguments))
                text_append_printf(&d, "arguments: %s\n", request->arguments);
        if (!isempty(stdin_text) && !streq(stdin_text, "0"))
                text_append_printf(&d, "stdin: %s\n", stdin_text);
        text_append_string(&d, language->comments[1]);
        text_append_char(&d, '\n');
        text_append_string(&d, language->comments[2]);
        text_append(&d, text_string(output), utf8_trimmed_size(text_string(output), output->size));
        text_append_char(&d, '\n');
        text_append_string(&d, language->comments[3]);
        if (text_failed(&d))
                return -ENOMEM;
        wrap_lines(&d);
        text_append_text(document, &d);
        return text_error(document);
}
