/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* libvirt's connection URIs: DRIVER[+TRANSPORT]://[USER@][HOST][:PORT]/PATH[?PARAMETERS], as its page "URI
 * format" has them. libvirt's own aliases for URIs are none: whether one leads to another host could not be
 * seen in it. */

#include "common/macro.h"

typedef struct LibvirtUri {
        char transport[8]; /* "unix", "tls", "tcp", "ssh", "ext", "libssh", "libssh2" */
        char host[256];    /* as written, without the brackets of an IPv6 address; "" on this host */
} LibvirtUri;

/* 0, or -EINVAL: it is none, or it names a transport that does not exist, or no host for one that needs it.
 */
int libvirt_uri_parse(const char *uri, LibvirtUri *ret);
/* True if the machines of that URI are on this host; what is no URI is taken to be. */
bool machine_uri_is_local(const char *uri);
