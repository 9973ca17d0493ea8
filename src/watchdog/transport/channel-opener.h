/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Somebody who opens a machine's virtio-serial channels where they are no sockets of this host: the backend
 * that runs it. */

#include "common/macro.h"

typedef struct ChannelOpening ChannelOpening;
typedef struct ChannelOpener ChannelOpener;

/* Called once, from the loop: a connected non-blocking socket, the callee's, or a negative errno. */
typedef void (*ChannelDone)(int fd, void *userdata);

struct ChannelOpener {
        /* Begins to open the channel of that name. 0 or negative errno. */
        int (*open)(ChannelOpener *opener, const char *channel, ChannelDone done, void *userdata,
                ChannelOpening **ret);
        /* done will not be called. Not after it was. */
        void (*give_up)(ChannelOpening *opening);
};
