/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Shell text that needs no shell. */

#include "plan/words.h"

/* Adds the words of a command line if it is nothing but a program's name and words that no shell changes:
 * the shell would only look the program up and become it. 1, 0 if it is more than that (nothing is added
 * then), or -ENOMEM. */
int shell_text_words(const char *text, Words *ret);
