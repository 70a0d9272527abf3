"""The official TypeScript SDK clients, v1 and v2 (legacy mode), through the gateway to other people's servers."""
import os
import subprocess
import unittest

import processes
import scratch
from gateway import SLOW, Gateway

TIME_LIMIT = 600


class SdkClients(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.gateway = Gateway("sdk").__enter__()
        cls.addClassCleanup(cls.gateway.close)
        cls.documents = scratch.folder("documents", 0o777)
        cls.gateway.add_calculator()
        cls.gateway.add_everything()
        cls.gateway.add("filesystem", scratch.node_binary(),
                        scratch.node_module("@modelcontextprotocol", "server-filesystem", "dist", "index.js"),
                        cls.documents, paths=["rw:" + cls.documents])
        cls.remote = cls.start_http_server()
        cls.addClassCleanup(cls.remote.stop)
        cls.gateway.add_http("remote", "http://127.0.0.1:%d/mcp" % cls.remote.port)

    @classmethod
    def start_http_server(cls):
        port = processes.free_port()
        node = scratch.node_folder()
        return processes.Beside(
            [scratch.node_binary(), "--import", os.path.join(node, "loopback.mjs"),
             scratch.node_module("@modelcontextprotocol", "server-everything", "dist", "index.js"), "streamableHttp"],
            port, os.path.join(cls.gateway.folder, "remote.log"), {"PORT": str(port)})

    def drive(self, generation, transport, scenario, server):
        key = self.gateway.key("%s-%s-%s" % (generation, transport, server))
        environment = {"PATH": "/usr/bin:/bin", "ROOT": self.documents, "SERVER": server, "TOKEN": key.secret,
                       "MCP_API_KEY": key.secret, "SALLYPORT": self.gateway.binary, "HOME_DIR": self.gateway.home,
                       "URL": "http://127.0.0.1:%d/mcp/%s" % (self.gateway.port, server)}
        ran = subprocess.run([scratch.node_binary(), os.path.join(scratch.node_folder(), "scenario.mjs"), generation,
                              transport, scenario], env=environment, capture_output=True, text=True, timeout=90 * SLOW)
        self.assertEqual((ran.returncode, ran.stdout.strip()), (0, "done"), ran.stderr[-4000:] + self.gateway.log()[-1500:])

    def test_v1_everything_over_stdio(self):
        self.drive("v1", "http", "everything", "everything")

    def test_v2_everything_over_stdio(self):
        self.drive("v2", "http", "everything", "everything")

    def test_v1_everything_over_http(self):
        self.drive("v1", "http", "everything", "remote")

    def test_v2_everything_over_http(self):
        self.drive("v2", "http", "everything", "remote")

    def test_v1_filesystem(self):
        self.drive("v1", "http", "filesystem", "filesystem")

    def test_v2_filesystem(self):
        self.drive("v2", "http", "filesystem", "filesystem")

    def test_v1_log_messages_reach_the_client(self):
        self.drive("v1", "http", "logging", "everything")

    def test_v2_log_messages_reach_the_client(self):
        self.drive("v2", "http", "logging", "remote")

    def test_v1_calculator(self):
        self.drive("v1", "http", "calculator", "calc")

    def test_v1_through_sallyport_stdio(self):
        """S4-16 by C25: `sallyport stdio` with MCP_API_KEY in its environment."""
        self.drive("v1", "stdio", "calculator", "calc")

    def test_v2_through_sallyport_stdio(self):
        self.drive("v2", "stdio", "everything", "everything")

    def test_stdio_without_a_key_says_what_is_missing(self):
        """S4-16: "MCP_API_KEY not configured"."""
        ran = self.gateway.run("stdio", "--server", "calc")
        self.assertEqual(ran.code, 1)
        self.assertIn("MCP_API_KEY not configured", ran.err)


if __name__ == "__main__":
    unittest.main()
