/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "edit/command.h"

#include "edit/scan.h"

/* A line of 1 MiB could ask for hundreds of thousands of edits; nobody types more than a few. */
#define STEPS_MAX 4096
#define UNDO_MAX 65536

#define UNBALANCED_QUOTES "Unbalanced single quotes.  Usage: cc "
#define UNBALANCED_REMOVE UNBALANCED_QUOTES "remove [all, first, .., tenth, last] 'text' [and ...]"
#define UNBALANCED_PREPEND UNBALANCED_QUOTES "prepend 'text' [and ...]"
#define UNBALANCED_APPEND UNBALANCED_QUOTES "append 'text' [and ...]"
#define UNBALANCED_FROM UNBALANCED_QUOTES "replace 'from' with 'to' [and ...]"
#define UNBALANCED_TO UNBALANCED_QUOTES "replace 'from' with 'to' [and replace ... with ... [and ...]]"
#define UNBALANCED_SLASHES                                                                                  \
        "Unbalanced slashes.  Usage: cc s/regex/substitution/[gi] [and s/.../.../ [and ...]]"
#define TOO_MANY_EDITS "Too many edits."

/* The modifiers of replace and remove, as PBot spells them. */
static const struct {
        const char *name;
        int number;
} modifiers[] = {
        { "", 1 },
        { "first", 1 },
        { "second", 2 },
        { "third", 3 },
        { "fourth", 4 },
        { "fifth", 5 },
        { "sixth", 6 },
        { "seventh", 7 },
        { "eighth", 8 },
        { "nineth", 9 },
        { "tenth", 10 },
        { "last", NUMBER_LAST },
        { "all", NUMBER_ALL },
};

/* Which edit "and 'TEXT'" goes on with: "and 'c' with 'd'" after a replace is one more replace. */
typedef enum Previous {
        PREVIOUS_NONE,
        PREVIOUS_PREPEND,
        PREVIOUS_APPEND,
        PREVIOUS_REPLACE,
} Previous;

typedef enum Found {
        FOUND_NOTHING,
        FOUND_EDIT, /* a step was added, more may follow */
        FOUND_END,  /* a step was added, and it is the last */
} Found;

typedef struct Parser {
        Scan scan;
        Previous previous;
        Command *command;
        bool out_of_memory;
} Parser;

void command_done(Command *command) {
        free(command->steps);
        text_done(&command->refusal);
        *command = (Command){};
}

bool command_given(const Command *command) {
        return command->copy.data || command->show || command->undo > 0 || command->n_steps > 0;
}

static Found refuse(Parser *parser, const char *text);

static Found add_step(Parser *parser, Step step, Found found) {
        Command *command = parser->command;

        if (command->n_steps >= STEPS_MAX && step.type != STEP_REFUSE)
                return refuse(parser, TOO_MANY_EDITS);
        if (command->n_steps == command->n_allocated) {
                size_t allocate = MAX(command->n_allocated * 2, (size_t)8);
                Step *steps = reallocarray(command->steps, allocate, sizeof(Step));
                if (!steps) {
                        parser->out_of_memory = true;
                        return FOUND_END;
                }
                command->steps = steps;
                command->n_allocated = allocate;
        }
        command->steps[command->n_steps++] = step;
        return found;
}

static Found refuse(Parser *parser, const char *text) {
        text_append_string(&parser->command->refusal, text);
        return add_step(parser, (Step){ .type = STEP_REFUSE }, FOUND_END);
}

static bool one_line(Slice slice) {
        return !memchr(slice.data, '\n', slice.size);
}

static Slice without_trailing_spaces(Slice slice) {
        Scan scan = { slice.data, slice.data + slice.size };
        const char *end = slice.data;

        while (scan.at < scan.end) {
                typed_non_spaces(&scan);
                end = scan.at;
                typed_spaces(&scan);
        }
        return (Slice){ slice.data, (size_t)(end - slice.data) };
}

/* What stands before the first quote; false if there is none. */
static bool take_modifier(Scan *scan, Slice *ret) {
        const char *quote = memchr(scan->at, '\'', scan_left(scan));

        if (!quote)
                return false;
        *ret = without_trailing_spaces((Slice){ scan->at, (size_t)(quote - scan->at) });
        scan->at = quote;
        return true;
}

static int modifier_number(Slice modifier, int *ret) {
        for (size_t i = 0; i < ELEMENTSOF(modifiers); i++)
                if (strlen(modifiers[i].name) == modifier.size &&
                        memcmp(modifiers[i].name, modifier.data, modifier.size) == 0) {
                        *ret = modifiers[i].number;
                        return 0;
                }
        return -EINVAL;
}

