/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* The steps of config_load(). */

#include "config/members.h"

/* A machine's name, or an alias: it becomes part of paths and of D-Bus object paths. */
bool machine_name_valid(const char *name);

/* A machine with all defaults, appended to the configuration; NULL without memory. */
MachineConfig *config_add_machine(ConfigReader *reader, Config *config, const char *name);
/* An alias of one machine. */
void config_add_alias(ConfigReader *reader, Config *config, const char *name, const char *machine);
/* PBot's shipped machines: pbot-vm (main, the default) and pbot-test-vm (test), without their ports, which
 * anybody could hold: the domains name them. */
void config_add_shipped(ConfigReader *reader, Config *config);

/* What each machine said itself, so that the environment's defaults do not override it, and where. */
typedef struct MachineGiven {
        bool timeout;
        bool policy;
        unsigned line; /* of the file */
} MachineGiven;

/* Reads machines, aliases and listeners of the file's object, and default-machine's absence. *given: one a
 * machine, freed by the caller. */
void config_read_machines(ConfigReader *reader, Config *config, const Json *machines, MachineGiven **given);
void config_read_aliases(ConfigReader *reader, Config *config, const Json *aliases);
void config_read_listeners(ConfigReader *reader, Config *config, const Json *listeners);

/* Members of machines, aliases and listeners at most, each. */
#define MACHINES_MAX 4096
/* Makes room for one more element, zeroed; NULL without memory. */
void *config_array_grow(ConfigReader *reader, void **array, size_t *n, size_t size);

/* Whether name is a machine or an alias. */
bool config_knows(const Config *config, const char *name);

/* Applies the PBOTVM_ variables. given: NULL, or one a machine. */
void config_apply_environment(
        ConfigReader *reader, Config *config, const MachineGiven *given, char *const *environment);
/* A transport that is demanded must have an address, whoever took it away: the file or a variable. Likewise.
 */
void config_check_transports(
        ConfigReader *reader, const Config *config, const MachineGiven *given, char *const *environment);
