#!/usr/bin/env python3
"""A stdio MCP server that behaves as the name of the called tool says; for the tests of request/upstream only."""
import json, os, sys, time

mode = sys.argv[1] if len(sys.argv) > 1 else "plain"
out = sys.stdout.buffer
cancelled, answers, calls, initialized = [], {}, 0, False
messages = []  # all that came


def put(text, end=b"\n"):
    out.write(text if isinstance(text, bytes) else text.encode())
    out.write(end)
    out.flush()


def send(**members):
    put(json.dumps({"jsonrpc": "2.0", **members}, separators=(",", ":")))


def answer(id, text):
    send(id=id, result={"content": [{"type": "text", "text": text}]})


def read():
    line = sys.stdin.buffer.readline()
    if not line:
        sys.exit(0)
    messages.append(json.loads(line))
    return messages[-1]


def ask_all(requests):
    """Several requests at once: [id, method]; their answers in the order in which they came."""
    for id, method in requests:
        send(id=id, method=method, params={"of": id})
    waiting, got = {id for id, _ in requests}, []
    while waiting:
        message = read()
        if "method" not in message and message.get("id") in waiting:
            waiting.remove(message["id"])
            got.append(message)
        else:
            handle(message)
    return got


def ask(method):
    """A request of ours to the client; handles what comes in between."""
    send(id="srv-1", method=method)
    while True:
        message = read()
        if message.get("id") == "srv-1" and "method" not in message:
            return message
        handle(message)


def call(id, params):
    global calls
    calls += 1
    name, args = params["name"], params.get("arguments", {})
    if name == "echo":
        return answer(id, json.dumps(params, sort_keys=True))
    if name == "count":
        return answer(id, str(calls))
    if name == "pid":
        return answer(id, str(os.getpid()))
    if name == "fail":
        return send(id=id, error={"code": -32602, "message": "no"})
    if name == "never":
        return None
    if name == "cancelled":
        return answer(id, json.dumps(cancelled))
    if name == "die":
        os._exit(3)
    if name == "falls_silent":
        os.dup2(os.open(os.devnull, os.O_WRONLY), 1)  # what it closes is the pipe; its process goes on
        while True:
            time.sleep(1)
    if name == "half":
        put('{"jsonrpc":"2.0","id":%d,"resu' % id, b"")
        os._exit(0)
    if name == "progress":
        token = params["_meta"]["progressToken"]
        for i in (1, 2, 3):
            send(method="notifications/progress", params={"progressToken": token, "progress": i, "message": "step"})
        answer(id, "done")
        return send(method="notifications/progress", params={"progressToken": token, "progress": 4})
    if name == "log":
        send(method="notifications/message", params={"level": "info", "data": "hello"})
        return answer(id, "logged")
    if name == "garbage":
        for line in args["lines"]:
            put(line.encode("latin-1"))
        return answer(id, "after garbage")
    if name == "flood":
        while True:
            put("this is no message")
    if name == "foreign":
        answer(987654321, "foreign")
        send(id="text", result={})
        send(id=None, error={"code": -32700, "message": "x"})
        answer(id, "first")
        return answer(id, "second")
    if name == "big":
        return answer(id, "x" * args["bytes"])
    if name == "endless":
        while True:
            put("x" * 65536, b"")
    if name == "ask":
        return answer(id, json.dumps(ask(args["method"])))
    if name == "ask_all":
        return answer(id, json.dumps(ask_all(args["requests"])))
    if name == "ask_and_answer":  # does not wait
        for request, method in args["requests"]:
            send(id=request, method=method)
        return answer(id, "did not wait")
    if name == "ask_and_wait":  # for ever
        for request, method in args["requests"]:
            send(id=request, method=method)
        return None
    if name == "take_back":
        send(id="srv-1", method="elicitation/create")
        send(method="notifications/cancelled", params={"requestId": "srv-1"})
        return answer(id, "took it back")
    if name == "messages":
        return answer(id, json.dumps([m for m in messages if m.get("method") != "tools/call"]))
    if name == "deaf":  # writes much before it reads again
        for _ in range(64):
            send(method="notifications/message", params={"level": "info", "data": "y" * 65536})
        return answer(id, "spoke")
    if name == "stderr":
        for i in range(args["lines"]):
            print("line %d %s" % (i, "z" * args.get("width", 0)), file=sys.stderr, flush=True)
        return answer(id, "grumbled")
    if name == "invalid_utf8":
        return put(b'{"jsonrpc":"2.0","id":%d,"result":{"content":"\xff"}}' % id)
    if name == "duplicate_key":
        return put('{"jsonrpc":"2.0","id":%d,"result":{"a":1,"a":2}}' % id)
    if name == "spaced":
        return put('{ "jsonrpc" : "2.0", "id" : %d, "result" : { "n" : 12345678901234567890123.50 } }\r' % id)
    send(id=id, error={"code": -32601, "message": "unknown tool"})


