/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The snapshot that every revert goes back to. */

#include <inttypes.h>
#include <stdio.h>

#include "ctl/doctor/check.h"
#include "ctl/doctor/tree.h"

/* Since 9.9 libvirt reverts to external snapshots. */
#define VERSION_EXTERNAL 9009000

#define CREATE "pbotvmctl snapshot {machine}"

static const SnapshotFacts *snapshot_of(const Patient *patient) {
        return facts_snapshot(patient->domain, patient->machine->snapshot);
}

static LookResult look_there(const Patient *patient, Found *found _unused_) {
        if (patient->machine->policy == POLICY_NEVER)
                return LOOK_LEFT_OUT;
        return snapshot_of(patient) ? LOOK_OK : LOOK_WRONG;
}

static bool is_external(const SnapshotFacts *snapshot) {
        return xml_count(snapshot->xml, "/domainsnapshot[memory/@snapshot='external' or "
                                        "disks/disk/@snapshot='external']") > 0;
}

/* Of a guest that was off, or of its disks alone: a revert would boot it. */
static LookResult look_state(const Patient *patient, Found *found) {
        const SnapshotFacts *snapshot = snapshot_of(patient);

        if (!snapshot)
                return LOOK_LEFT_OUT;
        _cleanup_free_ char *state = xml_string(snapshot->xml, "/domainsnapshot/state", 0);
        text_append_string(&found->what, state ?: "unknown");
        return state && (streq(state, "running") || streq(state, "paused")) ? LOOK_OK : LOOK_WRONG;
}

static LookResult look_external(const Patient *patient, bool revertible) {
        const SnapshotFacts *snapshot = snapshot_of(patient);

        if (!snapshot || (patient->hypervisor->version >= VERSION_EXTERNAL) != revertible)
                return LOOK_LEFT_OUT;
        return is_external(snapshot) ? LOOK_WRONG : LOOK_OK;
}

static LookResult look_external_old(const Patient *patient, Found *found _unused_) {
        return look_external(patient, false);
}

static LookResult look_external_new(const Patient *patient, Found *found _unused_) {
        return look_external(patient, true);
}

/* A revert brings the definition of the snapshot's time back, without what was attached since. */
static LookResult look_definition(const Patient *patient, Found *found) {
        static const struct {
                const char *what, *path;
        } devices[] = {
                { "a virtio channel", "/devices/channel[starts-with(target/@name, 'org.pbot.vm.')]" },
                { "a serial line over TCP", "/devices/serial[@type='tcp']" },
                { "a vsock device", "/devices/vsock" },
                { "a panic device", "/devices/panic" },
        };
        const SnapshotFacts *snapshot = snapshot_of(patient);

        if (!snapshot || xml_count(snapshot->xml, "/domainsnapshot/domain") == 0)
                return LOOK_LEFT_OUT;
        for (size_t i = 0; i < ELEMENTSOF(devices); i++) {
                char now[200], then[200];
                (void)snprintf(now, sizeof(now), "/domain%s", devices[i].path);
                (void)snprintf(then, sizeof(then), "/domainsnapshot/domain%s", devices[i].path);
                if (xml_count(patient->domain->xml, now) > xml_count(snapshot->xml, then)) {
                        text_append_string(&found->what, devices[i].what);
                        return LOOK_WRONG;
                }
        }
        return LOOK_OK;
}

/* Not every QEMU loads what an older one saved; a revert since then has shown that this one does. */
static LookResult look_emulator(const Patient *patient, Found *found _unused_) {
        const SnapshotFacts *snapshot = snapshot_of(patient);
        _cleanup_free_ char *emulator = xml_string(patient->domain->xml, "/domain/devices/emulator", 0);
        struct stat st;

        if (!snapshot || !emulator || !patient_is_local(patient) ||
                tree_stat(patient->root, emulator, &st) < 0)
                return LOOK_LEFT_OUT;
        uint64_t made = xml_number(snapshot->xml, "/domainsnapshot/creationTime", 0);
        uint64_t installed = (uint64_t)st.st_ctim.tv_sec;
        uint64_t reverted = patient->info ? patient->info->last_revert_usec / USEC_PER_SEC : 0;
        return made == 0 ? LOOK_LEFT_OUT : made < installed && reverted < installed ? LOOK_WRONG : LOOK_OK;
}

/* Such models are what the host has: QEMU loads the state of another one, says that it runs, and the guest
 * is dead. */
static bool follows_host_cpu(const Patient *patient) {
        return xml_count(patient->domain->xml,
                       "/domain/cpu[@mode='host-model' or @mode='host-passthrough' or @mode='maximum']") > 0;
}

static void append_difference(Text *text, const char *what, const char *then, const char *now) {
        if (*then && *now && !streq(then, now))
                text_append_printf(text, "%s%s %s (now %s)", text->size > 0 ? " and " : "", what, then, now);
}

static LookResult look_passport(const Patient *patient, Found *found) {
        const SnapshotFacts *snapshot = snapshot_of(patient);
        const Passport *now = &patient->hypervisor->passport;
        _cleanup_free_ char *line =
                snapshot ? xml_string(snapshot->xml, "/domainsnapshot/description", 0) : NULL;
        Passport then;

        if (!passport_read(line, &then))
                return LOOK_LEFT_OUT;
        append_difference(&found->what, "QEMU", then.emulator, now->emulator);
        if (follows_host_cpu(patient))
                append_difference(&found->what, "the host's CPU", then.cpu, now->cpu);
        return found->what.size > 0 ? LOOK_WRONG : LOOK_OK;
}

