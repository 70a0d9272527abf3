"""The cells of the matrix: a client's revision by a kind of upstream, and what may fail in each: `expected/*.yml` is exact, so
that what is named there must fail, else the entry is stale.
"""
import os
import re

HERE = os.path.dirname(os.path.abspath(__file__))

CLIENTS = ("2025-06-18", "2025-11-25", "2026-07-28")
UPSTREAMS = {"legacy-stdio": ("legacy", "stdio"), "legacy-http": ("legacy", "http"), "modern-stdio": ("modern", "stdio"),
             "modern-http": ("modern", "http"), "dual": ("dual", "http")}
CELLS = [(client, upstream) for client in CLIENTS for upstream in UPSTREAMS]


def kind(client, upstream):
    """Which permanent list holds: that of a modern client on a legacy upstream, or that of all other cells, which is empty."""
    if client == "2026-07-28" and UPSTREAMS[upstream][0] == "legacy":
        return "modern_client_legacy_upstream"
    return "other_cells"


def expected(client, upstream):
    with open(os.path.join(HERE, "expected", kind(client, upstream) + ".yml")) as file:
        return set(re.findall(r"^  - (\S+)$", file.read(), re.MULTILINE))


def label(client, upstream):
    return "%s on %s" % (client, upstream)
