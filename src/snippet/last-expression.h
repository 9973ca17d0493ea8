/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "snippet/pieces.h"

/* Whether the value of this piece, the last of a snippet, is to be shown: it is an expression, none that
 * assigns, and calls nothing that prints by itself. */
bool expression_is_shown(const Pieces *pieces, const Piece *piece);

/* Whether the pieces in [first, end) ask the debugger for something, so that no value is shown by itself. */
bool uses_debugger(const Pieces *pieces, const Piece *piece);
