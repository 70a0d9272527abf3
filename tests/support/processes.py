"""Processes as /proc shows them, waiting with a deadline, and the small servers that a test starts beside the gateway."""
import errno
import glob
import os
import random
import signal
import socket
import subprocess
import time

import scratch


class Late(AssertionError):
    """What was waited for did not come."""


def all_stopped(pid):
    """Whether each thread of it was stopped by a signal (proc(5), state T)."""
    states = []
    for path in glob.glob("/proc/%d/task/*/stat" % pid):
        with open(path) as file:
            states.append(file.read().rpartition(")")[2].split()[0])
    return bool(states) and set(states) == {"T"}


def wait_until(condition, seconds, what):
    """The first true value of `condition()`, polled until the deadline."""
    deadline = time.monotonic() + seconds
    while True:
        value = condition()
        if value:
            return value
        if time.monotonic() > deadline:
            raise Late("%s did not happen within %s s" % (what() if callable(what) else what, seconds))
        time.sleep(0.01)


def free_port(address="127.0.0.1"):
    """For a server to take. Below the ports that the kernel gives out by itself, and once in a run: files run side by side."""
    while True:
        port = random.randrange(10_000, 32_768)
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind((address, port))
                os.close(os.open(os.path.join(scratch.base(), "port-%d" % port), os.O_CREAT | os.O_EXCL))
                return port
            except OSError as error:
                if error.errno not in (errno.EADDRINUSE, errno.EEXIST):
                    raise


def closed_port():
    """A bound socket that does not listen: whoever connects to its port is refused, and no neighbour takes it until it is closed."""
    held = socket.socket()
    held.bind(("127.0.0.1", 0))
    return held


def answers(port, address="127.0.0.1"):
    with socket.socket() as probe:
        probe.settimeout(1)
        return probe.connect_ex((address, port)) == 0


def _read(pid, name):
    try:
        with open("/proc/%s/%s" % (pid, name), "rb") as file:
            return file.read()
    except OSError:
        return b""


def pids():
    return [int(name) for name in os.listdir("/proc") if name.isdigit()]


def status(pid):
    """(state, ppid, start time) of a process, or None."""
    text = _read(pid, "stat")
    if not text:
        return None
    fields = text[text.rindex(b")") + 2:].split()
    return fields[0].decode(), int(fields[1]), int(fields[19])


def children(pid):
    """Pids of whose parent is `pid`. Each is read once, so who ends meanwhile is in it or is not."""
    return [other for other in pids() if (status(other) or (None, None))[1] == pid]


def descendants(pid):
    """(pid, start time) of everything below `pid`."""
    parents = {}
    for other in pids():
        seen = status(other)
        if seen:
            parents.setdefault(seen[1], []).append((other, seen[2]))
    found, todo = [], [pid]
    while todo:
        for child in parents.get(todo.pop(), []):
            found.append(child)
            todo.append(child[0])
    return found


def alive(pid, started):
    seen = status(pid)
    return seen is not None and seen[2] == started and seen[0] != "Z"


def with_mark(mark):
    """Pids whose command line or environment holds `mark`; zombies are left out."""
    wanted, own = mark.encode(), os.getpid()
    found = []
    for pid in pids():
        if pid == own or not (wanted in _read(pid, "cmdline") or wanted in _read(pid, "environ")):
            continue
        seen = status(pid)
        if seen and seen[0] != "Z":
            found.append(pid)
    return found


SYS_PTRACE = 19  # capabilities(7): another's memory


def may(capability):
    for line in _read("self", "status").decode().splitlines():
        if line.startswith("CapEff:"):
            return bool(int(line.split()[1], 16) >> capability & 1)
    return False


def command_line(pid):
    return _read(pid, "cmdline").replace(b"\0", b" ").decode(errors="replace")


def uids(pid):
    """Real, effective, saved and file system's, as text; none of a process that has ended."""
    for line in _read(pid, "status").decode().splitlines():
        if line.startswith("Uid:"):
            return line.split()[1:]
    return []


def resident_kib(pid):
    for line in _read(pid, "status").decode().splitlines():
        if line.startswith("VmRSS:"):
            return int(line.split()[1])
    return 0


class Beside:
    """A server that the test runs itself; it is ready when its port answers."""

    def __init__(self, command, port, log, env=None, seconds=30):
        self.port = port
        self.log_path = log
        with open(log, "wb") as out:
            self.process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=out, stderr=out,
                                            env={**os.environ, **(env or {})})
        wait_until(self._ready, seconds, "%s on port %d" % (os.path.basename(command[-1]), port))

    def _ready(self):
        if self.process.poll() is not None:
            with open(self.log_path, errors="replace") as log:
                raise AssertionError("a server beside the gateway ended at once: " + log.read()[-2000:])
        return answers(self.port)

    def stop(self):
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
            try:
                self.process.wait(5)
            except subprocess.TimeoutExpired:
                self.process.kill()
        self.process.wait()
