/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* listeners of the configuration file: where the socket listens, and for which machine. */
#include <sys/un.h>

#include "config/config-private.h"

#define PATH_CHARACTERS "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789._+-/@:,="
#define GROUP_CHARACTERS "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789._-"

/* A path that stands in a unit as it is, and in a socket's address. */
static bool is_path(const char *address) {
        size_t size = strlen(address);

        return address[0] == '/' && size > 1 && size < sizeof(((struct sockaddr_un *)NULL)->sun_path) &&
               strspn(address, PATH_CHARACTERS) == size && address[size - 1] != '/';
}

static bool is_taken(const Config *config, const ListenerConfig *l) {
        for (size_t i = 0; i < config->n_listeners; i++) {
                const ListenerConfig *other = &config->listeners[i];
                if (l->host ? streq_ptr(other->host, l->host) && other->port == l->port
                            : streq(other->address, l->address))
                        return true;
        }
        return false;
}

static void read_address(ConfigReader *reader, const Config *config, const Json *value, const char *member,
        ListenerConfig *l) {
        if (!is_path(l->address) && listen_address_parse(l->address, &l->host, &l->port) < 0)
                config_mistake(reader, value, member,
                        "expected a numeric address and a port as name, as in \"127.0.0.1:9001\" or "
                        "\"[::1]:9001\", or the path of a unix socket");
        else if (is_taken(config, l))
                config_mistake(reader, value, member, "expected an address that is not used twice");
}

static void read_machine_name(ConfigReader *reader, const Config *config, const Json *value,
        const char *member, const char *name) {
        if (!name || !config_knows(config, name))
                config_mistake(reader, value, member, "expected the name of a machine or an alias%s%s%s",
                        name ? ", found \"" : "", name ? name : "", name ? "\"" : "");
}

/* One unit listens for all, and has one mode and one group. */
static void check_rights(ConfigReader *reader, const Config *config, const Json *value, const char *member,
        ListenerConfig *l) {
        if (l->host && (l->mode > 0 || l->group))
                config_mistake(
                        reader, value, member, "expected \"mode\" and \"group\" of a unix socket alone");
        if (l->group && strspn(l->group, GROUP_CHARACTERS) != strlen(l->group))
                config_mistake(reader, value, member, "expected the name of a group");
        if (l->host)
                return;
        if (l->mode == 0)
                l->mode = 0600;
        for (size_t i = 0; i < config->n_listeners; i++) {
                const ListenerConfig *other = &config->listeners[i];
                if (!other->host && (other->mode != l->mode || !streq_ptr(other->group, l->group))) {
                        config_mistake(reader, value, member,
                                "expected the \"mode\" and \"group\" of the other unix sockets");
                        return;
                }
        }
}

static void read_members(ConfigReader *reader, const Config *config, const Json *value, const char *member,
        ListenerConfig *l) {
        const char *name = json_string(value, NULL);

        if (json_type(value) == JSON_OBJECT) {
                members_read(reader, value, member, listener_members, l, NULL);
                name = l->machine;
        } else if (name)
                config_set_string(reader, &l->machine, name);
        read_machine_name(reader, config, value, member, name);
        check_rights(reader, config, value, member, l);
}

void config_read_listeners(ConfigReader *reader, Config *config, const Json *listeners) {
        if (json_type(listeners) != JSON_OBJECT || json_size(listeners) > MACHINES_MAX) {
                config_mistake(reader, listeners, "listeners",
                        "expected an object of addresses with the machines that they are for");
                return;
        }
        for (size_t i = 0; i < json_size(listeners); i++) {
                _cleanup_text_ Text member = {};
                void *array = config->listeners;
                ListenerConfig *l = config_array_grow(reader, &array, &config->n_listeners, sizeof(*l));

                config->listeners = array;
                if (!l)
                        return;
                config_set_string(reader, &l->address, json_name_at(listeners, i));
                if (!l->address) {
                        config->n_listeners--;
                        return;
                }
                text_append_printf(&member, "listeners.%.80s", l->address);
                /* Until it is read it is none of those that it is compared with. */
                config->n_listeners--;
                read_address(reader, config, json_at(listeners, i), text_string(&member), l);
                read_members(reader, config, json_at(listeners, i), text_string(&member), l);
                config->n_listeners++;
        }
}
