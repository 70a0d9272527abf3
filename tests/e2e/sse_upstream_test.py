"""HTTP+SSE upstream (MCP 2024-11-05): a real server that speaks nothing else is found out, used, and found again after
its restart. The conformance suite has no such scenario."""
import os
import subprocess
import unittest

import mcp
import processes
import scratch
from gateway import SLOW, Gateway

TIME_LIMIT = 180


class SseUpstream(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.gateway = Gateway("sse-upstream").__enter__()
        cls.addClassCleanup(cls.gateway.close)
        cls.port = processes.free_port()
        cls.beside = cls.start_server()
        cls.addClassCleanup(lambda: cls.beside.stop())
        cls.gateway.add_http("old", "http://127.0.0.1:%d/sse" % cls.port)

    @classmethod
    def start_server(cls):
        return processes.Beside(
            [scratch.node_binary(), "--import", os.path.join(scratch.node_folder(), "loopback.mjs"),
             scratch.node_module("@modelcontextprotocol", "server-everything", "dist", "index.js"), "sse"],
            cls.port, os.path.join(cls.gateway.folder, "old.log"), {"PORT": str(cls.port)})

    def client(self, name):
        session = mcp.Session(self.gateway, self.gateway.key(name).secret, "old").open()
        self.addCleanup(session.close)
        return session

    def drive(self, generation, scenario):
        key = self.gateway.key("%s-%s" % (generation, scenario))
        environment = {"PATH": "/usr/bin:/bin", "SERVER": "old", "TOKEN": key.secret, "ROOT": self.gateway.folder,
                       "URL": "http://127.0.0.1:%d/mcp/old" % self.gateway.port}
        ran = subprocess.run([scratch.node_binary(), os.path.join(scratch.node_folder(), "scenario.mjs"), generation,
                              "http", scenario], env=environment, capture_output=True, text=True, timeout=90 * SLOW)
        self.assertEqual((ran.returncode, ran.stdout.strip()), (0, "done"), ran.stderr[-4000:] + self.gateway.log()[-1500:])

    def test_v1_client(self):
        self.drive("v1", "everything")

    def test_v2_client(self):
        self.drive("v2", "everything")

    def test_log_messages_reach_the_client(self):
        self.drive("v1", "logging")

    def test_the_session_is_found_again_after_the_servers_restart(self):
        session = self.client("restart")
        self.assertEqual("Echo: one", session.text("echo", {"message": "one"}))
        self.beside.stop()
        type(self).beside = self.start_server()
        self.assertEqual("Echo: two", session.text("echo", {"message": "two"}))

    def test_the_secret_of_the_stream_is_not_logged(self):
        self.client("secret").text("echo", {"message": "hello"})
        self.assertNotIn("sessionId=", self.gateway.log())


if __name__ == "__main__":
    unittest.main()
