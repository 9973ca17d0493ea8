/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "watchdog/qemu/turns.h"

bool turn_ask(Turn *turn) {
        Turns *turns = turn->turns;

        if (turn->has || turn->waits)
                return turn->has;
        if (turns->left > 0) {
                turns->left--;
                turn->has = true;
                return true;
        }
        Turn **last = &turns->first;
        while (*last)
                last = &(*last)->next;
        *last = turn;
        turn->next = NULL;
        turn->waits = true;
        return false;
}

static void leave_row(Turn *turn) {
        for (Turn **at = &turn->turns->first; *at; at = &(*at)->next)
                if (*at == turn) {
                        *at = turn->next;
                        break;
                }
        turn->waits = false;
}

void turn_end(Turn *turn) {
        Turns *turns = turn->turns;

        if (turn->waits)
                leave_row(turn);
        if (!turn->has)
                return;
        turn->has = false;
        Turn *next = turns->first;
        if (!next) {
                turns->left++;
                return;
        }
        leave_row(next);
        next->has = true;
        next->come(next->userdata);
}