static Found add_replacement(Parser *parser, Slice modifier, Slice from, Slice to) {
        int number;

        if (modifier_number(modifier, &number) < 0) {
                Text *refusal = &parser->command->refusal;
                text_append_string(refusal, "Bad replacement modifier '");
                text_append(refusal, modifier.data, modifier.size);
                return refuse(
                        parser, "'; valid modifiers are 'all', 'first', 'second', ..., 'tenth', 'last'");
        }

        parser->previous = PREVIOUS_REPLACE;
        return add_step(parser, (Step){ .type = STEP_REPLACE, .text = from, .to = to, .number = number },
                FOUND_EDIT);
}

static Found parse_remove(Parser *parser) {
        Scan scan = parser->scan;
        Slice modifier, text;

        scan_and(&scan, false);
        if (!typed_word(&scan, "remove", false) || typed_spaces(&scan) == 0 ||
                !take_modifier(&scan, &modifier))
                return FOUND_NOTHING;
        if (!typed_delimited(&scan, '\'', &text))
                return refuse(parser, UNBALANCED_REMOVE);
        parser->scan = scan;
        Found found = add_replacement(parser, modifier, text, (Slice){ "", 0 });
        parser->previous = PREVIOUS_NONE; /* "and 'TEXT'" has no sense behind it */
        return found;
}

/* After a prepend, "and 'TEXT'" is one more prepend; likewise for the others. */
static bool takes_over(Parser *parser, Scan *scan, Previous previous) {
        if (parser->previous != previous)
                return false;

        Scan ahead = *scan;
        typed_spaces(&ahead);
        if (!typed_word(&ahead, "and", false) || typed_spaces(&ahead) == 0 || ahead.at == ahead.end ||
                *ahead.at != '\'')
                return false;
        *scan = ahead;
        return true;
}

static Found parse_extension(
        Parser *parser, const char *word, Previous previous, StepType type, const char *unbalanced) {
        Scan scan = parser->scan;
        Slice text;

        if (!takes_over(parser, &scan, previous)) {
                scan_and(&scan, false);
                if (!typed_word(&scan, word, false) || !typed_word(&scan, " '", false))
                        return FOUND_NOTHING;
                scan.at--;
        }
        if (!typed_delimited(&scan, '\'', &text))
                return refuse(parser, unbalanced);
        parser->scan = scan;
        parser->previous = previous;
        return add_step(parser, (Step){ .type = type, .text = text }, FOUND_EDIT);
}

/* Is there, behind a quote, on one line: ... ' with '...' ? Quotes are looked at without escapes here, as
 * PBot does: what has this shape is a replace, well-formed or not. */
static bool has_replace_shape(Scan scan) {
        const char *line_end = memchr(scan.at, '\n', scan_left(&scan));
        const char *quote = scan.at;

        if (!line_end)
                line_end = scan.end;
        while ((quote = memchr(quote + 1, '\'', (size_t)(line_end - quote - 1)))) {
                Scan rest = { quote + 1, scan.end };
                typed_spaces(&rest);
                if (!typed_word(&rest, "with", true))
                        continue;
                typed_spaces(&rest);
                if (!typed_word(&rest, "'", false))
                        continue;

                const char *end = memchr(rest.at, '\n', scan_left(&rest));
                if (memchr(rest.at, '\'', (size_t)((end ? end : rest.end) - rest.at)))
                        return true;
        }
        return false;
}

static Found parse_replace(Parser *parser) {
        Scan scan = parser->scan;
        Slice modifier = { "", 0 }, from, to;

        if (!takes_over(parser, &scan, PREVIOUS_REPLACE)) {
                scan_and(&scan, true);
                if (!typed_word(&scan, "replace", true))
                        return FOUND_NOTHING;
                typed_spaces(&scan); /* there may be none, other than behind "remove" */
                if (!take_modifier(&scan, &modifier))
                        return FOUND_NOTHING;
        }
        if (!has_replace_shape(scan))
                return FOUND_NOTHING;

        if (!typed_delimited(&scan, '\'', &from))
                return refuse(parser, UNBALANCED_FROM);
        typed_spaces(&scan);
        if (!typed_word(&scan, "with", true) || !typed_delimited(&scan, '\'', &to))
                return refuse(parser, UNBALANCED_TO);
        if (!one_line(from) || !one_line(to))
                return FOUND_NOTHING;
        parser->scan = scan;
        return add_replacement(parser, modifier, from, to);
}

