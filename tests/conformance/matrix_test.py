"""The official suite through the gateway: each revision a client may speak, against each kind of upstream (issue 3, done
when 1). One gateway, five registered servers, each cell with a principal of its own. Writes docs/conformance.md, without
times, so that a run that changes nothing changes no file.

    tests/run.py tests/conformance/matrix_test.py -k 2025_11_25_client_on_dual
"""
import os
import unittest

import cells
import page
import processes
import scratch
import suite
from gateway import SLOW, Gateway
from shim import Shim

TIME_LIMIT = 600
FORWARD = [word for kind in ("elicitation", "sampling", "roots") for word in ("--forward", kind)]


class Matrix(unittest.TestCase):
    scores = {}  # cell -> scenario -> (passed, made)
    registered = {}  # upstream -> what `server add` said when it failed, or None

    @classmethod
    def setUpClass(cls):
        cls.gateway = Gateway("conformance", address="127.0.0.2").__enter__()
        cls.addClassCleanup(cls.gateway.close)
        cls.shim = Shim(cls.gateway)
        cls.addClassCleanup(cls.shim.close)
        for name, (era, transport) in cells.UPSTREAMS.items():
            try:
                cls.register(name, era, transport)
                cls.registered[name] = None
            except AssertionError as error:
                cls.registered[name] = str(error)

    @classmethod
    def register(cls, name, era, transport):
        program = [scratch.node_binary(), os.path.join(scratch.node_folder(), "upstream.mjs")]
        if transport == "stdio":
            cls.gateway.add(name, *program, "--stdio", "--era", era, options=FORWARD)
            return
        port = processes.free_port()
        beside = processes.Beside([*program, "--http", str(port), "--era", era], port,
                                  os.path.join(cls.gateway.folder, name + ".log"))
        cls.addClassCleanup(beside.stop)
        cls.gateway.add_http(name, "http://127.0.0.1:%d/mcp" % port, *FORWARD)

    @classmethod
    def tearDownClass(cls):
        if set(cls.scores) != set(cells.CELLS):
            return
        page.write(cls.scores)

    def run_cell(self, client, upstream):
        wanted = suite.server_scenarios(client)
        excused = cells.expected(client, upstream)
        if self.registered[upstream] is not None:
            self.scores[client, upstream] = {}
            self.fail("%s could not be registered: %s" % (upstream, self.registered[upstream]))
            return
        found, ran = self.run_suite(client, upstream, wanted, excused)
        self.scores[client, upstream] = {name: suite.score(checks) for name, checks in found.items()}
        failed = {name for name in wanted.required if not suite.passes(found.get(name, []))}
        missing = [name for name in wanted.required if name not in found]
        self.assertEqual([], missing, "the suite did not run them\n" + ran.output[-3000:])
        self.judge(client, upstream, found, failed, excused)
        self.assertEqual(0, ran.code, "the suite counts otherwise than this test\n" + ran.output[-3000:])

    def run_suite(self, client, upstream, wanted, excused):
        self.shim.secret = self.gateway.key("suite-%s-%s" % (client, upstream)).secret
        folder = scratch.folder("suite-%s-%s" % (client, upstream))
        ran = suite.run_server("http://127.0.0.1:%d/mcp/%s" % (self.gateway.port, upstream), client, folder,
                               excused & set(wanted.scored), 200 * SLOW)
        return suite.results(ran.folder), ran

    def judge(self, client, upstream, found, failed, excused):
        wrong = []
        for name in sorted(failed - excused):
            wrong += ["%s fails (%d of %d checks):" % (name, *suite.score(found[name]))] + suite.explain(found[name])
        wrong += ["%s passes, but stands in expected/%s.yml: take it out" % (name, cells.kind(client, upstream))
                  for name in sorted(excused - failed)]
        if wrong:
            self.fail("%s\n%s\n--- end of the gateway's log\n%s" % (cells.label(client, upstream), "\n".join(wrong),
                                                                  self.gateway.log()[-1500:]))


def case(client, upstream):
    def test(self):
        self.run_cell(client, upstream)
    return test


for _client, _upstream in cells.CELLS:
    _name = "test_%s_client_on_%s" % (_client.replace("-", "_"), _upstream.replace("-", "_"))
    setattr(Matrix, _name, case(_client, _upstream))

if __name__ == "__main__":
    unittest.main()
