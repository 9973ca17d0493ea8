/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "node.h"

#include <stdio.h>

#include "common/text.h"
#include "test.h"

void node_write(
        const World *w, const char *file, const char *const *names, int state, const char *snapshot) {
        node_write_described(w, file, names, state, snapshot, "");
}

void node_write_described(const World *w, const char *file, const char *const *names, int state,
        const char *snapshot, const char *description) {
        _cleanup_text_ Text path = {};

        text_append_printf(&path, "%s/%s", w->directory, file);
        FILE *f = fopen(text_string(&path), "we");
        assert_non_null(f);
        assert_true(fputs("<node xmlns:test='http://libvirt.org/schemas/domain/test/1.0'>", f) >= 0);
        for (size_t i = 0; names[i]; i++) {
                char domain[300];

                snprintf(domain, sizeof(domain),
                        "<name>%s</name><uuid>6695eb01-f6a4-8304-79aa-97f2502e1%03zu</uuid>"
                        "<memory unit='MiB'>64</memory><vcpu>1</vcpu><os><type>hvm</type></os>",
                        names[i], i);
                assert_true(fprintf(f, "<domain type='test'>%s<test:runstate>%i</test:runstate>", domain,
                                    state) > 0);
                if (snapshot)
                        assert_true(fprintf(f,
                                            "<test:domainsnapshot><name>%s</name>"
                                            "<description>%s</description><state>running</state>"
                                            "<creationTime>1</creationTime><domain type='test'>%s</domain>"
                                            "<active>0</active></test:domainsnapshot>",
                                            snapshot, description, domain) > 0);
                assert_true(fputs("</domain>", f) >= 0);
        }
        assert_true(fputs("</node>", f) >= 0);
        assert_int_equal(fclose(f), 0);
}
