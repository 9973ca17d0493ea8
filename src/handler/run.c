/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "handler/run.h"

#include <sys/random.h>

#include "common/io.h"
#include "common/log.h"
#include "handler/exchange.h"
#include "handler/paste-call.h"
#include "handler/storage.h"
#include "handler/usage.h"

/* The agent ends a job so much before the time limit, and answers by then. */
#define ANSWER_MARGIN_USEC (500 * USEC_PER_MSEC)
#define PASTE_USEC_MIN (3 * USEC_PER_SEC)
/* Leases taken for one request at most: each had a channel that was lost before the request was sent. */
#define ATTEMPTS_MAX 3
/* What a serial line of QEMU takes, bytes a second; its baud rate changes nothing. */
#define SERIAL_BYTES_PER_SEC 40000

void step_done(Steps *steps, const char *name) {
        if (steps->n < STEPS_MAX) {
                steps->list[steps->n].name = name;
                steps->list[steps->n++].usec = now_monotonic();
        }
}

void run_done(Run *run) {
        pipeline_free(run->pipeline);
        request_done(&run->request);
        query_done(&run->query);
        lease_done(&run->lease);
        sd_bus_unref(run->bus);
        *run = RUN_INIT;
}

/* Ends a run with the text of a verdict, or with what is in *answer where that has none. */
static int conclude(Run *run, Verdict verdict, Text *answer) {
        const char *text = run->direct ? verdict_text_direct(verdict) : verdict_text(verdict);

        run->verdict = verdict;
        if (text) {
                text_clear(answer);
                text_append_string(answer, text);
        }
        return PIPELINE_ANSWER;
}

static int parse(const RunSetup *setup, const char *line, size_t size, Run *run, Text *answer) {
        int r = query_parse(line, size, setup->config, &run->query, answer);
        step_done(&run->steps, "parse");
        if (r == -EBADMSG)
                return conclude(run, VERDICT_ANSWERED, answer);
        if (r < 0)
                return conclude(run, VERDICT_FAILED, answer);

        if (setup->machine && (setup->machine_fixed || !run->query.vm)) {
                if (run->query.vm && !streq(run->query.vm, setup->machine))
                        log_info("Ignored what a request says of its machine: the listener's is fixed.");
                free(run->query.vm);
                run->query.vm = strdup(setup->machine);
                if (!run->query.vm)
                        return conclude(run, VERDICT_FAILED, answer);
        }
        return PIPELINE_RUN;
}

/* After it nothing new is opened but files below the directories of setup, and libraries. */
static int confine_run(const RunSetup *setup, Run *run) {
        const char *read_only[8] = {}, *read_write[] = { setup->state_dir, NULL };
        size_t n = 0;

        for (; setup->language_dirs && setup->language_dirs[n] && n < ELEMENTSOF(read_only) - 3; n++)
                read_only[n] = setup->language_dirs[n];
        if (setup->rewrites_dir)
                read_only[n++] = setup->rewrites_dir;
        if (setup->config->fortune_file)
                read_only[n++] = setup->config->fortune_file;
        /* A rule needs something that it is for. */
        if (setup->state_dir)
                (void)io_make_directories(setup->state_dir);

        const Confinement confinement = {
                .read_only = read_only,
                .read_write = read_write,
                .file_bytes = MAX(setup->config->history_file_bytes, setup->config->storage_key_bytes) * 2,
                .landlock_abi = CONFINE_LANDLOCK_ABI,
        };
        return confine(&confinement, &run->confined);
}

static int open_pipeline(const RunSetup *setup, Run *run, Text *answer) {
        int r = pipeline_open(setup->config, &run->query, setup->language_dirs, setup->rewrites_dir,
                setup->state_dir, &run->pipeline, answer);
        step_done(&run->steps, "open");
        if (r == PIPELINE_ANSWER)
                return conclude(run, VERDICT_ANSWERED, answer);
        if (r < 0)
                return conclude(run, r == -ENOMEM ? VERDICT_FAILED : VERDICT_MISCONFIGURED, answer);
        return PIPELINE_RUN;
}

