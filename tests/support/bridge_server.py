#!/usr/bin/env python3
"""A tool server of either era, for attacks on the bridges between them.

    bridge_server.py legacy|modern               over stdio
    bridge_server.py legacy|modern --http PORT   Streamable HTTP on 127.0.0.1, without sessions

Python 3.9 and later, standard library only.
"""
import argparse
import contextlib
import http.server
import itertools
import json
import os
import sys
import threading
import time

PREFIX = "io.modelcontextprotocol/"
MODERN = "2026-07-28"
CAPABILITIES = {"tools": {"listChanged": True}, "resources": {"subscribe": True, "listChanged": True}}
FORM = {"message": "Your word?", "requestedSchema": {"type": "object", "properties": {"word": {"type": "string"}}}}
VISIT = {"mode": "url", "url": "https://example.com/", "message": "Visit"}
OPTIONS = argparse.Namespace()
STDOUT = threading.Lock()


def dumps(value):
    return json.dumps(value, separators=(",", ":")).encode()


def text(words):
    return {"content": [{"type": "text", "text": words}]}


def wants_input(state, params):
    return {"resultType": "input_required", "requestState": state, "inputRequests": {"k": {"method": "elicitation/create", "params": params}}}


def to_stdout(message):
    with STDOUT:
        sys.stdout.buffer.write(dumps(message) + b"\n")
        sys.stdout.buffer.flush()


class Refusal(Exception):
    """The JSON-RPC error that a call ends with."""


class Client:
    """What the gateway was asked and has answered (legacy, stdio), and what it wants to hear of."""

    def __init__(self):
        self.numbers = itertools.count(1)
        self.answers = {}
        self.arrived = threading.Condition()
        self.subscribed = set()  # legacy: URIs
        self.listening = []  # modern: (id, URIs, write)

    def took(self, message):
        with self.arrived:
            self.answers[message["id"]] = message
            self.arrived.notify_all()

    def ask(self, *questions):
        """Elicitations, all at once; their answers."""
        asked = {"q-%d" % next(self.numbers): params for params in questions}
        for rid, params in asked.items():
            to_stdout({"jsonrpc": "2.0", "id": rid, "method": "elicitation/create", "params": params})
        with self.arrived:
            self.arrived.wait_for(lambda: asked.keys() <= self.answers.keys(), 60)
            return [self.answers.pop(rid, None) for rid in asked]

    def updated(self, uri, more=""):
        note = {"jsonrpc": "2.0", "method": "notifications/resources/updated", "params": {"uri": uri, "more": more}}
        if uri in self.subscribed:
            to_stdout(note)
        for listen_id, uris, write in list(self.listening):
            if uri not in uris:
                continue
            with contextlib.suppress(OSError):  # who listened just went away
                write({**note, "params": {**note["params"], "_meta": {PREFIX + "subscriptionId": listen_id}}})

    def listen(self, message, write):
        """The entry of a subscriptions/listen, acknowledged."""
        rid, wanted = message["id"], message["params"]["notifications"]
        entry = (rid, wanted.get("resourceSubscriptions", []), write)
        self.listening.append(entry)
        write({"jsonrpc": "2.0", "method": "notifications/subscriptions/acknowledged",
               "params": {"notifications": wanted, "_meta": {PREFIX + "subscriptionId": rid}}})
        return entry

    def forget(self, listen_id):
        self.listening = [entry for entry in self.listening if entry[0] != listen_id]


CLIENT = Client()


class Tools:
    """A method a tool: takes the arguments and all params of the call."""

    executions = 0

    def params(self, arguments, params):
        return text(json.dumps(params))

    def executed(self, arguments, params):
        return text(str(self.executions))

    def watched(self, arguments, params):
        return text(json.dumps([uri for _, uris, _ in CLIENT.listening for uri in uris]))

    def refuse(self, arguments, params):
        """Does its work, then says with a code of its own that it refuses."""
        self.executions += 1
        raise Refusal({"code": arguments["code"], "message": "balance too low after booking"})

    def heavy(self, arguments, params):
        answers = CLIENT.ask(*[{**FORM, "message": "A" * arguments["bytes"]}] * arguments["count"])
        return text("%d refused" % sum("error" in answer for answer in answers if answer))

    def elicit(self, arguments, params):
        """Asks, and works for `seconds` on what it was told."""
        told = CLIENT.ask(FORM)[0]
        time.sleep(arguments.get("seconds", 0))
        return text(json.dumps(told))

    def ask(self, arguments, params):
        if "requestState" not in params:
            return wants_input("mine", {"mode": "form", **FORM})
        return text(json.dumps(params["inputResponses"]))

    def url(self, arguments, params):
        return text("visited") if "requestState" in params else wants_input("u", VISIT)

    def update(self, arguments, params):
        CLIENT.updated(arguments["uri"], "A" * arguments.get("bytes", 0))
        return text("told")

    def update_at(self, arguments, params):
        """As soon as `file` is there; takes it away then."""
        def wait():
            while not os.path.exists(arguments["file"]):
                time.sleep(0.01)
            CLIENT.updated(arguments["uri"])
            os.remove(arguments["file"])
        threading.Thread(target=wait, daemon=True).start()
        return text("will tell")


