/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Somebody else starts or reverts a domain: each run of it has another number. The domains of libvirt's test
 * driver live in the watchdog's own process, where nobody else can, so the number alone is another one once
 * a file is there. */

#include <stdlib.h>
#include <unistd.h>

#include <libvirt/libvirt.h>

unsigned __real_virDomainGetID(virDomainPtr domain);
unsigned __wrap_virDomainGetID(virDomainPtr domain);

unsigned __wrap_virDomainGetID(virDomainPtr domain) {
        const char *mark = getenv("PBOTVM_TEST_OTHER_RUN");
        unsigned id = __real_virDomainGetID(domain);

        return mark && id != (unsigned)-1 && access(mark, F_OK) >= 0 ? id + 1 : id;
}
