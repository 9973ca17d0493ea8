/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "common/log.h"

#include <stdio.h>
#include <sys/stat.h>
#include <sys/uio.h>

/* It would be that of this file in every message. */
#define SD_JOURNAL_SUPPRESS_LOCATION
#include <systemd/sd-journal.h>

#include "common/text.h"

/* The process's one log, as with syslog(3) itself. Set up before threads exist, only read afterwards. */
static struct {
        const char *identifier;
        bool journal;
        int max_priority;
} the_log = { .identifier = "pbotvm", .max_priority = LOG_INFO };

/* stderr is the journal's when JOURNAL_STREAM names it: systemd.exec(5). */
static bool stderr_is_journal(void) {
        const char *e = getenv("JOURNAL_STREAM");
        struct stat st;
        unsigned long long dev, ino;

        return e && sscanf(e, "%llu:%llu", &dev, &ino) == 2 && fstat(STDERR_FILENO, &st) >= 0 &&
               st.st_dev == dev && st.st_ino == ino;
}

void log_setup(const char *identifier) {
        const char *target = getenv("PBOTVM_LOG"), *debug = getenv("PBOTVM_DEBUG");

        the_log.identifier = identifier;
        if (target && streq(target, "journal"))
                the_log.journal = true;
        else if (target && streq(target, "stderr"))
                the_log.journal = false;
        else
                the_log.journal = stderr_is_journal();
        if (!isempty(debug) && !streq(debug, "0"))
                the_log.max_priority = LOG_DEBUG;
}

void log_open(void) {
        /* libsystemd opens its socket with the first message. The journal drops fields that begin with _ if
         * they come from a client, and a message without fields. */
        static const char nothing[] = "_OPEN=1";
        struct iovec iov = { (void *)nothing, sizeof(nothing) - 1 };

        if (the_log.journal)
                (void)sd_journal_sendv(&iov, 1);
}

static void to_journal(
        int priority, int error, const char *message_id, const char *const *fields, const char *message) {
        struct iovec iov[5 + 32];
        char buffers[3][64];
        _cleanup_text_ Text text = {};
        size_t n = 0;

        text_append_printf(&text, "MESSAGE=%s", message);
        snprintf(buffers[0], sizeof(buffers[0]), "PRIORITY=%i", priority);
        snprintf(buffers[1], sizeof(buffers[1]), "SYSLOG_IDENTIFIER=%s", the_log.identifier);

#define add(string) (iov[n++] = (struct iovec){ (void *)(string), strlen(string) })
        add(text_string(&text));
        add(buffers[0]);
        add(buffers[1]);
        if (error < 0) {
                snprintf(buffers[2], sizeof(buffers[2]), "ERRNO=%i", -error);
                add(buffers[2]);
        }

        char id[64];
        if (message_id) {
                snprintf(id, sizeof(id), "MESSAGE_ID=%s", message_id);
                add(id);
        }
        for (size_t i = 0; fields && fields[i] && i < 32; i++)
                add(fields[i]);
#undef add
        (void)sd_journal_sendv(iov, (int)n);
}

int log_write(int priority, int error, const char *message_id, const char *const *fields, const char *format,
        ...) {
        if (priority > the_log.max_priority)
                return error;

        int saved = errno;
        _cleanup_text_ Text message = {};
        va_list ap;

        errno = error < 0 ? -error : error;
        va_start(ap, format);
        text_append_vprintf(&message, format, ap);
        va_end(ap);

        if (the_log.journal)
                to_journal(priority, error, message_id, fields, text_string(&message));
        else
                fprintf(stderr, "%s: %s\n", the_log.identifier, text_string(&message));

        errno = saved;
        return error;
}
