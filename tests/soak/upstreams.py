"""The soak's five tool servers, what a client may ask of each and how the answer must carry its marker, and their deaths."""
import collections
import json
import os
import random
import signal
import subprocess
import time

import processes
import scratch

# `right(result, notes)` says whether the answer is the caller's own.
Deed = collections.namedtuple("Deed", "tool arguments meta headers slow right")


def first_text(result):
    return result["content"][0]["text"]


def plain(tool, arguments, right, slow=False, headers=None):
    return Deed(tool, arguments, None, headers, slow, lambda result, notes: right(first_text(result)))


def add(mark):
    number = int(mark.replace("-", "9"))
    return plain("add", {"a": number, "b": 1}, lambda text: str(number + 1) in text)


def slow_sum(mark):
    number = int(mark.replace("-", "9"))
    return plain("slow_sum", {"numbers": [number, 2, 3], "step_ms": 150}, lambda text: str(number + 5) in text, slow=True)


def echo(mark):
    return plain("echo", {"mark": mark}, lambda text: json.loads(text) == {"mark": mark})


def slow_echo(mark):
    return plain("slow_echo", {"mark": mark, "seconds": 0.4}, lambda text: json.loads(text)["mark"] == mark, slow=True)


def progress(mark):
    def right(result, notes):
        tokens = {note["params"]["progressToken"] for note in notes if note["method"] == "notifications/progress"}
        steps = [note["params"]["progress"] for note in notes if note["method"] == "notifications/progress"]
        return first_text(result) == "done" and tokens == {mark} and steps == [1, 2, 3, 4, 5]
    return Deed("progress", {}, {"progressToken": mark}, None, False, right)


def region(mark):
    return plain("test_x_mcp_header", {"region": mark, "level": 7}, lambda text: json.loads(text) == {"region": mark, "level": 7},
                 headers={"Mcp-Param-Region": mark})


def form(mark):
    arguments = {"name": mark, "contactMethod": "phone", "phone": "1"}
    return plain("json_schema_2020_12_tool", arguments, lambda text: json.loads(text) == arguments)


def slow_steps(mark):
    def right(result, notes):
        return {note["params"]["progressToken"] for note in notes if note["method"] == "notifications/progress"} == {mark}
    return Deed("test_tool_with_progress", {}, {"progressToken": mark}, None, True, right)


class Server:
    """One tool server. `kill` ends it as a crash would; what is beside the gateway is started anew at once."""

    def __init__(self, name, deeds, program):
        self.name, self.deeds, self.program = name, deeds, program
        self.died, self.back, self.kills = float("-inf"), [], 0
        self.down_since = None  # the first death that no answer followed yet

    def deed(self, mark):
        return random.choice(self.deeds)(mark)

    def killed(self):
        self.died, self.kills = time.monotonic(), self.kills + 1
        self.down_since = self.down_since or self.died

    def answered(self, asked_at):
        """A call that began after the death was answered: how long that took."""
        if self.down_since and asked_at > self.died:
            self.back.append(time.monotonic() - self.down_since)
            self.down_since = None


class Inside(Server):
    """Over stdio: one process a principal, below the gateway."""

    def pids(self, gateway):
        return [pid for pid in processes.with_mark(gateway.mark)
                if self.program in processes.command_line(pid) and not processes.command_line(pid).split(" ")[0].endswith("bwrap")]

    def kill(self, gateway):
        self.killed()
        victims = self.pids(gateway)
        for pid in victims:
            try:
                os.kill(pid, signal.SIGKILL)
            except ProcessLookupError:
                pass


class Beside(Server):
    """Over HTTP: one process for all."""

    def start(self, folder):
        command, self.port = self.program, processes.free_port()
        self.command = [part.replace("@PORT@", str(self.port)) for part in command]
        self.log = os.path.join(folder, self.name + ".log")
        self.beside = processes.Beside(self.command, self.port, self.log)

    def kill(self, gateway):
        self.killed()
        self.beside.process.kill()
        self.beside.process.wait()
        with open(self.log, "ab") as out:
            self.beside.process = subprocess.Popen(self.command, stdin=subprocess.DEVNULL, stdout=out, stderr=out)

    def stop(self):
        self.beside.stop()


def all_of_them(gateway):
    node = [scratch.node_binary(), os.path.join(scratch.node_folder(), "upstream.mjs")]
    rogue = scratch.support_script("rogue_server.py")
    servers = [Inside("calc", [add, add, slow_sum], "sallyport-calculator"),
               Inside("pipe", [echo, slow_echo, progress], "rogue_server.py"),
               Beside("web", [echo, slow_echo, progress], ["/usr/bin/python3", rogue, "--http", "@PORT@"]),
               Beside("new", [region, form, slow_steps], [*node, "--http", "@PORT@", "--era", "modern"]),
               Inside("newpipe", [form, region, slow_steps], "upstream.mjs")]
    gateway.add_calculator("calc")
    gateway.add_python("pipe", "rogue_server.py")
    gateway.add("newpipe", *node, "--stdio", "--era", "modern")
    for server in servers:
        if isinstance(server, Beside):
            server.start(gateway.folder)
            gateway.add_http(server.name, "http://127.0.0.1:%d/mcp" % server.port)
    return servers
