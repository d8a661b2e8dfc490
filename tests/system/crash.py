#!/usr/bin/env python3
"""crash.py BIN POWERCUT_SO --kills N [--seed S] [--no-sync] - the kill loop.

The five real services, a sender whose journal is synced in its own process, and death:
  - each start of a service is told a place between an input and its answer and a visit to die
    at (FRONTDOOR_DIE_AT, tests/support/failpoint.c), the places taken in turn;
  - now and then any subset is killed at a moment of chance;
  - every twelfth death takes the other services with it, and the machine's power: files are cut
    back to what had been synced, plus a torn part of the rest.
At the end everything drains, `frontdoor verify` and the journal must agree: 0 lost, 0 doubled.
With --no-sync the programs' syncs count for nothing and the loop must fail.
"""
import argparse
import collections
import os
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import time

PLACES = ["frame_arrived", "decided", "commit_begins", "commit_written", "commit_known", "answer_leaves"]
SERVICES = ["intake", "deduplication", "triage", "allocation", "notification"]

args = argparse.ArgumentParser()
args.add_argument("bin")
args.add_argument("powercut")
args.add_argument("--kills", type=int, default=60)
args.add_argument("--seed", type=int, default=1)
args.add_argument("--no-sync", action="store_true")
args = args.parse_args()
rng = random.Random(args.seed)
top = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
home = tempfile.mkdtemp(prefix="crash.")
journal = os.path.join(home, "sender.journal")
env = dict(os.environ, FRONTDOOR_HOME=home)
turn = 0
procs = {}
told = {}
hits = collections.Counter()
kills = collections.Counter()
stayed_down = []


def tool(*command, **more):
    return subprocess.run([os.path.join(args.bin, command[0]), *command[1:]], env=env, **more)


def start(name, die=True):
    global turn
    e = dict(env, LD_PRELOAD=args.powercut, POWERCUT_JOURNAL=os.path.join(home, f"{name}.synced"),
             FRONTDOOR_DIED=os.path.join(home, "died"))
    if args.no_sync:
        e["POWERCUT_NO_SYNC"] = "1"
    told[name] = None
    if die:
        # The place that has been died at least often; in turn where they are equal.
        place = min(PLACES, key=lambda p: (hits[(name, p)], (PLACES.index(p) - turn) % len(PLACES)))
        told[name] = (name, place)
        # Far enough in that each life gets something done, and that the others find intake up
        # between two of its deaths; they get their referrals by the batch.
        often = place in ("frame_arrived", "answer_leaves")
        visits = (rng.randint(100, 400) if often else rng.randint(30, 90)) if name == "intake" else rng.randint(2, 12)
        if name == "notification":  # It hears of hundreds at once, when all before it have been up together.
            visits = rng.randint(1, 3)
        e["FRONTDOOR_DIE_AT"] = f"{place}:{visits}"
        turn += 1
    procs[name] = subprocess.Popen(
        [os.path.join(args.bin, f"crash-{name}"), "--home", home, "--disk-floor", "1048576"],
        env=e, stdout=subprocess.DEVNULL, stderr=open(os.path.join(home, "services.log"), "ab"))


def follow():
    """Somebody reads the last log of the chain, so that its answers leave too."""
    if procs.get("follower") is None or procs["follower"].poll() is not None:
        procs["follower"] = subprocess.Popen(
            [os.path.join(args.bin, "frontdoor"), "log", "notification", "--follow"], env=env,
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)


def power_cut():
    for name in SERVICES:
        if procs[name].poll() is None:
            procs[name].kill()
            procs[name].wait()
            told[name] = "counted"
    kills["power"] += 1  # One death, of the machine: however many services it takes, it is one story.
    for name in SERVICES:
        # Its own folder only: an inode it once had may be another service's file by now.
        tool("powercut_cut", os.path.join(home, f"{name}.synced"), os.path.join(home, "state/db", name),
             str(rng.randint(1, 1 << 30)), stdout=subprocess.DEVNULL, check=True)
        open(os.path.join(home, f"{name}.synced"), "wb").close()


