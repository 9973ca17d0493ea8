/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "edit/edit.h"

#include "common/utf8.h"
#include "edit/code-list.h"
#include "edit/diff.h"
#include "edit/replace.h"
#include "edit/substitute.h"

/* One line's way through the history. Positions count from the newest: a copied code first, then those of
 * the list, then, once anything was ever kept there, the empty code that was before the first. */
typedef struct Session {
        const Command *command;
        Edit *edit; /* what comes out of it */
        Budget budget;
        CodeList list;
        Text copied;
        bool has_copy;
        size_t undone;
        Text current;
        bool has_current; /* there is a code to edit or to run */
        bool changed, diff, run;
} Session;

void edit_done(Edit *edit) {
        text_done(&edit->text);
        *edit = (Edit){};
}

static void session_done(Session *session) {
        code_list_done(&session->list);
        text_done(&session->copied);
        text_done(&session->current);
}

/* Ends the session: its answer is the text, which may hold NUL bytes and is empty afterwards. */
static int answer_text(Session *session, Text *text) {
        session->edit->outcome = EDIT_ANSWER;
        session->edit->paste = false;
        text_move(&session->edit->text, text);
        return -EBADMSG;
}

static int answer(Session *session, const char *string) {
        _cleanup_text_ Text text = {};

        text_append_string(&text, string);
        return answer_text(session, &text);
}

/* 1 and *ret, 0 if there is none, -ENOMEM. */
static int code_at(const Session *session, size_t i, Text *ret) {
        text_clear(ret);
        if (session->has_copy && i == 0) {
                text_append_text(ret, &session->copied);
                return text_failed(ret) ? -ENOMEM : 1;
        }
        i -= session->has_copy;
        if (i == session->list.n)
                return session->list.exists;
        return code_list_get(&session->list, i, ret);
}

static char *slice_dup(Slice slice) {
        return bytes_dup(slice.data, slice.size);
}

static int copy(Session *session, const History *history, const char *language) {
        _cleanup_code_list_ CodeList list = CODE_LIST_INIT;
        _cleanup_free_ char *channel = slice_dup(session->command->copy);

        if (!channel)
                return -ENOMEM;
        int r = code_list_open(history, channel, language, false, &list);
        if (r < 0)
                return r;
        r = code_list_get(&list, 0, &session->copied);
        if (r < 0)
                return r;
        if (r > 0) {
                session->has_copy = true;
                return 0;
        }

        _cleanup_text_ Text text = {};
        text_append_printf(&text, "No history for %s.", channel);
        return answer_text(session, &text);
}

static int load(Session *session, const History *history, const char *channel, const char *language) {
        _cleanup_free_ char *other = NULL;

        if (session->command->copy.data) {
                int r = copy(session, history, language);
                if (r < 0)
                        return r;
        }
        if (session->command->list.data) {
                other = slice_dup(session->command->list);
                if (!other)
                        return -ENOMEM;
        }
        return code_list_open(history, other ?: channel, language, !other, &session->list);
}

static int show(Session *session) {
        int r = code_at(session, 0, &session->edit->text);

        if (r < 0)
                return r;
        if (session->edit->text.size == 0)
                return answer(session, "No recent code to show.");
        session->edit->outcome = EDIT_ANSWER;
        return 0;
}

static int undo(Session *session) {
        size_t n = session->has_copy + session->list.n + session->list.exists;

        if (session->command->undo > 0 && session->command->undo >= n)
                return answer(session, "No more undos remaining.");
        session->undone = session->command->undo;

        int r = code_at(session, session->undone, &session->current);
        session->has_current = r > 0;
        return MIN(r, 0);
}

static int no_code_to(Session *session, const char *verb) {
        _cleanup_text_ Text text = {};

        text_append_printf(&text, "No recent code to %s.", verb);
        return answer_text(session, &text);
}

static int limit_size(Session *session) {
        if (text_failed(&session->current))
                return -ENOMEM;
        return session->current.size > EDIT_SIZE_MAX ? answer(session, EDIT_TOO_LONG) : 0;
}

static int prepend(Session *session, const Step *step) {
        if (!session->has_current)
                return no_code_to(session, "prepend to");
        text_prepend(&session->current, " ", 1);
        text_prepend(&session->current, step->text.data, step->text.size);
        session->changed = true;
        return limit_size(session);
}

/* A newline at the end of the code stays there. */
static int append(Session *session, const Step *step) {
        Text *current = &session->current;

        if (!session->has_current)
                return no_code_to(session, "append to");
        bool newline = current->size > 0 && current->data[current->size - 1] == '\n';
        text_truncate(current, current->size - newline);
        text_append_char(current, ' ');
        text_append(current, step->text.data, step->text.size);
        if (newline)
                text_append_char(current, '\n');
        session->changed = true;
        return limit_size(session);
}

static int change(Session *session, const Step *step) {
        _cleanup_text_ Text result = {}, error = {};

        if (!session->has_current)
                return no_code_to(session, "change");
        int r = substitute(&session->current, step, &session->budget, &result, &error);
        if (r == -EINVAL)
                return answer_text(session, &error);
        if (r < 0)
                return r;
        if (r == 0)
                return session->changed ? 0 : answer(session, "No substitutions made.");
        text_move(&session->current, &result);
        session->changed = true;
        return 0;
}

