"""What the roles, the grants and the policies of the test allow: a model of its own, so that a fault that breaks list and
call alike is seen too (requirements S0-8..S0-14, rulings C6, C7, C20; design, principle 1).
"""
import functools
from collections import namedtuple

EXECUTE, READ = "tool:execute", "tool:read"
BUILT_IN = {"admin": {READ, EXECUTE, "tool:create", "tool:update", "tool:delete"}, "user": {READ, EXECUTE}, "agent": set(),
            "readonly": {READ}, "auditor": {READ}}

# A role or a principal. `scopes`: tool:read, tool:execute@server/tool, gmail.send. `above`: what a role inherits, or a principal has.
Holder = namedtuple("Holder", "name scopes above")
# `bound`: the upstream's tool (server, name) that a registered one stands for. `way`: upstream, bound, endpoint or entry.
Tool = namedtuple("Tool", "server name exposed level required enabled way bound", defaults=(True, "upstream", None))
# What a policy looks at.
Input = namedtuple("Input", "action phase roles permissions granted server tool level arguments protocol")


class PolicyError(Exception):
    """A rule that fails: denied, whatever else it says."""


@functools.lru_cache(maxsize=None)
def fits(pattern, text):
    """`*` any characters, `?` one."""
    if not pattern:
        return not text
    if pattern[0] == "*":
        return any(fits(pattern[1:], text[i:]) for i in range(len(text) + 1))
    return bool(text) and pattern[0] in ("?", text[0]) and fits(pattern[1:], text[1:])


def split_scopes(scopes):
    return split_tuple(tuple(scopes))


@functools.lru_cache(maxsize=None)
def split_tuple(scopes):
    """Permissions everywhere, grants (permission, server, tool), dotted names."""
    everywhere = {scope for scope in scopes if ":" in scope and "@" not in scope}
    grants = []
    for scope in scopes:
        if "@" in scope:
            permission, _, where = scope.partition("@")
            server, slash, tool = where.partition("/")
            grants.append((permission, server, tool if slash else "*"))
    return everywhere, grants, {scope for scope in scopes if ":" not in scope}


class Oracle:
    def __init__(self, roles, tools):
        self.roles = {role.name: role for role in roles}
        self.tools = {(tool.server, tool.name): tool for tool in tools}

    def closure(self, names):
        """The names and all that they inherit."""
        found = set()
        for name in names:
            if name in self.roles or name in BUILT_IN:
                found |= {name} | self.closure(self.roles[name].above if name in self.roles else ())
        return found

    def dotted(self, who):
        names = set(split_scopes(who.scopes)[2])
        for role in self.closure(who.above):
            if role in self.roles:
                names |= split_scopes(self.roles[role].scopes)[2]
        return names

    @staticmethod
    def granted(scopes, server, tool):
        everywhere, grants, _ = split_scopes(scopes)
        held = set(everywhere)
        for permission, on_server, on_tool in grants:
            if fits(on_server, server) and fits(on_tool, tool):
                held |= {permission, READ} if permission == EXECUTE else {permission}
        return held

    def held(self, who, server, tool, over_mcp):
        """C6: what an agent was granted itself it executes over MCP only."""
        held = self.granted(who.scopes, server, tool)
        if "agent" in who.above and not over_mcp:
            held.discard(EXECUTE)
        for role in self.closure(who.above):
            held |= BUILT_IN.get(role, set())
            if role in self.roles:
                held |= self.granted(self.roles[role].scopes, server, tool)
        return held

    def decide_one(self, who, policy, tool, action, phase, arguments, protocol):
        """"ok", "unknown", "denied", or "default" where no rule allows and none denies. `protocol`: of MCP; empty on REST."""
        held = self.held(who, tool.server, tool.name, bool(protocol))
        if READ not in held:
            return "unknown"
        if action not in held:
            return "denied"
        if action == EXECUTE and "admin" not in who.above and set(tool.required) - self.dotted(who):
            return "denied"
        asked = Input(action[5:], phase, self.closure(who.above), held, True, tool.server, tool.name, tool.level,
                      arguments if phase == "call" else None, protocol)
        try:
            return {"allow": "ok", "deny": "denied", "": "default"}[policy.says(asked)]
        except PolicyError:
            return "denied"

    def decide(self, who, policy, tool, action, phase, arguments=None, protocol=""):
        """Of a tool, and of the one that it is bound to; a call needs what a list of the same needs."""
        names = [tool]
        if tool.bound:
            names.append(self.tools.get(tool.bound, Tool(*tool.bound, exposed="", level=1, required=())))
        answers = [self.decide_one(who, policy, name, action, one, arguments, protocol)
                   for name in names for one in ("list", "call")[:1 + (phase == "call")]]
        if "unknown" in answers:
            return "unknown"
        return next((answer for answer in answers if answer != "ok"), "ok")

    def reads(self, who, policy, tool, protocol=""):
        """Who may execute it may read it, unless a rule denies just that."""
        answer = self.decide(who, policy, tool, READ, "list", protocol=protocol)
        if answer == "default":
            answer = self.decide(who, policy, tool, EXECUTE, "list", protocol=protocol)
        return answer == "ok"

    def offered(self, tool):
        """Could anybody call it?"""
        if not tool.enabled or tool.way == "entry":
            return False
        return tool.way != "bound" or (tool.bound in self.tools and self.tools[tool.bound].enabled)

    def lists(self, who, policy, tool, protocol):
        return self.offered(tool) and self.decide(who, policy, tool, EXECUTE, "list", protocol=protocol) == "ok"

    def calls(self, who, policy, tool, arguments, protocol):
        """ok, unknown, denied or entry."""
        if not tool.enabled:
            return "unknown"
        answer = self.decide(who, policy, tool, EXECUTE, "call", arguments, protocol)
        if answer == "ok" and not protocol and not self.reads(who, policy, tool):
            return "denied"  # REST lists what may be read, and calls nothing else
        if answer == "ok":
            return "ok" if self.offered(tool) else "entry"
        return "unknown" if answer == "unknown" else "denied"
