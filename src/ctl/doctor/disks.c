/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The domain's disks, and what else forbids a snapshot. */

#include <fcntl.h>
#include <inttypes.h>
#include <sys/statvfs.h>

#include "ctl/doctor/check.h"
#include "ctl/doctor/words.h"

#define DISKS "/domain/devices/disk[@device='disk' or not(@device)][not(readonly)]"
#define OTHER_FORMAT DISKS "[not(driver/@type='qcow2')]"
#define EXCLUDED DISKS "[@snapshot='no' or @snapshot='external']"
#define FILESYSTEM "/domain/devices/filesystem"
#define HOSTDEV "/domain/devices/hostdev"

/* The source of the first node that a path leads to. */
static LookResult look_for(const Patient *patient, const char *path, const char *name, Found *found) {
        if (xml_count(patient->domain->xml, path) == 0)
                return LOOK_OK;
        _cleanup_free_ char *what = xml_string(patient->domain->xml, name, 0);
        text_append_string(&found->what, what ?: "");
        return LOOK_WRONG;
}

static LookResult look_format(const Patient *patient, Found *found) {
        return look_for(patient, OTHER_FORMAT, OTHER_FORMAT "/target/@dev", found);
}

static LookResult look_excluded(const Patient *patient, Found *found) {
        return look_for(patient, EXCLUDED, EXCLUDED "/target/@dev", found);
}

static LookResult look_filesystem(const Patient *patient, Found *found) {
        return look_for(patient, FILESYSTEM, FILESYSTEM "/target/@dir", found);
}

static LookResult look_hostdev(const Patient *patient, Found *found) {
        return look_for(patient, HOSTDEV, HOSTDEV "/@type", found);
}

/* An image grows as its guest writes; a guest whose image cannot is paused by QEMU. */
static LookResult look_growth(const Patient *patient, Found *found) {
        _cleanup_free_ char *image = xml_string(patient->domain->xml, DISKS "/source/@file", 0);
        struct statvfs st;

        if (!image || image[0] != '/' || !patient_is_local(patient))
                return LOOK_LEFT_OUT;
        char *slash = strrchr(image, '/');
        slash[slash == image ? 1 : 0] = '\0';
        _cleanup_close_ int fd =
                openat(patient->root, image[1] ? &image[1] : ".", O_PATH | O_DIRECTORY | O_CLOEXEC);
        if (fd < 0 || fstatvfs(fd, &st) < 0)
                return LOOK_LEFT_OUT;

        text_append_string(&found->mend, "du -xh --max-depth=2 \"$(findmnt -no TARGET -T ");
        words_quote(&found->mend, image);
        text_append_string(&found->mend, ")\" | sort -h | tail");
        uint64_t there = (uint64_t)st.f_bavail * st.f_frsize;
        text_append_printf(&found->what, "%" PRIu64 " MiB, and %" PRIu64 " MiB are free in %s",
                patient->domain->growth_bytes >> 20, there >> 20, image);
        return there < patient->domain->growth_bytes ? LOOK_WRONG : LOOK_OK;
}

static const Check checks[] = {
        { "disk-format", SCOPE_DOMAIN, CHECK_FAULT, "the disks can be snapshotted", look_format,
                "disk {what} of domain {domain} is no qcow2, so that the domain has no internal snapshot",
                "qemu-img convert -O qcow2 IMAGE IMAGE.qcow2 && virsh -c {uri} edit {domain}  # "
                "<driver type='qcow2'/>" },
        { "disk-excluded", SCOPE_DOMAIN, CHECK_FAULT, "every disk is in the snapshot", look_excluded,
                "disk {what} of domain {domain} is left out of snapshots (snapshot=...), and libvirt then "
                "takes none",
                "virt-xml --connect {uri} {domain} --edit target={what} --disk snapshot_policy=internal" },
        { "filesystem", SCOPE_DOMAIN, CHECK_FAULT, "no folder of the host is in the guest", look_filesystem,
                "domain {domain} has a <filesystem> ({what}), which forbids snapshots",
                "virt-xml --connect {uri} {domain} --remove-device --filesystem all" },
        { "hostdev", SCOPE_DOMAIN, CHECK_FAULT, "no device of the host is in the guest", look_hostdev,
                "domain {domain} has a device of the host ({what}), which forbids snapshots",
                "virt-xml --connect {uri} {domain} --remove-device --hostdev all" },
        { "image-growth", SCOPE_DOMAIN, CHECK_WARNING, "the images have room to grow", look_growth,
                "the images of domain {domain} may grow by {what}", "{mend}" },
};
const CheckTable disk_checks = { checks, ELEMENTSOF(checks) };
