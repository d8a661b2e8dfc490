#!/usr/bin/env bash
# coverage.sh [SEEDS] - which branches of the machine's heart the simulator does not reach.
#
# Builds the simulator with counters, plays scenes, stories and seeds, and prints every line of
# service_step.c, step_effects.c and step_view.c that never ran and every line with a condition that only ever went one way
# (DOOR_REQUIRE has a way nobody may go). What is argued for in tests/sim/unreached.txt is counted; any
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
failed=0
for source in service_step.c step_effects.c step_view.c; do
        gcov --json-format --stdout -b "$source.gcda" 2>/dev/null |
                python3 "$top/tests/sim/unreached.py" "$top/tests/sim/unreached.txt" "$top/services/shell/$source" ||
                failed=1
done
exit "$failed"