def reap():
    """Deaths since the last look; starts again what died."""
    deaths = 0
    for name in SERVICES:
        code = procs[name].poll()
        if code is None:
            continue
        if code == 3:
            stayed_down.append(name)
            return deaths
        deaths += 1
        if told[name] == "counted":
            continue  # By us, a moment ago.
        if code == -signal.SIGKILL and told[name] is not None:
            kills["placed"] += 1
            hits[told[name]] += 1
        else:
            kills["other"] += 1
    if deaths and rng.random() < 1 / 12:
        power_cut()
    for name in SERVICES:
        if procs[name].poll() is not None:
            start(name)
    return deaths


def finish(code, why):
    for p in procs.values():
        if p.poll() is None:
            p.kill()
            p.wait()
    sender.poll() is None and sender.kill()
    placed = kills["placed"]
    total = sum(kills.values())
    print(f"kills: {total} ({placed} between an input and its answer, {kills['chance']} at a moment of chance, "
          f"{kills['power']} by power cut, {kills['other']} ends of another kind)")
    for name in SERVICES:
        print(f"  {name:14}", ", ".join(f"{p} {hits[(name, p)]}" for p in PLACES))
    print(f"crash: {why}")
    if code and not args.no_sync:
        print(f"kept for a look: {home}")
    else:
        shutil.rmtree(home, ignore_errors=True)
    sys.exit(code)


tool("frontdoor", "keys", "init", stdout=subprocess.DEVNULL, check=True)
for s in SERVICES:
    start(s, die=False)
sender = subprocess.Popen(["true"])
if tool("frontdoor", "policy", "apply", os.path.join(top, "deploy/config/policy"), stdout=subprocess.DEVNULL).returncode:
    finish(1, "the services did not come up")
sender = subprocess.Popen([os.path.join(args.bin, "crash_sender"), "send", journal, "100000"], env=env,
                          stdout=subprocess.PIPE, text=True)
for s in SERVICES:  # From here on they die.
    procs[s].kill()
    procs[s].wait()
    start(s)

deadline = time.time() + 60 + args.kills * 3
def enough():
    """As many deaths as asked for, four in five where they matter, and in a long enough run each place."""
    total = sum(kills.values())
    return total >= args.kills and kills["placed"] * 100 >= total * 80 and (
        args.kills < 40 * len(SERVICES) or all(hits[(s, p)] for s in SERVICES for p in PLACES))


while not enough() and not stayed_down and time.time() < deadline:
    reap()
    follow()
    if rng.random() < 0.002:  # About one death in twenty.
        for s in rng.sample(SERVICES, rng.randint(1, 3)):
            if procs[s].poll() is None:
                procs[s].kill()
                procs[s].wait()
                told[s] = "counted"
                kills["chance"] += 1
    time.sleep(0.02)

reached = enough()  # The last cut is not part of the load.
if not stayed_down:
    power_cut()
    for s in SERVICES:
        start(s, die=False)
    sender.send_signal(signal.SIGINT)
    try:
        out, _ = sender.communicate(timeout=90)
    except subprocess.TimeoutExpired:
        finish(1, "the sender still waits for answers")
    print(out.strip())
    if any(procs[s].poll() == 3 for s in SERVICES):
        stayed_down.append("after the last cut")
if stayed_down:
    finish(1, f"{stayed_down[0]} refuses to start: the log went backwards")
if sender.returncode:
    finish(1, "the sender was not answered, or refused")
# The view is no part of the load, but status waits for all: it reads everything from the beginning.
procs["gateway"] = subprocess.Popen([os.path.join(args.bin, "frontdoor-gateway"), "--home", home, "--disk-floor", "1048576"],
                                    env=env, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
if tool("frontdoor", "status", "--wait", "60", capture_output=True).returncode:
    finish(1, "matching did not catch up")
checked = tool("crash_sender", "check", journal).returncode
verified = tool("frontdoor", "verify").returncode
if checked or verified:
    finish(1, "LOST OR DOUBLED" if checked else "verify does not hold")
if not args.no_sync and not reached:
    finish(1, "too few deaths where they matter")
finish(0, "0 lost, 0 doubled")
