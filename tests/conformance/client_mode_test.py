"""The suite's client mode with Sallyport as the client under test: each wire scenario of both requirement sets, driven by an
SDK client of either era through a gateway whose only upstream is the suite's server (issue 3, done when 1).

    tests/run.py tests/conformance/client_mode_test.py -k sse_retry
"""
import concurrent.futures
import os
import subprocess
import sys
import unittest

import scratch
import suite
from gateway import SLOW

TIME_LIMIT = 600
HERE = os.path.dirname(os.path.abspath(__file__))
REVISIONS = ("2025-11-25", "2026-07-28")
CLIENTS = ("v1", "v2-modern")  # a client of each era behind the gateway: one of them is of the other era than the server


def label(revision, scenario, client):
    return "%s %s %s" % (revision, scenario, client)


def test_name(case):
    return "test_%s" % label(*case).replace("-", "_").replace(" ", "_")


CASES = sorted(((revision, scenario, client) for revision in REVISIONS for scenario in suite.client_scenarios(revision)
                for client in CLIENTS), key=test_name)  # in the order in which unittest runs them


def run(revision, scenario, client):
    """Runs one scenario; (passed, what went wrong)."""
    folder = scratch.folder("client-mode-%s" % scenario)
    environment = suite.environment(SALLYPORT_BIN=scratch.binary(), SALLYPORT_TEST_TMP=scratch.base())
    ran = subprocess.run(
        suite.command("client", "--command", "%s %s %s" % (sys.executable, os.path.join(HERE, "drive.py"), client),
                      "--scenario", scenario, "--spec-version", revision, "--timeout", str(60000 * SLOW), "-o", folder,
                      preload=[os.path.join(scratch.node_folder(), "loopback_now.mjs")]),
        capture_output=True, text=True, errors="replace", timeout=90 * SLOW, cwd=folder, env=environment)
    checks = suite.results(folder, "").get(scenario, [])
    passed = ran.returncode == 0 and suite.passes(checks)
    return passed, "" if passed else wrong(ran, checks)


def wrong(ran, checks):
    lines = ["%d of %d checks pass, exit code %d" % (*suite.score(checks), ran.returncode)]
    if not suite.passes(checks):
        lines += suite.explain(checks)
    out = ran.stderr
    start, end = out.find("Client exited"), out.find("Results saved to")  # behind it the suite says the checks again
    return "\n".join(lines) + "\n--- the driving side\n" + (out[start:end] if start >= 0 else out)[:5000]


class ClientMode(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        scratch.node_folder(), scratch.readable(scratch.binary())  # copied once, where copying is needed
        cls.pool = concurrent.futures.ThreadPoolExecutor(max_workers=2)
        cls.addClassCleanup(cls.pool.shutdown, cancel_futures=True)
        cls.runs = {}

    def start(self, case):
        """The one asked for and the next, so that both cores have something to do."""
        at = CASES.index(case)
        for other in CASES[at:at + 2]:
            if other not in self.runs:
                self.runs[other] = self.pool.submit(run, *other)
        return self.runs[case]

    def judge(self, case):
        passed, why = self.start(case).result()
        self.assertTrue(passed, "%s: %s" % (label(*case), why))


def case_of(case):
    def test(self):
        self.judge(case)
    return test


for _case in CASES:
    setattr(ClientMode, test_name(_case), case_of(_case))

if __name__ == "__main__":
    unittest.main()
