# SPDX-License-Identifier: LGPL-2.1-or-later
# The parts of a running pbotvm - the host that it is installed on, programs, domain - for sourcing. TOP is the
# folder of the source, LAB is "yes" when the services run in the disposable host.

CACHE=${PBOTVM_CACHE:-/var/cache/pbotvm}
DOMAIN=pbot-vm
IMAGES=/var/lib/libvirt/images
RECORD=/var/lib/pbotvm-quickstart
UNITS=(pbotvm.socket pbotvm-watchdog.service)
OFF=pbotvm-off@$DOMAIN.service

# on COMMAND: runs it where the services are.
on() {
        if [ "$LAB" = yes ]; then "$TOP/tests/lib/lab" exec "$@"; else "$@"; fi
}

# files: where the files of that machine are; live: the same as its processes see them.
files() { if [ "$LAB" = yes ]; then "$TOP/tests/lib/lab" root; fi; }
live() { if [ "$LAB" = yes ]; then "$TOP/tests/lib/lab" live; fi; }

build_programs() {
        local build=$1
        shift
        if [ ! -e "$build/build.ninja" ]; then
                meson setup "$build" "$TOP" "$@" >&2
        fi
        meson compile -C "$build" >&2
        echo "$build"
}

# what_is_there: settings, state and users that are there before the first installation.
what_is_there() {
        local root name
        root=$(files)
        (cd "$root/" && find etc/default/pbotvm etc/pbotvm -type f -printf '/%p\n' 2>/dev/null) || true
        for name in /etc/pbotvm /var/lib/pbotvm /var/lib/pbotvm-qemu; do
                [ ! -e "$root$name" ] || echo "$name"
        done
        for name in pbotvm pbotvm-watchdog pbotvm-paste pbotvm-qemu pbotvm-template; do
                ! on getent passwd "$name" >/dev/null || echo "user $name"
        done
        ! on getent group pbotvm-admin >/dev/null || echo 'group pbotvm-admin'
}

