"""The doors of a gateway, as clients of each era see them: what is listed, and what a call is answered.

Connections are kept and requests written by hand, since the law is asked some ten thousand times.
"""
import json
import re
import socket
import subprocess
from collections import namedtuple
from urllib.parse import quote

import mcp
import sse

ERAS = ("2024-11-05", "2025-03-26", "2025-06-18", "2025-11-25", mcp.MODERN)
UNKNOWN_SCOPE = "no-server"
CLIENT_INFO = {"name": "law", "version": "1"}
VARYING = re.compile(rb'"(?:timestamp|request_id)":"[^"]*"')

# `kind`: ok, unknown, denied, entry (nothing that could be called), or what else there was. `raw`: status and body, without
# what differs from request to request, the name that was asked for included.
Said = namedtuple("Said", "kind raw")


class Wire:
    """One connection of HTTP/1.1."""

    def __init__(self, gateway, secret):
        self.socket = socket.create_connection((gateway.address, gateway.port), timeout=60)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.head = "Host: 127.0.0.1:%d\r\nAuthorization: Bearer %s\r\nContent-Type: application/json\r\nAccept: %s\r\n" % (
            gateway.port, secret, mcp.ACCEPT)
        self.rest = b""

    def more(self):
        piece = self.socket.recv(1 << 20)
        assert piece, "the gateway closed the connection: %r" % self.rest[:400]
        self.rest += piece

    def ask(self, method, path, body=None, headers=""):
        """Status, head, body."""
        data = b"" if body is None else json.dumps(body).encode()
        self.socket.sendall(("%s %s HTTP/1.1\r\n%s%sContent-Length: %d\r\n\r\n" % (
            method, path, self.head, headers, len(data))).encode() + data)
        while b"\r\n\r\n" not in self.rest:
            self.more()
        head, _, self.rest = self.rest.partition(b"\r\n\r\n")
        length = re.search(rb"(?i)\r\ncontent-length: (\d+)", head)
        if length is None and b"text/event-stream" in head:
            return int(head[9:12]), head, self.stream()
        return int(head[9:12]), head, self.take(int(length.group(1)) if length else 0)

    def take(self, length):
        while len(self.rest) < length:
            self.more()
        found, self.rest = self.rest[:length], self.rest[length:]
        return found

    def stream(self):
        """What took its time is an event; the last one that has data."""
        found = b""
        while True:
            while b"\r\n" not in self.rest:
                self.more()
            size, _, self.rest = self.rest.partition(b"\r\n")
            found += self.take(int(size, 16) + 2)[:-2]
            if int(size, 16) == 0:
                return re.findall(rb"(?m)^data: ?(\{.*)$", found)[-1]

    def close(self):
        self.socket.close()


def same(status, body, *names):
    """What must be alike for a name that is hidden and for one that is not there."""
    for name in names:
        body = body.replace(name.encode(), b"NAME")
    return status, VARYING.sub(b"", body)


def kind_of(message):
    """Of an answer to tools/call."""
    error = message.get("error")
    if error is None:
        return "failed" if message["result"].get("isError") else "ok"
    if error["message"].startswith("Unknown tool"):
        return "unknown"
    if error["message"].startswith("Access denied"):
        return "denied"
    return "entry" if error["code"] == -31409 else "%s %s" % (error["code"], error["message"])


class Legacy:
    """A client of Streamable HTTP with sessions, one a scope; a scope that does not let it in has None."""

    def __init__(self, gateway, secret, version):
        self.version, self.wire, self.sessions = version, Wire(gateway, secret), {}
        self.refusals = {}

    def enter(self, scope):
        """True where initialize opened a session."""
        if self.sessions.get(scope) is None:
            status, head, body = self.wire.ask("POST", path_of(scope), {"jsonrpc": "2.0", "id": 1, "method": "initialize", "params": {
                "protocolVersion": self.version, "capabilities": {}, "clientInfo": CLIENT_INFO}})
            found = re.search(rb"(?i)\r\nmcp-session-id: ([^\r]+)", head)
            self.sessions[scope] = found and "Mcp-Session-Id: %s\r\nMCP-Protocol-Version: %s\r\n" % (found.group(1).decode(), self.version)
            if not found:
                self.refusals[scope] = same(status, body)
            else:
                self.wire.ask("POST", path_of(scope), {"jsonrpc": "2.0", "method": "notifications/initialized"}, self.sessions[scope])
        return self.sessions[scope] is not None

    def ask(self, scope, method, params):
        message = {"jsonrpc": "2.0", "id": 7, "method": method, "params": params}
        status, _, body = self.wire.ask("POST", path_of(scope), message, self.sessions[scope])
        return status, body

    def list(self, scope):
        """Names."""
        status, body = self.ask(scope, "tools/list", {})
        assert status == 200, body
        return [tool["name"] for tool in json.loads(body)["result"]["tools"]]

    def call(self, scope, name, arguments):
        status, body = self.ask(scope, "tools/call", {"name": name, "arguments": arguments})
        assert body.startswith(b"{"), (self.version, scope, name, status, body)
        return Said(kind_of(json.loads(body)), same(status, body, name))

    def close(self):
        self.wire.close()


class Modern(Legacy):
    """A client of 2026-07-28: no session; every scope answers, also one that is not there."""

    def enter(self, scope):
        return True

    def ask(self, scope, method, params):
        prefix = "io.modelcontextprotocol/"
        meta = {prefix + "protocolVersion": self.version, prefix + "clientCapabilities": {}, prefix + "clientInfo": CLIENT_INFO}
        name = "Mcp-Name: %s\r\n" % params["name"] if "name" in params else ""
        message = {"jsonrpc": "2.0", "id": 7, "method": method, "params": {**params, "_meta": meta}}
        status, _, body = self.wire.ask("POST", path_of(scope), message, "MCP-Protocol-Version: %s\r\nMcp-Method: %s\r\n%s" % (
            self.version, method, name))
        return status, body


