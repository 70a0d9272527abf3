#!/usr/bin/env python3
"""Runs the Python tests: tests/**/*_test.py, or the files named, one process each.

    SALLYPORT_BIN=build/asan/bin/sallyport tests/run.py [-j JOBS] [FILE or FOLDER...] [-k WORD]

First those files that say ALONE = True, for they measure time or memory, one after the other; then the others, JOBS at a
time (one more than there are cores, at most 5), since much of their time is waiting. A line for each test with its time, and at
the end "N passed, N failed, N skipped". Exit code 1 when one failed. What a test writes lies in one folder below the
temporary folder, removed at the end. A file has TIME_LIMIT seconds (180 unless it says otherwise); what overruns is killed
with its process group. What left the group is not waited for.
"""
import argparse
import concurrent.futures
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
RUNNING = set()


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


def files_of(path):
    """The test files of a folder, or the file itself."""
    if not os.path.isdir(path):
        return [path]
    return sorted(f for f in glob.glob(os.path.join(path, "**", "*_test.py"), recursive=True) if "node_modules" not in f)


def settings_of(path):
    """(seconds that the file may take, whether it runs alone)"""
    with open(path) as file:
        text = file.read()
    found = re.search(r"^TIME_LIMIT = (\d+)", text, re.MULTILINE)
    return int(found.group(1)) if found else TIME_LIMIT, bool(re.search(r"^ALONE = True", text, re.MULTILINE))


def end_group(process):
    try:
        os.killpg(process.pid, signal.SIGKILL)
    except ProcessLookupError:
        pass


def run_file(path, word):
    """What it counted; what it printed comes out in one piece, when it has ended."""
    command = [sys.executable, os.path.abspath(__file__), "--here", path] + (["-k", word] if word else [])
    late = False
    with tempfile.NamedTemporaryFile() as out:  # and no pipe, whose end comes only when the last that inherited it has ended
        process = subprocess.Popen(command, stdout=out, stderr=subprocess.STDOUT, start_new_session=True)
        RUNNING.add(process)
        try:
            process.wait(settings_of(path)[0])
        except subprocess.TimeoutExpired:
            late = True
        end_group(process)  # whatever a failed test left
        process.wait()
        RUNNING.discard(process)
        with open(out.name, errors="replace") as printed:
            lines = printed.readlines()
    results = [line for line in lines if line.startswith(RESULT)]
    if results:
        seen = json.loads(results[-1][len(RESULT):])
    else:
        lines.append("FAIL          %s %s\n" % (os.path.relpath(path, HERE),
                                              "took too long" if late else "ended without a result"))
        seen = {"failed": 1}
    sys.stdout.write("".join(line for line in lines if not line.startswith(RESULT)))
    sys.stdout.flush()
    return seen


def run_files(files, word, jobs):
    total = {"passed": 0, "failed": 0, "skipped": 0}
    alone = [path for path in files if settings_of(path)[1]]
    for paths, lanes in ((alone, 1), ([path for path in files if path not in alone], jobs)):
        with concurrent.futures.ThreadPoolExecutor(lanes) as pool:
            try:
                for seen in pool.map(lambda path: run_file(path, word), paths):
                    for kind, count in seen.items():
                        total[kind] += count
            except KeyboardInterrupt:
                pool.shutdown(wait=False, cancel_futures=True)
                for process in list(RUNNING):
                    end_group(process)
                raise
    return total


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("files", nargs="*")
    parser.add_argument("-k", dest="word", default="")
    parser.add_argument("-j", dest="jobs", type=int, default=min((os.cpu_count() or 1) + 1, 5))
    parser.add_argument("--here", action="store_true")
    options = parser.parse_args()
    if options.here:
        return run_here(os.path.abspath(options.files[0]), options.word)
    files = [file for name in options.files or [HERE] for file in files_of(os.path.abspath(name))]
    folder = tempfile.mkdtemp(prefix="sallyport-test-")
    os.environ["SALLYPORT_TEST_TMP"] = folder
    began = time.monotonic()
    try:
        total = run_files(files, options.word, max(options.jobs, 1))
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
