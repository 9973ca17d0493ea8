/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "gdb/end-of-main.h"

#include <ctype.h>

#include "plan/scan.h"

#define NONE UINT32_MAX

typedef struct Instruction {
        uint64_t address;
        unsigned line;   /* of the program's source; 0: of another */
        uint32_t target; /* of a jump within main(), NONE: it is none */
        bool falls;      /* the next one may follow it */
        bool calls;      /* what no compiler calls by itself to leave main() */
        bool leaves;     /* nothing of the program's is done from here on */
} Instruction;

typedef struct Code {
        Instruction *list; /* in the order of addresses */
        uint32_t n;
        unsigned brace; /* the line */
} Code;

static void code_done(Code *code) {
        free(code->list);
}

static bool stands_alone(const char *text, const char *brace) {
        for (const char *p = brace; p > text && p[-1] != '\n'; p--)
                if (!isspace((unsigned char)p[-1]))
                        return false;
        return true;
}

/* The brace is where the depth of braces is back at none after main was named at depth none. Where braces do
 * not match, since some stand in what the preprocessor leaves out, it is the last one: a host puts nothing
 * behind the main() that it writes. */
static const char *find_brace(const char *text, const char *end) {
        Scanner scanner = { .p = text, .end = end };
        bool named = false, in_main = false, in_directive = false, amiss = false;
        const char *found = NULL, *last = NULL;
        unsigned depth = 0;
        Token token;

        while ((token = scan(&scanner)).kind != TOKEN_END) {
                if (token.first)
                        in_directive = token.kind == TOKEN_HASH;
                if (in_directive)
                        continue;
                last = NULL;
                named |= token_is(&token, "main");
                if (depth == 0 && token_is(&token, "main"))
                        in_main = true;
                else if (depth == 0 && token_is(&token, ";"))
                        in_main = false;
                else if (token_is(&token, "{"))
                        depth++;
                else if (token_is(&token, "}")) {
                        last = token.data;
                        amiss |= depth == 0;
                        if (depth > 0 && --depth == 0 && in_main && !found)
                                found = token.data;
                }
        }
        return !named ? NULL : amiss || depth > 0 ? last : found;
}

unsigned end_of_main_line(const Source *source) {
        const char *text = text_string(&source->text), *brace = find_brace(text, text + source->text.size);
        unsigned line = 1;

        if (!brace || !stands_alone(text, brace))
                return 0;
        for (const char *p = text; p < brace; p++)
                line += *p == '\n';
        return line;
}

static bool is_mnemonic(const char *text, const char *mnemonic) {
        const char *behind = startswith(text, mnemonic);

        return behind && (*behind == '\0' || isspace((unsigned char)*behind));
}

/* Of x86 and ARM: what nothing follows. */
static bool falls(const char *text) {
        static const char *const ends[] = { "jmp", "ret", "ud2", "b", "br" };

        for (size_t i = 0; i < ELEMENTSOF(ends); i++)
                if (is_mnemonic(text, ends[i]))
                        return false;
        return true;
}

static bool is_call(const char *text) {
        return startswith(text, "call") || is_mnemonic(text, "bl") || is_mnemonic(text, "blr");
}

/* A destructor, by its mangled name, or what a sanitizer has before it. */
static bool is_cleanup(const char *text) {
        return strstr(text, "D1Ev") || strstr(text, "D2Ev") || strstr(text, "<__ubsan_");
}

static int compare_addresses(const void *a, const void *b) {
        const Instruction *x = a, *y = b;

        return (x->address > y->address) - (x->address < y->address);
}

/* "jne    0x1234 <main()+10>": where that is, or NONE. */
static uint32_t find_target(const Code *code, const char *text) {
        const char *symbol = strstr(text, " <"), *number = symbol;

        while (number > text && number[-1] != ' ')
                number--;
        const Instruction key = { .address = symbol ? strtoul(number, NULL, 16) : 0 };
        const Instruction *found =
                bsearch(&key, code->list, code->n, sizeof(*code->list), compare_addresses);
        return found ? (uint32_t)(found - code->list) : NONE;
}

