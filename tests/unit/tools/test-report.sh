#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# What tests/lib/report.sh makes of failures, with a meson that says what it is told. Usage: test-report.sh SOURCE

set -u
source=$1
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
failed=0
mkdir -p "$work/bin" "$work/build/meson-info" "$work/build/meson-logs"
cat >"$work/build/meson-logs/testlog.txt" <<'END'
==================================== 1/4 =====================================
test:         pbotvm:unit / well
[  ERROR   ] --- what another test says
==================================== 2/4 =====================================
test:         pbotvm:unit / bad
[       OK ] test_one
[  ERROR   ] --- 1 != 2
END

# The whole suite: one that is well, one that failed, two that ran out of time. Alone everything is well but "late".
cat >"$work/bin/meson" <<'END'
#!/bin/sh
case "$*" in
*--suite*) printf '%s\n' '1/4 pbotvm:unit / well OK 0.1s' '2/4 pbotvm:unit / bad FAIL 0.2s exit status 1' \
        '3/4 pbotvm:unit / slow TIMEOUT 30.0s' '4/4 pbotvm:unit / late TIMEOUT 30.0s' 'Ok: 1' ;;
*' late') exit 1 ;;
esac
END
chmod +x "$work/bin/meson"

report() { # SANITIZER [VARIABLE]
        echo "[{\"name\": \"b_sanitize\", \"value\": \"$1\"}]" >"$work/build/meson-info/intro-buildoptions.json"
        env -u PBOTVM_FULL PATH="$work/bin:$PATH" ${2+"$2"} bash -c '. "$1/tests/lib/report.sh"
                report_begin "$2/logs"; collect_meson unit "$2/build"; report_end' - "$source" "$work"
}

check() { # WHAT PATTERN: in what was said
        if grep -qE -- "$2" "$work/said"; then
                echo "ok $1"
        else
                echo "FAILED $1: no '$2' in:"
                cat "$work/said"
                failed=1
        fi
}

report none >"$work/said"
check 'a good test' '^ok unit/well 0\.1$'
check 'a failure is one' '^FAIL unit/bad 0\.2: FAIL'
check 'what it said of itself is told' '^FAIL unit/bad 0\.2: FAIL: \[ ERROR \] --- 1 != 2 see '
check 'a late one is tried again' '^ok unit/slow 30\.0 \(at the second try, alone\)$'
check 'a late one that fails again' '^FAIL unit/late 30\.0: TIMEOUT'
check 'how many are told' '^1 at the second try$'
check 'the count' '^2 passed, 2 failed$'

report address,undefined >"$work/said"
check 'nothing is tried again under a sanitizer' '^FAIL unit/slow 30\.0: TIMEOUT'
check 'the count under a sanitizer' '^1 passed, 3 failed$'

report none PBOTVM_FULL=1 >"$work/said"
check 'at the full scale a second try is a failure' '^FAIL unit/slow 30\.0 \(at the second try'
check 'the count at the full scale' '^1 passed, 3 failed$'

# Two that run beside what follows, one of which says nothing.
bash -c '. "$1/tests/lib/report.sh"
        talks() { sleep 0.2; echo "ok talks/a 1.0"; echo "    a figure"; echo "FAIL talks/b 1.0: no"; return 1; }
        dumb() { echo boom >&2; return 3; }
        report_begin "$2/logs"; beside talks talks; beside dumb dumb; echo between
        collect_beside talks; collect_beside dumb; report_end' - "$source" "$work" >"$work/said"
check 'what is beside does not hold up' '^between$'
[ "$(sed -n 2p "$work/said")" = between ] || { echo 'FAILED: it was waited for'; failed=1; }
check 'its lines are told' '^ok talks/a 1\.0$'
check 'its figures are told' '^    a figure$'
check 'its failures count' '^1 passed, 2 failed$'
check 'one that says nothing failed' '^FAIL dumb .*status 3 after 0 tests: boom'
exit $failed
