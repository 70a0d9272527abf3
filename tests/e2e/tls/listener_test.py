"""The listener's own TLS: what is served, what is refused and how it is told (S0-29, S2-25, S2-32, C14, C16, C17)."""
import http.client
import json
import os
import signal
import socket
import ssl
import subprocess
import unittest

import mcp
import processes
import scratch
from gateway import SLOW, Gateway
from tls import Authority, TlsGateway

REQUEST = b"GET /health HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n"


def talk(port, data, timeout=20):
    """What the peer answers to these bytes, to the end of the connection."""
    with socket.create_connection(("127.0.0.1", port), timeout=timeout) as s:
        s.sendall(data)
        answer = b""
        while True:
            try:
                part = s.recv(65536)
            except ConnectionError:
                return answer
            if not part:
                return answer
            answer += part


def served(gateway):
    """SHA-256 of the certificate that a new connection meets."""
    with socket.create_connection(("127.0.0.1", gateway.port), timeout=20) as plain:
        with gateway.tls.wrap_socket(plain, server_hostname="127.0.0.1") as s:
            import hashlib
            return hashlib.sha256(s.getpeercert(binary_form=True)).hexdigest()


def digest(certificate):
    import hashlib
    with open(certificate) as file:
        return hashlib.sha256(ssl.PEM_cert_to_DER_cert(file.read())).hexdigest()


def hello(context, port, name="127.0.0.1"):
    """A handshake with these settings, or the alert it was refused with."""
    with socket.create_connection(("127.0.0.1", port), timeout=20) as plain:
        try:
            with context.wrap_socket(plain, server_hostname=name) as s:
                s.sendall(REQUEST)
                return s.version(), s.recv(1000)
        except ssl.SSLError as error:
            return None, error.reason
        except ConnectionError:
            return None, "reset"


