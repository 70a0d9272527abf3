"""What the tests of stores of others share: a tool server that tells what a reference of its gave it."""
import json

import mcp
import scratch


def seen_by(case, gateway, server):
    session = mcp.Session(gateway, gateway.key(server + "-agent").secret, server).open()
    return json.loads(session.text("seen"))["env"]


def add(gateway, name, value):
    gateway.add(name, "/usr/bin/python3", scratch.support_script("secret_server.py"), env=["TOKEN=" + value])


def refused(case, gateway, value, why):
    """A server that needs what nobody gives is not added, and the reason is told."""
    ran = gateway.run("server", "add", "shut", "--env", "TOKEN=" + value, "--", "/usr/bin/python3", scratch.support_script("secret_server.py"))
    case.assertNotEqual(ran.code, 0, ran)
    case.assertIn(why, ran.out + ran.err)
