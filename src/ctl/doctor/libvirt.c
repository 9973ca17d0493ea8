/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* libvirt itself: does it answer, and is it one that can revert. */

#include <libvirt/libvirt.h>

#include "ctl/doctor/check.h"
#include "ctl/doctor/tree.h"
#include "ctl/doctor/words.h"

#define VERSION_MIN 9000000

static LookResult look_reachable(const Patient *patient, Found *found) {
        const char *error = patient->hypervisor->error;

        if (!error)
                return LOOK_OK;
        text_append_string(&found->what, error);
        if (patient->hypervisor->mend)
                text_append_string(&found->mend, patient->hypervisor->mend);
        else if (!patient_is_local(patient)) {
                text_append_string(&found->mend, "virsh -c ");
                words_quote(&found->mend, patient->hypervisor->uri);
                text_append_string(&found->mend, " version --daemon");
        } else
                text_append_printf(&found->mend, "systemctl enable --now %s.socket",
                        tree_has(patient->root, "/usr/sbin/libvirtd") ||
                                        !tree_has(patient->root, "/usr/sbin/virtqemud")
                                ? "libvirtd"
                                : "virtqemud");
        return LOOK_WRONG;
}

static LookResult look_version(const Patient *patient, Found *found) {
        unsigned long version = patient->hypervisor->version;

        if (patient->hypervisor->error)
                return LOOK_LEFT_OUT;
        text_append_printf(
                &found->what, "%lu.%lu.%lu", version / 1000000, version / 1000 % 1000, version % 1000);
        return version < VERSION_MIN ? LOOK_WRONG : LOOK_OK;
}

static const Check checks[] = {
        { "libvirt", SCOPE_HYPERVISOR, CHECK_FAULT, "libvirt answers", look_reachable,
                "libvirt at {uri} does not answer: {what}", "{mend}" },
        { "libvirt-version", SCOPE_HYPERVISOR, CHECK_FAULT, "libvirt is 9.0 or newer", look_version,
                "libvirt at {uri} is {what}; 9.0 is the oldest that this was made for",
                "apt-get install --only-upgrade libvirt-daemon-system" },
};
const CheckTable libvirt_checks = { checks, ELEMENTSOF(checks) };
