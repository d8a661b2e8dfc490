#!/usr/bin/env bash
# county.sh BIN - the real programs, the training county, and what the evaluators make of it.
#
# Brings the services up in a home of its own, imports 2,000 referrals twice (the second time must
# change nothing), exports, verifies running and stopped, and stops. Floors of recognition are set
# under what was measured, so that a change that makes it worse is noticed.
set -euo pipefail
bin=$(cd "$1" && pwd)
top=$(cd "$(dirname "$0")/../.." && pwd)
data=$top/tests/data/referrals_2k
FRONTDOOR_HOME=$(mktemp -d "${TMPDIR:-/tmp}/county.XXXXXX")
export FRONTDOOR_HOME
supervisor=

finish() {
        [ -n "$supervisor" ] && kill -TERM "$supervisor" 2>/dev/null && wait "$supervisor" 2>/dev/null
        rm -rf "$FRONTDOOR_HOME"
}
trap finish EXIT

fail() {
        echo "county: $*" >&2
        tail -n 20 "$FRONTDOOR_HOME/services.log" >&2 || true
        exit 1
}

start() {
        "$bin/frontdoor" run --disk-floor 1048576 --metrics-from 0 >>"$FRONTDOOR_HOME/services.log" 2>&1 &
        supervisor=$!
        for _ in $(seq 100); do
                "$bin/frontdoor" status >/dev/null 2>&1 && return
                sleep 0.1
        done
        fail "the services did not come up"
}

stop() {
        kill -TERM "$supervisor"
        wait "$supervisor" || fail "the supervisor did not stop cleanly"
        supervisor=
}

drain() {
        "$bin/frontdoor" status --wait 60 >/dev/null || fail "matching did not catch up"
}

"$bin/frontdoor" keys init >/dev/null
start
"$bin/frontdoor" policy apply "$top/deploy/config/policy"
"$bin/frontdoor" import "$data/referrals.ndjson" 2>/dev/null | grep -q '2000 received' || fail "not all received"
"$bin/frontdoor" import "$data/referrals.ndjson" 2>/dev/null | grep -q '2000 received' || fail "not all received again"
# A few as if they arrived now, under keys of their own: people are told of these.
tail -n 20 "$data/referrals.ndjson" | sed 's/"referral_id":"R/"referral_id":"L/' >"$FRONTDOOR_HOME/live.ndjson"
drain
"$bin/frontdoor" verify || fail "verify, running"
for what in people families decisions; do
        "$bin/frontdoor" export "$what" --out "$FRONTDOOR_HOME/$what.csv" 2>/dev/null
done
[ "$(wc -l <"$FRONTDOOR_HOME/families.csv")" = 2001 ] || fail "a referral is missing or doubled"
python3 "$top/tests/system/recognition.py" "$data" "$FRONTDOOR_HOME" || fail "recognition is worse than its floor"
"$bin/frontdoor" import --live "$FRONTDOOR_HOME/live.ndjson" 2>/dev/null | grep -q '20 received' || fail "not all received live"
drain
for _ in $(seq 100); do
        [ -n "$(ls "$FRONTDOOR_HOME/outbox" 2>/dev/null)" ] && break
        sleep 0.1
done
[ -n "$(ls "$FRONTDOOR_HOME/outbox" 2>/dev/null)" ] || fail "nobody was told of twenty live referrals"
"$bin/frontdoor" verify || fail "verify, running, with live referrals"

# Nothing of anybody may stand in what operators read.
names=$(python3 -c '
import json, sys
words = set()
for line in open(sys.argv[1]):
    for p in json.loads(line)["people"]:
        words.update(w for w in (p["surname"], p.get("nhs_number", "")) if len(w) > 6)
print("\n".join(sorted(words)))' "$data/referrals.ndjson")
for service in intake deduplication triage allocation notification; do
        "$bin/frontdoor" log "$service"
done >"$FRONTDOOR_HOME/masked.txt"
if grep -rqwFf <(echo "$names") "$FRONTDOOR_HOME/masked.txt" "$FRONTDOOR_HOME/services.log" "$FRONTDOOR_HOME/outbox"; then
        fail "personal data in a log line or a message"
fi
stop
"$bin/frontdoor" verify --stopped || fail "verify, stopped"
echo "county: 2,000 referrals in, each matched once, verified running and stopped"
