/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* The agent: takes requests from its channels, runs their jobs, as many at once as there are slots, answers,
 * and beats. */

#include <systemd/sd-event.h>

#include "settings.h"

typedef struct Agent Agent;

/* Everything up to serving: the user, the cgroups, the filter, the endpoints. The errors are logged.
 * settings stays the caller's and valid. */
int agent_new(sd_event *event, const Settings *settings, Agent **ret);
Agent *agent_free(Agent *agent);
DEFINE_CLEANUP(Agent *, agent_free);
