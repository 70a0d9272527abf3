"""Real clients of both eras through the gateway to real servers (issue 3, done when 4): the official SDKs 1.x and 2.x over
every transport, and the inspector's command line, against server-everything, server-memory and context7."""
import json
import os
import subprocess
import unittest

import eras_case
import processes
import scratch
from eras_case import EraCase
from gateway import SLOW, Gateway

TIME_LIMIT = 600
CLIENTS = [("v1", "http"), ("v1", "sse"), ("v1", "stdio"), ("v2-legacy", "http"), ("v2-legacy", "sse"), ("v2-legacy", "stdio"),
           ("v2-modern", "http"), ("v2-modern", "stdio")]
SERVERS = {"everything": "everything", "everything-http": "everything", "memory": "memory", "context7": "context7"}


class Clients(EraCase):
    @classmethod
    def setUpClass(cls):
        cls.gateway = Gateway("eras").__enter__()
        cls.addClassCleanup(cls.gateway.close)
        options = eras_case.FORWARD
        cls.gateway.add_everything("everything", options=options)
        notes = scratch.folder("memory", 0o777)
        cls.gateway.add("memory", scratch.node_binary(), scratch.node_module("@modelcontextprotocol", "server-memory", "dist", "index.js"),
                        paths=["rw:" + notes], env=["MEMORY_FILE_PATH=" + os.path.join(notes, "memory.jsonl")], options=options)
        cls.gateway.add("context7", scratch.node_binary(), scratch.node_module("@upstash", "context7-mcp", "dist", "index.js"),
                        options=options)
        cls.remote = cls.start_http_server()
        cls.addClassCleanup(cls.remote.stop)
        cls.gateway.add_http("everything-http", "http://127.0.0.1:%d/mcp" % cls.remote.port, *options)

    @classmethod
    def start_http_server(cls):
        port = processes.free_port()
        return processes.Beside(
            [scratch.node_binary(), "--import", os.path.join(scratch.node_folder(), "loopback.mjs"),
             scratch.node_module("@modelcontextprotocol", "server-everything", "dist", "index.js"), "streamableHttp"],
            port, os.path.join(cls.gateway.folder, "remote.log"), {"PORT": str(port)})

    # --- the inspector: one method, one process

    def inspect(self, era, server, method, *args):
        env = self.environment("inspector-%s-%s" % (era, server), server)
        ran = subprocess.run(
            [scratch.node_binary(), scratch.node_module(".bin", "mcp-inspector"), "--cli", "%s/mcp/%s" % (env["BASE"], server),
             "--transport", "http", "--protocol-era", era, "--header", "Authorization: Bearer " + env["TOKEN"],
             "--stored-auth-only", "--format", "json", "--method", method, *args],
            env=env, capture_output=True, text=True, timeout=60 * SLOW, stdin=subprocess.DEVNULL)
        why = "inspector, %s, %s on %s: exit code %d\n%s\n%s" % (era, method, server, ran.returncode, ran.stdout[-1500:], ran.stderr[-2500:])
        try:
            return json.loads(ran.stdout)["result"], why
        except (ValueError, KeyError):
            return None, why

    def inspected(self, era, steps):
        """`steps`: (server, method, arguments, what must hold of the result)."""
        for server, method, args, holds in steps:
            result, why = self.inspect(era, server, method, *args)
            if result is None or not holds(result):
                self.judge(False, why)
                return
        self.judge(True, "")

    def inspector_steps(self, era):
        entity = {"name": "inspector " + era, "entityType": "test", "observations": ["was here"]}
        return [
            ("everything", "tools/list", [], lambda r: {"echo", "get-sum"} <= {tool["name"] for tool in r["tools"]}),
            ("everything", "tools/call", ["--tool-name", "echo", "--tool-arg", "message=hello"],
             lambda r: r["content"][0]["text"] == "Echo: hello"),
            ("everything", "resources/read", ["--uri", "demo://resource/dynamic/text/3"], lambda r: "3" in r["contents"][0]["text"]),
            ("everything", "prompts/list", [], lambda r: "args-prompt" in {prompt["name"] for prompt in r["prompts"]}),
            ("memory", "tools/call", ["--tool-name", "create_entities", "--tool-args-json", json.dumps({"entities": [entity]})],
             lambda r: r["structuredContent"] == {"entities": [entity]}),
            ("context7", "tools/list", [], lambda r: len(r["tools"]) == 2),
        ]

    def test_inspector_legacy(self):
        self.inspected("legacy", self.inspector_steps("legacy"))

    def test_inspector_modern(self):
        self.inspected("modern", self.inspector_steps("modern"))


def case_of(kind, transport, server):
    def test(self):
        self.scenario(kind, transport, SERVERS[server], server)
    return test


for _kind, _transport in CLIENTS:
    for _server in SERVERS:
        _name = "test_%s_over_%s_to_%s" % (_kind.replace("-", "_"), _transport, _server.replace("-", "_over_"))
        setattr(Clients, _name, case_of(_kind, _transport, _server))

if __name__ == "__main__":
    unittest.main()
