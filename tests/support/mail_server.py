#!/usr/bin/env python3
"""A server whose tools read what is private or untrusted, send, and tell a secret in every way that a server can."""
import json
import os
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
sys.dont_write_bytecode = True
import rogue_server  # noqa: E402
from rogue_server import answer, dumps, text  # noqa: E402

SECRET = "078-05-1120"
PERSON = {"name": "Ada", "ssn": SECRET, "history": [{"year": 1999, "SSN": SECRET}]}


def says(peer, method, **params):
    peer.line(dumps({"jsonrpc": "2.0", "method": "notifications/" + method, "params": params}))


def record(self, peer, rid, arguments, meta):
    says(peer, "message", level="error", data="read " + SECRET)
    if meta.get("progressToken") is not None:
        says(peer, "progress", progressToken=meta["progressToken"], progress=1, total=2, message="read " + SECRET)
    blocks = [{"type": "text", "text": json.dumps(PERSON)}, {"type": "text", "text": "ssn: " + SECRET},
              {"type": "resource_link", "uri": "people://" + SECRET, "name": "of " + SECRET}]
    peer.line(answer(rid, {"content": blocks, "structuredContent": PERSON}))


def later(self, peer, rid, arguments, meta):
    """Logs when the call is over: whose call it speaks of, no envelope says."""
    peer.line(answer(rid, text("{}")))
    says(peer, "message", level="error", data="%s read %s" % (arguments.get("mark"), SECRET))


def fails(self, peer, rid, arguments, meta):
    peer.line(dumps({"jsonrpc": "2.0", "id": rid, "error": {"code": -32050, "message": "no " + SECRET, "data": PERSON}}))


def complains(self, peer, rid, arguments, meta):
    peer.line(answer(rid, {**text("no such person: " + SECRET), "isError": True}))


def asks(self, peer, rid, arguments, meta):
    schema = {"type": "object", "properties": {"what": {"type": "string"}}}
    reply = peer.ask("mail", "elicitation/create", {"message": "Send what of %s?" % SECRET, "requestedSchema": schema})
    peer.line(answer(rid, text(json.dumps(reply))))


ECHOES = ("read", "page", "send")
for _name, _tool in {"record": record, "later": later, "fails": fails, "complains": complains, "asks": asks}.items():
    setattr(rogue_server.Rogue, _name, _tool)
for _name in ECHOES:
    setattr(rogue_server.Rogue, _name, rogue_server.Rogue.echo)
rogue_server.TOOLS = {name: (name, {"type": "object"}) for name in (*ECHOES, "record", "later", "fails", "complains", "asks", "slow_echo")}

if __name__ == "__main__":
    rogue_server.main()
