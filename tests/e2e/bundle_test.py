"""Bundles of policies for the embedded engine (issue 5): from a file, a folder, HTTP with ETag; signed ones, made and signed
by the real OPA, are verified; what is refused never replaces a good one."""
import base64
import hashlib
import hmac
import http.server
import io
import json
import os
import shutil
import subprocess
import tarfile
import threading
import time
import unittest

import mcp
import opa_server
import processes
import scratch
from gateway import SLOW, Gateway

TOOLS, ADMIN = opa_server.shipped()["tool_access.rego"], opa_server.shipped()["admin_access.rego"]
NO_ADD = 'deny contains data.words.no if { input.tool.name == "add"; input.action == "execute" }\n'


def own(path):
    """The gateway reads it as the user that it becomes."""
    os.chmod(path, 0o600)
    if scratch.service_user():
        shutil.chown(path, scratch.service_user())


class Bundles:
    """Made by OPA: `make(name, deny)`."""

    def __init__(self, folder):
        self.folder = folder
        self.keys = {}
        for algorithm, options in (("RS256", ("RSA", "-pkeyopt", "rsa_keygen_bits:2048")),
                                   ("ES256", ("EC", "-pkeyopt", "ec_paramgen_curve:P-256"))):
            private, public = (os.path.join(folder, algorithm + end) for end in (".pem", ".pub"))
            subprocess.run(["openssl", "genpkey", "-algorithm", *options, "-out", private], check=True, capture_output=True)
            subprocess.run(["openssl", "pkey", "-in", private, "-pubout", "-out", public], check=True, capture_output=True)
            own(public)
            self.keys[algorithm] = (private, public)

    def source(self, more=""):
        folder = os.path.join(self.folder, "source%d" % len(os.listdir(self.folder)))
        os.makedirs(folder)
        for name, text in (("tool_access.rego", TOOLS + more), ("admin_access.rego", ADMIN),
                           ("data.json", '{"words": {"no": "not <this> one \\u2028 \\u0007", "n": [1.50, {"z": 1, "a": null}]}}')):
            with open(os.path.join(folder, name), "w") as file:
                file.write(text)
        return folder

    def make(self, more="", algorithm="none", key=None):
        source = self.source(more)
        private = key or (self.keys[algorithm][0] if algorithm in self.keys else "none")
        ran = subprocess.run([opa_server.BINARY, "build", source + ".tar.gz", algorithm, private, "."], cwd=source,
                             capture_output=True, text=True)
        assert ran.returncode == 0, ran.stderr
        os.chmod(source + ".tar.gz", 0o644)
        return source + ".tar.gz"


class Server(http.server.ThreadingHTTPServer):
    """Serves one file with an ETag and counts the answers by status."""

    def __init__(self):
        super().__init__(("127.0.0.1", 0), Handler)
        self.body, self.counts = b"", {200: 0, 304: 0}
        threading.Thread(target=self.serve_forever, daemon=True).start()

    def put(self, path):
        with open(path, "rb") as file:
            self.body = file.read()


class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        etag = '"%d"' % hash(self.server.body)
        status = 304 if self.headers.get("If-None-Match") == etag else 200
        self.server.counts[status] += 1
        self.send_response(status)
        self.send_header("ETag", etag)
        body = self.server.body if status == 200 else b""
        if status == 200:
            self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        pass


SECRET = "not a secret: " + "s" * 32


def packed(files):
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w:gz") as archive:
        for name, text in files.items():
            entry = tarfile.TarInfo(name)
            entry.size = len(text.encode())
            archive.addfile(entry, io.BytesIO(text.encode()))
    return out.getvalue()


def signed(files, iat=None):
    """As OPA signs with HS256; `iat` as it has it from its claims file."""
    base64url = lambda data: base64.urlsafe_b64encode(data).rstrip(b"=")
    payload = {"files": [{"name": name, "hash": hashlib.sha256(text.encode()).hexdigest(), "algorithm": "SHA-256"}
                         for name, text in files.items()]}
    if iat is not None:
        payload["iat"] = iat
    token = b".".join(base64url(json.dumps(part).encode()) for part in ({"alg": "HS256"}, payload))
    token += b"." + base64url(hmac.new(SECRET.encode(), token, hashlib.sha256).digest())
    return packed({**files, ".signatures.json": json.dumps({"signatures": [token.decode()]})})


