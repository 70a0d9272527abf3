"""Issue 6, done when 5: the certificate is replaced 20 times under 1,000 calls a second, and no call fails."""
import json
import multiprocessing
import re
import signal
import socket
import ssl
import time
import unittest

import mcp
import processes
from gateway import SLOW
from listener_test import digest, served
from tls import TlsGateway

ALONE = True
RENEWALS, CALLERS, WANTED, PAUSE = 20, 2, 1000, 0.25


def request_of(number, secret, session):
    body = json.dumps({"jsonrpc": "2.0", "id": "caller %d" % number, "method": "tools/call",
                       "params": {"name": "calc_add", "arguments": {"a": 2, "b": 3}}})
    return ("POST /mcp HTTP/1.1\r\nHost: 127.0.0.1\r\nAuthorization: Bearer %s\r\nContent-Type: application/json\r\nAccept: %s\r\n"
            "Mcp-Session-Id: %s\r\nMCP-Protocol-Version: %s\r\nContent-Length: %d\r\n\r\n%s"
            % (secret, mcp.ACCEPT, session, mcp.VERSION, len(body), body)).encode()


def answer_of(connection):
    """A whole answer with a length; what ends early is an error."""
    text = b""
    while True:
        head, end, body = text.partition(b"\r\n\r\n")
        length = re.search(rb"(?i)content-length: (\d+)", head)
        if end and len(body) >= int(length.group(1)):
            return text
        part = connection.recv(65536)
        if not part:
            raise ConnectionError("ended within an answer: %r" % text[:200])
        text += part


def call_on(number, port, authority, secret, session, rate, stop, results):
    """Calls at `rate` a second; every 20th on a fresh connection, so that handshakes fall into each renewal."""
    context = ssl.create_default_context(cafile=authority)
    request = request_of(number, secret, session)
    connection, done, fresh, failed = None, 0, 0, []
    began = time.monotonic()
    while not stop.is_set():
        late = began + done / rate - time.monotonic()
        if late > 0:
            time.sleep(late)
        try:
            if connection is None or done % 20 == 0:
                if connection:
                    connection.close()
                connection = context.wrap_socket(socket.create_connection(("127.0.0.1", port), 30), server_hostname="127.0.0.1")
                fresh += 1
            connection.sendall(request)
            text = answer_of(connection)
            if not text.startswith(b"HTTP/1.1 200 ") or b'"5"' not in text:
                failed.append(repr(text[:300]))
        except Exception as error:  # each is a failed call, whatever it is
            failed.append(repr(error))
            connection = None
        done += 1
    results.put((done, fresh, failed[:5], len(failed), time.monotonic() - began))


class Renewal(unittest.TestCase):
    def test_twenty_renewals_under_load(self):
        with TlsGateway("renewal", {"limits.connections_per_address": 1024}) as gateway:
            gateway.add_calculator()
            secret = gateway.key("agent").secret
            session = mcp.Session(gateway, secret).open()
            self.assertEqual(session.call("calc_add", {"a": 2, "b": 3}).status, 200)
            names = [gateway.authority.issue("renewed-%d" % i) for i in range(RENEWALS)]
            stop, results = multiprocessing.Event(), multiprocessing.Queue()
            callers = [multiprocessing.Process(target=call_on, args=(number, gateway.port, gateway.authority.certificate, secret,
                                                                     session.id, WANTED / CALLERS, stop, results))
                       for number in range(CALLERS)]
            for caller in callers:
                caller.start()
            try:
                self.renew_all(gateway, names, stop)
            finally:
                stop.set()
                found = [results.get(timeout=60) for _ in callers]
                for caller in callers:
                    caller.join(60)
            done, fresh, failed = sum(f[0] for f in found), sum(f[1] for f in found), sum(f[3] for f in found)
            seconds = max(f[4] for f in found)
            print("%d calls in %.1f s (%.0f a second), %d connections, %d failed" % (done, seconds, done / seconds, fresh, failed))
            self.assertEqual(failed, 0, [f[2] for f in found])
            self.assertGreater(fresh, RENEWALS)
            self.assertGreater(done / seconds, WANTED * 0.9 / SLOW)

    def renew_all(self, gateway, names, stop):
        for certificate, key in names:
            gateway.place(key, "server.key")
            gateway.place(certificate, "server.crt")
            gateway.process.send_signal(signal.SIGHUP)
            processes.wait_until(lambda: served(gateway) == digest(certificate), 15 * SLOW, certificate)
            stop.wait(PAUSE)  # calls go on meanwhile, on connections of before and after
