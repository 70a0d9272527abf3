"""Issue 6, done when 5: the certificate is replaced 20 times under 1,000 calls a second, and no call fails."""
import http.client
import json
import multiprocessing
import signal
import time
import unittest

import mcp
import processes
from gateway import SLOW
from listener_test import digest, served
from tls import TlsGateway

ALONE = True
RENEWALS, CALLERS, WANTED = 20, 2, 1000


def call_on(number, gateway_port, authority, secret, session, rate, stop, results):
    """Calls at `rate` a second; every 50th on a fresh connection, so that handshakes fall into each renewal."""
    import ssl
    context = ssl.create_default_context(cafile=authority)
    body = json.dumps({"jsonrpc": "2.0", "id": "caller %d" % number, "method": "tools/call",
                       "params": {"name": "calc_add", "arguments": {"a": 2, "b": 3}}})
    headers = {"Authorization": "Bearer " + secret, "Content-Type": "application/json", "Accept": mcp.ACCEPT,
               "Mcp-Session-Id": session, "MCP-Protocol-Version": mcp.VERSION}
    connection, done, fresh, failed = None, 0, 0, []
    began = time.monotonic()
    while not stop.is_set():
        late = began + done / rate - time.monotonic()
        if late > 0:
            time.sleep(late)
        try:
            if connection is None or done % 50 == 0:
                if connection:
                    connection.close()
                connection = http.client.HTTPSConnection("127.0.0.1", gateway_port, timeout=30, context=context)
                fresh += 1
            connection.request("POST", "/mcp", body, headers)
            answer = connection.getresponse()
            text = answer.read()
            if answer.status != 200 or b'"5"' not in text:
                failed.append("%d %s" % (answer.status, text[:200]))
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
                self.renew_all(gateway, names)
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

    def renew_all(self, gateway, names):
        for certificate, key in names:
            gateway.place(key, "server.key")
            gateway.place(certificate, "server.crt")
            gateway.process.send_signal(signal.SIGHUP)
            processes.wait_until(lambda: served(gateway) == digest(certificate), 15 * SLOW, certificate)
