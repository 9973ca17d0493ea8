/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A request in the wire's form as a program for bash that does what the agent would start for it, step by
 * step, and prints a line for each: seconds, and of the processor's time those of the user and of the
 * kernel. */
#include <stdio.h>

#include "common/io.h"
#include "plan/plan.h"

static void append_words(Text *text, char **words) {
        for (char **word = words; *word; word++) {
                text_append_char(text, ' ');
                text_append_quoted(text, *word);
        }
}

static void append_step(Text *text, const Step *step) {
        text_append_string(text, "export");
        append_words(text, step->env);
        text_append_string(text, "\n{ time");
        append_words(text, step->direct ? step->direct : step->argv);
        text_append_string(text, " </dev/null >/dev/null 2>&1 3>&1; } 2>>times\n");
}

static int append_script(Text *text, const Request *request) {
        _cleanup_(plan_freep) Plan *plan = NULL;
        _cleanup_text_ Text error = {};
        int r = plan_make(request, &plan, &error);

        if (r < 0)
                return r;
        text_append_string(text, "TIMEFORMAT='%R %U %S'\nprintf %s ");
        text_append_quoted(text, text_string(&plan->source));
        text_append_string(text, " >");
        text_append_quoted(text, request->sourcefile);
        text_append_char(text, '\n');
        for (size_t i = 0; i < plan->n_steps; i++)
                append_step(text, &plan->steps[i]);
        text_append_string(text, "cat times\n");
        return text_error(text);
}

static int read_request(RequestReader *reader) {
        char buffer[65536];
        ssize_t n;
        size_t used;
        int r = 0;

        while (r == 0 && (n = io_read(STDIN_FILENO, buffer, sizeof(buffer), USEC_INFINITY)) > 0)
                r = request_reader_feed(reader, buffer, (size_t)n, &used);
        return r > 0 ? 0 : r < 0 ? r : -ENODATA;
}

int main(void) {
        RequestReader reader = {};
        _cleanup_request_ Request request = REQUEST_INIT;
        _cleanup_text_ Text error = {}, script = {};
        int r = read_request(&reader);

        if (r >= 0)
                r = request_parse(text_string(&reader.content), reader.content.size, &request, &error);
        if (r >= 0)
                r = append_script(&script, &request);
        request_reader_done(&reader);
        if (r >= 0)
                r = io_write(STDOUT_FILENO, text_string(&script), script.size, USEC_INFINITY);
        if (r < 0)
                (void)fprintf(stderr, "answer-steps: %s\n", strerror(-r));
        return r < 0;
}
