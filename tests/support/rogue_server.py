#!/usr/bin/env python3
"""A rogue MCP server for abuse tests: initialize and tools/list are correct, the tools misbehave as their names say.

    rogue_server.py [--record FILE]              over stdio
    rogue_server.py --http PORT [--record FILE]  Streamable HTTP on 127.0.0.1; 0 picks a port; prints "PORT n\\n"

--record FILE appends every raw line (stdio) or body (HTTP) received, newline-terminated, so that a test can count what
really arrived and prove that no second message was smuggled. Python 3.9 and later, standard library only.
"""

import argparse
import http.server
import itertools
import json
import os
import sys
import threading
import time

VERSIONS = ("2024-11-05", "2025-03-26", "2025-06-18", "2025-11-25")
HUGE_BYTES = 64 * 1024 * 1024
FLOOD_LINES = 20_000

NO_ARGUMENTS = {"type": "object", "properties": {}}
ANY_ARGUMENTS = {"type": "object"}

# name -> (description, input schema)
TOOLS = {
    "echo": ("returns the arguments verbatim as text", ANY_ARGUMENTS),
    "garbage_line": ("writes lines that are no JSON, then answers", NO_ARGUMENTS),
    "half_line": ("writes half an answer and exits", NO_ARGUMENTS),
    "huge_result": ("a result of `bytes` (default 64 MiB)",
                    {"type": "object", "properties": {"bytes": {"type": "integer", "minimum": 0}}}),
    "foreign_id": ("answers an id nobody asked with; the real answer never comes", NO_ARGUMENTS),
    "double_answer": ("answers twice, with different texts", NO_ARGUMENTS),
    "crlf_result": ("an answer with CR and LF between its JSON tokens", NO_ARGUMENTS),
    "slow": ("answers after `seconds`",
             {"type": "object", "properties": {"seconds": {"type": "number", "minimum": 0}}, "required": ["seconds"]}),
    "slow_echo": ("the arguments as text, after `seconds`", ANY_ARGUMENTS),
    "die": ("exits in the middle of the call", NO_ARGUMENTS),
    "no_answer": ("never answers", NO_ARGUMENTS),
    "stderr_flood": ("writes 20,000 lines to stderr, then answers", NO_ARGUMENTS),
    "wrong_type": ("a result that is a number", NO_ARGUMENTS),
    "wrong_content": ("a result whose content is a string", NO_ARGUMENTS),
    "big_number": ("numbers 1e999 and 2^80 in the result", NO_ARGUMENTS),
    "invalid_utf8": ("bytes that are no UTF-8 in the result", NO_ARGUMENTS),
    "duplicate_keys": ("a result with a key twice", NO_ARGUMENTS),
    "deep_result": ("10,000 nested arrays in the result", NO_ARGUMENTS),
    "breaks_output_schema": ("structuredContent that its outputSchema forbids", NO_ARGUMENTS),
    "asks": ("sends roots/list and sampling/createMessage to the client, then answers with what came back", NO_ARGUMENTS),
    "wants_url": ("-32042 with one URL at each first call, then an answer", NO_ARGUMENTS),
    "progress": ("five progress notifications, then an answer", NO_ARGUMENTS),
    "flood": ("20,000 log notifications, then an answer", NO_ARGUMENTS),
    "leak_environment": ("the environment it was started with", NO_ARGUMENTS),
}


def tool_list():
    tools = [{"name": name, "description": text, "inputSchema": schema} for name, (text, schema) in TOOLS.items()]
    for tool in tools:
        if tool["name"] == "breaks_output_schema":
            tool["outputSchema"] = {"type": "object", "properties": {"n": {"type": "integer"}}, "required": ["n"]}
    return {"tools": tools}


def dumps(value):
    return json.dumps(value, separators=(",", ":"), ensure_ascii=False).encode("utf-8", "surrogatepass")


def answer(request_id, result):
    return dumps({"jsonrpc": "2.0", "id": request_id, "result": result})


def error(request_id, code, message):
    return dumps({"jsonrpc": "2.0", "id": request_id, "error": {"code": code, "message": message}})


def text(content):
    return {"content": [{"type": "text", "text": content}]}


class Peer:
    """Where messages go: `raw` writes bytes as they are, `line` adds what the transport puts around one message."""

    def __init__(self, raw, line, gap):
        self.raw, self.line, self.gap = raw, line, gap
        self.answers = {}
        self.asked = itertools.count(1)
        self.arrived = threading.Condition()

    def took_answer(self, message):
        with self.arrived:
            self.answers[message.get("id")] = message
            self.arrived.notify_all()

    def ask(self, name, method, params):
        request_id = "%s-%d" % (name, next(self.asked))
        self.line(dumps({"jsonrpc": "2.0", "id": request_id, "method": method, "params": params}))
        with self.arrived:
            self.arrived.wait_for(lambda: request_id in self.answers, timeout=30)
            return self.answers.pop(request_id, "no answer within 30 s")


