"""A real HashiCorp Vault for tests, from tests/support/vault (scripts/go-vault builds it with the machine's go; `make vault-test`).

    vault = vault_server.Vault("name"); vault.ask("POST", "sys/mounts/secret", {...}); vault.token(["policy"], ttl="10s"); vault.stop()
"""
import http.client
import json
import os
import signal
import ssl
import subprocess

import processes
import scratch

BINARY = os.path.join(scratch.ROOT, "build", "vault", "vault")


class Vault:
    def __init__(self, name, pair=()):
        assert os.path.exists(BINARY), "scripts/go-vault builds %s" % BINARY
        self.folder, self.tls = scratch.folder(name), bool(pair)
        self.port = processes.free_port("127.0.0.1")
        self.log = open(os.path.join(self.folder, "vault.log"), "ab")
        self.process = subprocess.Popen([BINARY, "127.0.0.1:%d" % self.port, *pair], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                                        stderr=self.log, cwd=self.folder)
        said = json.loads(self.process.stdout.readline() or b"{}")
        assert said, "Vault did not start: " + scratch.text_of(self.log.name)
        self.root, self.unseal_key = said["root_token"], said["unseal_key"]
        processes.wait_until(lambda: self.status("GET", "sys/health") == 200, 30, "Vault in force")

    @property
    def url(self):
        return "%s://127.0.0.1:%d" % ("https" if self.tls else "http", self.port)

    def stop(self):
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait()
        self.process.stdin.close()
        self.process.stdout.close()
        self.log.close()

    def pause(self):
        self.process.send_signal(signal.SIGSTOP)

    def go_on(self):
        self.process.send_signal(signal.SIGCONT)

    def answer(self, method, path, body=None, token=None):
        if self.tls:
            connection = http.client.HTTPSConnection("127.0.0.1", self.port, timeout=30, context=ssl._create_unverified_context())
        else:
            connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=30)
        try:
            connection.request(method, "/v1/" + path, json.dumps(body) if body is not None else None,
                               {"X-Vault-Token": token or self.root, "Content-Type": "application/json"})
            response = connection.getresponse()
            text = response.read()
            return response.status, json.loads(text) if text.startswith(b"{") else {}
        finally:
            connection.close()

    def status(self, *asked):
        try:
            return self.answer(*asked)[0]
        except OSError:
            return 0

    def ask(self, method, path, body=None):
        """What must succeed, as root."""
        status, found = self.answer(method, path, body)
        assert 200 <= status < 300, "%s %s: %d %s" % (method, path, status, found)
        return found

    def policy(self, name, paths):
        """`paths`: path -> capabilities."""
        rules = "\n".join('path "%s" { capabilities = %s }' % (path, json.dumps(may)) for path, may in paths.items())
        self.ask("POST", "sys/policies/acl/" + name, {"policy": rules})

    def token(self, policies, **more):
        return self.ask("POST", "auth/token/create", {"policies": policies, **more})["auth"]["client_token"]

    def was_renewed(self, token):
        return bool(self.ask("POST", "auth/token/lookup", {"token": token})["data"].get("last_renewal"))

    def seal(self):
        self.ask("POST", "sys/seal", {})

    def unseal(self):
        self.ask("POST", "sys/unseal", {"key": self.unseal_key})
        processes.wait_until(lambda: self.status("GET", "sys/health") == 200, 30, "Vault in force")


class Transit(Vault):
    """One key of a real transit engine, and tokens that may update encrypt and decrypt of it, and nothing else."""
    def __init__(self, mount="transit", key="sallyport", pair=(), **kind):
        super().__init__("vault-transit", pair)
        self.mount, self.key, self.kind = mount, key, kind
        self.ask("POST", "sys/mounts/" + mount, {"type": "transit"})
        self.make_key()
        self.policy("keyring", {"%s/%s/%s" % (mount, order, key): ["update"] for order in ("encrypt", "decrypt")})

    def make_key(self):
        self.ask("POST", self.path(), self.kind)
        self.ask("POST", self.path("/config"), {"deletion_allowed": True})

    def path(self, order=""):
        return "%s/keys/%s%s" % (self.mount, self.key, order)

    def token(self, seconds=0, may=True):
        more = {"ttl": "%ds" % seconds, "renewable": True} if seconds else {}
        return super().token(["keyring"] if may else ["default"], **more)

    def turn(self):
        self.ask("POST", self.path("/rotate"), {})

    def forget_versions_before(self, version):
        self.ask("POST", self.path("/config"), {"min_decryption_version": version})

    def replace_key(self):
        self.ask("DELETE", self.path())
        self.make_key()
