"""What bench/run, bench/bridged and bench/profile start and stop: the static upstream, nginx, the gateway, the load generator.

Everything is on loopback, on ports that were free, in one temporary folder, and is ended by its own process id. The proxy
under test is alone on core 0; load generator and upstream share core 1 (design, section 5).
"""
import json
import os
import pathlib
import re
import shutil
import socket
import ssl
import subprocess
import tempfile
import time
import urllib.request

ROOT = pathlib.Path(__file__).resolve().parent.parent
PROXY_CORE, OTHER_CORE = "0", "1"

SETTINGS = """\
listen:
  port: {port}
  workers: 1
log:
  level: warning
{tls}{rates}"""

# Reads the arguments, so that nothing may be remembered: the policy is evaluated on each call.
ARGUMENT_POLICY = """\
package tool_access

import rego.v1

deny contains "more documents than one may ask for" if input.arguments.limit > 1000000
"""


# The same versions, suites and curves as ours; tickets are nginx's default.
TLS_LISTEN = """listen 127.0.0.1:{port} ssl;
    ssl_certificate {certificate};
    ssl_certificate_key {key};
    ssl_protocols TLSv1.2 TLSv1.3;
    ssl_ecdh_curve X25519:prime256v1:secp384r1;
    ssl_session_cache off;"""


class BenchError(Exception):
    pass


def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


def first_existing(paths, what):
    for path in paths:
        if path and pathlib.Path(path).exists():
            return str(path)
    raise BenchError(f"{what} is not there; make bench builds it")


