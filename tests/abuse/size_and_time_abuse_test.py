"""Oversized heads and bodies, slow heads and bodies, too many connections."""
import socket
import time
import unittest

import mcp
import processes
import rawhttp
from abuse_case import SLOW, AbuseCase

LATE = 8 * SLOW  # the limits below are one second


class Sizes(AbuseCase):
    name = "sizes"

    def test_oversized_head(self):
        data = b"GET /health HTTP/1.1\r\nHost: x\r\nX-Long: " + b"a" * 40_000 + b"\r\n\r\n"
        self.refused_raw(data, (431,), closes=True)

    def test_oversized_head_in_many_fields(self):
        fields = b"".join(b"X-%d: a\r\n" % n for n in range(150))
        self.refused_raw(b"GET /health HTTP/1.1\r\nHost: x\r\n" + fields + b"\r\n", (431, 400), closes=True)

    def test_oversized_target(self):
        self.refused_raw(b"GET /" + b"a" * 40_000 + b" HTTP/1.1\r\nHost: x\r\n\r\n", (414, 431), closes=True)

    def test_oversized_body_by_its_length(self):
        """The default of 10 MiB; refused before a byte of it is read."""
        data = rawhttp.post(self.gateway, b"", self.key.secret, session=self.session.id).replace(
            b"Content-Length: 0", b"Content-Length: 10485761")
        self.refused_raw(data, (413,))

    def test_oversized_body_in_chunks(self):
        head = rawhttp.post(self.gateway, b"", self.key.secret, session=self.session.id).replace(
            b"Content-Length: 0", b"Transfer-Encoding: chunked")
        chunk = b"100000\r\n" + b" " * 0x100000 + b"\r\n"
        self.refused_raw(head + chunk * 11 + b"0\r\n\r\n", (413,), closes=True, seconds=30)

    def test_a_body_just_below_the_limit_is_served(self):
        padding = "x" * (10 * 1024 * 1024 - 400)
        answer = self.session.call("calc_add", {"a": 1, "b": 2, "c": padding})
        self.assertEqual(answer.message["error"]["code"], -32602)  # read whole, and refused by the schema alone

    def test_expect_with_a_length_over_the_limit_gets_no_100(self):
        data = rawhttp.post(self.gateway, b"", self.key.secret, session=self.session.id, Expect="100-continue").replace(
            b"Content-Length: 0", b"Content-Length: 99999999")
        reply = self.refused_raw(data, (413,))
        self.assertNotIn(b"100 Continue", reply.data)


class Times(AbuseCase):
    name = "times"
    settings = {"limits.idle_timeout_seconds": 2}

    def drip(self, data, status):
        (reply, took), fresh = self.records_of(
            lambda: rawhttp.drip(self.gateway, [bytes([b]) for b in data], 0.2, LATE))
        self.assertEqual(reply.status, status, reply)
        self.assertTrue(reply.closed or took < LATE)
        self.assertLess(took, LATE)
        self.assert_refusal_recorded(fresh, reply)

    def test_slow_head(self):
        self.drip(b"GET /health HTTP/1.1\r\nHost: 127.0.0.1\r\nX-Slow: " + b"a" * 200, 408)

    def test_slow_body(self):
        data = rawhttp.post(self.gateway, b'{"jsonrpc":"2.0","id":1,"method":"ping","params":{}}' + b" " * 100,
                            self.key.secret, session=self.session.id)
        head, body = data.split(b"\r\n\r\n", 1)
        (reply, took), fresh = self.records_of(
            lambda: rawhttp.drip(self.gateway, [head + b"\r\n\r\n"] + [bytes([b]) for b in body], 0.2, LATE))
        self.assertEqual(reply.status, 408, reply)
        self.assertLess(took, LATE)
        self.assert_refusal_recorded(fresh, reply)

    def test_a_head_that_never_ends(self):
        reply, fresh = self.records_of(lambda: rawhttp.exchange(self.gateway, b"POST /mcp HTTP/1.1\r\nHost:", seconds=LATE))
        self.assertEqual((reply.status, reply.closed), (408, True), reply)
        self.assert_refusal_recorded(fresh, reply)

    def test_a_body_that_stops_half_way_and_closes(self):
        data = rawhttp.post(self.gateway, b'{"jsonrpc":"2.0"', self.key.secret, session=self.session.id).replace(
            b"Content-Length: 16", b"Content-Length: 60")
        _, fresh = self.records_of(lambda: rawhttp.exchange(self.gateway, data, seconds=LATE, half_close=True))
        self.assertFalse([r for r in fresh if r["kind"] in ("intent", "outcome")], fresh)

    def test_a_connection_that_says_nothing_is_closed(self):
        began = time.monotonic()
        reply = rawhttp.exchange(self.gateway, b"", seconds=LATE)
        self.assertEqual((reply.data, reply.closed), (b"", True))
        self.assertLess(time.monotonic() - began, LATE)


class Connections(AbuseCase):
    name = "connections"
    settings = {"limits.connections": 40, "limits.connections_per_address": 20, "limits.idle_timeout_seconds": 30,
                "limits.head_timeout_seconds": 30}

    def test_more_connections_than_one_address_may_have(self):
        sockets = []
        try:
            for _ in range(60):
                sock = socket.create_connection((self.gateway.address, self.gateway.port), timeout=5)
                sock.sendall(b"GET ")
                sockets.append(sock)
            self.assertGreaterEqual(len([s for s in sockets if self.was_refused(s)]), 30)
        finally:
            for sock in sockets:
                sock.close()
        processes.wait_until(self.gateway.ready, 10 * SLOW, "a place for the next one")
        self.still_serves(mcp.Session(self.gateway, self.key.secret).open())

    def was_refused(self, sock):
        sock.settimeout(0.2)
        try:
            data = sock.recv(4096)
        except socket.timeout:
            return False
        except ConnectionResetError:
            return True
        return data == b"" or b" 503 " in data.split(b"\r\n", 1)[0]


if __name__ == "__main__":
    unittest.main()
