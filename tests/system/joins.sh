#!/usr/bin/env bash
# joins.sh BIN - people say who is who in a running system, and every service follows.
#
# Goal: a review answered, two families joined, parted again, a referral moved: each referral stays in
# exactly one state, the old id leads to where the family is, who has the family is one, and `verify`
# holds. Method: 300 referrals arrive; the acts of a manager by the command; stats after each.
set -euo pipefail
bin=$(cd "$1" && pwd)
name=joins
. "$(dirname "$0")/home.sh"

ask() { "$bin/frontdoor" "$@" || fail "frontdoor $*"; }
by=(--as mo --role manager)

# Every referral in exactly one state, all of the 300.
balanced() {
        drain
        ask stats | grep -q '^every referral is accounted for' || fail "after $1: $(ask stats)"
        ask stats | grep -q '^referrals received *300$' || fail "after $1: $(ask stats)"
}
family_of() { ask show "$1" --json | sed -n 's/.*"family":"\(F-[^"]*\)".*/\1/p' | sed -n 1p; }

"$bin/frontdoor" keys init >/dev/null
start $all
up $all
"$bin/frontdoor" policy apply "$top/deploy/config/policy" >/dev/null
head -n 300 "$referrals" >"$work/some.ndjson"
"$bin/frontdoor" import --live "$work/some.ndjson" >/dev/null 2>&1
balanced "the import"

# ---- a review, answered once
review=$(ask review list --json | grep -o '"review":"V-[^"]*"' | sed -n 1p | cut -d'"' -f4)
[ -n "$review" ] || fail "nobody is asked anything"
ask review show "$review" >"$work/review.txt"
grep -q 'F-' "$work/review.txt" || fail "a review without its families: $(cat "$work/review.txt")"
ask review unsure "$review" --why "asked the school" "${by[@]}" >/dev/null
ask review list | grep -qF "$review" || fail "unsure took a review from the list"
ask review different "$review" --why "two mothers" "${by[@]}" >/dev/null
balanced "an answer"
ask review list | grep -qF "$review" && fail "an answered review is still asked"
"$bin/frontdoor" review same "$review" --why "after all" "${by[@]}" 2>"$work/refused.txt" && fail "it was answered twice"
grep -q . "$work/refused.txt" || fail "a refusal without a word"

# ---- two families are joined
mapfile -t rows < <(ask queue --all --json | grep -o '"episode":"E-[^"]*"' | cut -d'"' -f4 | sed -n 1,4p)
one=$(family_of "${rows[0]}")
two=$(family_of "${rows[1]}")
ask join "$one" "$two" --dry-run >"$work/preview.txt"
grep -qF "${rows[0]}" "$work/preview.txt" && grep -qF "${rows[1]}" "$work/preview.txt" ||
        fail "the preview lacks an episode: $(cat "$work/preview.txt")"
ask show "$one" | grep -q 'joined' && fail "a preview joined them"
join=$(ask join "$one" "$two" --why "one mother" --second pat "${by[@]}" --json | grep -o 'J-[0-9A-Z*~$=]*' | sed -n 1p)
[ -n "$join" ] || fail "a join without an id"
balanced "the join"
ask show "$one" | grep -qF "$two" || fail "the old id leads nowhere: $(ask show "$one")"
ask queue --all --json >"$work/queue.json"
open=$(grep -oF -e "${rows[0]}" -e "${rows[1]}" "$work/queue.json" | sort -u | wc -l)
[ "$open" = 1 ] || fail "$open of the two rows are queued after the join"
"$bin/frontdoor" join "$one" "$two" --why again --second pat "${by[@]}" 2>/dev/null && fail "joined twice"

# ---- and parted
ask undo "$join" --dry-run >"$work/undo.txt"
grep -q 'R-' "$work/undo.txt" || fail "an undoing that names no referral: $(cat "$work/undo.txt")"
ask undo "$join" --why "two mothers" "${by[@]}" >/dev/null
balanced "the undoing"
ask queue --all --json >"$work/queue.json"
grep -qF "${rows[0]}" "$work/queue.json" && grep -qF "${rows[1]}" "$work/queue.json" ||
        fail "parted, and one of the two rows is not queued"
[ "$(family_of "${rows[0]}")" = "$one" ] && [ "$(family_of "${rows[1]}")" = "$two" ] || fail "parted into other families"

# ---- a referral is moved: to a family of its own, and its row with it
three=$(family_of "${rows[2]}")
referral=$(ask show "${rows[2]}" --json | grep -o '"referral":"R-[^"]*"' | sed -n 1p | cut -d'"' -f4)
ask move "$referral" "$three" new --why "not theirs" --second pat "${by[@]}" >/dev/null
balanced "the move"
[ "$(family_of "$referral")" != "$three" ] || fail "it did not move"
"$bin/frontdoor" move "$referral" "$three" new --why again --second pat "${by[@]}" 2>/dev/null && fail "moved from where it is not"

# ---- in a live system nobody speaks for a person by a flag
ask stats --json >"$work/stats.json"
stop gateway
ask view rebuild >/dev/null
start gateway
up gateway
drain
ask stats --json | cmp -s - "$work/stats.json" || fail "made again the view counts otherwise: $(ask stats)"
"$bin/frontdoor" verify >"$work/verify.out" || fail "verify: $(cat "$work/verify.out")"
stop $all
"$bin/frontdoor" verify --stopped >/dev/null || fail "verify, stopped"
echo "joins: answered, joined, parted, moved; 300 accounted for"
