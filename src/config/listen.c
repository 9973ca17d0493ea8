/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "config/config.h"

#include <arpa/inet.h>
#include <stdio.h>

/* The canonical form of a numeric address: one spelling each, an IPv4 address mapped into IPv6 as IPv4. */
static int host_canonical(const char *host, char ret[INET6_ADDRSTRLEN]) {
        struct in6_addr six;
        struct in_addr four;

        if (inet_pton(AF_INET, host, &four) == 1)
                return inet_ntop(AF_INET, &four, ret, INET6_ADDRSTRLEN) ? 0 : -EINVAL;
        if (inet_pton(AF_INET6, host, &six) != 1)
                return -EINVAL;
        if (IN6_IS_ADDR_V4MAPPED(&six))
                return inet_ntop(AF_INET, six.s6_addr + 12, ret, INET6_ADDRSTRLEN) ? 0 : -EINVAL;
        return inet_ntop(AF_INET6, &six, ret, INET6_ADDRSTRLEN) ? 0 : -EINVAL;
}

static int port_parse(const char *string, uint16_t *ret) {
        size_t n = strlen(string);

        if (n == 0 || n > 5 || strspn(string, "0123456789") != n)
                return -EINVAL;
        long port = strtol(string, NULL, 10);
        if (port < 1 || port > UINT16_MAX)
                return -EINVAL;
        *ret = (uint16_t)port;
        return 0;
}

int listen_address_parse(const char *address, char **ret_host, uint16_t *ret_port) {
        const char *colon = strrchr(address, ':');
        char host[INET6_ADDRSTRLEN + 2], canonical[INET6_ADDRSTRLEN];
        uint16_t port;

        if (!colon || (size_t)(colon - address) >= sizeof(host))
                return -EINVAL;
        size_t n = (size_t)(colon - address);
        bool brackets = n > 2 && address[0] == '[' && address[n - 1] == ']';
        snprintf(host, sizeof(host), "%.*s", (int)(brackets ? n - 2 : n), address + brackets);

        /* An IPv6 address without brackets could not be told from its port. */
        if (!brackets && strchr(host, ':'))
                return -EINVAL;
        if (host_canonical(host, canonical) < 0 || port_parse(colon + 1, &port) < 0)
                return -EINVAL;

        char *copy = strdup(canonical);
        if (!copy)
                return -ENOMEM;
        *ret_host = copy;
        *ret_port = port;
        return 0;
}

const ListenerConfig *config_listener(const Config *config, const char *address, uint16_t port) {
        char canonical[INET6_ADDRSTRLEN];
        const ListenerConfig *wildcard = NULL;

        if (host_canonical(address, canonical) < 0)
                return NULL;
        for (size_t i = 0; i < config->n_listeners; i++) {
                const ListenerConfig *l = &config->listeners[i];
                if (!l->host || l->port != port)
                        continue;
                if (streq(l->host, canonical))
                        return l;
                if (streq(l->host, "::") || (streq(l->host, "0.0.0.0") && !strchr(canonical, ':')))
                        wildcard = l;
        }
        return wildcard;
}

const ListenerConfig *config_listener_unix(const Config *config, const char *path) {
        for (size_t i = 0; i < config->n_listeners; i++)
                if (!config->listeners[i].host && streq(config->listeners[i].address, path))
                        return &config->listeners[i];
        return NULL;
}
