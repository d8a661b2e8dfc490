#!/usr/bin/env python3
"""recognition.py TRUTH_DIR RESULT_DIR - how well families were recognised, and floors under it.

Pairwise F1 from cluster contingency sums (a review's provisional family counts against it until a
person answers); link precision and the right family found (linked, or among the candidates of
a review) by the majority family of earlier referrals. Prints the figures; exit 1 when one is under its floor."""
import collections
import csv
import sys

FLOORS = {"families F1": 0.87, "people F1": 0.85, "link precision": 0.985, "right family found": 0.97}


def load(path):
    with open(path, newline="") as f:
        rows = list(csv.reader(f))[1:]
    return rows


def pairs(n):
    return n * (n - 1) // 2


def f1(truth, result):
    both = collections.Counter((truth[r], result.get(r, ("alone", r))) for r in truth)
    t = collections.Counter(truth.values())
    s = collections.Counter(result.get(r, ("alone", r)) for r in truth)
    tp = sum(map(pairs, both.values()))
    precision = tp / max(1, sum(map(pairs, s.values())))
    recall = tp / max(1, sum(map(pairs, t.values())))
    return 2 * precision * recall / max(1e-9, precision + recall)


truth_dir, result_dir = sys.argv[1:3]
families = dict(load(f"{truth_dir}/referrals.families.csv"))
people = dict(load(f"{truth_dir}/referrals.people.csv"))
decisions = load(f"{result_dir}/decisions.csv")
votes = collections.defaultdict(collections.Counter)
links = right = reviews = found = repeats = 0
seen = set()
label = lambda c: votes[c].most_common(1)[0][0] if votes[c] else None
for referral, decision, family, candidates in decisions:
    truth = families[referral]
    asked = [label(c) for c in candidates.split(";") if c]
    if truth in seen:
        repeats += 1
        found += (decision == "link" and label(family) == truth) or (decision == "review" and truth in asked)
    seen.add(truth)
    if decision == "link":
        links += 1
        right += votes[family].most_common(1)[0][0] == truth
    reviews += decision == "review"
    votes[family][truth] += 1
figures = {
    "families F1": f1(families, dict(load(f"{result_dir}/families.csv"))),
    "people F1": f1(people, dict(load(f"{result_dir}/people.csv"))),
    "link precision": right / max(1, links),
    "right family found": found / max(1, repeats),
}
print(f"recognition: {links} links, {reviews} reviews of {len(decisions)};",
      ", ".join(f"{k} {v:.4f}" for k, v in figures.items()))
sys.exit(any(figures[k] < floor for k, floor in FLOORS.items()))