TOOLS = Tools()


def legacy(method, params):
    if method == "initialize":
        return {"protocolVersion": "2025-11-25", "capabilities": CAPABILITIES, "serverInfo": {"name": "bridge", "version": "1"}}
    if method == "resources/subscribe":
        CLIENT.subscribed.add(params["uri"])
    if method == "resources/unsubscribe":
        CLIENT.subscribed.discard(params["uri"])
    return {} if method in ("ping", "resources/subscribe", "resources/unsubscribe") else either(method, params)


def modern(method, params):
    result = {"supportedVersions": [MODERN], "capabilities": CAPABILITIES} if method == "server/discover" else either(method, params)
    return {"resultType": "complete", "ttlMs": 0, "cacheScope": "private", **result}


def either(method, params):
    if method == "tools/list":
        names = [name for name, value in vars(Tools).items() if callable(value)]
        return {"tools": [{"name": name, "inputSchema": {"type": "object"}} for name in names]}
    if method == "resources/list":
        return {"resources": [{"uri": "x://one", "name": "one"}]}
    if method == "resources/templates/list":
        return {"resourceTemplates": []}
    if method == "resources/read":
        return {"contents": [{"uri": params["uri"], "text": json.dumps(params)}]}
    if method == "tools/call":
        return getattr(TOOLS, params["name"])(params.get("arguments") or {}, params)
    raise Refusal({"code": -32601, "message": "no " + method})


def answer(message):
    try:
        serve = modern if OPTIONS.era == "modern" else legacy
        return {"jsonrpc": "2.0", "id": message["id"], "result": serve(message["method"], message.get("params") or {})}
    except Refusal as refusal:
        return {"jsonrpc": "2.0", "id": message["id"], "error": refusal.args[0]}


def from_stdin(message):
    if "method" not in message:
        CLIENT.took(message)
    elif message["method"] == "notifications/cancelled":
        CLIENT.forget(message["params"]["requestId"])
    elif message["method"] == "subscriptions/listen" and OPTIONS.era == "modern":
        CLIENT.listen(message, to_stdout)
    elif "id" in message:
        to_stdout(answer(message))


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, *_):
        pass

    def say(self, status, kind="application/json", body=b""):
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def do_GET(self):
        self.say(405)

    do_DELETE = do_GET

    def do_POST(self):
        message = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        if "id" not in message or "method" not in message:
            self.say(202)
        elif message["method"] == "subscriptions/listen" and OPTIONS.era == "modern":
            self.stream(message)
        else:
            self.say(200, body=dumps(answer(message)))

    def stream(self, message):
        """Until the gateway goes away, which an empty comment finds out."""
        self.send_response(200)
        self.send_header("Content-Type", "text/event-stream")
        self.send_header("Connection", "close")
        self.end_headers()
        self.close_connection = True
        entry = CLIENT.listen(message, lambda said: self.wfile.write(b"data: " + dumps(said) + b"\n\n"))
        try:
            while True:
                self.wfile.write(b":\n\n")
                time.sleep(0.1)
        except OSError:
            CLIENT.listening.remove(entry)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("era", choices=("legacy", "modern"))
    parser.add_argument("--http", type=int, metavar="PORT")
    parser.parse_args(namespace=OPTIONS)
    if OPTIONS.http is not None:
        server = http.server.ThreadingHTTPServer(("127.0.0.1", OPTIONS.http), Handler)
        server.daemon_threads = True
        server.serve_forever()
    for line in sys.stdin:
        threading.Thread(target=from_stdin, args=(json.loads(line),), daemon=True).start()


if __name__ == "__main__":
    main()