/* What needs more rights than a stranger's line is to have: PIPELINE_RUN, or PIPELINE_ANSWER. */
static int open_and_confine(const RunSetup *setup, Run *run, Text *answer) {
        if (!setup->dry && setup->direct_fd < 0) {
                /* Editing answers without a guest: a bus that is not there is a trouble only later. */
                run->bus_error = lease_open_bus(&run->bus);
                step_done(&run->steps, "bus");
        }
        if (!setup->confine)
                return PIPELINE_RUN;

        int r = confine_run(setup, run);
        if (r < 0) {
                log_error_errno(r, "Failed to confine this process: %m");
                return conclude(run, VERDICT_FAILED, answer);
        }
        step_done(&run->steps, "confine");
        return PIPELINE_RUN;
}

static int confine_further(const RunSetup *setup, Run *run, Text *answer) {
        int r = setup->confine ? confine_code() : 0;
        if (r < 0) {
                log_error_errno(r, "Failed to confine this process further: %m");
                return conclude(run, VERDICT_FAILED, answer);
        }
        return PIPELINE_RUN;
}

int run_prepare(const RunSetup *setup, const char *line, size_t size, Run *run, Text *answer) {
        int r = open_and_confine(setup, run, answer);
        if (r == PIPELINE_RUN)
                r = parse(setup, line, size, run, answer);
        if (r == PIPELINE_RUN)
                r = open_pipeline(setup, run, answer);
        if (r == PIPELINE_RUN)
                r = confine_further(setup, run, answer);
        if (r != PIPELINE_RUN)
                return r;

        r = pipeline_prepare(run->pipeline, (int64_t)(now_realtime() / USEC_PER_SEC), &run->request, answer);
        step_done(&run->steps, "prepare");
        if (r == PIPELINE_ANSWER)
                return conclude(run, VERDICT_ANSWERED, answer);
        return r < 0 ? conclude(run, VERDICT_FAILED, answer) : PIPELINE_RUN;
}

/* PBot's agents know nothing of our member, and their tty may cut a long line. */
static bool speaks_pbotvm(GuestKind guest) {
        return guest == GUEST_PBOTVM || guest == GUEST_UNKNOWN;
}

static int set_id(Request *request) {
        uint8_t random[16 + REQUEST_ENTROPY_SIZE];
        _cleanup_text_ Text id = {};

        if (getrandom(random, sizeof(random), 0) != sizeof(random))
                return -EIO;
        for (size_t i = 0; i < 16; i++)
                text_append_printf(&id, "%02x", random[i]);
        memcpy(request->entropy, random + 16, REQUEST_ENTROPY_SIZE);
        request->have_entropy = true;
        free(request->id);
        request->id = NULL;
        return text_steal(&id, &request->id, NULL);
}

static uint64_t time_limit(const RunSetup *setup, const Lease *lease) {
        return setup->timeout_usec > 0 ? MIN(setup->timeout_usec, lease->timeout_usec) : lease->timeout_usec;
}

/* Fills the member "pbotvm" for the guest that was leased. */
static int extend_request(const RunSetup *setup, const Lease *lease, Request *request) {
        const MachineConfig *machine = lease->machine ? config_machine(setup->config, lease->machine) : NULL;
        uint64_t limit = time_limit(setup, lease), margin = MIN(ANSWER_MARGIN_USEC, limit / 2);
        JobLimits wall = JOB_LIMITS_UNSET;

        /* The guest sets its clock by it: it may have waited for the lease since it was made. */
        request->date = (int64_t)(now_realtime() / USEC_PER_SEC);
        request->present = speaks_pbotvm(lease->guest);
        request->generation = lease->generation;
        request->limits = machine ? machine->limits : JOB_LIMITS_UNSET;
        wall.wall_usec = limit - margin;
        job_limits_lower(&request->limits, &wall);
        return set_id(request);
}

/* A storage that would eat up the time limit on its way is refused. */
static bool storage_fits(const Lease *lease, const Request *request) {
        if (!request->have_storage || !request->present || !streq_ptr(lease->transport, "serial"))
                return true;
        uint64_t usec = request->storage.size * 4 / 3 * USEC_PER_SEC / SERIAL_BYTES_PER_SEC;
        return usec <= lease->timeout_usec / 3;
}

