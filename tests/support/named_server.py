#!/usr/bin/env python3
"""A tool server of the eras until 2025-11-25 over stdio, with the tools that its command line names; each says its name.

    named_server.py NAME...

Python 3.9 and later, standard library only.
"""
import json
import sys


def result_of(method, params, names):
    if method == "initialize":
        return {"protocolVersion": params["protocolVersion"], "capabilities": {"tools": {}},
                "serverInfo": {"name": "named", "version": "1"}}
    if method == "tools/list":
        return {"tools": [{"name": name, "description": "tool " + name, "inputSchema": {"type": "object"}} for name in names]}
    if method == "tools/call":
        return {"content": [{"type": "text", "text": params["name"]}]}
    return {}


def main():
    for line in sys.stdin:
        message = json.loads(line)
        if "id" not in message or "method" not in message:
            continue
        result = result_of(message["method"], message.get("params") or {}, sys.argv[1:])
        sys.stdout.write(json.dumps({"jsonrpc": "2.0", "id": message["id"], "result": result}) + "\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main()
