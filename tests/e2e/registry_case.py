"""What the tests of registered tools share: one gateway, its people, and an HTTP endpoint on loopback."""
import http.server
import json
import threading
import unittest

import mcp
from gateway import Gateway

PASSWORD = "Violet-Tractor-7-Moss"
SCHEMA = {"type": "object", "required": ["a", "b"], "properties": {"a": {"type": "number"}, "b": {"type": "number"}}}


class Endpoint(http.server.BaseHTTPRequestHandler):
    """Answers with what it got; /text, /missing and /redirect answer otherwise."""
    protocol_version = "HTTP/1.1"

    def do_POST(self):
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.server.seen.append((self.path, dict(self.headers), body))
        status, kind, answer = {"/text": (200, "text/plain", b"sunny"), "/missing": (404, "text/plain", b"a secret of its own"),
                                "/redirect": (307, "text/plain", b""),
                                "/picture": (200, "image/png", b"no text")}.get(
            self.path, (200, "application/json", json.dumps({"got": json.loads(body)}).encode()))
        if self.path == "/hang":
            self.server.gone.append(self.rfile.read(1) == b"")  # until the other end closes
            return
        self.send_response(status)
        if status == 307:
            self.send_header("Location", "/text")
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(answer)))
        self.end_headers()
        self.wfile.write(answer)

    def log_message(self, *args):
        pass


def start():
    """One gateway for all, since each start costs a second or two."""
    gateway = Registry.gateway = Gateway("registry").__enter__()
    unittest.addModuleCleanup(gateway.close)
    gateway.add_calculator()
    for role in ("admin", "user", "readonly"):
        gateway.user("who-" + role, PASSWORD, role)
        login = mcp.Client(gateway).ask("POST", "/auth/login", {"username": "who-" + role, "password": PASSWORD})
        Registry.tokens[role] = login.message["access_token"]
    endpoint = Registry.endpoint = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Endpoint)
    endpoint.seen, endpoint.gone = [], []
    threading.Thread(target=endpoint.serve_forever, daemon=True).start()
    unittest.addModuleCleanup(endpoint.server_close)
    unittest.addModuleCleanup(endpoint.shutdown)


class Registry(unittest.TestCase):
    gateway = endpoint = None
    tokens = {}

    def setUp(self):
        self.admin = self.as_user("admin")

    def as_user(self, role):
        return mcp.Client(self.gateway, self.tokens[role])

    def key(self, name, **fields):
        made = self.gateway.admin("POST", "/api/v1/keys", {"name": name, **fields})
        return mcp.Client(self.gateway, made["api_key"])

    def agent(self, name, *scopes):
        return self.gateway.key(name, *scopes).secret

    def register(self, name, **fields):
        """By the operator at the machine."""
        made = self.gateway.admin("POST", "/api/v1/tools", {"name": name, **fields})
        self.addCleanup(lambda: self.admin.ask("DELETE", "/api/v1/tools/" + name))
        return made

    def url(self, path="/"):
        return "http://127.0.0.1:%d%s" % (self.endpoint.server_address[1], path)
