/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* How literals and comments of a language look, as its file says it (pbotvm-language(5)), and the one
 * scanner that finds them. It knows nothing else of a language, reads any bytes, and takes time in
 * proportion to them. */

#include "common/json.h"

typedef enum SyntaxForm {
        SYNTAX_PAIR,      /* from open to close */
        SYNTAX_LINE,      /* from open to the end of the line */
        SYNTAX_HEREDOC,   /* open and a word: from the next line to the line that is that word */
        SYNTAX_RAW,       /* open, a tag, a parenthesis; the same the other way round */
        SYNTAX_DELIMITED, /* open and a delimiter of the person's choice */
        SYNTAX_CHARACTER, /* one character, maybe escaped, between open and open; else no literal */
} SyntaxForm;

/* Where a rule's open may stand. */
typedef enum SyntaxPlace {
        SYNTAX_ANYWHERE,
        SYNTAX_AT_LINE,        /* where a line begins */
        SYNTAX_AT_WORD,        /* not behind a letter, a digit or one of _$@%& */
        SYNTAX_AT_BLANK,       /* behind white space or one of ;&|() */
        SYNTAX_OUTSIDE_NUMBER, /* not between the digits of a number */
} SyntaxPlace;

typedef struct SyntaxRule {
        SyntaxForm form;
        SyntaxPlace place;
        bool comment;
        bool nests;
        bool one_line;  /* its close stands on the same line, or it is none */
        char escape;    /* takes the meaning from the next character; 0: none */
        char fill;      /* any number of it before the last character of open, as many in close; 0: none */
        unsigned parts; /* of SYNTAX_DELIMITED: 1 or 2 */
        char *open;
        char *close; /* empty: the literal is open and the character behind it */
        char *after; /* one of these is the last character before it that is not blank; NULL: any */
} SyntaxRule;

typedef struct Syntax {
        SyntaxRule *rules;
        size_t n;
        bool begins[256]; /* some open begins with this byte */
} Syntax;
void syntax_done(Syntax *syntax);

#define SYNTAX_RULES_MAX 32

/* Reads the array "syntax" of a language file in place of what *ret has: 0, or -EINVAL with what is wrong in
 * *ret_message (static) and where in *ret_where, or -ENOMEM. */
int syntax_read(const Json *array, Syntax *ret, const Json **ret_where, const char **ret_message);

typedef struct SyntaxSpan {
        size_t start, end;
        bool comment;
        bool to_line_end; /* a comment that the line ends */
} SyntaxSpan;

#define SYNTAX_HEREDOCS_MAX 4 /* of one line */

typedef struct SyntaxScan {
        const Syntax *syntax;
        const char *data;
        size_t size, at;
        /* The text has no newline but at its end: a typed backslash-n outside of literals is one, and ends
         * what a newline ends. */
        bool typed;
        bool open_ended;       /* a quote without its partner reaches to the end; else it is a character */
        bool no_line_comments; /* they are read as code */
        bool no_apostrophes;   /* a ' behind a letter or digit is none's quote, as in "it's" */
        size_t line_start;
        char last;                           /* the last character of code that is not blank; 0: none yet */
        size_t dead_until[SYNTAX_RULES_MAX]; /* no close up to here */
        unsigned misses;                     /* searches for an end of the person's choice that failed */
        struct {
                size_t tag, tag_size;
        } heredocs[SYNTAX_HEREDOCS_MAX];
        size_t n_heredocs;
} SyntaxScan;

/* Starts at the beginning of data, which must outlive the scan. */
SyntaxScan syntax_scan(const Syntax *syntax, const char *data, size_t size, bool open_ended);
/* The next literal or comment; what lies between two is code. False: there is none any more. */
bool syntax_next(SyntaxScan *scan, SyntaxSpan *ret);
