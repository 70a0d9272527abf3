"""The law, as a function of what was asked and answered: it is run on the gateway's answers, and on answers made wrong."""


PROTOCOLS = {"rest": "", "stdio": "2025-11-25"}  # of a door that is no era itself


class Record:
    """What one principal was told under one policy. Doors are the eras of MCP, "stdio" and "rest"; names on "rest" are ids."""

    def __init__(self, who, policy):
        self.who, self.policy = who, policy
        self.looks_up = False  # a name is looked up in the list before it is called, as the command line does
        self.lists = {}  # (door, scope) -> names
        self.calls = {}  # (door, scope, name) -> (arguments, Said)
        self.nobody = {}  # (door, scope) -> Said of names that are not there
        self.refused = {}  # (door, scope) -> how a scope was refused, and how one that is not there was
        self.shows = {}  # id -> Said
        self.searches = {}  # (way, id) -> ids that a search for the tool's own name found

    def asked(self, door):
        """Questions of which the answer is checked."""
        calls = sum(1 for at in self.calls if at[0] == door)
        return calls + (len(self.shows) + len(self.searches) if door == "rest" else 0)


def ids_of(world, scope, names):
    tools = world.in_scope(scope)
    return {"%s/%s" % tools[name][:2] if name in tools else "? " + name for name in names}


def check_call(world, record, at, arguments, said):
    """Nothing is callable that is not listed, and what may not be read is as unknown as what is not there."""
    door, scope, name = at
    tool = world.tools_by_id[name] if door == "rest" else world.in_scope(scope)[name]
    protocol = PROTOCOLS.get(door, door)
    expected = world.oracle.calls(record.who, record.policy, tool, arguments, protocol)
    listed = name in record.lists[door, scope]
    if record.looks_up and not listed:
        expected = "unknown"
    if said.kind == "ok" and not listed:
        yield "callable and not listed"
    if said.kind != expected:
        yield "called with %s: %s, where the rules give %s" % (arguments, said.kind, expected)
    if said.kind == "unknown" and said.raw != record.nobody[door, scope].raw:
        yield "hidden, and not answered as what is not there: %s, %s" % (said.raw, record.nobody[door, scope].raw)
    plain = "arguments" not in record.policy.rego and "phase" not in record.policy.rego
    if plain and door != "rest" and listed and said.kind != "ok":
        yield "listed, not callable, and no rule reads arguments: " + said.kind


def check_list(world, record, door, scope, names):
    """A list is what decide() says without arguments."""
    tools = world.in_scope(scope)
    expected = {name for name, tool in tools.items() if world.oracle.lists(record.who, record.policy, tool, PROTOCOLS.get(door, door))}
    if names != expected:
        yield "listed without right: %s; missing: %s" % (sorted(names - expected), sorted(expected - names))


def check_eras(world, record):
    """The same list in each era and in each scope."""
    seen = {}
    for (door, scope), names in record.lists.items():
        if door != "rest":
            seen.setdefault(scope, {})[door] = ids_of(world, scope, names)
    if not seen or "protocol" in record.policy.rego:
        return
    for scope, by_era in seen.items():
        if len({frozenset(ids) for ids in by_era.values()}) > 1:
            yield "eras differ in scope %r: %s" % (scope, by_era)
    whole = set().union(*(ids for scope, by_era in seen.items() if scope for ids in by_era.values()))
    everywhere = set().union(*seen[""].values())
    shown = {"%s/%s" % tool[:2] for tool in world.tools if tool.exposed}
    if everywhere != whole & shown:
        yield "/mcp lists %s, the servers together %s" % (sorted(everywhere), sorted(whole & shown))


def check_catalogue(world, record):
    """REST shows and finds what may be read, and nothing else."""
    listed = record.lists["rest", ""]
    expected = {id for id, tool in world.tools_by_id.items() if world.oracle.reads(record.who, record.policy, tool)}
    if listed != expected:
        yield "REST lists without right: %s; missing: %s" % (sorted(listed - expected), sorted(expected - listed))
    for id, said in record.shows.items():
        if (said.kind == "ok") != (id in listed):
            yield "GET /tools/%s: %s, listed: %s" % (id, said.kind, id in listed)
        if said.kind != "ok" and said.raw != record.nobody["rest", "show"].raw:
            yield "GET /tools/%s: hidden, and not answered as what is not there: %s" % (id, said.raw)
    for (way, id), found in record.searches.items():
        if not found <= listed:
            yield "%s %s found what is not listed: %s" % (way, id, sorted(found - listed))
        if (id in found) != (id in listed):
            yield "%s %s: found: %s, listed: %s" % (way, id, id in found, id in listed)


def faults(world, record):
    """What breaks the law, in words; empty where all is well."""
    found = []
    for at, (arguments, said) in record.calls.items():
        found += ["%s %s/%s: %s" % (*at, fault) for fault in check_call(world, record, at, arguments, said)]
    for (door, scope), names in record.lists.items():
        if door != "rest":
            found += ["%s %s: %s" % (door, scope, fault) for fault in check_list(world, record, door, scope, names)]
    for at, (said, nobody) in record.refused.items():
        if said != nobody:
            found.append("%s %s: refused as %s, one that is not there as %s" % (*at, said, nobody))
    found += list(check_eras(world, record)) + list(check_catalogue(world, record))
    return ["%s under %s: %s" % (record.who.name, record.policy.name, fault) for fault in found]
