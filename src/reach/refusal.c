/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "reach/refusal.h"

#include "config/uri.h"

#define WATCHDOG "pbotvm-watchdog"
/* A row for errors that carry no number of the system's, and for any. */
#define NO_NUMBER (-1)
#define ANY_NUMBER (-2)
/* ssh's own end is a connection that was reset, or a file that ended, by the moment: both have the same
 * rows. */
#define HOST_KEY                                                                                            \
        "the ssh host key of {host} is not known to the watchdog's user, or has changed",                   \
                "ssh-keygen -R {host} -f /etc/ssh/ssh_known_hosts; ssh-keyscan {host} "                     \
                ">>/etc/ssh/ssh_known_hosts  # and compare with the keys there"
#define NO_LOGIN                                                                                            \
        "{host} does not let the watchdog's user in by ssh", "sudo -u " WATCHDOG " ssh-copy-id {host}"
#define SSH_ENDED                                                                                           \
        "ssh to {host} ended before libvirt answered there",                                                \
                "sudo -u " WATCHDOG " ssh {host} virsh -c qemu:///system version --daemon"

typedef struct Refusal {
        const char *words; /* about {host} */
        const char *mend;  /* a command, "" if there is none */
} Refusal;

static const struct {
        int code;
        int number;            /* of the system's, errno(3) */
        const char *transport; /* NULL: any; "ssh" stands for all that are ssh */
        const char *said;      /* a part of ssh's own words; NULL: whatever it said */
        Refusal refusal;
} table[] = {
        { VIR_ERR_AUTH_FAILED, ANY_NUMBER, "tls", NULL,
                { "the certificate of {host} does not fit: it is by another CA or for another name, or has "
                  "run out",
                        "openssl s_client -connect {host}:16514 -CAfile /etc/pki/CA/cacert.pem "
                        "-verify_hostname {host} </dev/null  # then a server certificate for that name "
                        "there" } },
        { VIR_ERR_AUTH_FAILED, ANY_NUMBER, "tcp", NULL,
                { "libvirt on {host} wants a login", "virsh -c qemu+tls://{host}/system version" } },
        { VIR_ERR_AUTH_FAILED, ANY_NUMBER, "ssh", NULL, { NO_LOGIN } },
        { VIR_ERR_AUTH_CANCELLED, ANY_NUMBER, NULL, NULL,
                { "libvirt on {host} wants a login, and there is nobody to give it",
                        "virsh -c qemu+tls://{host}/system version  # with auth_tls = \"none\" there" } },
        { VIR_ERR_AUTH_UNAVAILABLE, ANY_NUMBER, NULL, NULL,
                { "libvirt on {host} wants a kind of login that is not at hand here", "" } },
        { VIR_ERR_NO_CONNECT, ANY_NUMBER, NULL, NULL,
                { "libvirt on {host} has no such driver", "ssh {host} virsh uri" } },
        { VIR_ERR_INVALID_ARG, ANY_NUMBER, NULL, NULL,
                { "libvirt does not understand the uri", "ssh {host} virsh uri" } },
        { VIR_ERR_SYSTEM_ERROR, ECONNREFUSED, "tls", NULL,
                { "nobody listens for libvirt on {host}",
                        "ssh {host} systemctl enable --now libvirtd-tls.socket" } },
        { VIR_ERR_SYSTEM_ERROR, ECONNREFUSED, "tcp", NULL,
                { "nobody listens for libvirt on {host}",
                        "ssh {host} systemctl enable --now libvirtd-tcp.socket" } },
        { VIR_ERR_SYSTEM_ERROR, EPERM, NULL, NULL,
                { "the watchdog's service may not reach {host}",
                        "systemctl edit pbotvm-watchdog  # [Service] IPAddressAllow=, the address of "
                        "{host}" } },
        { VIR_ERR_SYSTEM_ERROR, EHOSTUNREACH, NULL, NULL,
                { "{host} cannot be reached over the network", "ping -c 3 {host}" } },
        { VIR_ERR_SYSTEM_ERROR, ENETUNREACH, NULL, NULL,
                { "{host} cannot be reached over the network", "ping -c 3 {host}" } },
        { VIR_ERR_SYSTEM_ERROR, ETIMEDOUT, NULL, NULL,
                { "{host} does not answer over the network", "ping -c 3 {host}" } },
        { VIR_ERR_SYSTEM_ERROR, ENOENT, "tls", NULL,
                { "a certificate that this host needs for {host} is missing",
                        "ls -l /etc/pki/CA /etc/pki/libvirt /etc/pki/libvirt/private" } },
        { VIR_ERR_SYSTEM_ERROR, EACCES, "tls", NULL,
                { "the watchdog's user may not read this host's certificate",
                        "chown " WATCHDOG " /etc/pki/libvirt/private/clientkey.pem" } },
        { VIR_ERR_SYSTEM_ERROR, EIO, "tls", NULL,
                { "{host} does not trust this host's certificate, or there is none here",
                        "ls -l /etc/pki/libvirt/clientcert.pem; ssh {host} journalctl -n 20 -u libvirtd" } },
        { VIR_ERR_SYSTEM_ERROR, NO_NUMBER, "tls", NULL,
                { "this host's own certificate does not fit its CA, or {host} is no name that is known here",
                        "getent hosts {host}; virt-pki-validate" } },
        { VIR_ERR_SYSTEM_ERROR, NO_NUMBER, "tcp", NULL,
                { "{host} is no name that is known here", "getent hosts {host}" } },
        { VIR_ERR_SYSTEM_ERROR, ECONNRESET, "ssh", "Host key verification failed", { HOST_KEY } },
        { VIR_ERR_SYSTEM_ERROR, EIO, "ssh", "Host key verification failed", { HOST_KEY } },
        { VIR_ERR_SYSTEM_ERROR, ECONNRESET, "ssh", "Permission denied", { NO_LOGIN } },
        { VIR_ERR_SYSTEM_ERROR, EIO, "ssh", "Permission denied", { NO_LOGIN } },
        { VIR_ERR_SYSTEM_ERROR, ECONNRESET, "ssh", NULL, { SSH_ENDED } },
        { VIR_ERR_SYSTEM_ERROR, EIO, "ssh", NULL, { SSH_ENDED } },
};

static bool transport_fits(const char *wanted, const char *transport) {
        return !wanted || streq(wanted, transport) || (streq(wanted, "ssh") && strstr(transport, "ssh"));
}

static const Refusal *find(const virError *error, const LibvirtUri *uri) {
        for (size_t i = 0; i < ELEMENTSOF(table); i++)
                if (table[i].code == error->code &&
                        (table[i].number == ANY_NUMBER || table[i].number == error->int1) &&
                        transport_fits(table[i].transport, uri->transport) &&
                        (!table[i].said || strstr(error->message ?: "", table[i].said)))
                        return &table[i].refusal;
        return NULL;
}

/* With the host's name in place of {host}. */
static void append(Text *text, const char *words, const char *host) {
        static const char name[] = "{host}";

        for (const char *at; (at = strstr(words, name)); words = at + strlen(name)) {
                text_append(text, words, (size_t)(at - words));
                text_append_string(text, host);
        }
        text_append_string(text, words);
}

bool refusal_tell(const virError *error, const char *uri, Text *words, Text *mend) {
        LibvirtUri parsed;

        if (!error || libvirt_uri_parse(uri, &parsed) < 0 || !*parsed.host)
                return false;
        const Refusal *refusal = find(error, &parsed);
        if (!refusal)
                return false;
        append(words, refusal->words, parsed.host);
        append(mend, refusal->mend, parsed.host);
        return true;
}
