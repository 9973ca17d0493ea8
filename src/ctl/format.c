/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "ctl/format.h"

#include <inttypes.h>
#include <langinfo.h>
#include <sys/ioctl.h>
#include <time.h>

#include "common/utf8.h"

bool format_colours(void) {
        const char *term = getenv("TERM");

        return isatty(STDOUT_FILENO) && isempty(getenv("NO_COLOR")) && term && !streq(term, "dumb");
}

const char *format_state_colour(const char *state, bool colours) {
        static const struct {
                const char *state, *colour;
        } table[] = {
                { "ready", "\x1B[0;1;32m" },
                { "busy", "\x1B[0;1;32m" },
                { "starting", "\x1B[0;1;33m" },
                { "reverting", "\x1B[0;1;33m" },
                { "drained", "\x1B[0;1;34m" },
                { "failed", "\x1B[0;1;31m" },
                { "offline", "\x1B[0;1;31m" },
        };

        for (size_t i = 0; colours && i < ELEMENTSOF(table); i++)
                if (streq(table[i].state, state))
                        return table[i].colour;
        return "";
}

const char *format_colour_end(bool colours) {
        return colours ? "\x1B[0m" : "";
}

bool format_unicode(void) {
        return streq(nl_langinfo(CODESET), "UTF-8");
}

unsigned format_width(void) {
        const char *columns = getenv("COLUMNS");
        struct winsize size;

        unsigned long width = columns ? strtoul(columns, NULL, 10) : 0;
        if (width == 0 && ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) >= 0)
                width = size.ws_col;
        return width > 0 && width <= 10000 ? (unsigned)width : 80;
}

const char *format_dot(bool full) {
        if (!format_unicode())
                return full ? "*" : "o";
        return full ? "\xE2\x97\x8F" : "\xE2\x97\x8B";
}

void format_span(Text *text, uint64_t usec) {
        static const struct {
                uint64_t seconds; /* of the unit */
                uint64_t below;   /* used for shorter spans than this */
                const char *unit;
        } units[] = {
                { 1, 2 * 60, "s" },
                { 60, 2 * 3600, "min" },
                { 3600, 2 * 86400, "h" },
                { 86400, UINT64_MAX, "days" },
        };
        uint64_t seconds = usec / USEC_PER_SEC;

        if (seconds < 10) {
                text_append_printf(text, "%.1f s", (double)usec / (double)USEC_PER_SEC);
                return;
        }
        for (size_t i = 0; i < ELEMENTSOF(units); i++)
                if (seconds < units[i].below) {
                        text_append_printf(
                                text, "%" PRIu64 " %s", seconds / units[i].seconds, units[i].unit);
                        return;
                }
}

void format_time(Text *text, uint64_t realtime_usec) {
        time_t seconds = (time_t)(realtime_usec / USEC_PER_SEC);
        char buffer[64];
        struct tm tm;

        if (localtime_r(&seconds, &tm) && strftime(buffer, sizeof(buffer), "%Y-%m-%d %H:%M:%S", &tm) > 0)
                text_append_string(text, buffer);
}

void format_untrusted(Text *text, const char *string) {
        for (size_t left = strlen(string), n; left > 0; string += n, left -= n) {
                uint32_t c;
                n = utf8_unit(string, left, &c);
                if (c == UINT32_MAX || unicode_is_control(c))
                        text_append_char(text, '?');
                else
                        text_append(text, string, n);
        }
}
