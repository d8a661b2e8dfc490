#!/usr/bin/env python3
"""mechanism.py BIN [--runs N] [--count N] - what the mechanism costs, as ratios to a chain of processes
that only copies with the same CURVE, hashing and record sizes.

Each run measures the copying chain and then the real services, one after the other, so that a
machine that slows down slows both. For each: durable referrals a second through both services
(submitted as fast as receipts come, until the second service has them durably), CPU microseconds
a referral of each service, latency at 100/s from sending to matched (and to the receipt), the
longest time between two anchors meanwhile, and kill -9 to serving again. Printed: median and range over the runs, and the ratio real / copy."""
import argparse
import datetime
import json
import os
import shutil
import signal
import statistics
import subprocess
import sys
import tempfile
import threading
import time

p = argparse.ArgumentParser()
p.add_argument("bin")
p.add_argument("--runs", type=int, default=5)
p.add_argument("--count", type=int, default=20000)
p.add_argument("--rate", type=int, default=100)
p.add_argument("--seconds", type=int, default=5)
args = p.parse_args()
top = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
TICK = os.sysconf("SC_CLK_TCK")
CHAINS = {"copy": ["bench-copy-first", "bench-copy-second"],
          "real": ["frontdoor-intake", "frontdoor-deduplication"]}


def cpu_us(pid):
    fields = open(f"/proc/{pid}/stat").read().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) * 1e6 / TICK


def started_at(home, service):
    """When the service last said that it serves (its sockets are bound by then), Unix time."""
    at = 0.0
    for line in open(os.path.join(home, "services.log")):
        if f'"service":"{service}","event":"started"' in line:
            text = json.loads(line)["at"].rstrip("Z")
            at = datetime.datetime.fromisoformat(text).replace(tzinfo=datetime.timezone.utc).timestamp()
    return at


class AnchorWatch(threading.Thread):
    """How long a log goes without an anchor while records are committed: what MECHANISM section 6 can lose
    without anybody noticing. Sees each replacement of the anchor's file, to 2 ms."""

    def __init__(self, home):
        super().__init__(daemon=True)
        self.paths = {s: os.path.join(home, "state", "anchors", s) for s in ("intake", "deduplication")}
        self.seen = {s: [] for s in self.paths}
        self.ended = False
        self.start()

    def run(self):
        while not self.ended:
            for service, path in self.paths.items():
                at = os.stat(path).st_mtime_ns
                if self.seen[service][-1:] != [at]:
                    self.seen[service].append(at)
            time.sleep(0.002)

    def gaps(self):
        self.ended = True
        self.join()
        # The first one found may be older than the load.
        return {f"ms between anchors, max, {n}": max((b - a) / 1e6 for a, b in zip(seen[1:], seen[2:]))
                for n, seen in zip(("first", "second"), self.seen.values())}


def measure(chain):
    home = tempfile.mkdtemp(prefix="bench.")
    env = dict(os.environ, FRONTDOOR_HOME=home)
    log = open(os.path.join(home, "services.log"), "ab")
    tool = lambda *c, **k: subprocess.run([os.path.join(args.bin, c[0]), *map(str, c[1:])], env=env, check=True, **k)
    start = lambda program: subprocess.Popen(
        [os.path.join(args.bin, program), "--home", home, "--disk-floor", "1048576"], stderr=log, stdout=log)
    procs = []
    out = {}
    try:
        tool("frontdoor", "keys", "init", stdout=subprocess.DEVNULL)
        procs = [start(c) for c in CHAINS[chain]]
        tool("frontdoor", "policy", "apply", os.path.join(top, "deploy/config/policy"), "--only", "intake,deduplication", stdout=subprocess.DEVNULL)

        follower = subprocess.Popen([os.path.join(args.bin, "bench_load"), "follow", str(args.count), os.path.join(home, "m0")], env=env)
        before = [cpu_us(x.pid) for x in procs]
        began = time.monotonic()
        tool("bench_load", "flood", args.count, "-", stdout=subprocess.DEVNULL)
        follower.wait()
        seconds = time.monotonic() - began
        out["referrals/s"] = args.count / seconds
        for name, x, b in zip(("first", "second"), procs, before):
            out[f"CPU us, {name}"] = (cpu_us(x.pid) - b) / args.count

        steady = args.rate * args.seconds
        follower = subprocess.Popen([os.path.join(args.bin, "bench_load"), "follow", str(args.count + steady), os.path.join(home, "m1")], env=env)
        time.sleep(1.5)  # It reads up to the end first.
        watch = AnchorWatch(home)
        tool("bench_load", "steady", args.rate, args.seconds, os.path.join(home, "s1"))
        out.update(watch.gaps())
        follower.wait()
        times = {}
        for name in ("s1", "m1"):
            for line in open(os.path.join(home, name)):
                kind, ident, ns = line.split()
                times.setdefault(ident, {})[kind] = int(ns)
        for kind in ("receipt", "matched"):
            waits = sorted((t[kind] - t["sent"]) / 1e6 for t in times.values() if "sent" in t and kind in t)
            out[f"ms to {kind}, p50"] = waits[len(waits) // 2]
            out[f"ms to {kind}, p99"] = waits[int(len(waits) * 0.99)]

        for i, (program, service) in enumerate(zip(CHAINS[chain], ("intake", "deduplication"))):
            procs[i].kill()
            procs[i].wait()
            began = time.time()
            procs[i] = start(program)
            while started_at(home, service) < began:
                time.sleep(0.005)
            out[f"ms kill -9 to serving, {'first' if i == 0 else 'second'}"] = (started_at(home, service) - began) * 1e3
        return out
    finally:
        for x in procs:
            if x.poll() is None:
                x.send_signal(signal.SIGTERM)
                x.wait()
        shutil.rmtree(home, ignore_errors=True)


runs = []
for n in range(args.runs):
    runs.append({chain: measure(chain) for chain in CHAINS})
    print(f"run {n + 1} of {args.runs} done", file=sys.stderr)

print(f"{args.runs} interleaved runs of {args.count} referrals; {args.rate}/s for {args.seconds} s\n")
print(f"{'':32}{'copy':>24}{'real':>24}{'real / copy':>24}")
for key in runs[0]["real"]:
    def shown(values):
        return f"{statistics.median(values):.1f} ({min(values):.1f}..{max(values):.1f})"
    ratio = [r["real"][key] / max(1e-9, r["copy"][key]) for r in runs]
    print(f"{key:32}{shown([r['copy'][key] for r in runs]):>24}{shown([r['real'][key] for r in runs]):>24}"
          f"{statistics.median(ratio):>12.2f} ({min(ratio):.2f}..{max(ratio):.2f})")