def policies(word):
    return {"tool_access.rego": TOOLS + 'deny contains "%s" if input.arguments.a == 2\n' % word, "admin_access.rego": ADMIN}


class InForce(unittest.TestCase):
    """What comes into force of a bundle, and when."""

    def setUp(self):
        folder = scratch.folder("bundle-key")
        os.chmod(folder, 0o755)
        self.key = os.path.join(folder, "key")
        with open(self.key, "w") as file:
            file.write(SECRET)
        own(self.key)
        self.server = Server()
        self.addCleanup(self.server.server_close)
        self.addCleanup(self.server.shutdown)

    def gateway(self, name, **more):
        return Gateway(name, {"policy.bundle": "http://127.0.0.1:%d/b.tar.gz" % self.server.server_port,
                              "policy.bundle_allow_private": True, "policy.bundle_poll_seconds": 1,
                              "policy.bundle_algorithm": "HS256", "policy.bundle_key": "${file:%s}" % self.key, **more})

    def told(self, gateway, word, during):
        before = gateway.log().count(word)
        during()
        processes.wait_until(lambda: gateway.log().count(word) > before, 20 * SLOW, word)

    def word(self, session):
        return json.dumps(session.request("tools/call", {"name": "calc_add", "arguments": {"a": 2, "b": 3}}).message)

    def serve(self, body):
        self.server.body = body

    def test_what_could_not_be_put_in_force_is_tried_again(self):
        """The ETag of a bundle that is not in force is not kept."""
        self.serve(signed(policies("first")))
        with self.gateway("bundle-again") as gateway:
            gateway.add_calculator()
            session = mcp.Session(gateway, gateway.key("agent").secret).open()
            self.assertIn("first", self.word(session))
            path = os.path.join(gateway.home, "sallyport.yaml")
            with open(path) as file:
                settings = file.read()

            def write(text):
                with open(path + ".new", "w") as file:  # read each second: it must never be half there
                    file.write(text)
                os.replace(path + ".new", path)

            self.addCleanup(write, settings)
            write("{{{ no settings")
            self.told(gateway, "policy bundle refused", lambda: self.serve(signed(policies("second"))))
            self.assertIn("first", self.word(session))
            self.told(gateway, "reloaded:", lambda: write(settings))
            self.assertIn("second", self.word(session))
            self.assertEqual(gateway.log().count("policy bundle refused"), 1, "told once, not with each poll")

    def test_a_bundle_without_one_of_the_packages_changes_nothing(self):
        self.serve(signed(policies("first")))
        with self.gateway("bundle-lacks") as gateway:
            for missing in policies(""):
                rest = {name: text for name, text in policies("second").items() if name != missing}
                self.told(gateway, "have no package " + missing.removesuffix(".rego"), lambda: self.serve(signed(rest)))
            self.assertEqual(gateway.admin("GET", "/health/detailed")["parts"]["policy"]["status"], "healthy")
            gateway.stop()
            gateway.start()  # nor was it kept in place of the good one
            self.assertEqual(gateway.admin("GET", "/health/detailed")["parts"]["policy"]["status"], "healthy")

    def test_an_old_bundle_does_not_come_back(self):
        """Signed long ago, its signature is as good as ever: the newest `iat` that was in force is remembered."""
        now = int(time.time())
        self.serve(signed(policies("old"), now - 1000))
        with self.gateway("bundle-old") as gateway:
            gateway.add_calculator()
            session = mcp.Session(gateway, gateway.key("agent").secret).open()
            self.told(gateway, "reloaded:", lambda: self.serve(signed(policies("new"), now - 10)))
            for bad, why in ((signed(policies("old"), now - 1000), "before that of iat %d" % (now - 10)),
                             (signed(policies("old")), "its signature has no iat"),
                             (signed(policies("old"), now + 86400), "in the future")):
                self.told(gateway, why, lambda: self.serve(bad))
                self.assertIn("new", self.word(session))
            gateway.stop()  # and not by a restart
            self.serve(signed(policies("old"), now - 1000))
            gateway.start()
            self.assertIn("new", self.word(mcp.Session(gateway, gateway.key("other").secret).open()))
            gateway.stop()  # but where somebody says so
            gateway.settings["policy.bundle_allow_older"] = True
            gateway.choose_port()
            gateway.start()
            self.assertIn("old", self.word(mcp.Session(gateway, gateway.key("third").secret).open()))


