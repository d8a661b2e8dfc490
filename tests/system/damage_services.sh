#!/usr/bin/env bash
# damage_services.sh BIN - a damaged database never becomes a service that serves fewer records.
#
# A good home is stopped cleanly and copied; in each copy one service's files are damaged, then the real
# services are started. Allowed is: the damaged one ends (exit code 1 or 3) and its last line names a
# status; or it serves, and then it has no fewer records than before and `frontdoor verify` holds.
# At the end two restores from a backup, anchor and all: one that heals itself and one that must not.
set -euo pipefail
bin=$(cd "$1" && pwd)
name=damage
. "$(dirname "$0")/home.sh"
wrong=0

# Waits until a service has said that it serves, or has ended (then its exit code is in `code`).
settled() { # SERVICE
        local tries
        code=
        for tries in $(seq 100); do
                if ! is_running "$1"; then
                        ended "$1"
                        return
                fi
                grep -q '"event":"started"' "$work/$1.log" && return
                sleep 0.05
        done
        fail "$1 neither serves nor ends"
}

last_status() { # SERVICE
        sed -n 's/.*"status":"\([A-Z_]*\)","text":"\(.*\)"}$/\1 (\2)/p' "$work/$1.log" | tail -n 1
}

stop_all() {
        local service
        for service in "${!pid[@]}"; do
                if is_running "$service"; then
                        kill -TERM "${pid[$service]}"
                fi
                wait "${pid[$service]}" || true
                unset "pid[$service]"
        done
}

