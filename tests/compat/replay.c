/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Replays recorded requests of PBot (golden-*.jsonl) against the pipeline itself: no socket, no guest, no
 * process. What run_golden.py compares over the network is compared here in a second.
 *
 * usage: replay [-v] [--filter=TEXT] [--languages=DIR] [--rewrites=DIR] GOLDEN.jsonl ...
 *
 * A mismatch is a line "MISMATCH id [area] what", one of a case marked as a quirk "QUIRK ..."; the last line
 * is "N passed, N failed". What only a socket can show (a slow client, a slow guest, a heartbeat) is left to
 * run_golden.py. */

#include <dirent.h>
#include <dlfcn.h>
#include <fcntl.h>
#include <stdio.h>

#include "common/io.h"
#include "common/json.h"
#include "common/log.h"
#include "common/reply.h"
#include "common/utf8.h"
#include "pipeline/pipeline.h"

#define LIMITS ((JsonLimits){ .size = 32 << 20, .depth = 32, .values = 100000 })
#define NO_VALID_ANSWER "Virtual machine gave no valid answer; it is being reset.\n"

typedef struct Replay {
        const Config *config;
        const char *languages[2];
        const char *rewrites;
        const char *state_dir;
        const char *filter;
        bool verbose;
        unsigned passed, failed, quirks_same, quirks_other, left_out;
        uint64_t slowest_usec;
        char slowest[64];
} Replay;

/* What one case gave. */
typedef struct Outcome {
        Json *request; /* NULL: the guest was not asked */
        Text reply;
} Outcome;

static void outcome_done(Outcome *outcome) {
        json_free(outcome->request);
        text_done(&outcome->reply);
}

static const char *member_string(const Json *json, const char *name) {
        return json_string(json_member(json, name), NULL);
}

/* Appends a recorded text with the run's token filled in. */
static void append_text(Text *text, const Json *value) {
        static const char token[] = "{{RUN}}";
        size_t size;
        const char *data = json_string(value, &size), *end = data + size, *p;

        for (; data && (p = memmem(data, (size_t)(end - data), token, strlen(token)));
                data = p + strlen(token)) {
                text_append(text, data, (size_t)(p - data));
                text_append_string(text, "r1");
        }
        if (data)
                text_append(text, data, (size_t)(end - data));
}

/* Appends a text of which each character stands for one byte. */
static void append_raw(Text *text, const Json *value) {
        _cleanup_text_ Text chars = {};
        append_text(&chars, value);
        for (size_t i = 0; i < chars.size;) {
                uint32_t c;
                i += utf8_unit(chars.data + i, chars.size - i, &c);
                text_append_char(text, (char)c);
        }
}

/* The line that is served: the first that is not blank. False: none. */
static bool request_line(const Json *json, Text *line) {
        if (!json_member(json, "send_raw")) {
                append_text(line, json_member(json, "send"));
                return true;
        }

        _cleanup_text_ Text raw = {};
        append_raw(&raw, json_member(json, "send_raw"));
        for (size_t from = 0; from < raw.size;) {
                const char *data = raw.data + from, *newline = memchr(data, '\n', raw.size - from);
                size_t size = newline ? (size_t)(newline - data) : raw.size - from;
                if (utf8_trimmed_size(data, size) > 0) {
                        text_append(line, data, size);
                        return true;
                }
                from += size + 1;
        }
        return false;
}

/* Not by JsonWriter: a recorded guest also sends characters that ours would not. */
static void append_result(Text *object, const Text *result) {
        text_append_string(object, "{\"result\":\"");
        for (size_t i = 0; i < result->size; i++) {
                unsigned char c = (unsigned char)result->data[i];
                if (c < ' ' || c == '"' || c == '\\')
                        text_append_printf(object, "\\u%04x", c);
                else
                        text_append_char(object, (char)c);
        }
        text_append_string(object, "\"}");
}

