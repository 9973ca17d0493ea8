/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The texts of a job, PBot's where it has one: what the program wrote to stderr, a blank, what it wrote to
 * stdout, and in brackets how it ended. */
#include "plan/plan.h"

#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <sys/wait.h>

#include "common/utf8.h"

/* One bracketed note at the end of a result, or, when there is no output, the whole of it. */
typedef struct Notes {
        Text text;
        bool dot; /* an exit status alone stands as a sentence: "Exit 1." */
} Notes;

static void add_note(Notes *notes, const char *note) {
        text_append_printf(&notes->text, " [%s]", note);
        notes->dot = false;
}

static void append_signal(Text *text, int number) {
        const char *name = sigabbrev_np(number), *meaning = sigdescr_np(number);

        if (name)
                text_append_printf(text, "%s (SIG%s)", meaning, name);
        else
                text_append_printf(text, "Signal %i", number);
}

/* What ended the last step: a status or a signal. */
static void note_status(Notes *notes, const Plan *plan, const StepOutcome *step, bool last) {
        _cleanup_text_ Text note = {};
        bool others = notes->text.size > 0;

        if (!step->ended)
                return;
        if (WIFSIGNALED(step->status) && !(plan->debugged && last))
                append_signal(&note, WTERMSIG(step->status));
        else if (WIFEXITED(step->status) && WEXITSTATUS(step->status) != 0)
                text_append_printf(&note, "Exit %i", WEXITSTATUS(step->status));
        else
                return;
        add_note(notes, text_string(&note));
        notes->dot = !others;
}

static void note_limits(Notes *notes, const JobOutcome *outcome) {
        char truncated[80];

        if (outcome->truncated > 0) {
                (void)snprintf(truncated, sizeof(truncated), "Output truncated at %" PRIu64 " bytes",
                        outcome->output_limit);
                add_note(notes, truncated);
        }
        if (outcome->disk_full)
                add_note(notes, "Disk limit reached");
        if (outcome->processes_exceeded)
                add_note(notes, "Process limit reached");
        if (outcome->oom)
                add_note(notes, "Out of memory");
        if (outcome->cpu_exceeded)
                add_note(notes, "CPU time limit exceeded");
        if (outcome->timed_out)
                add_note(notes, "Timed-out");
}

/* Limits that end a job: the signal that did it tells nothing more. */
static bool ended_by_limit(const JobOutcome *outcome) {
        return outcome->timed_out || outcome->cpu_exceeded || outcome->oom;
}

static void append_valid(Text *text, const Text *bytes) {
        utf8_append_valid(text, text_string(bytes), bytes->size);
}

/* How much of the program's output is shown: all, or up to the end of the line that reaches the limit. */
static size_t shown_size(const Plan *plan, const Text *out) {
        const char *end;

        if (plan->shown_bytes == 0 || out->size <= plan->shown_bytes)
                return out->size;
        end = memchr(out->data + plan->shown_bytes - 1, '\n', out->size - plan->shown_bytes + 1);
        return end ? (size_t)(end - out->data) + 1 : out->size;
}

/* STDERR, a blank if there is any, STDOUT, of which out_size bytes. */
static void append_output(Text *text, const StepOutcome *step, size_t out_size, bool trimmed) {
        append_valid(text, &step->err);
        if (step->err.size > 0)
                text_append_char(text, ' ');
        utf8_append_valid(text, text_string(&step->out), out_size);
        if (trimmed && step->out.size > 0)
                text_truncate(text, utf8_trimmed_size(text_string(text), text->size));
        if (trimmed && step->out.size > 0 && text->size > 0)
                text_append_char(text, '\n');
}

static void append_start_error(Text *text, const Step *step, const StepOutcome *outcome) {
        if (outcome->start_errno == ENOENT)
                text_append_printf(text, "Command '%s' not found.\n ", step->argv[0]);
        else
                text_append_printf(text, "Command '%s' could not be started: %s.\n ", step->argv[0],
                        strerrordesc_np(outcome->start_errno));
}

/* A compiler's text goes in front of the program's, in brackets. */
static void append_diagnostics(Text *text, const Text *diagnostics) {
        size_t size = utf8_trimmed_size(text_string(diagnostics), diagnostics->size), start = 0;

        while (start < size && strchr(" \t\r\n", diagnostics->data[start]))
                start++;
        if (start == size)
                return;
        text_append_char(text, '[');
        text_append(text, diagnostics->data + start, size - start);
        text_append_string(text, "]\n");
}