static int exchange_on(const RunSetup *setup, Run *run, int fd, Reply *reply) {
        uint64_t deadline = usec_add(run->lease.since, time_limit(setup, &run->lease));

        int r = exchange_run(
                fd, &run->request, run->lease.guest, run->direct, deadline, reply, &run->verdict);
        run->run_usec = now_monotonic() - run->lease.since;
        step_done(&run->steps, "exchange");
        return r;
}

/* Without a watchdog: the connection is there, and nobody waits for an outcome. */
static int exchange_direct(const RunSetup *setup, Run *run, Reply *reply) {
        run->direct = true;
        run->lease.since = now_monotonic();
        run->lease.guest = setup->direct_machine->guest;
        run->lease.timeout_usec = setup->direct_machine->timeout_usec;
        run->lease.machine = strdup(setup->direct_machine->name);

        int r = run->lease.machine ? extend_request(setup, &run->lease, &run->request) : -ENOMEM;
        if (r >= 0)
                r = exchange_on(setup, run, setup->direct_fd, reply);
        if (r < 0)
                run->verdict = VERDICT_FAILED;
        else if (r == EXCHANGE_NOT_SENT)
                run->verdict = VERDICT_LOST;
        return r;
}

/* 1 with run->lease and the request filled for it, or 0 with run->verdict and, if that has no text of its
 * own, *answer. */
static int take_lease(const RunSetup *setup, Run *run, const LeaseAsk *ask, Text *answer) {
        lease_done(&run->lease);
        int r = lease_take(run->bus, ask, &run->lease, &run->verdict, answer);
        run->wait_usec = now_monotonic() - setup->received;
        step_done(&run->steps, "lease");
        if (r < 0) {
                log_warning_errno(r, "Failed to understand a lease: %m");
                conclude(run, VERDICT_FAILED, answer);
        }
        if (r <= 0)
                return 0;
        run->attempts++;

        r = extend_request(setup, &run->lease, &run->request);
        if (r >= 0 && storage_fits(&run->lease, &run->request))
                return 1;
        if (r >= 0)
                text_append_string(
                        answer, "What is kept by this key is too large for the machine's serial line.");
        conclude(run, r < 0 ? VERDICT_FAILED : VERDICT_REFUSED, answer);
        (void)lease_release(run->bus, &run->lease, VERDICT_CLEAN);
        return 0;
}

/* One lease, one exchange. An ExchangeResult; run->verdict says why there was none. */
static int attempt(const RunSetup *setup, Run *run, const LeaseAsk *ask, Reply *reply, Text *answer) {
        if (take_lease(setup, run, ask, answer) == 0)
                return EXCHANGE_TROUBLE;

        int r = exchange_on(setup, run, run->lease.fd, reply);
        if (r == EXCHANGE_NOT_SENT)
                run->verdict = VERDICT_UNSENT;
        int k = lease_release(run->bus, &run->lease, r < 0 ? VERDICT_LOST : run->verdict);
        if (k < 0)
                log_warning_errno(k, "Failed to give the lease back: %m");
        if (r < 0)
                run->verdict = VERDICT_FAILED;
        return r;
}

/* "vm" is PBot's word for one who does not say. */
static const char *said(const char *name) {
        return streq_ptr(name, "vm") ? NULL : name;
}

static int exchange(const RunSetup *setup, Run *run, uint64_t deadline, Reply *reply, Text *answer) {
        const LeaseAsk ask = {
                .machine = pipeline_machine(run->pipeline),
                .nick = said(run->query.nick),
                .channel = said(run->query.channel),
                .language = run->query.lang,
                .deadline = deadline,
                .client_fd = setup->client_fd,
        };
        int r;

        do
                r = attempt(setup, run, &ask, reply, answer);
        while (r == EXCHANGE_NOT_SENT && run->attempts < ATTEMPTS_MAX && now_monotonic() < deadline);
        if (r == EXCHANGE_NOT_SENT)
                run->verdict = VERDICT_RESETTING;
        return r;
}

