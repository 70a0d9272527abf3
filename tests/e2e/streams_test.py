"""Events of a call reach its caller, all of them, before the answer; whatever worker its connection is on."""
import os
import threading
import unittest

import mcp
import processes
import scratch
from gateway import SLOW, Gateway


class Streams(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.gateway = Gateway("streams", {"listen.workers": 3}).__enter__()
        cls.addClassCleanup(cls.gateway.close)
        port = processes.free_port()
        cls.beside = processes.Beside(["/usr/bin/python3", scratch.support_script("rogue_server.py"), "--http", str(port)],
                                      port, os.path.join(cls.gateway.folder, "http.log"))
        cls.addClassCleanup(cls.beside.stop)
        cls.gateway.add_http("http", "http://127.0.0.1:%d/mcp" % port)
        cls.gateway.add_python("stdio", "rogue_server.py")
        cls.key = cls.gateway.key("agent")

    def progress_of(self, server):
        """Many sessions, so that the connections spread over the workers."""
        for round_ in range(12):
            session = mcp.Session(self.gateway, self.key.secret, server).open()
            for n in range(5):
                answer = session.call("progress", meta={"progressToken": "token-%d" % n})
                self.assertIn("result", answer.message)
                self.assertEqual([e["params"]["progress"] for e in answer.events], [1, 2, 3, 4, 5], (round_, n))
                self.assertEqual({e["params"]["progressToken"] for e in answer.events}, {"token-%d" % n})
            session.close()

    def test_progress_over_http_comes_whole_and_before_the_answer(self):
        self.progress_of("http")

    def test_progress_over_stdio_comes_whole_and_before_the_answer(self):
        self.progress_of("stdio")

    def test_a_cancelled_call_ends_the_server_is_told_and_the_record_says_so(self):
        """MCP, Cancellation."""
        folder = scratch.folder("record", 0o777)
        record = os.path.join(folder, "lines")
        self.gateway.add_python("recorded", "rogue_server.py", "--record", record, paths=["rw:" + folder])
        caller = mcp.Session(self.gateway, self.key.secret, "recorded").open()
        other = mcp.Session(self.gateway, self.key.secret, "recorded")  # the same session on another connection
        other.id = caller.id
        answers = []
        thread = threading.Thread(target=lambda: answers.append(caller.call("no_answer", rpc_id=41)))
        thread.start()
        processes.wait_until(lambda: b"tools/call" in open(record, "rb").read(), 5 * SLOW, "the call at the server")
        self.assertEqual(other.notify("notifications/cancelled", {"requestId": 41, "reason": "enough"}).status, 202)
        thread.join(10 * SLOW)
        self.assertFalse(thread.is_alive())
        self.assertNotIn("result", answers[0].message or {})
        processes.wait_until(lambda: b"notifications/cancelled" in open(record, "rb").read(), 5 * SLOW, "word to the server")
        self.assertEqual([r["result"] for r in self.gateway.audit(kind="outcome", tool="no_answer")], ["cancelled"])

    def test_without_a_token_there_is_no_progress_and_no_stream(self):
        session = mcp.Session(self.gateway, self.key.secret, "stdio").open()
        answer = session.call("progress")
        self.assertEqual(answer.events, [])
        self.assertTrue(answer.headers["content-type"].startswith("application/json"))

    def test_a_flood_of_log_messages_neither_hangs_nor_breaks_the_call(self):
        for server in ("http", "stdio"):
            answer = mcp.Session(self.gateway, self.key.secret, server).open().call("flood")
            self.assertIn("result", answer.message or {}, answer.status)
        self.gateway.assert_alive()


if __name__ == "__main__":
    unittest.main()
