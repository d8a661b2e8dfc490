#!/usr/bin/env bash
# disposition.sh BIN - where a referral is: the page and the auditor say the same.
#
# Goal: what `show` prints of a referral is what its causes make of it. Method: a county with history, live
# referrals and staff who work on them; the auditor derives each referral's place from the logs with a decoder
# of its own, and a hundred drawn at random are looked up in the view. Seed: $SEED, else the time.
set -euo pipefail
bin=$(cd "$1" && pwd)
name=disposition
. "$(dirname "$0")/home.sh"

"$bin/frontdoor" keys init >/dev/null
start $all
up $all
"$bin/frontdoor" policy apply "$top/deploy/config/policy" >/dev/null
"$top/deploy/training-county" "$referrals" "$work/training" >/dev/null
tail -n 700 "$work/training/history.ndjson" >"$work/history.ndjson"
"$bin/frontdoor" import "$work/history.ndjson" >/dev/null 2>&1
drain
sleep 12 # Replayed work that was idle closes ten seconds after the import: not between two looks of ours.
"$bin/frontdoor" import --live "$work/training/live.ndjson" >/dev/null 2>&1
drain
FRONTDOOR_BIN=$bin "$top/deploy/staff" --seconds 4 >/dev/null # Not to the end: some must still wait.
sed -n '1141,1180s/"referral_id": "R/"referral_id": "L/p' "$work/training/history.ndjson" >"$work/more.ndjson"
"$bin/frontdoor" import --live "$work/more.ndjson" >/dev/null 2>&1
drain
"$bin/frontdoor" verify --dispositions "$work/places.csv" >"$work/verify.out" || fail "verify: $(cat "$work/verify.out")"
python3 - "$bin/frontdoor" "$work/places.csv" "${SEED:-$(date +%s)}" <<'PYTHON' || fail "the page and the auditor differ"
import collections, json, random, subprocess, sys
places = dict(line.strip().split(",") for line in open(sys.argv[2]))
random.seed(int(sys.argv[3]))
wrong, seen = 0, collections.Counter()
for referral in random.sample(sorted(places), 100):
    shown = json.loads(subprocess.run([sys.argv[1], "show", referral, "--json"], capture_output=True, check=True).stdout)
    page = shown["disposition"].removeprefix("DISPOSITION_")
    seen[places[referral]] += 1
    if page != places[referral]:
        wrong += 1
        print(f"{referral}: the page says {page}, the auditor {places[referral]}", file=sys.stderr)
print(f"disposition: 100 of {len(places)} looked up (seed {sys.argv[3]}):", dict(seen))
sys.exit(wrong > 0 or len(seen) < 3)
PYTHON
stop $all
