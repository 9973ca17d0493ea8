/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* The codes that were run in one channel and language: a file with one a line, oldest first, so that a new
 * one is an append. A line is {"code":"..."}, or plain text if it is not JSON. A last line that was torn by
 * a crash is left out. */

#include "edit/command.h"
#include "edit/store.h"

typedef struct CodeList {
        char name[NAME_MAX + 1];
        int fd;      /* locked; -EBADF: there is no file, or it cannot be used */
        bool exists; /* there is a file */
        bool usable; /* changes may be kept */
        Text content;
        Slice *lines; /* oldest first */
        size_t n;
        size_t good_size; /* what of the content is not torn */
} CodeList;
#define CODE_LIST_INIT ((CodeList){ .fd = -EBADF })
void code_list_done(CodeList *list);
#define _cleanup_code_list_ _cleanup_(code_list_done)

/* Reads the list, which stays locked while it is open (exclusive: nobody else reads it either). Troubles of
 * the disk are logged; the list is then empty and not kept. 0 or -ENOMEM. */
int code_list_open(
        const History *history, const char *channel, const char *language, bool exclusive, CodeList *ret);

/* The code of a line, without its newline, and back: the line is appended, with one. 0 or -ENOMEM. */
int code_line_read(Slice line, Text *ret);
int code_line_append(Text *lines, const Text *code);

/* The code at position i, 0 being the newest: 1 and *ret, 0 if there are not so many, -ENOMEM. */
int code_list_get(const CodeList *list, size_t i, Text *ret);

/* Drops the newest ones and appends others, at most two. Troubles are logged. 0 or -ENOMEM. The list is to
 * be closed afterwards. */
int code_list_change(
        const History *history, CodeList *list, size_t drop, const Text *const *append, size_t n_append);

/* Appends one code without reading the list, which is what most requests do. */
int code_list_push(const History *history, const char *channel, const char *language, const Text *code);
