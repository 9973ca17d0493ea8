/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* What libastyle does takes time and output that grow with the product of depth and length (240 MB for 64 kB
 * of "if(a){") and with the square of some signs in one statement: 28 s for 64 kB of "a=". Sums, lists and
 * calls of any length cost nothing. Nothing that a person writes comes near these bounds; within them, 48 kB
 * take some 0.3 s, 1.5 s at worst. */

#include "snippet/formatter-bounds.h"
#include "snippet/scan.h"

#define PROGRAM_BYTES (48 * 1024)
#define STATEMENT_SIGNS 1024 /* those that cost, between two of ; { }, outside of comments and literals */
#define COMMENT_BYTES (32 * 1024)
#define DEPTHS (1 << 20) /* of brackets, of all characters together */

/* The length of the comment at i, 0 if there is none. One that does not end goes on to the program's end. */
static size_t comment_length(const char *data, size_t size, size_t i) {
        size_t end;

        if (scan_at(data, size, i, "/*")) {
                end = scan_find(data, size, i + 2, "*/");
                return end == SIZE_MAX ? size - i : end + 2 - i;
        }
        if (!scan_at(data, size, i, "//"))
                return 0;
        end = scan_find(data, size, i, "\n");
        return end == SIZE_MAX ? size - i : end - i;
}

typedef struct Bounds {
        size_t signs, depths;
        int depth[3]; /* of each kind of bracket: one does not close another */
} Bounds;

static bool count(Bounds *bounds, char c) {
        static const char opening[] = "([{", closing[] = ")]}";
        int depth = 0;

        for (size_t k = 0; k < ELEMENTSOF(bounds->depth); k++) {
                if (c == opening[k])
                        bounds->depth[k]++;
                else if (c == closing[k])
                        bounds->depth[k]--;
                depth += abs(bounds->depth[k]); /* what closes too much costs as much */
        }
        bounds->depths += depth;
        if (c == ';' || c == '{' || c == '}')
                bounds->signs = 0;
        else if (c == '=' || c == '<' || c == '\n')
                bounds->signs++;
        return bounds->signs <= STATEMENT_SIGNS && bounds->depths <= DEPTHS;
}

bool formatter_within_bounds(const char *data, size_t size) {
        Bounds bounds = {};

        if (size > PROGRAM_BYTES)
                return false;
        for (size_t i = 0, n; i < size; i += n) {
                n = comment_length(data, size, i);
                if (n > COMMENT_BYTES)
                        return false;
                if (n == 0)
                        n = literal_length(data, size, i);
                if (n == 0)
                        n = 1;
                if (!count(&bounds, data[i]))
                        return false;
        }
        return true;
}
