#!/usr/bin/env python3
"""A server of resources, prompts and completions that tell a secret, over stdio; --record FILE: each message, a line.

A resource that is subscribed to is said to have changed at once, with more members than MCP has; of a folder (x/) a part.
"""
import json
import sys

SECRET = "078-05-1120"
PERSON = json.dumps({"name": "Ada", "ssn": SECRET})
CAPABILITIES = {"resources": {"subscribe": True}, "prompts": {}, "completions": {}}


def say(message):
    sys.stdout.write(json.dumps({"jsonrpc": "2.0", **message}) + "\n")
    sys.stdout.flush()


def read(params):
    texts = [{"uri": params["uri"], "text": PERSON}, {"uri": params["uri"], "text": "ssn: " + SECRET}]
    return {"contents": texts + [{"uri": params["uri"], "blob": "MDc4LTA1LTExMjA="}]}


def subscribe(params):
    say({"method": "notifications/resources/updated", "params": {
        "uri": params["uri"] + ("part" if params["uri"].endswith("/") else ""), "title": SECRET, "more": {"ssn": SECRET}, "_meta": {"mark": 1}}})
    return {}


def prompt(params):
    block = {"type": "text", "text": "of %s: %s" % (params.get("arguments"), SECRET)}
    return {"description": "about " + SECRET, "messages": [{"role": "user", "content": block},
                                                          {"role": "user", "content": {"type": "text", "text": PERSON}}]}


METHODS = {
    "initialize": lambda params: {"protocolVersion": params["protocolVersion"], "capabilities": CAPABILITIES,
                                  "serverInfo": {"name": "library", "version": "1"}},
    "ping": lambda params: {},
    "tools/list": lambda params: {"tools": []},
    "resources/list": lambda params: {"resources": [{"uri": "book://one", "name": "one"}]},
    "resources/templates/list": lambda params: {"resourceTemplates": [{"uriTemplate": "book://{n}", "name": "n"}]},
    "prompts/list": lambda params: {"prompts": [{"name": "greet"}]},
    "resources/read": read,
    "resources/subscribe": subscribe,
    "resources/unsubscribe": lambda params: {},
    "prompts/get": prompt,
    "completion/complete": lambda params: {"completion": {"values": [SECRET, PERSON], "total": 2, "hasMore": False}},
}

if __name__ == "__main__":
    record = open(sys.argv[sys.argv.index("--record") + 1], "a") if "--record" in sys.argv else None
    for line in sys.stdin:
        if record:
            record.write(line)
            record.flush()
        asked = json.loads(line)
        if "id" not in asked or "method" not in asked:
            continue
        if asked["method"] in METHODS:
            say({"id": asked["id"], "result": METHODS[asked["method"]](asked.get("params") or {})})
        else:
            say({"id": asked["id"], "error": {"code": -32601, "message": "method not found"}})
