/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Machines as JSON, for programs; the members are named in pbotvmctl(1). */

#include "common/json.h"
#include "ctl/machines.h"

/* Appends an object, and an array of them, with a newline. 0 or -ENOMEM. */
int report_one(const MachineInfo *machine, Text *text);
int report_list(const MachineInfo *machines, size_t n, Text *text);
/* A member of that name: a string; null where there is none, or an empty one. */
void report_string(JsonWriter *writer, const char *name, const char *value);
/* Appends what was written, with a newline at its end. 0 or -ENOMEM. */
int report_finish(JsonWriter *writer, Text *text);
