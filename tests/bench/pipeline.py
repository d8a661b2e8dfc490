#!/usr/bin/env python3
"""pipeline.py BIN [--runs N] [--count N] [--stored N,N…] - from submission to allocated and told, as ratios
to a chain of five processes that only copies with the same CURVE, hashing and record sizes.

Each run measures the copying chain, the five real services, and these with the gateway's view beside
them, one after the other, so that a machine that slows down slows all. For each: referrals a second submitted as
fast as receipts come, until every service has read all it reads; CPU microseconds a referral of each; then
kill -9 to serving again. For the real ones too: how long from the record of receipt to the record of the owner at
100/s and at half the rate just sustained, by the logs' own clocks (whole milliseconds, one machine).
With --stored each run first fills the homes with so many referrals: what grows with what is stored. Printed:
median and range over the runs, and the ratio to the copying chain of the same run."""
import argparse
import datetime
import json
import os
import re
import shutil
import signal
import statistics
import subprocess
import sys
import tempfile
import time

PLACES = ("intake", "deduplication", "triage", "allocation", "notification")
CHAINS = {
    "copy": dict(zip(PLACES, ("bench-copy-first", "bench-copy-second", "bench-copy-third", "bench-copy-fourth", "bench-copy-fifth"))),
    "real": {place: f"frontdoor-{place}" for place in PLACES},
    "with view": {place: f"frontdoor-{place}" for place in PLACES + ("gateway",)},
}
TICK = os.sysconf("SC_CLK_TCK")
TOP = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))

parser = argparse.ArgumentParser()
parser.add_argument("bin")
parser.add_argument("--runs", type=int, default=5)
parser.add_argument("--count", type=int, default=10000)
parser.add_argument("--rate", type=int, default=100)
parser.add_argument("--seconds", type=int, default=5)
parser.add_argument("--stored", default="0")
args = parser.parse_args()


def cpu_us(pid):
    with open(f"/proc/{pid}/stat", encoding="ascii") as stat:
        fields = stat.read().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) * 1e6 / TICK