class OldSse(Legacy):
    """A client of 2024-11-05: a stream and an address to POST to, one a scope."""

    def __init__(self, gateway, secret, version):
        super().__init__(gateway, secret, version)
        self.gateway, self.secret = gateway, secret

    def enter(self, scope):
        if self.sessions.get(scope) is None:
            stream = sse.Stream(self.gateway, "GET", "/sse" + ("/" + scope if scope else ""), mcp.Client(self.gateway, self.secret).headers(
                {"Accept": "text/event-stream"}), timeout=60)
            if not stream.is_stream:
                self.refusals[scope] = same(stream.status, stream.response.read())
                stream.close()
                return False
            self.sessions[scope] = (stream, stream.event().data)
            _, body = self.ask(scope, "initialize", {"protocolVersion": self.version, "capabilities": {}, "clientInfo": CLIENT_INFO})
            if b'"error"' in body:
                self.refusals[scope] = same(200, body)
                stream.close()
                self.sessions[scope] = None
                return False
            self.wire.ask("POST", self.sessions[scope][1], {"jsonrpc": "2.0", "method": "notifications/initialized"})
        return True

    def ask(self, scope, method, params):
        stream, endpoint = self.sessions[scope]
        status, _, body = self.wire.ask("POST", endpoint, {"jsonrpc": "2.0", "id": 7, "method": method, "params": params})
        assert (status, body) == (202, b""), (status, body)
        while True:
            event = stream.event()
            assert event is not None, "the stream of %s ended" % scope
            if '"method"' not in event.data:  # notifications/tools/list_changed, when the policies change
                return 200, event.data.encode()

    def close(self):
        super().close()
        for session in filter(None, self.sessions.values()):
            session[0].close()


class Stdio(Legacy):
    """A client behind `sallyport stdio`, on the scope of /mcp alone."""

    def __init__(self, gateway, secret, version):
        self.version = version
        self.process = subprocess.Popen([gateway.binary, "--home", gateway.home, "stdio"], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                                        env={**gateway.environment(), "MCP_API_KEY": secret}, cwd=gateway.folder)
        self.ask("", "initialize", {"protocolVersion": version, "capabilities": {}, "clientInfo": CLIENT_INFO})
        self.write({"jsonrpc": "2.0", "method": "notifications/initialized"})

    def write(self, message):
        self.process.stdin.write(json.dumps(message).encode() + b"\n")
        self.process.stdin.flush()

    def enter(self, scope):
        return True

    def ask(self, scope, method, params):
        self.write({"jsonrpc": "2.0", "id": 7, "method": method, "params": params})
        for line in iter(self.process.stdout.readline, b""):
            if b'"method"' not in line:
                return 200, line
        raise AssertionError("sallyport stdio ended with %s" % self.process.wait())

    def close(self):
        self.process.stdin.close()
        self.process.wait(20)
        self.process.stdout.close()


class CommandLine:
    """`sallyport tool list` and `tool call`, by the operator of the machine. Names are ids, as on REST."""

    def __init__(self, gateway):
        self.gateway = gateway

    def list(self):
        return [tool["id"] for tool in json.loads(self.gateway.cli("tool", "list", "--limit", "1000", "--json"))["data"]]

    def execute(self, tool, arguments):
        ran = self.gateway.run("tool", "call", tool, "--arguments", json.dumps(arguments), "--json")
        kind = {0: "ok", 3: "denied", 4: "unknown"}.get(ran.code, "exit code %d" % ran.code)
        return Said("entry" if '"conflict"' in ran.out else kind, ran.code)


class Rest:
    """The catalogue and execution by REST. A tool's name here is its id, server/name."""

    def __init__(self, gateway, secret):
        self.wire = Wire(gateway, secret)

    def tools(self, path, body=None, member="data"):
        """Ids, or None where this caller may read no tool at all (403, S1-15)."""
        status, _, text = self.wire.ask("GET" if body is None else "POST", path, body)
        if status == 403:
            return None
        assert status == 200, text
        return [tool["id"] for tool in json.loads(text)[member]]

    def list(self):
        return self.tools("/api/v1/tools?limit=1000")

    def search(self, words):
        return self.tools("/api/v1/tools/search?limit=1000&query=" + quote(words))

    def find(self, words):
        return self.tools("/api/v1/tools/search", {"query": words, "max_results": 100}, "results")

    def show(self, tool):
        status, _, body = self.wire.ask("GET", "/api/v1/tools/" + quote(tool, safe=""))
        kind = {200: "ok", 404: "unknown", 403: "denied"}.get(status, str(status))
        return Said(kind, same(status, b"" if status == 200 else body, tool))

    def execute(self, tool, arguments):
        status, _, body = self.wire.ask("POST", "/api/v1/tools/%s/execute" % quote(tool, safe=""), {"arguments": arguments})
        kind = {200: "ok", 404: "unknown", 403: "denied", 409: "entry"}.get(status, "%d %s" % (status, body))
        return Said(kind, same(status, body, tool))

    def close(self):
        self.wire.close()


def path_of(scope):
    return "/mcp" + ("/" + scope if scope else "")


def client_of(era, gateway, secret):
    return {mcp.MODERN: Modern, "2024-11-05": OldSse}.get(era, Legacy)(gateway, secret, era)
