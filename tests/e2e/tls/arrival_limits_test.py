"""Who does not come as far as a request: too many handshakes (S0-38), and anybody but the proxy that took the TLS off (C16)."""
import os
import socket
import ssl
import unittest

import processes
from gateway import SLOW, Gateway
from listener_test import REQUEST, ProxiedGateway


def talk_from(source, port, data):
    """What the gateway answers to `source`, to the end of the connection."""
    with socket.socket() as s:
        s.settimeout(20)
        s.bind((source, 0))
        s.connect(("127.0.0.1", port))
        answer = b""
        try:
            s.sendall(data)
            while part := s.recv(65536):
                answer += part
        except ConnectionError:
            pass
        return answer


class Handshakes(unittest.TestCase):
    SETTINGS = {"listen.proxy_protocol": True, "listen.trusted_proxies": ["127.0.0.1"], "rate.tls_address.requests": 2,
                "rate.tls_address.window_seconds": 3600, "rate.tls_address.burst": 1}

    def hello(self, gateway, client):
        """Is the client, named by the proxy, served?"""
        return b" 200 " in self.answer(gateway, client, REQUEST)[:40]

    def answer(self, gateway, client, request):
        with socket.create_connection(("127.0.0.1", gateway.port), timeout=20) as plain:
            plain.sendall(b"PROXY %s %s %s 4711 443\r\n" % ((b"TCP6", client, b"2001:db8::1") if b":" in client else
                                                            (b"TCP4", client, b"127.0.0.1")))
            try:
                with gateway.tls.wrap_socket(plain, server_hostname="127.0.0.1") as s:
                    s.sendall(request)
                    return b"".join(iter(lambda: s.recv(65536), b""))
            except (ssl.SSLError, ConnectionError):
                return b""

    def test_s0_38_are_limited_by_address(self):
        with ProxiedGateway("handshakes", self.SETTINGS) as gateway:
            self.assertEqual([True] * 3 + [False] * 2, [self.hello(gateway, b"192.0.2.7") for _ in range(5)])
            self.assertTrue(self.hello(gateway, b"192.0.2.8"), "others are served")
            network = [self.hello(gateway, b"2001:db8:0:7::%d" % n) for n in range(5)]
            self.assertEqual([True] * 3 + [False] * 2, network, "a /64 is one address")
            for client in ("192.0.2.7", "2001:db8:0:7::4"):
                processes.wait_until(lambda: gateway.audit(rule_id="connection.too_many_handshakes", client_ip=client), 10 * SLOW,
                                     "the record of " + client)
            metrics = self.answer(gateway, b"127.0.0.1", REQUEST.replace(b"/health", b"/metrics")).decode()
            self.assertRegex(metrics, r'(?m)^sallyport_refusals_total\{[^}]*code="rate_limited"[^}]*\} 4$')

    def test_loopback_and_proxies_are_not_counted(self):
        with ProxiedGateway("uncounted", self.SETTINGS) as gateway:
            self.assertEqual([True] * 8, [self.hello(gateway, b"127.0.0.9") for _ in range(8)])


class OnlyTheProxy(Gateway):
    """Asked for its health from the proxy's address."""

    def ready(self):
        if self.process.poll() is not None:
            return super().ready()
        try:
            return b" 200 " in talk_from("127.0.0.2", self.port, REQUEST.replace(b"/health", b"/health/ready"))[:40]
        except OSError:
            return False


class BehindATlsProxy(unittest.TestCase):
    def test_c16_nobody_else_is_served(self):
        settings = {"listen.behind_tls_proxy": True, "listen.trusted_proxies": ["127.0.0.2/32"]}
        with OnlyTheProxy("behind", settings) as gateway:
            self.assertIn(b" 200 ", talk_from("127.0.0.2", gateway.port, REQUEST)[:40])
            lie = REQUEST.replace(b"Connection", b"X-Forwarded-For: 127.0.0.2\r\nX-Forwarded-Proto: https\r\nConnection")
            for source in ("127.0.0.1", "127.0.0.3"):
                self.assertEqual(b"", talk_from(source, gateway.port, lie))
                processes.wait_until(lambda: gateway.audit(rule_id="connection.untrusted_proxy", client_ip=source), 10 * SLOW,
                                     "the record of " + source)
            self.assertIn("untrusted_proxy", gateway.log())

    def test_c16_outside_loopback_it_does_not_start_without_a_proxy(self):
        gateway = Gateway("nobody", {"listen.address": "0.0.0.0", "listen.behind_tls_proxy": True})
        os.makedirs(gateway.home, mode=0o700)
        gateway.choose_port()
        ran = gateway.run("init")
        self.assertNotEqual(0, ran.code)
        self.assertIn("listen.behind_tls_proxy: anybody who reaches 0.0.0.0 could speak to it in the clear", ran.err)
        self.assertIn("listen.trusted_proxies", ran.err)


if __name__ == "__main__":
    unittest.main()
