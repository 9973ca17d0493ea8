/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* The macros of prelude.h, and its function gdb(), have names that programs use as well: print(), watch()...
 */

#include "plan/words.h"

/* For each whose name the source declares, as whatever it may be, defines or uses as a member adds the
 * compiler's option that hides it, "-D__PBOTVM_NO_print". A single macro of prelude.hpp is undefined in the
 * source instead, on the empty line behind that header. A failed allocation fails either. */
void macros_hide(Text *source, Words *options);
