/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Headers that are compiled ahead, for a compiler, its options and the lines with which sources begin. They
 * lie in a folder that jobs only read, with what drivers start:
 *
 *   KEY-HEAD.h         what was compiled
 *   KEY-HEAD.h.pch     by clang
 *   KEY-HEAD.h.gch     or by gcc
 *   KEY-HEAD.h.files   all that went into it, see stamps.h; it comes last
 *   COMMAND.steps      that for one command, see recipe.h
 *
 * KEY stands for the compiler and for every option that could change what the headers mean. A compiler does
 * not look at all of them: clang takes what was compiled without a -D, gcc what was compiled without a
 * sanitizer. */

#include "plan/words.h"

/* What names files there: FNV-1a. */
uint64_t ahead_digest(const char *data, size_t size);

/* Where the folder is: $PBOTVM_AHEAD, else what guest/install and the image have. */
const char *ahead_folder(void);

/* What is to be compiled for sources that begin as this one: its leading lines of #include and #define up to
 * <prelude.h> or <prelude.hpp>. Comments of the host's (#if 0), empty lines, and what takes "using namespace
 * std" back, which is not part of it, are left out. False if it does not begin so. */
bool ahead_head(const Text *source, Text *ret);

/* Appends the options that make the compiler take what there is for this command, the source and its head;
 * none if there is nothing, or if it was made of other files. 0 or -ENOMEM. */
int ahead_find(char **command, const char *source_name, const Text *source, Words *ret);

/* Compiles the head for the command into the folder, unless it is there. 0, also where the compiler refused,
 * which is told on standard error; or a negative errno. */
int ahead_make(char **command, const char *source_name, const Text *source);
