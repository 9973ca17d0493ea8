#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# pbotvmctl import: a folder as PBot's own programs leave it becomes configuration and history of pbotvm. Whose it is
# then is tried as root alone. Usage: test-import.sh PBOTVMCTL LANGUAGES

# shellcheck disable=SC2317  # functions are called by name
set -u
ctl=$1 languages=$2
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
unset PBOTVM_SERVER PBOTVM_PORT PBOTVM_SERIAL PBOTVM_HEART PBOTVM_HEALTH PBOTVM_CID PBOTVM_VPORT PBOTVM_TIMEOUT
export PBOTVM_CONFIG=$work/etc/pbotvm.json
failed=0

# check WHAT EXPECTED-CODE PATTERN COMMAND...: as in test-ctl.sh
check() {
        local what=$1 code=$2 pattern=$3 got
        shift 3
        "$@" >"$work/out" 2>&1
        got=$?
        if [[ $got -eq $code ]] && {
                tr '\n' ' ' <"$work/out"
                echo
        } | grep -qE -- "$pattern"; then
                echo "ok $what"
        else
                echo "FAILED $what: exit code $got instead of $code, or no '$pattern' in:"
                cat "$work/out"
                failed=1
        fi
}
import() { "$ctl" import --state="$work/state" --directory="$languages" "$@"; }
nothing() { ! find "$work/etc" "$work/state" -type f | grep .; }

host=$work/applets/pbot-vm/host
mkdir -p "$work/etc" "$work/state" "$host/config" "$host/history" "$host/lib/Languages"
chmod 0700 "$work/state"
chmod 0755 "$work"
cat >"$host/config/vm-exec.json" <<'END_OF_FILE'
{
  "machines": {
    "pbot-vm": { "serial": 5555, "health": 5556, "cid": 7, "vport": 5555, "vagrant": 1 },
    "pbot-test-vm": { "serial": 7777, "health": 7778, "cid": 42, "vport": 5555 }
  },
  "aliases": { "test": "pbot-test-vm", "main": "pbot-vm" },
  "default-machine": "pbot-vm"
}
END_OF_FILE
printf '{"code":"%s"}\n' 'echo 2' 'echo 1' '' >"$host/history/#my-channel-c++.hist"
printf '1700000000.25\nout\n' >"$host/history/#my-channel-c++.last-output"
echo 'puts' >"$host/history/joe-cobol.hist"
echo 'x' >"$host/history/strange.hist"
touch "$host/lib/Languages/"{_default,sh,cpp,cobol}.pm

check 'shown' 0 "vm-exec.json:3: machines.pbot-vm.vagrant: has no counterpart.*pbotvm.json: would be $host/config/vm-exec.json, 2 machines.*cobol.pm: has no counterpart.*#my-channel, c\+\+: 2 codes joe, cobol: 1 code; no language has that name here .*strange.hist: is no CHANNEL-LANGUAGE.*2 histories with 3 codes would be taken over 1 last outputs are left out" \
        import --dry-run "$host"
check 'nothing was written' 0 '^$' nothing
import --dry-run "$host" >"$work/told" 2>&1
check 'a module that is there is not told' 1 '^$' grep -E '(sh|cpp|_default).pm' "$work/told"
check 'imported' 0 'pbotvm.json: is now .*2 histories with 3 codes taken over' import "$host"
check 'the configuration, as it was' 0 '' cmp "$host/config/vm-exec.json" "$PBOTVM_CONFIG"
check 'the history, oldest first' 0 '^\{"code":"echo 1"\} \{"code":"echo 2"\} $' cat "$work/state/#my-channel@c++.hist"
check 'again: all is there' 0 'pbotvm.json: is .* already.*2 codes, there already.*0 histories with 0 codes' import "$host"
check 'quietly' 0 '^[^ ]*vm-exec.json:3: [^:]*: has no' import -q "$host"

echo '{"code":"echo 3"}' >>"$work/state/#my-channel@c++.hist"
echo '// mine' >>"$PBOTVM_CONFIG"
cp "$PBOTVM_CONFIG" "$work/mine"
check 'what is another stays' 1 'pbotvm.json: is there and stays.*another history is there and stays.*2 of these stayed as they were; --force' import "$host"
check 'it stayed' 0 '' cmp "$PBOTVM_CONFIG" "$work/mine"
check 'and would be replaced' 0 'would be .*as .old' import --force --dry-run "$host"
check 'it still stayed' 0 'echo 3' sh -c "cmp '$PBOTVM_CONFIG' '$work/mine' && cat '$work/state/#my-channel@c++.hist'"
check 'by force' 0 'is now .*the old one is kept as .old.*1 histories with 2 codes taken over' import --force "$host"
check 'the old one' 0 '' cmp "$PBOTVM_CONFIG.old" "$work/mine"
check 'replaced' 0 '^\{"code":"echo 1"\} \{"code":"echo 2"\} $' cat "$work/state/#my-channel@c++.hist"

ln -s /etc/passwd "$host/history/link-sh.hist"
mkfifo "$host/history/pipe-sh.hist"
check 'no link is read' 1 'Failed to import .*link-sh.hist: Too many levels.*pipe-sh.hist: Invalid argument.*0 histories' \
        timeout 20 "$ctl" import --state="$work/state" --directory="$languages" "$host"
rm "$host"/history/{link,pipe}-sh.hist

if [[ $(id -u) -eq 0 ]]; then
        rm -rf "$work/state"
        install -d -m 0700 -o 65534 -g 65534 "$work/state"
        # What its owner put there leads root nowhere.
        echo precious >"$work/precious"
        ln -s "$work/precious" "$work/state/.new-#my-channel@c++.hist"
        ln -s "$work/precious" "$work/state/joe@cobol.hist"
        check 'no link is followed' 1 'Failed to import .*joe-cobol.hist: Too many levels' import "$host"
        check 'what a link leads to' 0 '^precious $' cat "$work/precious"
        rm "$work/state"/.new-* "$work/state/joe@cobol.hist"
        check 'imported for another' 0 'taken over' import "$host"
        check 'it is his' 0 '^65534 65534 600 65534 65534 600 $' stat -c '%u %g %a' "$work/state/#my-channel@c++.hist" \
                "$work/state/joe@cobol.hist"
        check 'the configuration is root'"'"'s' 0 '^0 0 644 $' stat -c '%u %g %a' "$PBOTVM_CONFIG"
fi

rm -rf "$work/state"/* "$PBOTVM_CONFIG"*
sed -i 's/5556/"x"/' "$host/config/vm-exec.json"
check 'a mistake stops it' 1 'vm-exec.json:3: machines.pbot-vm.health: expected a port number' import "$host"
check 'before anything is written' 0 '^$' nothing
check 'no such folder' 1 'There is no config/vm-exec.json and no history in /nonexistent: expected' import /nonexistent
check 'no folder' 2 'import: which one\?' import
exit $failed
