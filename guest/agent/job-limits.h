/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* What a job may use. */

#include "common/request.h"

/* The limits of a job where neither the settings nor the request say otherwise. Wall time, CPU time,
 * processes and file size are PBot's; memory is a share of total_memory (bytes); the disk is a tmpfs, so it
 * is memory too and at most half of that share. */
JobLimits limits_default(uint64_t total_memory);

/* Bytes of RAM of the machine. */
uint64_t limits_total_memory(void);

/* What all jobs together may use of total_memory (bytes): the rest is for the agent and the system. */
uint64_t limits_all_memory(uint64_t total_memory);

/* The settings' limits where set, lowered by those of the request, kept above what a job needs to start at
 * all. */
JobLimits limits_resolve(const JobLimits *base, const JobLimits *request);

/* How many files the job's disk may hold: one for every 4 KiB of its size. */
uint64_t limits_inodes(const JobLimits *limits);

/* usec of CPU time of one process of a program. */
uint64_t limits_process_cpu(const JobLimits *limits);

/* What each process of a step may use. */
typedef struct ProcessLimits {
        uint64_t cpu_usec;
        uint64_t file_bytes; /* the largest file that it may write */
        uint64_t processes;  /* of its user in its user namespace; LIMIT_UNSET: as before */
} ProcessLimits;

/* Applies in the process of a step, before it gives up its privileges. 0 or a negative errno. */
int limits_apply(const ProcessLimits *limits);
