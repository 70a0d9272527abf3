"""Tokens of SoftHSM2, each in a folder of its own as if it were on another machine."""
import os
import pwd
import subprocess

import scratch

MODULE = "/usr/lib/softhsm/libsofthsm2.so"
PIN = "483920174"
SETTINGS = {"encryption.hsm_module": MODULE, "encryption.hsm_token": "sallyport", "encryption.hsm_key": "vault",
            "encryption.hsm_pin": "${env:TOKEN_PIN}"}


class Token:
    """One with a key of AES-256 that does not leave it: made there, or of these 32 bytes. `empty`: no token at all."""

    def __init__(self, name="softhsm", key=None, empty=False):
        for needed in (MODULE, "/usr/bin/softhsm2-util", "/usr/bin/pkcs11-tool"):
            assert os.path.exists(needed), "scripts/setup --tests installs softhsm2 and opensc"
        self.folder = scratch.folder(name)
        os.makedirs(os.path.join(self.folder, "tokens"))
        conf = os.path.join(self.folder, "softhsm2.conf")
        with open(conf, "w") as file:
            file.write("directories.tokendir = %s/tokens\nobjectstore.backend = file\nlog.level = ERROR\n" % self.folder)
        self.environment = {"SOFTHSM2_CONF": conf, "TOKEN_PIN": PIN}
        if not empty:
            self.make(key)
        if scratch.service_user():
            user = pwd.getpwnam(scratch.service_user())
            for path, _, files in os.walk(self.folder):
                os.chown(path, user.pw_uid, user.pw_gid)
                for one in files:
                    os.chown(os.path.join(path, one), user.pw_uid, user.pw_gid)

    def make(self, key):
        self.tool("softhsm2-util", "--init-token", "--free", "--label", "sallyport", "--so-pin", "90210731", "--pin", PIN)
        if key is None:
            self.pkcs11("--keygen", "--key-type", "AES:32", "--sensitive")
            return
        path = os.path.join(self.folder, "key")
        with open(path, "wb") as file:
            file.write(key)
        self.pkcs11("--write-object", path, "--type", "secrkey", "--key-type", "AES:32", "--sensitive")
        os.remove(path)

    def pkcs11(self, *args):
        self.tool("pkcs11-tool", "--module", MODULE, "--token-label", "sallyport", "--login", "--pin", PIN, "--label", "vault", *args)

    def tool(self, *args):
        ran = subprocess.run(args, env={"PATH": "/usr/bin:/bin", **self.environment}, capture_output=True, text=True, timeout=60)
        assert ran.returncode == 0, ran.stdout + ran.stderr
