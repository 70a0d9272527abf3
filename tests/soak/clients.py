"""The soak's clients, one class an era: each opens, calls, and goes away, with its own marker in every call."""
import asyncio
import json

import wire
from wire import Fault

PREFIX = "io.modelcontextprotocol/"
MODERN = "2026-07-28"
ACCEPT = {"Accept": "application/json, text/event-stream"}
INFO = {"name": "soak", "version": "1"}


class Client:
    """What all eras share: numbering from 1 in each session, so that ids of different clients are the same all the time."""

    def __init__(self, number, place):
        self.number, self.place = number, place
        self.connection = wire.Connection(place.port, place.secrets[number % len(place.secrets)])
        self.last, self.era, self.path = 0, "", "/mcp"

    def message(self, method, params):
        self.last += 1
        return {"jsonrpc": "2.0", "id": self.last, "method": method, "params": params}

    async def post(self, message, headers, drop_after=None):
        """(status, answer or None, what came before it)"""
        status, head, body = await self.connection.ask("POST", self.path, {**ACCEPT, **headers}, json.dumps(message).encode(), drop_after)
        if "id" not in message:
            if status != 202:
                raise Fault("%s answered with %d %.200r" % (message["method"], status, body))
            return status, None, []
        return (status, *wire.the_answer(wire.messages(head, body), message["id"]))

    async def close(self):
        self.connection.close()


class Legacy(Client):
    def __init__(self, number, place, version):
        super().__init__(number, place)
        self.era, self.session = version, None

    def own_headers(self):
        return {"Mcp-Session-Id": self.session, "MCP-Protocol-Version": self.era} if self.session else {}

    async def open(self):
        self.last, self.session = 0, None
        message = self.message("initialize", {"protocolVersion": self.era, "capabilities": {}, "clientInfo": INFO})
        status, head, body = await self.connection.ask("POST", self.path, ACCEPT, json.dumps(message).encode())
        answer, _ = wire.the_answer(wire.messages(head, body), message["id"])
        if status != 200 or answer.get("result", {}).get("protocolVersion") != self.era:
            raise Fault("initialize: %d %.300s" % (status, json.dumps(answer)))
        self.session = head["mcp-session-id"]
        await self.post({"jsonrpc": "2.0", "method": "notifications/initialized"}, self.own_headers())

    async def ask(self, method, params, drop_after=None, headers=None):
        return await self.post(self.message(method, params), self.own_headers(), drop_after)

    async def listen(self, seconds):
        """A GET stream for a while; no answer to anything may come on it."""
        other = wire.Connection(self.connection.port, self.connection.secret)
        try:
            await other.ask("GET", self.path, {"Accept": "text/event-stream", **self.own_headers()}, drop_after=seconds)
        except wire.Dropped:
            if b'"result"' in other.held or b'"error"' in other.held:
                raise Fault("an answer on the GET stream: %r" % other.held[:300]) from None
        finally:
            other.close()

    async def leave(self, kindly):
        if kindly and self.session:
            status, _, _ = await self.connection.ask("DELETE", self.path, self.own_headers())
            if status not in (200, 202, 204):
                raise Fault("DELETE of a session: %d" % status)
        await self.close()


class Modern(Client):
    NAMED = {"tools/call": "name", "resources/read": "uri", "prompts/get": "name"}

    def __init__(self, number, place):
        super().__init__(number, place)
        self.era = MODERN

    def envelope(self):
        return {PREFIX + "protocolVersion": MODERN, PREFIX + "clientCapabilities": {}, PREFIX + "clientInfo": INFO}

    def headers_of(self, method, params, headers):
        own = {"MCP-Protocol-Version": MODERN, "Mcp-Method": method, **(headers or {})}
        if method in self.NAMED:
            own["Mcp-Name"] = params[self.NAMED[method]]
        return own

    async def open(self):
        self.last = 0
        status, answer, _ = await self.ask("server/discover", {})
        if status != 200 or MODERN not in answer.get("result", {}).get("supportedVersions", []):
            raise Fault("server/discover: %d %.300s" % (status, json.dumps(answer)))

    async def ask(self, method, params, drop_after=None, headers=None):
        params = {**params, "_meta": {**params.get("_meta", {}), **self.envelope()}}
        return await self.post(self.message(method, params), self.headers_of(method, params, headers), drop_after)

    async def listen(self, seconds):
        other = wire.Connection(self.connection.port, self.connection.secret)
        params = {"notifications": {"toolsListChanged": True}, "_meta": self.envelope()}
        body = json.dumps({"jsonrpc": "2.0", "id": self.number, "method": "subscriptions/listen", "params": params}).encode()
        try:
            await other.ask("POST", self.path, {**ACCEPT, **self.headers_of("subscriptions/listen", params, None)}, body, seconds)
        except wire.Dropped:
            self.check_subscription(other.held)
        finally:
            other.close()

    def check_subscription(self, held):
        for line in held.split(b"\n"):
            if line.startswith(b"data:") and line.endswith(b"}"):
                meta = json.loads(line[5:]).get("params", {}).get("_meta", {})
                if meta.get(PREFIX + "subscriptionId") != self.number:
                    raise Fault("a subscription %d heard %r" % (self.number, line[:300]))

    async def leave(self, kindly):
        await self.close()


class Stdio:
    """`sallyport stdio`, spoken to in one era."""

    def __init__(self, number, place, modern):
        self.number, self.modern, self.last = number, modern, 0
        self.era = "stdio " + (MODERN if modern else "2025-11-25")
        self.pipe = wire.Pipe(place.stdio_command, {**place.environment, "MCP_API_KEY": place.secrets[number % len(place.secrets)]})

    async def open(self):
        self.last = 0
        await self.pipe.start()
        if not self.modern:
            await self.ask("initialize", {"protocolVersion": "2025-11-25", "capabilities": {}, "clientInfo": INFO})
            await self.pipe.send({"jsonrpc": "2.0", "method": "notifications/initialized"})

    async def ask(self, method, params, drop_after=None, headers=None):
        self.last += 1
        if self.modern:
            params = {**params, "_meta": {**params.get("_meta", {}), **Modern.envelope(self)}}
        message = {"jsonrpc": "2.0", "id": self.last, "method": method, "params": params}
        if drop_after is None:
            answer, notes = await self.pipe.ask(message)
            return 200, answer, notes
        asked = asyncio.ensure_future(self.pipe.ask(message))
        done, _ = await asyncio.wait([asked], timeout=drop_after)
        if not done:
            asked.cancel()
            await self.pipe.take_back(message)
            raise wire.Dropped()
        return 200, *asked.result()

    async def listen(self, seconds):
        await asyncio.sleep(seconds)

    async def leave(self, kindly):
        await self.pipe.stop()
