/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "watchdog/hypervisor.h"
#include "watchdog/domain.h"
int libvirt_thread_new(sd_event *event _unused_, LibvirtThread **ret _unused_) {
        return 0;
}
LibvirtThread *libvirt_thread_free(LibvirtThread *t _unused_) {
        return NULL;
}
struct Hypervisor {
        char *uri;
};
int hypervisor_new(LibvirtThread *thread _unused_, const char *uri, Hypervisor **ret) {
        *ret = calloc(1, sizeof(Hypervisor));
        (*ret)->uri = strdup(uri);
        return 0;
}
Hypervisor *hypervisor_free(Hypervisor *h) {
        if (h) {
                free(h->uri);
                free(h);
        }
        return NULL;
}
const char *hypervisor_uri(const Hypervisor *h) {
        return h->uri;
}
int round_trip_new(LibvirtThread *t _unused_, Hypervisor *const *h _unused_, size_t n _unused_,
        void (*done)(void *userdata), void *userdata, RoundTrip **ret _unused_) {
        done(userdata);
        return 0;
}
void round_trip_forget(RoundTrip *trip _unused_) {
}
struct Domain {
        int x;
};
int domain_new(Hypervisor *h _unused_, const char *n _unused_, const char *s _unused_,
        DomainHooks hooks _unused_, Domain **ret) {
        *ret = calloc(1, sizeof(Domain));
        return 0;
}
Domain *domain_free(Domain *d) {
        free(d);
        return NULL;
}
void domain_look(Domain *d _unused_) {
}
int domain_revert(Domain *d _unused_) {
        return -EOPNOTSUPP;
}
int domain_snapshot(Domain *d _unused_) {
        return -EOPNOTSUPP;
}
