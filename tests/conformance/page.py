"""docs/conformance.md: a row for each scenario, a column for each cell; no times, a stable order."""
import os

import cells
import scratch
import suite

PAGE = os.path.join(scratch.ROOT, "docs", "conformance.md")
SHORT = {"legacy-stdio": "L stdio", "legacy-http": "L HTTP", "modern-stdio": "M stdio", "modern-http": "M HTTP", "dual": "dual"}

INTRO = """# Conformance

The official suite `@modelcontextprotocol/conformance@{version}` in server mode, through `/mcp/{{server}}` of the gateway,
for each revision that a client speaks and each kind of upstream server behind. Written by
`tests/conformance/matrix_test.py`, which `make test` runs: it fails when a scenario fails that
`tests/conformance/expected/` does not name, and when one named there passes.

Columns: a client of that revision; upstream `tests/e2e/node/upstream.mjs` of the 2025 revisions (L), of 2026-07-28 (M), or
both (dual, over HTTP). Figures: checks passed of checks made. `-`: the suite has no such scenario for this revision.
(b): expected to fail: a request of a 2025 server carries no key of its own, and the scenario asks for that key.
(f): fails, and with it the run. (o): demanded of nobody: the Tasks extension. Scenarios in
*italics* are not scored by the suite; we demand them all the same.

"""


def mark(client, upstream, name, others):
    if name in others:
        return " (o)"
    if name in cells.expected(client, upstream):
        return " (b)"
    return " (f)"


def figure(client, upstream, scores, name, wanted):
    if name not in wanted.required and name not in wanted.others:
        return "-"
    good, made = scores[client, upstream].get(name, (0, 0))
    return "%d/%d" % (good, made) + ("" if made and good == made else mark(client, upstream, name, wanted.others))


def summary(scores, wanted):
    lines = ["| client | " + " | ".join(SHORT[u] for u in cells.UPSTREAMS) + " |", "|---" * (1 + len(cells.UPSTREAMS)) + "|"]
    for client in cells.CLIENTS:
        row = []
        for upstream in cells.UPSTREAMS:
            names = wanted[client].required
            good = [n for n in names if scores[client, upstream].get(n, (0, 0))[1] and len(set(scores[client, upstream][n])) == 1]
            row.append("%d of %d" % (len(good), len(names)))
        lines.append("| %s | %s |" % (client, " | ".join(row)))
    return "Scenarios that pass, of those demanded:\n\n" + "\n".join(lines) + "\n\n"


def table(scores, wanted):
    heads = ["%s %s" % (client, SHORT[upstream]) for client, upstream in cells.CELLS]
    lines = ["| scenario | " + " | ".join(heads) + " |", "|---" * (1 + len(heads)) + "|"]
    names = sorted({name for want in wanted.values() for name in want.required + want.others})
    scored = {name for want in wanted.values() for name in want.scored}
    for name in names:
        row = [figure(client, upstream, scores, name, wanted[client]) for client, upstream in cells.CELLS]
        lines.append("| %s | %s |" % (name if name in scored else "*%s*" % name, " | ".join(row)))
    return "\n".join(lines) + "\n"


def write(scores):
    """`scores`: cell -> scenario -> (passed, made)."""
    wanted = {client: suite.server_scenarios(client) for client in cells.CLIENTS}
    text = INTRO.format(version=suite.version()) + summary(scores, wanted) + table(scores, wanted)
    if not os.path.exists(PAGE) or open(PAGE).read() != text:
        with open(PAGE, "w") as file:
            file.write(text)
