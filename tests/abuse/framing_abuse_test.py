"""Request smuggling and broken framing (RFC 9112): one framing, or a refusal and a closed connection."""
import unittest

import rawhttp
from abuse_case import AbuseCase

BODY = b'{"jsonrpc":"2.0","id":1,"method":"ping"}'
SMUGGLED = b"GET /health HTTP/1.1\r\nHost: x\r\n\r\n"


class Framing(AbuseCase):
    name = "framing"

    def head(self, *fields, line="POST /mcp HTTP/1.1", host=True):
        lines = [line] + (["Host: %s:%d" % (self.gateway.address, self.gateway.port)] if host else []) + list(fields)
        return ("\r\n".join(lines) + "\r\n\r\n").encode("latin-1")

    def chunks(self, body):
        return b"%x\r\n%s\r\n0\r\n\r\n" % (len(body), body)

    def refused(self, data, *statuses):
        return self.refused_raw(data, statuses or (400,), closes=True)

    def test_both_lengths(self):
        self.refused(self.head("Content-Length: %d" % len(BODY), "Transfer-Encoding: chunked") + self.chunks(BODY) + SMUGGLED)

    def test_both_lengths_the_other_way_round(self):
        self.refused(self.head("Transfer-Encoding: chunked", "Content-Length: 4") + self.chunks(BODY) + SMUGGLED)

    def test_chunked_identity(self):
        self.refused(self.head("Transfer-Encoding: chunked, identity") + self.chunks(BODY))

    def test_gzip_chunked(self):
        self.refused(self.head("Transfer-Encoding: gzip, chunked") + self.chunks(BODY), 400, 501)

    def test_chunked_twice(self):
        self.refused(self.head("Transfer-Encoding: chunked", "Transfer-Encoding: chunked") + self.chunks(BODY))

    def test_obfuscated_transfer_encodings(self):
        for value in ("xchunked", "chunked;q=1", "\x0bchunked", "identity", '"chunked"'):
            with self.subTest(value=value):
                self.refused(self.head("Transfer-Encoding: " + value) + self.chunks(BODY), 400, 501)

    def test_space_before_the_colon(self):
        self.refused(self.head("Content-Length : %d" % len(BODY)) + BODY)

    def test_chunked_in_http_1_0(self):
        self.refused(self.head("Transfer-Encoding: chunked", line="POST /mcp HTTP/1.0") + self.chunks(BODY), 400, 505)

    def test_obs_fold(self):
        self.refused(self.head("X-Folded: a\r\n b", "Content-Length: %d" % len(BODY)) + BODY)

    def test_bare_lf(self):
        self.refused(self.head("Content-Length: %d" % len(BODY)).replace(b"\r\n", b"\n") + BODY)

    def test_bare_lf_in_one_line(self):
        self.refused(self.head("X-One: a\nX-Two: b", "Content-Length: %d" % len(BODY)) + BODY)

    def test_bare_cr_in_a_value(self):
        self.refused(self.head("X-One: a\rX-Two: b", "Content-Length: %d" % len(BODY)) + BODY)

    def test_two_hosts(self):
        host = "Host: %s:%d" % (self.gateway.address, self.gateway.port)
        self.refused(self.head(host, "Content-Length: %d" % len(BODY)) + BODY)

    def test_no_host(self):
        self.refused(self.head("Content-Length: %d" % len(BODY), host=False) + BODY)

    def test_fragment_in_the_target(self):
        self.refused(self.head("Content-Length: %d" % len(BODY), line="POST /mcp#/health HTTP/1.1") + BODY)

    def test_two_different_content_lengths(self):
        self.refused(self.head("Content-Length: %d" % len(BODY), "Content-Length: 3") + BODY)

    def test_content_lengths_that_are_no_numbers(self):
        for value in ("003", "+40", "-1", "0x28", "40, 40", "4 0", "18446744073709551617", ""):
            with self.subTest(value=value):
                self.refused(self.head("Content-Length: " + value) + BODY, 400, 413)

    def test_bad_chunk_sizes(self):
        for size in (b"-1", b"0x28", b"g", b"", b"fffffffffffffffff", b"28;ext=1", b" 28"):
            with self.subTest(size=size):
                self.refused(self.head("Transfer-Encoding: chunked") + size + b"\r\n" + BODY + b"\r\n0\r\n\r\n", 400, 413)

    def test_chunk_without_its_line_end(self):
        self.refused(self.head("Transfer-Encoding: chunked") + b"4\r\nabcdX\r\n0\r\n\r\n")

    def test_trailers(self):
        self.refused(self.head("Transfer-Encoding: chunked") + b"2\r\n{}\r\n0\r\nAuthorization: Bearer x\r\n\r\n")

    def test_request_lines(self):
        for line in ("POST  /mcp HTTP/1.1", "POST /mcp", "POST /mcp HTTP/2.0", "POST /mcp HTTP/0.9", "POST /mcp RTSP/1.0",
                     "POST http://127.0.0.1/mcp HTTP/1.1", "CONNECT 127.0.0.1:22 HTTP/1.1", "GET * HTTP/1.1",
                     "POST mcp HTTP/1.1", "POST /mcp HTTP/1.1 x", "P\x01ST /mcp HTTP/1.1", "POST /m\x80cp HTTP/1.1"):
            with self.subTest(line=line):
                self.refused(self.head(line=line), 400, 405, 501, 505)

    def test_bytes_above_ascii_in_a_value(self):
        self.refused(self.head("X-One: \xe4") )

    def test_nul_in_a_value(self):
        self.refused(self.head("X-One: a\0b"))

    def test_upgrade(self):
        data = self.head("Connection: Upgrade", "Upgrade: h2c", line="GET /health HTTP/1.1")
        self.refused(data, 400, 426, 501)

    def test_garbage_and_tls_on_the_plain_port(self):
        self.refused(b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + b"\0" * 100)

    def test_a_body_behind_a_closing_request_is_no_second_request(self):
        data = rawhttp.post(self.gateway, BODY, self.key.secret, session=self.session.id) + SMUGGLED
        reply = rawhttp.exchange(self.gateway, data)
        self.assertEqual(len(reply.statuses), 1, reply)
        self.assertTrue(reply.closed)

    def test_pipelined_requests_are_answered_one_by_one_in_order(self):
        one = b"GET /health HTTP/1.1\r\nHost: %s:%d\r\n\r\n" % (self.gateway.address.encode(), self.gateway.port)
        two = one.replace(b"/health ", b"/no/such ").replace(b"\r\n\r\n", b"\r\nConnection: close\r\n\r\n")
        reply = rawhttp.exchange(self.gateway, one + one + two)
        self.assertEqual(reply.statuses[:2], [200, 200], reply)
        self.assertEqual(len(reply.statuses), 3)


if __name__ == "__main__":
    unittest.main()
