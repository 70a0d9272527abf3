"""A server of the transit engine's HTTP API (HashiCorp Vault, OpenBao) as its reference pages describe it, for what a test wants to go
wrong: sealed, away, a token that ends. It keeps what it wraps in a table and gives out a random name for it."""
import base64
import http.server
import json
import secrets
import ssl
import threading
import time


class Engine(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self):
        self.serve("GET", {})

    def do_POST(self):
        self.serve("POST", json.loads(self.rfile.read(int(self.headers.get("Content-Length", 0))) or b"{}"))

    def serve(self, method, body):
        state = self.server.state
        state.asked.append((method, self.path, dict(self.headers), time.monotonic()))
        state.answering.wait(60)
        if state.sealed:
            return self.answer(503, {"errors": ["Vault is sealed"]})
        if self.headers.get("X-Vault-Token") not in state.tokens:
            return self.answer(403, {"errors": ["permission denied"]})
        if self.path == "/v1/auth/token/lookup-self":
            return self.answer(200, {"data": {"ttl": state.token_seconds, "renewable": state.token_seconds > 0}})
        if self.path == "/v1/auth/token/renew-self" and method == "POST":
            state.renewed.set()
            return self.answer(200, {"auth": {"lease_duration": state.token_seconds, "renewable": True}})
        *mount, order, key = self.path.split("/")
        if "/".join(mount) != "/v1/" + state.mount or order not in ("encrypt", "decrypt"):
            return self.answer(404, {"errors": ["no handler for route"]})
        self.answer(*getattr(state, order)(key, body))

    def answer(self, status, body):
        text = json.dumps(body).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(text)))
        self.end_headers()
        self.wfile.write(text)

    def log_message(self, *args):
        pass


class Transit:
    """token(): one that may use the key."""
    def __init__(self, mount="transit", key="sallyport", pair=None):
        self.mount, self.key, self.pair = mount, key, pair
        self.version, self.min_version, self.kept = 1, 1, {}
        self.binds, self.sealed, self.tokens, self.token_seconds = True, False, set(), 0
        self.asked, self.renewed, self.answering = [], threading.Event(), threading.Event()
        self.answering.set()
        self.port, self.server = 0, None
        self.start()

    @property
    def url(self):
        return "%s://127.0.0.1:%d" % ("https" if self.pair else "http", self.port)

    def start(self):
        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", self.port), Engine)
        self.server.state, self.server.daemon_threads = self, True
        self.server.handle_error = lambda *of: None  # who asked has gone
        if self.pair:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(*self.pair)
            self.server.socket = context.wrap_socket(self.server.socket, server_side=True)
        self.port = self.server.server_address[1]
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def stop(self):
        self.server.shutdown()
        self.server.server_close()

    def pause(self):
        self.answering.clear()

    def go_on(self):
        self.answering.set()

    def seal(self):
        self.sealed = True

    def unseal(self):
        self.sealed = False

    def token(self, seconds=0, may=True):
        made = "hvs." + secrets.token_urlsafe(24)
        if may:
            self.tokens.add(made)
        self.token_seconds = seconds
        return made

    def was_renewed(self, token):
        return self.renewed.is_set()

    def turn(self):
        self.version += 1

    def forget_versions_before(self, version):
        self.min_version = version

    def replace_key(self):
        self.kept = {}

    def encrypt(self, key, body):
        if key != self.key:
            return 400, {"errors": ["encryption key not found"]}
        name = "vault:v%d:%s" % (self.version, base64.b64encode(secrets.token_bytes(60)).decode())
        self.kept[name] = (body["plaintext"], body.get("associated_data") if self.binds else None)
        return 200, {"data": {"ciphertext": name, "key_version": self.version}}

    def decrypt(self, key, body):
        plain, data = self.kept.get(body["ciphertext"], (None, None))
        version = int(body["ciphertext"].split(":")[1][1:])
        if key != self.key or plain is None or version < self.min_version:
            return 400, {"errors": ["cipher: message authentication failed"]}
        if self.binds and data != body.get("associated_data"):
            return 400, {"errors": ["cipher: message authentication failed"]}
        return 200, {"data": {"plaintext": plain}}

