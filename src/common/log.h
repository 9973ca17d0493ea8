/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Messages for the operator: to the journal with structured fields when the program is a service, to stderr
 * else (PBOTVM_LOG=journal|stderr decides otherwise). */

#include <syslog.h>

#include "common/macro.h"

/* Message ids, one for each thing an operator may search for: journalctl MESSAGE_ID=... The texts that
 * explain them are in units/pbotvm.catalog. */
#define MESSAGE_REQUEST "6f1c4a0d5b0e4c7d9a3f2f8f6f0b1a01"        /* a request was answered */
#define MESSAGE_REQUEST_FAILED "6f1c4a0d5b0e4c7d9a3f2f8f6f0b1a02" /* a request could not be run */
#define MESSAGE_CONFIG "6f1c4a0d5b0e4c7d9a3f2f8f6f0b1a03"         /* a mistake in the configuration */
#define MESSAGE_LANGUAGE "6f1c4a0d5b0e4c7d9a3f2f8f6f0b1a04"       /* a mistake in a language file */
#define MESSAGE_STATE "6f1c4a0d5b0e4c7d9a3f2f8f6f0b1a05"          /* a machine changed its state */
#define MESSAGE_REVERT "6f1c4a0d5b0e4c7d9a3f2f8f6f0b1a06"         /* a machine is about to be reverted */
#define MESSAGE_REVERT_FAILED "6f1c4a0d5b0e4c7d9a3f2f8f6f0b1a07"  /* a revert failed */
#define MESSAGE_HEARTBEAT_LOST "6f1c4a0d5b0e4c7d9a3f2f8f6f0b1a08" /* a heartbeat stopped */
#define MESSAGE_PROTOCOL "6f1c4a0d5b0e4c7d9a3f2f8f6f0b1a09"       /* a guest broke the protocol */
#define MESSAGE_DENIED "6f1c4a0d5b0e4c7d9a3f2f8f6f0b1a0a"         /* a caller was refused */
#define MESSAGE_NICK_REFUSED "6f1c4a0d5b0e4c7d9a3f2f8f6f0b1a0c"   /* whose requests cost too many reverts */
#define MESSAGE_REVERTED "6f1c4a0d5b0e4c7d9a3f2f8f6f0b1a0b"       /* a machine was reverted */
#define MESSAGE_STALE_SNAPSHOT "6f1c4a0d5b0e4c7d9a3f2f8f6f0b1a0e" /* a snapshot from before an upgrade */
#define MESSAGE_GUEST_JOURNAL "6f1c4a0d5b0e4c7d9a3f2f8f6f0b1a0d"  /* what a guest told of its own journal */

/* Call once, first. identifier: SYSLOG_IDENTIFIER, or the prefix on stderr; not copied. */
void log_setup(const char *identifier);

/* Opens the connection to the journal, if messages go there: for a process that may open no socket later. */
void log_open(void);

/* Writes one message. error: 0, or a negative errno that %m in the format shows. Returns error. fields:
 * NULL, or a NULL-terminated list of "NAME=value" strings for this message alone; message_id may be NULL. */
int log_write(int priority, int error, const char *message_id, const char *const *fields, const char *format,
        ...) _printf_(5, 6);

#define log_debug(...) ((void)log_write(LOG_DEBUG, 0, NULL, NULL, __VA_ARGS__))
#define log_info(...) ((void)log_write(LOG_INFO, 0, NULL, NULL, __VA_ARGS__))
#define log_notice(...) ((void)log_write(LOG_NOTICE, 0, NULL, NULL, __VA_ARGS__))
#define log_warning(...) ((void)log_write(LOG_WARNING, 0, NULL, NULL, __VA_ARGS__))
#define log_error(...) ((void)log_write(LOG_ERR, 0, NULL, NULL, __VA_ARGS__))
/* Each evaluates to the error: return log_error_errno(r, "Failed to open %s: %m", path); */
#define log_warning_errno(error, ...) log_write(LOG_WARNING, error, NULL, NULL, __VA_ARGS__)
#define log_error_errno(error, ...) log_write(LOG_ERR, error, NULL, NULL, __VA_ARGS__)
#define log_oom() log_write(LOG_ERR, -ENOMEM, NULL, NULL, "Out of memory.")
