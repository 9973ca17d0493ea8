/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "watchdog/qemu/place.h"

static void set_channel(Text *text, const char *configured, const Text *folder, const char *name, bool own) {
        if (configured && own)
                text_append_string(text, configured);
        else if (configured)
                text_append_printf(text, "%s/%s", text_string(folder), name);
}

int place_init(QemuPlace *place, const QemuFolders *folders, const MachineConfig *config, unsigned number) {
        _cleanup_text_ Text name = {};

        *place = (QemuPlace){};
        text_append_string(&name, config->name);
        if (number > 0)
                text_append_printf(&name, "@%u", number);
        text_append_printf(&place->unit, "pbotvm-qemu@%s.service", text_string(&name));
        text_append_printf(&place->folder, "%s/%s", folders->run, text_string(&name));
        text_append_printf(&place->monitor, "%s/monitor", text_string(&place->folder));
        set_channel(&place->data, config->channel_data, &place->folder, "data", number == 0);
        set_channel(&place->heart, config->channel_heart, &place->folder, "heart", number == 0);
        return text_failed(&name) || text_failed(&place->unit) || text_failed(&place->monitor) ||
                               text_failed(&place->data) || text_failed(&place->heart)
                       ? -ENOMEM
                       : 0;
}

void place_done(QemuPlace *place) {
        text_done(&place->unit);
        text_done(&place->folder);
        text_done(&place->monitor);
        text_done(&place->data);
        text_done(&place->heart);
}