/* In the order in which gdb has them; false: it has none, or in another order than that of addresses. */
static bool read_lines(const MiValue *lines, const char *source, Code *code) {
        for (size_t i = 0; i < lines->n; i++) {
                const MiValue *list = mi_member(&lines->items[i], "line_asm_insn");
                const char *line = mi_text(&lines->items[i], "line"),
                           *file = mi_text(&lines->items[i], "file");

                for (size_t k = 0; list && k < list->n; k++) {
                        const char *address = mi_text(&list->items[k], "address");
                        Instruction *to = &code->list[code->n++];

                        to->address = address ? strtoul(address, NULL, 16) : 0;
                        to->line = line && streq_ptr(file, source) ? (unsigned)strtoul(line, NULL, 10) : 0;
                        if (code->n > 1 && to->address <= to[-1].address)
                                return false;
                }
        }
        return code->n > 0;
}

static void read_texts(const MiValue *lines, Code *code) {
        Instruction *to = code->list;

        for (size_t i = 0; i < lines->n; i++) {
                const MiValue *list = mi_member(&lines->items[i], "line_asm_insn");
                for (size_t k = 0; list && k < list->n; k++, to++) {
                        const char *text = mi_text(&list->items[k], "inst") ?: "";
                        const bool call = is_call(text);

                        to->target = call ? NONE : find_target(code, text);
                        to->falls = falls(text);
                        to->calls = call && !is_cleanup(text);
                }
        }
}

/* -ENODATA: it cannot be used. */
static int read_code(const MiValue *lines, const char *source, Code *code) {
        size_t n = 0;

        for (size_t i = 0; lines && i < lines->n; i++) {
                const MiValue *list = mi_member(&lines->items[i], "line_asm_insn");
                n += list ? list->n : 0;
        }
        if (n == 0 || n >= NONE)
                return -ENODATA;
        code->list = calloc(n, sizeof(*code->list));
        if (!code->list)
                return -ENOMEM;
        if (!read_lines(lines, source, code))
                return -ENODATA;
        read_texts(lines, code);
        return 0;
}

/* The line's code may leave main(), but for its calls. */
static void note_line(Code *code, unsigned line) {
        for (uint32_t i = 0; i < code->n; i++)
                code->list[i].leaves |= code->list[i].line == line && !code->list[i].calls;
}

/* g++ destroys an array's elements in a loop that is the brace's, with a body that is the declaration's.
 * Whatever has that line and calls nothing else may belong to it. */
static void note_array_loop(Code *code, uint32_t first, uint32_t last) {
        for (uint32_t i = first; i <= last; i++)
                if (code->list[i].calls || code->list[i].line == 0)
                        return;
        for (uint32_t i = first; i <= last; i++)
                if (!code->list[i].leaves)
                        note_line(code, code->list[i].line);
}

static bool goes_on(const Code *code, uint32_t i) {
        const Instruction *instruction = &code->list[i];

        return (instruction->target != NONE && !code->list[instruction->target].leaves) ||
               (instruction->falls && (i + 1 == code->n || !code->list[i + 1].leaves));
}

/* The code from which only code of the brace can be reached. */
static void find_leaving(Code *code) {
        for (uint32_t i = 0; i < code->n; i++)
                code->list[i].leaves = code->list[i].line == code->brace;
        for (uint32_t i = 0; i < code->n; i++) {
                const uint32_t target = code->list[i].target;
                if (target < i && code->list[i].line == code->brace &&
                        code->list[target].line == code->brace)
                        note_array_loop(code, target, i);
        }
        for (bool changed = true; changed;) {
                changed = false;
                for (uint32_t i = code->n; i-- > 0;)
                        if (code->list[i].leaves && goes_on(code, i)) {
                                code->list[i].leaves = false;
                                changed = true;
                        }
        }
}

/* Whether code that does not leave main() goes on with that one. */
static void note_place(const Code *code, uint32_t to, uint64_t *ret, size_t *n) {
        const uint64_t address = code->list[to].address;

        for (size_t i = 0; i < *n; i++)
                if (ret[i] == address)
                        return;
        if (code->list[to].leaves && *n < END_PLACES_MAX)
                ret[(*n)++] = address;
}

int end_of_main_places(const MiValue *lines, const char *source, unsigned brace,
        uint64_t ret[static END_PLACES_MAX], size_t *ret_n) {
        _cleanup_(code_done) Code code = { .brace = brace };

        *ret_n = 0;
        int r = read_code(lines, source, &code);
        if (r < 0)
                return r == -ENODATA ? 0 : r;
        find_leaving(&code);
        for (uint32_t i = 0; i < code.n; i++) {
                const Instruction *from = &code.list[i];
                if (from->leaves)
                        continue;
                if (from->target != NONE)
                        note_place(&code, from->target, ret, ret_n);
                if (from->falls && i + 1 < code.n)
                        note_place(&code, i + 1, ret, ret_n);
        }
        return 0;
}
