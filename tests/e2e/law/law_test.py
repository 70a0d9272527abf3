"""The design's law on every door (issue 5, done when 1; S0-8..S0-14, S0-21, S1-15, S2-2, S2-38, S2-47, C6, C7, C20).

Nothing is callable that is not listed; what a list holds is what decide() says without arguments; what may not be read is as
unknown as what is not there. Asked of random principals, roles, grants, policies, tools and toolsets by MCP of each era, by REST, the command line
and `sallyport stdio`, and compared with a model of its own (law_oracle). SALLYPORT_LAW_SEED draws another world.
"""
import collections
import copy
import os
import random
import sys
import unittest

import law_check
import law_doors
import law_oracle
from gateway import Gateway
from law_world import World

TIME_LIMIT = 300
SEED = int(os.environ.get("SALLYPORT_LAW_SEED", "5"))
PEOPLE, POLICIES, QUESTIONS, PROGRAM_QUESTIONS = 8, 8, 2000, 50
ARGUMENTS = [{}, {"x": 0}, {"x": 1}, {"x": 4}, {"x": 9}, {"user": {"roles": ["admin"]}, "phase": "list"}]
NOBODY = "no_tool"  # a name that is not there


class Law(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        sys.stderr.write("SALLYPORT_LAW_SEED=%d\n" % SEED)
        cls.random = random.Random(SEED)
        settings = {"listen.workers": 2, "sessions.max_per_principal": 1000, "upstream.sessions_per_server": 200}
        cls.gateway = Gateway("law", settings).__enter__()
        cls.addClassCleanup(cls.gateway.close)
        cls.world = World(cls.gateway, cls.random, PEOPLE)
        cls.addClassCleanup(cls.world.close)
        cls.records, cls.by_command = [], []
        clients = [cls.clients_of(secret) for _, secret in cls.world.people]
        bridges = [cls.closing(law_doors.Stdio(cls.gateway, secret, "2025-11-25")) for _, secret in cls.world.people[:2]]
        for number, policy in enumerate(cls.world.policies(POLICIES)):
            cls.world.put_in_force(policy)
            records = [cls.ask(who, policy, *client) for (who, _), client in zip(cls.world.people, clients)]
            for record, bridge in zip(records, bridges):
                cls.ask_scope(record, "stdio", bridge, "")
            cls.records += records
            if number % 2:
                cls.by_command.append(cls.ask_command_line(policy))

    @classmethod
    def closing(cls, client):
        cls.addClassCleanup(client.close)
        return client

    @classmethod
    def clients_of(cls, secret):
        eras = {era: cls.closing(law_doors.client_of(era, cls.gateway, secret)) for era in law_doors.ERAS}
        return eras, cls.closing(law_doors.Rest(cls.gateway, secret))

    @classmethod
    def ask(cls, who, policy, eras, rest):
        record = law_check.Record(who, policy)
        for era, client in eras.items():
            for scope in cls.world.scopes():
                cls.ask_scope(record, era, client, scope)
        cls.ask_rest(record, rest)
        return record

    @classmethod
    def ask_scope(cls, record, era, client, scope):
        if not client.enter(scope):
            record.lists[era, scope] = set()
            client.enter(law_doors.UNKNOWN_SCOPE)
            record.refused[era, scope] = (client.refusals[scope], client.refusals[law_doors.UNKNOWN_SCOPE])
            return
        record.lists[era, scope] = set(client.list(scope))
        record.nobody[era, scope] = client.call(scope, NOBODY, {})
        for name in cls.world.in_scope(scope):
            arguments = cls.random.choice(ARGUMENTS)
            record.calls[era, scope, name] = (arguments, client.call(scope, name, arguments))

    @classmethod
    def ask_rest(cls, record, rest):
        record.lists["rest", ""] = set(rest.list() or ())
        record.nobody["rest", ""] = rest.execute("ants/" + NOBODY, {})
        record.nobody["rest", "show"] = rest.show("ants/" + NOBODY)
        for id in cls.world.tools_by_id:
            arguments = cls.random.choice(ARGUMENTS)
            record.calls["rest", "", id] = (arguments, rest.execute(id, arguments))
            record.shows[id] = rest.show(id)
        for number, (id, tool) in enumerate(cls.random.sample(sorted(cls.world.tools_by_id.items()), 8)):
            way, ask = ("find", rest.find) if number < 2 else ("search", rest.search)
            record.searches[way, id] = set(ask(tool.name) or ())

    @classmethod
    def ask_command_line(cls, policy):
        """The operator of the machine, whom the kernel names, is an admin."""
        record, client = law_check.Record(law_oracle.Holder("operator", [], ["admin"]), policy), law_doors.CommandLine(cls.gateway)
        record.looks_up = True
        record.lists["rest", ""] = set(client.list())
        record.nobody["rest", ""] = client.execute("ants/" + NOBODY, {})
        for id in cls.random.sample(sorted(cls.world.tools_by_id), 14):
            arguments = cls.random.choice(ARGUMENTS)
            record.calls["rest", "", id] = (arguments, client.execute(id, arguments))
        return record

    def test_it_holds(self):
        found = [fault for record in self.records + self.by_command for fault in law_check.faults(self.world, record)]
        people = "\n".join(self.world.describe(who) for who, _ in self.world.people)
        self.assertFalse(found, "%d faults, seed %d:\n%s\n%s" % (len(found), SEED, "\n".join(found[:40]), people))

    def test_enough_was_asked(self):
        asked, kinds = collections.Counter(), collections.Counter()
        for record in self.records:
            for door in (*law_doors.ERAS, "rest", "stdio"):
                asked[door] += record.asked(door)
            kinds.update(said.kind for _, said in record.calls.values())
        for door in (*law_doors.ERAS, "rest"):
            self.assertGreaterEqual(asked[door], QUESTIONS, asked)
        self.assertGreaterEqual(asked["stdio"], PROGRAM_QUESTIONS, asked)
        self.assertGreaterEqual(sum(record.asked("rest") for record in self.by_command), PROGRAM_QUESTIONS)
        for kind in ("ok", "unknown", "denied", "entry"):
            self.assertGreater(kinds[kind], 100, kinds)

    def test_what_breaks_it_is_seen(self):
        """The same check on the same answers, with one of them made wrong."""
        for record in self.random.sample(self.records, 6):
            for what, broken in breakages(self.random, record):
                self.assertTrue(law_check.faults(self.world, broken), "%s under %s: %s" % (record.who.name, record.policy.name, what))


def breakages(random, record):
    """Copies of a record, each with one answer that a broken seam could have given."""
    def changed(change):
        copied = copy.copy(record)
        for name in ("lists", "calls", "shows", "searches"):
            setattr(copied, name, copy.copy(getattr(record, name)))
        change(copied)
        return copied

    def to_list(at, names):
        return changed(lambda copied: copied.lists.__setitem__(at, names))

    for at in random.sample(sorted(record.lists), 4):
        names, missing = record.lists[at], {call[2] for call in record.calls if call[:2] == at} - record.lists[at]
        if names:
            yield "%s without one of %s" % (at, names), to_list(at, names - {random.choice(sorted(names))})
        if missing:
            yield "%s with one of %s" % (at, missing), to_list(at, names | {random.choice(sorted(missing))})
    for at in random.sample(sorted(record.calls), 4):
        arguments, said = record.calls[at]
        kind = "denied" if said.kind == "ok" else "ok"
        yield "%s %s for %s" % (at, kind, said.kind), changed(
            lambda copied: copied.calls.__setitem__(at, (arguments, said._replace(kind=kind))))
        if said.kind == "unknown":
            yield "%s tells that it is there" % (at,), changed(
                lambda copied: copied.calls.__setitem__(at, (arguments, said._replace(raw=(said.raw[0], said.raw[1] + b" ")))))


if __name__ == "__main__":
    unittest.main()
