#!/usr/bin/env bash
# smtp.sh BIN FOLDER - messages to a mail server that accepts, refuses, is slow, speaks TLS, and dies.
#
# The sink of frontdoor-notification against npm's smtp-server, which is installed into FOLDER (a build
# folder) from tests/system/smtp/package-lock.json. Exit 77, "not run", where there is no node, no npm or
# no registry to install from.
set -euo pipefail
bin=$(cd "$1" && pwd)
mkdir -p "$2"
place=$(cd "$2" && pwd)
here=$(cd "$(dirname "$0")" && pwd)/smtp
if ! command -v node npm openssl >/dev/null; then
        echo "smtp: not run: node, npm and openssl are needed" >&2
        exit 77
fi
if ! cmp -s "$here/package-lock.json" "$place/package-lock.json"; then
        cp "$here/package.json" "$here/package-lock.json" "$place/"
        (cd "$place" && npm ci --ignore-scripts --no-audit --no-fund >"$place/npm.log" 2>&1) || {
                rm -f "$place/package-lock.json"
                echo "smtp: not run: npm ci failed, see $place/npm.log" >&2
                exit 77
        }
fi
cp "$here/server.js" "$place/"

work=$(mktemp -d "${TMPDIR:-/tmp}/smtp.XXXXXX")
server=
finish() {
        exec 3>&- || true # The server ends with its standard input.
        [ -z "$server" ] || wait "$server" 2>/dev/null || true
        rm -rf "$work"
}
trap finish EXIT
fail() {
        echo "smtp: $*" >&2
        exit 1
}

certificate() { # NAME
        openssl req -x509 -newkey rsa:2048 -nodes -days 2 -subj /CN=localhost -addext subjectAltName=DNS:localhost \
                -keyout "$work/$1.key" -out "$work/$1.crt" 2>/dev/null
}
certificate ours
certificate other
mkdir "$work/accepted"
mkfifo "$work/input"
node "$place/server.js" "$work/ours.key" "$work/ours.crt" "$work/accepted" <"$work/input" >"$work/ports" &
server=$!
exec 3>"$work/input"
for _ in $(seq 100); do
        grep -q '^ready$' "$work/ports" && break
        sleep 0.1
done
grep -q '^ready$' "$work/ports" || fail "the mail server did not start"

port() { # MOOD
        sed -n "s/^$1 //p" "$work/ports"
}

# The failure's number is CODE, and it took at most MS.
expect() { # CODE MS WHAT smtp_send's arguments…
        local code=$1 most=$2 what=$3 got took
        shift 3
        read -r got took < <("$bin/smtp_send" "$@") || fail "$what: smtp_send failed"
        [ "$got" = "$code" ] || fail "$what: $got instead of $code"
        [ "$took" -le "$most" ] || fail "$what: it took $took ms"
}

accepted() {
        find "$work/accepted" -name '*.json' | wc -l
}

ok=0 unreachable=1 tls=2 timed_out=3 refused_for_now=4 refused=5 no_address=7

# Accepted: STARTTLS, TLS from the start, and plain where that was asked for.
expect $ok 5000 "STARTTLS" "smtp://localhost:$(port starttls)" --ca "$work/ours.crt" --two --message "$work/sent.eml"
expect $ok 5000 "smtps" "smtps://localhost:$(port smtps)" --ca "$work/ours.crt"
expect $ok 5000 "plain" "smtp://localhost:$(port plain)" --plain
[ "$(accepted)" = 3 ] || fail "$(accepted) messages arrived instead of 3"
cmp "$work/sent.eml" "$work/accepted/1.eml" || fail "the message that arrived is another"
grep -q '"from":"frontdoor@frontdoor.invalid","to":\["desk@example.invalid","duty@example.invalid"\],"secure":true' \
        "$work/accepted/1.json" || fail "the envelope is another: $(cat "$work/accepted/1.json")"
grep -q '"secure":false' "$work/accepted/3.json" || fail "plain was not plain"

# TLS is not given up for a server that does not offer it, or is somebody else.
expect $tls 5000 "no STARTTLS offered" "smtp://localhost:$(port plain)"
expect $tls 5000 "another's certificate" "smtp://localhost:$(port starttls)" --ca "$work/other.crt"
expect $tls 5000 "another's certificate, smtps" "smtps://localhost:$(port smtps)" --ca "$work/other.crt"
expect $tls 5000 "another's name" "smtps://127.0.0.1:$(port smtps)" --ca "$work/ours.crt"

# Refusals: 4xx may pass, 5xx will not; one good address of two is enough.
expect $refused_for_now 5000 "450 to the sender" "smtp://localhost:$(port sender450)" --plain
expect $refused_for_now 5000 "451 to the recipient" "smtp://localhost:$(port recipient451)" --plain
expect $refused_for_now 5000 "452 to the message" "smtp://localhost:$(port message452)" --plain
expect $refused 5000 "550 to the recipient" "smtp://localhost:$(port recipient550)" --plain
expect $refused 5000 "554 to the message" "smtp://localhost:$(port message554)" --plain
[ "$(accepted)" = 3 ] || fail "something refused was accepted"
expect $ok 5000 "one of two addresses" "smtp://localhost:$(port first550)" --plain --two
grep -q '"to":\["duty@example.invalid"\]' "$work/accepted/4.json" || fail "the second address did not get it"
expect $refused 5000 "the one address" "smtp://localhost:$(port first550)" --plain

# Slow, silent, dying, absent; and an end in the middle is heard within about a second.
expect $timed_out 4000 "a slow server" "smtp://localhost:$(port slow)" --plain --total-s 2
expect $timed_out 4000 "a silent server" "smtp://localhost:$(port silent)" --plain --total-s 2
expect $unreachable 4000 "a server that dies half way" "smtp://localhost:$(port diesmidway)" --plain
expect $unreachable 4000 "nobody there" "smtp://localhost:1" --plain
expect $unreachable 4000 "told to end" "smtp://localhost:$(port slow)" --plain --stop-ms 300
expect $no_address 100 "no address" "smtp://localhost:$(port plain)" --plain --nobody
[ "$(accepted)" = 4 ] || fail "$(accepted) messages arrived instead of 4"
"$bin/smtp_send" "http://localhost" | grep -q '^not a URL' || fail "http:// was taken"
"$bin/smtp_send" "smtp://" | grep -q '^not a URL' || fail "a URL without a host was taken"
