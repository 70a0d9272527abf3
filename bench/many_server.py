#!/usr/bin/env python3
"""An MCP server over stdio with many tools, in pages of 1,000: many_server.py COUNT. For bench/lists; standard library only."""
import json
import sys

PAGE = 1000
VERSIONS = ("2024-11-05", "2025-03-26", "2025-06-18", "2025-11-25")


def tool(number):
    return {"name": "tool%d" % number, "description": "The tool of number %d, which does nothing at all." % number,
            "inputSchema": {"type": "object", "properties": {"text": {"type": "string"}, "count": {"type": "integer"}},
                            "required": ["text"]}}


def answer(method, params, count):
    if method == "initialize":
        asked = params.get("protocolVersion")
        return {"protocolVersion": asked if asked in VERSIONS else VERSIONS[-1], "capabilities": {"tools": {}},
                "serverInfo": {"name": "many", "version": "1"}}
    if method == "tools/list":
        begin = int(params.get("cursor") or 0)
        end = min(begin + PAGE, count)
        page = {"tools": [tool(number) for number in range(begin, end)]}
        return dict(page, nextCursor=str(end)) if end < count else page
    return {"content": [{"type": "text", "text": "done"}]} if method == "tools/call" else {}


def main():
    count = int(sys.argv[1])
    for line in sys.stdin:
        message = json.loads(line)
        if "id" in message and "method" in message:
            result = answer(message["method"], message.get("params") or {}, count)
            print(json.dumps({"jsonrpc": "2.0", "id": message["id"], "result": result}, separators=(",", ":")), flush=True)


if __name__ == "__main__":
    main()
