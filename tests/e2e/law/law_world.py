"""A gateway with servers, registered tools, roles and principals of which the oracle knows everything."""
import http.server
import json
import os
import signal
import threading

import law_policies
import mcp
import processes
import scratch
from gateway import SLOW
from law_oracle import BUILT_IN, Holder, Oracle, Tool

PASSWORD = "Violet-Tractor-7-Moss"
# name, prefix, level, required, shared, tools
SERVERS = [("ants", "ants", 1, (), True, ["a1", "a2", "a3", "ab", "b1"]), ("bees", "bees", 3, ("hive.open",), True, ["b1", "b2", "b3"]),
           ("cats", "", 2, (), True, ["c1", "c2", "twin"]), ("dogs", "dogs", 0, (), False, ["a1", "d1"])]
# name, level, way, bound, enabled
REGISTERED = [("alias_a1", 5, "bound", ("ants", "a1"), True), ("alias_b1", 1, "bound", ("bees", "b1"), True),
              ("off", 0, "bound", ("ants", "a2"), False), ("stale", 0, "bound", ("gone", "g1"), True),
              ("entry", 1, "entry", None, True), ("post", 2, "endpoint", None, True), ("twin", 1, "bound", ("ants", "ab"), True)]
SCOPES = ["tool:read", "tool:execute", "tool:read@ants", "tool:read@*/?1", "tool:read@registry/*", "tool:read@cats/twin",
          "tool:execute@ants/a?", "tool:execute@b*/b*", "tool:execute@*/*1", "tool:execute@registry/alias_*", "tool:execute@cats",
          "tool:execute@registry/twin", "tool:execute@dogs/d1", "tool:execute@ants/b1", "tool:execute@gone/*", "tool:execute@registry",
          "tool:execute@??ts/*", "hive.open", "gmail.send"]