class Rig:
    def __init__(self, binary=None, tools=None):
        self.binary = first_existing([binary, ROOT / "build/release/bin/sallyport"], "sallyport")
        tools = pathlib.Path(tools or ROOT / "build/bench/bin")
        self.load_program = first_existing([tools / "bench_load"], "bench_load")
        self.upstream_program = first_existing([tools / "bench_upstream"], "bench_upstream")
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="sallyport-bench-", dir="/var/tmp"))
        self.folder.chmod(0o755)  # root's gateway becomes another user, who has to come through
        self.running = []
        self.nginx_port = None
        self.upstream_port = None
        self.tls_ports = set()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        for process in reversed(self.running):
            self.end(process)
        shutil.rmtree(self.folder, ignore_errors=True)

    def start(self, command, core, wrap=(), **kwargs):
        process = subprocess.Popen(["taskset", "-c", core, *wrap, *command], **kwargs)
        self.running.append(process)
        return process

    def end(self, process):
        if process.poll() is None:
            process.terminate()
            try:
                process.wait(30)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
        if process in self.running:
            self.running.remove(process)

    def last_words(self):
        logs = [log.read_text(errors="replace")[-1500:] for log in self.folder.glob("*.log")]
        return "".join("\n" + log for log in logs if log)

    def wait_for_port(self, port, process, seconds=15):
        until = time.monotonic() + seconds
        while time.monotonic() < until:
            if process.poll() is not None:
                raise BenchError(f"{process.args[3]} ended with {process.returncode}{self.last_words()}")
            with socket.socket() as s:
                if s.connect_ex(("127.0.0.1", port)) == 0:
                    return
            time.sleep(0.02)
        raise BenchError(f"nothing listens on port {port}")

    def start_upstream(self):
        process = self.start([self.upstream_program], OTHER_CORE, stdout=subprocess.PIPE, text=True)
        self.upstream_port = int(process.stdout.readline())
        return process

    def start_modern_upstream(self):
        """The same server, of 2026-07-28: its port."""
        process = self.start([self.upstream_program, "--era", "modern"], OTHER_CORE, stdout=subprocess.PIPE, text=True)
        return int(process.stdout.readline())

    def start_nginx(self, tls=None):
        """Plain, or with `tls` (certificate, key) in front: its process, the worker's pid, its port."""
        program = shutil.which("nginx") or "/usr/sbin/nginx"
        first_existing([program], "nginx (Debian package nginx-light)")
        home = self.folder / ("nginx-tls" if tls else "nginx")
        home.mkdir(exist_ok=True)
        port = free_port()
        conf = (ROOT / "bench/nginx.conf").read_text()
        conf = conf.replace("@LISTEN@", str(port)).replace("@UPSTREAM@", str(self.upstream_port))
        if tls:
            conf = conf.replace(f"listen 127.0.0.1:{port};", TLS_LISTEN.format(port=port, certificate=tls[0], key=tls[1]))
        (home / "nginx.conf").write_text(conf)
        process = self.start([program, "-p", str(home) + "/", "-c", "nginx.conf", "-e", "stderr"], PROXY_CORE)
        self.wait_for_port(port, process)
        self.nginx_port = port
        children = pathlib.Path(f"/proc/{process.pid}/task/{process.pid}/children").read_text().split()
        return process, (int(children[0]) if children else process.pid), port

    def cli(self, home, *arguments):
        done = subprocess.run([self.binary, "--home", str(home), *arguments], capture_output=True, text=True, timeout=60)
        if done.returncode != 0:
            raise BenchError(f"sallyport {' '.join(arguments)}: {done.stderr.strip() or done.stdout.strip()}")
        return done.stdout

    def prepare_home(self, name, evaluate_always, tls=None):
        """Key, roles, Rego, limits (high, but counted), schema, audit: everything on. The key and the port."""
        home = self.folder / name
        home.mkdir()
        port = free_port()
        rates = "rate:\n" + "".join(f"  {c}:\n    requests: 900000000\n    window_seconds: 60\n"
                                    for c in ("address", "mcp", "tool", "default", "public"))
        served = "tls:\n  enabled: true\n" if tls else ""
        if tls:
            self.tls_ports.add(port)
            (home / "certs").mkdir()
            for source, name in zip(tls, ("server.crt", "server.key")):
                shutil.copy(source, home / "certs" / name)
                (home / "certs" / name).chmod(0o600)
        (home / "sallyport.yaml").write_text(SETTINGS.format(port=port, tls=served, rates=rates))
        if evaluate_always:
            (home / "policies").mkdir()
            for rego in sorted((ROOT / "policies").glob("*.rego")):
                if not rego.name.endswith("_test.rego"):
                    shutil.copy(rego, home / "policies" / rego.name)
            (home / "policies/bench.rego").write_text(ARGUMENT_POLICY)
        key = json.loads(self.cli(home, "init", "--json"))["api_key"]
        self.cli(home, "server", "add", "bench", "--allow-private", "--url", f"http://127.0.0.1:{self.upstream_port}/mcp")
        return home, port, key

    def start_gateway(self, home, port, wrap=(), seconds=15):
        log = open(self.folder / (home.name + ".log"), "ab")
        process = self.start([self.binary, "serve", "--home", str(home)], PROXY_CORE, wrap, stdout=log, stderr=log)
        self.wait_for_port(port, process, seconds)
        return process

    def open_session(self, port, key):
        body = {"jsonrpc": "2.0", "id": 1, "method": "initialize",
                "params": {"protocolVersion": "2025-11-25", "capabilities": {}, "clientInfo": {"name": "bench", "version": "1"}}}
        with self.post(port, key, body) as answer:
            session = answer.headers["Mcp-Session-Id"]
            answer.read()
        self.post(port, key, {"jsonrpc": "2.0", "method": "notifications/initialized"}, session).close()
        return session

    def post(self, port, key, body, session=None):
        headers = {"Content-Type": "application/json", "Accept": "application/json, text/event-stream",
                   "Authorization": f"Bearer {key}", "MCP-Protocol-Version": "2025-11-25"}
        if session:
            headers["Mcp-Session-Id"] = session
        secure = port in self.tls_ports
        request = urllib.request.Request(f"http{'s' * secure}://127.0.0.1:{port}/mcp", json.dumps(body).encode(), headers)
        return urllib.request.urlopen(request, timeout=10, context=ssl._create_unverified_context() if secure else None)

    def load(self, port, **options):
        command = ["taskset", "-c", OTHER_CORE, self.load_program, "--port", str(port)]
        for name, value in options.items():
            if value is not None:
                command += ["--" + name.replace("_", "-"), str(value)]
        timeout = 30 + 4 * float(options.get("seconds", 3))
        done = subprocess.run(command, capture_output=True, text=True, timeout=timeout)
        if done.returncode != 0:
            raise BenchError(f"load: {done.stderr.strip()}")
        result = json.loads(done.stdout)
        if result["errors"]:
            raise BenchError(f"{result['errors']} wrong answers; {done.stderr.strip()}")
        return result


def resident_mib(pid):
    status = pathlib.Path(f"/proc/{pid}/status").read_text()
    return int(re.search(r"VmRSS:\s+(\d+)", status).group(1)) / 1024


def stage_totals(port):
    """stage -> (seconds, samples), from /metrics."""
    with urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics", timeout=10) as answer:
        text = answer.read().decode()
    found = {}
    for kind, stage, value in re.findall(r'sallyport_stage_duration_seconds_(sum|count)\{stage="([^"]+)"\} (\S+)', text):
        seconds, count = found.get(stage, (0.0, 0))
        found[stage] = (float(value), count) if kind == "sum" else (seconds, int(float(value)))
    return found


def stage_costs(before, after):
    """stage -> microseconds a request, of those that were sampled in between."""
    costs = {}
    for stage, (seconds, count) in after.items():
        old_seconds, old_count = before.get(stage, (0.0, 0))
        if count > old_count:
            costs[stage] = (seconds - old_seconds) * 1e6 / (count - old_count)
    return costs
