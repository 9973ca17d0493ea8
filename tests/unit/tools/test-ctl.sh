#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# pbotvmctl against the real watchdog on a bus of its own; two machines without a domain, one with a guest and one
# where nobody answers. Usage: test-ctl.sh PBOTVMCTL WATCHDOG COMPLETION

# shellcheck disable=SC2016,SC2317  # $0 is for sh -c; functions are called by name
set -u
ctl=$1 watchdog=$2 completion=$3
work=$(mktemp -d)
export DBUS_SYSTEM_BUS_ADDRESS=unix:path=$work/bus
export PBOTVM_CONFIG=$work/pbotvm.json PBOTVM_WATCHDOG_RUN_DIR=$work/run PBOTVM_LOG=stderr
unset PBOTVM_SERVER PBOTVM_PORT PBOTVM_SERIAL PBOTVM_HEART PBOTVM_HEALTH PBOTVM_CID PBOTVM_VPORT PBOTVM_TIMEOUT
failed=0
pids=()

cleanup() {
        for pid in "${pids[@]}"; do
                kill "$pid" 2>/dev/null
        done
        wait 2>/dev/null
        rm -rf "$work"
}
trap cleanup EXIT

# check WHAT EXPECTED-CODE PATTERN COMMAND...: the exit code, and an extended regular expression that the output,
# errors included, must match.
check() {
        local what=$1 code=$2 pattern=$3 got
        shift 3
        "$@" >"$work/out" 2>&1
        got=$?
        if [[ $got -eq $code ]] && {
                tr '\n' ' ' <"$work/out"
                echo
        } | sed 's/ *$//' | grep -qE -- "$pattern"; then
                echo "ok $what"
        else
                echo "FAILED $what: exit code $got instead of $code, or no '$pattern' in:"
                cat "$work/out"
                failed=1
        fi
}

wait_for() { # PATTERN: at most 15 s until list shows it
        for _ in {1..150}; do
                "$ctl" list 2>/dev/null | grep -qE "$1" && return
                sleep 0.1
        done
        echo "FAILED: waited in vain for $1"
        "$ctl" list
        exit 1
}

check 'help goes to stdout' 0 'revert MACHINE' sh -c '"$0" --help 2>/dev/null' "$ctl"
check 'help fits 80 columns' 1 '^$' sh -c '"$0" --help | grep -E ".{81}"' "$ctl"
check 'version' 0 '^pbotvm [0-9]' "$ctl" --version
check 'no bus' 7 'Failed to connect to the system bus' "$ctl" list

cat >"$work/bus.conf" <<END
<!DOCTYPE busconfig PUBLIC "-//freedesktop//DTD D-BUS Bus Configuration 1.0//EN"
        "http://www.freedesktop.org/standards/dbus/1.0/busconfig.dtd">
<busconfig>
        <type>system</type>
        <listen>unix:path=$work/bus</listen>
        <auth>EXTERNAL</auth>
        <policy context="default">
                <allow send_destination="*"/>
                <allow receive_sender="*"/>
                <allow own="*"/>
                <allow user="*"/>
        </policy>
</busconfig>
END
dbus-daemon --config-file="$work/bus.conf" --nofork --nopidfile 2>/dev/null &
pids+=($!)
for _ in {1..100}; do
        [[ -S $work/bus ]] && break
        sleep 0.05
done

check 'no service' 3 'the service is not running; start it with: systemctl start pbotvm-watchdog' "$ctl" status
check 'no service, another verb' 7 'the service is not running; start it with' "$ctl" list
metrics() { # SAMPLE...: prints how many there are, if these are among them
        "$ctl" metrics | "$(dirname "$0")/check-metrics" "$@"
}
check 'metrics without the service' 0 '^1 samples$' metrics pbotvm_up=0
check 'no service, an action' 7 'the service is not running; start it with' "$ctl" revert pbot-vm

# A guest with an empty line every second; it echoes nonces. It says on which ports it listens, and
# answers nothing while there is a file mute.
python3 -u - "$work/ports" "$work/mute" <<'END' &
import json, os, re, socket, sys, threading, time

def listen():
    s = socket.socket()
    s.bind(('127.0.0.1', 0))
    s.listen(8)
    return s

