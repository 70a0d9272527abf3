"""HTTP/1.1 and stdio for the soak's clients: asyncio, one connection each, and a strict eye on what comes. A byte behind a
whole answer, a second answer, or an answer to another's id is a Fault; what the client itself dropped is Dropped."""
import asyncio
import json
import socket


class Fault(Exception):
    """The gateway did what it must never do."""


class Lost(Exception):
    """The connection ended before the answer was whole."""


class Dropped(Exception):
    """This client went away in the middle, as it was told to."""


class Connection:
    """One keep-alive connection. `ask` sends one request and takes exactly one answer."""

    def __init__(self, port, secret):
        self.port, self.secret = port, secret
        self.socket, self.held = None, b""

    async def connect(self):
        self.socket = socket.socket()
        self.socket.setblocking(False)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.held = b""
        await asyncio.get_running_loop().sock_connect(self.socket, ("127.0.0.1", self.port))

    def close(self):
        if self.socket:
            # A wait that was cancelled takes its watch off at the loop's next turn: by then the number may be another socket's.
            loop = asyncio.get_running_loop()
            loop.remove_reader(self.socket)
            loop.remove_writer(self.socket)
            self.socket.close()
        self.socket = None

    def stale(self):
        """Did the other side end this connection, or say something that nobody asked for?"""
        try:
            more = self.socket.recv(1)
        except BlockingIOError:
            return False
        except OSError:
            return True
        if more:
            raise Fault("bytes behind a whole answer: %r" % more)
        return True

    async def send(self, method, path, headers, body):
        if self.socket and self.stale():
            self.close()
        if not self.socket:
            await self.connect()
        lines = ["%s %s HTTP/1.1" % (method, path), "Host: 127.0.0.1:%d" % self.port, "Authorization: Bearer " + self.secret]
        lines += ["%s: %s" % pair for pair in headers.items()]
        if body is not None:
            lines += ["Content-Type: application/json", "Content-Length: %d" % len(body)]
        await asyncio.get_running_loop().sock_sendall(self.socket, "\r\n".join(lines).encode() + b"\r\n\r\n" + (body or b""))

    async def ask(self, method, path, headers, body=None, drop_after=None):
        """(status, headers, body). `drop_after`: seconds after which this client goes away, whatever came."""
        await self.send(method, path, headers, body)
        try:
            return await asyncio.wait_for(self.answer(), drop_after)
        except asyncio.TimeoutError:
            self.close()
            raise Dropped() from None
        except (OSError, Lost) as error:
            self.close()
            raise Lost(str(error)) from None

    async def answer(self):
        status, headers = await self.head()
        body = await self.chunks() if headers.get("transfer-encoding") == "chunked" else \
            await self.take(int(headers.get("content-length", 0)))
        if self.held:
            raise Fault("bytes behind a whole answer: %r" % self.held[:200])
        if headers.get("connection", "") == "close":
            self.close()
        return status, headers, body

    async def head(self):
        lines = (await self.until(b"\r\n\r\n")).decode().split("\r\n")
        headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines[1:])}
        return int(lines[0].split(" ")[1]), headers

    async def chunks(self):
        body = []
        while True:
            size = int(await self.until(b"\r\n"), 16)
            body.append(await self.take(size))
            await self.until(b"\r\n")
            if size == 0:
                return b"".join(body)

    async def more(self):
        got = await asyncio.get_running_loop().sock_recv(self.socket, 65536)
        if not got:
            raise Lost("the connection ended")
        self.held += got

    async def until(self, end):
        while end not in self.held:
            await self.more()
        found, _, self.held = self.held.partition(end)
        return found

    async def take(self, size):
        while len(self.held) < size:
            await self.more()
        found, self.held = self.held[:size], self.held[size:]
        return found


def messages(headers, body):
    """The JSON-RPC messages of an answer, be it JSON or a whole event stream."""
    kind = headers.get("content-type", "")
    if kind.startswith("application/json"):
        return [json.loads(body)] if body else []
    found = []
    for event in body.decode().replace("\r\n", "\n").split("\n\n"):
        data = "\n".join(line[5:].lstrip(" ") for line in event.split("\n") if line.startswith("data:"))
        if data:
            found.append(json.loads(data))
    return found


def the_answer(found, rpc_id):
    """The one response among `found`; and what came before it."""
    responses = [m for m in found if "method" not in m]
    if len(responses) != 1:
        raise Fault("%d answers to one request: %.600s" % (len(responses), json.dumps(found)))
    said = responses[0].get("id")
    if said != rpc_id or type(said) is not type(rpc_id):
        raise Fault("asked with id %r, answered with %r: %.300s" % (rpc_id, said, json.dumps(responses[0])))
    return responses[0], [m for m in found if "method" in m]


class Answers:
    """Answers that come on a stream of all: told apart by their ids, each must come once."""

    def __init__(self):
        self.waiting, self.done, self.fault = {}, set(), None
        self.cancelled, self.past_tokens = set(), set()  # what may still come of calls that were cancelled: a race

    def expect(self, rpc_id):
        """(future of the answer, notes before it)"""
        if self.fault:
            raise self.fault
        self.waiting[rpc_id] = (asyncio.get_running_loop().create_future(), [])
        return self.waiting[rpc_id]

    def arrived(self, message):
        if "method" in message:  # notes belong to the one call that waits
            if message.get("params", {}).get("progressToken") not in self.past_tokens:
                for _, notes in self.waiting.values():
                    notes.append(message)
            return
        rpc_id = message.get("id")
        if rpc_id in self.cancelled:
            self.cancelled.remove(rpc_id)
            self.done.add(rpc_id)
            return
        if rpc_id not in self.waiting:
            raise Fault("%s answer: %.300s" % ("a second" if rpc_id in self.done else "nobody's", json.dumps(message)))
        self.done.add(rpc_id)
        self.waiting.pop(rpc_id)[0].set_result(message)

    def cancel(self, message):
        self.waiting.pop(message["id"], None)
        self.cancelled.add(message["id"])
        self.past_tokens.add(message["params"].get("_meta", {}).get("progressToken", ""))

    def end(self, why):
        for waits in self.waiting.values():
            if not waits[0].done():
                waits[0].set_exception(Lost(why))


class Pipe(Answers):
    """`sallyport stdio` as a client starts it."""

    def __init__(self, command, environment):
        super().__init__()
        self.command, self.environment = command, environment
        self.process = self.reader = None

    async def start(self):
        self.process = await asyncio.create_subprocess_exec(
            *self.command, env=self.environment, stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.DEVNULL, limit=1 << 24)
        self.reader = asyncio.ensure_future(self.read())

    async def read(self):
        while line := await self.process.stdout.readline():
            try:
                self.arrived(json.loads(line))
            except (ValueError, Fault) as error:
                self.fault = Fault(str(error))
        self.end("sallyport stdio ended")

    async def send(self, message):
        self.process.stdin.write(json.dumps(message).encode() + b"\n")
        await self.process.stdin.drain()

    async def ask(self, message):
        """(answer, what came before it)"""
        waits = self.expect(message["id"])
        await self.send(message)
        return await waits[0], waits[1]

    async def take_back(self, message):
        self.cancel(message)
        await self.send({"jsonrpc": "2.0", "method": "notifications/cancelled", "params": {"requestId": message["id"]}})

    async def stop(self):
        self.process.stdin.close()
        try:
            await asyncio.wait_for(self.process.wait(), 10)
        except asyncio.TimeoutError:
            self.process.kill()
            await self.process.wait()
            raise Fault("sallyport stdio did not end at the end of its input") from None
        finally:
            self.reader.cancel()
