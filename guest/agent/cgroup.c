/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "cgroup.h"

#include <dirent.h>
#include <fcntl.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <linux/magic.h>

#include "common/io.h"
#include "memory-shares.h"

struct Cgroups {
        int fd;      /* the directory that is ours */
        int jobs_fd; /* the one in it that holds those of the jobs */
        unsigned controllers;
        MemoryShares shares; /* of the jobs, by their descriptor */
        Cgroup left[8];      /* what was not empty when it was to go; their fd is none */
        size_t n_left;
};

static const struct {
        const char *name;
        CgroupController bit;
} controller_names[] = {
        { "cpu", CGROUP_CPU },
        { "memory", CGROUP_MEMORY },
        { "pids", CGROUP_PIDS },
};

#define JOBS "jobs"

#define CPU_WEIGHT_MOST 10000

/* Attributes are small; the largest that is read here is memory.events or cpu.stat. */
#define ATTRIBUTE_MAX 8192

static int attribute_write(int dir_fd, const char *name, const char *value) {
        _cleanup_close_ int fd = openat(dir_fd, name, O_WRONLY | O_CLOEXEC);
        if (fd < 0)
                return -errno;
        return write(fd, value, strlen(value)) < 0 ? -errno : 0;
}

static int attribute_write_number(int dir_fd, const char *name, uint64_t value) {
        char text[32];

        (void)snprintf(text, sizeof(text), "%" PRIu64, value);
        return attribute_write(dir_fd, name, text);
}

/* The number that follows key in a file of "key number" lines; 0 if it is not there. */
static uint64_t attribute_field(int dir_fd, const char *name, const char *key) {
        _cleanup_text_ Text text = {};

        if (io_read_file(dir_fd, name, ATTRIBUTE_MAX, &text) < 0)
                return 0;
        for (const char *line = text_string(&text); line; line = strchr(line, '\n')) {
                if (*line == '\n')
                        line++;
                const char *value = startswith(line, key);
                if (value && *value == ' ')
                        return strtoull(value + 1, NULL, 10);
        }
        return 0;
}

static uint64_t attribute_number(int dir_fd, const char *name) {
        _cleanup_text_ Text text = {};

        if (io_read_file(dir_fd, name, ATTRIBUTE_MAX, &text) < 0)
                return 0;
        return strtoull(text_string(&text), NULL, 10);
}

/* Where the version 2 tree is mounted: alone, or beside version 1 trees. */
static int tree_open(void) {
        static const char *const places[] = { "/sys/fs/cgroup", "/sys/fs/cgroup/unified" };

        for (size_t i = 0; i < ELEMENTSOF(places); i++) {
                _cleanup_close_ int fd = open(places[i], O_RDONLY | O_DIRECTORY | O_CLOEXEC);
                struct statfs fs;
                if (fd >= 0 && fstatfs(fd, &fs) >= 0 && fs.f_type == CGROUP2_SUPER_MAGIC)
                        return TAKE_FD(fd);
        }
        return -ENOTSUP;
}

/* The path of our own cgroup in that tree, without its first slash. */
static int own_path(Text *path) {
        _cleanup_text_ Text text = {};

        int r = io_read_file(AT_FDCWD, "/proc/self/cgroup", 64 << 10, &text);
        if (r < 0)
                return r;
        for (const char *line = text_string(&text); line; line = strchr(line, '\n')) {
                if (*line == '\n')
                        line++;
                const char *value = startswith(line, "0::/");
                if (!value)
                        continue;
                text_append(path, value, strcspn(value, "\n"));
                return text_error(path);
        }
        return -ENOTSUP;
}

static bool job_name(const char *name) {
        const char *digits = startswith(name, "job-");

        return digits && *digits && strspn(digits, "0123456789") == strlen(digits);
}

