"""An upstream that dies takes the calls in flight with it, and nothing else (issue 2, done when 3)."""
import os
import signal
import unittest

import processes
from gateway import Gateway
from load import Load, succeeded

CALLERS = 10


class UpstreamKilled(unittest.TestCase):
    def server_pids(self, gateway):
        """The Python process of the server itself, not the sandbox around it."""
        return [pid for pid in processes.with_mark(gateway.mark)
                if processes.command_line(pid).startswith("/usr/bin/python3") and "rogue_server" in processes.command_line(pid)]

    def kill_in_the_middle(self, gateway, load):
        processes.wait_until(lambda: len(load.so_far()) >= 40, 30, "the first 40 answers")
        victims = self.server_pids(gateway)
        self.assertTrue(victims)
        for pid in victims:
            os.kill(pid, signal.SIGKILL)

    def test_killing_a_stdio_server_in_the_middle_of_100_calls_loses_only_those_in_flight(self):
        with Gateway("upstream-killed") as gateway:
            gateway.add_python("rogue", "rogue_server.py")
            secret = gateway.key("agent").secret
            load = Load(gateway, secret, CALLERS, "rogue", "slow", {"seconds": 0.05}, each=10).start()
            self.kill_in_the_middle(gateway, load)
            calls = load.join()
            lost = [call for call in calls if not succeeded(call)]
            self.assertEqual(len(calls), 100)
            self.assertLessEqual(len(lost), CALLERS, [c.answer or c.error for c in lost])
            self.assertGreaterEqual(len(lost), 1)
            for call in lost:
                self.assertIsNotNone(call.answer, call.error)
                self.assertEqual(call.answer.message["error"]["code"], -31503, call.answer)
                self.assertIn("tool server", call.answer.message["error"]["message"])
            outcomes = gateway.audit(kind="outcome", event_type="tool_execution")
            self.assertEqual(len(outcomes), 100)
            self.assertEqual(len([r for r in outcomes if r["result"] == "error"]), len(lost))

    def test_other_servers_do_not_notice(self):
        with Gateway("upstream-killed-other") as gateway:
            gateway.add_python("rogue", "rogue_server.py")
            gateway.add_calculator()
            secret = gateway.key("agent").secret
            calm = Load(gateway, secret, 4, "calc", "slow_sum", {"numbers": [1, 2], "step_ms": 20}, each=10).start()
            load = Load(gateway, secret, CALLERS, "rogue", "slow", {"seconds": 0.05}, each=10).start()
            self.kill_in_the_middle(gateway, load)
            load.join()
            self.assertEqual([c for c in calm.join() if not succeeded(c)], [])


if __name__ == "__main__":
    unittest.main()
