#!/usr/bin/env python3
"""A tool server over stdio, of the eras until 2025-11-25, that tells what it was given: a SHA-256 of each variable of its environment,
of each file that one of them names, and how often that file can be read. Never the values.

Python 3.9 and later, standard library only.
"""
import hashlib
import json
import os
import sys


def digest(data):
    return hashlib.sha256(data).hexdigest()


def seen():
    found = {"pid": os.getpid(), "argv": [digest(argument.encode()) for argument in sys.argv], "env": {}, "files": {}}
    for name, value in os.environ.items():
        found["env"][name] = digest(value.encode(errors="surrogateescape"))
        if value.startswith("/proc/self/fd/"):
            readings = []
            for _ in range(2):
                with open(value, "rb") as file:
                    readings.append(digest(file.read()))
            found["files"][name] = readings
    return found


def result_of(method, params):
    if method == "initialize":
        return {"protocolVersion": params["protocolVersion"], "capabilities": {"tools": {}},
                "serverInfo": {"name": "secrets", "version": "1"}}
    if method == "tools/list":
        return {"tools": [{"name": "seen", "description": "what it was given", "inputSchema": {"type": "object"}}]}
    if method == "tools/call":
        return {"content": [{"type": "text", "text": json.dumps(seen())}]}
    return {}


def main():
    for line in sys.stdin:
        message = json.loads(line)
        if "id" not in message or "method" not in message:
            continue
        sys.stdout.write(json.dumps({"jsonrpc": "2.0", "id": message["id"],
                                     "result": result_of(message["method"], message.get("params") or {})}) + "\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main()
