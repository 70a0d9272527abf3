"""Server-sent events read one by one, with their ids: a POST or a GET whose answer is a stream, on a connection of its own."""
import http.client
import json
from collections import namedtuple

import mcp

Event = namedtuple("Event", "id type data retry")


class Stream:
    def __init__(self, gateway, method, path, headers, body=None, timeout=20, tls=None):
        self.connection = (http.client.HTTPSConnection(gateway.address, gateway.port, timeout=timeout, context=tls) if tls
                           else http.client.HTTPConnection(gateway.address, gateway.port, timeout=timeout))
        self.connection.request(method, path, body, {"Host": "127.0.0.1:%d" % gateway.port, **headers})
        self.response = self.connection.getresponse()
        self.status = self.response.status
        self.headers = mcp.Headers(self.response.getheaders())
        self.is_stream = self.headers.get("content-type", "").startswith("text/event-stream")

    def event(self):
        """The next event; None at the end of the stream. Comments are passed over."""
        found = {}
        for raw in iter(self.response.readline, b""):
            line = raw.decode().rstrip("\r\n")
            if not line and found:
                retry = int(found["retry"]) if "retry" in found else None
                return Event(found.get("id"), found.get("event", "message"), found.get("data", ""), retry)
            if line and not line.startswith(":"):
                name, _, value = line.partition(":")
                found[name] = value[1:] if value.startswith(" ") else value
        return None

    def message(self):
        """The next event that has data: its id and its JSON; None at the end."""
        while True:
            event = self.event()
            if event is None:
                return None
            if event.data:
                return event.id, json.loads(event.data)

    def rest(self):
        return list(iter(self.message, None))

    def drop(self):
        """Goes away in the middle, as a lost connection does."""
        self.response.close()
        self.connection.close()

    close = drop

    def body(self):
        return json.loads(self.response.read() or b"null")


def post(session, message, timeout=20, path=None, **extra):
    """`message` on a session of mcp.Session; the answer is not read yet."""
    headers = session.headers({"Accept": mcp.ACCEPT, "Content-Type": "application/json"})
    if session.id:
        headers.update({"Mcp-Session-Id": session.id, "MCP-Protocol-Version": session.version})
    body = message if isinstance(message, bytes) else json.dumps(message).encode()
    return Stream(session.gateway, "POST", path or session.path, {**headers, **extra}, body, timeout)


def listen(client, wanted, timeout=20):
    """The stream of a subscriptions/listen of mcp.Modern."""
    method = "subscriptions/listen"
    body = {"jsonrpc": "2.0", "id": "L", "method": method, "params": {"notifications": wanted, "_meta": client.envelope()}}
    headers = client.headers({"Accept": mcp.ACCEPT, "Content-Type": "application/json", "MCP-Protocol-Version": mcp.MODERN, "Mcp-Method": method})
    return Stream(client.gateway, "POST", client.path, headers, json.dumps(body).encode(), timeout)


def get(session, last_id=None, timeout=20):
    """The session's GET stream, or what `last_id` resumes."""
    headers = session.headers({"Accept": "text/event-stream", "Mcp-Session-Id": session.id,
                               "MCP-Protocol-Version": session.version})
    if last_id is not None:
        headers["Last-Event-ID"] = last_id
    return Stream(session.gateway, "GET", session.path, headers, timeout=timeout, tls=getattr(session.connection, "_context", None))


def slow_sum(rpc_id, numbers, step_ms, tool="calc_slow_sum", token="t"):
    """A call of the calculator that reports each step and takes as long as is wished."""
    return {"jsonrpc": "2.0", "id": rpc_id, "method": "tools/call", "params": {
        "name": tool, "arguments": {"numbers": numbers, "step_ms": step_ms}, "_meta": {"progressToken": token}}}
