/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* One bounded message on a byte stream: the wire between host and guest, both directions.
 *
 * Request, of 2026 (FRAMING_CHUNKS): the JSON cut in pieces of 4000 bytes, a newline after each, then an
 * empty line. Of 2023 (FRAMING_END_MARKER): the JSON in one line, then a line ":end:". The reader
 * understands both. Reply: lines ending in LF or CR LF; all before a line "result:" + JSON object is
 * skipped, "result:end" ends. */

#include "common/text.h"

#define FRAME_SIZE_MAX ((size_t)8 << 20)

typedef enum Framing {
        FRAMING_CHUNKS,
        FRAMING_END_MARKER,
} Framing;

/* Appends the frame of a request. json has no newline in it. */
void frame_append_request(Text *out, const char *json, size_t size, Framing framing);

/* The guest's side: feeds on bytes until a request is whole. */
typedef struct RequestReader {
        Text content; /* the JSON so far, newlines left out */
        Text line;    /* the line that is not ended yet */
        Framing framing;
        bool overflow;
} RequestReader;

void request_reader_done(RequestReader *reader);
/* Forgets what came so far. */
void request_reader_reset(RequestReader *reader);
/* True if a request has begun and is not whole: such one is dropped after 2 s of silence. */
bool request_reader_pending(const RequestReader *reader);
/* Takes bytes up to the end of one request: *ret_used says how many. Returns 1 when reader->content is a
 * whole request (and reader->framing says how it came), 0 when more is needed, -EMSGSIZE when a request
 * longer than FRAME_SIZE_MAX has ended (all of it was skipped), -ENOMEM. After 1 or an error, reset before
 * going on. */
int request_reader_feed(RequestReader *reader, const char *data, size_t size, size_t *ret_used);

/* The host's side: feeds on bytes until a reply is whole. PBot appends the raw lines that follow the object,
 * so they are kept: objects and lines in the order in which they came. */
typedef struct ReplyReader {
        Text line;
        Text object; /* the first object's JSON, without "result:" */
        Text rest;   /* later lines, each with LF; a later "result:" object stands there as it came */
        bool have_object;
        size_t total;
} ReplyReader;

void reply_reader_done(ReplyReader *reader);
/* Takes bytes up to the end of one reply. Returns 1 at result:end (have_object tells whether it is a reply
 * at all), 0 when more is needed, -EMSGSIZE past FRAME_SIZE_MAX, -ENOMEM. */
int reply_reader_feed(ReplyReader *reader, const char *data, size_t size, size_t *ret_used);
/* Call at the end of file: 1 if a whole object has come (a last line without LF counts), 0 if not. */
int reply_reader_eof(ReplyReader *reader);

/* Appends the frame of a reply: "result:" json LF "result:end" LF. */
void frame_append_reply(Text *out, const char *json, size_t size);
