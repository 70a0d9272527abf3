"""The expected answers for S0-12 and S0-13, from the golden table of ruling C20 and the roles of C6, C7 and C20 written down once
more here; nothing of them is asked of the program. Run it to write decision_table.tsv beside it, which the unit tests of
decide() read; the end-to-end test asks the same of a gateway whose policies are on an OPA server.
"""
import itertools
import os

ROLES = ("admin", "user", "agent", "readonly", "auditor", "operator")  # operator: a custom one, tool:read and tool:execute
LEVELS = range(11)
PATH = os.path.join(os.path.dirname(os.path.abspath(__file__)), "decision_table.tsv")


def mixtures():
    """None, each one, each two in both orders: the order of roles says nothing (C20: "any", not "the first")."""
    return [()] + [(role,) for role in ROLES] + list(itertools.permutations(ROLES, 2))


def executes(roles, granted, level):
    if "admin" in roles:
        return True  # any level
    if level > 2:
        return False  # whoever else
    return "user" in roles or "operator" in roles or ("agent" in roles and granted)  # readonly, auditor, no role: never


def reads(roles, granted):
    if not roles:
        return False  # no role: deny
    return granted or any(role != "agent" for role in roles)  # an agent reads what it was granted


def administers(roles):
    return "admin" in roles


def reads_audit(roles):
    return "admin" in roles or "auditor" in roles


def rows():
    """(roles, granted tool:execute on the tool, what is asked for, security level or None, the answer)"""
    for roles in mixtures():
        for granted, level in itertools.product((False, True), LEVELS):
            yield roles, granted, "tool:execute", level, executes(roles, granted, level)
            yield roles, granted, "tool:read", level, reads(roles, granted)
        for permission in ("user:read", "user:write", "key:write", "server:write", "policy:write", "system:admin"):
            yield roles, False, permission, None, administers(roles)
        yield roles, False, "audit:read", None, reads_audit(roles)


def text():
    out = ["# roles\tgranted\tpermission\tlevel\tanswer; written by decision_table.py"]
    for roles, granted, permission, level, answer in rows():
        out.append("\t".join([",".join(roles), "granted" if granted else "-", permission, "-" if level is None else str(level),
                              "allow" if answer else "deny"]))
    return "\n".join(out) + "\n"


if __name__ == "__main__":
    with open(PATH, "w") as file:
        file.write(text())
