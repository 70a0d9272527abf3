#!/usr/bin/env python3
"""Runs the Python tests: tests/**/*_test.py, or the files named, one process each, one after the other.

    SALLYPORT_BIN=build/asan/bin/sallyport tests/run.py [FILE...] [-k WORD]

A line for each test with its time, and at the end "N passed, N failed, N skipped". Exit code 1 when one failed. What a
test writes lies in one folder below the temporary folder, removed at the end. A file has TIME_LIMIT seconds (180 unless
it says otherwise); what overruns is killed with all it started.
"""
import argparse
import glob
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import unittest

HERE = os.path.dirname(os.path.abspath(__file__))
RESULT = "#result "
TIME_LIMIT = 180


class Lines(unittest.TestResult):
    """One line for each test, as it ends."""

    def __init__(self, name):
        super().__init__()
        self.name, self.count = name, {"passed": 0, "failed": 0, "skipped": 0}

    def startTest(self, test):
        super().startTest(test)
        self.began = time.monotonic()

    def line(self, word, kind, test, more=""):
        self.count[kind] += 1
        took = time.monotonic() - getattr(self, "began", time.monotonic())
        case = test.id().split(".", 1)[-1] if hasattr(test, "id") else str(test)
        print("%-4s %6.2f s  %s %s%s" % (word, took, self.name, case, more), flush=True)

    def addSuccess(self, test):
        self.line("ok", "passed", test)

    def addSkip(self, test, reason):
        self.line("skip", "skipped", test, ": " + reason)

    def fails(self, test, error):
        self.line("FAIL", "failed", test)
        print(self._exc_info_to_string(error, test), flush=True)

    def addFailure(self, test, error):
        self.fails(test, error)

    def addError(self, test, error):
        self.fails(test, error)

    def addSubTest(self, test, subtest, error):
        if error is not None:
            self.fails(subtest, error)


def run_here(path, word):
    """In the child: one file in this process."""
    sys.path[:0] = [os.path.join(HERE, "support"), os.path.dirname(path)]
    sys.dont_write_bytecode = True
    name = os.path.relpath(path, HERE)
    loader = unittest.TestLoader()
    if word:
        loader.testNamePatterns = ["*%s*" % word]
    result = Lines(name)
    suite = loader.loadTestsFromName(os.path.basename(path)[:-3])
    suite.run(result)
    print(RESULT + json.dumps(result.count), flush=True)
    return 1 if result.count["failed"] else 0


def limit_of(path):
    with open(path) as file:
        found = re.search(r"^TIME_LIMIT = (\d+)", file.read(), re.MULTILINE)
    return int(found.group(1)) if found else TIME_LIMIT


def end_group(process):
    try:
        os.killpg(process.pid, signal.SIGKILL)
    except ProcessLookupError:
        pass


def run_file(path, word, total):
    command = [sys.executable, os.path.abspath(__file__), "--here", path] + (["-k", word] if word else [])
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True, errors="replace", start_new_session=True)
    timer = time.monotonic() + limit_of(path)
    signal.signal(signal.SIGALRM, lambda *_: end_group(process))
    signal.alarm(limit_of(path))
    seen = None
    for line in process.stdout:
        if line.startswith(RESULT):
            seen = json.loads(line[len(RESULT):])
        else:
            sys.stdout.write(line)
            sys.stdout.flush()
    process.wait()
    signal.alarm(0)
    end_group(process)  # whatever a failed test left
    if seen is None:
        late = time.monotonic() >= timer
        print("FAIL          %s %s" % (os.path.relpath(path, HERE), "took too long" if late else "ended without a result"))
        seen = {"failed": 1}
    for kind, count in seen.items():
        total[kind] += count


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("files", nargs="*")
    parser.add_argument("-k", dest="word", default="")
    parser.add_argument("--here", action="store_true")
    options = parser.parse_args()
    if options.here:
        return run_here(os.path.abspath(options.files[0]), options.word)
    files = [os.path.abspath(f) for f in options.files] or sorted(
        f for f in glob.glob(os.path.join(HERE, "**", "*_test.py"), recursive=True) if "node_modules" not in f)
    folder = tempfile.mkdtemp(prefix="sallyport-test-")
    os.environ["SALLYPORT_TEST_TMP"] = folder
    total, began = {"passed": 0, "failed": 0, "skipped": 0}, time.monotonic()
    try:
        for path in files:
            run_file(path, options.word, total)
    finally:
        if os.environ.get("SALLYPORT_TEST_KEEP"):
            print("kept: " + folder)
        else:
            shutil.rmtree(folder, ignore_errors=True)
    print("python tests took %d s" % (time.monotonic() - began))
    print("%d passed, %d failed, %d skipped" % (total["passed"], total["failed"], total["skipped"]))
    return 1 if total["failed"] or not total["passed"] else 0


if __name__ == "__main__":
    sys.exit(main())