def handle(message):
    global initialized
    method, id = message.get("method"), message.get("id")
    if method == "initialize":
        if mode == "silent":
            return
        version = mode[8:] if mode.startswith("version=") else message["params"]["protocolVersion"]
        caps = {"tools": {"listChanged": True}, "logging": {}}
        if mode == "logs_nothing":
            del caps["logging"]
        if mode == "subscribes":
            caps["resources"] = {"subscribe": True}
        send(id=id, result={"protocolVersion": version, "capabilities": caps, "instructions": "be \"kind\"",
                            "serverInfo": {"name": "rogue", "version": "1"}})
    elif method == "notifications/initialized":
        initialized = True
        if mode == "early_roots":
            send(id="early", method="roots/list")
            send(id="early-2", method="sampling/createMessage")
        if mode == "late":
            time.sleep(0.05)
            send(method="notifications/tools/list_changed")
    elif method == "server/discover" and mode == "dies_of_probe":
        sys.exit(5)
    elif method == "server/discover" and mode in ("mute_to_probe", "silent"):
        return
    elif method == "server/discover" and mode == "lies":
        send(id=id, result={"supportedVersions": ["2099-01-01"], "capabilities": {}, "resultType": "complete"})
    elif method == "server/discover" and mode == "speaks_nothing":
        send(id=id, error={"code": -32022, "message": "no", "data": {"supported": ["2099-01-01"]}})
    elif method in ("resources/subscribe", "resources/unsubscribe") and mode == "subscribes":
        if message["params"]["uri"].startswith("refused:"):
            return send(id=id, error={"code": -32002, "message": "no such resource"})
        send(id=id, result={})
    elif method == "logging/setLevel":
        send(id=id, **({"error": {"code": -32602, "message": "no"}} if mode == "refuses_levels" else {"result": {}}))
    elif method == "notifications/cancelled":
        cancelled.append(message["params"]["requestId"])
    elif method == "tools/list":
        listing(id, message.get("params", {}).get("cursor"))
    elif method == "tools/call":
        call(id, message["params"])
    elif id is not None and method:
        send(id=id, error={"code": -32601, "message": "no such method"})


lists = 0


def listing(id, cursor):
    global lists
    lists += 1
    if mode == "endless_pages":
        return send(id=id, result={"tools": [], "nextCursor": "again"})
    if mode == "late":
        return send(id=id, result={"tools": [{"name": "t%d" % i} for i in range(1 if lists == 1 else 3)]})
    if cursor is None:
        return send(id=id, result={"tools": [{"name": "a"}, {"name": "b\u00e9"}], "nextCursor": ""})
    send(id=id, result={"tools": [{"name": "c", "inputSchema": {"n": 1}}]})


if mode == "exit":
    sys.exit(7)
if mode == "ignore_eof":
    import signal
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
while True:
    try:
        handle(read())
    except SystemExit:
        if mode != "ignore_eof":
            raise
        time.sleep(60)
