"""Callers side by side, each with a session of its own, and what became of every call."""
import http.client
import threading
from collections import namedtuple

import mcp

# `answer` is an mcp.Answer or None; `error` says why there is none.
Call = namedtuple("Call", "answer error")


class Load:
    def __init__(self, gateway, secret, callers, server, tool, arguments, each=None):
        self.calls, self.lock, self.stopped = [], threading.Lock(), threading.Event()
        self.each = each
        self.sessions = [mcp.Session(gateway, secret, server, timeout=60).open() for _ in range(callers)]
        self.threads = [threading.Thread(target=self.run, args=(s, tool, arguments), daemon=True) for s in self.sessions]

    def start(self):
        for thread in self.threads:
            thread.start()
        return self

    def run(self, session, tool, arguments):
        done = 0
        while not self.stopped.is_set() and (self.each is None or done < self.each):
            done += 1
            try:
                call = Call(session.call(tool, arguments), None)
            except (OSError, http.client.HTTPException) as error:
                call = Call(None, error)
            with self.lock:
                self.calls.append(call)
            if call.answer is None:
                return

    def so_far(self):
        with self.lock:
            return list(self.calls)

    def join(self, seconds=60):
        for thread in self.threads:
            thread.join(seconds)
            assert not thread.is_alive(), "a caller hangs"
        for session in self.sessions:
            session.close()
        return self.so_far()


def succeeded(call):
    return call.answer is not None and call.answer.status == 200 and "result" in (call.answer.message or {})


def request_ids(calls):
    return {call.answer.headers["x-request-id"] for call in calls if call.answer is not None}