/* What the recorded guest sends. */
static int guest_reply(const Json *json, Reply *reply) {
        _cleanup_text_ Text wire = {};
        _cleanup_(reply_reader_done) ReplyReader reader = {};

        if (member_string(json, "canned_raw"))
                append_raw(&wire, json_member(json, "canned_raw"));
        else {
                _cleanup_text_ Text canned = {}, object = {};
                append_text(&canned, json_member(json, "canned"));
                append_result(&object, &canned);
                frame_append_reply(&wire, text_string(&object), object.size);
        }

        size_t used;
        int r = reply_reader_feed(&reader, text_string(&wire), wire.size, &used);
        if (r == 0)
                r = reply_reader_eof(&reader);
        return r <= 0 ? -EBADMSG : reply_parse(&reader, reply);
}

static int run_guest(Pipeline *pipeline, const Json *json, const Request *request, Outcome *outcome) {
        _cleanup_text_ Text written = {};
        int r = request_write(request, false, &written);
        if (r >= 0)
                r = json_parse(text_string(&written), written.size, LIMITS, &outcome->request, NULL);
        if (r < 0)
                return r;

        _cleanup_reply_ Reply reply = {};
        r = guest_reply(json, &reply);
        if (r == -EBADMSG) {
                text_append_string(&outcome->reply, NO_VALID_ANSWER);
                return 0;
        }
        return r < 0 ? r
                     : pipeline_finish(pipeline, text_string(&reply.result), reply.result.size, &reply.parts,
                               &outcome->reply);
}

/* The whole way of a line: negative errno, or a PipelineResult. */
static int run_line(const Replay *replay, const Json *json, const Text *line, Outcome *outcome) {
        _cleanup_query_ Query query = {};
        _cleanup_(pipeline_freep) Pipeline *pipeline = NULL;
        _cleanup_request_ Request request = REQUEST_INIT;

        int r = query_parse(text_string(line), line->size, replay->config, &query, &outcome->reply);
        if (r == -EBADMSG)
                return PIPELINE_ANSWER;
        if (r >= 0)
                r = pipeline_open(replay->config, &query, replay->languages, replay->rewrites,
                        replay->state_dir, &pipeline, &outcome->reply);
        if (r == PIPELINE_RUN)
                r = pipeline_prepare(pipeline, 1, &request, &outcome->reply);
        return r == PIPELINE_RUN ? run_guest(pipeline, json, &request, outcome) : r;
}

static void run_case(const Replay *replay, const Json *json, Outcome *outcome) {
        _cleanup_text_ Text line = {};
        if (!request_line(json, &line))
                return;

        int r = run_line(replay, json, &line, outcome);
        if (r < 0)
                text_append_printf(&outcome->reply, "<<%s>>", strerror(-r));
        if (r != PIPELINE_PASTE) {
                text_truncate(&outcome->reply,
                        utf8_trimmed_size(text_string(&outcome->reply), outcome->reply.size));
                text_append_char(&outcome->reply, '\n');
        }
}

static void append_visible(Text *text, const Text *from, size_t at) {
        for (size_t i = at; i < from->size && i < at + 70; i++) {
                unsigned char c = (unsigned char)from->data[i];
                if (c == '\n')
                        text_append_string(text, "\\n");
                else if (c < ' ')
                        text_append_printf(text, "\\x%02x", c);
                else
                        text_append_char(text, (char)c);
        }
}

/* Says where two texts part. */
static void tell_difference(Text *why, const char *what, const Text *expected, const Text *got) {
        size_t i = 0;
        while (i < expected->size && i < got->size && expected->data[i] == got->data[i])
                i++;
        size_t from = i > 20 ? i - 20 : 0;

        text_append_printf(why, "%s%s: at %zu expected \"", why->size > 0 ? "; " : "", what, i);
        append_visible(why, expected, from);
        text_append_string(why, "\" got \"");
        append_visible(why, got, from);
        text_append_char(why, '"');
}

static void value_text(const Json *value, Text *text) {
        if (!value)
                text_append_string(text, "(no such member)");
        else if (json_type(value) == JSON_STRING)
                append_text(text, value);
        else
                text_append_string(text, json_number_text(value) ?: json_type_name(json_type(value)));
}

/* The recorded code went through astyle 3.1. Others put their blanks elsewhere: all else must be the same.
 */