static Found parse_substitute(Parser *parser) {
        Scan scan = parser->scan;
        Step step = { .type = STEP_SUBSTITUTE };

        scan_and(&scan, false);
        if (!typed_word(&scan, "s/", false))
                return FOUND_NOTHING;
        const char *line_end = memchr(scan.at, '\n', scan_left(&scan));
        if (!memchr(scan.at, '/', (size_t)((line_end ? line_end : scan.end) - scan.at)))
                return FOUND_NOTHING;

        scan.at--;
        if (!typed_delimited(&scan, '/', &step.text))
                return refuse(parser, UNBALANCED_SLASHES);
        scan.at--; /* the slash in the middle is the end of one part and the start of the other */
        if (!typed_delimited(&scan, '/', &step.to))
                return refuse(parser, UNBALANCED_SLASHES);
        if (!one_line(step.text) || !one_line(step.to))
                return FOUND_NOTHING;

        Slice flags = { scan.at, typed_to_space(&scan) };
        for (size_t i = 0; i < flags.size; i++) {
                if (flags.data[i] == 'i')
                        step.ignore_case = true;
                else if (flags.data[i] == 'g')
                        step.global = true;
                else {
                        Text *refusal = &parser->command->refusal;
                        text_append_string(refusal, "Bad regex modifier '");
                        text_append(refusal, flags.data, flags.size);
                        return refuse(parser, "'.  Only 'i' and 'g' are allowed.");
                }
        }
        parser->scan = scan;
        parser->previous = PREVIOUS_NONE;
        return add_step(parser, step, FOUND_EDIT);
}

static Found parse_end(Parser *parser) {
        static const struct {
                const char *word;
                Step step;
        } ends[] = {
                { "diff", { .type = STEP_DIFF } },
                { "again", { .type = STEP_RUN, .word = RUN_AGAIN } },
                { "run", { .type = STEP_RUN, .word = RUN_RUN } },
                { "paste", { .type = STEP_RUN, .word = RUN_PASTE } },
        };
        Scan start = parser->scan;

        scan_and(&start, true);
        for (size_t i = 0; i < ELEMENTSOF(ends); i++) {
                Scan scan = start;
                if (typed_word(&scan, ends[i].word, true) && typed_at_word_end(&scan))
                        return add_step(parser, ends[i].step, FOUND_END);
        }
        return FOUND_NOTHING;
}

static Found parse_edit(Parser *parser) {
        Found found = parse_end(parser);

        if (found == FOUND_NOTHING)
                found = parse_remove(parser);
        if (found == FOUND_NOTHING)
                found = parse_extension(
                        parser, "prepend", PREVIOUS_PREPEND, STEP_PREPEND, UNBALANCED_PREPEND);
        if (found == FOUND_NOTHING)
                found = parse_extension(parser, "append", PREVIOUS_APPEND, STEP_APPEND, UNBALANCED_APPEND);
        if (found == FOUND_NOTHING)
                found = parse_replace(parser);
        if (found == FOUND_NOTHING)
                found = parse_substitute(parser);
        return found;
}

static void skip_options(Scan *scan) {
        for (;;) {
                Scan ahead = *scan;
                typed_spaces(&ahead);
                if (!typed_word(&ahead, "-", false) || typed_to_space(&ahead) == 0)
                        return;
                typed_spaces(&ahead);
                *scan = ahead;
        }
}

static void parse_copy(Parser *parser) {
        Scan scan = parser->scan;

        typed_spaces(&scan);
        if (!typed_word(&scan, "copy", false) || typed_spaces(&scan) == 0)
                return;

        Slice name = { scan.at, typed_non_spaces(&scan) };
        if (name.size == 0)
                return;
        typed_spaces(&scan);
        parser->command->copy = name;
        parser->scan = scan;
}

/* WORD, or WORD NAME, and nothing else. Returns false if it is something else. */
static bool parse_whole(const Parser *parser, const char *word, bool any_case, Slice *ret_name) {
        Scan scan = parser->scan;

        scan_and(&scan, any_case);
        if (!typed_word(&scan, word, any_case))
                return false;

        size_t spaces = typed_spaces(&scan);
        Slice name = { scan.at, typed_non_spaces(&scan) };
        typed_spaces(&scan);
        if (scan.at != scan.end || (name.size > 0 && spaces == 0))
                return false;
        *ret_name = name.size > 0 ? name : (Slice){};
        return true;
}

static void parse_show(Parser *parser) {
        Command *command = parser->command;
        Slice name;

        if (parse_whole(parser, "show", false, &name) || parse_whole(parser, "diff", false, &name))
                command->list = name;
        command->show = parse_whole(parser, "show", true, &name);
}

static void parse_undo(Parser *parser) {
        Command *command = parser->command;

        for (; command->undo < UNDO_MAX; command->undo++) {
                Scan scan = parser->scan;
                scan_and(&scan, false);
                if (!typed_word(&scan, "undo", false) || !typed_at_word_end(&scan))
                        return;
                parser->scan = scan;
        }
}

int command_parse(const char *code, size_t size, bool options, Command *ret) {
        _cleanup_command_ Command command = {};
        Parser parser = { .scan = { code, code + size }, .command = &command };

        if (options)
                skip_options(&parser.scan);
        parse_copy(&parser);
        parse_show(&parser);
        if (!command.show) {
                parse_undo(&parser);
                while (parse_edit(&parser) == FOUND_EDIT)
                        ;
        }
        if (parser.out_of_memory || text_failed(&command.refusal))
                return -ENOMEM;

        *ret = command;
        command = (Command){};
        return 0;
}
