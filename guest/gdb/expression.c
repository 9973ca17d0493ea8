/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "gdb/expression.h"

#include "plan/scan.h"

/* As many as gdb prints of an array that it takes. */
#define ELEMENTS 200

void expression_append_c(Text *text, const char *expression) {
        const char *end = expression + strlen(expression), *told = expression;
        Scanner scanner = { .p = expression, .end = end };

        for (Token token; (token = scan(&scanner)).kind != TOKEN_END;) {
                /* One with a prefix is of a type of its own for both. */
                if (token.kind != TOKEN_CHARACTER || token.data[0] != '\'')
                        continue;
                text_append(text, told, (size_t)(token.data - told));
                text_append_printf(text, "((int)%.*s)", (int)token.size, token.data);
                told = token.data + token.size;
        }
        text_append_string(text, told);
}

/* "{1, 2, 3}" becomes "{1, 2, 3...}", as gdb itself says that there is more. */
static void tell_more(Text *console) {
        const char *close = console->size > 0 ? memrchr(console->data, '}', console->size) : NULL;

        if (!close)
                return;
        text_truncate(console, (size_t)(close - console->data));
        text_append_string(console, "...}\n");
}

int expression_print(Session *session, MiRecord **ret, const char *expression) {
        _cleanup_mi_record_ MiRecord *record = NULL;
        _cleanup_text_ Text command = {}, beginning = {};
        int r;

        text_append_printf(&command, "print %s", expression);
        text_append_printf(&beginning, "print (%s)[0]@%i", expression, ELEMENTS);
        if (text_failed(&command) || text_failed(&beginning))
                return -ENOMEM;
        r = session_console(session, &record, text_string(&command));
        if (r == 0 && strstr(session_error(record), "max-value-size")) {
                record = mi_record_free(record);
                r = session_console(session, &record, text_string(&beginning));
                if (r > 0)
                        tell_more(&session->console);
        }
        if (ret)
                *ret = TAKE_PTR(record);
        return r < 0 ? r : text_failed(&session->console) ? -ENOMEM : r;
}
