#!/usr/bin/env bash
# coverage.sh [SEEDS] - which lines of the machine's heart no seed reaches.
#
# Builds the simulator with counters, runs the seeds, and prints every line of service_step.c that
# never ran. Lines argued for in tests/sim/unreached.txt (their text, then why) are counted; any
# other fails: either a seed must reach it, or somebody must say why none can.
set -euo pipefail
top=$(cd "$(dirname "$0")/../.." && pwd)
cd "$top"
seeds=${1:-100}
cmake --preset release -B build/coverage -DCMAKE_BUILD_TYPE=Debug -DCMAKE_C_FLAGS="--coverage -O0" >/dev/null
cmake --build build/coverage --target sim -- --quiet
find build/coverage -name '*.gcda' -delete
build/coverage/bin/sim --seeds "$seeds" >/dev/null
cd build/coverage/services/shell/CMakeFiles/door_step.dir
gcov -b service_step.c.gcda 2>/dev/null | sed -n "/service_step.c'/,/^$/p" | head -5
python3 - "$top/tests/sim/unreached.txt" service_step.c.gcov <<'PY'
import sys
argued = {}
for line in open(sys.argv[1]):
    if line.strip() and not line.startswith("#"):
        text, _, why = line.rstrip("\n").partition("  ## ")
        argued[text.strip()] = why
unargued = known = 0
for line in open(sys.argv[2]):
    count, number, text = (line.rstrip("\n").split(":", 2) + ["", ""])[:3]
    if count.strip() != "#####":
        continue
    if text.strip() in argued:
        known += 1
    else:
        unargued += 1
        print(f"not reached, not argued: {number.strip()}: {text.strip()}")
print(f"lines no seed reaches: {known} argued, {unargued} not")
sys.exit(unargued > 0)
PY
