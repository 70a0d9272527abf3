"""Policies written in good faith and in bad, each as Rego and as the same in Python."""
import os
from collections import namedtuple

import scratch
from law_oracle import PolicyError

# `says`: "allow", "deny" or "", of an Input.
Policy = namedtuple("Policy", "name rego says")
ADMIN = "package admin_access\nimport rego.v1\nallow if \"admin\" in input.user.roles\n"
BUILT_IN = {"admin", "user", "agent", "readonly", "auditor"}


def says(allow, deny=lambda i: False):
    return lambda i: "deny" if deny(i) else "allow" if allow(i) else ""


def anything(i):
    return True


def shipped_allows(i):
    """policies/tool_access.rego, as S0-12 and C20 want it."""
    if "admin" in i.roles:
        return True
    if i.action == "read":
        return bool(i.roles)
    return "user" in i.roles or "agent" in i.roles or bool(i.roles - BUILT_IN)


def shipped_denies(i):
    return i.action == "execute" and i.level > 2 and "admin" not in i.roles


def fails_on_zero(i):
    if i.arguments is not None and i.arguments.get("x") == 0:
        raise PolicyError()
    return i.arguments is not None and i.arguments.get("x") == 1


def above(limit):
    return lambda i: (i.arguments or {}).get("x", 0) > limit


# As the registry's guide has it, v0 syntax; it says nothing of reading. `deny` as C20 corrected it.
S0_12 = """package tool_access
default allow = false
allow { input.action == "execute"; input.user.roles[_] == "admin" }
allow { input.action == "execute"; input.user.roles[_] == "user"; input.user.permissions[_] == "tool:execute" }
is_admin { input.user.roles[_] == "admin" }
deny { input.action == "execute"; input.tool.security_level > 2; not is_admin }
"""
FIXED = [
    ("all", "allow := true\n", says(anything)),
    ("none", "default allow := false\n", says(lambda i: False)),
    ("calls-only", "allow if input.phase == \"call\"\n", says(lambda i: i.phase == "call")),
    ("lists-only", "allow if input.phase == \"list\"\n", says(lambda i: i.phase == "list")),
    ("small", "allow := true\ndeny contains \"too much\" if input.arguments.x > 5\n", says(anything, above(5))),
    ("hides-lists", "allow := true\ndeny contains \"hidden\" if input.phase == \"list\"\n", says(anything, lambda i: i.phase == "list")),
    ("levels", "allow if \"tool:execute\" in input.user.permissions\ndeny contains \"level\" if input.tool.security_level > 2\n",
     says(lambda i: "tool:execute" in i.permissions, lambda i: i.level > 2)),
    ("execute-only", "allow if input.action == \"execute\"\n", says(lambda i: i.action == "execute")),
    ("read-only", "allow if input.action == \"read\"\n", says(lambda i: i.action == "read")),
    ("no-reads", "allow := true\ndeny contains \"reads\" if input.action == \"read\"\n", says(anything, lambda i: i.action == "read")),
    ("one-protocol", "allow := true\ndeny contains \"old\" if input.protocol == \"2025-06-18\"\n",
     says(anything, lambda i: i.protocol == "2025-06-18")),
    ("by-time", "allow if input.time > \"2020\"\ndeny contains \"late\" if input.time > \"2920\"\n", says(anything)),
    ("own-roles", "allow if { some role in input.user.roles; startswith(role, \"law-\") }\n",
     says(lambda i: any(role.startswith("law-") for role in i.roles))),
    ("fails", "allow := true\ndeny contains \"e\" if 1 / input.arguments.x == 1\n", says(anything, fails_on_zero)),
    ("needs-arguments", "allow if not input.arguments\nallow if input.arguments.x > 0\n",
     says(lambda i: i.arguments is None or i.arguments.get("x", 0) > 0)),
    ("s0-12", S0_12, says(lambda i: i.action == "execute" and ("admin" in i.roles or "user" in i.roles and "tool:execute" in i.permissions),
                          shipped_denies)),
]


def drawn(random, number, tools):
    """Hides some tools, refuses some, by name, server, level and action."""
    hidden = sorted(random.sample([tool.name for tool in tools], 4))
    server, level = random.choice(tools).server, random.randrange(5)
    action = random.choice(["read", "execute"])
    limit = random.randrange(8)
    rego = """allow if count(input.user.roles) >= 0
hidden := {%s}
deny contains "hidden" if input.tool.name in hidden
deny contains "refused" if { input.server == "%s"; input.tool.security_level >= %d; input.action == "%s" }
deny contains "too much" if { input.tool.security_level > 0; input.arguments.x > %d }
""" % (", ".join('"%s"' % name for name in hidden), server, level, action, limit)

    def denies(i):
        refused = i.server == server and i.level >= level and i.action == action
        return i.tool in hidden or refused or (i.level > 0 and above(limit)(i))
    return Policy("drawn-%d" % number, rego, says(anything, denies))


def pool(random, tools, count):
    """The shipped policy, the one that allows all, and others of the pool."""
    with open(os.path.join(scratch.ROOT, "policies", "tool_access.rego")) as file:
        text = file.read()
    fixed = [Policy(*row) for row in FIXED]
    others = fixed[1:] + [drawn(random, number, tools) for number in range(4)]
    return [fixed[0], Policy("shipped", text, says(shipped_allows, shipped_denies))] + random.sample(others, count - 2)
