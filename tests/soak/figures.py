"""What the soak measures and prints: memory and descriptors of the gateway over time, counts, and what of it is wrong."""
import asyncio
import glob
import json
import os
import statistics
import time

import processes

FLAT = 1.05


class Figures:
    def __init__(self, soak):
        self.soak, self.samples = soak, []

    def sample(self):
        pid = self.soak.gateway.process.pid
        found = {"at": time.monotonic(), "resident": processes.resident_kib(pid),
                 "descriptors": len(os.listdir("/proc/%d/fd" % pid)), "threads": len(os.listdir("/proc/%d/task" % pid))}
        self.samples.append(found)
        return found

    async def watch(self):
        number = 0
        while True:
            now = self.sample()
            if number % 10 == 0:
                self.soak.gateway.note_processes()
                self.line(now)
            number += 1
            await asyncio.sleep(1)

    def total(self, what):
        return sum(n for (kind, _), n in self.soak.count.items() if kind == what)

    def line(self, now):
        print("%4d s  %6d calls: %d right, %d dropped, %d of dead servers, %d faults | %.1f MiB, %d descriptors, %d threads, %d processes" % (
            now["at"] - self.soak.began, self.total("sent"), self.total("right"), self.total("dropped"), self.total("dead"),
            sum(self.soak.faults.values()), now["resident"] / 1024, now["descriptors"], now["threads"],
            len(processes.with_mark(self.soak.gateway.mark))), flush=True)

    def window(self, name, begin, end):
        """Median of a figure between two fractions of the time."""
        span = self.soak.until - self.soak.began
        found = [s[name] for s in self.samples if begin <= (s["at"] - self.soak.began) / span <= end]
        return statistics.median(found) if found else 0

    def flat(self, name, unit):
        after, end = self.window(name, 0.2, 0.3), self.window(name, 0.9, 1.0)
        grown = end / after if after else 0
        print("%-12s %8.1f after the warm-up, %8.1f at the end: %+.1f %%" % (name, after / unit, end / unit, 100 * (grown - 1)))
        return [] if 0 < grown <= FLAT else ["%s grew from %.1f to %.1f" % (name, after / unit, end / unit)]

    def table(self):
        """Prints; what was wrong."""
        count, eras = self.soak.count, sorted({era for _, era in self.soak.count})
        kinds = ("opened", "lists", "sent", "right", "dropped", "dead")
        print("\n%-18s" % "clients" + "".join("%10s" % kind for kind in kinds) + "   (dead: the server had died, the error says so)")
        for era in eras:
            print("%-18s" % era + "".join("%10d" % count[kind, era] for kind in kinds))
        print("%-18s" % "all" + "".join("%10d" % self.total(kind) for kind in kinds))
        print("\n%-18s%10s%24s" % ("servers", "deaths", "back after, median/max s"))
        for server in self.soak.servers:
            back = server.back or [float("nan")]
            print("%-18s%10d%17.1f / %.1f" % (server.name, server.kills, statistics.median(back), max(back)))
        for (name, said), number in sorted(self.soak.dead_codes.items()):
            print("  %6d x %s: %s" % (number, name, said))
        print()
        return self.flat("resident", 1024) + self.flat("descriptors", 1) + self.unaccounted()

    def unaccounted(self):
        wrong = ["%d x %s" % (number, fault) for fault, number in self.soak.faults.most_common(10)]
        rest = self.total("sent") - self.total("right") - self.total("dropped") - self.total("dead") - sum(self.soak.faults.values())
        if rest > 0:
            wrong.append("%d calls of which nobody knows what became" % rest)
        return wrong + ["%s never answered again after its last death" % s.name for s in self.soak.servers
                        if s.down_since and self.soak.until - s.down_since > 80]

    def open_ends(self):
        """Calls that the audit saw begin and not end. The gateway has stopped."""
        begun, ended = set(), set()
        for path in glob.glob(os.path.join(self.soak.gateway.home, "audit", "seg-*.jsonl")):
            with open(path, "rb") as file:
                for line in file:
                    record = json.loads(line)
                    if record.get("event_type") == "tool_execution":
                        (begun if record["kind"] == "intent" else ended).add(record["request_id"])
        print("audit        %8d calls begun, %d without an end" % (len(begun), len(begun - ended)))
        return ["%d calls in the audit never ended" % len(begun - ended)] if begun - ended else []