def beat(c):
    try:
        while True:
            c.sendall(b'\n')
            time.sleep(1)
    except OSError:
        pass

def answer(c):
    data = b''
    try:
        while (piece := c.recv(65536)):
            data += piece
            while os.path.exists(sys.argv[2]):
                time.sleep(0.05)
            while (end := re.search(rb'\n:end:\n|\n\n', data)):
                request, data = data[:end.start()], data[end.end():]
                nonce = re.findall(r'echo (\S+)', json.loads(request.replace(b'\n', b''))['code'])
                result = json.dumps({'result': nonce[0] if nonce else ''}).encode()
                c.sendall(b'result:' + result + b'\nresult:end\n')
    except OSError:
        pass

def serve(s, run):
    while True:
        threading.Thread(target=run, args=(s.accept()[0],), daemon=True).start()

data, heart = listen(), listen()
for s, run in ((data, answer), (heart, beat)):
    threading.Thread(target=serve, args=(s, run), daemon=True).start()
with open(sys.argv[1] + '.new', 'w') as f:
    print(data.getsockname()[1], heart.getsockname()[1], file=f)
os.rename(sys.argv[1] + '.new', sys.argv[1])
time.sleep(600)
END
pids+=($!)
for _ in {1..100}; do
        [[ -f $work/ports ]] && break
        sleep 0.05
done
read -r data heart <"$work/ports"

cat >"$PBOTVM_CONFIG" <<END
{
        "machines": {
                "pbot-vm": { "domain": null, "guest": "pbot-2023", "transport": "serial",
                             "serial": $data, "health": $heart, "cid": 0 },
                "pbot-test-vm": { "domain": null, "transport": "serial", "serial": 1, "health": 1, "cid": 0 }
        },
        "default-machine": "pbot-vm"
}
END
mkdir "$work/run"
"$watchdog" 2>"$work/log" &
watchdog_pid=$!
pids+=($!)
wait_for '^pbot-vm +ready'
wait_for '^pbot-test-vm +offline'

check 'status of all' 3 'State: ready.*pbot-2023, by serial.*Heartbeat: [0-9.]+ s ago.*pbot-test-vm.*State: offline' "$ctl"
check 'status of one' 0 '^. pbot-vm +State: ready' "$ctl" status pbot-vm
check 'status of one that is off' 3 'State: offline \(' "$ctl" status pbot-test-vm
check 'status has the last hour' 0 'Last hour: beats +\.+[,:=+*%#-]+ [0-9]+ +requests \.{60} 0 +reverts +\.{60} 0$' \
        env COLUMNS=100 LC_ALL=C "$ctl" status pbot-vm
