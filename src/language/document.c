/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "language/document.h"

#include "common/utf8.h"

#define LINE_BYTES 120

/* Where white space has 120 bytes of its line before it, it becomes a newline. */
static void break_lines(Text *text) {
        size_t line = 0; /* bytes of it so far */

        for (size_t i = 0; i < text->size; i++) {
                char c = text->data[i];
                if (line >= LINE_BYTES && (c == ' ' || (c >= '\t' && c <= '\r')))
                        c = text->data[i] = '\n';
                line = c == '\n' ? 0 : line + 1;
        }
}

int document_write(const Document *document, const PasteComments *comments, Text *ret) {
        const Text *output = document->output;
        _cleanup_text_ Text text = {};

        text_append_text(&text, document->code);
        text_append_string(&text, "\n\n");
        text_append_string(&text, comments->command_open);
        text_append_printf(&text, "%s\n", document->command);
        if (*document->arguments)
                text_append_printf(&text, "arguments: %s\n", document->arguments);
        if (document->input) {
                text_append_string(&text, "stdin: ");
                text_append_text(&text, document->input);
                text_append_char(&text, '\n');
        }
        text_append_string(&text, comments->command_close);
        text_append_char(&text, '\n');

        text_append_string(&text, comments->output_open);
        text_append(&text, text_string(output), utf8_trimmed_size(text_string(output), output->size));
        text_append_char(&text, '\n');
        text_append_string(&text, comments->output_close);
        if (text_failed(&text))
                return -ENOMEM;

        break_lines(&text);
        text_append_text(ret, &text);
        return text_error(ret);
}
