/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* The ways to a guest in libvirt's description of its domain. */

#include "watchdog/transport/domain-lines.h"

/* Reads a domain's XML, formatdomain of libvirt. 0, or -EBADMSG (or no memory). */
int domain_xml_lines(const char *xml, DomainLines *ret);
