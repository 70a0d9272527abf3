"""One client cannot keep a worker from the others by TLS records that carry no data."""
import os
import re
import subprocess
import sys
import time
import unittest

import mcp
import processes
from gateway import SLOW
from tls import TlsGateway

CLIENT = os.path.join(os.path.dirname(processes.__file__), "key_updates.py")
SECONDS = 6


class KeyUpdates(unittest.TestCase):
    def test_without_end_stop_nobody_else_and_are_ended(self):
        with TlsGateway("key_updates", {"listen.workers": 1}) as gateway:
            with subprocess.Popen([sys.executable, CLIENT, str(gateway.port), str(SECONDS)], stdout=subprocess.PIPE, text=True) as flood:
                self.assertEqual("up\n", flood.stdout.readline())
                began, slowest = time.monotonic(), 0
                while time.monotonic() - began < SECONDS and flood.poll() is None:
                    asked = time.monotonic()
                    self.assertEqual(200, mcp.get(gateway, "/health").status)
                    slowest = max(slowest, time.monotonic() - asked)
                said = flood.stdout.read()
            self.assertLess(slowest, 1)
            self.assertEqual(200, mcp.get(gateway, "/health").status)
            self.assertRegex(said, r"^closed after [01]\.")
            processes.wait_until(lambda: gateway.audit(rule_id="connection.tls_flood"), 10 * SLOW, "the record of the flood")
            metrics = mcp.get(gateway, "/metrics").body.decode()
            self.assertTrue(re.search(r'(?m)^sallyport_refusals_total\{[^}]*code="rate_limited"[^}]*\} 1$', metrics), metrics)


if __name__ == "__main__":
    unittest.main()
