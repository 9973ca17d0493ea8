/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "common/parts.h"

static const char *const names[_WHO_MAX] = {
        [WHO_COMPILER] = "compiler",
        [WHO_PROGRAM] = "program",
        [WHO_DEBUGGER] = "debugger",
        [WHO_AGENT] = "agent",
};

const char *who_name(Who who) {
        return names[who];
}

Who who_from_name(const char *name) {
        Who who = 0;

        while (who < WHO_UNKNOWN && !streq_ptr(names[who], name))
                who++;
        return who;
}

void parts_done(Parts *parts) {
        free(parts->list);
        *parts = (Parts){};
}

/* Whether there is room for one more; grown by powers of two. */
static bool make_room(Parts *parts) {
        if (parts->n == 0 || (parts->n & (parts->n - 1)) == 0) {
                Part *list = reallocarray(parts->list, parts->n ? parts->n * 2 : 1, sizeof(Part));
                if (!list) {
                        parts->failed = true;
                        return false;
                }
                parts->list = list;
        }
        return true;
}

void parts_add(Parts *parts, Who who, size_t size) {
        Part *last = parts->n > 0 ? &parts->list[parts->n - 1] : NULL;

        if (size == 0 || parts->failed)
                return;
        if (last && (last->who == who || parts->n == PARTS_MAX)) {
                last->who = last->who == who ? who : WHO_PROGRAM;
                last->size += size;
        } else {
                if (!make_room(parts))
                        return;
                parts->list[parts->n++] = (Part){ who, size };
        }
        parts->size += size;
}

void parts_extend(Parts *parts, Who who, size_t size) {
        if (size > parts->size)
                parts_add(parts, who, size - parts->size);
}

void parts_append(Parts *parts, const Parts *other) {
        for (size_t i = 0; i < other->n; i++)
                parts_add(parts, other->list[i].who, other->list[i].size);
        parts->failed |= other->failed;
}

void parts_truncate(Parts *parts, size_t size) {
        while (parts->size > size) {
                Part *last = &parts->list[parts->n - 1];
                size_t cut = MIN(parts->size - size, last->size);

                last->size -= cut;
                parts->size -= cut;
                parts->n -= last->size == 0;
        }
}

void parts_move(Parts *to, Parts *from) {
        parts_done(to);
        *to = *from;
        *from = (Parts){};
}

Who parts_walk_who(PartsWalk *walk, size_t at) {
        const Parts *parts = walk->parts;

        while (walk->i < parts->n && at >= walk->begin + parts->list[walk->i].size)
                walk->begin += parts->list[walk->i++].size;
        return walk->i < parts->n ? parts->list[walk->i].who : WHO_UNKNOWN;
}

void parts_walk_copy(PartsWalk *walk, size_t begin, size_t end, Parts *ret) {
        while (begin < end) {
                Who who = parts_walk_who(walk, begin);
                size_t to = walk->i < walk->parts->n
                                    ? MIN(end, walk->begin + walk->parts->list[walk->i].size)
                                    : end;

                parts_add(ret, who, to - begin);
                begin = to;
        }
}
