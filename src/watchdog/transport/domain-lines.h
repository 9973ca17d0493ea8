/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* The ways to a guest that its domain has, by its own description. */

#include "common/macro.h"

typedef struct DomainLines {
        bool known;        /* false: nobody has told, or the domain is on another host */
        bool channel;      /* our agent's virtio-serial channel */
        uint16_t ports[4]; /* serial lines over TCP on this host, in the order of the guest's; 0: none */
        uint32_t cid;      /* vsock; 0: none */
} DomainLines;

bool domain_lines_have_port(const DomainLines *lines, uint16_t port);
bool domain_lines_equal(const DomainLines *a, const DomainLines *b);