class Listener(unittest.TestCase):
    def test_everything_works_over_https(self):
        """S0-29, C14: a session, a call, REST; HSTS on each answer, also of a refusal."""
        with TlsGateway("tls") as gateway:
            gateway.add_calculator()
            secret = gateway.key("agent").secret
            session = mcp.Session(gateway, secret).open()
            answer = session.call("calc_add", {"a": 2, "b": 3})
            self.assertEqual(answer.message["result"]["content"][0]["text"], "5", answer)
            self.assertEqual(answer.headers["strict-transport-security"], "max-age=31536000; includeSubDomains")
            for path in ("/health", "/no/such", "/mcp"):
                self.assertIn("strict-transport-security", mcp.get(gateway, path).headers, path)
            status = json.loads(gateway.cli("status", "--json"))
            self.assertEqual(status["url"], "https://127.0.0.1:%d" % gateway.port)
            self.assertEqual(gateway.run("healthcheck").code, 0)
            self.assertIn("https://127.0.0.1:%d/mcp" % gateway.port, gateway.log())
            metrics = mcp.get(gateway, "/metrics").body.decode()
            line = [l for l in metrics.split("\n") if l.startswith("sallyport_tls_certificate_expiry_timestamp_seconds ")]
            self.assertEqual(len(line), 1, metrics[-500:])
            doctor = gateway.run("doctor").out
            self.assertIn("the gateway answers on", doctor)

    def test_versions_protocols_and_resumption(self):
        """S2-25, S2-28: TLS 1.2 and 1.3, forward secrecy, ALPN (RFC 7301), tickets on whichever worker."""
        with TlsGateway("tls-versions", {"listen.workers": 2}) as gateway:
            for version, name in ((ssl.TLSVersion.TLSv1_2, "TLSv1.2"), (ssl.TLSVersion.TLSv1_3, "TLSv1.3")):
                context = gateway.client_context()
                context.minimum_version = context.maximum_version = version
                self.assertEqual(hello(context, gateway.port)[0], name)
            context = gateway.client_context()
            context.set_alpn_protocols(["h2"])
            self.assertIsNone(hello(context, gateway.port)[0])
            processes.wait_until(lambda: "no application protocol" in gateway.log(), 10 * SLOW, "a word about ALPN")
            old = gateway.client_context()
            old.set_ciphers("ALL:@SECLEVEL=0")
            old.minimum_version = old.maximum_version = ssl.TLSVersion.TLSv1_1
            self.assertIsNone(hello(old, gateway.port)[0])
            self.assertEqual(self.resumed(gateway, 8), 7)
            processes.wait_until(lambda: gateway.audit(event_type="security", rule_id="connection.handshake"), 10 * SLOW,
                                 "a record of the refused handshakes")

    def resumed(self, gateway, times):
        context = gateway.client_context()
        context.maximum_version = ssl.TLSVersion.TLSv1_2  # its session is known once the handshake is done
        session, count = None, 0
        for _ in range(times):
            with socket.create_connection(("127.0.0.1", gateway.port), timeout=20) as plain:
                with context.wrap_socket(plain, server_hostname="127.0.0.1", session=session) as s:
                    count += s.session_reused
                    session = s.session
        return count

    def test_plain_http_is_told_and_recorded(self):
        with TlsGateway("tls-plain") as gateway:
            answer = talk(gateway.port, REQUEST)
            self.assertTrue(answer.startswith(b"HTTP/1.1 400 "), answer)
            self.assertIn(b"HTTPS", answer)
            self.assertNotIn(b"Strict-Transport-Security", answer)
            processes.wait_until(lambda: gateway.audit(rule_id="connection.plain_http"), 10 * SLOW, "its record")
            gateway.assert_alive()

    def test_a_flood_of_nonsense_fills_neither_log_nor_audit(self):
        with TlsGateway("tls-flood") as gateway:
            for _ in range(300):
                talk(gateway.port, b"\x17\x03\x03\x00\x05hello")
            gateway.assert_alive()
            records = gateway.audit(rule_id="connection.handshake")
            self.assertTrue(records)
            lines = gateway.log().count("connection refused")
            self.assertEqual(len(records), lines)
            seconds = 1 + int(records[-1]["timestamp_epoch"] - records[0]["timestamp_epoch"])
            workers = os.cpu_count()
            self.assertLessEqual(len(records), 10 * workers * (seconds + 1), "ten a second and worker")

    def test_the_redirect_port(self):
        """Leads only to names that are ours, answers ACME's http-01, and nothing else."""
        port = processes.free_port("127.0.0.1")
        with TlsGateway("tls-redirect", {"listen.redirect_port": port}) as gateway:
            def ask(path, host="localhost", method="GET"):
                connection = http.client.HTTPConnection("127.0.0.1", port, timeout=20)
                connection.request(method, path, headers={"Host": host})
                answer = mcp.read_answer(connection.getresponse())
                connection.close()
                return answer
            answer = ask("/mcp?x=1")
            self.assertEqual((answer.status, answer.headers["location"]), (301, "https://localhost:%d/mcp?x=1" % gateway.port))
            self.assertNotIn("strict-transport-security", answer.headers, "C14: not over plain HTTP")
            self.assertEqual(answer.headers["x-content-type-options"], "nosniff")
            self.assertEqual(ask("/mcp", method="POST").status, 308)
            self.assertEqual(ask("//evil.example/").headers["location"], "https://localhost:%d//evil.example/" % gateway.port)
            for host in ("evil.example", "localhost.evil.example", "localhost:1", "localhost@evil.example", "evil.example/localhost"):
                refused = ask("/", host=host)
                self.assertIn(refused.status, (400, 403), host)
                self.assertNotIn("location", refused.headers, host)
            self.acme(gateway, ask)
            processes.wait_until(lambda: gateway.audit(rule_id="edge.host"), 10 * SLOW, "a record of the foreign Host")

    def acme(self, gateway, ask):
        folder = os.path.join(gateway.certs, "acme")
        os.makedirs(folder, mode=0o755)
        for name, text in (("token_A-1", "token_A-1.thumbprint\n"), ("too-long", "x" * 2000)):
            with open(os.path.join(folder, name), "w") as file:
                file.write(text)
        os.symlink(os.path.join(gateway.certs, "server.key"), os.path.join(folder, "link"))
        if os.geteuid() == 0:
            owner = os.stat(gateway.home)
            for name in ("", "token_A-1", "too-long"):
                os.chown(os.path.join(folder, name), owner.st_uid, owner.st_gid)
        base = "/.well-known/acme-challenge/"
        answer = ask(base + "token_A-1")
        self.assertEqual((answer.status, answer.body), (200, b"token_A-1.thumbprint"))
        for path in ("", "nothing", "too-long", "link", "..", "../server.key", "%2e%2e%2fserver.key", "token_A-1/", "a" * 200):
            self.assertEqual(ask(base + path).status, 404, path)

    def test_what_must_not_be_served_is_refused_at_the_start(self):
        """S0-29, C16: each with its reason and the fix."""
        with TlsGateway("tls-refused") as gateway:
            gateway.stop()
            foreign = Authority(os.path.join(gateway.folder, "foreign"))
            key_path = os.path.join(gateway.certs, "server.key")

            def refused(*words):
                ran = gateway.run("serve")
                self.assertNotEqual(ran.code, 0, ran)
                for word in words:
                    self.assertIn(word, ran.err)
                self.assertNotIn("PRIVATE KEY", ran.err)
            os.chmod(key_path, 0o644)
            refused("tls.key", "may be read by others (mode 0644)", "fix: chmod 600 " + key_path)
            os.chmod(key_path, 0o640)
            refused("may be read by others (mode 0640)")
            gateway.place(foreign.issue("other")[1], "server.key")
            refused("tls.key: is not the key of tls.certificate", "fix:")
            gateway.renew("late", days=-1)
            refused("tls.certificate: expired at", "fix: renew it")
            gateway.renew("short", kind="rsa1024")
            refused("RSA of 1024 bits is too short", "fix:")
            os.remove(os.path.join(gateway.certs, "server.crt"))
            refused("tls.certificate", "is not there", "fix: sallyport certs init")
            gateway.renew("good")
            gateway.start()

    def test_outside_loopback_only_with_tls(self):
        """C16: refused without, started with."""
        with Gateway("outside") as gateway:
            gateway.stop()
            path = os.path.join(gateway.home, "sallyport.yaml")
            with open(path) as file:
                text = file.read()
            with open(path, "w") as file:
                file.write(text.replace("address: \"127.0.0.1\"", "address: \"0.0.0.0\""))
            ran = gateway.run("serve")
            self.assertNotEqual(ran.code, 0)
            self.assertIn("there is no TLS (C16)", ran.err)
            self.assertIn("tls.enabled: true", ran.err)
            with open(path, "w") as file:
                file.write(text)
            gateway.start()
        with TlsGateway("outside-tls", {"listen.address": "0.0.0.0"}) as gateway:
            self.assertEqual(mcp.get(gateway, "/health").status, 200)

    def test_a_new_certificate_without_a_restart(self):
        """By SIGHUP, and unasked when the files change; a broken file changes nothing and says why."""
        with TlsGateway("tls-reload") as gateway:
            old = served(gateway)
            client = mcp.Client(gateway)
            self.assertEqual(client.ask("GET", "/health").status, 200)
            second = digest(gateway.renew("second"))
            gateway.process.send_signal(signal.SIGHUP)
            processes.wait_until(lambda: served(gateway) == second, 15 * SLOW, "the second certificate")
            self.assertNotEqual(second, old)
            sock = client.connection.sock
            self.assertEqual(client.ask("GET", "/health").status, 200)
            self.assertIs(client.connection.sock, sock, "the open connection went on")
            third = digest(gateway.renew("third"))
            processes.wait_until(lambda: served(gateway) == third, 20 * SLOW, "the third certificate, found by itself")
            gateway.place(gateway.authority.issue("other")[1], "server.key")
            processes.wait_until(lambda: "is not the key of tls.certificate" in gateway.log(), 20 * SLOW, "a word about it")
            self.assertEqual(served(gateway), third)
            self.assertTrue(gateway.audit(action="refuse_certificate"))
            self.assertTrue(gateway.audit(action="serve_certificate"))

    def test_environment_names_of_the_guide(self):
        """S2-32: TLS_CERT_PATH and TLS_KEY_PATH turn TLS on."""
        with Gateway("tls-env") as gateway:
            gateway.stop()
            authority = Authority(os.path.join(gateway.folder, "authority"))
            certificate, key = authority.issue("guide")
            folder = os.path.join(gateway.home, "given")
            os.makedirs(folder)
            for path in (certificate, key):
                copy = os.path.join(folder, os.path.basename(path))
                with open(path) as source, open(copy, "w") as file:
                    file.write(source.read())
                os.chmod(copy, 0o600)
            plain = gateway.environment
            gateway.environment = lambda: {**plain(), "TLS_CERT_PATH": "given/guide.crt", "TLS_KEY_PATH": "given/guide.key"}
            gateway.tls = ssl.create_default_context(cafile=authority.certificate)
            gateway.start()
            self.assertEqual(served(gateway), digest(certificate))


