/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The machine itself: what the guide's "Prerequisites" ask for. */

#include <inttypes.h>

#include "ctl/doctor/check.h"
#include "ctl/doctor/tree.h"

#define SOCKETS_WANTED "/etc/systemd/system/sockets.target.wants/"

/* Whether a word stands in the first line "flags" of /proc/cpuinfo; -ENODATA: there is no such line, as on
 * processors that are not x86. */
static int cpu_has(const Patient *patient, const char *flag) {
        _cleanup_text_ Text text = {};

        if (tree_read(patient->root, "/proc/cpuinfo", &text) < 0)
                return -ENODATA;
        const char *line = strstr(text_string(&text), "\nflags");
        if (!line)
                return -ENODATA;
        const char *end = line + 1 + strcspn(line + 1, "\n");
        size_t n = strlen(flag);
        for (const char *at = line; (at = strstr(at, flag)) && at < end; at += n)
                if (at[-1] == ' ' && strchr(" \n", at[n])) /* the last one ends in a newline, or NUL */
                        return 1;
        return 0;
}

static bool cpu_virtualizes(const Patient *patient) {
        return cpu_has(patient, "vmx") > 0 || cpu_has(patient, "svm") > 0;
}

static LookResult look_cpu(const Patient *patient, bool nested) {
        int hypervisor = cpu_has(patient, "hypervisor");

        if (hypervisor < 0 || (hypervisor > 0) != nested)
                return LOOK_LEFT_OUT;
        return cpu_virtualizes(patient) ? LOOK_OK : LOOK_WRONG;
}

static LookResult look_cpu_flags(const Patient *patient, Found *found _unused_) {
        return look_cpu(patient, false);
}

static LookResult look_nested(const Patient *patient, Found *found _unused_) {
        return look_cpu(patient, true);
}

static LookResult look_kvm(const Patient *patient, Found *found) {
        if (!cpu_virtualizes(patient))
                return LOOK_LEFT_OUT;
        text_append_string(&found->what, cpu_has(patient, "vmx") > 0 ? "kvm_intel" : "kvm_amd");
        return tree_has(patient->root, "/dev/kvm") ? LOOK_OK : LOOK_WRONG;
}

/* QEMU runs as a user of its own, in the group kvm. */
static LookResult look_kvm_access(const Patient *patient, Found *found) {
        struct stat st;

        if (tree_stat(patient->root, "/dev/kvm", &st) < 0)
                return LOOK_LEFT_OUT;
        text_append_printf(&found->what, "%04o", (unsigned)st.st_mode & 07777);
        return (st.st_mode & 0060) == 0060 ? LOOK_OK : LOOK_WRONG;
}

/* How a distribution is told to install something: by the programs that it has. */
static const struct {
        const char *manager, *qemu, *libvirt, *polkit;
} distributions[] = {
        { "/usr/bin/apt-get", "apt-get install qemu-system-x86", "apt-get install libvirt-daemon-system",
                "apt-get install polkitd" },
        { "/usr/bin/dnf", "dnf install qemu-kvm", "dnf install libvirt-daemon-kvm", "dnf install polkit" },
        { "/usr/bin/zypper", "zypper install qemu-x86", "zypper install libvirt-daemon-qemu",
                "zypper install polkit" },
};

static size_t distribution(const Patient *patient) {
        for (size_t i = 0; i < ELEMENTSOF(distributions); i++)
                if (tree_has(patient->root, distributions[i].manager))
                        return i;
        return 0;
}

static bool has_local_machine(const Patient *patient) {
        for (size_t i = 0; patient->config && i < patient->config->n_machines; i++)
                if (patient->config->machines[i].domain &&
                        machine_uri_is_local(patient->config->machines[i].uri))
                        return true;
        return false;
}

static bool has_any(const Patient *patient, const char *const *paths) {
        for (; *paths; paths++)
                if (tree_has(patient->root, *paths))
                        return true;
        return false;
}

static LookResult look_qemu(const Patient *patient, Found *found) {
        static const char *const paths[] = { "/usr/bin/qemu-system-x86_64", "/usr/libexec/qemu-kvm",
                "/usr/bin/qemu-kvm", "/usr/bin/qemu-system-aarch64", "/usr/local/bin/qemu-system-x86_64",
                NULL };

        if (!has_local_machine(patient))
                return LOOK_LEFT_OUT;
        text_append_string(&found->mend, distributions[distribution(patient)].qemu);
        return has_any(patient, paths) ? LOOK_OK : LOOK_WRONG;
}

static LookResult look_libvirt(const Patient *patient, Found *found) {
        static const char *const paths[] = { "/usr/sbin/libvirtd", "/usr/sbin/virtqemud", NULL };

        if (!has_local_machine(patient))
                return LOOK_LEFT_OUT;
        text_append_string(&found->mend, distributions[distribution(patient)].libvirt);
        return has_any(patient, paths) ? LOOK_OK : LOOK_WRONG;
}

