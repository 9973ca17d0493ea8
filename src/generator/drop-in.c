/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <arpa/inet.h>
#include <fcntl.h>
#include <sys/stat.h>

#include "common/io.h"
#include "generator/drop-in.h"

/* What pbotvm.socket has without a drop-in. */
#define DEFAULT_HOST "127.0.0.1"
#define DEFAULT_PORT 9000
/* Half of what the unit takes in all. Unix sockets are counted by user, by systemd 256 and newer. */
#define PER_SOURCE 96

typedef struct Address {
        const char *host; /* of the configuration; a path: a unix socket */
        uint16_t port;
        const ListenerConfig *listener; /* NULL: none */
} Address;

static bool is_listed(const Address *addresses, size_t n, const char *host, uint16_t port) {
        for (size_t i = 0; i < n; i++)
                if (addresses[i].port == port && streq(addresses[i].host, host))
                        return true;
        return false;
}

static bool is_unix(const Address *address) {
        return address->host[0] == '/';
}

static bool is_six(const Address *address) {
        return !is_unix(address) && strchr(address->host, ':');
}

/* Beside a socket for all addresses none of these can be bound, and it takes what comes to them. */
static size_t leave_out_covered(Address *addresses, size_t n) {
        size_t left = 0;

        for (size_t i = 0; i < n; i++) {
                const char *all = is_six(&addresses[i]) ? "::" : "0.0.0.0";
                if (is_unix(&addresses[i]) || streq(addresses[i].host, all) ||
                        !is_listed(addresses, n, all, addresses[i].port))
                        addresses[left++] = addresses[i];
        }
        return left;
}

/* All places to listen on, each once; *ret has room for them. */
static size_t collect(const Config *config, Address *ret) {
        size_t n = 0;

        if (config->listen_default)
                ret[n++] = (Address){ .host = config->listen_address, .port = config->listen_port };
        for (size_t i = 0; i < config->n_listeners; i++) {
                const ListenerConfig *l = &config->listeners[i];
                const char *host = l->host ?: l->address;
                if (!is_listed(ret, n, host, l->port))
                        ret[n++] = (Address){ host, l->port, l };
        }
        return leave_out_covered(ret, n);
}

/* [::] takes IPv4 along, unless told not to. */
static bool collides(const Address *addresses, size_t n) {
        for (size_t i = 0; i < n; i++)
                for (size_t k = 0; k < n; k++)
                        if (streq(addresses[i].host, "::") && !is_six(&addresses[k]) &&
                                !is_unix(&addresses[k]) && addresses[i].port == addresses[k].port)
                                return true;
        return false;
}

/* An address that the machine may get only after the socket is there. */
static bool may_be_late(const Address *address) {
        struct in_addr four;

        if (is_unix(address))
                return false;
        if (is_six(address))
                return !streq(address->host, "::") && !streq(address->host, "::1");
        return inet_pton(AF_INET, address->host, &four) != 1 ||
               (four.s_addr != INADDR_ANY && (ntohl(four.s_addr) >> 24) != IN_LOOPBACKNET);
}

/* All unix sockets have the same: the configuration sees to that. */
static void append_rights(Text *to, const ListenerConfig *listener) {
        text_append_printf(to, "SocketMode=%04o\nRemoveOnStop=yes\n", listener->mode);
        if (listener->group)
                text_append_printf(to, "SocketGroup=%s\n", listener->group);
}

/* Whether a client's address says who it is. On the loopback all are one, PBot too. */
static bool tells_clients_apart(const Address *address) {
        return is_unix(address) || may_be_late(address);
}

static void append_address(Text *to, const Address *address) {
        if (is_unix(address))
                text_append_printf(to, "ListenStream=%s\n", address->host);
        else
                text_append_printf(to, is_six(address) ? "ListenStream=[%s]:%u\n" : "ListenStream=%s:%u\n",
                        address->host, (unsigned)address->port);
}

static void append_addresses(Text *to, const Address *addresses, size_t n) {
        const ListenerConfig *unix_listener = NULL;
        bool late = false, apart = true;

        text_append_string(to, "# Made by pbotvm-generator from the configuration of pbotvm.\n"
                               "[Socket]\n"
                               "ListenStream=\n");
        for (size_t i = 0; i < n; i++) {
                append_address(to, &addresses[i]);
                late = late || may_be_late(&addresses[i]);
                apart = apart && tells_clients_apart(&addresses[i]);
                if (is_unix(&addresses[i]))
                        unix_listener = addresses[i].listener;
        }
        if (unix_listener)
                append_rights(to, unix_listener);
        if (collides(addresses, n))
                text_append_string(to, "BindIPv6Only=ipv6-only\n");
        if (late)
                text_append_string(to, "FreeBind=yes\n");
        if (apart)
                text_append_printf(to, "MaxConnectionsPerSource=%i\n", PER_SOURCE);
}

int drop_in_make(const Config *config, Text *ret) {
        _cleanup_free_ Address *addresses = calloc(config->n_listeners + 1, sizeof(Address));
        size_t n;

        if (!addresses)
                return -ENOMEM;
        n = collect(config, addresses);
        if (n == 0 || (n == 1 && is_listed(addresses, n, DEFAULT_HOST, DEFAULT_PORT)))
                return 0;
        append_addresses(ret, addresses, n);
        return text_error(ret);
}

int drop_in_write(const char *folder, const Text *drop_in) {
        _cleanup_text_ Text path = {};

        text_append_printf(&path, "%s/pbotvm.socket.d", folder);
        if (text_failed(&path))
                return -ENOMEM;
        if (mkdir(text_string(&path), 0755) < 0 && errno != EEXIST)
                return -errno;

        text_append_string(&path, "/50-pbotvm.conf");
        if (text_failed(&path))
                return -ENOMEM;
        return io_write_file(text_string(&path), drop_in->data, drop_in->size, 0644);
}
