"""tests/run.py itself."""
import os
import signal
import subprocess
import sys
import unittest

import scratch

RUN = os.path.join(scratch.ROOT, "tests", "run.py")
LEFT = """TIME_LIMIT = %d
import subprocess, time, unittest
class Left(unittest.TestCase):
    def test_it(self):
        left = subprocess.Popen(["sleep", "600"], start_new_session=True)
        with open(%r, "w") as file:
            file.write(str(left.pid))
        time.sleep(%d)
"""


class Run(unittest.TestCase):
    def run_left(self, limit, seconds):
        folder = scratch.folder("run")
        pid = os.path.join(folder, "pid")
        with open(os.path.join(folder, "left_test.py"), "w") as file:
            file.write(LEFT % (limit, pid, seconds))
        try:
            return subprocess.run([sys.executable, RUN, folder], capture_output=True, text=True, timeout=60)
        finally:
            with open(pid) as file:
                os.kill(int(file.read()), signal.SIGKILL)

    def test_a_process_that_keeps_the_output_open_is_not_waited_for(self):
        ran = self.run_left(50, 0)
        self.assertEqual((ran.returncode, ran.stdout.splitlines()[-1]), (0, "1 passed, 0 failed, 0 skipped"), ran)

    def test_nor_where_the_file_took_too_long(self):
        ran = self.run_left(4, 600)
        self.assertEqual((ran.returncode, ran.stdout.splitlines()[-1]), (1, "0 passed, 1 failed, 0 skipped"), ran)
        self.assertIn("left_test.py took too long", ran.stdout)


if __name__ == "__main__":
    unittest.main()