# install_programs BUILD: into a folder of its own first, so that it is known what to remove one day. Settings that
# are there already are left alone.
install_programs() {
        local build=$1 stage root file target changed=0
        root=$(files)
        stage=$(mktemp -d)
        meson install -C "$build" --no-rebuild --destdir "$stage" >&2
        mkdir -p "$root$RECORD"
        [ -e "$root$RECORD/before" ] || [ -e "$root$RECORD/files" ] || what_is_there >"$root$RECORD/before"
        # Folders that are made now; others may be empty too, but are not ours to remove.
        (cd "$stage" && find . -mindepth 1 -type d -printf '/%P\n') | while IFS= read -r file; do
                [ -e "$root$file" ] || echo "$file"
        done >>"$root$RECORD/folders"
        # Users first: the bus reads its rules, which name them, as soon as they are there.
        install -D -m 0644 "$stage/usr/lib/sysusers.d/pbotvm.conf" "$root/usr/lib/sysusers.d/pbotvm.conf"
        on systemd-sysusers
        while IFS= read -r file; do
                target=$root/$file
                if [[ $file == etc/* ]] && [ -e "$target" ]; then continue; fi
                if cmp -s "$stage/$file" "$target"; then continue; fi
                changed=$((changed + 1))
                install -D -m "$(stat -c %a "$stage/$file")" "$stage/$file" "$target.new"
                mv "$target.new" "$target"
        done < <(cd "$stage" && find . -type f -printf '%P\n')
        # What an earlier version had, but for settings.
        while IFS= read -r file; do
                if [[ $file == /etc/* ]] || [ -e "$stage$file" ] || [ -L "$stage$file" ] || [ ! -e "$root$file" ] ||
                        grep -qxF "$file" "$root$RECORD/before" 2>/dev/null; then continue; fi
                changed=$((changed + 1))
                rm -f "$root$file"
        done < <(cat "$root$RECORD/files" 2>/dev/null)
        # Links too, and the folders that are installed empty.
        (cd "$stage" && find . -type l -printf '%P\n') | while IFS= read -r file; do
                mkdir -p "$(dirname "$root/$file")"
                cp -a "$stage/$file" "$root/$file"
        done
        (cd "$stage" && find . -type d -empty -printf '%P\n') | while IFS= read -r file; do
                mkdir -p "$root/$file"
        done
        (cd "$stage" && find . \( -type f -o -type l \) -printf '/%P\n') | sort -u \
                "$root$RECORD/files" - 2>/dev/null >"$root$RECORD/files.new" ||
                (cd "$stage" && find . \( -type f -o -type l \) -printf '/%P\n') >"$root$RECORD/files.new"
        mv "$root$RECORD/files.new" "$root$RECORD/files"
        rm -rf "$stage"

        on systemd-tmpfiles --create /usr/lib/tmpfiles.d/pbotvm.conf
        on journalctl --update-catalog
        on systemctl daemon-reload
        on systemctl reload dbus.service
        if [ "$changed" -eq 0 ]; then echo 'nothing new'; else echo "$changed files"; fi
}

# was_before WHAT: it was there before the first installation, and stays.
was_before() { grep -qxF "$1" "$RECORD/before" 2>/dev/null; }

# remove_programs: what install_programs has recorded, from this machine.
remove_programs() {
        local name
        if [ -s "$RECORD/files" ]; then
                while IFS= read -r name; do
                        was_before "$name" || rm -f "$name"
                done <"$RECORD/files"
        fi
        if [ -s "$RECORD/folders" ]; then
                sort -r -u "$RECORD/folders" | while IFS= read -r name; do
                        rmdir --ignore-fail-on-non-empty "$name" 2>/dev/null || true
                done
        fi
}

# kvm_works KERNEL: the processor has it, and a kernel that is started with it speaks.
kvm_works() {
        grep -qE '^flags.* (vmx|svm)( |$)' /proc/cpuinfo && [ -w /dev/kvm ] || return 1
        timeout 20 qemu-system-x86_64 -machine pc,accel=kvm -cpu host -m 256 -nodefaults -display none -no-reboot \
                -serial stdio -kernel "$1" -append 'console=ttyS0 panic=-1' </dev/null 2>&1 |
                grep -qa 'Linux version'
}

# set_default NAME VALUE WHY: in /etc/default/pbotvm, unless it is set there.
set_default() {
        local file
        file=$(files)/etc/default/pbotvm
        grep -q "^$1=" "$file" || printf '# %s\n%s=%s\n' "$3" "$1" "$2" >>"$file"
}

# unset_default WHY: takes out what set_default put in for this reason.
unset_default() { sed -i "\\|^# $1\$|,+1d" "$(files)/etc/default/pbotvm"; }

# set_member NAME VALUE WHY: of the machine pbot-vm in /etc/pbotvm/pbotvm.json, unless it is set there.
set_member() {
        local file
        file=$(files)/etc/pbotvm/pbotvm.json
        grep -qE "^[[:space:]]*\"$1\":" "$file" ||
                sed -i "s|^\([[:space:]]*\)\"$DOMAIN\": {\$|&\n\1        // $3\n\1        \"$1\": $2,|" "$file"
}

domain_exists() { on virsh -q domstate "$DOMAIN" >/dev/null 2>&1; }

# guest_is WANTED: the domain is there, made from this image with this definition, and has its snapshot.
guest_is() {
        [ "$(cat "$(files)$IMAGES/$DOMAIN.made" 2>/dev/null)" = "$1" ] &&
                on virsh -q snapshot-info "$DOMAIN" 1 >/dev/null 2>&1
}

# guest_is_ours: the domain was made by guest_define, or that was begun.
guest_is_ours() { [ -e "$(files)$IMAGES/$DOMAIN.made" ] || [ -e "$(files)$RECORD/domain.xml" ]; }

domain_forget() {
        if domain_exists; then
                on virsh -q destroy "$DOMAIN" >/dev/null 2>&1 || true
                # One without a definition is gone when it stops.
                on virsh -q undefine "$DOMAIN" --snapshots-metadata >&2 || ! domain_exists
        fi
}

# services_stop: handlers too, or one that waits has the machine as soon as the watchdog is back.
services_stop() {
        on systemctl stop pbotvm.socket >/dev/null 2>&1 || true
        on systemctl stop 'pbotvm@*.service' "${UNITS[@]}" >/dev/null 2>&1 || true
}

guest_forget() {
        local root ending
        root=$(files)
        domain_forget
        for ending in made qcow2 kernel initrd; do
                rm -f "$root$IMAGES/$DOMAIN.$ending"
        done
        # A domain that ran until its host went down leaves folders of its number at that time.
        [ ! -d "$root/var/lib/libvirt/qemu" ] || find "$root/var/lib/libvirt/qemu" -maxdepth 3 -type d \
                -regex ".*/domain-[0-9]+-$DOMAIN" -prune -exec rm -rf {} +
}

# guest_define MADE DEFINITION: copies the image and makes the domain.
guest_define() {
        local made=$1 definition=$2 root ending
        root=$(files)
        services_stop
        guest_forget
        mkdir -p "$root$IMAGES"
        for ending in kernel initrd qcow2; do
                cp --sparse=always --reflink=auto "$made.$ending" "$root$IMAGES/$DOMAIN.$ending"
        done
        printf '%s\n' "$definition" >"$root$RECORD/domain.xml"
        # A revert that was under way defines the domain once more when it ends.
        local try
        for try in 1 2 3; do
                on virsh -q define "$RECORD/domain.xml" >&2 && break
                [ "$try" -lt 3 ] || return 1
                sleep 3
                domain_forget
        done
        on virsh -q start "$DOMAIN" >&2
}
