"""One real gateway in a scratch home: set up, started, asked, stopped, and looked through afterwards.

    with Gateway("calls", {"rate.mcp.requests": 5}) as gateway:
        gateway.add_calculator()
        key = gateway.key("agent")
        ...

`policies` fills the home's folder of them before the first start: {"rules.rego": text}, beside the shipped tool_access and
admin_access, which another text under the same name replaces.

Leaving the block stops it by SIGTERM and asserts what must hold after every test: exit code 0, no process left, no
finding of a sanitizer in its log, an audit that verifies.
"""
import glob
import itertools
import json
import os
import re
import signal
import socket
import subprocess
import sys
from collections import namedtuple

import processes
import scratch

Key = namedtuple("Key", "id secret")
Ran = namedtuple("Ran", "code out err")

SANITIZER = re.compile(r"(AddressSanitizer|LeakSanitizer|ThreadSanitizer|UndefinedBehaviorSanitizer|runtime error:)")
SLOW = 4 if "asan" in scratch.binary() else 1  # deadlines under a sanitizer
PLENTY = 1_000_000
COUNTER = itertools.count(1)

# High limits, so that only the tests about limits meet one.
DEFAULTS = {"rate.%s.requests" % name: PLENTY for name in
            ("default", "address", "mcp", "tool", "public", "read", "write", "admin", "delete", "execute", "login")}


def yaml_text(flat):
    """Dotted settings as block YAML; JSON scalars and flow lists are YAML."""
    tree = {}
    for path, value in flat.items():
        node = tree
        *above, last = path.split(".")
        for part in above:
            node = node.setdefault(part, {})
        node[last] = value

    def lines(node, depth):
        for name, value in node.items():
            if isinstance(value, dict):
                yield "  " * depth + name + ":"
                yield from lines(value, depth + 1)
            else:
                yield "  " * depth + name + ": " + json.dumps(value)
    return "\n".join(lines(tree, 0)) + "\n"


