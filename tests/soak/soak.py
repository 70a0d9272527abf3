#!/usr/bin/env python3
"""make soak: clients of every era against one gateway for SOAK_SECONDS (600), while one of its five tool servers dies every
ten seconds (issue 3, done when 5).

    SOAK_SECONDS=120 SOAK_CLIENTS=200 tests/soak/soak.py

Each client opens, calls with a marker of its own, goes away in the middle of some calls, and opens again. What must hold:
each request is answered once, by its own answer, or its client went away, or its server had died and the error says so;
the gateway's memory and descriptors after the warm-up (a fifth of the time) are those at the end within 5 %; no process is
left; the audit is whole. A line each ten seconds, a table at the end; exit code 0 when all held.
"""
import asyncio
import os
import random
import shutil
import signal
import sys
import time
import traceback
from collections import Counter

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [os.path.join(os.path.dirname(HERE), "support")]
sys.dont_write_bytecode = True
import clients  # noqa: E402
import figures  # noqa: E402
import http_sse  # noqa: E402
import scratch  # noqa: E402
import upstreams  # noqa: E402
from gateway import Gateway  # noqa: E402
from wire import Dropped, Fault, Lost  # noqa: E402

SECONDS = float(os.environ.get("SOAK_SECONDS", "600"))
CLIENTS = int(os.environ.get("SOAK_CLIENTS", "200"))
KEYS = 4
PATIENCE = 45  # longer than the gateway's own deadline of a call
MOURNING = 75  # a server that died may be resting this long: the breaker's minute, and the next start
WEIGHTS = (30, 30, 25, 5, 10)  # of the five servers: a modern server of the SDK builds itself anew for each request
CLEAN = (-31502, -31503, -31504)
SETTINGS = {"sessions.max_per_principal": 1000, "sessions.idle_minutes": 1, "limits.connections_per_address": 2000, "log.level": "warning"}
ERAS = ("2025-03-26", "2025-06-18", "2025-11-25")


