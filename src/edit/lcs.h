/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* The longest common subsequence of two sequences of numbers, by the algorithm of Hunt and Szymanski with
 * the choices that Perl's Algorithm::Diff makes among subsequences of the same length. */

#include "common/macro.h"

#define LCS_NONE UINT32_MAX

/* Fills match[0..n_a-1]: the position in b of the same element, or LCS_NONE. At most LCS_PAIRS_MAX pairs of
 * equal elements are looked at; where there are more, only what both have in common at their ends is
 * matched. 0 or -ENOMEM. */
#define LCS_PAIRS_MAX 1000000
int lcs(const uint32_t *a, size_t n_a, const uint32_t *b, size_t n_b, uint32_t *match);
