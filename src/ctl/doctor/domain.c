/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* A machine's domain: is it there, and is it one that can run and be reverted. */

#include "ctl/doctor/check.h"
#include "ctl/doctor/tree.h"

/* Since 10.10 libvirt takes internal snapshots of a guest with UEFI, if its variables lie in a qcow2. */
#define VERSION_UEFI 10010000

static LookResult look_there(const Patient *patient, Found *found _unused_) {
        return patient->domain ? LOOK_OK : LOOK_WRONG;
}

static LookResult look_persistent(const Patient *patient, Found *found _unused_) {
        return patient->domain->persistent ? LOOK_OK : LOOK_WRONG;
}

static LookResult look_running(const Patient *patient, Found *found) {
        static const char *const states[] = {
                [VIR_DOMAIN_PAUSED] = "paused",
                [VIR_DOMAIN_SHUTDOWN] = "shutting down",
                [VIR_DOMAIN_SHUTOFF] = "off",
                [VIR_DOMAIN_CRASHED] = "crashed",
                [VIR_DOMAIN_PMSUSPENDED] = "suspended",
        };
        size_t state = (size_t)patient->domain->state;

        if (state >= ELEMENTSOF(states) || !states[state])
                return LOOK_OK;
        text_append_string(&found->what, states[state]);
        return LOOK_WRONG;
}

static bool is_of_type(const Patient *patient, const char *type) {
        _cleanup_free_ char *actual = xml_string(patient->domain->xml, "/domain/@type", 0);

        return actual && streq(actual, type);
}

static LookResult look_kvm(const Patient *patient, Found *found _unused_) {
        if (!patient_is_local(patient) || !is_of_type(patient, "kvm"))
                return LOOK_LEFT_OUT;
        return tree_has(patient->root, "/dev/kvm") ? LOOK_OK : LOOK_WRONG;
}

static LookResult look_emulated(const Patient *patient, Found *found _unused_) {
        if (!patient_is_local(patient) || !tree_has(patient->root, "/dev/kvm"))
                return LOOK_LEFT_OUT;
        return is_of_type(patient, "qemu") ? LOOK_WRONG : LOOK_OK;
}

/* Without one the guest gets QEMU's oldest. */
static LookResult look_cpu(const Patient *patient, Found *found _unused_) {
        if (!is_of_type(patient, "kvm"))
                return LOOK_LEFT_OUT;
        return xml_count(patient->domain->xml, "/domain/cpu[@mode or model]") > 0 ? LOOK_OK : LOOK_WRONG;
}

/* libvirt writes the version into a definition that it takes; other hands may have taken it out. */
static LookResult look_machine(const Patient *patient, Found *found) {
        static const char *const aliases[] = { "pc", "q35", "virt" };
        _cleanup_free_ char *type = xml_string(patient->domain->xml, "/domain/os/type/@machine", 0);

        if (!type)
                return LOOK_LEFT_OUT;
        text_append_string(&found->what, type);
        for (size_t i = 0; i < ELEMENTSOF(aliases); i++)
                if (streq(type, aliases[i]))
                        return LOOK_WRONG;
        return LOOK_OK;
}

static LookResult look_managed_save(const Patient *patient, Found *found _unused_) {
        return patient->domain->managed_save ? LOOK_WRONG : LOOK_OK;
}

static LookResult look_uefi(const Patient *patient, Found *found) {
        static const char firmware[] = "/domain/os[@firmware='efi' or loader/@type='pflash']";
        static const char qcow2[] = "/domain/os/nvram[@format='qcow2']";

        if (xml_count(patient->domain->xml, firmware) == 0)
                return LOOK_OK;
        if (patient->hypervisor->version < VERSION_UEFI)
                text_append_string(
                        &found->what, "before libvirt 10.10 such a guest has no internal snapshot");
        else if (xml_count(patient->domain->xml, qcow2) == 0)
                text_append_string(
                        &found->what, "its variables (nvram) are no qcow2, so it has no snapshot");
        return found->what.size > 0 ? LOOK_WRONG : LOOK_OK;
}

static LookResult look_panic(const Patient *patient, Found *found _unused_) {
        return xml_count(patient->domain->xml, "/domain/devices/panic") > 0 ? LOOK_OK : LOOK_WRONG;
}

/* What a guest prints is kept by virtlogd, which bounds it unless it is told not to, or by QEMU, which does
 * not. A virtlogd that is started again has lost the guests that run; one that is reloaded keeps them. */
