# home.sh - a home of its own with the real services in it, for the scripts of this folder.
#
# To be read with `.` after `bin` and `name` are set. The services are started here one by one, not by
# the supervisor: what is looked at is how each of them ends. No metrics port: scripts may run side by
# side. Whatever happens, the script's end ends what it started and removes what it made.
FRONTDOOR_HOME=$(mktemp -d "${TMPDIR:-/tmp}/$name.XXXXXX")
export FRONTDOOR_HOME
top=$(cd "$(dirname "$0")/../.." && pwd)
referrals=$top/tests/data/referrals_2k/referrals.ndjson
work=$FRONTDOOR_HOME # What finish removes, also after FRONTDOOR_HOME has been turned elsewhere.
declare -A pid=()
all="intake deduplication triage allocation notification gateway" # In the order of their logs.

finish() {
        local service
        for service in "${!pid[@]}"; do
                kill -TERM "${pid[$service]}" 2>/dev/null && wait "${pid[$service]}" 2>/dev/null
        done
        rm -rf "$work"
}
trap finish EXIT

fail() {
        echo "$name: $*" >&2
        tail -n 20 "$work"/*.log >&2 2>/dev/null || true
        exit 1
}

start() { # SERVICE…
        local service
        for service in "$@"; do
                "$bin/frontdoor-$service" --home "$FRONTDOOR_HOME" --disk-floor 1048576 \
                        >>"$work/$service.log" 2>&1 &
                pid[$service]=$!
        done
}

is_running() {
        [ -n "${pid[$1]:-}" ] && kill -0 "${pid[$1]}" 2>/dev/null
}

# Waits for a service that has ended, or is to end within five seconds; its exit code in `code`.
ended() { # SERVICE
        local tries
        code=none
        for tries in $(seq 50); do
                if ! is_running "$1"; then
                        code=0
                        wait "${pid[$1]}" || code=$?
                        unset "pid[$1]"
                        return
                fi
                sleep 0.1
        done
}

stop() { # SERVICE…
        local service code
        for service in "$@"; do
                kill -TERM "${pid[$service]}"
        done
        for service in "$@"; do
                code=0
                wait "${pid[$service]}" || code=$?
                unset "pid[$service]"
                [ "$code" = 0 ] || fail "$service did not stop cleanly: $code"
        done
}

# The head of one service's log; nothing when it gives no answer.
head_of() { # SERVICE
        "$bin/frontdoor" status --json 2>/dev/null |
                sed -n 's/.*"service":"'"$1"'","state":"[^"]*","head":\([0-9]*\).*/\1/p'
}

up() { # SERVICE…
        local service tries
        for service in "$@"; do
                for tries in $(seq 30); do
                        [ -n "$(head_of "$service")" ] && continue 2
                        is_running "$service" || fail "$service ended"
                        sleep 0.1
                done
                fail "$service did not come up"
        done
}

drain() {
        "$bin/frontdoor" status --wait 60 >/dev/null || fail "matching did not catch up"
}
