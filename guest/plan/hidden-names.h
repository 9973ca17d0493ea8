/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* What glibc has and -std=c11 hides, usleep() say. Before gcc 14 and clang 16 a call was a warning, and the
 * program ran; today it is an error, and -D_DEFAULT_SOURCE the remedy. See feature_test_macros(7). */

#include "common/text.h"

/* Whether the code has one of these names outside of literals and comments. */
bool hidden_names_used(const Text *code);
