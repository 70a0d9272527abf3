"""A real OPA server for tests, from tests/support/opa (scripts/go-opa builds it with the machine's go).

    @opa_server.needed
    class ...:
        with opa_server.Opa("name", {"tool_access.rego": "package tool_access ..."}) as opa:
            opa.url; opa.put("tool_access.rego", text); opa.stop(); opa.start(); opa.pause(); opa.go_on()
"""
import http.client
import os
import signal
import subprocess
import unittest

import processes
import scratch

BINARY = os.path.join(scratch.ROOT, "build", "opa", "opa")
needed = unittest.skipUnless(os.path.exists(BINARY), "there is no OPA to ask: scripts/go-opa builds it where there is a go")


def shipped():
    """The policies that ship, by name."""
    found = {}
    for name in os.listdir(os.path.join(scratch.ROOT, "policies")):
        if name.endswith(".rego") and not name.endswith("_test.rego"):
            with open(os.path.join(scratch.ROOT, "policies", name)) as file:
                found[name] = file.read()
    return found


class Opa:
    def __init__(self, name, policies=None):
        self.folder = scratch.folder(name)
        self.process, self.files = None, []
        for file, text in (policies or shipped()).items():
            path = os.path.join(self.folder, file)
            with open(path, "w") as out:
                out.write(text)
            self.files.append(file)
        self.port = processes.free_port("127.0.0.1")

    def __enter__(self):
        self.start()
        return self

    def __exit__(self, *error):
        self.stop()

    @property
    def url(self):
        return "http://127.0.0.1:%d" % self.port

    def ask(self, method, path, body=b""):
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=10)
        try:
            connection.request(method, path, body, {"Content-Type": "text/plain"})
            response = connection.getresponse()
            return response.status, response.read()
        finally:
            connection.close()

    def ready(self):
        assert self.process.poll() is None, "OPA ended: " + self.log()
        try:
            return self.ask("GET", "/health")[0] == 200
        except OSError:
            return False

    def log(self):
        with open(os.path.join(self.folder, "opa.log"), errors="replace") as file:
            return file.read()

    def start(self):
        with open(os.path.join(self.folder, "opa.log"), "ab") as log:
            self.process = subprocess.Popen([BINARY, "serve", "127.0.0.1:%d" % self.port, *self.files], stdout=log, stderr=log,
                                            stdin=subprocess.DEVNULL, cwd=self.folder)
        processes.wait_until(self.ready, 30, "OPA")

    def stop(self):
        """kill -9, as a crash would."""
        if self.process is not None:
            self.process.kill()
            self.process.wait()

    def pause(self):
        """It takes connections and answers nothing."""
        self.process.send_signal(signal.SIGSTOP)  # takes effect later, on a busy machine after the next question
        processes.wait_until(lambda: processes.all_stopped(self.process.pid), 10, "a process that stands still")

    def go_on(self):
        self.process.send_signal(signal.SIGCONT)

    def put(self, file, text):
        status, said = self.ask("PUT", "/v1/policies/" + file, text.encode())
        assert status == 200, said
