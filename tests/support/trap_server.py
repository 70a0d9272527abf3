#!/usr/bin/env python3
"""A server of the traps (mcp-spec.md, 10): legacy by default, of 2026-07-28 with --modern; over stdio, or HTTP with --http PORT.

    --name NAME   what its resource and prompt say, so that one knows whose they are
    --late        the first list of tools is short: while it is on its way another tool comes, and that is said before it
    --slow SECONDS  needs so long to start
    --record FILE every message that arrives, a line each

Built on rogue_server.py: all its tools are here too. Over HTTP the tool `walled` is answered by 401 with a challenge, and
`walled_later` by a stream that says one thing and breaks; who comes back for the rest meets 401.
"""
import argparse
import json
import os
import sys
import threading
import time

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
sys.dont_write_bytecode = True
import rogue_server  # noqa: E402
from rogue_server import answer, dumps, error, text  # noqa: E402

PREFIX = "io.modelcontextprotocol/"
MODERN = "2026-07-28"
CHALLENGE = 'Bearer resource_metadata="http://127.0.0.1:9/.well-known/evil", scope="everything"'
OPTIONS = argparse.Namespace(modern=False, name="trap", late=False)


def listed(name, properties=None, **more):
    return {"name": name, "inputSchema": {"type": "object", "properties": properties or {}}, **more}


TOOLS = [
    listed("good_header", {"region": {"type": "string", "x-mcp-header": "Region"}}),
    listed("bad_header_number", {"n": {"type": "number", "x-mcp-header": "N"}}),
    listed("bad_header_name", {"n": {"type": "string", "x-mcp-header": "not a token"}}),
    listed("bad_header_twice", {"a": {"type": "string", "x-mcp-header": "Same"}, "b": {"type": "string", "x-mcp-header": "same"}}),
    listed("bad_header_in_items", {"a": {"type": "array", "items": {"type": "string", "x-mcp-header": "Inner"}}}),
    listed("only_task", execution={"taskSupport": "required"}),
    listed("may_task", execution={"taskSupport": "optional"}),
    listed("echo_id"), listed("count_arguments"), listed("step"), listed("touch"), listed("mystery"), listed("tasked"),
    listed("untyped"), listed("walled"), listed("walled_later"),
]


class Traps:
    """Tools as methods, like rogue_server.Rogue's."""

    listeners = []  # (peer, id) of subscriptions/listen
    listings = 0

    def echo_id(self, peer, rid, message):
        return text("done")

    good_header = may_task = only_task = echo_id

    def count_arguments(self, peer, rid, message):
        params = message["params"]
        return text("absent" if "arguments" not in params else dumps(params["arguments"]).decode())

    def step(self, peer, rid, message):
        token = message["params"].get("_meta", {}).get("progressToken")
        if token is not None:
            peer.line(dumps({"jsonrpc": "2.0", "method": "notifications/progress", "params": {"progressToken": token, "progress": 1}}))
        return text("stepped")

    def touch(self, peer, rid, message):
        for other, listen_id in self.listeners:
            params = {"_meta": {PREFIX + "subscriptionId": listen_id}} if OPTIONS.modern else {}
            other.line(dumps({"jsonrpc": "2.0", "method": "notifications/tools/list_changed", "params": params}))
        if not OPTIONS.modern:
            peer.line(dumps({"jsonrpc": "2.0", "method": "notifications/tools/list_changed"}))
        return text("touched")

    def mystery(self, peer, rid, message):
        return {**text("of a type that nobody knows"), "resultType": "mystery"}

    def tasked(self, peer, rid, message):
        return {"resultType": "task", "taskId": "t1", "status": "working", "ttlMs": 1000, "createdAt": "2026-11-21T00:00:00Z",
                "lastUpdatedAt": "2026-11-21T00:00:00Z", **text("a task that nobody asked for")}

    def untyped(self, peer, rid, message):
        return {**text("without a type"), "resultType": None}


TRAPS = Traps()


def discover():
    return {"supportedVersions": [MODERN], "capabilities": capabilities(), "ttlMs": 0, "cacheScope": "public"}


def capabilities():
    return {"tools": {"listChanged": True}, "resources": {"listChanged": True}, "prompts": {"listChanged": True}}


def tools(peer):
    if OPTIONS.late:
        TRAPS.listings += 1
        if TRAPS.listings == 1:
            peer.line(dumps({"jsonrpc": "2.0", "method": "notifications/tools/list_changed"}))
        return [listed("early")] + ([listed("late")] if TRAPS.listings > 1 else [])
    return TOOLS + rogue_server.tool_list()["tools"]


def lists(method, peer):
    return {
        "tools/list": lambda: {"tools": tools(peer)},
        "resources/list": lambda: {"resources": [{"uri": "trap://same", "name": "same"}]},
        "resources/templates/list": lambda: {"resourceTemplates": []},
        "prompts/list": lambda: {"prompts": [{"name": "greet", "description": OPTIONS.name}]},
    }.get(method)


