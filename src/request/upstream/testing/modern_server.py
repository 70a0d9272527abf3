#!/usr/bin/env python3
"""A stdio MCP server of 2026-07-28 that behaves as its mode and the name of the called tool say; for the tests of
request/upstream only. Everything it was sent is told by the tool `seen`."""
import json, os, sys

VERSION, PREFIX = "2026-07-28", "io.modelcontextprotocol/"
mode = sys.argv[1] if len(sys.argv) > 1 else "plain"
seen, listens, initialized = [], [], False


def send(**members):
    sys.stdout.write(json.dumps({"jsonrpc": "2.0", **members}, separators=(",", ":")) + "\n")
    sys.stdout.flush()


def complete(id, **members):
    send(id=id, result={**members, "resultType": "complete"})


def text(id, words):
    complete(id, content=[{"type": "text", "text": words}])


def notify(method, subscription=None, **params):
    if subscription is not None:
        params["_meta"] = {PREFIX + "subscriptionId": subscription}
    send(method=method, params=params)


def refuse(id, code, message="no", data=None):
    send(id=id, error={"code": code, "message": message, **({"data": data} if data else {})})


def unsupported(id):
    refuse(id, -32022, "Unsupported protocol version", {"supported": [VERSION], "requested": "x"})


refusals = {"once": 1, "always": 1 << 30}


def acknowledge(id):
    notify("notifications/subscriptions/acknowledged", id, notifications={})


def call(id, params):
    name = params["name"]
    if name in ("code_once", "code_always"):
        word = name[5:]
        refusals[word] -= 1
        if refusals[word] >= 0:
            return refuse(id, params["arguments"]["code"])
        return text(id, "at last")
    if name == "seen":
        return text(id, json.dumps(seen))
    if name == "pid":
        return text(id, str(os.getpid()))
    if name == "echo":
        return text(id, json.dumps(params, sort_keys=True))
    if name == "raw":
        return send(id=id, result=params["arguments"]["result"])
    if name == "request":  # forbidden in this revision
        send(id="srv-1", method="elicitation/create", params={})
        return text(id, "asked")
    if name == "never":
        return None
    if name == "log":
        notify("notifications/message", level="info", data="hello")
        notify("notifications/tools/list_changed")
        return text(id, "logged")
    if name == "publish":  # each: [method, subscription or "mine", params]
        for method, subscription, more in params["arguments"]["messages"]:
            notify(method, {"mine": listens[-1:], "first": listens[:1]}.get(subscription, [subscription])[0], **more)
        return text(id, "published")
    if name == "acknowledge":
        acknowledge(listens[-1])
        return text(id, "acknowledged")
    if name == "end_listen":
        complete(listens[-1], _meta={PREFIX + "subscriptionId": listens[-1]})
        return text(id, "ended")
    refuse(id, -32602, "unknown tool")


def handle(message):
    global initialized
    seen.append(message)
    method, id, params = message.get("method"), message.get("id"), message.get("params", {})
    if method is None or id is None:
        return
    if method == "initialize":
        initialized = True
        return unsupported(id)
    meta = params.get("_meta", {})
    if meta.get(PREFIX + "protocolVersion") != VERSION or not isinstance(meta.get(PREFIX + "clientCapabilities"), dict):
        return refuse(id, -32602, "no envelope")
    if method == "server/discover":
        if mode == "late" and not initialized:  # says nothing until it was told to initialize
            return
        complete(id, supportedVersions=[VERSION], capabilities={"tools": {"listChanged": True}, "resources": {"subscribe": True}},
                 instructions="be kind", ttlMs=0, cacheScope="private",
                 _meta={PREFIX + "serverInfo": {"name": "modern", "version": "1"}})
    elif method == "tools/list":
        more = {} if params.get("cursor") is not None else {"nextCursor": ""}
        complete(id, tools=[{"name": "b" if not more else "a"}], ttlMs=5, cacheScope="public", **more)
    elif method == "tools/call":
        call(id, params)
    elif method == "subscriptions/listen":
        listens.append(id)
        if mode == "no_listen":
            return refuse(id, -32601, "Method not found")
        if mode not in ("no_ack", "late_ack"):
            acknowledge(id)
    else:
        refuse(id, -32601, "Method not found")


for line in sys.stdin:
    handle(json.loads(line))
