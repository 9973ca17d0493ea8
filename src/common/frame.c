/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "common/frame.h"

#define PIECE_SIZE 4000
#define END_MARKER ":end:"
#define RESULT "result:"
#define RESULT_END "result:end"

void frame_append_request(Text *out, const char *json, size_t size, Framing framing) {
        if (framing == FRAMING_END_MARKER) {
                text_append(out, json, size);
                text_append_string(out, "\n" END_MARKER "\n");
                return;
        }

        for (size_t i = 0; i < size; i += PIECE_SIZE) {
                text_append(out, json + i, MIN((size_t)PIECE_SIZE, size - i));
                text_append_char(out, '\n');
        }
        text_append_char(out, '\n');
}

void frame_append_reply(Text *out, const char *json, size_t size) {
        text_append_string(out, RESULT);
        text_append(out, json, size);
        text_append_string(out, "\n" RESULT_END "\n");
}

void request_reader_done(RequestReader *reader) {
        text_done(&reader->content);
        text_done(&reader->line);
        *reader = (RequestReader){};
}

void request_reader_reset(RequestReader *reader) {
        text_clear(&reader->content);
        text_clear(&reader->line);
        reader->overflow = false;
}

bool request_reader_pending(const RequestReader *reader) {
        return reader->content.size > 0 || reader->line.size > 0 || reader->overflow;
}

/* Blanks around the marker are allowed, as PBot's agent has it. */
static bool is_end_marker(const Text *line) {
        const char *s = text_string(line);

        s += strspn(s, " \t\r");
        const char *rest = startswith(s, END_MARKER);
        return rest && rest[strspn(rest, " \t\r")] == '\0' && strlen(text_string(line)) == line->size;
}

/* A whole line has come, without its newline. 1 when it ends a request. */
static int request_line(RequestReader *reader) {
        bool begun = reader->content.size > 0 || reader->overflow;

        if (reader->line.size == 0) {
                if (!begun) /* an empty line in front of a request does no harm */
                        return 0;
                reader->framing = FRAMING_CHUNKS;
                return 1;
        }
        if (begun && is_end_marker(&reader->line)) {
                reader->framing = FRAMING_END_MARKER;
                return 1;
        }

        if (reader->content.size + reader->line.size > FRAME_SIZE_MAX) {
                reader->overflow = true;
                text_clear(&reader->content);
        }
        if (!reader->overflow)
                text_append_text(&reader->content, &reader->line);
        text_clear(&reader->line);
        return 0;
}

/* Appends to the line that is being read; of one that grows too long only the fact is kept. */
static void request_bytes(RequestReader *reader, const char *data, size_t size) {
        if (reader->line.size + size > FRAME_SIZE_MAX) {
                reader->overflow = true;
                text_clear(&reader->line);
                text_clear(&reader->content);
                /* what is left must not look like an empty line */
                text_append_char(&reader->line, '.');
        } else
                text_append(&reader->line, data, size);
}

int request_reader_feed(RequestReader *reader, const char *data, size_t size, size_t *ret_used) {
        size_t i = 0;

        while (i < size) {
                const char *newline = memchr(data + i, '\n', size - i);
                size_t n = newline ? (size_t)(newline - data) - i : size - i;

                request_bytes(reader, data + i, n);
                i += n;
                if (newline) {
                        i++;
                        if (request_line(reader) > 0) {
                                text_clear(&reader->line);
                                *ret_used = i;
                                return reader->overflow                ? -EMSGSIZE
                                       : text_failed(&reader->content) ? -ENOMEM
                                                                       : 1;
                        }
                }
        }

        *ret_used = i;
        return text_failed(&reader->content) || text_failed(&reader->line) ? -ENOMEM : 0;
}

void reply_reader_done(ReplyReader *reader) {
        text_done(&reader->line);
        text_done(&reader->object);
        text_done(&reader->rest);
        *reader = (ReplyReader){};
}

static bool begins_with(const Text *text, const char *prefix) {
        size_t n = strlen(prefix);
        return text->size >= n && memcmp(text->data, prefix, n) == 0;
}

/* A whole line has come, without its newline. 1 when it ends the reply. */
static int reply_line(ReplyReader *reader) {
        Text *line = &reader->line;

        while (line->size > 0 && line->data[line->size - 1] == '\r')
                text_truncate(line, line->size - 1);

        bool end = text_equals(line, RESULT_END);
        if (!end && reader->have_object) {
                text_append_text(&reader->rest, line);
                text_append_char(&reader->rest, '\n');
        } else if (!end && begins_with(line, RESULT)) {
                text_append(&reader->object, line->data + strlen(RESULT), line->size - strlen(RESULT));
                reader->have_object = true;
        }
        text_clear(line);
        return end;
}

int reply_reader_feed(ReplyReader *reader, const char *data, size_t size, size_t *ret_used) {
        size_t i = 0;

        while (i < size) {
                const char *newline = memchr(data + i, '\n', size - i);
                size_t n = newline ? (size_t)(newline - data) - i : size - i;

                reader->total += n + 1;
                if (reader->total > FRAME_SIZE_MAX) {
                        *ret_used = size;
                        return -EMSGSIZE;
                }
                text_append(&reader->line, data + i, n);
                i += n;
                if (newline) {
                        i++;
                        if (reply_line(reader) > 0) {
                                *ret_used = i;
                                return 1;
                        }
                }
        }

        *ret_used = i;
        return text_failed(&reader->line) || text_failed(&reader->object) || text_failed(&reader->rest)
                       ? -ENOMEM
                       : 0;
}

int reply_reader_eof(ReplyReader *reader) {
        if (reader->line.size > 0)
                (void)reply_line(reader);
        return reader->have_object;
}
