/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Puts into a domain's definition what host and guest reach each other by. Safe to repeat: what is there and
 * right stays as it is, what is there and wrong is put right. */

#include "ctl/doctor/facts.h"
#include "config/config.h"

typedef enum AttachKind {
        ATTACH_CHANNEL, /* virtio channels org.pbot.vm.0 and org.pbot.vm.heartbeat on unix sockets */
        ATTACH_SERIAL,  /* two serial lines on TCP ports of 127.0.0.1 */
        ATTACH_VSOCK,   /* a vsock device */
} AttachKind;
int attach_kind_from_string(const char *string); /* "channel", "serial", "vsock"; or -EINVAL */

/* Changes definition, which is of the machine's domain. hypervisor: for the ports and CIDs that its other
 * domains have. The XML of each device that was added or changed is appended to *changed, which stays empty
 * if there was nothing to do. 0, -ENOMEM, or -EBADMSG if it is no domain. */
int attach_edit(xmlDocPtr definition, AttachKind kind, const MachineConfig *machine,
        const HypervisorFacts *hypervisor, Text *changed);
