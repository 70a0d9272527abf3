"""The official conformance suite as a program: what a revision requires, one run of it, its results, and why it failed.

The suite's own verdict is checked against ours: it gets the same list of expected failures, and its exit code must agree.
"""
import glob
import json
import os
import re
import subprocess
from collections import namedtuple

import scratch

PACKAGE = ("@modelcontextprotocol", "conformance")
COUNTED = ("SUCCESS", "FAILURE", "WARNING")  # a warning counts as a failure, as the suite counts with a baseline

# `scored`: what the suite counts for this revision; `required`: what we demand, the unscored ones without the Tasks
# extension too; `others`: what also runs.
Wanted = namedtuple("Wanted", "scored required others")
Ran = namedtuple("Ran", "code output folder")


def version():
    with open(scratch.node_module(*PACKAGE, "package.json")) as file:
        return json.load(file)["version"]


def command(*args, preload=()):
    flags = [word for module in preload for word in ("--import", module)]
    return [scratch.node_binary(), *flags, scratch.node_module(*PACKAGE, "dist", "index.js"), *args]


def environment(**more):
    """The pinned Node comes first on the PATH: the suite dies on Node 20."""
    return {"PATH": os.path.dirname(scratch.node_binary()) + ":/usr/bin:/bin", "HOME": "/nonexistent", **more}


def requirements(revision, leg):
    """(scored, not scored) scenarios of `leg`, "server" or "client", from the frozen set that the package brings."""
    with open(scratch.node_module(*PACKAGE, "requirements", revision + ".yaml")) as file:
        text = re.sub(r"^#.*\n", "", file.read(), flags=re.MULTILINE)
    section = re.search(r"^%s:\n((?:  - .*\n)+)" % leg, text, re.MULTILINE).group(1)
    unscored = re.findall(r"^  - scenario: (\S+)\n    leg: %s$" % leg, text, re.MULTILINE)
    return re.findall(r"^  - (\S+)$", section, re.MULTILINE), unscored


def server_scenarios(revision):
    """What a server of `revision` must pass. 2025-06-18 has no frozen set: there all of the suite's scenarios count."""
    if revision >= "2025-11-25":
        scored, unscored = requirements(revision, "server")
        others = [name for name in unscored if name.startswith("tasks-")]
        return Wanted(scored, scored + [n for n in unscored if n not in others], others)
    listed = subprocess.run(command("list", "--server", "--spec-version", revision), capture_output=True, text=True,
                            timeout=60, env=environment(), check=True).stdout
    names = re.findall(r"^  - (\S+)", listed, re.MULTILINE)
    return Wanted(names, names, [])


def client_scenarios(revision):
    """What a client of `revision` must pass on the wire; authorization (auth/*) is another issue's."""
    scored, unscored = requirements(revision, "client")
    return [name for name in scored + unscored if not name.startswith("auth/")]


def run_server(url, revision, folder, excused, seconds):
    """One run against the server at `url`. `excused`: scored scenarios that may fail; a stale one fails the run."""
    baseline = os.path.join(folder, "baseline.yml")
    with open(baseline, "w") as file:
        file.write("server:%s\n" % ("".join("\n  - " + name for name in sorted(excused)) or " []"))
    which = ["--requirements", revision] if revision >= "2025-11-25" else ["--suite", "all", "--spec-version", revision]
    out = os.path.join(folder, "out")
    ran = subprocess.run(command("server", "--url", url, *which, "--expected-failures", baseline, "-o", out),
                         capture_output=True, text=True, errors="replace", timeout=seconds, cwd=folder, env=environment())
    return Ran(ran.returncode, ran.stdout + ran.stderr, out)


def results(folder, prefix="server-"):
    """scenario -> its checks that count, as the suite wrote them."""
    found = {}
    for path in sorted(glob.glob(os.path.join(folder, prefix + "*", "checks.json"))):
        name = re.match(re.escape(prefix) + r"(.*)-\d{4}-\d\d-\d\dT", os.path.basename(os.path.dirname(path))).group(1)
        with open(path) as file:
            found[name] = [check for check in json.load(file) if check["status"] in COUNTED]
    return found


def score(checks):
    """(passed, made)"""
    return sum(check["status"] == "SUCCESS" for check in checks), len(checks)


def passes(checks):
    good, made = score(checks)
    return made > 0 and good == made


def cut(value, size):
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    return text if len(text) <= size else text[:size] + " ..."


def explain(checks):
    """Each check that failed: its id, what it wants, what the suite says of it, and what it saw."""
    lines = []
    for check in checks:
        if check["status"] == "SUCCESS":
            continue
        lines.append("  %s %s: %s" % (check["status"], check["id"], cut(check.get("description", ""), 200)))
        if check.get("errorMessage"):
            lines.append("    said: " + cut(check["errorMessage"], 600))
        if check.get("details"):
            lines.append("    saw:  " + cut(check["details"], 900))
    return lines or ["  no check was made: the scenario did not run to its end"]
