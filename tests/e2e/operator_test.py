"""What the operator is told and asked at the machine itself, and what a start and a probe make of it."""
import contextlib
import fcntl
import json
import os
import pty
import signal
import ssl
import subprocess
import termios
import unittest

import mcp
import processes
from gateway import SLOW, Gateway

PASSWORD = "Correct-Horse-7-Battery"


class Operator(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.gateway = Gateway("operator", {"backup.path": "/sys/no-such-folder"}).__enter__()
        cls.addClassCleanup(cls.gateway.close)

    def test_what_is_wrong_is_said_to_the_owner_of_the_home_alone(self):
        """A folder that cannot be written is named at the machine; over REST, not even to an admin."""
        ran = self.gateway.run("backup", "create")
        self.assertEqual(ran.code, 1, ran)
        self.assertIn("/sys/no-such-folder", ran.err)
        self.assertNotIn("Internal error", ran.err)
        self.gateway.user("boss", PASSWORD, "admin")
        login = mcp.Client(self.gateway).ask("POST", "/api/auth/login", {"username": "boss", "password": PASSWORD})
        client = mcp.Client(self.gateway, login.message["access_token"])
        answer = client.ask("POST", "/api/v1/backups", {})
        self.assertEqual(answer.status, 500, answer)
        self.assertNotIn("no-such-folder", json.dumps(answer.message))

    def test_ctrl_c_leaves_the_terminal_as_it_was(self):
        outer, inner = pty.openpty()
        self.addCleanup(os.close, outer)
        self.addCleanup(os.close, inner)
        os.set_blocking(outer, False)
        said = bytearray()

        def echoes():
            return bool(termios.tcgetattr(inner)[3] & termios.ECHO)

        def asked():
            with contextlib.suppress(BlockingIOError):
                while True:
                    said.extend(os.read(outer, 4096))
            return b"New password: " in said and not echoes()

        ran = subprocess.Popen([self.gateway.binary, "--home", self.gateway.home, "vault", "password"], stdin=inner, stdout=inner,
                               stderr=inner, env=self.gateway.environment(), cwd=self.gateway.folder, start_new_session=True,
                               preexec_fn=lambda: fcntl.ioctl(0, termios.TIOCSCTTY, 0))
        try:
            processes.wait_until(asked, 20 * SLOW, "a question without echo")
            os.write(outer, b"half a pass\x03")
            self.assertEqual(ran.wait(20 * SLOW), -signal.SIGINT)
        finally:
            ran.kill()
            ran.wait()
        self.assertTrue(echoes())
        asked()  # reads the rest
        self.assertNotIn(b"half", said)


class Start(unittest.TestCase):
    def test_it_waits_for_a_command_that_holds_the_home(self):
        with Gateway("patient") as gateway:
            gateway.stop()
            with open(os.path.join(gateway.home, "lock"), "rb") as lock:
                fcntl.flock(lock, fcntl.LOCK_EX)
                gateway.spawn()
                processes.wait_until(lambda: "waiting for the home" in gateway.log(), 10 * SLOW, "a word about the lock")
                self.assertIsNone(gateway.process.poll())
            processes.wait_until(gateway.ready, 30 * SLOW, "/health/ready")

    def test_a_probe_needs_no_admin_socket(self):
        """Over TLS too: else a container is ended for ever."""
        gateway = Gateway("probe", {"tls.enabled": True, "listen.admin_socket": False})
        os.makedirs(gateway.home, mode=0o700)
        gateway.choose_port()
        gateway.cli("init")
        gateway.cli("certs", "init")
        gateway.tls = ssl.create_default_context(cafile=os.path.join(gateway.home, "certs", "ca.crt"))
        where = "127.0.0.1:%d" % gateway.port
        try:
            gateway.start()
            self.assertEqual(gateway.run("healthcheck"), (0, "", ""))
            doctor = gateway.run("doctor").out
            self.assertIn("port: the gateway answers on " + where, doctor)
            self.assertIn("tls: the gateway answers on https://" + where, doctor)
            gateway.stop()
            self.assertEqual(gateway.run("healthcheck").code, 1)
            self.assertIn(where + " is free; the gateway is not running", gateway.run("doctor").out)
            gateway.start()
        except BaseException:
            gateway.kill()
            raise
        gateway.close()


if __name__ == "__main__":
    unittest.main()
