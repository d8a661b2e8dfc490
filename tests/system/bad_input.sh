#!/usr/bin/env bash
# bad_input.sh BIN - what agencies, files and strangers may send, and nothing comes of it.
#
# With the real services up: bad lines one by one through `import`, garbage written to the bare
# sockets, strangers and huge frames. Afterwards the same two processes serve, good lines are received,
# `frontdoor verify` holds, and the surname that stood in every bad line stands in no log and no message.
set -euo pipefail
bin=$(cd "$1" && pwd)
name=bad_input
. "$(dirname "$0")/home.sh"
canary=Zyxcanaryqw
wrong=0

wrong_about() {
        echo "  WRONG: $*"
        wrong=$((wrong + 1))
}

"$bin/frontdoor" keys init >/dev/null
start $all
up $all
"$bin/frontdoor" policy apply "$top/deploy/config/policy" >/dev/null
processes="${pid[*]}"
mkdir "$work/lines"
python3 "$top/tests/system/bad_lines.py" "$work/lines"
: >"$work/said.txt"
kept=0
refused=0

for file in "$work"/lines/*; do
        line=$(basename "$file")
        code=0
        timeout 30 "$bin/frontdoor" import "$file" >"$work/out" 2>"$work/err" || code=$?
        cat "$work/out" "$work/err" >>"$work/said.txt"
        message=$(grep -m 1 -E '^line [0-9]+: [^:]+: .' "$work/err" || true)
        received=$(sed -n 's/.*: \([0-9]*\) received.*/\1/p' "$work/out")
        [ "$code" -lt 2 ] || wrong_about "$line: import ended with $code: $(tail -n 1 "$work/err")"
        case $line in
        refused-* | any-* | kept-*)
                if [ "$received" = 1 ]; then
                        kept=$((kept + 1))
                        [ "${line#refused-}" = "$line" ] || wrong_about "$line: was received"
                elif [ -n "$message" ]; then
                        refused=$((refused + 1))
                        [ "${line#kept-}" = "$line" ] || wrong_about "$line: $message"
                else
                        wrong_about "$line: not received, and no message says why: $(tail -n 1 "$work/out")"
                fi
                outcome=received
                grep -q '(0 of them before, 1 with warnings)' "$work/out" && outcome='received, with warnings'
                case $line in # Nothing is wrong with these, only rare.
                any-narrative-null) ;;
                *-null | any-agency_ref-text | any-narrative-text | any-referral_id-text | kept-200-people | \
                        kept-no-last-newline | kept-odd-letters) outcome="$outcome (rare, not wrong)" ;;
                esac
                [ "$received $outcome" != '1 received' ] || wrong_about "$line: received without a warning"
                printf '%-38s %s\n' "$line" "${message:-$outcome}"
                ;;
        twice)
                grep -q ' 1 received.* 1 refused' "$work/out" && [ -n "$message" ] || wrong_about "$line: $(cat "$work/out")"
                printf '%-38s %s\n' "$line" "$message"
                ;;
        empty*)
                grep -q ' 0 received' "$work/out" && [ "$code" = 0 ] || wrong_about "$line: $(cat "$work/out")"
                ;;
        esac
done

# The bare sockets: bytes that are no handshake, a handshake that stops, one that goes on and on.
# shellcheck disable=SC2086  # a list of services on purpose
python3 - "$FRONTDOOR_HOME/run" $canary $all <<'PYTHON'
import os, random, socket, sys
rng = random.Random(7)
greeting = b"\xff" + b"\0" * 8 + b"\x7f\x03\x00CURVE" + b"\0" * 48
sent = 0
for name in (f"{service}.{kind}" for service in sys.argv[3:] for kind in ("pull", "command")):
    for garbage in ([b"", b"\0", b"GET / HTTP/1.1\r\n\r\n", sys.argv[2].encode() * 1000, greeting[:20], greeting,
                     greeting.replace(b"CURVE", b"NULL\0"), greeting + b"\x04\xff\x05HELLO" + b"A" * 250,
                     greeting + b"\x06\xff\xff\xff\xff\xff\xff\xff\xff", b"\xff" * 100000] +
                    [rng.randbytes(rng.randint(1, 5000)) for _ in range(20)] +
                    [greeting + rng.randbytes(rng.randint(1, 500)) for _ in range(20)]):
        s = socket.socket(socket.AF_UNIX)
        s.settimeout(1)
        try:
            s.connect(os.path.join(sys.argv[1], name))
            s.sendall(garbage)
            sent += 1
        except OSError:
            pass  # Hung up on: as it should be.
        s.close()
print(f"garbage on the bare sockets: {sent} times")
PYTHON
for what in unknown-key wrong-server-key garbage parts huge; do
        for service in $all; do
                "$bin/bad_client" "$FRONTDOOR_HOME" "$service" "$what" || wrong_about "$service answered: $what"
        done
done

# And now as if nothing had been.
before=$(head_of intake)
head -n 20 "$referrals" >"$work/good.ndjson"
"$bin/frontdoor" import "$work/good.ndjson" 2>/dev/null | grep -q ' 20 received' || wrong_about "good lines are not received"
drain
[ "$(head_of intake)" = $((before + 20)) ] || wrong_about "twenty good lines did not make twenty records"
"$bin/frontdoor" verify >"$work/verify.out" || wrong_about "verify: $(cat "$work/verify.out")"
[ "$processes" = "${pid[*]}" ] || wrong_about "a service was started again"
for service in $all; do
        is_running "$service" || wrong_about "$service has ended"
done
stop $all
"$bin/frontdoor" verify --stopped >"$work/verify.out" || wrong_about "verify, stopped: $(cat "$work/verify.out")"
if grep -aq "$canary" "$work"/*.log "$work/said.txt" "$work/verify.out"; then
        wrong_about "personal data: $(grep -a -m 3 "$canary" "$work"/*.log "$work/said.txt" "$work/verify.out" | cut -c1-200)"
fi
if find "$FRONTDOOR_HOME/log" -type f -exec grep -aq "$canary" {} \; -print | grep -q .; then
        wrong_about "personal data in a log file"
fi
[ "$wrong" = 0 ] || fail "$wrong of these should not be"
echo "bad_input: $refused bad lines refused with a reason, $kept kept; the services never noticed"
