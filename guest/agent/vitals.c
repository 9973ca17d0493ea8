/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "vitals.h"

#include <fcntl.h>
#include <stdalign.h>
#include <linux/random.h>
#include <sys/ioctl.h>

#include "clock.h"
#include "common/io.h"
#include "common/log.h"

/* A date before this program was written, or long after, is a mistake: PBot's host sends 0 for a broken one.
 */
#define DATE_MIN ((int64_t)1600000000)
#define DATE_MAX ((int64_t)7258118400)

/* PBot's hosts date a request when it is made, and it waits before the serial line while others' jobs run.
 */
#define WAITED_MAX_USEC (60 * USEC_PER_SEC)

bool clock_is_off(uint64_t now_usec, int64_t date, uint64_t waited_usec) {
        if (date < DATE_MIN || date > DATE_MAX)
                return false;

        /* The host cut its time to whole seconds, so an exact clock is between date and a second later. */
        uint64_t host = (uint64_t)date * USEC_PER_SEC;
        return now_usec + USEC_PER_SEC < host ||
               now_usec > host + 2 * USEC_PER_SEC + MIN(waited_usec, WAITED_MAX_USEC);
}

uint64_t vitals_waited_usec(const Vitals *vitals, const Request *request, uint64_t busy_usec) {
        return request->date >= vitals->date ? busy_usec : 0;
}

bool entropy_is_due(const Vitals *vitals, const Request *request) {
        if (!request->have_entropy)
                return false;
        return request->generation == 0 || !vitals->seeded || request->generation != vitals->generation;
}

static int pool_reseed(const uint8_t *entropy, size_t size) {
        struct rand_pool_info *info;
        alignas(struct rand_pool_info) uint8_t pool[sizeof(*info) + REQUEST_ENTROPY_SIZE] = {};

        if (size > REQUEST_ENTROPY_SIZE)
                return -EINVAL;
        info = (struct rand_pool_info *)pool;
        info->entropy_count = (int)size * 8;
        info->buf_size = (int)size;
        memcpy(info->buf, entropy, size);

        _cleanup_close_ int fd = open("/dev/urandom", O_RDWR | O_CLOEXEC | O_NOCTTY);
        if (fd < 0)
                return -errno;
        int r = ioctl(fd, RNDADDENTROPY, info) < 0 ? -errno : 0;
        explicit_bzero(pool, sizeof(pool));
        if (r < 0)
                return r;
        /* Without this the generator goes on with its old key for minutes. */
        return ioctl(fd, RNDRESEEDCRNG) < 0 ? -errno : 0;
}

void vitals_apply(Vitals *vitals, const Request *request, uint64_t busy_usec) {
        uint64_t waited = vitals_waited_usec(vitals, request, busy_usec);
        int r;

        if (clock_is_off(now_realtime(), request->date, waited)) {
                /* The middle of the second that the host may mean. */
                r = clock_set(&(ClockQuestion){ request->date, 500000000 });
                if (r < 0)
                        log_warning_errno(r, "Failed to set the clock: %m");
                else
                        log_info("Set the clock to the host's.");
        }
        if (entropy_is_due(vitals, request)) {
                r = pool_reseed(request->entropy, sizeof(request->entropy));
                if (r < 0)
                        log_warning_errno(r, "Failed to reseed the random pool: %m");
                else
                        vitals->seeded = true;
        }
        vitals->date = request->date;
        if (request->generation > 0)
                vitals->generation = request->generation;
}