static int start_run(Session *session, const Step *step) {
        static const char *const verbs[] = {
                [RUN_AGAIN] = "again", [RUN_RUN] = "run", [RUN_PASTE] = "paste"
        };

        if (!session->has_current || (session->current.size == 0 && !session->changed))
                return no_code_to(session, verbs[step->word]);
        session->run = true;
        session->edit->paste = step->word == RUN_PASTE;
        return 0;
}

static int refuse(Session *session) {
        _cleanup_text_ Text text = {};

        text_append_text(&text, &session->command->refusal);
        return answer_text(session, &text);
}

static int do_step(Session *session, const Step *step) {
        switch (step->type) {
        case STEP_PREPEND:
                return prepend(session, step);
        case STEP_APPEND:
                return append(session, step);
        case STEP_SUBSTITUTE:
                return change(session, step);
        case STEP_REPLACE:
                return 0; /* all replacements come after all other edits */
        case STEP_RUN:
                return start_run(session, step);
        case STEP_DIFF:
                session->diff = true;
                return 0;
        case STEP_REFUSE:
                return refuse(session);
        }
        return 0;
}

static int replace(Session *session) {
        const Command *command = session->command;
        _cleanup_text_ Text error = {};
        bool any = false;

        for (size_t i = 0; i < command->n_steps; i++)
                any = any || command->steps[i].type == STEP_REPLACE;
        if (!any)
                return 0;
        if (!session->has_current)
                return no_code_to(session, "change");

        int r = replace_all(&session->current, command->steps, command->n_steps, &session->budget, &error);
        if (r == -EINVAL)
                return answer_text(session, &error);
        if (r < 0)
                return r;
        if (r == 0 && !session->changed)
                return answer(session, "No replacements made.");
        session->changed = true;
        return 0;
}

static int do_steps(Session *session) {
        for (size_t i = 0; i < session->command->n_steps; i++) {
                if (budget_spent(&session->budget))
                        return answer(session, EDIT_TOO_SLOW);
                int r = do_step(session, &session->command->steps[i]);
                if (r < 0)
                        return r;
        }
        return replace(session);
}

/* The two newest as they now are, older to newer. */
static int diff(Session *session) {
        _cleanup_text_ Text older = {}, newer = {}, text = {};

        int r = session->changed ? 1 : code_at(session, session->undone, &newer);
        if (r > 0)
                r = code_at(session, session->undone + !session->changed, &older);
        if (r < 0)
                return r;
        if (r == 0 || older.size == 0)
                return answer(session, "Not enough recent code to diff.");

        r = word_diff(&older, session->changed ? &session->current : &newer, &text);
        if (r < 0)
                return r;
        return r > 0 ? answer_text(session, &text) : answer(session, "No difference.");
}

/* What the list is to be afterwards. An undo or a copy that is only run, or looked at by diff, changes
 * nothing. */
static int keep(Session *session, const History *history) {
        const Text *pushed[2];
        size_t n = 0;

        if (!session->changed && (session->run || session->diff))
                return 0;
        if (session->has_copy && session->undone == 0)
                pushed[n++] = &session->copied;
        if (session->changed)
                pushed[n++] = &session->current;

        size_t drop = session->undone > 0 ? session->undone - session->has_copy : 0;
        return code_list_change(history, &session->list, drop, pushed, n);
}

static int finish(Session *session) {
        if (session->diff)
                return diff(session);
        if (!session->changed && session->current.size == 0)
                return answer(session, "No recent code to show."); /* all was undone */

        bool undone = session->undone > 0, copied = session->has_copy;
        bool runs = session->changed || (session->run && !undone) || (!undone && !copied);
        session->edit->outcome = runs ? EDIT_RUN : EDIT_SHOW;
        session->edit->paste = session->edit->paste && runs;
        text_move(&session->edit->text, &session->current);
        return 0;
}

static int serve(Session *session, const History *history, const char *channel, const char *language) {
        int r = load(session, history, channel, language);
        if (r < 0)
                return r;
        if (session->command->show)
                return show(session);

        r = undo(session);
        if (r >= 0)
                r = do_steps(session);
        if (r >= 0)
                r = keep(session, history);
        return r < 0 ? r : finish(session);
}

int edit_apply(History *history, const char *channel, const char *language, const char *code, size_t size,
        bool options, Edit *ret) {
        _cleanup_(edit_done) Edit edit = { .outcome = EDIT_RUN };
        _cleanup_command_ Command command = {};
        _cleanup_text_ Text line = {};

        utf8_append_valid(&line, code, size);
        if (text_failed(&line))
                return -ENOMEM;
        int r = command_parse(text_string(&line), line.size, options, &command);
        if (r < 0)
                return r;

        if (command_given(&command)) {
                _cleanup_(session_done) Session session = { .command = &command,
                        .edit = &edit,
                        .list = CODE_LIST_INIT,
                        .budget = budget_start(EDIT_BUDGET_USEC) };
                r = serve(&session, history, channel, language);
                if (r == -EBADMSG) /* an answer ended it */
                        r = 0;
        } else {
                r = code_list_push(history, channel, language, &line);
                text_move(&edit.text, &line);
        }
        if (r < 0 || text_failed(&edit.text))
                return r < 0 ? r : -ENOMEM;

        *ret = edit;
        edit = (Edit){};
        return 0;
}