static bool formatter_is_the_recorded_one(void) {
        void *library = dlopen("libastyle.so.3", RTLD_NOW | RTLD_LOCAL);
        const char *(*version)(void) = NULL;

        if (library)
                *(void **)&version = dlsym(library, "AStyleGetVersion");
        bool same = !version || streq(version(), "3.1");
        if (library)
                (void)dlclose(library);
        return same;
}

static bool is_same(const Text *a, const Text *b) {
        return a->size == b->size && memcmp(text_string(a), text_string(b), a->size) == 0;
}

static void remove_blanks(Text *text) {
        size_t n = 0;

        for (size_t i = 0; i < text->size; i++)
                if (text->data[i] != ' ')
                        text->data[n++] = text->data[i];
        text_truncate(text, n);
}

static void compare_member(const Json *expected, const Json *got, const char *name, Text *why) {
        if (streq(name, "date") || streq(name, "pbotvm"))
                return;
        const Json *e = json_member(expected, name), *g = json_member(got, name);
        if (streq(name, "input") && e && streq_ptr(json_string(e, NULL), "<fortune>")) {
                if (!g || (json_type(g) != JSON_NULL && json_type(g) != JSON_STRING))
                        text_append_printf(why, "request.input: no string");
                return;
        }

        _cleanup_text_ Text a = {}, b = {};
        value_text(e, &a);
        value_text(g, &b);
        if (is_same(&a, &b))
                return;
        if (streq(name, "code") && !formatter_is_the_recorded_one()) {
                remove_blanks(&a);
                remove_blanks(&b);
                if (is_same(&a, &b))
                        return;
        }
        _cleanup_text_ Text what = {};
        text_append_printf(&what, "request.%s", name);
        tell_difference(why, text_string(&what), &a, &b);
}

static void compare_request(const Json *expected, const Json *got, Text *why) {
        bool wanted = json_type(expected) == JSON_OBJECT;

        if (wanted != !!got) {
                text_append_printf(
                        why, "request: expected %s, got %s", wanted ? "one" : "none", got ? "one" : "none");
                return;
        }
        for (size_t i = 0; i < json_size(expected); i++)
                compare_member(expected, got, json_name_at(expected, i), why);
        for (size_t i = 0; i < json_size(got); i++)
                if (!json_member(expected, json_name_at(got, i)))
                        compare_member(expected, got, json_name_at(got, i), why);
}

/* Noises are picked by chance; the record has "<bell>". */
static void hide_noises(Text *reply) {
        static const char *const noises[] = { "*BEEP*", "*BING*", "*DING*", "*DONG*", "*CLUNK*", "*BONG*",
                "*PING*", "*BOOP*", "*BLIP*", "*BOP*", "*WHIRR*" };
        _cleanup_text_ Text hidden = {};

        for (size_t i = 0; i < reply->size;) {
                size_t n = 0;
                for (size_t k = 0; k < ELEMENTSOF(noises) && n == 0; k++)
                        if (startswith(reply->data + i, noises[k]))
                                n = strlen(noises[k]);
                text_append_string(&hidden, n > 0 ? "<bell>" : "");
                if (n == 0)
                        text_append_char(&hidden, reply->data[i]);
                i += MAX(n, (size_t)1);
        }
        text_move(reply, &hidden);
}

static void compare_reply(const Json *json, Outcome *outcome, Text *why) {
        _cleanup_text_ Text expected = {};

        if (member_string(json, "reply"))
                append_text(&expected, json_member(json, "reply"));
        else
                append_raw(&expected, json_member(json, "reply_raw"));
        if (json_member(json, "random"))
                hide_noises(&outcome->reply);
        if (!is_same(&expected, &outcome->reply))
                tell_difference(why, "reply", &expected, &outcome->reply);
}

