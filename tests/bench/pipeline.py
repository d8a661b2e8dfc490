#!/usr/bin/env python3
"""pipeline.py BIN [--runs N] [--count N] - all six services: from submission to an owner who is named.

Each run: COUNT live referrals are submitted as fast as receipts come, until every service has read all it
reads (referrals a second; CPU microseconds a referral of each service). Then RATE a second for SECONDS: how
long from the record of receipt to the record of the owner, by the logs' own clocks (whole milliseconds, one
machine). Printed: median and range over the runs. Nothing is compared with a ceiling here: the copying chain
of mechanism.py has two processes, this one six.
"""
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

SERVICES = ("intake", "deduplication", "triage", "allocation", "notification", "gateway")
TICK = os.sysconf("SC_CLK_TCK")
TOP = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))

parser = argparse.ArgumentParser()
parser.add_argument("bin")
parser.add_argument("--runs", type=int, default=3)
parser.add_argument("--count", type=int, default=10000)
parser.add_argument("--rate", type=int, default=100)
parser.add_argument("--seconds", type=int, default=5)
args = parser.parse_args()


def cpu_us(pid):
    with open(f"/proc/{pid}/stat", encoding="ascii") as stat:
        fields = stat.read().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) * 1e6 / TICK


class Home:
    def __init__(self):
        self.path = tempfile.mkdtemp(prefix="pipeline.")
        self.env = dict(os.environ, FRONTDOOR_HOME=self.path)
        self.procs = {}
        self.tool("frontdoor", "keys", "init")
        with open(os.path.join(self.path, "services.log"), "ab") as log:
            for service in SERVICES:
                self.procs[service] = subprocess.Popen(
                    [os.path.join(args.bin, f"frontdoor-{service}"), "--home", self.path, "--disk-floor", "1048576"],
                    stdout=log, stderr=log)
        self.tool("frontdoor", "policy", "apply", os.path.join(TOP, "deploy/config/policy"))

    def tool(self, *command):
        return subprocess.run([os.path.join(args.bin, command[0]), *map(str, command[1:])], env=self.env, check=True,
                              capture_output=True, text=True).stdout

    def drained(self):
        """Every reader stands at the head of what it reads."""
        return subprocess.run([os.path.join(args.bin, "frontdoor"), "status", "--wait", "120"], env=self.env,
                              check=False, capture_output=True).returncode == 0

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

    def close(self):
        for process in self.procs.values():
            process.send_signal(signal.SIGTERM)
        for process in self.procs.values():
            process.wait()
        shutil.rmtree(self.path, ignore_errors=True)


def waits_of(home):
    """Receipt to owner, of the referrals that opened an episode in the last --seconds."""
    received = home.times("intake", "REFERRAL_RECEIVED", "R")
    opened = home.times("triage", "EPISODE_OPENED", "E")
    named = home.times("allocation", "OWNER_NAMED", "E")
    last = max(at for at, _ in received.values())
    waits = []
    for episode, (at, _) in named.items():
        line = opened.get(episode, (0, ""))[1]
        referral = re.search(r"R-\S{17}", line)
        begun = received.get(referral.group(0).rstrip(",") if referral else "", (0, ""))[0]
        if begun > last - args.seconds * 1000:
            waits.append(at - begun)
    return sorted(waits)


def run():
    home = Home()
    out = {}
    try:
        before = home.cpu()
        began = time.monotonic()
        home.tool("bench_load", "flood", args.count, "-")
        submitted = time.monotonic() - began
        if not home.drained():
            sys.exit("the services did not catch up")
        seconds = time.monotonic() - began
        out["referrals/s, submitted"] = args.count / submitted
        out["referrals/s, to an owner"] = args.count / seconds
        used = {service: (us - before[service]) / args.count for service, us in home.cpu().items()}
        out.update({f"CPU us, {service}": us for service, us in used.items()})
        out["CPU us, all but the gateway"] = sum(us for service, us in used.items() if service != "gateway")
        home.tool("bench_load", "steady", args.rate, args.seconds, os.path.join(home.path, "s1"))
        if not home.drained():
            sys.exit("the services did not catch up")
        waits = waits_of(home)
        out["ms receipt to owner, p50"] = waits[len(waits) // 2]
        out["ms receipt to owner, p99"] = waits[int(len(waits) * 0.99)]
        return out
    finally:
        home.close()


results = []
for n in range(args.runs):
    results.append(run())
    print(f"run {n + 1} of {args.runs} done", file=sys.stderr)
print(f"{args.runs} runs of {args.count} referrals; {args.rate}/s for {args.seconds} s\n")
for name in results[0]:
    values = [r[name] for r in results]
    print(f"{name:32}{statistics.median(values):12.1f}  ({min(values):.1f}..{max(values):.1f})")
