# SPDX-License-Identifier: LGPL-2.1-or-later
# Steps with their time, for sourcing. LOG is the file that takes what the commands of a step say.

STEP=0
STEPS=${STEPS:-0}
BEGAN=$(date +%s%N)

# seconds_since NANOSECONDS: as 12.3
seconds_since() {
        local tenths=$((($(date +%s%N) - $1) / 100000000))
        printf '%d.%d' $((tenths / 10)) $((tenths % 10))
}

# give_up WHAT HINT: what failed, the last words of the log, and what to do.
give_up() {
        printf '\nfailed: %s\n' "$1"
        if [ -s "$LOG" ]; then
                printf '\nthe last lines of %s:\n' "$LOG"
                tail -n 15 "$LOG" | sed 's/^/    /'
        fi
        printf '\nwhat to do: %s\n' "$2"
        exit 1
} >&2

# step TITLE HINT COMMAND...: runs a command or function in a shell of its own, where the first failure ends it.
# The last line that it prints is shown; all that it says as errors goes into the log.
step() {
        local title=$1 hint=$2 note began job said
        shift 2
        STEP=$((STEP + 1))
        printf '[%2d/%d] %-46s' "$STEP" "$STEPS" "$title"
        printf '\n=== %s\n' "$title" >>"$LOG"
        said=$(mktemp)
        began=$(date +%s%N)

        # Not in a condition: there the shell would go on after a failure.
        (set -e; "$@") >"$said" 2>>"$LOG" &
        job=$!
        if wait "$job"; then
                note=$(tail -n 1 "$said")
                rm -f "$said"
                printf '%6s s  %s\n' "$(seconds_since "$began")" "${note:0:90}"
        else
                cat "$said" >>"$LOG"
                rm -f "$said"
                printf '%6s s  FAILED\n' "$(seconds_since "$began")"
                give_up "$title" "$hint"
        fi
}
