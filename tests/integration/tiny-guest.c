/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* A guest that is its own only program: it beats, and answers each request with how many it has answered. A
 * request that has "poweroff", "panic" or "silence" in it is obeyed. For tests that want a real QEMU, and
 * nothing of the guest but that it lives; it boots in a second or two. */

#include <dirent.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/reboot.h>
#include <sys/stat.h>
#include <unistd.h>

#define PORTS "/sys/class/virtio-ports"

static int open_port(const char *name) {
        struct dirent *entry;
        DIR *folder = opendir(PORTS);
        int fd = -1;

        while (folder && fd < 0 && (entry = readdir(folder))) {
                char path[600], found[64] = "";
                snprintf(path, sizeof(path), PORTS "/%s/name", entry->d_name);
                int file = open(path, O_RDONLY);
                if (file >= 0 && read(file, found, sizeof(found) - 1) > 0)
                        found[strcspn(found, "\n")] = '\0';
                close(file);
                snprintf(path, sizeof(path), "/dev/%s", entry->d_name);
                if (strcmp(found, name) == 0)
                        fd = open(path, O_RDWR | O_NONBLOCK);
        }
        if (folder)
                closedir(folder);
        return fd;
}

static void write_to(const char *path, const char *text) {
        int fd = open(path, O_WRONLY);

        if (fd >= 0 && write(fd, text, strlen(text)) < 0)
                perror(path);
        close(fd);
}

static void obey(const char *request) {
        if (strstr(request, "poweroff"))
                reboot(RB_POWER_OFF);
        if (strstr(request, "panic"))
                write_to("/proc/sysrq-trigger", "c");
        while (strstr(request, "silence"))
                pause();
}

static void answer(int data, const char *request, unsigned n) {
        const char *id = strstr(request, "\"id\":\"");
        char text[300];

        id = id ? id + strlen("\"id\":\"") : "";
        int size = snprintf(text, sizeof(text),
                "result:{\"result\":\"%u\",\"pbotvm\":{\"id\":\"%.*s\",\"exit_status\":0}}\nresult:end\n", n,
                (int)strcspn(id, "\""), id);
        if (write(data, text, (size_t)size) != size)
                perror("answer");
}

int main(void) {
        static char request[1 << 16];
        size_t size = 0;
        unsigned answered = 0, beats = 0;
        int data = -1, heart = -1;

        mkdir("/dev", 0755);
        mkdir("/sys", 0755);
        mkdir("/proc", 0755);
        mount("dev", "/dev", "devtmpfs", 0, NULL);
        mount("sys", "/sys", "sysfs", 0, NULL);
        mount("proc", "/proc", "proc", 0, NULL);
        while (data < 0 || heart < 0) {
                if (data < 0)
                        data = open_port("org.pbot.vm.0");
                if (heart < 0)
                        heart = open_port("org.pbot.vm.heartbeat");
                usleep(10000);
        }
        for (;;) {
                char beat[60];
                struct pollfd fd = { .fd = data, .events = POLLIN };
                ssize_t n = 0;

                if (poll(&fd, 1, 500) > 0)
                        n = read(data, request + size, sizeof(request) - 1 - size);
                if (n > 0)
                        size += (size_t)n;
                else
                        usleep(20000); /* nobody is there */
                request[size] = '\0';
                if (strstr(request, "\n\n")) {
                        obey(request);
                        answer(data, request, ++answered);
                        size = 0;
                }
                if (size == sizeof(request) - 1)
                        size = 0;
                snprintf(beat, sizeof(beat), "pbotvm %u 0.00 100000\n", ++beats);
                if (write(heart, beat, strlen(beat)) < 0)
                        usleep(1000);
        }
}
