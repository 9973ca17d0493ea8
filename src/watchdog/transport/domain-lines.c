/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "watchdog/transport/domain-lines.h"

bool domain_lines_have_port(const DomainLines *lines, uint16_t port) {
        for (size_t i = 0; i < ELEMENTSOF(lines->ports); i++)
                if (port > 0 && lines->ports[i] == port)
                        return true;
        return false;
}

bool domain_lines_equal(const DomainLines *a, const DomainLines *b) {
        return a->known == b->known && a->channel == b->channel && a->cid == b->cid && a->data == b->data &&
               a->heart == b->heart && memcmp(a->ports, b->ports, sizeof(a->ports)) == 0;
}
