/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* A polkit on a private bus, on a thread of its own, that does what a test wants. */

#include "world.h"

typedef enum FakeVerdict {
        FAKE_ALLOW,
        FAKE_DENY,
        FAKE_CHALLENGE, /* would ask a person, if that were allowed */
        FAKE_WAIT,      /* says nothing until another verdict is set */
} FakeVerdict;

typedef struct FakePolkit FakePolkit;
FakePolkit *fake_polkit_new(World *world, FakeVerdict verdict);
void fake_polkit_free(FakePolkit *polkit);
/* Questions that wait are answered so. */
void fake_polkit_set(FakePolkit *polkit, FakeVerdict verdict);

/* Waits until so many questions have come, or were taken back. */
void fake_polkit_wait_questions(FakePolkit *polkit, unsigned questions);
void fake_polkit_wait_cancelled(FakePolkit *polkit, unsigned cancelled);
/* Of the last question: the action, and the subject's bus name. Valid until the next one. */
const char *fake_polkit_action(FakePolkit *polkit);
const char *fake_polkit_subject(FakePolkit *polkit);
