"""What the tests of the vault share: one gateway, its people, and an HTTP upstream that keeps what it was sent."""
import hashlib
import http.server
import json
import threading
import unittest
import urllib.parse

import mcp
import scratch
from gateway import Gateway

PASSWORD = "Violet-Tractor-7-Moss"


def digest(text):
    return hashlib.sha256(text.encode()).hexdigest()


class Upstream(http.server.BaseHTTPRequestHandler):
    """A stateless MCP server of 2025-11-25 over HTTP with one tool; `server.seen` has path and headers of each request."""
    protocol_version = "HTTP/1.1"

    def do_POST(self):
        message = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        self.server.seen.append((self.path, {name.lower(): value for name, value in self.headers.items()}))
        results = {"initialize": {"protocolVersion": "2025-11-25", "capabilities": {"tools": {}},
                                  "serverInfo": {"name": "web", "version": "1"}},
                   "tools/list": {"tools": [{"name": "ping", "inputSchema": {"type": "object"}}]},
                   "tools/call": {"content": [{"type": "text", "text": "pong"}]}}
        if "id" not in message:
            return self.answer(202, b"")
        answer = {"jsonrpc": "2.0", "id": message["id"]}
        if message["method"] in results:
            answer["result"] = results[message["method"]]
        else:
            answer["error"] = {"code": -32601, "message": "unknown method"}
        self.answer(200, json.dumps(answer).encode())

    def do_GET(self):
        self.answer(405, b"")

    do_DELETE = do_GET

    def answer(self, status, body):
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *args):
        pass


def start(name, settings=None):
    """One gateway for all, since each start costs a second or two."""
    gateway = Vault.gateway = Gateway(name, {"listen.workers": 2, **(settings or {})}).__enter__()
    unittest.addModuleCleanup(gateway.close)
    for who, role in (("boss", "admin"), ("ada", "user"), ("bob", "user"), ("eve", "readonly")):
        gateway.user(who, PASSWORD, role)
        login = mcp.Client(gateway).ask("POST", "/auth/login", {"username": who, "password": PASSWORD}).message
        Vault.tokens[who] = login["access_token"]
    upstream = Vault.upstream = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Upstream)
    upstream.seen = []
    threading.Thread(target=upstream.serve_forever, daemon=True).start()
    unittest.addModuleCleanup(upstream.server_close)
    unittest.addModuleCleanup(upstream.shutdown)


class Vault(unittest.TestCase):
    gateway = upstream = None
    tokens = {}

    def ask(self, who, method, path, body=None):
        secret = self.tokens.get(who, who)
        return mcp.Client(self.gateway, secret).ask(method, "/api/v1/vault" + path, body)

    def put(self, name, value, who="boss", own=False, **more):
        answer = self.ask(who, "PUT", self.path_of(name, own), {"value": value, **more})
        self.assertEqual(answer.status, 200, answer)
        return answer.message

    def value(self, name, who="boss", own=False, **body):
        return self.ask(who, "POST", self.path_of(name, own, "/reveal"), body)

    @staticmethod
    def path_of(name, own=False, action=""):
        return "/secrets/" + urllib.parse.quote(name, safe="") + action + ("?owner=me" if own else "")

    def add_secret_server(self, name, *options, env=(), shared=False):
        more = [*options] + (["--shared"] if shared else [])
        return self.gateway.add(name, "/usr/bin/python3", scratch.support_script("secret_server.py"), options=more, env=env)

    def seen_by(self, server, secret):
        """What the tool server was given, as it tells itself."""
        session = mcp.Session(self.gateway, secret, server).open()
        return json.loads(session.text("seen"))
