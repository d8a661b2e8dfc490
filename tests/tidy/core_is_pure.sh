#!/bin/sh
# core_is_pure.sh BASE CORE… - fail when a deciding core reaches for the outside world.
#
# A core runs unchanged in the simulator and in a replay, so the only symbols it may leave
# undefined are mem*/str* of the C library, what the sanitizers and the compiler add, and exactly
# what BASE (libdoor_base.a) or the core itself defines. Clock, heap, randomness, files, sockets,
# printf, libuv, ZeroMQ, RocksDB and protobuf belong elsewhere.
base=$1
shift
if [ ! -f "$base" ] || [ $# -eq 0 ]; then
        echo "usage: core_is_pure.sh libdoor_base.a libX_core.a..." >&2
        exit 2
fi
allowed=$(mktemp) || exit 2
trap 'rm -f "$allowed"' EXIT
status=0
for core in "$@"; do
        nm --defined-only "$base" "$core" 2>/dev/null |
                awk 'NF == 3 && $2 ~ /[TRDBC]/ { print $3 }' | sort -u >"$allowed"
        if [ ! -s "$allowed" ]; then
                echo "$core: no symbols found: is it an archive?" >&2
                exit 2
        fi
        found=$(nm -u "$core" | awk '$1 == "U" { print $2 }' | sort -u |
                grep -Ev '^(mem(cpy|set|cmp|move|chr)|str(n?len|n?cmp|r?chr|c?spn)|__(asan|ubsan|tsan|sanitizer)_.*|__sancov_.*|__stack_chk_fail|_GLOBAL_OFFSET_TABLE_)$' |
                grep -Fxv -f "$allowed")
        if [ -n "$found" ]; then
                echo "$core uses forbidden symbols:" $found >&2
                status=1
        fi
done
exit $status
