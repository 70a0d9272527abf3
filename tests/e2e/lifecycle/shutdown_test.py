"""SIGTERM under load answers or cancels all it accepted; kill -9 leaves no process and loses no evidence
(issue 2, done when 3; design, principle 7)."""
import json
import signal
import unittest

import mcp
import processes
from gateway import SLOW, Gateway
from load import Load, request_ids, succeeded


class Shutdown(unittest.TestCase):
    def test_sigterm_under_load_answers_or_cancels_everything_accepted(self):
        with Gateway("sigterm", {"limits.drain_seconds": 5}) as gateway:
            gateway.add_python("rogue", "rogue_server.py")
            load = Load(gateway, gateway.key("agent").secret, 10, "rogue", "slow", {"seconds": 0.05}).start()
            processes.wait_until(lambda: len(load.so_far()) >= 50, 30, "50 answers")
            gateway.note_processes()
            gateway.process.send_signal(signal.SIGTERM)
            calls = load.join()
            self.assertEqual(gateway.process.wait(20 * SLOW), 0)
            for call in calls:
                if call.answer is not None and not succeeded(call):
                    self.assertIn(call.answer.message["error"]["code"], (-31503, -31499), call.answer)
            intents = {r["request_id"] for r in gateway.audit(kind="intent", event_type="tool_execution")}
            outcomes = {r["request_id"] for r in gateway.audit(kind="outcome", event_type="tool_execution")}
            self.assertEqual(intents - outcomes, set())  # nothing that was begun is without an end
            self.assertEqual(intents - request_ids(calls), set())  # and each caller of it heard

    def test_a_call_longer_than_the_drain_is_cancelled_with_a_clear_error(self):
        with Gateway("sigterm-long", {"limits.drain_seconds": 1}) as gateway:
            gateway.add_python("rogue", "rogue_server.py")
            load = Load(gateway, gateway.key("agent").secret, 3, "rogue", "slow", {"seconds": 60}, each=1).start()
            processes.wait_until(lambda: len(gateway.audit(kind="intent", event_type="tool_execution")) == 3, 20, "3 intents")
            gateway.note_processes()
            gateway.process.send_signal(signal.SIGTERM)
            calls = load.join(20 * SLOW)
            self.assertEqual(gateway.process.wait(20 * SLOW), 0)
            for call in calls:
                self.assertIsNotNone(call.answer, call.error)
                self.assertIn(call.answer.message["error"]["code"], (-31503, -31499), call.answer)
            self.assertEqual(len(gateway.audit(kind="outcome", event_type="tool_execution")), 3)

    def test_kill_9_leaves_no_process_and_no_answered_call_without_its_record(self):
        with Gateway("kill-9") as gateway:
            gateway.add_python("spawner", "spawner_server.py")
            gateway.add_calculator()
            secret = gateway.key("agent").secret
            session = mcp.Session(gateway, secret, "spawner").open()
            for _ in range(3):
                session.text("spawn")  # grandchildren that called setsid
            self.assertGreaterEqual(len(processes.with_mark(gateway.mark)), 4)
            load = Load(gateway, secret, 6, "calc", "add", {"a": 1, "b": 2}).start()
            processes.wait_until(lambda: len(load.so_far()) >= 200, 30, "200 answers")
            gateway.kill()
            processes.wait_until(lambda: not gateway.left(), 10 * SLOW, lambda: "end of " + str(gateway.left()))
            answered = request_ids(c for c in load.join() if succeeded(c))

            gateway.start()
            gateway.assert_audit_intact()
            outcomes = {r["request_id"] for r in gateway.audit(kind="outcome")}
            self.assertEqual(answered - outcomes, set())
            self.assertGreaterEqual(len(answered), 200)
            again = mcp.Session(gateway, secret, "calc").open()  # the database opened: the key and the server are there
            self.assertIn("5", again.text("add", {"a": 2, "b": 3}))

    def test_kill_9_ten_times_under_load_and_everything_opens_again(self):
        with Gateway("kill-9-often") as gateway:
            gateway.add_calculator()
            secret = gateway.key("agent").secret
            for round_ in range(10):
                load = Load(gateway, secret, 4, "calc", "add", {"a": round_, "b": 2}).start()
                processes.wait_until(lambda: len(load.so_far()) >= 20, 30, "20 answers")
                made = json.loads(gateway.cli("key", "create", "round-%d" % round_, "--can-read", "--json"))["id"]
                gateway.kill()
                load.join()
                gateway.start()
                self.assertIn(made, gateway.cli("key", "list", "--json"))  # what was acknowledged is there
            gateway.assert_audit_intact()


if __name__ == "__main__":
    unittest.main()
