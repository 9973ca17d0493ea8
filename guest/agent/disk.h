/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Storage that is kept in the guest, as PBot's agent keeps it: a directory for each key, on a disk of its
 * own or in a directory. The content is packed and unpacked by user vm in a sandbox in which nothing else
 * runs, so root follows no path that a job has made. */

#include "job.h"

typedef struct Disk Disk;

/* place: a directory, or a block device, which is mounted in the agent's own namespace. 0 or a negative
 * errno; the errors are logged. */
int disk_new(JobContext *context, const char *place, Disk **ret);
Disk *disk_free(Disk *disk);
DEFINE_CLEANUP(Disk *, disk_free);

/* Packs what is kept under name (storage_name()) into the result's storage. Negative errno, -ENOENT when
 * nothing is kept. */
int disk_load(Disk *disk, const char *name, JobDone done, void *userdata, Job **ret);

/* Unpacks an archive, which stays valid until done is called, next to what is kept. Negative errno. */
int disk_save(Disk *disk, const char *name, const Text *archive, JobDone done, void *userdata, Job **ret);
/* For the end of that: lets it take the place of what was kept, if the result is good. 0 or a negative
 * errno, when what was kept stays. */
int disk_save_finish(Disk *disk, const char *name, const JobResult *result);