check 'the last hour in blocks, and narrow' 0 'requests ·{30} 0 ' env COLUMNS=62 LC_ALL=C.UTF-8 "$ctl" status pbot-vm
check 'the last hour as JSON' 0 '^60 True 0 0$' sh -c '"$0" --json status pbot-vm | python3 -c "
import json, sys
hour = json.load(sys.stdin)[\"last_hour\"]
print(len(hour[\"beats\"]), sum(hour[\"beats\"]) > 0, sum(hour[\"requests\"]), sum(hour[\"reverts\"]))"' "$ctl"
check 'status as JSON' 0 '^\{"name":"pbot-vm","domain":null,"state":"ready"' "$ctl" --json status pbot-vm
check 'list' 0 '^MACHINE +STATE .*pbot-vm +ready +[0-9]+ pbot-2023 serial .*2 machines listed' "$ctl" list
check 'list without headings' 0 '^pbot-vm +ready' "$ctl" --no-legend --no-pager list
check 'list as JSON' 0 '^\[\{"name":"pbot-vm".*"name":"pbot-test-vm".*\}\]' "$ctl" -j list
"$ctl" -j list | python3 -m json.tool >"$work/out" || { echo 'FAILED: no JSON'; failed=1; }

"$ctl" monitor >"$work/monitor" 2>&1 &
monitor=$!
"$ctl" --json monitor >"$work/monitor.json" 2>&1 &
monitor_json=$!
for _ in {1..100}; do
        grep -q 'pbot-test-vm: is' "$work/monitor" && grep -q pbot-test-vm "$work/monitor.json" && break
        sleep 0.05
done
sleep 0.2
check 'drain' 0 '^pbot-vm is drained' "$ctl" drain pbot-vm
check 'drained' 3 'State: drained' "$ctl" status pbot-vm
check 'resume, quietly' 0 '^$' "$ctl" -q resume pbot-vm
wait_for '^pbot-vm +ready'
check 'revert with a reason' 0 '^pbot-vm is (starting|ready), generation' "$ctl" revert pbot-vm it behaves oddly
wait_for '^pbot-vm +ready'
grep -q 'it behaves oddly' "$work/log" || { echo 'FAILED: the reason is not in the log'; failed=1; }
kill -INT "$monitor" "$monitor_json"
wait "$monitor"
check 'monitor ends with 0' 0 '' test $? -eq 0
wait "$monitor_json"
check 'monitor as JSON' 0 '^$' python3 -c '
import json, sys
lines = [json.loads(line) for line in open(sys.argv[1])]
assert all(line["time_usec"] > 0 for line in lines)
mine = [line for line in lines if line["machine"] == "pbot-vm"]
states = [(line["old"], line["new"]) for line in mine if line["event"] == "state"]
assert states[0] == (None, "ready") and ("ready", "drained") in states and ("drained", "ready") in states, states
assert any("Generation" in line["properties"] for line in mine if line["event"] == "properties"), mine' "$work/monitor.json"
check 'monitor saw it' 0 'pbot-vm: is ready.*-> drained.*drained -> ready.*-> reverting.*Generation=[0-9]+' \
        cat "$work/monitor"

check 'metrics' 0 '^[0-9]+ samples$' metrics pbotvm_up=1 'pbotvm_machine_state{machine="pbot-vm",state="ready"}=1' \
        'pbotvm_machine_state{machine="pbot-test-vm",state="offline"}=1' 'pbotvm_machine_generation{machine="pbot-vm"}' \
        'pbotvm_machine_requests_total{machine="pbot-vm",outcome="lost"}=0' \
        'pbotvm_machine_reverts_total{machine="pbot-vm",reason="heartbeat"}=0' \
        'pbotvm_machine_info{machine="pbot-vm",domain="",guest="pbot-2023",transport="serial",policy="on-failure"}=1' \
        'pbotvm_machine_heartbeat_age_seconds{machine="pbot-vm"}' 'pbotvm_machine_leases{machine="pbot-vm"}=0'
echo old >"$work/pbotvm.prom"
check 'metrics into a file' 0 '^$' sh -c 'umask 077; exec "$0" --output="$1/pbotvm.prom" metrics' "$ctl" "$work"
check 'metrics in a file' 0 '^[0-9]+ samples$' sh -c '"$0" pbotvm_up=1 <"$1/pbotvm.prom"' \
        "$(dirname "$0")/check-metrics" "$work"
check 'metrics in a file, alone' 0 '^-rw-r--r--.* pbotvm.prom$' sh -c 'cd "$0" && ls -l pbotvm.prom*' "$work"
check 'metrics into no folder' 1 '^Failed to write /nonexistent/x.prom: No such file' \
        "$ctl" metrics --output=/nonexistent/x.prom

check 'reload' 0 '^$' "$ctl" reload
cp "$PBOTVM_CONFIG" "$work/good"
echo '{ "machines": 5 }' >"$PBOTVM_CONFIG"
check 'reload of a mistake' 1 'Failed to reload the configuration: .*pbotvm.json:1: machines' "$ctl" reload
cp "$work/good" "$PBOTVM_CONFIG"

check 'a changed machine as JSON' 0 '^\{"name":"pbot-vm",.*"state":"drained"' "$ctl" --json drain pbot-vm
check 'a changed machine as JSON, back' 0 '^\{"name":"pbot-vm",' "$ctl" -q --json resume pbot-vm
check 'status of a machine that is not there' 4 "Unknown machine 'nobody'" "$ctl" status nobody

# ssh, that goes nowhere: what runs behind it is the real thing.
mkdir "$work/bin"
cat >"$work/bin/ssh" <<END
#!/bin/sh
echo "\$*" >>"$work/ssh"
[ -z "\$SSH_FAILS" ] || { echo 'ssh: no route' >&2; exit 255; }
exec systemd-stdio-bridge --bus-path="$DBUS_SYSTEM_BUS_ADDRESS"
END
chmod +x "$work/bin/ssh"
elsewhere() { # ARGUMENT...: of pbotvmctl, which has no bus of its own here
        PATH=$work/bin:$PATH DBUS_SYSTEM_BUS_ADDRESS=unix:path=/nonexistent "$ctl" "$@"
}
check 'list of another host' 0 '^pbot-vm +ready' elsewhere -q --host=operator@far list
check 'its name' 0 'operator@far systemd-stdio-bridge$' cat "$work/ssh"
check 'a change on another host' 0 '^pbot-vm is drained' elsewhere -H far drain pbot-vm
check 'a change here' 0 '^pbot-vm is ' "$ctl" resume pbot-vm
wait_for '^pbot-vm +ready'
SSH_FAILS=yes check 'a host that cannot be reached' 7 '^ssh: no route Failed to connect to the system bus of far: ' \
        elsewhere -H far list
check 'a host that is an option' 2 'expected \[USER@\]HOST' elsewhere -H -oProxyCommand=x list
check 'doctor of another host' 2 'doctor: this looks at its own host; try: ssh far pbotvmctl doctor' elsewhere -H far doctor

check 'unknown machine' 5 "Unknown machine 'nobody'; there are pbot-vm, pbot-test-vm" "$ctl" revert nobody
check 'no machine' 2 'revert: which machine' "$ctl" revert
check 'too many arguments' 2 'list: too many arguments' "$ctl" list all
check 'unknown command' 2 "Unknown command 'frob'" "$ctl" frob
check 'unknown option' 2 'unrecognized option' "$ctl" --frob
check 'no JSON' 2 'reload: there is no JSON of this' "$ctl" --json reload
check 'bad number' 2 'expected a number from 0 to 1000' "$ctl" --lines=-1

if [[ $(id -u) -eq 0 ]]; then # without polkit on this bus, others than root are refused
        chmod 711 "$work"
        cp "$ctl" "$work/ctl"
        check 'permission denied' 4 'permission denied; this is for root and members' \
                setpriv --reuid=65534 --regid=65534 --clear-groups "$work/ctl" revert pbot-vm
        check 'everybody may look' 0 'pbot-vm +ready' \
                setpriv --reuid=65534 --regid=65534 --clear-groups "$work/ctl" list
fi

complete_words() { # WORDS...: what bash would offer for the last one
        PATH=$(dirname "$ctl"):$PATH bash -c '
                source "$1"
                shift
                COMP_WORDS=("$@") COMP_CWORD=$(($# - 1))
                _pbotvmctl 2>/dev/null
                echo "${COMPREPLY[@]}"' bash "$completion" "$@"
}
check 'completion of commands' 0 '^revert resume reload$' complete_words pbotvmctl re
check 'completion of all commands' 0 '^status list monitor .* languages attach create import$' complete_words pbotvmctl ''
check 'completion of machines' 0 '^pbot-vm pbot-test-vm$' complete_words pbotvmctl revert ''
check 'completion of a reason' 0 '^$' complete_words pbotvmctl revert pbot-vm ''
check 'completion behind a host' 0 '^drain$' complete_words pbotvmctl -H far dr
check 'completion of machines of a host' 0 '^$' complete_words pbotvmctl --host = far drain ''
check 'completion of a number' 0 '^$' complete_words pbotvmctl -n ''
check 'completion of a file' 0 "^$work/pbotvm.prom$" complete_words pbotvmctl metrics --output = "$work/pbotvm.pr"
check 'completion of a folder' 0 "^$work/bin$" complete_words pbotvmctl languages --directory = "$work/bi"
check 'completion of who is created' 0 '^pbot-vm pbot-test-vm$' complete_words pbotvmctl create ''
check 'completion of an image' 0 "^$work/bin$" complete_words pbotvmctl create pbot-vm "$work/bi"
check 'completion of what is imported' 0 "^$work/bin$" complete_words pbotvmctl import "$work/bi"
check 'completion of options' 0 '^--json$' complete_words pbotvmctl --js
check 'completion of what is attached' 0 '^serial vsock channel$' complete_words pbotvmctl attach ''
check 'completion of whom it is attached to' 0 '^pbot-vm pbot-test-vm$' complete_words pbotvmctl attach vsock ''

# libvirt's own test driver has a domain of the name test, anew for each connection.
cat >"$work/attach.json" <<'END'
{ "machines": { "vm": { "uri": "test:///default", "domain": "test" }, "bare": { "domain": null } },
  "default-machine": "vm" }
END
attach() { PBOTVM_CONFIG=$work/attach.json "$ctl" attach "$@"; }
check 'attach, shown' 0 '^<vsock model="virtio">.*<cid auto="no" address="7"/>.*</vsock>$' attach vsock vm --dry-run
check 'attach' 0 '^Domain test has its channel from its next cold start on. Snapshot 1 is older.*delete the snapshot \(while it is there' attach channel vm
check 'attach, what' 2 'attach usb: expected serial, vsock or channel' attach usb vm
check 'attach, anything' 2 'attach auto: expected serial, vsock or channel' attach auto vm
check 'attach to nobody' 1 "There is no machine 'nobody' in .*/attach.json" attach serial nobody
check 'attach without a domain' 1 'Machine bare has no domain' attach serial bare
check 'attach, no libvirt' 1 'Failed to attach the serial to vm: ' env PBOTVM_CONFIG="$work/away.json" sh -c '
        sed s,///default,///nonexistent/node.xml, "$1/attach.json" >"$1/away.json"
        "$0" attach serial vm' "$ctl" "$work"

# The same driver; domains that it is to have already stand in a file.
source=$(dirname "$completion")/../..
mkdir "$work/images"
image="$work/images/it's.qcow2"
printf 'QFI\373' >"$image"
cp "$image" "$work/images/other.qcow2"
echo raw >"$work/images/raw.img"
cat >"$work/create.xml" <<END
<node><domain type='test'><name>there</name><memory>65536</memory><os><type>hvm</type></os><devices><disk type='file'
device='disk'><source file="$image"/><target dev='hda'/></disk></devices></domain></node>
END
cat >"$work/create.json" <<END
{ "machines": { "new": { "uri": "test:///default", "domain": "new-vm", "cid": 9, "serial": 5600, "health": 5601 },
                "plain": { "uri": "test:///default", "domain": "plain-vm" },
                "there": { "uri": "test://$work/create.xml" }, "others": { "uri": "test://$work/create.xml" },
                "far": { "uri": "qemu+ssh://far.example/system" }, "bare": { "domain": null } },
  "default-machine": "new" }
END
create() { PBOTVM_CONFIG=$work/create.json "$ctl" create --template="$source/guest/image/domain.xml.in" "$@"; }
check 'create' 0 '^Domain new-vm is made and started. When its agent answers .*: pbotvmctl snapshot new$' create new "$image"
check 'create, quietly' 0 '^$' create -q new "$image"
check 'create, shown' 0 '<name>new-vm</name>.*<memory unit="MiB">512</memory> +<vcpu>3</vcpu>.*<boot dev="hd"/>.*<source file="[^"]*/images/it.s.qcow2"/>.*/run/pbotvm/channel/new.data.*/run/pbotvm/channel/new.heart.*service="5600".*service="5601".*address="9"' \
        create new "$image" --dry-run --memory=512 --cpus=3
create plain "$image" --dry-run >"$work/plain.xml"
check 'create adds nothing that is not named' 1 '^0$' grep -cE '<kernel>|<vsock|type="tcp"|@[A-Z]+@' "$work/plain.xml"
touch "$work/images/it's.kernel" "$work/images/it's.initrd"
check 'create with a kernel' 0 "<kernel>[^<]*/images/it's.kernel</kernel>.*root=/dev/vda" create plain "$image" --dry-run
check 'create again' 0 '^Domain there is there already, of this image.$' create there "$image"
check 'create of another image' 1 'there is a domain there already, of another image; to make it anew: virsh -c' \
        create there "$work/images/other.qcow2"
check 'create of what is in use' 1 "Failed to create the domain of others: the image is domain there's" create others "$image"
check 'create of no image' 1 'raw.img: it is no qcow2 image, which a snapshot with the memory in it needs' \
        create new "$work/images/raw.img"
check 'create of nothing' 1 '^/nonexistent/x: No such file' create new /nonexistent/x
check 'create elsewhere' 1 'Machine far is of another host, qemu\+ssh' create far "$image"
check 'create without a domain' 1 'Machine bare has no domain' create bare "$image"
check 'create of nobody' 1 "There is no machine 'nobody' in .*/create.json" create nobody "$image"
check 'create by no template' 1 'Failed to create the domain of new: the template is no definition of a domain' \
        create new "$image" --template="$work/create.json"
check 'create with odd numbers' 2 '^--memory=1: expected a number from 256 to' create new x --memory=1

languages=$(dirname "$completion")/../language/data
check 'languages' 0 'LANGUAGE +ALSO +COMMAND .*c\+\+ +cpp.* +g\+\+ .*python3 +- +python3 \$options \$sourcefile.* languages listed; the default is ' \
        "$ctl" languages --directory="$languages"
check 'languages as JSON' 0 '"name":"python3","file":"python3","aliases":\[\],"command":"python3 .*"default":false,"runs":null' \
        "$ctl" languages --json --directory="$languages"
"$ctl" languages --json --directory="$languages" | python3 -c '
import json, sys
assert [entry["file"] for entry in json.load(sys.stdin) if entry["default"]] == ["clang2x"]' || {
        echo 'FAILED: not one default'
        failed=1
}
mkdir "$work/languages"
cp "$languages/sh.json" "$languages/_shell.json" "$work/languages"
echo '{ "name": 5 }' >"$work/languages/odd.json"
check 'languages with a mistake' 1 'odd.json:1: name: .*sh +- +sh ' "$ctl" -q languages --directory="$work/languages"
check 'doctor sees the service' 1 'ok +watchdog: ' "$ctl" doctor
check 'doctor sees a machine that is offline' 1 \
        'fault +machine-state \(pbot-test-vm\): machine pbot-test-vm is offline.* mend: pbotvmctl revert pbot-test-vm' \
        "$ctl" -q doctor
check 'doctor asks libvirt' 1 'fault +snapshot \(vm\): .* mend: pbotvmctl snapshot vm' \
        env PBOTVM_CONFIG="$work/attach.json" "$ctl" -q doctor
check 'doctor shows what is well unless asked not to' 1 '^0$' \
        sh -c '"$0" -q doctor | grep -c "^ok"' "$ctl"
echo '{ "machine": 1 }' >"$work/wrong.json"
check 'doctor reads the configuration' 1 \
        '"check":"configuration","subject":"host","result":"fault",.*wrong.json:1: .*"mend":"sudoedit ' \
        env PBOTVM_CONFIG="$work/wrong.json" "$ctl" doctor --json

# Somebody who brings reverts about, here since he is gone with his lease, is refused, and status says so.
cat >"$work/node.xml" <<END
<node xmlns:test="http://libvirt.org/schemas/domain/test/1.0"><domain type="test"><name>pbot-vm</name>
<memory unit="MiB">64</memory><os><type>hvm</type></os><test:domainsnapshot><name>1</name><state>running</state>
<creationTime>1</creationTime><domain type="test"><name>pbot-vm</name><memory unit="MiB">64</memory>
<os><type>hvm</type></os></domain><active>0</active></test:domainsnapshot></domain></node>
END
sed -e '0,/"domain": null/s||"uri": "test://'"$work"'/node.xml"|' \
        -e 's/"default-machine"/"reverts-per-nick": { "count": 1 }, &/' "$work/good" >"$PBOTVM_CONFIG"
"$ctl" reload
wait_for '^pbot-vm +ready'
lease() {
        busctl --address="$DBUS_SYSTEM_BUS_ADDRESS" call org.pbot.VM1 /org/pbot/VM1 org.pbot.VM1.Manager Lease \
                'sa{sv}' pbot-vm 2 nick s joe channel s '#chat'
}
check 'nobody is refused' 3 'State: ready' "$ctl" status
grep -q Refused "$work/out" && { echo 'FAILED: somebody is refused'; failed=1; }
check 'a lease' 0 'pbot-vm' lease
check 'too many reverts' 1 'Virtual machine was reset too often because of you, try again in 10 minutes' lease
check 'who is refused' 3 'Refused: joe \(#chat\), 1 reverts, for [0-9.]+ min' "$ctl" status
cp "$work/good" "$PBOTVM_CONFIG"
"$ctl" reload
wait_for '^pbot-vm +ready'

kill "$watchdog_pid"
wait "$watchdog_pid"
check 'doctor without the service' 1 'fault +watchdog: .* mend: systemctl enable --now pbotvm-watchdog' "$ctl" -q doctor
# A machine with a domain, of libvirt's test driver.
cat >"$work/node.xml" <<'END'
<node><domain type='test'><name>vm</name><memory>65536</memory><os><type>hvm</type></os></domain></node>
END
cp "$PBOTVM_CONFIG" "$work/good"
cat >"$PBOTVM_CONFIG" <<END
{ "machines": { "vm": { "uri": "test://$work/node.xml", "guest": "pbot-2023", "transport": "serial",
                        "serial": $data, "health": $heart, "cid": 0 },
                "bare": { "domain": null, "guest": "pbot-2023", "transport": "serial", "serial": $data,
                          "health": $heart, "cid": 0 } },
  "default-machine": "vm" }
END
rm -rf "$work/run"
mkdir "$work/run"
"$watchdog" 2>"$work/log2" &
watchdog_pid=$!
pids+=($!)
wait_for '^vm +ready'
wait_for '^bare +ready'
for _ in {1..100}; do
        grep -q 'Connected to libvirt' "$work/log2" && break
        sleep 0.1
done
sleep 0.2
check 'snapshot' 0 '^Taking the snapshot, and trying it\.\.\. .*vm has a new snapshot, which was tried\.$' \
        "$ctl" snapshot vm --no-warm
check 'snapshot puts it back to work' 0 '^vm +ready' "$ctl" -q list
check 'snapshot in the status' 0 'Snapshot: 20[0-9-]+ [0-9:]+, [0-9.]+ s ago; by QEMU [0-9.]+, libvirt [0-9.]+' \
        "$ctl" status vm
check 'snapshot in JSON' 0 '"snapshot_usec":1[0-9]{15},"snapshot_made_by":"QEMU ' "$ctl" --json status vm
"$ctl" -q drain vm
check 'snapshot of a drained machine, quietly' 0 '^$' "$ctl" -q snapshot vm --no-warm
check 'snapshot leaves it drained' 0 '^vm +drained' "$ctl" -q list
"$ctl" -q resume vm
check 'snapshot without a domain' 1 "Failed to take a snapshot of bare: bare has no domain of libvirt's" \
        "$ctl" snapshot bare --no-warm
check 'snapshot that failed puts it back to work' 0 ' bare +ready' "$ctl" -q list
check 'snapshot of nobody' 5 "Unknown machine 'nobody'" "$ctl" snapshot nobody
wait_for '^vm +ready'

touch "$work/mute"
"$ctl" snapshot vm --no-warm >"$work/snapshot" 2>&1 &
snapshot=$!
for _ in {1..100}; do
        grep -q 'the new snapshot is tried' "$work/snapshot" && break
        sleep 0.1
done
kill -INT "$snapshot"
wait "$snapshot"
check 'snapshot, interrupted, ends with 1' 0 '' test $? -eq 1
check 'snapshot, interrupted' 0 'Interrupted: what was begun is undone and the old snapshot is in force' \
        cat "$work/snapshot"
rm "$work/mute"
for _ in {1..150}; do
        grep -q 'whoever asked for it is gone; the old one is in force' "$work/log2" && break
        sleep 0.1
done
check 'snapshot, interrupted, is undone' 0 'whoever asked for it is gone; the old one is in force' cat "$work/log2"
check 'snapshot, interrupted, puts it back to work' 0 '^vm +ready' "$ctl" -q list
kill "$watchdog_pid"
wait "$watchdog_pid"
cp "$work/good" "$PBOTVM_CONFIG"

check 'the service ended' 7 'the service is not running' "$ctl" list
exit $failed