/* Keeps what the job left by its key; words for the client where that fails. */
static void keep_storage(Storage *storage, Reply *reply) {
        Text *result = &reply->result;
        bool told = reply->parts.n > 0;

        if (!storage || !reply->have_storage)
                return;
        int r = storage_replace(storage, &reply->storage);
        if (r >= 0)
                return;

        log_warning_errno(r, "Failed to keep the storage of a key: %m");
        while (result->size > 0 && result->data[result->size - 1] == '\n')
                text_truncate(result, result->size - 1);
        size_t size = result->size;
        text_append_printf(result, " [Storage not kept: %s]\n",
                r == -EFBIG                    ? "too large"
                : r == -EDQUOT || r == -ENOSPC ? "no space left"
                                               : "error");
        if (told) {
                parts_truncate(&reply->parts, size);
                parts_extend(&reply->parts, WHO_AGENT, result->size);
        }
}

/* How long a paste may take: what is left of the client's patience, or some seconds where nothing is. */
static uint64_t paste_patience(const RunSetup *setup) {
        uint64_t end = usec_add(setup->received, CONFIG_PATIENCE_USEC), now = now_monotonic();

        return MAX(end - MIN(now, end), PASTE_USEC_MIN);
}

static void finish(const RunSetup *setup, Run *run, Reply *reply, Text *answer) {
        _cleanup_text_ Text document = {};

        if (reply->parts_ignored)
                log_warning("The guest's parts do not fit its result; they are ignored.");
        run->parts_ignored = reply->parts_ignored;
        int r = pipeline_finish(
                run->pipeline, text_string(&reply->result), reply->result.size, &reply->parts, &document);
        bool pasted = r == PIPELINE_PASTE;
        if (pasted && run->bus)
                r = paste_document(run->bus, &document, paste_patience(setup), answer);
        else if (r >= 0)
                text_move(answer, &document);
        /* After the history has compared the output, which this is no part of. A factoid makes something
         * else of it, which has no place for this. */
        if (r >= 0 && !pasted && setup->config->show_usage && isempty(run->query.factoid))
                usage_append(answer, reply);
        if (r < 0)
                conclude(run, VERDICT_FAILED, answer);
        step_done(&run->steps, "finish");
}

/* Opens and locks the storage of the request's key, if it has one. 0 with *ret (NULL: none), or negative
 * errno with run->verdict and *answer. */
static int take_storage(const RunSetup *setup, Run *run, uint64_t deadline, Storage **ret, Text *answer) {
        _cleanup_(storage_freep) Storage *storage = NULL;
        const char *key = run->request.persist_key;

        if (isempty(key) || !setup->state_dir)
                return 0;
        int r = storage_open(setup->state_dir, key, setup->config->storage_key_bytes,
                setup->config->storage_total_bytes, &storage);
        if (r >= 0)
                r = storage_lock(storage, setup->client_fd, deadline, &run->request.storage);
        if (r >= 0) {
                run->request.have_storage = true;
                *ret = TAKE_PTR(storage);
                return 0;
        }

        if (r == -ETIMEDOUT)
                conclude(run, VERDICT_BUSY, answer);
        else if (r == -ECANCELED)
                conclude(run, VERDICT_CLIENT_GONE, answer);
        else if (r == -ENAMETOOLONG) {
                text_append_string(answer, "The persist-key is too long.");
                run->verdict = VERDICT_REFUSED;
        } else {
                log_error_errno(r, "Failed to open the storage of a key: %m");
                conclude(run, VERDICT_FAILED, answer);
        }
        return r;
}

void run_execute(const RunSetup *setup, Run *run, Text *answer) {
        _cleanup_(storage_freep) Storage *storage = NULL;
        _cleanup_reply_ Reply reply = {};
        uint64_t deadline =
                usec_add(setup->received, config_wait(setup->config, pipeline_machine(run->pipeline)));

        if (!run->bus && setup->direct_fd < 0) {
                log_warning_errno(run->bus_error, "Failed to open the system bus: %m");
                conclude(run, VERDICT_NO_WATCHDOG, answer);
                return;
        }
        if (take_storage(setup, run, deadline, &storage, answer) < 0)
                return;

        int r = setup->direct_fd >= 0 ? exchange_direct(setup, run, &reply)
                                      : exchange(setup, run, deadline, &reply, answer);
        if (r != EXCHANGE_REPLY) {
                conclude(run, run->verdict, answer);
                return;
        }
        if (run->verdict == VERDICT_CLEAN)
                keep_storage(storage, &reply);
        /* The next request with this key need not wait for a paste. */
        storage = storage_free(storage);
        finish(setup, run, &reply, answer);
}
