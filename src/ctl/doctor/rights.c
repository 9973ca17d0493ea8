/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* What the rules for libvirt's own access control leave the watchdog, where that is switched on: the names
 * in the lists of polkit/pbotvm-libvirt.rules. */

#include "ctl/doctor/check.h"
#include "ctl/doctor/tree.h"
#include "ctl/doctor/words.h"

#define OWN_RULES "/etc/polkit-1/rules.d/40-pbotvm-libvirt.rules"
#define SHIPPED_RULES "/usr/share/polkit-1/rules.d/50-pbotvm-libvirt.rules"
#define NAME_BYTES "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789._-"

/* access_drivers = [ "polkit" ], maybe over several lines. */
static bool names_polkit(const Text *conf) {
        static const char setting[] = "access_drivers", driver[] = "\"polkit\"";

        for (const char *line = text_string(conf); *line;
                line += strcspn(line, "\n"), line += *line == '\n') {
                const char *value = startswith(line + strspn(line, " \t"), setting);
                const char *found = value ? strstr(value, driver) : NULL;
                if (found && found < value + strcspn(value, "]"))
                        return true;
        }
        return false;
}

static bool driver_is_on(int root) {
        static const char *const files[] = { "/etc/libvirt/libvirtd.conf", "/etc/libvirt/virtqemud.conf" };

        for (size_t i = 0; i < ELEMENTSOF(files); i++) {
                _cleanup_text_ Text conf = {};
                if (tree_read(root, files[i], &conf) >= 0 && names_polkit(&conf))
                        return true;
        }
        return false;
}

/* The rules that polkit asks first. NULL: none, or other ones than ours. */
static const char *read_rules(int root, Text *ret) {
        static const char *const files[] = { OWN_RULES, SHIPPED_RULES };

        for (size_t i = 0; i < ELEMENTSOF(files); i++)
                if (tree_read(root, files[i], ret) >= 0)
                        return files[i];
        return NULL;
}

static bool matches(const char *item, size_t size, const char *name) {
        if (size > 0 && item[size - 1] == '*')
                return strncmp(item, name, size - 1) == 0;
        return strlen(name) == size && strncmp(item, name, size) == 0;
}

/* Whether the list, var LIST = ["...", ...], has the name: 1 or 0; -ENODATA: there is no such list. */
static int list_has(const Text *rules, const char *list, const char *name) {
        _cleanup_text_ Text head = {};

        text_append_printf(&head, "var %s = [", list);
        const char *item = text_failed(&head) ? NULL : strstr(text_string(rules), text_string(&head));
        if (!item)
                return -ENODATA;
        item += head.size;
        const char *end = item + strcspn(item, "]");
        while ((item = memchr(item, '"', (size_t)(end - item)))) {
                size_t size = strcspn(++item, "\"");
                if (item + size >= end)
                        break;
                if (matches(item, size, name))
                        return 1;
                item += size + 1;
        }
        return 0;
}

/* Puts the name into a copy that comes before what is shipped. */
static void append_mend(Text *mend, const char *file, const char *list, const char *name) {
        _cleanup_text_ Text expression = {};
        bool own = streq(file, OWN_RULES);

        if (name[strspn(name, NAME_BYTES)]) {
                if (!own)
                        text_append_string(mend, "cp " SHIPPED_RULES " " OWN_RULES " && ");
                text_append_string(mend, "sudoedit " OWN_RULES);
                return;
        }
        text_append_printf(&expression, "s/var %s = \\[/&\"%s\", /", list, name);
        text_append_string(mend, own ? "sed -i " : "sed ");
        words_quote(mend, text_string(&expression));
        text_append_string(mend, own ? " " OWN_RULES : " " SHIPPED_RULES " >" OWN_RULES);
}

static LookResult look_list(const Patient *patient, Found *found, const char *list, const char *name) {
        _cleanup_text_ Text rules = {};
        const char *file = read_rules(patient->root, &rules);

        int r = file ? list_has(&rules, list, name) : -ENODATA;
        if (r < 0)
                return LOOK_LEFT_OUT;
        if (r > 0)
                return LOOK_OK;
        text_append_string(&found->what, name);
        append_mend(&found->mend, file, list, name);
        return LOOK_WRONG;
}

static bool applies(const Patient *patient) {
        return patient_is_local(patient) && driver_is_on(patient->root);
}

static LookResult look_domain(const Patient *patient, Found *found) {
        return applies(patient) ? look_list(patient, found, "domains", patient->machine->domain)
                                : LOOK_LEFT_OUT;
}

/* A revert starts the domain anew, and libvirt asks its network for a port. */
static LookResult look_networks(const Patient *patient, Found *found) {
        static const char path[] = "/domain/devices/interface[@type='network']/source/@network";
        size_t n = xml_count(patient->domain->xml, path);
        LookResult result = LOOK_LEFT_OUT;

        for (size_t i = 0; applies(patient) && i < n && result != LOOK_WRONG; i++) {
                _cleanup_free_ char *network = xml_string(patient->domain->xml, path, i);
                if (network)
                        result = look_list(patient, found, "networks", network);
        }
        return result;
}

static const Check checks[] = {
        { "libvirt-domains", SCOPE_MACHINE, CHECK_FAULT, "polkit's rules for libvirt name the domain",
                look_domain,
                "libvirt asks polkit, whose rules for the watchdog do not name the domain {what}: it does "
                "not "
                "see it",
                "{mend}" },
        { "libvirt-networks", SCOPE_DOMAIN, CHECK_WARNING,
                "polkit's rules for libvirt name the domain's networks", look_networks,
                "libvirt asks polkit, whose rules for the watchdog do not name {what}, a network of domain "
                "{domain}: a revert that starts it anew would be refused",
                "{mend}" },
};
const CheckTable rights_checks = { checks, ELEMENTSOF(checks) };
