"""A small MCP client over HTTP for tests: everything of an answer stays visible. One connection a client, one thread."""
import http.client
import json
import select
from collections import namedtuple

VERSION = "2025-11-25"
MODERN = "2026-07-28"
ACCEPT = "application/json, text/event-stream"

# `message` is the JSON-RPC answer (or REST body), `events` the messages that came before it on a stream.
Answer = namedtuple("Answer", "status headers body message events")


class Headers(dict):
    """Names in lower case; a name that came twice is a list in `all`."""

    def __init__(self, pairs):
        super().__init__()
        self.all = [(name.lower(), value) for name, value in pairs]
        for name, value in self.all:
            self[name] = value


def sse_messages(text):
    """The JSON of each event's data; comments and empty events are passed over."""
    found = []
    for event in text.replace("\r\n", "\n").split("\n\n"):
        data = "\n".join(line[5:].lstrip(" ") for line in event.split("\n") if line.startswith("data:"))
        if data:
            found.append(json.loads(data))
    return found


def read_answer(response):
    body = response.read()
    headers = Headers(response.getheaders())
    kind = headers.get("content-type", "")
    events, message = [], None
    if kind.startswith("text/event-stream"):
        events = sse_messages(body.decode())
        finals = [m for m in events if "method" not in m]
        message = finals[-1] if finals else None
        events = [m for m in events if "method" in m]
    elif kind.startswith("application/json") and body:
        message = json.loads(body)
    return Answer(response.status, headers, body, message, events)


class Client:
    """REST and raw HTTP with one credential."""

    def __init__(self, gateway, secret=None, timeout=60):
        self.gateway, self.secret = gateway, secret
        tls = getattr(gateway, "tls", None)  # an ssl.SSLContext where it serves HTTPS
        self.connection = (http.client.HTTPSConnection(gateway.address, gateway.port, timeout=timeout, context=tls) if tls
                           else http.client.HTTPConnection(gateway.address, gateway.port, timeout=timeout))

    def headers(self, extra):
        headers = {"Host": "127.0.0.1:%d" % self.gateway.port}  # the name stays right where the address is 127.0.0.2
        if self.secret is not None:
            headers["Authorization"] = "Bearer " + self.secret
        return {**headers, **extra}

    def ask(self, method, path, body=None, headers=None):
        if isinstance(body, (dict, list)):
            body = json.dumps(body).encode()
        extra = {"Content-Type": "application/json"} if body is not None else {}
        if self.connection.sock and select.select([self.connection.sock], [], [], 0)[0]:
            self.connection.close()  # the gateway closed it meanwhile, since nothing came: http.client opens another
        self.connection.request(method, path, body, self.headers({**extra, **(headers or {})}))
        return read_answer(self.connection.getresponse())

    def close(self):
        self.connection.close()


def get(gateway, path):
    client = Client(gateway, timeout=5)
    try:
        return client.ask("GET", path)
    finally:
        client.close()


class Session(Client):
    """One MCP session on /mcp or /mcp/{server}."""

    def __init__(self, gateway, secret, server="", timeout=60, version=VERSION):
        super().__init__(gateway, secret, timeout)
        self.path = "/mcp" + ("/" + server if server else "")
        self.version = version
        self.id = None
        self.last = 0

    def post(self, message, headers=None):
        extra = {"Accept": ACCEPT, "Content-Type": "application/json"}
        if self.id:
            extra.update({"Mcp-Session-Id": self.id, "MCP-Protocol-Version": self.version})
        body = message if isinstance(message, bytes) else json.dumps(message).encode()
        return self.ask("POST", self.path, body, {**extra, **(headers or {})})

    def request(self, method, params=None, headers=None, rpc_id=None):
        self.last += 1
        message = {"jsonrpc": "2.0", "id": self.last if rpc_id is None else rpc_id, "method": method}
        if params is not None:
            message["params"] = params
        return self.post(message, headers)

    def notify(self, method, params=None):
        message = {"jsonrpc": "2.0", "method": method}
        if params is not None:
            message["params"] = params
        return self.post(message)

    def open(self):
        answer = self.request("initialize", {"protocolVersion": self.version, "capabilities": {},
                                             "clientInfo": {"name": "sallyport-test", "version": "1"}})
        assert answer.status == 200 and "result" in answer.message, answer
        self.id = answer.headers["mcp-session-id"]
        assert self.notify("notifications/initialized").status == 202
        return self

    def tools(self):
        answer = self.request("tools/list")
        assert answer.status == 200 and "result" in answer.message, answer
        return [tool["name"] for tool in answer.message["result"]["tools"]]

    def call(self, name, arguments=None, meta=None, rpc_id=None):
        params = {"name": name, "arguments": arguments or {}}
        if meta:
            params["_meta"] = meta
        return self.request("tools/call", params, rpc_id=rpc_id)

    def text(self, name, arguments=None):
        """The first text of a call that must succeed."""
        answer = self.call(name, arguments)
        assert answer.status == 200 and "result" in (answer.message or {}), answer
        return answer.message["result"]["content"][0]["text"]

    def listen(self):
        """Opens the GET stream on a connection of its own; the raw response, to be read line by line."""
        connection = http.client.HTTPConnection(self.gateway.address, self.gateway.port, timeout=self.connection.timeout)
        connection.request("GET", self.path, headers=self.headers(
            {"Accept": "text/event-stream", "Mcp-Session-Id": self.id, "MCP-Protocol-Version": self.version}))
        response = connection.getresponse()
        response.held = connection
        return response


