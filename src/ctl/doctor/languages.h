/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* A round trip for each language: its hello world goes the way of every request. */

#include "ctl/doctor/examine.h"

/* A service answers sooner: waiting and time limit together, or PBot would not hear it. */
#define LANGUAGE_USEC (40 * USEC_PER_SEC)

/* Sends the program of each language in the JSON file (name: { "code": ... }) to the first address of the
 * configuration that listens, one after the other, and adds a result for each. progress: says on stderr
 * which is under way. 0 or negative errno. */
int languages_try(const Config *config, const char *file, bool progress, Results *results);
