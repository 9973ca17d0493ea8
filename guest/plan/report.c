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

/* A text, and whose its words are. */
typedef struct Said {
        Text text;
        Parts parts;
} Said;

static void said_done(Said *said) {
        text_done(&said->text);
        parts_done(&said->parts);
}
#define _cleanup_said_ _cleanup_(said_done)

static bool said_failed(const Said *said) {
        return text_failed(&said->text) || said->parts.failed;
}

/* What was appended since the last call is who's. */
static void said_by(Said *said, Who who) {
        parts_extend(&said->parts, who, said->text.size);
}

static void said_append(Said *said, const Said *other) {
        text_append_text(&said->text, &other->text);
        parts_append(&said->parts, &other->parts);
        said->text.failed |= said_failed(other);
}

/* The first size bytes of a stream: those that the notes tell of are whose they say, the rest is who's. */
static void append_stream(Said *said, const char *data, size_t size, const Parts *notes, Who who) {
        size_t used = 0;

        for (size_t i = 0; i < notes->n && used < size; i++) {
                size_t n = MIN(notes->list[i].size, size - used);

                utf8_append_valid(&said->text, data + used, n);
                said_by(said, notes->list[i].who);
                used += n;
        }
        utf8_append_valid(&said->text, data + used, size - used);
        said_by(said, who);
}

/* How much of the program's output is shown: all, or up to the end of the line that reaches the limit. */
static size_t shown_size(const Plan *plan, const Text *out) {
        const char *end;

        if (plan->shown_bytes == 0 || out->size <= plan->shown_bytes)
                return out->size;
        end = memchr(out->data + plan->shown_bytes - 1, '\n', out->size - plan->shown_bytes + 1);
        return end ? (size_t)(end - out->data) + 1 : out->size;
}

/* STDERR, a blank if there is any, STDOUT, of which out_size bytes; err and out: whose they are. */
static void append_output(Said *said, const StepOutcome *step, size_t out_size, Who err, Who out) {
        append_stream(said, text_string(&step->err), step->err.size, &step->notes[NOTES_ERR], err);
        if (step->err.size > 0)
                text_append_char(&said->text, ' ');
        said_by(said, WHO_AGENT);
        append_stream(said, text_string(&step->out), out_size, &step->notes[NOTES_OUT], out);
}

/* White space at the end becomes one newline. */
static void trim(Said *said) {
        text_truncate(&said->text, utf8_trimmed_size(text_string(&said->text), said->text.size));
        parts_truncate(&said->parts, said->text.size);
        if (said->text.size > 0)
                text_append_char(&said->text, '\n');
        said_by(said, WHO_AGENT);
}

static void append_start_error(Said *said, const Step *step, const StepOutcome *outcome) {
        if (outcome->start_errno == ENOENT)
                text_append_printf(&said->text, "Command '%s' not found.\n ", step->argv[0]);
        else
                text_append_printf(&said->text, "Command '%s' could not be started: %s.\n ", step->argv[0],
                        strerrordesc_np(outcome->start_errno));
        said_by(said, WHO_AGENT);
}

/* A compiler's text goes in front of the program's, in brackets. */
static void append_diagnostics(Said *said, const Text *diagnostics) {
        size_t size = utf8_trimmed_size(text_string(diagnostics), diagnostics->size), start = 0;

        while (start < size && strchr(" \t\r\n", diagnostics->data[start]))
                start++;
        if (start == size)
                return;
        text_append_char(&said->text, '[');
        text_append(&said->text, diagnostics->data + start, size - start);
        text_append_string(&said->text, "]\n");
        said_by(said, WHO_COMPILER);
}

static void finish(Said *said, const Request *request, Notes *notes, bool silent) {
        const char *note = text_string(&notes->text);
        Text *text = &said->text;

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
        said_by(said, WHO_AGENT);
}

/* A compiler that failed, or after which nothing is run: its text alone. */
static void report_compiler(const Request *request, const Plan *plan, const JobOutcome *outcome,
        const Said *diagnostics, Said *said) {
        Notes notes = {};
        const StepOutcome *step = &outcome->steps[0];
        bool silent = diagnostics->text.size == 0;

        note_limits(&notes, outcome);
        /* PBot names no status of a C compiler; a signal, or a failure without a word, must be told. */
        if (!ended_by_limit(outcome) && (plan->status_of_compiler || silent || WIFSIGNALED(step->status)))
                note_status(&notes, plan, step, false);
        said_append(said, diagnostics);
        finish(said, request, &notes, silent);
        text_done(&notes.text);
}

/* Whose standard error is. An interpreter that refuses a program says so there before that prints anything;
 * a sanitizer ends the program that it reports. */
static Who whose_err(const Plan *plan, const StepOutcome *step) {
        bool failed = step->ended && step->status != 0;

        if (failed && plan->sanitized)
                return WHO_DEBUGGER;
        return failed && !plan->compiles && step->out.size == 0 ? WHO_COMPILER : WHO_PROGRAM;
}

static void report_program(const Request *request, const Plan *plan, const JobOutcome *outcome,
        const Said *diagnostics, Said *said) {
        const StepOutcome *step = &outcome->steps[plan->n_steps - 1];
        _cleanup_said_ Said output = {};
        Notes notes = {};

        append_diagnostics(said, &diagnostics->text);
        if (step->start_errno > 0)
                append_start_error(&output, &plan->steps[plan->n_steps - 1], step);
        else {
                append_output(
                        &output, step, shown_size(plan, &step->out), whose_err(plan, step), WHO_PROGRAM);
                if (plan->trimmed && step->out.size > 0)
                        trim(&output);
        }
        said_append(said, &output);
        note_limits(&notes, outcome);
        if (!ended_by_limit(outcome))
                note_status(&notes, plan, step, true);
        if (said->text.size > 0 && output.text.size == 0)
                text_append_char(&said->text, '\n');
        finish(said, request, &notes, output.text.size == 0);
        text_done(&notes.text);
}

/* What the compiler said. */
static void collect_diagnostics(const Plan *plan, const JobOutcome *outcome, Said *said) {
        const StepOutcome *step = &outcome->steps[0];

        if (plan->compiles && step->start_errno > 0)
                append_start_error(said, &plan->steps[0], step);
        else if (plan->compiles)
                append_output(said, step, step->out.size, WHO_COMPILER, WHO_COMPILER);
}

void step_outcome_done(StepOutcome *outcome) {
        text_done(&outcome->out);
        text_done(&outcome->err);
        for (size_t i = 0; i < ELEMENTSOF(outcome->notes); i++)
                parts_done(&outcome->notes[i]);
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
        _cleanup_said_ Said diagnostics = {}, said = {};
        int r;

        collect_diagnostics(plan, outcome, &diagnostics);
        if (ran || (plan->n_steps > 1 && outcome->steps[1].start_errno > 0))
                report_program(request, plan, outcome, &diagnostics, &said);
        else
                report_compiler(request, plan, outcome, &diagnostics, &said);
        if (said_failed(&diagnostics) || said_failed(&said))
                return -ENOMEM;
        r = fill_members(plan, outcome, ret);
        if (r < 0)
                return r;
        text_move(&ret->result, &said.text);
        parts_move(&ret->parts, &said.parts);
        return 0;
}
