/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "syscall-filter.h"

#include <endian.h>
#include <linux/seccomp.h>
#include <seccomp.h>
#include <stddef.h>
#include <sys/syscall.h>

#include "syscall-table.h"

/* Numbers above are not known to any kernel of which the table tells. */
#define NUMBER_MAX 1024
#define PROGRAM_MAX 1024

#define LOWER_HALF (BYTE_ORDER == BIG_ENDIAN ? sizeof(uint32_t) : 0)

/* What a number stands for: an errno, 0 if it is allowed, or the checks of its arguments. */
typedef struct Verdict {
        int error;
        const SyscallCheck *checks;
        size_t n_checks;
} Verdict;

/* Numbers from first until that of the next range. */
typedef struct Range {
        uint32_t first;
        const Verdict *verdict;
} Range;

typedef struct Program {
        struct sock_filter instructions[PROGRAM_MAX];
        size_t n;
} Program;

static void emit(Program *program, struct sock_filter instruction) {
        if (program->n < PROGRAM_MAX)
                program->instructions[program->n] = instruction;
        program->n++;
}

static void emit_return(Program *program, int error) {
        uint32_t value =
                error > 0 ? SECCOMP_RET_ERRNO | ((uint32_t)error & SECCOMP_RET_DATA) : SECCOMP_RET_ALLOW;

        emit(program, (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, value));
}

/* Each condition that is not met jumps over what is left of the check. */
static void emit_check(Program *program, const SyscallCheck *check) {
        size_t misses[2 * SYSCALL_CONDITIONS_MAX], n = 0;

        for (size_t i = 0; i < SYSCALL_CONDITIONS_MAX && check->conditions[i].mask != 0; i++) {
                const SyscallCondition *c = &check->conditions[i];
                uint32_t offset = (uint32_t)(offsetof(struct seccomp_data, args[c->argument]) + LOWER_HALF);

                emit(program, (struct sock_filter)BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offset));
                emit(program, (struct sock_filter)BPF_STMT(BPF_ALU | BPF_AND | BPF_K, c->mask));
                misses[n++] = program->n;
                emit(program, (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JGE | BPF_K, c->min, 0, 0));
                misses[n++] = program->n;
                emit(program, (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JGT | BPF_K, c->max, 0, 0));
        }
        emit_return(program, check->error);
        if (program->n > PROGRAM_MAX)
                return;
        for (size_t i = 0; i < n; i++) {
                struct sock_filter *jump = &program->instructions[misses[i]];
                uint8_t distance = (uint8_t)(program->n - misses[i] - 1);

                if (BPF_OP(jump->code) == BPF_JGE)
                        jump->jf = distance;
                else
                        jump->jt = distance;
        }
}

static void emit_verdict(Program *program, const Verdict *verdict) {
        for (size_t i = 0; i < verdict->n_checks; i++)
                emit_check(program, &verdict->checks[i]);
        emit_return(program, verdict->error);
}

/* A search by halves: the lower one follows its question, which jumps over it by an instruction of its own,
 * since a condition's jumps are short. */
static void emit_search(Program *program, const Range *ranges, size_t n) {
        if (n == 1) {
                emit_verdict(program, ranges[0].verdict);
                return;
        }

        size_t half = n / 2;
        emit(program, (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JGE | BPF_K, ranges[half].first, 0, 1));
        size_t jump = program->n;
        emit(program, (struct sock_filter)BPF_STMT(BPF_JMP | BPF_JA, 0));
        emit_search(program, ranges, half);
        if (jump < PROGRAM_MAX)
                program->instructions[jump].k = (uint32_t)(program->n - jump - 1);
        emit_search(program, ranges + half, n - half);
}

static bool verdict_equal(const Verdict *a, const Verdict *b) {
        return a->error == b->error && a->checks == b->checks;
}

/* Those of a call that this architecture does not have are passed over. */
static void verdicts_set(Verdict *verdicts, const char *const *names, size_t n, int error) {
        for (size_t i = 0; i < n; i++) {
                int number = seccomp_syscall_resolve_name(names[i]);
                if (number >= 0 && number < NUMBER_MAX)
                        verdicts[number].error = error;
        }
}

static void verdicts_make(Verdict *verdicts) {
        for (size_t i = 0; i <= NUMBER_MAX; i++)
                verdicts[i] = (Verdict){ .error = ENOSYS };
        verdicts_set(verdicts, syscalls_allowed, n_syscalls_allowed, 0);
        verdicts_set(verdicts, syscalls_refused, n_syscalls_refused, EPERM);
        for (size_t i = 0, n; i < n_syscall_checks; i += n) {
                const SyscallCheck *first = &syscall_checks[i];
                for (n = 1; i + n < n_syscall_checks && streq(first[n].name, first->name); n++)
                        ;
                int number = seccomp_syscall_resolve_name(first->name);
                if (number >= 0 && number < NUMBER_MAX)
                        verdicts[number] = (Verdict){ .checks = first, .n_checks = n };
        }
}

static void program_make(Program *program) {
        Verdict verdicts[NUMBER_MAX + 1];
        Range ranges[NUMBER_MAX + 1];
        size_t n = 0;

        verdicts_make(verdicts);
        for (uint32_t i = 0; i <= NUMBER_MAX; i++)
                if (n == 0 || !verdict_equal(ranges[n - 1].verdict, &verdicts[i]))
                        ranges[n++] = (Range){ i, &verdicts[i] };

        /* Programs of another architecture, 32-bit ones for example, have other numbers: none of theirs
         * is known. */
        emit(program,
                (struct sock_filter)BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, arch)));
        emit(program, (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, seccomp_arch_native(), 1, 0));
        emit_return(program, ENOSYS);
        emit(program,
                (struct sock_filter)BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)));
        emit_search(program, ranges, n);
}

int seccomp_filter_make(SeccompFilter *ret) {
        Program program = {};

        program_make(&program);
        if (program.n > PROGRAM_MAX)
                return -E2BIG;
        size_t size = program.n * sizeof(struct sock_filter);
        struct sock_filter *instructions = malloc(size);
        if (!instructions)
                return -ENOMEM;
        memcpy(instructions, program.instructions, size);
        *ret = (SeccompFilter){ .instructions = instructions, .n = (unsigned short)program.n };
        return 0;
}

void seccomp_filter_done(SeccompFilter *filter) {
        free(filter->instructions);
        *filter = (SeccompFilter){};
}

int seccomp_filter_apply(const SeccompFilter *filter) {
        struct sock_fprog program = { .len = filter->n, .filter = filter->instructions };

        return syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, 0, &program) < 0 ? -errno : 0;
}
