"""unreached.py ARGUED SOURCE <gcov.json - lines that never ran and conditions that only ever went one
way, each against the list of those somebody has argued for. Exit 1 when one is not on it.

A place is named by its function and the text of its line, so that the list outlives edits elsewhere
and excuses nothing else that happens to read the same."""
import json
import os
import sys

argued = {}
for line in open(sys.argv[1]):
    if line.strip() and not line.startswith("#"):
        place, _, why = line.rstrip("\n").partition("  ## ")
        function, _, text = place.partition(": ")
        argued[function.strip(), text.strip()] = why.strip()
source = open(sys.argv[2]).read().split("\n")
name = os.path.basename(sys.argv[2])

lines = branches = taken = 0
open_places = []
functions = set()
for file in json.load(sys.stdin)["files"]:
    if os.path.basename(file["file"]) != name:
        continue
    functions |= {f["name"] for f in file["functions"]}
    for line in file["lines"]:
        text = source[line["line_number"] - 1].strip()
        lines += 1
        if "DOOR_REQUIRE" in text and line["count"]:
            continue
        branches += len(line["branches"])
        taken += sum(1 for b in line["branches"] if b["count"])
        if line["count"] == 0 or any(b["count"] == 0 for b in line["branches"]):
            open_places.append((line.get("function_name", ""), text, line["line_number"], line["count"] == 0))

known = {(function, text) for function, text, _, _ in open_places}
missing = [p for p in open_places if not argued.get((p[0], p[1]))]
for function, text, number, never in missing:
    print(f"not argued: {number}: {function}: {text}" + ("" if never else "  (one way only)"))
for function, text in sorted(p for p in set(argued) - known if p[0] in functions):
    print(f"reached, though argued for: {function}: {text}")
print(f"{name}: {lines} lines, {taken} of {branches} ways taken; "
      f"{len(open_places)} places open, {len(missing)} of them not argued")
sys.exit(bool(missing))