class Soak:
    def __init__(self, gateway):
        self.gateway, self.port, self.environment = gateway, gateway.port, gateway.environment()
        self.secrets = [gateway.key("soak-%d" % n).secret for n in range(KEYS)]
        self.stdio_command = [gateway.binary, "--home", gateway.home, "stdio"]
        self.servers = upstreams.all_of_them(gateway)
        self.count, self.faults, self.marks = Counter(), Counter(), 0
        self.dead_codes = Counter()  # what was said of dead servers
        self.figures = figures.Figures(self)
        self.began = time.monotonic()
        self.until = self.began + SECONDS

    # --- one client

    def client(self, number):
        kind = number % 20
        if kind == 0:
            return clients.Stdio(number, self, modern=number % 40 == 0)
        if kind in (11, 12) and self.has_sse:
            return http_sse.HttpSse(number, self)
        if kind < 10:
            return clients.Modern(number, self)
        return clients.Legacy(number, self, ERAS[number % len(ERAS)])

    def fault(self, what):
        self.faults[what[:400]] += 1
        if len(self.faults) <= 20 and self.faults[what[:400]] == 1:
            print("FAULT after %d s: %s" % (time.monotonic() - self.began, what[:1500]), flush=True)

    async def lives(self, number):
        await asyncio.sleep(random.random() * 3)
        while time.monotonic() < self.until:
            client = self.client(number)
            try:
                await self.life(client)
            except (Lost, OSError) as error:
                self.fault("%s: a connection was lost: %s" % (client.era, error))
            except Fault as fault:
                self.fault("%s: %s" % (client.era, fault))
            except asyncio.TimeoutError:
                self.fault("%s: no answer within %d s" % (client.era, PATIENCE))
            except Exception:
                self.fault("%s: %s" % (client.era, traceback.format_exc()[-1200:]))
            await asyncio.sleep(random.random())

    async def life(self, client):
        await asyncio.wait_for(client.open(), PATIENCE)
        self.count["opened", client.era] += 1
        try:
            for _ in range(random.randrange(5, 40)):
                if time.monotonic() > self.until:
                    break
                await self.act(client)
                await asyncio.sleep(random.uniform(0.4, 1.6))
        finally:
            await asyncio.wait_for(client.leave(random.random() < 0.97), PATIENCE)

    async def act(self, client):
        chance = random.random()
        if chance < 0.03:
            await client.listen(random.uniform(0.2, 2))
        elif chance < 0.06:
            await asyncio.wait_for(self.lists(client), PATIENCE)
        else:
            await asyncio.wait_for(self.call(client, random.choices(self.servers, WEIGHTS)[0]), PATIENCE)

    async def lists(self, client):
        asked_at = time.monotonic()
        _, answer, _ = await client.ask("tools/list", {})
        names = {tool["name"].split("_")[0] for tool in answer.get("result", {}).get("tools", [])}
        missing = [s.name for s in self.servers if s.name not in names and asked_at - s.died > MOURNING]
        if missing:
            raise Fault("tools/list lacks %s: %.300r" % (missing, answer))
        self.count["lists", client.era] += 1

    async def call(self, client, server):
        self.marks += 1
        deed = server.deed("%d-%d" % (client.number, self.marks))
        params = {"name": server.name + "_" + deed.tool, "arguments": deed.arguments}
        if deed.meta:
            params["_meta"] = deed.meta
        drop = random.uniform(0, 0.3) if deed.slow and random.random() < 0.3 else None
        asked_at = time.monotonic()
        self.count["sent", client.era] += 1
        try:
            status, answer, notes = await client.ask("tools/call", params, drop, deed.headers)
        except Dropped:
            self.count["dropped", client.era] += 1
            return
        self.judge(client, server, deed, (status, answer, notes), asked_at)

    def judge(self, client, server, deed, got, asked_at):
        status, answer, notes = got
        error = answer.get("error")
        if error:
            if error["code"] not in CLEAN or asked_at - server.died > MOURNING or status not in (200, 502, 503, 504):
                raise Fault("%s of %s: %d %s" % (deed.tool, server.name, status, error))
            self.count["dead", client.era] += 1
            self.dead_codes[server.name, error["message"]] += 1
            return
        result = answer["result"]
        if result.get("isError"):
            raise Fault("%s of %s failed: %.400s" % (deed.tool, server.name, result))
        if not deed.right(result, notes):
            raise Fault("cross-talk? %s of %s asked with %s: %.400s %.800s" % (deed.tool, server.name, deed.arguments, result, notes))
        self.count["right", client.era] += 1
        server.answered(asked_at)

    # --- what happens around them

    async def deaths(self):
        number = 0
        while time.monotonic() + 10 < self.until:
            await asyncio.sleep(10)
            victim = self.servers[number % len(self.servers)]
            number += 1
            victim.kill(self.gateway)

    async def run(self):
        self.has_sse = await http_sse.served(self.port, self.secrets[0])
        around = [asyncio.ensure_future(self.deaths()), asyncio.ensure_future(self.figures.watch())]
        try:
            await asyncio.gather(*(self.lives(number) for number in range(CLIENTS)))
        finally:
            for task in around:
                task.cancel()
        for task in around:
            if not task.cancelled() and task.done() and task.exception():
                raise task.exception()


def soak():
    """The faults of the whole: [] when all held."""
    with Gateway("soak", SETTINGS) as gateway:
        run = Soak(gateway)
        try:
            asyncio.run(run.run())
        finally:
            for server in run.servers:
                if hasattr(server, "stop"):
                    server.stop()
        gateway.note_processes()
        wrong = run.figures.table()
        gateway.assert_alive()
    wrong += run.figures.open_ends()
    return wrong


def main():
    def stop(number, frame):
        raise KeyboardInterrupt
    signal.signal(signal.SIGTERM, stop)
    folder = scratch.base()
    try:
        wrong = soak()
    except (AssertionError, KeyboardInterrupt) as error:
        wrong = [str(error) or "interrupted"]
    finally:
        if os.environ.get("SALLYPORT_TEST_KEEP"):
            print("kept: " + folder)
        else:
            shutil.rmtree(folder, ignore_errors=True)
    print("\n".join("WRONG: " + line for line in wrong) or "all held")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
