/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* What is said of a program, in PBot's words. */

#include "gdb/session.h"
#include "gdb/source.h"

/* gdb's text of a value: bytes that it shows in octal since they are no character become \xHH. */
void tell_value(Text *text, const char *value);

/* What console commands answer: "$1 = 5\n" without number and newline; "type = struct {\n ... }\n" in one
 * line. */
void tell_printed(Text *text, const Text *console);
void tell_type(Text *text, const Text *console);

/* "f (n=2)": a frame of MI with the arguments of -stack-list-arguments (NULL: the frame's own). */
void tell_frame(Text *text, const MiValue *frame, const MiValue *arguments);

/* " at statement: f(2);" if the source can be quoted; returns whether it could. */
bool tell_statement(Text *text, const MiValue *frame, const Source *source);

/* "x = 5; y = 6": local variables of the selected frame, nothing if there are none. 0 or a negative errno.
 */
int tell_locals(Session *session, Text *text);

/* "f (p=0x0) at statement: *p = 0; called by main () at statement: f(0); <local variables: x = 5>".
 * skip_library: begin with the innermost frame of the program's own. 0 or a negative errno. */
int tell_stack(Session *session, const Source *source, Text *text);
