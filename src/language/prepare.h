/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Small changes of code and input before they go to the guest. */

#include "common/text.h"

/* Each backslash-n outside quotes becomes a newline; all other escapes stay, a lone final backslash goes. In
 * place. 0 or -ENOMEM. */
int prepare_newlines(Text *code);

/* The escapes of -stdin, each unless a backslash stands before it: \n \r \t \b, \x with hex digits, \ with
 * octal digits. In place. 0 or -ENOMEM. */
int prepare_input(Text *input);

/* A saying as input: newlines, carriage returns and tabs become spaces, a colon " - ", white space is
 * collapsed and trimmed. In place. 0 or -ENOMEM. */
int prepare_saying(Text *saying);
