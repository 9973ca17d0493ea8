/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* A start that fails is told to systemd later each time, or it would be tried five times a second for ever:
 * it knows longer pauses by itself only from version 254 on, and there for good once a service has crashed
 * often enough. How often is in the runtime directory. */

/* Waits 0.2 s, twice as long the next time, at most 10 s; a signal that ends the service ends the wait.
 * run_fd: the runtime directory; -EBADF, where it cannot be opened: 5 s. SIGTERM and SIGINT are blocked. */
void failed_start_wait(int run_fd);

/* The service has started. */
void failed_start_forget(int run_fd);