static void finish(Text *text, const Request *request, Notes *notes, bool silent) {
        const char *note = text_string(&notes->text);

        if (silent && notes->text.size == 0)
                text_append_string(text, !isempty(request->factoid) ? "" : "Success (no output).");
        else if (silent && notes->dot && !isempty(request->factoid))
                ; /* a factoid that says nothing shall say nothing */
        else if (silent && notes->dot)
                text_append_printf(text, "%.*s.", (int)notes->text.size - 3, note + 2);
        else if (silent)
                text_append_string(text, note + 1);
        else
                text_append_text(text, &notes->text);
        if (text->size == 0 || text->data[text->size - 1] != '\n')
                text_append_char(text, '\n');
}

/* A compiler that failed, or after which nothing is run: its text alone. */
static void report_compiler(
        const Request *request, const Plan *plan, const JobOutcome *outcome, const Text *said, Text *text) {
        Notes notes = {};
        const StepOutcome *step = &outcome->steps[0];

        note_limits(&notes, outcome);
        /* PBot names no status of a C compiler; a signal, or a failure without a word, must be told. */
        if (!ended_by_limit(outcome) &&
                (plan->status_of_compiler || said->size == 0 || WIFSIGNALED(step->status)))
                note_status(&notes, plan, step, false);
        text_append_text(text, said);
        finish(text, request, &notes, said->size == 0);
        text_done(&notes.text);
}

static void report_program(
        const Request *request, const Plan *plan, const JobOutcome *outcome, const Text *said, Text *text) {
        const StepOutcome *step = &outcome->steps[plan->n_steps - 1];
        _cleanup_text_ Text output = {};
        Notes notes = {};

        append_diagnostics(text, said);
        if (step->start_errno > 0)
                append_start_error(&output, &plan->steps[plan->n_steps - 1], step);
        else
                append_output(&output, step, shown_size(plan, &step->out), plan->trimmed);
        text_append_text(text, &output);
        note_limits(&notes, outcome);
        if (!ended_by_limit(outcome))
                note_status(&notes, plan, step, true);
        if (text->size > 0 && output.size == 0)
                text_append_char(text, '\n');
        finish(text, request, &notes, output.size == 0);
        text->failed |= text_failed(&output);
        text_done(&notes.text);
}

/* What the compiler said. */
static void collect_diagnostics(const Plan *plan, const JobOutcome *outcome, Text *said) {
        const StepOutcome *step = &outcome->steps[0];

        if (plan->compiles && step->start_errno > 0)
                append_start_error(said, &plan->steps[0], step);
        else if (plan->compiles)
                append_output(said, step, step->out.size, false);
}

static int fill_members(const Plan *plan, const JobOutcome *outcome, Reply *ret) {
        const StepOutcome *step = &outcome->steps[0];

        if (plan->n_steps > 1 && outcome->steps[1].started)
                step = &outcome->steps[1];
        ret->present = true;
        ret->exited = step->ended && step->start_errno == 0 && WIFEXITED(step->status);
        ret->exit_status = ret->exited ? WEXITSTATUS(step->status) : 0;
        ret->timed_out = outcome->timed_out;
        ret->oom = outcome->oom;
        ret->truncated = outcome->truncated;
        if (step == &outcome->steps[1])
                ret->truncated += step->out.size - shown_size(plan, &step->out);
        ret->cpu_usec = outcome->cpu_usec;
        ret->wall_usec = outcome->wall_usec;
        ret->max_rss_bytes = outcome->max_rss_bytes;
        if (step->ended && step->start_errno == 0 && WIFSIGNALED(step->status)) {
                _cleanup_text_ Text name = {};
                int number = WTERMSIG(step->status);

                if (sigabbrev_np(number))
                        text_append_printf(&name, "SIG%s", sigabbrev_np(number));
                else
                        text_append_printf(&name, "SIG%i", number);
                return text_steal(&name, &ret->signal, NULL);
        }
        return 0;
}

int report_make(const Request *request, const Plan *plan, const JobOutcome *outcome, Reply *ret) {
        bool ran = !plan->compiles || (plan->n_steps > 1 && outcome->steps[1].started);
        _cleanup_text_ Text said = {}, text = {};
        int r;

        collect_diagnostics(plan, outcome, &said);
        if (ran || (plan->n_steps > 1 && outcome->steps[1].start_errno > 0))
                report_program(request, plan, outcome, &said, &text);
        else
                report_compiler(request, plan, outcome, &said, &text);
        if (text_failed(&said) || text_failed(&text))
                return -ENOMEM;
        r = fill_members(plan, outcome, ret);
        if (r < 0)
                return r;
        text_move(&ret->result, &text);
        return 0;
}