/* Calls f for each directory in one. */
static void each(int parent_fd, void (*f)(int dir_fd, const char *name)) {
        int fd = openat(parent_fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        DIR *dir = fd >= 0 ? fdopendir(fd) : NULL;
        if (!dir) {
                fd_close(fd);
                return;
        }
        for (struct dirent *e; (e = readdir(dir));)
                if (e->d_type == DT_DIR && e->d_name[0] != '.')
                        f(parent_fd, e->d_name);
        (void)closedir(dir);
}

static void job_remove(int dir_fd, const char *name) {
        if (job_name(name))
                (void)unlinkat(dir_fd, name, AT_REMOVEDIR);
}

static void job_kill(int dir_fd, const char *name) {
        if (!job_name(name))
                return;
        _cleanup_close_ int fd = openat(dir_fd, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

        if (fd >= 0)
                (void)attribute_write(fd, "cgroup.kill", "1");
        job_remove(dir_fd, name);
}

/* Without systemd, as in a container, a process is in the root cgroup: each agent then has a part of its
 * own. */
#define STRAY_PREFIX "pbotvm-guest-"

static void stray_remove(int tree_fd, const char *name) {
        const char *pid = startswith(name, STRAY_PREFIX);

        if (!pid || kill((pid_t)strtol(pid, NULL, 10), 0) >= 0 || errno != ESRCH)
                return;
        _cleanup_close_ int fd = openat(tree_fd, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        if (fd < 0)
                return;
        _cleanup_close_ int jobs = openat(fd, JOBS, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        if (jobs >= 0)
                each(jobs, job_kill);
        each(fd, job_kill);
        (void)unlinkat(fd, JOBS, AT_REMOVEDIR);
        (void)unlinkat(fd, "agent", AT_REMOVEDIR);
        (void)unlinkat(tree_fd, name, AT_REMOVEDIR);
}

static int stray_make(int tree_fd, Text *path) {
        each(tree_fd, stray_remove);
        text_append_printf(path, STRAY_PREFIX "%i", (int)getpid());
        return mkdirat(tree_fd, text_string(path), 0755) < 0 && errno != EEXIST ? -errno : 0;
}

static int own_open(int *ret) {
        _cleanup_text_ Text path = {};
        _cleanup_close_ int tree = tree_open();
        if (tree < 0)
                return tree;

        int r = own_path(&path);
        if (r < 0)
                return r;

        /* Moved to our leaf by an earlier start without systemd: go up again. */
        size_t n = path.size;
        if (n >= 6 && streq(text_string(&path) + n - 6, "/agent"))
                text_truncate(&path, n - 6);
        if (path.size == 0) {
                r = stray_make(tree, &path);
                if (r < 0)
                        return r;
        }

        int fd = openat(tree, text_string(&path), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        if (fd < 0)
                return -errno;
        *ret = fd;
        return 0;
}

/* A cgroup with controllers turned on for its children may hold no process itself. */
static int leaf_enter(const Cgroups *cgroups) {
        if (mkdirat(cgroups->fd, "agent", 0755) < 0 && errno != EEXIST)
                return -errno;
        return attribute_write(cgroups->fd, "agent/cgroup.procs", "0");
}

static int jobs_open(Cgroups *cgroups) {
        if (mkdirat(cgroups->fd, JOBS, 0755) < 0 && errno != EEXIST)
                return -errno;
        cgroups->jobs_fd = openat(cgroups->fd, JOBS, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        if (cgroups->jobs_fd < 0)
                return -errno;
        /* The service's umask hides it, but a program may look for the limits of its memory there. */
        return fchmod(cgroups->jobs_fd, 0755) < 0 ? -errno : 0;
}

static void controllers_enable(Cgroups *cgroups) {
        for (size_t i = 0; i < ELEMENTSOF(controller_names); i++) {
                char value[32];
                (void)snprintf(value, sizeof(value), "+%s", controller_names[i].name);
                if (attribute_write(cgroups->fd, "cgroup.subtree_control", value) >= 0 &&
                        attribute_write(cgroups->jobs_fd, "cgroup.subtree_control", value) >= 0)
                        cgroups->controllers |= controller_names[i].bit;
        }
        /* A guest whose jobs burn all its CPUs must still beat and answer. */
        if (cgroups->controllers & CGROUP_CPU)
                (void)attribute_write_number(cgroups->fd, "agent/cpu.weight", CPU_WEIGHT_MOST);
}

int cgroups_new(Cgroups **ret) {
        _cleanup_(cgroups_freep) Cgroups *cgroups = calloc(1, sizeof(Cgroups));
        if (!cgroups)
                return -ENOMEM;
        cgroups->fd = cgroups->jobs_fd = -EBADF;

        int r = own_open(&cgroups->fd);
        if (r >= 0)
                r = leaf_enter(cgroups);
        if (r >= 0)
                r = jobs_open(cgroups);
        if (r < 0)
                return r;
        controllers_enable(cgroups);
        each(cgroups->jobs_fd, job_kill);
        each(cgroups->fd, job_kill);

        *ret = TAKE_PTR(cgroups);
        return 0;
}

Cgroups *cgroups_free(Cgroups *cgroups) {
        if (!cgroups)
                return NULL;
        fd_close(cgroups->jobs_fd);
        fd_close(cgroups->fd);
        free(cgroups);
        return NULL;
}

bool cgroups_have(const Cgroups *cgroups, CgroupController controller) {
        return cgroups->controllers & controller;
}

int cgroups_limit_memory(Cgroups *cgroups, uint64_t bytes) {
        if (!cgroups_have(cgroups, CGROUP_MEMORY))
                return 0;
        (void)attribute_write_number(cgroups->jobs_fd, "memory.swap.max", 0);
        cgroups->shares.all = bytes;
        return attribute_write_number(cgroups->jobs_fd, "memory.max", bytes);
}

/* Of those that ran before, which have what they had then. The kernel takes it from one that has more, or
 * kills it, before it returns. */
static void shares_write(const Cgroups *cgroups, const MemoryShares *before) {
        for (size_t i = 0; i < cgroups->shares.n; i++) {
                const MemoryShare *share = &cgroups->shares.list[i];
                for (size_t j = 0; j < before->n; j++)
                        if (before->list[j].key == share->key && before->list[j].now != share->now)
                                (void)attribute_write_number(share->key, "memory.max", share->now);
        }
}

/* Returns what a new job may have, once the others have no more than theirs. */
static int share_take(Cgroups *cgroups, int fd, uint64_t limit, uint64_t *ret) {
        const MemoryShares before = cgroups->shares;

        int r = memory_shares_add(&cgroups->shares, fd, limit);
        if (r < 0)
                return r;
        shares_write(cgroups, &before);
        *ret = cgroups->shares.list[cgroups->shares.n - 1].now;
        return 0;
}

static void share_give_back(Cgroups *cgroups, int fd) {
        const MemoryShares before = cgroups->shares;

        memory_shares_remove(&cgroups->shares, fd);
        shares_write(cgroups, &before);
}

/* What must hold; an attribute of a controller that we do not have is not asked for. */
static int limits_write(Cgroups *cgroups, const Cgroup *cgroup, const JobLimits *limits) {
        uint64_t memory = limits->memory_bytes;
        int r = 0, fd = cgroup->fd;

        if (cgroups_have(cgroups, CGROUP_MEMORY)) {
                if (cgroup->parent_fd == cgroups->jobs_fd)
                        r = share_take(cgroups, fd, memory, &memory);
                if (r >= 0)
                        r = attribute_write_number(fd, "memory.max", memory);
                /* Absent where the kernel has no swap at all. */
                (void)attribute_write_number(fd, "memory.swap.max", 0);
                /* A job of which one process was killed would go on in nonsense. */
                if (r >= 0)
                        r = attribute_write(fd, "memory.oom.group", "1");
        }
        /* It is by this job that the agent knows whether the guest is well. */
        if (r >= 0 && cgroup->parent_fd == cgroups->fd && cgroups_have(cgroups, CGROUP_CPU))
                (void)attribute_write_number(fd, "cpu.weight", CPU_WEIGHT_MOST);
        /* The job's own init is one of them: so this is reached before RLIMIT_NPROC, of which nobody is
         * told. */
        if (r >= 0 && cgroups_have(cgroups, CGROUP_PIDS))
                r = attribute_write_number(fd, "pids.max", limits->processes);
        return r;
}

int cgroup_make(Cgroups *cgroups, bool own, uint64_t number, const JobLimits *limits, Cgroup *ret) {
        Cgroup cgroup = {
                .cgroups = cgroups,
                .parent_fd = own ? cgroups->fd : cgroups->jobs_fd,
                .fd = -EBADF,
        };
        (void)snprintf(cgroup.name, sizeof(cgroup.name), "job-%" PRIu64, number);

        if (mkdirat(cgroup.parent_fd, cgroup.name, 0755) < 0)
                return -errno;
        cgroup.fd = openat(cgroup.parent_fd, cgroup.name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        int r = cgroup.fd < 0 ? -errno : limits_write(cgroups, &cgroup, limits);
        if (r < 0) {
                cgroup_remove(&cgroup);
                return r;
        }

        *ret = cgroup;
        return 0;
}

int cgroup_kill(const Cgroup *cgroup) {
        return attribute_write(cgroup->fd, "cgroup.kill", "1");
}

uint64_t cgroup_cpu_usec(const Cgroup *cgroup) {
        return attribute_field(cgroup->fd, "cpu.stat", "usage_usec");
}

CgroupUsage cgroup_usage(const Cgroup *cgroup) {
        CgroupUsage usage = {
                .cpu_usec = cgroup_cpu_usec(cgroup),
                .oom = attribute_field(cgroup->fd, "memory.events", "oom_kill") > 0,
                .pids_max = attribute_field(cgroup->fd, "pids.events", "max") > 0,
        };

        if (usage.oom)
                usage.memory_peak = attribute_number(cgroup->fd, "memory.peak");
        return usage;
}

static bool remove_now(const Cgroup *cgroup) {
        return unlinkat(cgroup->parent_fd, cgroup->name, AT_REMOVEDIR) >= 0 || errno == ENOENT;
}

void cgroup_remove(Cgroup *cgroup) {
        Cgroups *cgroups = cgroup->cgroups;
        size_t n = 0;

        if (cgroup->fd >= 0)
                share_give_back(cgroups, cgroup->fd);
        cgroup->fd = fd_close(cgroup->fd);
        if (cgroup->name[0] == '\0')
                return;
        /* By name: that of a job which died just now, too, could be removed, and with it what it used. */
        for (size_t i = 0; i < cgroups->n_left; i++)
                if (!remove_now(&cgroups->left[i]))
                        cgroups->left[n++] = cgroups->left[i];
        cgroups->n_left = n;
        if (!remove_now(cgroup) && cgroups->n_left < ELEMENTSOF(cgroups->left))
                cgroups->left[cgroups->n_left++] = *cgroup;
        cgroup->name[0] = '\0';
}
