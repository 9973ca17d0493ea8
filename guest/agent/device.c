/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "device.h"

#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <termios.h>

#include "common/io.h"

/* What /sys/class/virtio-ports/ENTRY/name holds, without the newline. */
static bool port_has_name(int dir_fd, const char *entry, const char *name) {
        _cleanup_text_ Text path = {}, content = {};

        text_append_printf(&path, "%s/name", entry);
        if (text_failed(&path) || io_read_file(dir_fd, text_string(&path), 4096, &content) < 0)
                return false;
        text_truncate(&content, strcspn(text_string(&content), "\n"));
        return text_equals(&content, name);
}

static int port_find_in_sys(const char *dev, const char *sys, const char *name, Text *ret_path) {
        DIR *dir = opendir(sys);
        int r = -ENOENT;

        if (!dir)
                return -errno;
        for (struct dirent *e; r == -ENOENT && (e = readdir(dir));) {
                if (e->d_name[0] == '.' || !port_has_name(dirfd(dir), e->d_name, name))
                        continue;
                text_clear(ret_path);
                text_append_printf(ret_path, "%s/%s", dev, e->d_name);
                r = text_error(ret_path);
        }
        (void)closedir(dir);
        return r;
}

int device_find_port(const char *dev, const char *sys, const char *name, Text *ret_path) {
        if (strchr(name, '/'))
                return -EINVAL;
        text_clear(ret_path);
        text_append_printf(ret_path, "%s/virtio-ports/%s", dev, name);
        if (text_failed(ret_path))
                return -ENOMEM;
        if (access(text_string(ret_path), F_OK) >= 0)
                return 0;
        return port_find_in_sys(dev, sys, name, ret_path);
}

static int tty_raw(int fd) {
        struct termios t;

        /* A ttyS without a chip behind it opens, and fails here. */
        if (tcgetattr(fd, &t) < 0)
                return errno == EIO ? -ENODEV : -errno;
        cfmakeraw(&t);
        t.c_cflag |= CLOCAL | CREAD;
        t.c_cflag &= ~(tcflag_t)CRTSCTS;
        (void)cfsetspeed(&t, B115200);
        return tcsetattr(fd, TCSANOW, &t) < 0 ? (errno == EIO ? -ENODEV : -errno) : 0;
}

int device_open(const char *name, StreamKind *ret_kind) {
        _cleanup_text_ Text path = {};
        struct stat st;

        if (*name == '/')
                text_append_string(&path, name);
        else {
                int r = device_find_port("/dev", "/sys/class/virtio-ports", name, &path);
                if (r < 0)
                        return r;
        }
        if (text_failed(&path))
                return -ENOMEM;

        _cleanup_close_ int fd = open(text_string(&path), O_RDWR | O_NOCTTY | O_NONBLOCK | O_CLOEXEC);
        if (fd < 0)
                return errno == EIO || errno == ENXIO ? -ENODEV : -errno;
        if (fstat(fd, &st) < 0)
                return -errno;
        if (!S_ISCHR(st.st_mode))
                return -ENOTTY;

        if (isatty(fd)) {
                int r = tty_raw(fd);
                if (r < 0)
                        return r;
                *ret_kind = STREAM_TTY;
        } else
                *ret_kind = STREAM_PORT;
        return TAKE_FD(fd);
}
