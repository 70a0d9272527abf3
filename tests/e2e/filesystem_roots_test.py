"""The server-filesystem hole stays shut (issue 3, done when 3): the real server replaces the operator's folders by its
client's roots, so a client that names file:///etc must not be heard by it."""
import os
import unittest

import eras_case
import scratch
from eras_case import EraCase
from gateway import Gateway

TIME_LIMIT = 180
SERVER = ("@modelcontextprotocol", "server-filesystem", "dist", "index.js")


class FilesystemRoots(EraCase):
    @classmethod
    def setUpClass(cls):
        cls.gateway = Gateway("roots").__enter__()
        cls.addClassCleanup(cls.gateway.close)
        cls.documents = scratch.folder("documents", 0o777)
        with open(os.path.join(cls.documents, "note.txt"), "w") as file:
            file.write("a note of the operator\n")
        # /etc is shown in the sandbox: what refuses is the server, and it does so as long as nobody tells it of a root.
        cls.gateway.add("files", scratch.node_binary(), scratch.node_module(*SERVER), cls.documents,
                        paths=["rw:" + cls.documents, "ro:/etc/hostname"], options=eras_case.FORWARD)

    def check(self, kind, transport):
        self.scenario(kind, transport, "roots", "files", DOCUMENTS=self.documents)
        said = self.gateway.log()  # the server's stderr among it
        self.assertIn("Client does not support MCP Roots", said)
        self.assertNotIn("from MCP roots", said)

    def test_the_hole_is_real(self):
        """Without the gateway the same client reads /etc/hostname; else the tests below would say nothing."""
        ran = self.node("roots_control.mjs", scratch.node_module(*SERVER), self.documents, env=self.environment("control", "files"))
        with open("/etc/hostname") as file:
            self.assertEqual((0, file.read().strip()), (ran.returncode, ran.stdout.strip()), ran.stderr[-2000:])
        self.assertIn("Updated allowed directories from MCP roots", ran.stderr)

    def test_v1_over_http(self):
        self.check("v1", "http")

    def test_v1_over_sse(self):
        self.check("v1", "sse")

    def test_v1_over_stdio(self):
        self.check("v1", "stdio")

    def test_v2_legacy_over_http(self):
        self.check("v2-legacy", "http")

    def test_v2_modern_over_http(self):
        self.check("v2-modern", "http")

    def test_v2_modern_over_stdio(self):
        self.check("v2-modern", "stdio")


if __name__ == "__main__":
    unittest.main()
