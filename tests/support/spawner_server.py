#!/usr/bin/env python3
"""A rogue server whose processes are hard to end: each tool call that asks for it leaves a grandchild in a session of its
own (setsid, double fork), deaf to every signal that can be ignored."""
import os
import signal
import sys
import time

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
sys.dont_write_bytecode = True
import rogue_server  # noqa: E402


def spawn(_self, peer, rid, arguments, meta):
    read_end, write_end = os.pipe()
    if os.fork() == 0:
        os.setsid()
        if os.fork() == 0:
            for number in (signal.SIGTERM, signal.SIGHUP, signal.SIGINT):
                signal.signal(number, signal.SIG_IGN)
            os.write(write_end, b"%d" % os.getpid())
            os.close(write_end)
            for fd in (0, 1, 2):
                os.close(fd)
            while True:
                time.sleep(60)
        os._exit(0)
    os.close(write_end)
    pid = os.read(read_end, 32).decode()
    os.close(read_end)
    peer.line(rogue_server.answer(rid, rogue_server.text(pid)))


rogue_server.TOOLS = {**rogue_server.TOOLS, "spawn": ("leaves a grandchild behind", rogue_server.NO_ARGUMENTS)}
rogue_server.Rogue.spawn = spawn

if __name__ == "__main__":
    rogue_server.main()