static void replay_case(Replay *replay, const Json *json) {
        static const char *const sockets[] = { "idle", "pause_heart", "delay" };
        const char *id = member_string(json, "id"), *area = member_string(json, "area"),
                   *sequence = member_string(json, "sequence");

        for (size_t i = 0; i < ELEMENTSOF(sockets); i++)
                if (json_member(json, sockets[i])) {
                        replay->left_out++;
                        return;
                }
        if (replay->filter && !strstr(id, replay->filter) && !strstr(area, replay->filter) &&
                !(sequence && strstr(sequence, replay->filter)))
                return;

        _cleanup_(outcome_done) Outcome outcome = {};
        _cleanup_text_ Text why = {};
        uint64_t start = now_monotonic();
        run_case(replay, json, &outcome);
        uint64_t usec = now_monotonic() - start;
        if (usec > replay->slowest_usec) {
                replay->slowest_usec = usec;
                (void)snprintf(replay->slowest, sizeof(replay->slowest), "%s", id);
        }

        bool quirk = json_boolean(json_member(json, "quirk"));
        compare_request(json_member(json, "request"), outcome.request, &why);
        compare_reply(json, &outcome, &why);
        if (why.size == 0) {
                *(quirk ? &replay->quirks_same : &replay->passed) += 1;
                if (replay->verbose)
                        printf("ok %s\n", id);
                return;
        }
        *(quirk ? &replay->quirks_other : &replay->failed) += 1;
        if (quirk)
                printf("QUIRK %s [%s] differs (%s): %s\n", id, area, member_string(json, "quirk_reason"),
                        text_string(&why));
        else
                printf("MISMATCH %s [%s] %s\n", id, area, text_string(&why));
}

static int replay_file(Replay *replay, const char *path) {
        _cleanup_text_ Text content = {};
        int r = io_read_file(AT_FDCWD, path, (size_t)64 << 20, &content);
        if (r < 0)
                return log_error_errno(r, "%s: %m", path);

        const char *line = text_string(&content), *newline;
        for (unsigned n = 1; (newline = strchr(line, '\n')); line = newline + 1, n++) {
                _cleanup_json_ Json *json = NULL;
                JsonError error;
                r = json_parse(line, (size_t)(newline - line), LIMITS, &json, &error);
                if (r < 0) {
                        log_error("%s:%u: %s", path, n, error.message);
                        return r;
                }
                replay_case(replay, json);
        }
        return 0;
}

static void remove_state(const char *path) {
        DIR *dir = opendir(path);
        struct dirent *entry;
        while (dir && (entry = readdir(dir)))
                (void)unlinkat(dirfd(dir), entry->d_name, 0);
        if (dir)
                (void)closedir(dir);
        (void)rmdir(path);
}

int main(int argc, char **argv) {
        char state_dir[] = "/tmp/replay.XXXXXX";
        _cleanup_(config_freep) Config *config = NULL;
        Replay replay = { .languages = { SOURCE_DIR "/src/language/data", NULL },
                .rewrites = SOURCE_DIR "/src/language/rewrites" };
        int i, r;

        log_setup("replay");
        for (i = 1; i < argc && argv[i][0] == '-'; i++) {
                const char *value;
                if ((value = startswith(argv[i], "--filter=")))
                        replay.filter = value;
                else if ((value = startswith(argv[i], "--languages=")))
                        replay.languages[0] = value;
                else if ((value = startswith(argv[i], "--rewrites=")))
                        replay.rewrites = value;
                else if (streq(argv[i], "-v"))
                        replay.verbose = true;
                else {
                        log_error("Unknown option %s", argv[i]);
                        return EXIT_FAILURE;
                }
        }

        r = config_load("/nonexistent", NULL, &config, NULL);
        if (r < 0 || !mkdtemp(state_dir)) {
                log_error_errno(r < 0 ? r : -errno, "Failed to set up: %m");
                return EXIT_FAILURE;
        }
        replay.config = config;
        replay.state_dir = state_dir;

        uint64_t start = now_monotonic();
        for (r = 0; i < argc && r >= 0; i++)
                r = replay_file(&replay, argv[i]);
        remove_state(state_dir);

        printf("%.2f s, the slowest %s with %.1f ms; %u cases left to run_golden.py\n",
                (double)(now_monotonic() - start) / 1e6, replay.slowest, (double)replay.slowest_usec / 1e3,
                replay.left_out);
        printf("quirk cases, not counted: %u same, %u different\n", replay.quirks_same, replay.quirks_other);
        printf("%u passed, %u failed\n", replay.passed, replay.failed);
        return r < 0 || replay.failed > 0 ? EXIT_FAILURE : EXIT_SUCCESS;
}
