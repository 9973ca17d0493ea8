/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* The ways to a guest that its domain has, by its own description: a backend that knows it tells them
 * (libvirt/domain-xml.c reads them from XML), and they come with each of its looks. */

#include "common/macro.h"

typedef struct DomainLines {
        bool known;        /* false: nobody has told */
        bool channel;      /* our agent's virtio-serial channel */
        uint16_t ports[4]; /* serial lines over TCP on its host, in the order of the guest's; 0: none */
        uint32_t cid;      /* vsock; 0: none */
        const char *data, *heart; /* sockets of its channels that are not the configured ones; borrowed */
} DomainLines;

/* True if one of the serial lines has that port; 0 is no port. */
bool domain_lines_have_port(const DomainLines *lines, uint16_t port);
/* Whether they are known counts, too. */
bool domain_lines_equal(const DomainLines *a, const DomainLines *b);
