/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* The value of a hexadecimal digit of either case; -1 if it is none. */
static inline int hex_value(char c) {
        return c >= '0' && c <= '9'   ? c - '0'
               : c >= 'a' && c <= 'f' ? c - 'a' + 10
               : c >= 'A' && c <= 'F' ? c - 'A' + 10
                                      : -1;
}
