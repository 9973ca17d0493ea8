/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* The macros of prelude.h have names that programs use as well: print(), watch()... */

#include "plan/words.h"

/* For each macro whose name the code declares, defines or uses as a member adds the compiler's option that
 * hides the macro, "-D__PBOTVM_NO_print". */
void macros_hide(const Text *code, Words *options);
