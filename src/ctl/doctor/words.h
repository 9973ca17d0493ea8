/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* The words and commands of a row, with what the look found. */

#include "ctl/doctor/check.h"

/* Appends a word as a shell reads it. */
void words_quote(Text *text, const char *word);

/* Appends a row's words, or its command, with {machine} and the like replaced. */
void words_append(Text *text, const char *words, const Patient *patient, const Found *found);
void words_append_command(Text *text, const char *command, const Patient *patient, const Found *found);