@opa_server.needed
class BundleTest(unittest.TestCase):
    def setUp(self):
        folder = scratch.folder("bundles")
        os.chmod(folder, 0o755)
        self.bundles = Bundles(folder)

    def tools(self, gateway):
        key = gateway.key("k%d" % len(gateway.audit()))
        return mcp.Modern(gateway, key.secret).tools()

    def refused(self, gateway, **settings):
        """What `serve` says with these settings, which it does not start with."""
        kept, gateway.settings = gateway.settings, {**gateway.settings, **{k.replace("__", "."): v for k, v in settings.items()}}
        gateway.choose_port()
        ran = gateway.run("serve")
        gateway.settings = kept
        self.assertNotEqual(ran.code, 0)
        return ran.err

    def test_a_file_and_a_folder(self):
        with Gateway("bundle-file", {"policy.bundle": self.bundles.make(NO_ADD)}) as gateway:
            gateway.add_calculator()
            tools = self.tools(gateway)
            self.assertTrue(tools and "calc_add" not in tools, tools)
            gateway.stop()
            gateway.settings["policy.bundle"] = self.bundles.source()
            gateway.choose_port()
            gateway.start()
            self.assertIn("calc_add", self.tools(gateway))

    def test_signed_by_opa(self):
        """RS256 and ES256 by OPA's own signer; unsigned, by another key or changed: no start."""
        for algorithm in ("RS256", "ES256"):
            good = self.bundles.make(NO_ADD, algorithm)
            key = "${file:%s}" % self.bundles.keys[algorithm][1]
            with Gateway("bundle-" + algorithm, {"policy.bundle": good, "policy.bundle_key": key,
                                                 "policy.bundle_algorithm": algorithm}) as gateway:
                gateway.add_calculator()
                self.assertNotIn("calc_add", self.tools(gateway))
                gateway.stop()
                self.assertIn("not signed", self.refused(gateway, policy__bundle=self.bundles.make()))
                other = Bundles(scratch.folder("other")).keys[algorithm][0]
                stranger = self.bundles.make("", algorithm, other)
                self.assertIn("not of policy.bundle_key", self.refused(gateway, policy__bundle=stranger))
                gateway.choose_port()
                gateway.start()

    def test_a_url_is_polled_and_what_is_refused_changes_nothing(self):
        server = Server()
        self.addCleanup(server.server_close)
        self.addCleanup(server.shutdown)
        server.put(self.bundles.make("", "RS256"))
        with Gateway("bundle-url", {"policy.bundle": "http://127.0.0.1:%d/b.tar.gz" % server.server_port,
                                    "policy.bundle_allow_private": True, "policy.bundle_poll_seconds": 1,
                                    "policy.bundle_key": "${file:%s}" % self.bundles.keys["RS256"][1]}) as gateway:
            gateway.add_calculator()
            self.assertIn("calc_add", self.tools(gateway))
            processes.wait_until(lambda: server.counts[304] > 0, 20 * SLOW, "a poll that found nothing new")
            server.put(self.bundles.make(NO_ADD, "RS256"))
            processes.wait_until(lambda: "reloaded:" in gateway.log(), 20 * SLOW, "the new bundle")
            self.assertNotIn("calc_add", self.tools(gateway))
            for bad, why in ((self.bundles.make(), "not signed"), (self.bundles.make("", "ES256"), "by another algorithm")):
                refusals = gateway.log().count("policy bundle refused")
                server.put(bad)
                processes.wait_until(lambda: gateway.log().count("policy bundle refused") > refusals, 20 * SLOW, why)
                self.assertNotIn("calc_add", self.tools(gateway))
            # Without its server it starts with the last good one.
            gateway.stop()
            server.put(os.devnull)
            gateway.start()
            self.assertIn("not fetched, the one from before", gateway.log())
            self.assertNotIn("calc_add", self.tools(gateway))


if __name__ == "__main__":
    unittest.main()