static LookResult look_polkit(const Patient *patient, Found *found) {
        static const char *const paths[] = { "/usr/lib/polkit-1/polkitd", "/usr/libexec/polkitd",
                "/usr/libexec/polkit-1/polkitd", NULL };

        text_append_string(&found->mend, distributions[distribution(patient)].polkit);
        return has_any(patient, paths) ? LOOK_OK : LOOK_WRONG;
}

/* Two daemons would run the same guests, and each would call the other's dead. */
static LookResult look_daemons(const Patient *patient, Found *found _unused_) {
        bool whole = tree_has(patient->root, SOCKETS_WANTED "libvirtd.socket");
        bool part = tree_has(patient->root, SOCKETS_WANTED "virtqemud.socket");

        return !whole && !part ? LOOK_LEFT_OUT : whole && part ? LOOK_WRONG : LOOK_OK;
}

/* The memory that the domains of this host may take, and what there is. */
static LookResult look_memory(const Patient *patient, Found *found) {
        _cleanup_text_ Text text = {};
        uint64_t wanted = 0;

        if (!patient_is_local(patient) || patient->hypervisor->error ||
                tree_read(patient->root, "/proc/meminfo", &text) < 0)
                return LOOK_LEFT_OUT;
        const char *total = strstr(text_string(&text), "MemTotal:");
        if (!total)
                return LOOK_LEFT_OUT;
        uint64_t there = strtoull(total + strlen("MemTotal:"), NULL, 10);
        for (size_t i = 0; i < patient->config->n_machines; i++) {
                const MachineConfig *machine = &patient->config->machines[i];
                const DomainFacts *domain = machine->domain && streq(machine->uri, patient->hypervisor->uri)
                                                    ? facts_domain(patient->hypervisor, machine->domain)
                                                    : NULL;
                if (domain)
                        wanted += xml_number(domain->xml, "/domain/memory", 0);
        }
        text_append_printf(
                &found->what, "%" PRIu64 " MiB of this host's %" PRIu64, wanted >> 10, there >> 10);
        return wanted > there ? LOOK_WRONG : LOOK_OK;
}

static const Check checks[] = {
        { "cpu-flags", SCOPE_HOST, CHECK_WARNING, "the processor can virtualize (vmx, svm)", look_cpu_flags,
                "the processor shows neither vmx nor svm, so guests are emulated, some ten times slower: "
                "switch virtualization on in the firmware's settings",
                "systemctl reboot --firmware-setup" },
        { "cpu-nested", SCOPE_HOST, CHECK_WARNING, "the processor can virtualize (vmx, svm)", look_nested,
                "this host is a virtual machine itself and has neither vmx nor svm, so guests are emulated, "
                "some ten times slower: its own host must hand them on",
                "virt-xml NAME-OF-THIS-HOST --edit --cpu host-passthrough  # there" },
        { "kvm", SCOPE_HOST, CHECK_WARNING, "/dev/kvm is there", look_kvm,
                "the processor can virtualize, but /dev/kvm is missing", "modprobe {what}" },
        { "kvm-access", SCOPE_HOST, CHECK_WARNING, "/dev/kvm is open to its group", look_kvm_access,
                "/dev/kvm has mode {what}, so that QEMU, which is no root, cannot use it",
                "chgrp kvm /dev/kvm && chmod 0660 /dev/kvm" },
        { "qemu", SCOPE_HOST, CHECK_FAULT, "QEMU is installed", look_qemu, "QEMU is not installed",
                "{mend}" },
        { "libvirt-installed", SCOPE_HOST, CHECK_FAULT, "libvirt's daemon is installed", look_libvirt,
                "no daemon of libvirt is installed, neither libvirtd nor virtqemud", "{mend}" },
        { "libvirt-daemons", SCOPE_HOST, CHECK_FAULT, "one daemon of libvirt has the guests", look_daemons,
                "libvirtd and virtqemud are both enabled, and both would run the same guests",
                "systemctl disable --now libvirtd.service libvirtd.socket libvirtd-ro.socket "
                "libvirtd-admin.socket" },
        { "polkit", SCOPE_HOST, CHECK_FAULT, "polkit is installed", look_polkit,
                "polkit is not installed, so the watchdog may not command libvirt", "{mend}" },
        { "memory", SCOPE_HYPERVISOR, CHECK_WARNING, "the guests fit into this host's memory", look_memory,
                "the machines may take {what} MiB of memory",
                "virsh -c {uri} list --all; virsh -c {uri} setmaxmem --config DOMAIN 1G" },
};
const CheckTable host_checks = { checks, ELEMENTSOF(checks) };
