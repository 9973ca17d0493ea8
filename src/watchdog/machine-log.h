/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <stdio.h>

#include "common/log.h"

/* A message about the machine of that name, which is a field of it. id: a MESSAGE_..., or NULL. */
#define machine_log(name, priority, id, ...)                                                                \
        ({                                                                                                  \
                char _field[128];                                                                           \
                snprintf(_field, sizeof(_field), "PBOTVM_MACHINE=%s", name);                                \
                (void)log_write(priority, 0, id, (const char *[]){ _field, NULL }, __VA_ARGS__);            \
        })