class ProxyProtocol(unittest.TestCase):
    """S1-31: only a trusted proxy says whose connection it is."""

    SETTINGS = {"listen.proxy_protocol": True, "listen.trusted_proxies": ["127.0.0.1"]}

    def over_tls(self, gateway, header):
        with socket.create_connection(("127.0.0.1", gateway.port), timeout=20) as plain:
            plain.sendall(header)
            with gateway.tls.wrap_socket(plain, server_hostname="127.0.0.1") as s:
                s.sendall(REQUEST.replace(b"/health", b"/api/tools"))
                return s.recv(65536)

    def test_names_the_client_in_front_of_tls(self):
        with ProxiedGateway("proxy", self.SETTINGS) as gateway:
            self.assertIn(b" 401 ", self.over_tls(gateway, b"PROXY TCP4 192.0.2.77 127.0.0.1 4711 443\r\n"))
            self.assertTrue(gateway.audit(client_ip="192.0.2.77"))
            lie = b"X-Forwarded-For: 10.9.9.9\r\n"
            with socket.create_connection(("127.0.0.1", gateway.port), timeout=20) as plain:
                plain.sendall(b"PROXY UNKNOWN\r\n")
                with gateway.tls.wrap_socket(plain, server_hostname="127.0.0.1") as s:
                    s.sendall(REQUEST.replace(b"/health", b"/api/tools").replace(b"Connection", lie + b"Connection"))
                    s.recv(65536)
            self.assertFalse(gateway.audit(client_ip="10.9.9.9"), "what a client writes itself is believed by nobody")
            self.assertEqual(talk(gateway.port, REQUEST), b"", "no header, no service")
            self.assertTrue(gateway.audit(rule_id="connection.proxy_header"))

    def test_others_are_refused(self):
        with ProxiedGateway("proxy-others", {**self.SETTINGS, "listen.trusted_proxies": ["127.0.0.1"]}) as gateway:
            with socket.socket() as s:
                s.bind(("127.0.0.9", 0))
                s.connect(("127.0.0.1", gateway.port))
                s.sendall(b"PROXY TCP4 127.0.0.1 127.0.0.1 4711 443\r\n" + REQUEST)
                try:
                    self.assertEqual(s.recv(1000), b"")
                except ConnectionError:
                    pass
            processes.wait_until(lambda: gateway.audit(rule_id="connection.untrusted_proxy", client_ip="127.0.0.9"), 10 * SLOW,
                                 "its record")


class ProxiedGateway(TlsGateway):
    """Asked for its health by a proxy."""

    def ready(self):
        if self.process.poll() is not None:
            return super().ready()
        try:
            with socket.create_connection(("127.0.0.1", self.port), timeout=20) as plain:
                plain.sendall(b"PROXY UNKNOWN\r\n")
                with self.tls.wrap_socket(plain, server_hostname="127.0.0.1") as s:
                    s.sendall(REQUEST.replace(b"/health", b"/health/ready"))
                    return b" 200 " in s.recv(65536)[:40]
        except OSError:
            return False
