#!/usr/bin/env bash
# parked.sh BIN - a referral that kills matching is set aside, seen, and matched after all.
#
# Deduplication is built once more with places to die at and dies whenever it decides, as it would of
# an input that makes it abort. The healthy program that starts next must put that one referral
# aside and go on; an operator sees it, asks for it, and it is matched.
set -euo pipefail
bin=$(cd "$1" && pwd)
name=parked
. "$(dirname "$0")/home.sh"

"$bin/frontdoor" keys init >/dev/null
start $all
up $all
"$bin/frontdoor" policy apply "$top/deploy/config/policy" >/dev/null
head -n 5 "$referrals" >"$work/five.ndjson"
"$bin/frontdoor" import "$work/five.ndjson" >/dev/null 2>&1
drain
"$bin/frontdoor" parked deduplication | grep -q '^nothing is parked' || fail "something is parked in a healthy county"
stop deduplication

# The sixth referral kills whoever decides about it; the seventh to tenth are innocent.
sed -n '6,10p' "$referrals" >"$work/more.ndjson"
"$bin/frontdoor" import "$work/more.ndjson" >/dev/null 2>&1
for _ in $(seq 7); do
        # In a shell of its own, so that nobody reads "Killed" seven times.
        (FRONTDOOR_DIE_AT=decided:1 timeout 20 "$bin/crash-deduplication" --home "$FRONTDOOR_HOME" \
                --disk-floor 1048576 >>"$work/deduplication.log" 2>&1 || exit 9) 2>/dev/null && fail "it did not die"
done
start deduplication
up deduplication
drain
grep -q 'a record was parked' "$work/deduplication.log" || fail "nobody was told that a record was parked"
"$bin/frontdoor" parked deduplication >"$work/parked.txt"
[ "$(grep -c '^1/7 DECIDE parked .* about R-' "$work/parked.txt")" = 1 ] && [ "$(wc -l <"$work/parked.txt")" = 1 ] ||
        fail "not the one referral is parked: $(cat "$work/parked.txt")"
"$bin/frontdoor" status | grep -q '^deduplication .* parked 1 ' || fail "status does not count it"
"$bin/frontdoor" verify >"$work/verify.out" || fail "verify does not hold with a parked record: $(cat "$work/verify.out")"

"$bin/frontdoor" parked deduplication --release >"$work/released.txt" || fail "not released: $(cat "$work/released.txt")"
grep -q ': released$' "$work/released.txt" || fail "nothing was released: $(cat "$work/released.txt")"
"$bin/frontdoor" parked deduplication | grep -q '^nothing is parked' || fail "it is still parked"
"$bin/frontdoor" export families --out "$work/families.csv" 2>/dev/null
[ "$(wc -l <"$work/families.csv")" = 11 ] || fail "not every referral has a family: $(wc -l <"$work/families.csv")"
"$bin/frontdoor" verify >"$work/verify.out" || fail "verify does not hold: $(cat "$work/verify.out")"

# An earlier policy can be made the active one again.
mkdir "$work/policy"
cp "$top"/deploy/config/policy/* "$top/deploy/config/frontdoor.yaml" "$work/policy/"
sed 's/rate_per_minute: .*/rate_per_minute: 4321/' "$top/deploy/config/policy/agencies.yaml" >"$work/policy/agencies.yaml"
cmp -s "$work/policy/agencies.yaml" "$top/deploy/config/policy/agencies.yaml" && fail "the second policy is the first"
first=$("$bin/frontdoor" status | sed -n 's/^intake .* policy //p')
"$bin/frontdoor" policy apply "$work/policy" >/dev/null
second=$("$bin/frontdoor" status | sed -n 's/^intake .* policy //p')
head_before=$(head_of intake)
"$bin/frontdoor" policy apply "$work/policy" >/dev/null
[ "$(head_of intake)" = "$head_before" ] || fail "the same policy left a second record"
"$bin/frontdoor" policy apply "$top/deploy/config/policy" >/dev/null
third=$("$bin/frontdoor" status | sed -n 's/^intake .* policy //p')
[ "$first" = "$third" ] && [ "$first" != "$second" ] || fail "policies $first, $second, $third"
stop $all
"$bin/frontdoor" verify --stopped >/dev/null || fail "verify, stopped"
echo "parked: set aside, seen, released and matched; an earlier policy came back"
