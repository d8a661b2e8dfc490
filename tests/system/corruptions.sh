#!/usr/bin/env bash
# corruptions.sh BIN - whatever is changed in a stopped database, `verify` says so.
#
# One good home; for each line of `corrupt --list` a copy of it with that one thing changed, the rows'
# checksums right. `frontdoor verify --stopped` must say BROKEN (exit code 1: not "holds", not
# "cannot judge", not a crash) and name who found what. Prints the table: corruption, what named it.
set -euo pipefail
bin=$(cd "$1" && pwd)
name=corruptions
. "$(dirname "$0")/home.sh"

# The same referral_id with other words: what intake refuses and keeps.
another_content() {
        sed -n 5p "$referrals" | sed 's/"narrative":"/&Said otherwise the second time. /'
}

# Two homes beside each other: `good` at rest, `ahead` with referrals that have not been matched.
FRONTDOOR_HOME=$work/good
mkdir "$FRONTDOOR_HOME"
"$bin/frontdoor" keys init >/dev/null
start $all
up $all
"$bin/frontdoor" policy apply "$top/deploy/config/policy" >/dev/null
head -n 60 "$referrals" >"$work/sixty.ndjson"
"$bin/frontdoor" import "$work/sixty.ndjson" 2>/dev/null | grep -q ' 60 received' || fail "not all received"
head -n 10 "$referrals" >"$work/ten.ndjson"
"$bin/frontdoor" import --live "$work/ten.ndjson" >"$work/ten.log" 2>/dev/null || true # Other bytes, same referral.
grep -q '10 of them before' "$work/ten.log" || fail "no repeats"
another_content >"$work/other.ndjson"
"$bin/frontdoor" import "$work/other.ndjson" >"$work/other.log" 2>/dev/null || true # 1: it was refused.
grep -q ' 1 refused' "$work/other.log" || fail "other content was not refused"
sed -n '61,65p' "$referrals" >"$work/more.ndjson"
"$bin/frontdoor" import "$work/more.ndjson" >/dev/null 2>&1
drain
stop $all
"$bin/frontdoor" verify --stopped >"$work/good.log" || fail "the good home does not hold"

cp -a "$work/good" "$work/ahead"
FRONTDOOR_HOME=$work/ahead
# Where the sockets are is written in peers.yaml, and the copy's are its own.
sed -i "s#$work/good/#$work/ahead/#" "$work/ahead/peers.yaml"
start intake
up intake
sed -n '66,70p' "$referrals" >"$work/later.ndjson"
"$bin/frontdoor" import "$work/later.ndjson" >/dev/null 2>&1
stop intake
"$bin/frontdoor" verify --stopped >"$work/ahead.log" || fail "the home with unmatched referrals does not hold"

missed=0
count=0
export FRONTDOOR_HOME=$work/copy
while read -r corruption _; do
        from=$work/good
        [ "${corruption#ahead-}" = "$corruption" ] || from=$work/ahead
        rm -rf "$work/copy"
        cp -a "$from" "$work/copy"
        code=0
        "$bin/corrupt" "$work/copy" "$corruption" 2>"$work/corrupt.out" || code=$?
        if [ "$code" = 4 ]; then
                printf '%-42s (this home has no such row)\n' "$corruption"
                continue
        fi
        [ "$code" = 0 ] || fail "$corruption could not be done: $(cat "$work/corrupt.out")"
        count=$((count + 1))
        code=0
        "$bin/frontdoor" verify --stopped >"$work/verify.out" 2>&1 || code=$?
        named=$(grep -m 1 -E '^(auditor: BROKEN|replay: BROKEN|start-up check of)' "$work/verify.out" || true)
        if [ "$code" = 1 ] && [ -n "$named" ]; then
                printf '%-42s %s\n' "$corruption" "$named"
        else
                missed=$((missed + 1))
                printf '%-42s NOT NAMED (exit code %s): %s\n' "$corruption" "$code" "$(tr '\n' ' ' <"$work/verify.out")"
        fi
done < <("$bin/corrupt" --list)
[ "$missed" = 0 ] || fail "$missed of $count corruptions were not named"
echo "corruptions: $count corruptions, each named"
