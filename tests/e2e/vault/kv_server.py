"""A server of KV version 2's HTTP API (HashiCorp Vault, OpenBao), as its reference pages describe it: reads of a version, tokens that
end unless they are renewed, namespaces, sealing. What it was asked stands in `server.asked`."""
import http.server
import json
import threading
import time
import urllib.parse


class Kv(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self):
        self.serve("GET")

    def do_POST(self):
        self.rfile.read(int(self.headers.get("Content-Length", 0)))
        self.serve("POST")

    def serve(self, method):
        state = self.server
        url = urllib.parse.urlsplit(self.path)
        state.asked.append((method, self.path, dict(self.headers)))
        state.answering.wait(60)
        if state.sealed:
            return self.answer(503, {"errors": ["Vault is sealed"]})
        if self.headers.get("X-Vault-Token") != state.token or time.monotonic() > state.token_ends:
            if state.refused_together:
                state.refused_together.wait(30)
            return self.answer(403, {"errors": ["permission denied"]})
        if url.path == "/v1/auth/token/lookup-self":
            return self.answer(200, {"data": {"ttl": state.token_seconds, "renewable": True}})
        if url.path == "/v1/auth/token/renew-self" and method == "POST":
            state.token_ends = time.monotonic() + state.token_seconds
            state.renewed.set()
            return self.answer(200, {"auth": {"lease_duration": state.token_seconds, "renewable": True}})
        version = urllib.parse.parse_qs(url.query).get("version", ["0"])[0]
        found = state.secrets.get((url.path, int(version)))
        if found is None:
            return self.answer(404, {"errors": []})
        self.answer(200, {"data": {"data": found, "metadata": {"version": int(version) or 1}}})

    def answer(self, status, body):
        text = json.dumps(body).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(text)))
        self.end_headers()
        self.wfile.write(text)

    def log_message(self, *args):
        pass


def start(token, token_seconds=3600):
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Kv)
    server.token, server.token_seconds = token, token_seconds
    server.token_ends = time.monotonic() + token_seconds
    server.answering = threading.Event()
    server.answering.set()
    server.secrets, server.asked, server.sealed, server.renewed = {}, [], False, threading.Event()
    server.refused_together = None  # a barrier: so many questions are refused at once
    threading.Thread(target=server.serve_forever, daemon=True).start()
    return server