def acknowledged(client, wanted):
    """What the gateway honours of a subscriptions/listen of a Modern client; the stream is closed again."""
    message = {"jsonrpc": "2.0", "id": "listens", "method": "subscriptions/listen", "params": {**wanted, "_meta": client.envelope()}}
    connection = http.client.HTTPConnection(client.gateway.address, client.gateway.port, timeout=60)
    connection.request("POST", client.path, json.dumps(message), client.headers({
        "Accept": ACCEPT, "Content-Type": "application/json", "MCP-Protocol-Version": MODERN, "Mcp-Method": "subscriptions/listen"}))
    for line in connection.getresponse():
        if line.startswith(b"data:"):
            connection.close()
            return json.loads(line[5:])["params"]["notifications"]
    raise AssertionError("no acknowledgement")


class Modern(Client):
    """A client of 2026-07-28 on /mcp or /mcp/{server}: every request stands alone."""

    NAMED = {"tools/call": "name", "prompts/get": "name", "resources/read": "uri"}

    def __init__(self, gateway, secret, server="", timeout=60, capabilities=None):
        super().__init__(gateway, secret, timeout)
        self.path = "/mcp" + ("/" + server if server else "")
        self.capabilities = capabilities or {}
        self.last = 0

    def envelope(self):
        prefix = "io.modelcontextprotocol/"
        return {prefix + "protocolVersion": MODERN, prefix + "clientCapabilities": self.capabilities,
                prefix + "clientInfo": {"name": "sallyport-test", "version": "1"}}

    def post(self, message, headers=None):
        own = {"Accept": ACCEPT, "Content-Type": "application/json", "MCP-Protocol-Version": MODERN}
        if "method" in message:
            own["Mcp-Method"] = message["method"]
        named = message.get("params", {}).get(self.NAMED.get(message.get("method")))
        if named is not None:
            own["Mcp-Name"] = named
        own.update(headers or {})
        return self.ask("POST", self.path, message, {k: v for k, v in own.items() if v is not None})

    def request(self, method, params=None, headers=None, rpc_id=None, meta=None):
        """`headers`: a value of None leaves one out."""
        self.last += 1
        message = {"jsonrpc": "2.0", "id": self.last if rpc_id is None else rpc_id, "method": method,
                   "params": {**(params or {}), "_meta": {**self.envelope(), **(meta or {})}}}
        return self.post(message, headers)

    def notify(self, method, params=None):
        return self.post({"jsonrpc": "2.0", "method": method, "params": {**(params or {}), "_meta": self.envelope()}})

    def tools(self):
        answer = self.request("tools/list")
        assert answer.status == 200 and "result" in answer.message, answer
        return [tool["name"] for tool in answer.message["result"]["tools"]]

    def call(self, name, arguments=None, **retry):
        return self.request("tools/call", {"name": name, "arguments": arguments or {}, **retry})

    def text(self, name, arguments=None, **retry):
        """The first text of a call that must succeed."""
        answer = self.call(name, arguments, **retry)
        assert answer.status == 200 and "result" in (answer.message or {}), answer
        return answer.message["result"]["content"][0]["text"]