class Rogue:
    """The misbehaviour, one method a tool: self.NAME(peer, id, arguments, meta)."""

    def garbage_line(self, peer, rid, arguments, meta):
        peer.line(b"this is no JSON")
        peer.line(b'{"jsonrpc":"2.0","id":')
        peer.line(b"\x00\x01\x02")
        peer.line(answer(rid, text("after the garbage")))

    def half_line(self, peer, rid, arguments, meta):
        peer.raw(answer(rid, text("never complete"))[:30])
        os._exit(0)

    def huge_result(self, peer, rid, arguments, meta):
        peer.line(answer(rid, text("A" * int(arguments.get("bytes", HUGE_BYTES)))))

    def foreign_id(self, peer, rid, arguments, meta):
        for foreign in (987654321, "nobody-asked", None):
            peer.line(answer(foreign, text("for somebody else")))

    def double_answer(self, peer, rid, arguments, meta):
        peer.line(answer(rid, text("first")))
        peer.line(answer(rid, text("second")))

    def crlf_result(self, peer, rid, arguments, meta):
        # With {"lf": true} on stdio too, where LF makes broken lines of it; with {"event": true} a false SSE event.
        gap = b"\r\n\r\ndata: smuggled\r\n\r\n" if arguments.get("event") else b"\r\n" if arguments.get("lf") else peer.gap
        peer.line(b'{"jsonrpc":"2.0",' + gap + b'"id":' + dumps(rid) + b"," + gap + b'"result":' + gap +
                  dumps(text("with line ends")) + b"}")

    def slow(self, peer, rid, arguments, meta):
        time.sleep(float(arguments.get("seconds", 1)))
        peer.line(answer(rid, text("slept")))

    def slow_echo(self, peer, rid, arguments, meta):
        time.sleep(float(arguments.get("seconds", 1)))
        self.echo(peer, rid, arguments, meta)

    def die(self, peer, rid, arguments, meta):
        os._exit(3)

    def no_answer(self, peer, rid, arguments, meta):
        pass

    def stderr_flood(self, peer, rid, arguments, meta):
        for n in range(FLOOD_LINES):
            sys.stderr.write("flood %d %s\n" % (n, "x" * 100))
        sys.stderr.flush()
        peer.line(answer(rid, text("flooded")))

    def wrong_type(self, peer, rid, arguments, meta):
        peer.line(answer(rid, 42))

    def wrong_content(self, peer, rid, arguments, meta):
        peer.line(answer(rid, {"content": "not a list"}))

    def big_number(self, peer, rid, arguments, meta):
        result = dumps(text("big"))[:-1] + b',"structuredContent":{"inf":1e999,"wide":%d}}' % (2 ** 80)
        peer.line(b'{"jsonrpc":"2.0","id":' + dumps(rid) + b',"result":' + result + b"}")

    def invalid_utf8(self, peer, rid, arguments, meta):
        peer.line(answer(rid, text("MARK")).replace(b"MARK", b"\xff\xfe\xc3("))

    def duplicate_keys(self, peer, rid, arguments, meta):
        peer.line(b'{"jsonrpc":"2.0","id":' + dumps(rid) + b',"result":{"content":[],"isError":false,"isError":true}}')

    def deep_result(self, peer, rid, arguments, meta):
        deep = b"[" * 10_000 + b"]" * 10_000
        peer.line(b'{"jsonrpc":"2.0","id":' + dumps(rid) + b',"result":{"content":[],"structuredContent":{"d":' + deep + b"}}}")

    def breaks_output_schema(self, peer, rid, arguments, meta):
        peer.line(answer(rid, {**text("n is a word"), "structuredContent": {"n": "a word"}}))

    def asks(self, peer, rid, arguments, meta):
        roots = peer.ask("rogue-roots", "roots/list", {})
        sample = peer.ask("rogue-sampling", "sampling/createMessage",
                          {"messages": [{"role": "user", "content": {"type": "text", "text": "spend"}}], "maxTokens": 10})
        peer.line(answer(rid, text(json.dumps([roots, sample]))))

    def wants_url(self, peer, rid, arguments, meta):
        self.visited = not getattr(self, "visited", False)
        if not self.visited:
            return peer.line(answer(rid, text("paid")))
        asked = {"mode": "url", "elicitationId": "e1", "url": "https://example.com/pay", "message": "Pay first"}
        peer.line(dumps({"jsonrpc": "2.0", "id": rid, "error": {
            "code": -32042, "message": "This request needs a visit", "data": {"elicitations": [asked]}}}))

    def progress(self, peer, rid, arguments, meta):
        token = meta.get("progressToken")
        for n in range(1, 6):
            params = {"progressToken": token if token is not None else "nobody's", "progress": n, "total": 5}
            peer.line(dumps({"jsonrpc": "2.0", "method": "notifications/progress", "params": params}))
        peer.line(answer(rid, text("done")))

    def flood(self, peer, rid, arguments, meta):
        for n in range(FLOOD_LINES):
            params = {"level": "info", "data": "flood %d" % n}
            peer.line(dumps({"jsonrpc": "2.0", "method": "notifications/message", "params": params}))
        peer.line(answer(rid, text("flooded")))

    def leak_environment(self, peer, rid, arguments, meta):
        peer.line(answer(rid, text(json.dumps(dict(os.environ)))))

    def echo(self, peer, rid, arguments, meta):
        peer.line(answer(rid, text(json.dumps(arguments, separators=(",", ":"), ensure_ascii=False))))


