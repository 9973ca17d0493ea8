/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Finds what looks like the beginning of a function's definition:
 *
 *     line start, white space (not in Java), RESULT TYPE, white space, NAME, (PARAMETERS), { or <% or ??<
 *
 * The type is of word characters, blanks and *, the name of these and ( ) : (and \ in C), the parameters of
 * anything but ; and {. Among the readings of one line that of a greedy pattern counts: the longest type,
 * then the longest name, then the longest parameters. */

#include "snippet/scan.h"

typedef struct FunctionHeader {
        Span type, name, parameters; /* the first two may have white space at their ends */
        size_t body;                 /* of the opening bracket */
} FunctionHeader;

typedef struct HeaderScanner HeaderScanner;

/* data must outlive the scanner. 0 or -ENOMEM. */
int header_scanner_new(const char *data, size_t size, bool java, HeaderScanner **ret);
HeaderScanner *header_scanner_free(HeaderScanner *scanner);
DEFINE_CLEANUP(HeaderScanner *, header_scanner_free);

/* The first header from the offset on, which counts as the start of a line. False: there is none. All calls
 * together take time in proportion to the text. */
bool header_scanner_find(const HeaderScanner *scanner, size_t from, FunctionHeader *ret);
