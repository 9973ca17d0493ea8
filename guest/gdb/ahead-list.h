/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Makes ahead, in ahead_folder(), what the requests of a list need. An entry of the list is a line "=
 * LANGUAGE SOURCE EXECUTABLE COMMAND", as a request has them, and the lines with which its code begins.
 *
 * What a compiler refuses is told on standard error; a compiler that is not there is passed over. 0 or a
 * negative errno.
 */
int ahead_make_list(const char *path);