# A copy of the good home at $work/case, with sockets of its own.
case_make() {
        rm -rf "$work/case"
        cp -a "$work/good" "$work/case"
        sed -i "s#$work/good/#$work/case/#" "$work/case/peers.yaml"
        rm -f "$work"/*.log
}

newest() { # FOLDER ENDING
        find "$1" -maxdepth 1 -name "*$2" -size +0 | sort | tail -n 1
}

oldest_but_newest() { # FOLDER ENDING
        find "$1" -maxdepth 1 -name "*$2" -size +0 | sort | sed '$d' | head -n 1
}

largest() { # FOLDER ENDING
        find "$1" -maxdepth 1 -name "*$2" -printf '%s %p\n' | sort -n | tail -n 1 | cut -d' ' -f2-
}

middle_of() { # FILE
        echo $(($(stat -c %s "$1") / 2))
}

byte_flip() { # FILE
        python3 - "$1" <<'PYTHON'
import os, sys
with open(sys.argv[1], "r+b") as f:
    at = os.path.getsize(sys.argv[1]) // 2
    f.seek(at)
    was = f.read(1)
    f.seek(at)
    f.write(bytes([was[0] ^ 0x40]))
PYTHON
}

# False: these files do not exist in this home.
damage() { # SERVICE WHAT
        local folder=$work/case/state/db/$1 file
        case $2 in
        wal-tail-cut)
                file=$(newest "$folder" .log)
                truncate -s -20 "$file"
                ;;
        wal-byte-flipped)
                byte_flip "$(newest "$folder" .log)"
                ;;
        wal-4k-zeroed)
                file=$(newest "$folder" .log)
                dd if=/dev/zero of="$file" bs=1 seek="$(middle_of "$file")" count=4096 conv=notrunc status=none
                ;;
        wal-newest-deleted)
                rm "$(newest "$folder" .log)"
                ;;
        wal-older-deleted)
                file=$(oldest_but_newest "$folder" .log)
                [ -n "$file" ] || return 1
                rm "$file"
                ;;
        old-copy)
                rm -rf "$folder"
                cp -a "$work/old/state/db/$1" "$folder"
                ;;
        sst-byte-flipped)
                file=$(largest "$folder" .sst)
                [ -n "$file" ] || return 1
                byte_flip "$file"
                ;;
        anchor-deleted)
                rm "$work/case/state/anchors/$1"
                ;;
        folder-deleted)
                rm -rf "$folder"
                ;;
        esac
}

say() { # SERVICE WHAT OUTCOME
        printf '%-14s %-20s %s\n' "$1" "$2" "$3"
}

judge() { # SERVICE WHAT
        local service fewer
        settled "$1"
        if [ -n "$code" ]; then
                case "$code $(last_status "$1")" in
                [13]' OK'* | [13]' ') ;;
                [13]' '*)
                        say "$1" "$2" "refused, exit code $code: $(last_status "$1")"
                        return
                        ;;
                esac
                say "$1" "$2" "WRONG: exit code $code: $(last_status "$1")"
                wrong=$((wrong + 1))
                return
        fi
        for service in $all; do
                settled "$service"
                if ! is_running "$service"; then
                        say "$1" "$2" "WRONG: serves, and $service does not: $(last_status "$service")"
                        wrong=$((wrong + 1))
                        return
                fi
        done
        drain
        fewer=
        for service in $all; do
                [ "$(head_of "$service")" -ge "${head[$service]}" ] || fewer="$fewer $service"
        done
        if [ -n "$fewer" ]; then
                say "$1" "$2" "WRONG: OK with fewer:$fewer"
                wrong=$((wrong + 1))
        elif ! "$bin/frontdoor" verify >"$work/verify.out" 2>&1; then
                say "$1" "$2" "WRONG: serves, and $(grep -m 1 BROKEN "$work/verify.out" || tail -n 1 "$work/verify.out")"
                wrong=$((wrong + 1))
        else
                say "$1" "$2" "serves, nothing is missing, verify holds"
        fi
}

# The good home, and an old copy of it from before the last twenty referrals.
export FRONTDOOR_HOME=$work/good
mkdir "$FRONTDOOR_HOME"
"$bin/frontdoor" keys init >/dev/null
start $all
up $all
"$bin/frontdoor" policy apply "$top/deploy/config/policy" >/dev/null
head -n 40 "$referrals" >"$work/forty.ndjson"
"$bin/frontdoor" import "$work/forty.ndjson" >/dev/null 2>&1
drain
stop $all
cp -a "$work/good" "$work/old"
start $all
up $all
sed -n '41,60p' "$referrals" >"$work/twenty.ndjson"
"$bin/frontdoor" import --live "$work/twenty.ndjson" >/dev/null 2>&1 # Live: people are told of these.
drain
declare -A head=()
for service in $all; do
        head[$service]=$(head_of "$service")
done
stop $all
"$bin/frontdoor" verify --stopped >"$work/good.out" || fail "the good home does not hold"

export FRONTDOOR_HOME=$work/case
for damaged in $all; do
        for what in wal-tail-cut wal-byte-flipped wal-4k-zeroed wal-newest-deleted wal-older-deleted old-copy \
                sst-byte-flipped anchor-deleted folder-deleted; do
                case_make
                if ! damage "$damaged" "$what"; then
                        say "$damaged" "$what" "(no such file here)"
                        continue
                fi
                start $all
                judge "$damaged" "$what"
                stop_all
        done
done

# The last of the chain restored with its anchor while the others have gone on: it catches up. Only the
# gateway has read of it, and would rightly stop it: its view is taken away, as the runbook says.
case_make
damage notification old-copy
cp -a "$work/old/state/anchors/notification" "$work/case/state/anchors/notification"
"$bin/frontdoor" view rebuild >/dev/null || fail "the view cannot be taken away"
start $all
judge notification restored-with-anchor
stop_all

# Intake restored with its anchor while its readers are ahead: what is gone was promised to the sender, so
# it may not go on. The reader that shows it what it no longer holds stops too; another waits for it.
case_make
damage intake old-copy
cp -a "$work/old/state/anchors/intake" "$work/case/state/anchors/intake"
start $all
ended intake
intake_code=$code
reader=
for tries in $(seq 50); do
        for service in deduplication notification gateway; do
                last_status "$service" | grep -q '^UPSTREAM_REGRESSED' && reader=$service
        done
        [ -n "$reader" ] && break
        sleep 0.1
done
[ -z "$reader" ] || ended "$reader"
if [ -n "$reader" ] && [ "$intake_code $code" = '3 3' ] && last_status intake | grep -q '^LOG_REGRESSED'; then
        say intake restored-with-anchor "both refused: $(last_status intake), $(last_status "$reader")"
else
        say intake restored-with-anchor "WRONG: $intake_code $(last_status intake), reader '$reader' $code"
        wrong=$((wrong + 1))
fi
[ "$wrong" = 0 ] || fail "$wrong of these should not be"
echo "damage: nothing was served with fewer records than before"