def result_of(peer, message):
    """What to answer; None where nothing is or where it is said already."""
    method, params = message["method"], message.get("params") or {}
    if method == "server/discover" and OPTIONS.modern:
        return discover()
    if method == "initialize" and not OPTIONS.modern:
        return {**rogue_server.initialize(params), "capabilities": {**capabilities(), "logging": {}}}
    if lists(method, peer):
        return {**lists(method, peer)(), "ttlMs": 60_000, "cacheScope": "public"} if OPTIONS.modern else lists(method, peer)()
    if method == "resources/read":
        return {"contents": [{"uri": params["uri"], "text": "of " + OPTIONS.name}],
                **({"ttlMs": 60_000, "cacheScope": "public"} if OPTIONS.modern else {})}
    if method == "prompts/get":
        return {"messages": [{"role": "user", "content": {"type": "text", "text": "of " + OPTIONS.name}}]}
    if method == "subscriptions/listen" and OPTIONS.modern:
        TRAPS.listeners.append((peer, message["id"]))
        peer.line(dumps({"jsonrpc": "2.0", "method": "notifications/subscriptions/acknowledged", "params": {
            "notifications": params.get("notifications", {}), "_meta": {PREFIX + "subscriptionId": message["id"]}}}))
        return None
    if method == "tools/call" and hasattr(TRAPS, params.get("name", "")):
        return getattr(TRAPS, params["name"])(peer, message["id"], message)
    return NotImplemented


ROGUES = rogue_server.handle


def handle(peer, message):
    result = result_of(peer, message)
    if result is NotImplemented:
        if message["method"] == "initialize":
            return peer.line(error(message["id"], -32601, "method not found"))
        return ROGUES(Typed(peer) if OPTIONS.modern else peer, message)
    if result is None:
        return None
    if OPTIONS.modern:
        result = {"resultType": "complete", **result}
    peer.line(answer(message["id"], {k: v for k, v in result.items() if v is not None}))


class Typed:
    """A peer that puts resultType into the answers of rogue_server's tools."""

    def __init__(self, peer):
        self.peer, self.raw, self.gap = peer, peer.raw, peer.gap

    def line(self, data):
        message = rogue_server.read_message(data)
        if message and isinstance(message.get("result"), dict):
            data = dumps({**message, "result": {"resultType": "complete", **message["result"]}})
        self.peer.line(data)


class Handler(rogue_server.Handler):
    streaming = rogue_server.Handler.streaming | {"step", "touch"}

    def do_GET(self):
        """Only who comes back for the rest of a stream comes here."""
        self.server.record(b"GET " + (self.headers.get("Last-Event-ID") or "").encode())
        self.wall() if self.headers.get("Last-Event-ID") else self.status(405)

    def wall(self):
        self.send_response(401)
        self.send_header("WWW-Authenticate", CHALLENGE)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def single(self, message):
        name = (message.get("params") or {}).get("name")
        if name == "walled":
            return self.wall()
        if name == "walled_later":
            return self.half_a_stream(message)
        super().single(message)

    def half_a_stream(self, message):
        self.send_response(200)
        self.send_header("Content-Type", "text/event-stream")
        self.send_header("Connection", "close")
        self.end_headers()
        self.close_connection = True
        note = {"jsonrpc": "2.0", "method": "notifications/message", "params": {"level": "info", "data": "begun"}}
        self.wfile.write(b"id: e-1\nretry: 10\ndata: " + dumps(note) + b"\n\n")
        self.wfile.flush()


def serve_stdio(record):
    lock = threading.Lock()

    def raw(data):
        with lock:
            sys.stdout.buffer.write(data)
            sys.stdout.buffer.flush()

    peer = rogue_server.Peer(raw, lambda data: raw(data + b"\n"), b"\r")
    for line in iter(sys.stdin.buffer.readline, b""):
        record(line.rstrip(b"\n"))
        message = json.loads(line)
        if "method" in message and "id" in message:
            threading.Thread(target=handle, args=(peer, message), daemon=True).start()


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--http", type=int, metavar="PORT")
    parser.add_argument("--record", metavar="FILE")
    parser.add_argument("--modern", action="store_true")
    parser.add_argument("--late", action="store_true")
    parser.add_argument("--slow", type=float, default=0)
    parser.add_argument("--name", default="trap")
    parser.parse_args(namespace=OPTIONS)
    time.sleep(OPTIONS.slow)
    record = rogue_server.Recorder(OPTIONS.record)
    rogue_server.handle, rogue_server.Handler = handle, Handler
    if OPTIONS.http is None:
        serve_stdio(record)
    else:
        rogue_server.serve_http(OPTIONS.http, record)


if __name__ == "__main__":
    main()
