"""The official conformance suite at 2025-11-25 through the gateway to the fixture upstream.mjs, over stdio and HTTP
(issue 2, done when 2). Writes the table of results to docs/conformance.md: no times in it, so that a run that changes
nothing changes no file."""
import glob
import json
import os
import re
import subprocess
import unittest

import processes
import scratch
from gateway import SLOW, Gateway
from shim import Shim

TIME_LIMIT = 400
REVISION = "2025-11-25"
UNSCORED = ("server-session-lifecycle", "json-schema-2020-12", "server-sse-polling")
HERE = os.path.dirname(os.path.abspath(__file__))
PAGE = os.path.join(scratch.ROOT, "docs", "conformance.md")

INTRO = """# Conformance

The official suite `@modelcontextprotocol/conformance@{version}`, server mode, `--requirements {revision}`, through
`/mcp/{{server}}` of the gateway to `tests/e2e/node/upstream.mjs --era legacy`. Written by
`tests/conformance/conformance_test.py`, which `make test` runs; it fails when a scored scenario fails that
`tests/conformance/expected_failures.yml` does not name, and when one named there passes.

Figures are checks passed of checks made. "expected" marks what is named there; "not scored" what the suite does not
count for this revision.

"""


def expected():
    with open(os.path.join(HERE, "expected_failures.yml")) as file:
        return set(re.findall(r"^  - (\S+)$", file.read(), re.MULTILINE))


def results(folder):
    """scenario -> (passed, made): a warning counts as a failure, as the suite counts with a baseline."""
    found = {}
    for path in sorted(glob.glob(os.path.join(folder, "server-*", "checks.json"))):
        name = re.match(r"server-(.*)-\d{4}-\d\d-\d\dT", os.path.basename(os.path.dirname(path))).group(1)
        with open(path) as file:
            states = [check["status"] for check in json.load(file)]
        made = [s for s in states if s in ("SUCCESS", "FAILURE", "WARNING")]
        found[name] = (made.count("SUCCESS"), len(made))
    return found


class Conformance(unittest.TestCase):
    tables = {}

    @classmethod
    def tearDownClass(cls):
        if set(cls.tables) == {"stdio", "HTTP"}:
            cls.write_page()

    @classmethod
    def write_page(cls):
        with open(scratch.node_module("@modelcontextprotocol", "conformance", "package.json")) as file:
            text = INTRO.format(version=json.load(file)["version"], revision=REVISION)
        stdio, over_http = cls.tables["stdio"], cls.tables["HTTP"]
        for label, table in (("stdio", stdio), ("HTTP", over_http)):
            scored = [n for n in table if n not in UNSCORED]
            good = [n for n in scored if table[n][0] == table[n][1]]
            text += "Upstream over %s: %d of %d scored scenarios pass.\n\n" % (label, len(good), len(scored))
        text += "| scenario | upstream over stdio | upstream over HTTP | |\n|---|---|---|---|\n"
        for name in sorted(set(stdio) | set(over_http)):
            note = "expected" if name in expected() else "not scored" if name in UNSCORED else ""
            cells = ["%d/%d" % t[name] if name in t else "-" for t in (stdio, over_http)]
            text += "| %s | %s | %s | %s |\n" % (name, *cells, note)
        old = open(PAGE).read() if os.path.exists(PAGE) else ""
        if text != old:
            with open(PAGE, "w") as file:
                file.write(text)

    def run_suite(self, gateway, label):
        shim = Shim(gateway, gateway.key("suite").secret, "upstream")
        out = os.path.join(gateway.folder, "out")
        try:
            ran = subprocess.run(
                [scratch.node_binary(), scratch.node_module("@modelcontextprotocol", "conformance", "dist", "index.js"),
                 "server", "--url", "http://127.0.0.1:%d/mcp" % gateway.port, "--requirements", REVISION,
                 "--expected-failures", os.path.join(HERE, "expected_failures.yml"), "-o", out],
                capture_output=True, text=True, timeout=150 * SLOW, cwd=gateway.folder, env={"PATH": "/usr/bin:/bin"})
        finally:
            shim.close()
        table = results(out)
        scored = {name: table[name] for name in table if name not in UNSCORED}
        failed = {name for name, (passed, made) in scored.items() if passed != made or made == 0}
        self.assertEqual(len(scored), 30, ran.stdout[-3000:] + ran.stderr[-2000:])
        self.assertEqual(failed, expected(), self.explain(out, failed - expected()))
        self.assertEqual(ran.returncode, 0, ran.stdout[-3000:])
        self.tables[label] = table

    def explain(self, out, names):
        lines = []
        for name in sorted(names):
            for path in glob.glob(os.path.join(out, "server-%s-2*" % name, "checks.json")):
                with open(path) as file:
                    lines += ["%s: %s %s" % (name, c["id"], json.dumps([c.get("errorMessage"), c.get("details")])[:700])
                              for c in json.load(file) if c["status"] in ("FAILURE", "WARNING")]
        return "\n".join(lines)

    def test_upstream_over_stdio(self):
        with Gateway("conformance-stdio", address="127.0.0.2") as gateway:
            gateway.add("upstream", scratch.node_binary(), os.path.join(scratch.node_folder(), "upstream.mjs"), "--stdio",
                        "--era", "legacy")
            self.run_suite(gateway, "stdio")

    def test_upstream_over_http(self):
        with Gateway("conformance-http", address="127.0.0.2") as gateway:
            port = processes.free_port()
            beside = processes.Beside([scratch.node_binary(), os.path.join(scratch.node_folder(), "upstream.mjs"), "--http",
                                       str(port), "--era", "legacy"], port, os.path.join(gateway.folder, "upstream.log"))
            try:
                gateway.add_http("upstream", "http://127.0.0.1:%d/mcp" % port)
                self.run_suite(gateway, "HTTP")
            finally:
                beside.stop()


if __name__ == "__main__":
    unittest.main()
