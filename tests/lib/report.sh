# SPDX-License-Identifier: LGPL-2.1-or-later
# Lines "ok NAME SECONDS" and "FAIL NAME SECONDS: WHY", and their count, for sourcing.

PASSED=0
FAILED=0
AGAIN=0
FAILURES=()

# report_begin DIR: where what the tests say is kept.
report_begin() {
        LOGS=$1
        rm -rf "$LOGS"
        mkdir -p "$LOGS" || exit 1
        printf 'logs: %s\n' "$LOGS"
}

tenths() { printf '%d.%d' $(($1 / 1000)) $(($1 / 100 % 10)); }
milliseconds() { echo $(($(date +%s%N) / 1000000)); }

# count LINE: prints and counts one line of a test. At the full scale one that passed at its second try did not.
count() {
        local line=$1
        case $line in
        ok\ *'(at the second try'*)
                AGAIN=$((AGAIN + 1))
                [ -z "${PBOTVM_FULL:-}" ] || line="FAIL ${line#ok }"
                ;;
        esac
        set -- "$line"
        printf '%s\n' "$1"
        case $1 in
        ok\ *) PASSED=$((PASSED + 1)) ;;
        *) FAILED=$((FAILED + 1)); FAILURES+=("$1") ;;
        esac
}

# check NAME COMMAND...: one test, which passes if the command does.
check() {
        local name=$1 began log status why
        shift
        log=$LOGS/${name//\//-}.log
        began=$(milliseconds)
        "$@" >"$log" 2>&1 </dev/null
        status=$?
        if [ "$status" -eq 0 ]; then
                count "ok $name $(tenths $(($(milliseconds) - began)))"
                # What a benchmark measured is its result.
                case $name in bench/*) sed 's/^/    /' "$log" ;; esac
                return 0
        fi
        why=$(grep -v '^$' "$log" | tail -n 3 | tr '\n' '|' | cut -c1-400)
        count "FAIL $name $(tenths $(($(milliseconds) - began))): status $status: $why"
        return 1
}

# collect NAME COMMAND...: a command that prints such lines itself.
collect() {
        local name began log line lines=0 bad=0 status
        name=$(basename "$1" | sed 's/\.[a-z]*$//')
        shift
        log=$LOGS/$name.log
        began=$(milliseconds)
        while IFS= read -r line; do
                case $line in
                'ok '*) lines=$((lines + 1)); count "$line" ;;
                'FAIL '*) lines=$((lines + 1)); bad=1; count "$line" ;;
                '    '*) printf '%s\n' "$line" ;; # figures
                esac
        done < <("$@" 2>"$log.err" </dev/null | tee "$log"; echo "status ${PIPESTATUS[0]}" >"$log.status")
        # The writer of the status may end after the reader.
        for _ in 1 2 3 4 5 6 7 8 9 10; do [ -s "$log.status" ] && break; sleep 0.1; done
        status=$(cut -d' ' -f2 "$log.status")
        if [ "$lines" -eq 0 ] || { [ "$status" != 0 ] && [ "$bad" -eq 0 ]; }; then
                count "FAIL $name $(tenths $(($(milliseconds) - began))): status $status after $lines tests: $(tail -n 2 "$log.err" | tr '\n' '|' | cut -c1-300)"
        fi
}

# beside NAME COMMAND...: what collect runs, begun now and left to itself; collect_beside NAME waits for it and counts.
declare -A BESIDE=()
beside() {
        local name=$1
        shift
        "$@" >"$LOGS/$name.beside" 2>"$LOGS/$name.beside.err" </dev/null &
        BESIDE[$name]=$!
}

told() { # NAME STATUS
        cat "$LOGS/$1.beside"
        cat "$LOGS/$1.beside.err" >&2
        return "$2"
}

collect_beside() {
        local status
        wait "${BESIDE[$1]}"
        status=$?
        collect "$1" told "$1" "$status"
}

# is_sanitized BUILD: made with a sanitizer, where a race shows as something that happens now and then.
is_sanitized() {
        python3 -c 'import json, sys
options = json.load(open(sys.argv[1] + "/meson-info/intro-buildoptions.json"))
sys.exit(not any(o["name"] == "b_sanitize" and o["value"] not in ("none", [], ["none"]) for o in options))' "$1"
}

# first_errors LOG TEST: what a unit test said of its failure, in a line.
first_errors() {
        awk -v test="$2" '/^=+ [0-9]+\/[0-9]+ =+$/ { mine = 0 } /^test: / { mine = $NF == test }
                mine && /ERROR|LINE   |runtime error:|Assertion|SUMMARY:/' "$1" | head -n 4 | tr -s '[:space:]' ' ' | cut -c1-500
}

# collect_meson NAME BUILD: the unit tests of a build, a line each. One that ran out of time beside others is tried once
# more alone, since the machine may have been too busy, and both are told; any other failure is one.
collect_meson() {
        local name=$1 build=$2 began test result seconds
        began=$(milliseconds)
        # What libcrypto allocates for a thread of libvirt's is not always let go of before the process ends.
        echo 'leak:libcrypto.so' >"$LOGS/lsan.supp"
        # Most of them wait most of the time.
        LSAN_OPTIONS="suppressions=$LOGS/lsan.supp:print_suppressions=0" \
        meson test -C "$build" --suite unit --no-rebuild --timeout-multiplier 4 --num-processes $(($(nproc) * 2)) >"$LOGS/meson-$name.log" 2>&1 </dev/null
        cp "$build/meson-logs/testlog.txt" "$LOGS/testlog-$name.txt"
        while read -r test result seconds; do
                if [ "$result" = OK ]; then
                        count "ok $name/$test $seconds"
                elif [ "$result" = TIMEOUT ] && ! is_sanitized "$build" &&
                        meson test -C "$build" --no-rebuild --timeout-multiplier 4 "$test" >"$LOGS/again-$name-${test//\//-}.log" 2>&1 </dev/null; then
                        count "ok $name/$test $seconds (at the second try, alone)"
                else
                        count "FAIL $name/$test $seconds: $result: $(first_errors "$LOGS/testlog-$name.txt" "$test")see $LOGS/testlog-$name.txt"
                fi
        done < <(sed -nE 's|^ *[0-9]+/[0-9]+ +(pbotvm:[^ ]+ / )?([^ ]+) +([A-Z]+) +([0-9.]+)s.*|\2 \3 \4|p' "$LOGS/meson-$name.log")
        grep -q '^Ok: ' "$LOGS/meson-$name.log" ||
                count "FAIL $name $(tenths $(($(milliseconds) - began))): meson test ended early: $(tail -n 2 "$LOGS/meson-$name.log" | tr '\n' '|')"
}

# report_end: the failures once more, the count, and the end.
report_end() {
        if [ "$FAILED" -gt 0 ]; then
                printf '\nfailed:\n'
                printf '    %s\n' "${FAILURES[@]}"
        fi
        [ "$AGAIN" -eq 0 ] || printf '\n%s at the second try\n' "$AGAIN"
        printf '\nafter %s s\n%s passed, %s failed\n' "$SECONDS" "$PASSED" "$FAILED"
        [ "$FAILED" -eq 0 ]
        exit
}
