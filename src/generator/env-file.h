/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Files of NAME=value lines, as EnvironmentFile= of systemd.exec(5) has them: comments that begin with # or
 * ;, single and double quotes, backslashes, lines that a backslash continues. */

#include "common/text.h"

/* Appends the variables of text as a NULL-terminated list of NAME=value, freed by the caller with
 * env_list_free(). Lines that are none of these are left out; a line "LINE: what was expected" in *errors
 * names each. 0 or -ENOMEM. */
int env_file_parse(const Text *text, char ***ret, Text *errors);

char **env_list_free(char **list);
DEFINE_CLEANUP(char **, env_list_free);
