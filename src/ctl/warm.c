/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "ctl/warm.h"

#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>

#include "common/io.h"
#include "common/utf8.h"
#include "ctl/format.h"
#include "ctl/interrupt.h"
#include "handler/exchange.h"
#include "handler/lease.h"

#define WAIT_USEC (60 * USEC_PER_SEC) /* for a lease */
#define ASKER "pbotvmctl"

void warm_result_done(WarmResult *result) {
        text_done(&result->bad);
        text_done(&result->trouble);
}

/* ---- which ---- */

static bool is_word(const char *word, size_t size, const char *expected) {
        return strlen(expected) == size && memcmp(word, expected, size) == 0;
}

/* A shell that is only there to start another program does not count, nor does what goes into its
 * environment. */
const char *warm_program(const char *command, size_t *ret_size) {
        static const char blanks[] = " '";
        bool script = strncmp(command, "sh prog", strlen("sh prog")) == 0;
        const char *word = command;
        size_t size;

        for (; *(word += strspn(word, blanks)); word += size) {
                size = strcspn(word, blanks);
                if (script || (!memchr(word, '=', size) && !is_word(word, size, "sh") &&
                                      !is_word(word, size, "-c"))) {
                        *ret_size = size;
                        return word;
                }
        }
        *ret_size = 0;
        return word;
}

static const char *member(const Json *program, const char *name) {
        return json_string(json_member(program, name), NULL);
}

/* Whether one before it starts the same program. */
static bool is_known(const Json *programs, size_t i) {
        size_t size, other_size;
        const char *word = warm_program(member(json_at(programs, i), "command"), &size);

        for (size_t k = 0; k < i; k++) {
                const char *command = member(json_at(programs, k), "command");
                const char *other = command ? warm_program(command, &other_size) : NULL;
                if (other && other_size == size && memcmp(word, other, size) == 0)
                        return true;
        }
        return false;
}

/* ---- one of them ---- */

static int set(char **to, const char *value) {
        *to = strdup(value);
        return *to ? 0 : -ENOMEM;
}

static int make_request(const char *language, const Json *program, GuestKind guest, Request *request) {
        const char *file = member(program, "file"), *exec = member(program, "exec");
        const struct {
                char **to;
                const char *value;
        } strings[] = {
                { &request->lang, language },
                { &request->sourcefile, file },
                { &request->execfile, exec ?: file },
                { &request->cmdline, member(program, "command") },
                { &request->arguments, "" },
                { &request->id, ASKER },
        };
        size_t size;
        const char *code = json_string(json_member(program, "code"), &size);

        for (size_t i = 0; i < ELEMENTSOF(strings); i++)
                if (set(strings[i].to, strings[i].value) < 0)
                        return -ENOMEM;
        text_append(&request->code, code, size);
        request->date = (int64_t)(now_realtime() / USEC_PER_SEC);
        request->present = guest == GUEST_PBOTVM;
        request->limits.wall_usec = WARM_USEC;
        return text_error(&request->code);
}

static bool is_hello(const Text *result) {
        return is_word(text_string(result), utf8_trimmed_size(text_string(result), result->size), "hello");
}

/* Runs it: 0 with *verdict, or negative errno. */
static int run_program(
        const Lease *lease, const char *language, const Json *program, Verdict *verdict, bool *good) {
        _cleanup_request_ Request request = REQUEST_INIT;
        _cleanup_reply_ Reply reply = {};

        int r = make_request(language, program, lease->guest, &request);
        if (r >= 0)
                r = exchange_run(lease->fd, &request, lease->guest, false,
                        usec_add(now_monotonic(), WARM_USEC + 5 * USEC_PER_SEC), &reply, verdict);
        if (r == EXCHANGE_NOT_SENT)
                *verdict = VERDICT_LOST;
        *good = r == EXCHANGE_REPLY && *verdict == VERDICT_CLEAN && is_hello(&reply.result);
        return r < 0 ? r : 0;
}

/* In a lease of its own. *generation: that of the first one, 0 if this is it. */
static int warm_language(sd_bus *bus, const char *machine, const char *language, const Json *program,
        uint64_t *generation, WarmResult *result) {
        const LeaseAsk ask = {
                .machine = machine,
                .nick = ASKER,
                .channel = ASKER,
                .language = language,
                .is_operator = true,
                .deadline = usec_add(now_monotonic(), WAIT_USEC),
                .client_fd = -EBADF,
        };
        _cleanup_lease_ Lease lease = LEASE_INIT;
        _cleanup_text_ Text message = {};
        Verdict verdict;
        bool good;

        int r = lease_take(bus, &ask, &lease, &verdict, &message);
        if (r < 0)
                return r;
        if (r == 0) {
                text_append_string(&result->trouble,
                        message.size > 0 ? text_string(&message) : verdict_text(verdict) ?: "no lease");
                return text_error(&result->trouble);
        }
        if (*generation > 0 && lease.generation != *generation) {
                (void)lease_release(bus, &lease, VERDICT_CLEAN);
                text_append_string(&result->trouble, "the machine was reverted meanwhile");
                return text_error(&result->trouble);
        }
        *generation = lease.generation;

        r = run_program(&lease, language, program, &verdict, &good);
        if (r < 0)
                return r;
        r = lease_release(bus, &lease, verdict);
        if (r < 0)
                return r;
        result->tried++;
        result->good += good;
        if (!good)
                text_append_printf(&result->bad, "%s%s", result->bad.size > 0 ? ", " : "", language);
        /* Such a guest is reverted, by most policies. */
        if (verdict != VERDICT_CLEAN && verdict != VERDICT_CONTAINED)
                text_append_printf(&result->trouble, "%s: %s", language, verdict_name(verdict));
        return text_failed(&result->bad) ? -ENOMEM : text_error(&result->trouble);
}

/* ---- all of them ---- */

static int warm_all(sd_bus *bus, const char *machine, const Json *programs, int interrupt_fd, bool progress,
        WarmResult *result) {
        uint64_t generation = 0;

        for (size_t i = 0; i < json_size(programs) && result->trouble.size == 0; i++) {
                const char *language = json_name_at(programs, i);
                const Json *program = json_at(programs, i);
                if (!member(program, "file") || !member(program, "command") || !member(program, "code") ||
                        is_known(programs, i))
                        continue;
                if (interrupt_seen(interrupt_fd))
                        return -EINTR;
                if (progress)
                        fprintf(stderr, "Warming %s...\n", language);
                int r = warm_language(bus, machine, language, program, &generation, result);
                if (r < 0)
                        return r;
        }
        return lease_settle(bus, usec_add(now_monotonic(), USEC_PER_SEC));
}

int warm_guest(const char *machine, const char *file, int interrupt_fd, bool progress, WarmResult *result) {
        _cleanup_json_ Json *programs = NULL;
        _cleanup_text_ Text content = {};
        sd_bus *bus = NULL;

        int r = io_read_file(AT_FDCWD, file, JSON_LIMITS_FILE.size, &content);
        if (r >= 0)
                r = json_parse(text_string(&content), content.size, JSON_LIMITS_FILE, &programs, NULL);
        if (r >= 0)
                r = lease_open_bus(&bus);
        if (r >= 0)
                r = warm_all(bus, machine, programs, interrupt_fd, progress, result);
        sd_bus_flush_close_unref(bus);
        return r;
}
