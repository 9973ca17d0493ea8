/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Whether this guest is able to run a job: every few seconds a tiny program is started in a job's sandbox.
 */

#include "job.h"

typedef struct Health Health;

/* Starts checking. changed is called when the verdict changes (the first one included). 0 or a negative
 * errno. */
int health_new(
        JobContext *context, void (*changed)(bool healthy, void *userdata), void *userdata, Health **ret);
Health *health_free(Health *health);
DEFINE_CLEANUP(Health *, health_free);

/* False until a check has succeeded, and when none has for a while. */
bool health_good(const Health *health);
/* A job's processes did not die: no verdict but sick until the agent is started anew. */
void health_condemn(Health *health);
