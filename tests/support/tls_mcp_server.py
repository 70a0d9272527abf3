"""A Streamable HTTP server behind TLS, in the test's own process: its tool `whoami` says whose certificate was shown."""
import http.server
import json
import ssl
import threading


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def setup(self):
        self.request.do_handshake()  # here, so that a bad one holds up nobody else
        super().setup()

    def log_message(self, *_):
        pass

    def status(self, code):
        self.send_response(code)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def do_GET(self):
        self.status(405)

    do_DELETE = do_GET

    def who(self):
        subject = (self.request.getpeercert() or {}).get("subject", ())
        return "".join(value for part in subject for name, value in part if name == "commonName") or "nobody"

    def do_POST(self):
        message = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        self.server.callers.append(self.who())
        if "id" not in message:
            return self.status(202)
        method, answer = message["method"], {"jsonrpc": "2.0", "id": message["id"]}
        if method == "initialize":
            answer["result"] = {"protocolVersion": message["params"]["protocolVersion"], "capabilities": {"tools": {}},
                                "serverInfo": {"name": "whoami", "version": "1"}}
        elif method == "tools/list":
            answer["result"] = {"tools": [{"name": "whoami", "description": "whose certificate was shown",
                                           "inputSchema": {"type": "object"}}]}
        elif method == "tools/call":
            answer["result"] = {"content": [{"type": "text", "text": self.who()}]}
        else:
            answer["error"] = {"code": -32601, "message": "no such method"}
        body = json.dumps(answer).encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)


class Server(http.server.ThreadingHTTPServer):
    daemon_threads = True

    def __init__(self, pair, client_ca=None):
        super().__init__(("127.0.0.1", 0), Handler)
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(pair.certificate, pair.key)
        if client_ca:
            context.verify_mode = ssl.CERT_REQUIRED
            context.load_verify_locations(client_ca)
        self.socket = context.wrap_socket(self.socket, server_side=True, do_handshake_on_connect=False)
        self.port = self.server_address[1]
        self.callers = []  # of each request, by the certificate that was shown
        self.thread = threading.Thread(target=self.serve_forever, args=(0.05,), daemon=True)
        self.thread.start()

    def handle_error(self, *_):
        pass

    def url(self, host="127.0.0.1"):
        return "https://%s:%d/mcp" % (host, self.port)

    def close(self):
        self.shutdown()
        self.thread.join()
        self.server_close()