ROGUE = Rogue()


def initialize(params):
    version = params.get("protocolVersion")
    return {"protocolVersion": version if version in VERSIONS else VERSIONS[-1],
            "capabilities": {"tools": {}, "logging": {}}, "serverInfo": {"name": "rogue", "version": "1"}}


def handle(peer, message):
    """Serves one request; a tool may write anything, or nothing."""
    rid, method, params = message["id"], message.get("method"), message.get("params") or {}
    if method == "initialize":
        peer.line(answer(rid, initialize(params)))
    elif method in ("ping", "logging/setLevel"):
        peer.line(answer(rid, {}))
    elif method == "tools/list":
        peer.line(answer(rid, tool_list()))
    elif method == "tools/call" and params.get("name") in TOOLS:
        tool = getattr(ROGUE, params["name"])
        tool(peer, rid, params.get("arguments") or {}, params.get("_meta") or {})
    elif method == "tools/call":
        peer.line(error(rid, -32602, "unknown tool"))
    else:
        peer.line(error(rid, -32601, "method not found"))


class Recorder:
    def __init__(self, path):
        self.file = open(path, "ab", buffering=0) if path else None
        self.lock = threading.Lock()

    def __call__(self, line):
        if self.file:
            with self.lock:
                self.file.write(line + b"\n")


def read_message(raw):
    """The message, or None for what is no JSON object. Lenient on purpose: what a careless server would execute."""
    try:
        message = json.loads(raw)
    except ValueError:
        return None
    return message if isinstance(message, dict) else None


def serve_stdio(record):
    lock = threading.Lock()

    def raw(data):
        with lock:
            sys.stdout.buffer.write(data)
            sys.stdout.buffer.flush()

    peer = Peer(raw, lambda data: raw(data + b"\n"), b"\r")
    for line in iter(sys.stdin.buffer.readline, b""):
        record(line.rstrip(b"\n"))
        message = read_message(line)
        if message is None:
            continue
        if "method" not in message:
            peer.took_answer(message)
        elif "id" in message:
            threading.Thread(target=handle, args=(peer, message), daemon=True).start()


class Handler(http.server.BaseHTTPRequestHandler):
    """Streamable HTTP without sessions. One message: application/json; a tool that writes more gets an event stream."""

    protocol_version = "HTTP/1.1"
    streaming = {"asks", "progress", "flood", "garbage_line", "foreign_id", "double_answer"}
    asked = None  # the peer that waits for answers to its own requests

    def log_message(self, *_):
        pass

    def do_GET(self):
        self.status(405)

    def do_DELETE(self):
        self.status(405)

    def status(self, code):
        self.send_response(code)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def do_POST(self):
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        self.server.record(body.replace(b"\n", b"\\n"))
        message = read_message(body)
        if message is None:
            return self.status(400)
        if "method" not in message or "id" not in message:
            if Handler.asked and "method" not in message:
                Handler.asked.took_answer(message)
            return self.status(202)
        name = (message.get("params") or {}).get("name") if message.get("method") == "tools/call" else None
        if name in self.streaming:
            return self.stream(message)
        self.single(message)

    def stream(self, message):
        self.send_response(200)
        self.send_header("Content-Type", "text/event-stream")
        self.send_header("Connection", "close")
        self.end_headers()
        self.close_connection = True

        def raw(data):
            self.wfile.write(data)
            self.wfile.flush()

        peer = Peer(raw, lambda data: raw(b"event: message\ndata: " + data + b"\n\n"), b"\r\n")
        Handler.asked = peer
        handle(peer, message)

    def single(self, message):
        def raw(data):  # half an answer under a length that promises more
            self.head(len(data) + 1000)
            self.wfile.write(data)
            self.wfile.flush()

        sent = []

        def line(data):
            sent.append(True)
            self.head(len(data))
            self.wfile.write(data)
            self.wfile.flush()

        handle(Peer(raw, line, b"\r\n"), message)
        if not sent:  # no_answer: the connection stays open and silent
            self.server.silent.wait()

    def head(self, length):
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(length))
        self.end_headers()


def serve_http(port, record):
    server = http.server.ThreadingHTTPServer(("127.0.0.1", port), Handler)
    server.daemon_threads = True
    server.record = record
    server.silent = threading.Event()
    print("PORT %d" % server.server_address[1], flush=True)
    server.serve_forever()


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--http", type=int, metavar="PORT")
    parser.add_argument("--record", metavar="FILE")
    options = parser.parse_args()
    record = Recorder(options.record)
    if options.http is None:
        serve_stdio(record)
    else:
        serve_http(options.http, record)


if __name__ == "__main__":
    main()
