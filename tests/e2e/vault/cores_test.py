"""No core of the gateway is written whatever its parent allows, and one that is forced holds no memory (done when 3 of issue 6; S2-40)."""
import os
import re
import resource
import signal
import subprocess
import unittest

import processes
import scratch
from gateway import SLOW, Gateway


def wide(process):
    """Core files of any size for what the parent starts."""
    resource.setrlimit(resource.RLIMIT_CORE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))


class Unlimited(Gateway):
    """Started by a parent that allows cores of any size."""

    def spawn(self):
        with open(self.log_path, "ab") as log:
            self.log_from = log.tell()
            self.process = subprocess.Popen([self.binary, "--home", self.home, "serve"], stdin=subprocess.DEVNULL, stdout=log, stderr=log,
                                            cwd=self.folder, env=self.environment(), preexec_fn=lambda: wide(self))


ALLOWED = resource.getrlimit(resource.RLIMIT_CORE)[1] == resource.RLIM_INFINITY


@unittest.skipUnless(os.geteuid() == 0 and ALLOWED, "root, whose own cores may be of any size")
class Cores(unittest.TestCase):
    def crashed(self, number):
        gateway = Unlimited("core", environment={"ASAN_OPTIONS": "handle_segv=0:handle_abort=0:detect_leaks=0"})
        self.addCleanup(gateway.kill)
        gateway.__enter__()
        os.chmod(gateway.folder, 0o777)  # where a core would go: its working directory
        launcher = processes.children(gateway.process.pid)
        self.assertTrue(launcher)
        for pid in [gateway.process.pid] + launcher:
            with open("/proc/%d/limits" % pid) as file:
                self.assertRegex(file.read(), r"Max core file size\s+0\s+0")
            with open("/proc/%d/coredump_filter" % pid) as file:
                self.assertEqual(int(file.read(), 16), 0, "a core that is forced holds no memory")
        os.kill(gateway.process.pid, number)
        self.assertEqual(gateway.process.wait(30 * SLOW), -number)
        return gateway

    def test_a_crash_leaves_no_core(self):
        """SIGSEGV and SIGABRT, as a fault and an assertion raise them."""
        with open("/proc/sys/kernel/core_pattern") as file:
            to_file = not file.read().startswith(("|", "/"))
        for number in (signal.SIGSEGV, signal.SIGABRT):
            gateway = self.crashed(number)
            if not to_file:
                continue  # the limits, which the kernel holds to for files alone, and the filter were looked at
            places = [gateway.folder, gateway.home, os.getcwd()]
            self.assertEqual([name for place in places for name in os.listdir(place) if re.match(r"core(\.|$)", name)], [])

    def test_the_look_finds_a_core_of_another_program(self):
        """What the test above looks for is there where nothing forbids it."""
        with open("/proc/sys/kernel/core_pattern") as file:
            if file.read().startswith(("|", "/")):
                return
        folder = scratch.folder("any-core")
        ran = subprocess.run(["/usr/bin/python3", "-c", "import os; os.abort()"], cwd=folder, capture_output=True, timeout=60,
                             preexec_fn=lambda: wide(self))
        self.assertEqual(ran.returncode, -signal.SIGABRT)
        if not [name for name in os.listdir(folder) if re.match(r"core(\.|$)", name)]:
            self.skipTest("this machine writes no cores at all: the limits and the filter alone were looked at")


if __name__ == "__main__":
    unittest.main()
