/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "common/macro.h"

/* Makes the folder of a template that is to be, in place of what an earlier try has left. 0 or negative
 * errno. */
int folder_make(const char *path);
/* Has all of it on the disk, then gives it the name of the template in force, which goes, or what of it is a
 * template's. 0 or negative errno. */
int folder_put_in_force(const char *path, const char *name);
/* Removes one; what is no template's file stays, and the folder with it. 0, also if there is none, or a
 * negative errno. */
int folder_remove(const char *path);
