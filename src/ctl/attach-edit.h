/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Puts into a domain's definition what host and guest reach each other by. Safe to repeat: what is there and
 * right stays as it is, what is there and wrong is put right. */

#include "ctl/doctor/facts.h"
#include "config/config.h"

/* Whether the ports, or CIDs, of other domains matter to this kind. */
bool attach_needs_facts(TransportKind kind);

/* Changes definition, which is of the machine's domain. Given to it are, by kind: virtio channels
 * org.pbot.vm.0 and org.pbot.vm.heartbeat on the machine's unix sockets; two serial lines on TCP ports of
 * 127.0.0.1; a vsock device. hypervisor: its other domains' ports and CIDs are not chosen; it may be NULL
 * unless attach_needs_facts(). The XML of each device that was added or changed is appended to *changed,
 * which stays empty if there was nothing to do. 0, -ENOMEM, -EBADMSG if it is no domain, -ENODATA if the
 * hypervisor's facts have an error, -EINVAL for TRANSPORT_AUTO. */
int attach_edit(xmlDocPtr definition, TransportKind kind, const MachineConfig *machine,
        const HypervisorFacts *hypervisor, Text *changed);
