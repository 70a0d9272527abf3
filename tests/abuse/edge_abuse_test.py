"""Wrong Host, wrong Origin, internal headers, paths: DNS rebinding and what a browser is made to do (threats.md, 2)."""
import json
import unittest

import mcp
import rawhttp
from abuse_case import AbuseCase

PING = b'{"jsonrpc":"2.0","id":1,"method":"ping"}'


class Edge(AbuseCase):
    name = "edge"
    settings = {"listen.origins": ["https://console.example.com"], "listen.hosts": ["localhost", "127.0.0.1", "*.example.com"]}

    def post(self, host=None, **headers):
        data = rawhttp.post(self.gateway, PING, self.key.secret, session=self.session.id, **headers)
        own = b"Host: 127.0.0.1:%d" % self.gateway.port
        return data if host is None else data.replace(own, b"Host: " + host.encode("latin-1"))

    def test_wrong_hosts(self):
        """S0-32, S4-19: exact names and *.suffix; the port is ours."""
        port = self.gateway.port
        for host in ("evil.example.org", "evil.com:%d" % port, "127.0.0.1:%d" % (port + 1), "example.com", "xexample.com",
                     "localhost.evil.com", "127.0.0.1.evil.com", "127.0.0.1@evil.com", "0.0.0.0", "[::]", "2130706433", "127.1",
                     "127.0.0.1:", "127.0.0.1:99999", "localhost/x", "localhost, evil.com", "evil.com, localhost", "..example.com",
                     ".example.com", "a.example.com.evil.com", ""):
            with self.subTest(host=host):
                self.refused_raw(self.post(host), (403, 400))

    def test_right_hosts(self):
        port = self.gateway.port
        for host in ("localhost", "LOCALHOST:%d" % port, "127.0.0.1", "a.example.com", "b.a.example.com:%d" % port):
            self.assertEqual(rawhttp.exchange(self.gateway, self.post(host)).status, 200, host)

    def test_a_wrong_host_gets_not_even_health(self):
        self.refused_raw(b"GET /health HTTP/1.1\r\nHost: evil.com\r\nConnection: close\r\n\r\n", (403,))

    def test_wrong_origins(self):
        for origin in ("http://evil.com", "null", "https://console.example.com.evil.com", "http://console.example.com",
                       "https://console.example.com:444", "https://evil.example.com", "file://", "https://console.example.com/",
                       "http://localhost", "chrome-extension://abc"):
            with self.subTest(origin=origin):
                reply = self.refused_raw(self.post(Origin=origin), (403,))
                self.assertIsNone(reply.header("Access-Control-Allow-Origin"))

    def test_a_listed_origin_is_answered_with_itself_alone(self):
        """S0-31, C15."""
        reply = rawhttp.exchange(self.gateway, self.post(Origin="https://console.example.com"))
        self.assertEqual(reply.status, 200)
        self.assertEqual(reply.header("Access-Control-Allow-Origin"), "https://console.example.com")
        self.assertEqual(reply.header("Vary"), "Origin")

    def test_internal_and_forwarding_headers_of_a_client_are_not_believed(self):
        """A header never says who calls, from where, or where to."""
        answer = mcp.Client(self.gateway).ask("POST", "/mcp", PING, {
            "Accept": mcp.ACCEPT, "X-Sallyport-Principal": "local:0", "X-Forwarded-User": "admin", "X-Real-IP": "10.0.0.1",
            "X-Forwarded-For": "10.0.0.1", "X-Forwarded-Proto": "https", "X-Original-URL": "/health", "X-Rewrite-URL": "/health",
            "X-HTTP-Method-Override": "GET"})
        self.assertEqual(answer.status, 401)
        record = self.gateway.audit(request_id=answer.headers["x-request-id"])[0]
        self.assertEqual(record["client_ip"], "127.0.0.1")
        self.assertNotIn("strict-transport-security", answer.headers)

    def test_paths_that_try_to_pass_for_another(self):
        """Authorized on the routed path only (CVE-2026-42271, -48710): none of these reaches what it aims at."""
        for path in ("/health/../api/v1/keys", "/api/v1/../v1/keys", "//api/v1/keys", "/api//v1/keys", "/api/v1/keys/", "/api/v1/keys;x",
                     "/api/v1/keys%00", "/%61pi/v1/keys", "/api/v1/%2e%2e/keys", "/API/V1/KEYS", "/health?/../api/v1/keys", "/mcp/calc/../x",
                     "/mcp//calc", "/mcp/%63alc", "/health%2f..%2fapi%2fv1%2fkeys", "/api/v1/tools/%ff", "/api/v1/tools/%"):
            with self.subTest(path=path):
                anonymous = mcp.Client(self.gateway).ask("GET", path)
                if anonymous.status == 200:
                    self.assertEqual(anonymous.message.get("service"), "sallyport", path)  # /health itself, no more
                with_key = mcp.Client(self.gateway, self.key.secret).ask("GET", path)
                self.assertNotIn("credential", json.dumps(with_key.message))
                if with_key.status == 200:
                    self.assertEqual(with_key.message.get("service"), "sallyport", path)

    def test_no_route_turns_request_data_into_a_process(self):
        """threats.md: a posted stdio command; not even an administrator's token may, over HTTP."""
        password = "Correct-Horse-7-Battery"
        self.gateway.user("root-admin", password, role="admin")
        login = mcp.Client(self.gateway).ask("POST", "/auth/login", {"username": "root-admin", "password": password})
        admin = mcp.Client(self.gateway, login.message["access_token"])
        body = {"name": "evil", "transport": "stdio", "command": ["/bin/sh", "-c", "touch /tmp/owned"], "probe": True}
        answer, fresh = self.records_of(lambda: admin.ask("POST", "/api/v1/servers", body))
        self.assertEqual(answer.status, 403, answer)
        self.assertEqual([s["name"] for s in admin.ask("GET", "/api/v1/servers").message["data"]], ["calc"])
        self.assertTrue([r for r in fresh if r.get("status_code") == 403 and r.get("result") == "denied"], fresh)

    def test_an_http_upstream_on_a_private_address_needs_its_own_permission(self):
        """SSRF guard: on by default."""
        for url in ("http://127.0.0.1:9/mcp", "http://169.254.169.254/latest/meta-data", "http://[::1]:9/", "http://10.0.0.1/",
                    "http://localhost:9/", "http://[::ffff:127.0.0.1]:9/", "http://[64:ff9b::7f00:1]:9/", "file:///etc/passwd",
                    "gopher://127.0.0.1/", "http://127.0.0.1:9/#x"):
            with self.subTest(url=url):
                ran = self.gateway.run("server", "add", "inner", "--url", url)
                self.assertNotEqual(ran.code, 0, ran)


if __name__ == "__main__":
    unittest.main()