class Endpoint(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_POST(self):
        self.rfile.read(int(self.headers["Content-Length"]))
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", "2")
        self.end_headers()
        self.wfile.write(b"{}")

    def log_message(self, *args):
        pass


def registered_tool(row):
    name, level, way, bound, enabled = row
    return Tool("registry", name, None if name == "twin" else name, level, (), enabled, way, bound)


class World:
    """`people`: Holder and secret of each principal."""

    def __init__(self, gateway, random, people):
        self.gateway, self.random = gateway, random
        self.endpoint = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Endpoint)
        threading.Thread(target=self.endpoint.serve_forever, daemon=True).start()
        self.tools = [Tool(server, name, (prefix + "_" if prefix else "") + name, level, required)
                      for server, prefix, level, required, _, names in SERVERS for name in names]
        self.tools += [registered_tool(row) for row in REGISTERED]
        self.tools_by_id = {"%s/%s" % tool[:2]: tool for tool in self.tools}
        for server in ([("gone", "gone", 1, (), True, ["g1"])] + SERVERS[:2]):
            self.add_server(*server)
        for row in REGISTERED:
            self.register(*row)
        for server in SERVERS[2:]:
            self.add_server(*server)
        gateway.admin("DELETE", "/api/v1/servers/gone")
        self.toolset = self.draw_toolset()
        self.roles = self.draw_roles()
        self.oracle = Oracle(self.roles, self.tools)
        self.people = [self.draw_key(number) for number in range(people - 2)] + [self.draw_user(number) for number in range(2)]

    def close(self):
        self.endpoint.shutdown()
        self.endpoint.server_close()

    def add_server(self, name, prefix, level, required, shared, tools):
        command = ["/usr/bin/python3", scratch.support_script("named_server.py"), *tools]
        self.gateway.admin("POST", "/api/v1/servers", {
            "name": name, "command": command, "prefix": prefix, "security_level": level, "required": list(required), "shared": shared,
            "env": {"SALLYPORT_TEST_MARK": self.gateway.mark}})

    def register(self, name, level, way, bound, enabled):
        fields = {"name": name, "security_level": level, "status": "active" if enabled else "disabled"}
        if way == "bound":
            fields["upstream_tool"] = "/".join(bound)
        if way == "endpoint":
            fields.update({"endpoint": "http://127.0.0.1:%d/" % self.endpoint.server_address[1], "allow_private": True})
        self.gateway.admin("POST", "/api/v1/tools", fields)

    def draw_toolset(self):
        """Name in /mcp/p/mix -> tool. Another one is closed."""
        chosen = self.random.sample(self.tools, 9)
        shown = {"n%d" % number if number % 2 else "%s-%s" % tool[:2]: tool for number, tool in enumerate(chosen)}
        tools = [{"tool": "%s/%s" % tool[:2], "name": name} for name, tool in shown.items()]
        self.gateway.admin("POST", "/toolsets", {"name": "mix", "tools": tools})
        self.gateway.admin("POST", "/toolsets", {"name": "closed", "tools": tools})
        self.gateway.admin("PUT", "/toolsets/closed", {"enabled": False})
        return shown

    def draw_scopes(self, most):
        return sorted(self.random.sample(SCOPES, self.random.randrange(most + 1)))

    def draw_roles(self):
        """Each inherits from those before it; admin and agent cannot be inherited."""
        roles = []
        for number in range(6):
            above = [role.name for role in roles if self.random.random() < 0.3]
            above += self.random.sample(["user", "readonly", "auditor"], self.random.choice([0, 0, 1]))
            roles.append(Holder("law-%d" % number, self.draw_scopes(4), above))
            self.gateway.admin("POST", "/roles", {"name": roles[-1].name, "scopes": roles[-1].scopes, "inherits": above})
        return roles

    def draw_held_roles(self):
        """Often those of one's own, which give something in between."""
        names = [role.name for role in self.roles]
        return sorted(set(self.random.sample(names, self.random.randrange(3)) + self.random.sample(sorted(BUILT_IN), self.random.randrange(2))))

    def draw_key(self, number):
        roles, scopes = self.draw_held_roles() or ["agent"], self.draw_scopes(5)
        if number == 0:  # the common one, which may something
            roles, scopes = ["agent"], ["tool:execute@ants", "tool:execute@registry/*", "tool:read"]
        made = self.gateway.admin("POST", "/api/v1/keys", {"name": "law-key-%d" % number, "roles": roles, "scopes": scopes})
        return Holder("key %d" % number, scopes, roles), made["api_key"]

    def draw_user(self, number):
        roles, name = self.draw_held_roles() or ["user"], "law-user-%d" % number
        self.gateway.user(name, PASSWORD, roles[0])
        for user in self.gateway.admin("GET", "/users?limit=100")["data"]:
            if user["username"] == name:
                self.gateway.admin("PUT", "/users/" + user["id"], {"roles": roles})
        login = mcp.Client(self.gateway).ask("POST", "/auth/login", {"username": name, "password": PASSWORD})
        return Holder(name, [], roles), login.message["access_token"]

    def policies(self, count):
        return law_policies.pool(self.random, self.tools, count)

    def put_in_force(self, policy):
        folder = os.path.join(self.gateway.home, "policies")
        os.makedirs(folder, mode=0o755, exist_ok=True)
        text = policy.rego if "package" in policy.rego else "package tool_access\nimport rego.v1\n" + policy.rego
        for name, words in (("admin.rego", law_policies.ADMIN), ("tools.rego", text)):
            path = os.path.join(folder, name)
            with open(path + ".new", "w") as file:
                file.write(words)
            os.chmod(path + ".new", 0o644)
            os.rename(path + ".new", path)
        before = self.gateway.log().count("reloaded:")
        self.gateway.process.send_signal(signal.SIGHUP)
        processes.wait_until(lambda: self.gateway.log().count("reloaded:") > before, 20 * SLOW, "reloaded: " + policy.name)

    def in_scope(self, scope):
        """Name as that scope shows it -> tool."""
        if scope == "":
            return {tool.exposed: tool for tool in self.tools if tool.exposed}
        if scope.startswith("p/"):
            return self.toolset if scope == "p/mix" else {}
        return {tool.name: tool for tool in self.tools if tool.server == scope}

    def scopes(self):
        return ["", "registry", "p/mix", "p/closed"] + [server[0] for server in SERVERS]

    def describe(self, who):
        return json.dumps({"who": who._asdict(), "roles": [role._asdict() for role in self.roles]})
