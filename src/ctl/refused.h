/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "ctl/ctl.h"

/* Appends a line for each who is refused, after an empty one; nothing where there is nobody, or where the
 * service does not tell. */
void refused_append(Ctl *ctl, Text *text);
