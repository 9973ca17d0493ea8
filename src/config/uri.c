/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "config/uri.h"

#include <stdio.h>

#define LETTERS "abcdefghijklmnopqrstuvwxyz0123456789"
/* Of names and addresses, with an IPv6 address's zone: none that a shell would take for its own. */
#define HOST_LETTERS LETTERS "ABCDEFGHIJKLMNOPQRSTUVWXYZ._-:%"

static const struct {
        const char *name;
        bool far; /* needs a host */
} transports[] = {
        { "unix", false },
        { "ext", false },
        { "tls", true },
        { "tcp", true },
        { "ssh", true },
        { "libssh", true },
        { "libssh2", true },
};

/* 0 with *ret_far, or -EINVAL. */
static int take_transport(const char *name, size_t size, LibvirtUri *uri, bool *ret_far) {
        for (size_t i = 0; i < ELEMENTSOF(transports); i++)
                if (strlen(transports[i].name) == size && strncmp(transports[i].name, name, size) == 0) {
                        snprintf(uri->transport, sizeof(uri->transport), "%s", transports[i].name);
                        *ret_far = transports[i].far;
                        return 0;
                }
        return -EINVAL;
}

/* authority: USER@HOST:PORT, of that size. */
static int take_host(const char *authority, size_t size, LibvirtUri *uri) {
        const char *at = memchr(authority, '@', size), *host = at ? at + 1 : authority;
        size_t n = size - (size_t)(host - authority);
        const char *end = *host == '[' ? memchr(host, ']', n) : memchr(host, ':', n);

        if (*host == '[' && n > 0) {
                if (!end)
                        return -EINVAL;
                host++;
                n = (size_t)(end - host);
        } else if (end)
                n = (size_t)(end - host);
        if (n >= sizeof(uri->host) || strspn(host, HOST_LETTERS) < n)
                return -EINVAL;
        memcpy(uri->host, host, n);
        uri->host[n] = '\0';
        return 0;
}

int libvirt_uri_parse(const char *uri, LibvirtUri *ret) {
        LibvirtUri parsed = {};
        size_t driver = strspn(uri, LETTERS);
        const char *rest = uri + driver;
        bool far = false;

        if (driver == 0)
                return -EINVAL;
        if (*rest == '+') {
                size_t n = strspn(rest + 1, LETTERS);
                if (take_transport(rest + 1, n, &parsed, &far) < 0)
                        return -EINVAL;
                rest += 1 + n;
        }
        const char *authority = startswith(rest, "://");
        if (!authority || take_host(authority, strcspn(authority, "/?#"), &parsed) < 0)
                return -EINVAL;
        if (far && !*parsed.host)
                return -EINVAL;
        if (!*parsed.transport)
                snprintf(parsed.transport, sizeof(parsed.transport), "%s", *parsed.host ? "tls" : "unix");
        *ret = parsed;
        return 0;
}

bool machine_uri_is_local(const char *uri) {
        LibvirtUri parsed;

        return libvirt_uri_parse(uri, &parsed) < 0 || !*parsed.host;
}
