/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* The macros of prelude.h, and its function gdb(), have names that programs use as well: print(), watch()...
 */

#include "plan/words.h"

/* For each whose name the code declares, as whatever it may be, defines or uses as a member adds the
 * compiler's option that hides it, "-D__PBOTVM_NO_print". */
void macros_hide(const Text *code, Words *options);