class Home:
    def __init__(self, chain):
        self.path = tempfile.mkdtemp(prefix="pipeline.")
        self.env = dict(os.environ, FRONTDOOR_HOME=self.path)
        self.programs = CHAINS[chain]
        self.procs = {}
        self.loads = 0
        self.tool("frontdoor", "keys", "init")
        for service in self.programs:
            self.start(service)
        self.tool("frontdoor", "policy", "apply", os.path.join(TOP, "deploy/config/policy"))

    def start(self, service):
        with open(os.path.join(self.path, "services.log"), "ab") as log:
            self.procs[service] = subprocess.Popen(
                [os.path.join(args.bin, self.programs[service]), "--home", self.path, "--disk-floor", "1048576"],
                stdout=log, stderr=log)

    def tool(self, *command):
        return subprocess.run([os.path.join(args.bin, command[0]), *map(str, command[1:])], env=self.env, check=True,
                              capture_output=True, text=True).stdout

    def drain(self):
        """Every reader that runs stands at the head of what it reads."""
        until = time.monotonic() + 1200
        while time.monotonic() < until:
            waiting, readers, mine = 0, 0, False
            without = [] if "gateway" in self.programs else ["--without", "gateway"]
            said = subprocess.run([os.path.join(args.bin, "frontdoor"), "status", *without], env=self.env, check=False,
                                  capture_output=True, text=True).stdout
            for line in said.splitlines():
                if line[:1] != " ":
                    mine = line.split(" ", 1)[0] in self.programs
                    readers += 1 if mine and "SERVING" in line else 0
                elif mine and (found := re.search(r"(\d+) waiting", line)):
                    waiting += int(found.group(1))
            if waiting == 0 and readers == len(self.programs):
                return
            time.sleep(0.02)
        sys.exit("the services did not catch up")

    def flood(self, count):
        began = time.monotonic()
        self.tool("bench_load", "flood", count, "-")
        submitted = time.monotonic() - began
        self.drain()
        return count / submitted, count / (time.monotonic() - began)

    def cpu(self):
        return {service: cpu_us(process.pid) for service, process in self.procs.items()}

    def times(self, service, event, kind):
        """When each referral or episode had its record of this type, ms; the first time."""
        at = {}
        for line in self.tool("frontdoor", "log", service).splitlines():
            fields = line.split()
            if len(fields) > 2 and fields[2] == event:
                stamp = datetime.datetime.fromisoformat(fields[1].rstrip("Z")).replace(tzinfo=datetime.timezone.utc)
                for ident in re.findall(kind + r"-\S{17}", line):
                    at.setdefault(ident.rstrip(","), (round(stamp.timestamp() * 1000), line))
                    break
        return at

    def waits(self, rate):
        """Receipt to owner, of the referrals that open an episode at this rate."""
        self.loads += 1
        self.tool("bench_load", "steady", rate, args.seconds, os.path.join(self.path, f"s{self.loads}"))
        self.drain()
        received = self.times("intake", "REFERRAL_RECEIVED", "R")
        opened = self.times("triage", "EPISODE_OPENED", "E")
        last = max(at for at, _ in received.values())
        waits = []
        for episode, (at, _) in self.times("allocation", "OWNER_NAMED", "E").items():
            referral = re.search(r"R-\S{17}", opened.get(episode, (0, ""))[1])
            begun = received.get(referral.group(0).rstrip(",") if referral else "", (0, ""))[0]
            if begun > last - args.seconds * 1000:
                waits.append(at - begun)
        waits.sort()
        return waits[len(waits) // 2], waits[int(len(waits) * 0.99)]

    def serving_since(self, service):
        at = 0.0
        with open(os.path.join(self.path, "services.log"), encoding="utf-8", errors="replace") as log:
            for line in log:
                if f'"service":"{service}","event":"started"' in line:
                    text = json.loads(line)["at"].rstrip("Z")
                    at = datetime.datetime.fromisoformat(text).replace(tzinfo=datetime.timezone.utc).timestamp()
        return at

    def recovery(self):
        """kill -9 to serving again, ms; the slowest of the services."""
        slowest = 0.0
        for service in PLACES:
            self.procs[service].kill()
            self.procs[service].wait()
            began = time.time()
            self.start(service)
            while self.serving_since(service) < began:
                time.sleep(0.005)
            slowest = max(slowest, (self.serving_since(service) - began) * 1e3)
        return slowest

    def close(self):
        for process in self.procs.values():
            process.send_signal(signal.SIGTERM)
        for process in self.procs.values():
            process.wait()
        shutil.rmtree(self.path, ignore_errors=True)


def run(chain, stored):
    home = Home(chain)
    out = {}
    try:
        if stored:
            home.flood(stored)
        before = home.cpu()
        out["referrals/s, submitted"], out["referrals/s, to allocated and told"] = home.flood(args.count)
        used = {service: (us - before[service]) / args.count for service, us in home.cpu().items()}
        out.update({f"CPU us, {service}": us for service, us in used.items()})
        out["CPU us, the five"] = sum(us for service, us in used.items() if service != "gateway")
        if chain == "real":
            out["ms receipt to owner, p50"], out["ms receipt to owner, p99"] = home.waits(args.rate)
            half = int(out["referrals/s, to allocated and told"] / 2)
            out["ms at half the rate, p50"], out["ms at half the rate, p99"] = home.waits(half)
        out["ms kill -9 to serving, slowest"] = home.recovery()
        return out
    finally:
        home.close()


def shown(values):
    return f"{statistics.median(values):.1f} ({min(values):.1f}..{max(values):.1f})" if values else ""


for amount in map(int, args.stored.split(",")):
    runs = []
    for n in range(args.runs):
        runs.append({chain: run(chain, amount) for chain in CHAINS})
        print(f"run {n + 1} of {args.runs} done", file=sys.stderr)
    print(f"{args.runs} interleaved runs of {args.count} referrals on {amount} stored; {args.rate}/s for {args.seconds} s\n")
    print(f"{'':36}" + "".join(f"{chain:>26}" for chain in CHAINS) + f"{'real / copy':>26}")
    for key in dict.fromkeys(key for chain in CHAINS for key in runs[0][chain]):
        columns = [shown([r[chain][key] for r in runs if key in r[chain]]) for chain in CHAINS]
        ratio = [r["real"][key] / max(1e-9, r["copy"][key]) for r in runs if key in r["real"] and key in r["copy"]]
        compared = f"{statistics.median(ratio):.2f} ({min(ratio):.2f}..{max(ratio):.2f})" if ratio else ""
        print(f"{key:36}" + "".join(f"{column:>26}" for column in columns) + f"{compared:>26}")
    print(flush=True)
