/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* The devices that lead to the host. */

#include "stream.h"

/* Opens a device by its path, or a virtio-serial port by its name (with udev /dev/virtio-ports/NAME, without
 * it what /sys/class/virtio-ports knows). A tty is put in raw mode: a canonical one would echo requests, cut
 * long lines, and take bytes for editing. Returns the descriptor and its kind, -ENOENT or -ENODEV when there
 * is no such device (yet), -EBUSY when another program has the port, or another negative errno. */
int device_open(const char *name, StreamKind *ret_kind);

/* For tests: the directories that are searched. */
int device_find_port(const char *dev, const char *sys, const char *name, Text *ret_path);
