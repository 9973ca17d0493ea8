/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* The machines in Prometheus' text exposition format, version 0.0.4; the names stand in pbotvmctl(1). */

#include "ctl/machines.h"

/* Appends it all. machines: NULL if the service does not run. 0 or -ENOMEM. */
int metrics_append(Text *text, const Machines *machines);
