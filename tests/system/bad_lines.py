"""bad_lines.py FOLDER - one file a bad line, each with the canary's surname in it.

A name begins with what must become of it: `refused-` (not received, and a message says why) or
`kept-` (received: what a referral says is never a reason to refuse it, only to warn).
"""
import json
import os
import sys

CANARY = "Zyxcanaryqw"
folder = sys.argv[1]
made = 0


def referral(**more):
    global made
    made += 1
    whole = {"referral_id": f"BAD{made:06}", "agency": "police", "agency_ref": f"POL-BAD{made}",
             "received_at": "2018-02-01T10:00:00Z", "concern_type": "neglect",
             "narrative": f"{CANARY} was seen at home.", "level_asked": 3,
             "people": [{"role": "index_child", "given_name": "Ada", "surname": CANARY, "dob": "2012-03-04",
                         "gender": "F", "address": "1 North Street", "postcode": "GL50 1AA"}]}
    whole.update(more)
    return {k: v for k, v in whole.items() if v is not Ellipsis}


def person(**more):
    return {"role": "index_child", "given_name": "Ada", "surname": CANARY, "dob": "2012-03-04", **more}


def put(name, data):
    with open(os.path.join(folder, name), "wb") as f:
        f.write(data)


def line(name, value):
    put(name, json.dumps(value).encode() + b"\n")


good = json.dumps(referral()).encode()
put("refused-not-json", b"this is " + CANARY.encode() + b" and no JSON\n")
put("refused-cut-off", good[:-30] + b"\n")
put("refused-two-in-one", good + good + b"\n")
put("refused-brackets", b"[" * 100000 + CANARY.encode() + b"\n")
line("refused-an-array", [referral()])
line("refused-a-string", CANARY)
put("refused-ten-megabytes", json.dumps(referral(narrative=CANARY + "x" * 10_000_000)).encode() + b"\n")
put("refused-invalid-utf8", good.replace(CANARY.encode(), CANARY.encode() + b"\xff\xfe\x80") + b"\n")
put("refused-overlong-utf8", good.replace(CANARY.encode(), CANARY.encode() + b"\xc0\xaf") + b"\n")
put("refused-surrogate-utf8", good.replace(CANARY.encode(), CANARY.encode() + b"\xed\xa0\x80") + b"\n")
put("refused-raw-nul", good.replace(CANARY.encode(), CANARY.encode() + b"\x00x") + b"\n")
line("refused-escaped-nul", referral(people=[person(surname=CANARY + "\x00x")]))
put("refused-lone-surrogate", good.replace(CANARY.encode(), CANARY.encode() + b"\\ud800") + b"\n")
for word in ("NaN", "Infinity", "1e999", "99999999999999999999999"):
    put(f"refused-level-{word}", good.replace(b'"level_asked": 3', b'"level_asked": ' + word.encode()) + b"\n")
line("refused-no-agency", referral(agency=...))
line("refused-unknown-agency", referral(agency="martians"))
line("refused-10000-people", referral(people=[{"surname": CANARY}] * 10000))
line("refused-201-people", referral(people=[person()] * 201))
put("refused-duplicate-keys", good.replace(b'"agency": "police"', b'"agency": "police", "agency": "school"') + b"\n")
put("refused-duplicate-surname", good.replace(b'"surname": ', b'"surname": "Other", "surname": ', 1) + b"\n")

# A number, a text, a list and an object where something else belongs.
for field in sorted(referral()):
    for what, value in (("number", 7), ("text", CANARY), ("list", [CANARY]), ("object", {"x": CANARY}), ("true", True),
                        ("null", None)):
        line(f"any-{field}-{what}", referral(**{field: value}))
for field in sorted(person()):
    for what, value in (("number", 7), ("list", [CANARY]), ("object", {"x": CANARY}), ("true", True)):
        line(f"any-person-{field}-{what}", referral(people=[person(**{field: value})]))

for what, day in (("future", "2099-01-01"), ("impossible", "2012-02-30"), ("month-13", "2012-13-01"),
                  ("year-0", "0000-01-01"), ("words", "last Tuesday"), ("huge", "9" * 400), ("empty", "")):
    line(f"kept-dob-{what}", referral(people=[person(dob=day)]))
for what, at in (("future", "2099-01-01T00:00:00Z"), ("impossible", "2018-02-30T25:61:00Z"), ("words", "yesterday")):
    line(f"any-received-at-{what}", referral(received_at=at))
line("kept-no-people", referral(people=[]))
line("kept-200-people", referral(people=[person(given_name=f"Ada{i}") for i in range(200)]))
line("kept-long-narrative", referral(narrative=(CANARY + " ") * 15000))
line("kept-unknown-field", referral(unheard_of={"deep": [CANARY]}))
line("kept-odd-letters", referral(people=[person(surname="\u202e\u0000".replace("\u0000", "") + CANARY + "\U0001f600")]))
put("kept-no-last-newline", json.dumps(referral()).encode())
twice = referral()
put("twice", json.dumps(twice).encode() + b"\n" + json.dumps(dict(twice, narrative="Otherwise: " + CANARY)).encode() + b"\n")
put("empty", b"")
put("empty-lines", b"\n\n\n")
put("whitespace", b"   \n\t\n")
