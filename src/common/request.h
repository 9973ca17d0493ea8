/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* What the host asks of a guest. One implementation for both ends: the host writes it, the agent parses it.
 */

#include "common/json.h"
#include "common/proof.h"

#define LIMIT_UNSET UINT64_MAX

/* Limits of a job; LIMIT_UNSET where nothing is said. The wire's names are the members' names. */
typedef struct JobLimits {
        uint64_t wall_usec;
        uint64_t cpu_usec;         /* of all processes together */
        uint64_t process_cpu_usec; /* of one process; LIMIT_UNSET: cpu_usec */
        uint64_t memory_bytes;
        uint64_t processes;
        uint64_t file_bytes;
        uint64_t output_bytes;
        uint64_t disk_bytes;
} JobLimits;

#define JOB_LIMITS_UNSET                                                                                    \
        ((JobLimits){ LIMIT_UNSET, LIMIT_UNSET, LIMIT_UNSET, LIMIT_UNSET, LIMIT_UNSET, LIMIT_UNSET,         \
                LIMIT_UNSET, LIMIT_UNSET })

/* One row a member, for parsers and writers of limits (the request, the configuration). */
typedef struct JobLimitField {
        const char *name;
        size_t offset; /* of a uint64_t in JobLimits */
} JobLimitField;
extern const JobLimitField job_limit_fields[8];
/* Lowers *limits to those of lower that are set; never raises. */
void job_limits_lower(JobLimits *limits, const JobLimits *lower);

#define REQUEST_ID_MAX 64
#define REQUEST_ENTROPY_SIZE 32
#define REQUEST_ENVIRONMENT_MAX 16 /* variables */

typedef struct Request {
        /* PBot's members. Strings are C strings, but input and code, which may hold NUL bytes. */
        char *lang;
        char *sourcefile;
        char *execfile;
        char *cmdline;
        char *arguments;
        char *factoid;     /* NULL: not sent */
        char *persist_key; /* NULL: not sent; the member is called persist-key */
        Text input;
        bool input_null; /* input is sent as null */
        Text code;
        int64_t date; /* seconds since 1970; 0: not sent, or not understood */

        /* The members of "pbotvm"; present tells whether there is one. */
        bool present;
        char *id;
        bool probe;
        uint64_t generation; /* 0: not sent */
        JobLimits limits;
        uint8_t entropy[REQUEST_ENTROPY_SIZE];
        bool have_entropy;
        Text storage; /* a tar archive, decoded */
        bool have_storage;
        uint8_t secret[SECRET_SIZE]; /* by which the agent knows its host where anybody may connect */
        bool have_secret;
        char **environment; /* variables for the program, NAME=value, NULL-terminated; NULL: none */
        bool terminal;      /* the program's standard output is a terminal */
} Request;

/* Sets up an empty request. */
#define REQUEST_INIT ((Request){ .limits = JOB_LIMITS_UNSET })
void request_done(Request *request);
#define _cleanup_request_ _cleanup_(request_done)

/* Appends the JSON of a request, compact or, for people, indented. 0 or -ENOMEM. */
int request_write(const Request *request, bool indent, Text *json);

/* Parses what came from a host. Numbers and null where a string is expected are taken as PBot's agents take
 * them (null: empty; number: as written). 0, or -EBADMSG with a message for the client in *error (a Text),
 * or -ENOMEM. Unknown members are ignored. A wrong member of "pbotvm" is -EBADMSG too. After -EBADMSG *ret,
 * which the caller has initialised, has the id if there was one, and nothing else. */
int request_parse(const char *json, size_t size, Request *ret, Text *error);

/* The probe: an ordinary sh request, echo of a nonce (letters and digits), that carries pbotvm.probe. */
int request_probe(const char *nonce, const char *id, int64_t date, Request *ret);
