/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "watchdog/bus/denials.h"

#include "common/io.h"

bool denials_note(Denials *denials, uid_t uid, uint64_t now_usec, unsigned *ret_untold) {
        size_t at = 0;

        for (size_t i = 0; i < DENIALS_MAX; i++) {
                if (denials->users[i].told_usec > 0 && denials->users[i].uid == uid) {
                        at = i;
                        break;
                }
                if (denials->users[i].told_usec < denials->users[at].told_usec)
                        at = i;
        }

        bool known = denials->users[at].told_usec > 0 && denials->users[at].uid == uid;
        if (known && now_usec < usec_add(denials->users[at].told_usec, DENIALS_USEC)) {
                denials->users[at].untold++;
                return false;
        }
        *ret_untold = known ? denials->users[at].untold : 0;
        denials->users[at].uid = uid;
        denials->users[at].told_usec = now_usec;
        denials->users[at].untold = 0;
        return true;
}
