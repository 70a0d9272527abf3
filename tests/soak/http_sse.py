"""A client of HTTP+SSE (MCP 2024-11-05): one stream on which everything is said, and a place to post to that its first event names."""
import asyncio
import json
from urllib.parse import urljoin, urlsplit

import wire
from clients import INFO, Client
from wire import Fault, Lost

VERSION = "2024-11-05"
PATH = "/sse"


async def served(port, secret):
    """Does the gateway have such a door?"""
    connection = wire.Connection(port, secret)
    try:
        await connection.send("GET", PATH, {"Accept": "text/event-stream"}, None)
        status, headers = await asyncio.wait_for(connection.head(), 10)
        return status == 200 and headers.get("content-type", "").startswith("text/event-stream")
    finally:
        connection.close()


class HttpSse(Client):
    def __init__(self, number, place):
        super().__init__(number, place)
        self.era = "http+sse " + VERSION
        self.stream = wire.Connection(place.port, self.connection.secret)
        self.book = wire.Answers()
        self.reader = self.endpoint = None

    async def open(self):
        await self.stream.send("GET", PATH, {"Accept": "text/event-stream"}, None)
        status, headers = await self.stream.head()
        if status != 200:
            raise Fault("GET %s: %d" % (PATH, status))
        self.endpoint = asyncio.get_running_loop().create_future()
        self.reader = asyncio.ensure_future(self.read(headers.get("transfer-encoding") == "chunked"))
        self.path = await self.endpoint
        answer, _ = await self.say("initialize", {"protocolVersion": VERSION, "capabilities": {}, "clientInfo": INFO})
        if answer.get("result", {}).get("protocolVersion") != VERSION:
            raise Fault("initialize: %.300s" % json.dumps(answer))
        await self.post_only({"jsonrpc": "2.0", "method": "notifications/initialized"})

    async def read(self, chunked):
        try:
            held = b""
            while True:
                held += await self.piece(chunked)
                *events, held = held.replace(b"\r\n", b"\n").split(b"\n\n")
                for event in events:
                    self.event(event.decode())
        except (Lost, OSError):
            self.book.end("the stream ended")
        except Fault as fault:
            self.book.fault = fault

    async def piece(self, chunked):
        if not chunked:
            if not self.stream.held:
                await self.stream.more()
            return await self.stream.take(len(self.stream.held))
        size = int(await self.stream.until(b"\r\n"), 16)
        data = await self.stream.take(size)
        await self.stream.until(b"\r\n")
        if size == 0:
            raise Lost("the stream ended")
        return data

    def event(self, text):
        fields = [line.partition(":") for line in text.split("\n") if line and not line.startswith(":")]
        data = "\n".join(value.strip() for name, _, value in fields if name == "data")
        kind = next((value.strip() for name, _, value in fields if name == "event"), "message")
        if kind == "endpoint":
            where = urlsplit(urljoin("http://127.0.0.1:%d%s" % (self.stream.port, PATH), data))
            self.endpoint.set_result(where.path + ("?" + where.query if where.query else ""))
        elif data:
            self.book.arrived(json.loads(data))

    async def post_only(self, message):
        status, _, body = await self.connection.ask("POST", self.path, {}, json.dumps(message).encode())
        if status not in (200, 202):
            raise Fault("%s on %s: %d %.200r" % (message["method"], PATH, status, body))

    async def say(self, method, params, drop_after=None):
        """(answer, what came before it)"""
        message = self.message(method, params)
        waits = self.book.expect(message["id"])
        await self.post_only(message)
        if drop_after is None:
            return await waits[0], waits[1]
        try:
            return await asyncio.wait_for(waits[0], drop_after), waits[1]
        except asyncio.TimeoutError:
            self.book.cancel(message)
            await self.post_only({"jsonrpc": "2.0", "method": "notifications/cancelled", "params": {"requestId": message["id"]}})
            raise wire.Dropped() from None

    async def ask(self, method, params, drop_after=None, headers=None):
        return 200, *await self.say(method, params, drop_after)

    async def listen(self, seconds):
        await asyncio.sleep(seconds)

    async def leave(self, kindly):
        if self.reader:
            self.reader.cancel()
        self.stream.close()
        await self.close()