class Gateway:
    def __init__(self, name, settings=None, address="127.0.0.1", policies=None, environment=None):
        self.mark = "mark %d of %d" % (next(COUNTER), os.getpid())  # no secret: the CLI refuses what looks like one
        self.folder = scratch.folder(name)
        self.home = os.path.join(self.folder, "home")
        self.log_path = os.path.join(self.folder, "gateway.log")
        self.address = address
        self.policies = policies
        self.more_environment = environment or {}
        self.settings = {**DEFAULTS, "listen.address": address, **(settings or {})}
        if os.environ.get("SALLYPORT_TEST_WORKERS"):
            self.settings["listen.workers"] = int(os.environ["SALLYPORT_TEST_WORKERS"])
        if scratch.service_user():
            self.settings.setdefault("sandbox.run_as", scratch.service_user())
        self.binary = scratch.readable(scratch.binary())
        self.port = None
        self.process = None
        self.seen = set()  # every process that was ever seen below the gateway
        self.first = None  # what `init` said
        self.tls = None  # the ssl.SSLContext of its clients, where it serves HTTPS (support/tls.py)
        self.log_from = 0

    # --- life

    def __enter__(self):
        os.makedirs(self.home, mode=0o700)
        self.choose_port()
        if self.policies is not None:
            self.write_policies()
        self.first = json.loads(self.cli("init", "--json"))
        try:
            self.start()
        except BaseException:
            self.kill()
            raise
        return self

    def __exit__(self, kind, value, trace):
        if kind is None:
            self.close()
            return
        self.kill()  # the test failed: its own error is the one to show
        sys.stderr.write("--- log of %s\n%s---\n" % (self.folder, self.log()[-6000:]))

    def close(self):
        self.stop()
        self.assert_clean()
        self.assert_audit_intact()

    def choose_port(self):
        self.port = processes.free_port(self.address)
        text = yaml_text({**self.settings, "listen.port": self.port})
        with open(os.path.join(self.home, "sallyport.yaml"), "w") as file:
            file.write(text)

    def write_policies(self):
        folder = os.path.join(self.home, "policies")
        os.makedirs(folder)
        os.chmod(folder, 0o755)
        shipped = {name: scratch.text_of(os.path.join("policies", name)) for name in ("tool_access.rego", "admin_access.rego")}
        for name, text in {**shipped, **self.policies}.items():
            path = os.path.join(folder, name)
            with open(path, "w") as file:
                file.write(text)
            os.chmod(path, 0o644)

    def environment(self):
        return {"PATH": "/usr/bin:/bin", "HOME": "/nonexistent", "LANG": "C.UTF-8",
                "ASAN_OPTIONS": "detect_leaks=1:exitcode=97:strict_string_checks=1",
                "UBSAN_OPTIONS": "print_stacktrace=1", "SALLYPORT_TEST_SECRET": "a value that servers must not see", **self.more_environment}

    def spawn(self):
        with open(self.log_path, "ab") as log:
            self.log_from = log.tell()
            self.process = subprocess.Popen([self.binary, "--home", self.home, "serve"], stdin=subprocess.DEVNULL,
                                            stdout=log, stderr=log, cwd=self.folder, env=self.environment())

    def start(self):
        """On its port, which nobody else of this run has (processes.free_port): one that is in use is a fault, and not tried around."""
        self.spawn()
        processes.wait_until(self.ready, 30 * SLOW, "/health/ready")

    def ready(self):
        import mcp
        if self.process.poll() is not None:
            raise Ended("the gateway ended with %d: %s" % (self.process.returncode, self.log()[-2000:]))
        try:
            return mcp.get(self, "/health/ready").status == 200
        except OSError:
            return False

    def note_processes(self):
        if self.process and self.process.poll() is None:
            self.seen.update(processes.descendants(self.process.pid))

    def stop(self, seconds=40):
        self.note_processes()
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
        try:
            code = self.process.wait(seconds * SLOW)
        except subprocess.TimeoutExpired:
            raise AssertionError("SIGTERM did not end the gateway within %d s: %s" % (seconds, self.log()[-3000:]))
        assert code == 0, "exit code %d after SIGTERM: %s" % (code, self.log()[-3000:])

    def kill(self):
        """kill -9, as a crash would."""
        if self.process is None:
            return
        self.note_processes()
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait()

    # --- what must hold

    def left(self):
        """Processes of this gateway that still live although it does not."""
        found = ["%d %s" % (pid, processes.command_line(pid)) for pid, started in self.seen if processes.alive(pid, started)]
        return found + ["%d %s" % (pid, processes.command_line(pid)) for pid in
                        processes.with_mark(self.mark) + processes.with_mark(self.home)]

    def assert_clean(self):
        processes.wait_until(lambda: not self.left(), 10 * SLOW, lambda: "end of " + "; ".join(self.left()))
        self.assert_no_sanitizer_report()

    def assert_no_sanitizer_report(self):
        found = SANITIZER.search(self.log())
        assert not found, "sanitizer: " + self.log()[found.start():found.start() + 4000]

    def assert_audit_intact(self):
        ran = self.run("audit", "verify")
        assert ran.code == 0, "audit verify: %d %s %s" % ran
        second = subprocess.run([sys.executable, os.path.join(scratch.ROOT, "tests", "support", "verify_audit.py"),
                                 os.path.join(self.home, "audit")], capture_output=True, text=True, timeout=60)
        assert second.stdout.startswith("intact"), "second verifier: " + second.stdout + second.stderr

    def assert_alive(self):
        assert self.process.poll() is None, "the gateway died: " + self.log()[-3000:]
        assert self.ready(), "the gateway is not ready"

    # --- asking it

    def run(self, *args, stdin="", home=None):
        ran = subprocess.run([self.binary, "--home", home or self.home, *args], input=stdin, capture_output=True, text=True,
                             timeout=60 * SLOW, env=self.environment(), cwd=self.folder)
        assert not SANITIZER.search(ran.stderr), ran.stderr[-4000:]
        return Ran(ran.returncode, ran.stdout, ran.stderr)

    def cli(self, *args, stdin=""):
        """One command that must succeed; what it printed."""
        ran = self.run(*args, stdin=stdin)
        assert ran.code == 0, "sallyport %s: exit %d\n%s%s" % (" ".join(args), ran.code, ran.out, ran.err)
        return ran.out

    def admin(self, method, path, body=None):
        """A request over the admin socket, as the command line makes them; the JSON of a 2xx answer."""
        import http.client
        connection = http.client.HTTPConnection("localhost", timeout=60)
        connection.sock = socket.socket(socket.AF_UNIX)
        connection.sock.settimeout(60)
        connection.sock.connect(os.path.join(self.home, "admin.sock"))
        connection.request(method, path, json.dumps(body or {}), {"Content-Type": "application/json"})
        response = connection.getresponse()
        text = response.read()
        connection.close()
        assert 200 <= response.status < 300, text
        return json.loads(text or b"null")

    def key(self, name, *scopes, read=True, execute=True, extra=()):
        """A fresh API key: for everything, or for the scopes alone."""
        flags = [flag for flag, wanted in (("--can-read", read), ("--can-execute", execute)) if wanted and not scopes]
        for scope in scopes:
            flags += ["--scope", scope]
        made = json.loads(self.cli("key", "create", name, *flags, *extra, "--json"))
        return Key(made["id"], made["api_key"])

    def user(self, name, password, role="user"):
        self.cli("user", "add", name, "--role", role, "--password-stdin", stdin=password + "\n")

    def add(self, name, *command, paths=(), options=(), env=()):
        """Registers a stdio server; its processes carry the mark of this gateway."""
        flags = ["--env", "SALLYPORT_TEST_MARK=" + self.mark]
        for entry in env:
            flags += ["--env", entry]
        for path in paths:
            flags += ["--path", path]
        return json.loads(self.cli("server", "add", name, *flags, *options, "--json", "--", *command))

    def add_http(self, name, url, *options):
        return json.loads(self.cli("server", "add", name, "--url", url, "--allow-private", *options, "--json"))

    def add_calculator(self, name="calc"):
        return self.add(name, scratch.readable(scratch.binary("sallyport-calculator")))

    def add_python(self, name, script, *args, paths=(), options=()):
        return self.add(name, "/usr/bin/python3", scratch.support_script(script), *args, paths=paths, options=options)

    def add_everything(self, name="everything", options=()):
        return self.add(name, scratch.node_binary(),
                        scratch.node_module("@modelcontextprotocol", "server-everything", "dist", "index.js"), "stdio",
                        options=options)

    # --- what it left

    def log(self):
        try:
            with open(self.log_path, errors="replace") as file:
                return file.read()
        except FileNotFoundError:
            return ""

    def audit(self, **wanted):
        """The records in the audit's files, oldest first in each segment, that have these members."""
        records = []
        for path in sorted(glob.glob(os.path.join(self.home, "audit", "seg-*.jsonl"))):
            with open(path, "rb") as file:
                for line in file.read().split(b"\n")[:-1]:
                    record = json.loads(line)
                    if all(record.get(name) == value for name, value in wanted.items()):
                        records.append(record)
        return records


class Ended(AssertionError):
    """The gateway went away while it should have started."""
