/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* A host that lacks nothing: a folder with what is looked at, a configuration, a domain as libvirt shows it,
 * a service. Tests plant a fault in it. */

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>

#include <cmocka.h>

#include "ctl/doctor/examine.h"

typedef struct World {
        char root_path[64];
        int root;
        Config *config;
        Text errors, warnings;
        ServiceFacts service;
        Hypervisors hypervisors;
        Results results;
} World;

/* The domain, and what stands between the tags of its snapshot, as libvirt writes it. */
extern const char good_domain[];
extern const char good_snapshot[];

World *world_new(void);
World *world_free(World *world);
DEFINE_CLEANUP(World *, world_free);

/* Changes to the host's folder. write also makes what is above. */
void world_write(World *world, const char *path, const char *content);
void world_remove(World *world, const char *path);
void world_mode(World *world, const char *path, mode_t mode);
/* Replaces the configuration; one with a mistake is none. */
void world_configure(World *world, const char *json);
/* Replaces the domain and its snapshot (NULL: none): the good ones in which "from" has become "to". */
void world_domain(
        World *world, const char *from, const char *to, const char *snapshot_from, const char *snapshot_to);
/* Another domain of this XML. */
void world_add_domain(World *world, const char *name, const char *xml);

/* Examines it anew. */
void world_examine(World *world);
/* A result of the last examination; NULL: there is none of that name. */
const Result *world_result(const World *world, const char *check);
