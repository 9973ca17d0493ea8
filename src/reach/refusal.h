/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Why a connection to libvirt on another host did not come about, as people need it told: libvirt says what
 * went wrong in its client, and what has to be mended is mostly elsewhere. */

#include <libvirt/virterror.h>

#include "common/text.h"

/* Finds it out by the error's code, the system's number that libvirt keeps in int1, and the URI's transport;
 * only what ssh says on its standard error has no code. words: what is wrong, a clause; mend: the command
 * for it, or nothing. False, with nothing appended, where the error itself tells all that is known: of a
 * local connection, and of errors that have no row. The rows were measured with libvirt 9.0. */
bool refusal_tell(const virError *error, const char *uri, Text *words, Text *mend);