static LookResult look_console(const Patient *patient, Found *found) {
        static const char kept[] = "/domain/devices/*[self::serial or self::console or self::channel]"
                                   "[@type='file' or log]";
        _cleanup_text_ Text value = {};

        if (!patient_is_local(patient) || xml_count(patient->domain->xml, kept) == 0)
                return LOOK_OK;
        if (tree_setting(patient->root, "/etc/libvirt/qemu.conf", "stdio_handler", &value) > 0 &&
                streq(text_string(&value), "file")) {
                text_append_string(&found->what, "stdio_handler = \"file\" in /etc/libvirt/qemu.conf");
                text_append_string(&found->mend, "sed -i 's/^ *stdio_handler/#&/' /etc/libvirt/qemu.conf && "
                                                 "systemctl try-restart libvirtd virtqemud  # "
                                                 "then a cold boot: a QEMU that runs goes on as it began");
        } else if (tree_setting(patient->root, "/etc/libvirt/virtlogd.conf", "max_size", &value) > 0 &&
                   strtoull(text_string(&value), NULL, 10) == 0) {
                text_append_string(&found->what, "max_size = 0 in /etc/libvirt/virtlogd.conf");
                text_append_string(&found->mend, "sed -i 's/^ *max_size/#&/' /etc/libvirt/virtlogd.conf && "
                                                 "systemctl try-reload-or-restart virtlogd");
        }
        return found->what.size > 0 ? LOOK_WRONG : LOOK_OK;
}

static const Check checks[] = {
        { "domain", SCOPE_MACHINE, CHECK_FAULT, "the domain is defined", look_there,
                "libvirt at {uri} has no domain {domain}",
                "virsh -c {uri} list --all  # which there are; guest/image/domain prints one" },
        { "persistent", SCOPE_DOMAIN, CHECK_FAULT, "the domain outlives being off", look_persistent,
                "domain {domain} is transient: it is gone with its snapshots once it is off",
                "virsh -c {uri} dumpxml --security-info {domain} | virsh -c {uri} define /dev/stdin" },
        { "running", SCOPE_DOMAIN, CHECK_WARNING, "the domain runs", look_running,
                "domain {domain} is {what}", "pbotvmctl revert {machine}" },
        { "domain-kvm", SCOPE_DOMAIN, CHECK_FAULT, "KVM is there for the domain", look_kvm,
                "domain {domain} is of type kvm, and there is no /dev/kvm: it cannot start",
                "modprobe kvm_intel || modprobe kvm_amd" },
        { "emulated", SCOPE_DOMAIN, CHECK_WARNING, "the domain uses KVM", look_emulated,
                "domain {domain} is emulated (type qemu), though this host has /dev/kvm",
                CHANGED("virsh -c {uri} dumpxml --inactive --security-info {domain} | "
                        "sed \"s/<domain type='qemu'/<domain type='kvm'/\" | "
                        "virsh -c {uri} define /dev/stdin") },
        { "cpu-model", SCOPE_DOMAIN, CHECK_WARNING, "the domain names a processor", look_cpu,
                "domain {domain} names no <cpu>, so that its guest gets QEMU's oldest",
                CHANGED("virt-xml --connect {uri} {domain} --edit --cpu host-passthrough") },
        { "machine-type", SCOPE_DOMAIN, CHECK_WARNING, "the machine type has a version", look_machine,
                "domain {domain} has machine type {what}, which is another one after an upgrade of QEMU, "
                "and then loads no older snapshot",
                CHANGED("virsh -c {uri} edit {domain}") "; machine types: qemu-system-x86_64 -machine "
                                                        "help" },
        { "managed-save", SCOPE_DOMAIN, CHECK_WARNING, "no saved state waits to be started",
                look_managed_save,
                "domain {domain} has a managed save: the next start would bring that state back",
                "virsh -c {uri} managedsave-remove {domain}" },
        { "uefi", SCOPE_DOMAIN, CHECK_FAULT, "the firmware allows internal snapshots", look_uefi,
                "domain {domain} boots by UEFI, and {what}",
                "virsh -c {uri} edit {domain}  # libvirt 10.10 or newer: <nvram format='qcow2'>; else take "
                "loader and nvram out and install the guest for BIOS" },
        { "panic", SCOPE_DOMAIN, CHECK_WARNING, "libvirt hears of a guest's panic", look_panic,
                "domain {domain} has no <panic> device, so that a kernel's panic is seen by its missing "
                "heartbeat alone",
                CHANGED("virt-xml --connect {uri} {domain} --add-device --panic isa") },
        { "console-log", SCOPE_DOMAIN, CHECK_FAULT, "what the guest prints is bounded", look_console,
                "what the guest of {domain} prints to its console is kept without bound: {what}", "{mend}" },
};
const CheckTable domain_checks = { checks, ELEMENTSOF(checks) };
