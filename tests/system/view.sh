#!/usr/bin/env bash
# view.sh BIN - the gateway's view in a running system: it sums up, survives a kill, and is made again.
#
# Goal: every referral received is accounted for; a gateway killed in the middle goes on where it stood;
# taken away by `view rebuild`, which a running gateway refuses, it is made again from the logs. Method:
# 200 referrals arrive, one is decided; stats and the whole queue before and after are the same bytes.
set -euo pipefail
bin=$(cd "$1" && pwd)
name=view
. "$(dirname "$0")/home.sh"

ask() { "$bin/frontdoor" "$@" || fail "frontdoor $*"; }

"$bin/frontdoor" keys init >/dev/null
start $all
up $all
"$bin/frontdoor" policy apply "$top/deploy/config/policy" >/dev/null
ask queue | grep -q '^nothing waits' || fail "an empty county has a queue"
head -n 200 "$referrals" >"$work/some.ndjson"
"$bin/frontdoor" import --live "$work/some.ndjson" >/dev/null 2>&1
kill -9 "${pid[gateway]}" # In the middle of it.
wait "${pid[gateway]}" 2>/dev/null || true
start gateway
up gateway
drain
ask stats | grep -q '^referrals received *200$' || fail "not all are counted: $(ask stats)"
ask stats | grep -q '^every referral is accounted for' || fail "the sum does not balance: $(ask stats)"

# The first of the queue is decided: it leaves the queue, and its story says so.
first=$(ask queue --rows 1 --json | sed -n 's/.*"episode":"\(E-[^"]*\)".*/\1/p')
version=$(ask show "$first" --json | sed -n 's/.*"version":\([0-9]*\).*/\1/p')
ask take "$first" --as jo --role manager >/dev/null
ask queue --rows 1 | grep -q 'taken by training/manager/jo' || fail "nobody sees that it is taken"
ask decide "$first" --level 4 --next-step section-47 --reason seen --version "$version" --as jo --role manager >/dev/null
drain
ask queue --all --json >"$work/queue.json"
grep -qF "\"$first\"" "$work/queue.json" && fail "what is decided is still queued"
ask show "$first" | grep -q 'threshold decision by training/manager/jo' || fail "the story lacks the decision"
ask stats --json >"$work/stats.json"

# A referral's way, without a name; with names it is recorded at intake.
referral=$(ask show "$first" --json | sed -n 's/.*"referral":"\(R-[^"]*\)".*/\1/p')
ask show "$referral" >"$work/way.txt"
grep -q "family F-" "$work/way.txt" && grep -qF "$first" "$work/way.txt" || fail "its way is not told: $(cat "$work/way.txt")"
before=$(head_of intake)
ask show "$referral" --names --purpose screening | grep -q 'child the worry is about' || fail "no names"
[ "$(head_of intake)" = $((before + 1)) ] || fail "who looked at the names is not recorded"
"$bin/frontdoor" show R-00000000000000000 2>/dev/null && fail "a referral that is none is shown"
drain

# Wide lines wrap nowhere: what people read fits 80 columns.
for page in queue look stats lag loads told "review list" "top --once" "show $first" "show $referral"; do
        # shellcheck disable=SC2086  # arguments on purpose
        ask $page >"$work/page.txt"
        LC_ALL=C.UTF-8 awk 'length($0) > 80 { exit 1 }' "$work/page.txt" || fail "$page has wider lines: $(cat "$work/page.txt")"
        ask $page --json | python3 -c 'import json, sys; json.load(sys.stdin)' || fail "$page --json is no JSON"
done

# Refused while it runs; taken away and made again, row for row.
ask stats --json >"$work/stats.json"
"$bin/frontdoor" view rebuild 2>/dev/null && fail "a running gateway's view was taken away"
stop gateway
ask view rebuild >/dev/null
start gateway
up gateway
drain
ask stats --json | cmp -s - "$work/stats.json" || fail "made again it counts otherwise: $(ask stats)"
ask queue --all --json | cmp -s - "$work/queue.json" || fail "made again the queue is another"
"$bin/frontdoor" verify >"$work/verify.out" || fail "verify: $(cat "$work/verify.out")"
grep -q '^gateway .*is a view' "$work/verify.out" || fail "verify does not say that it passes the view by"
stop $all
"$bin/frontdoor" verify --stopped >/dev/null || fail "verify, stopped"
echo "view: 200 accounted for, killed and made again the same"