/* A running guest that has another definition than the snapshot gets the snapshot's at the next revert. That
 * of a domain that follows its host is in the part that says how it starts next. */
static LookResult look_machine(const Patient *patient, Found *found) {
        static const struct {
                const char *what, *path;
        } values[] = {
                { "the machine type", "/os/type/@machine" },
                { "the memory", "/memory" },
                { "the number of processors", "/vcpu" },
                { "the CPU model", "/cpu/@mode" },
                { "the CPU model", "/cpu/model" },
        };
        const SnapshotFacts *snapshot = snapshot_of(patient);
        bool both = snapshot && xml_count(snapshot->xml, "/domainsnapshot/inactiveDomain") > 0;

        if (!snapshot || xml_count(snapshot->xml, "/domainsnapshot/domain") == 0)
                return LOOK_LEFT_OUT;
        for (size_t i = 0; i < ELEMENTSOF(values); i++) {
                char path[200];
                if (!both && follows_host_cpu(patient) && startswith(values[i].path, "/cpu"))
                        continue;
                (void)snprintf(path, sizeof(path), "/domain%s", values[i].path);
                _cleanup_free_ char *now = xml_string(patient->domain->xml, path, 0);
                (void)snprintf(path, sizeof(path), "/domainsnapshot/%s%s",
                        both ? "inactiveDomain" : "domain", values[i].path);
                _cleanup_free_ char *then = xml_string(snapshot->xml, path, 0);
                if (now && then && !streq(now, then)) {
                        text_append_printf(&found->what, "%s %s (now %s)", values[i].what, then, now);
                        return LOOK_WRONG;
                }
        }
        return LOOK_OK;
}

/* What a replacement that broke off left. */
static LookResult look_spare(const Patient *patient, Found *found) {
        text_append_printf(&found->what, "%s.new", patient->machine->snapshot);
        if (text_failed(&found->what) || !snapshot_of(patient))
                return LOOK_LEFT_OUT;
        return facts_snapshot(patient->domain, text_string(&found->what)) ? LOOK_WRONG : LOOK_OK;
}

static const Check checks[] = {
        { "snapshot", SCOPE_DOMAIN, CHECK_FAULT, "the snapshot is there", look_there,
                "domain {domain} has no snapshot {snapshot} to revert to",
                CREATE "  # while the guest runs" },
        { "snapshot-state", SCOPE_DOMAIN, CHECK_FAULT, "the snapshot is of a running guest", look_state,
                "snapshot {snapshot} of domain {domain} has the state {what}, so that a revert would boot "
                "the guest",
                DELETE_SNAPSHOT
                "; virsh -c {uri} start {domain}  # unless it runs; once it has booted: " CREATE },
        { "snapshot-internal", SCOPE_DOMAIN, CHECK_FAULT, "libvirt can revert to the snapshot",
                look_external_old,
                "snapshot {snapshot} of domain {domain} is external, and libvirt reverts to such since 9.9",
                DELETE_SNAPSHOT " && " CREATE "  # while the guest runs" },
        { "snapshot-external", SCOPE_DOMAIN, CHECK_WARNING, "the snapshot is internal", look_external_new,
                "snapshot {snapshot} of domain {domain} is external: each revert makes new files",
                CREATE "  # while the guest runs" },
        { "snapshot-definition", SCOPE_DOMAIN, CHECK_FAULT, "the snapshot has the domain's devices",
                look_definition,
                "snapshot {snapshot} of domain {domain} was taken before {what} was attached: the next "
                "revert takes that away again",
                DELETE_SNAPSHOT " && " COLD_BOOT },
        { "snapshot-machine", SCOPE_DOMAIN, CHECK_FAULT, "the snapshot is of this machine", look_machine,
                "snapshot {snapshot} of domain {domain} was taken with {what}: the next revert brings that "
                "back",
                DELETE_SNAPSHOT " && " COLD_BOOT },
        { "snapshot-passport", SCOPE_DOMAIN, CHECK_WARNING, "the snapshot was made by what is here now",
                look_passport,
                "snapshot {snapshot} of domain {domain} was taken with {what}: it may not load, or its "
                "guest not "
                "live",
                CREATE "  # if a revert to it fails: " DELETE_SNAPSHOT " && " COLD_BOOT },
        { "snapshot-qemu", SCOPE_DOMAIN, CHECK_WARNING, "this QEMU has loaded the snapshot", look_emulator,
                "snapshot {snapshot} of domain {domain} is older than the QEMU that is installed, which has "
                "not loaded it yet; a trial shows whether it can",
                "pbotvmctl revert {machine}" },
        { "snapshot-spare", SCOPE_DOMAIN, CHECK_WARNING, "no broken-off replacement is left", look_spare,
                "domain {domain} has a snapshot {what} that a replacement left behind",
                "virsh -c {uri} snapshot-delete {domain} {what}" },
};
const CheckTable snapshot_checks = { checks, ELEMENTSOF(checks) };
