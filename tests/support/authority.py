"""Certificates for tests, by the openssl command: an authority, what it issues (expired too), its revocation list."""
import base64
import hashlib
import os
import shutil
import subprocess
from collections import namedtuple

import scratch

Pair = namedtuple("Pair", "certificate key")  # paths of PEM files

CONFIG = """
[req]
distinguished_name = name
prompt = no
[name]
CN = %(name)s
[authority]
basicConstraints = critical, CA:TRUE
keyUsage = critical, keyCertSign, cRLSign
subjectKeyIdentifier = hash
[ca]
default_ca = default
[default]
database = %(folder)s/index.txt
new_certs_dir = %(folder)s
certificate = %(folder)s/ca.pem
private_key = %(folder)s/ca.key
serial = %(folder)s/serial
crlnumber = %(folder)s/crlnumber
default_md = sha256
default_days = 30
default_crl_days = 30
policy = any
unique_subject = no
copy_extensions = copy
[any]
commonName = supplied
"""


def openssl(*args, stdin=b""):
    ran = subprocess.run(["openssl", *args], input=stdin, capture_output=True, timeout=60)
    assert ran.returncode == 0, "openssl %s: %s" % (" ".join(args), ran.stderr.decode())
    return ran.stdout


class Authority:
    """Its own root, or issued by the Authority `above`."""

    def __init__(self, folder, name="ca", above=None):
        self.folder = os.path.join(folder, name)
        os.makedirs(self.folder)
        os.chmod(self.folder, 0o755)
        self.config = self.path("openssl.cnf")
        for file, text in ((self.config, CONFIG % {"name": name, "folder": self.folder}), (self.path("index.txt"), ""),
                           (self.path("serial"), "1000\n"), (self.path("crlnumber"), "01\n")):
            with open(file, "w") as out:
                out.write(text)
        self.pem = self.path("ca.pem")
        made = ("-config", self.config, "-nodes", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-keyout", self.path("ca.key"))
        if above is None:
            openssl("req", "-x509", *made, "-extensions", "authority", "-days", "30", "-out", self.pem)
        else:
            openssl("req", "-new", *made, "-out", self.path("ca.csr"))
            openssl("ca", "-config", above.config, "-batch", "-notext", "-extensions", "authority", "-in", self.path("ca.csr"),
                    "-out", self.pem)

    def path(self, name):
        return os.path.join(self.folder, name)

    def issue(self, name, san="", expired=False):
        """`san`: as openssl writes it, "DNS:a.example,IP:127.0.0.1,URI:spiffe://x/y,email:a@b.example"."""
        key, request, certificate = (self.path(name + ending) for ending in (".key", ".csr", ".pem"))
        extra = ("-addext", "subjectAltName=" + san) if san else ()
        openssl("req", "-new", "-config", self.config, "-subj", "/CN=" + name, "-nodes", "-newkey", "ec", "-pkeyopt",
                "ec_paramgen_curve:P-256", "-keyout", key, "-out", request, *extra)
        dates = ("-startdate", "200101000000Z", "-enddate", "200201000000Z") if expired else ()
        openssl("ca", "-config", self.config, "-batch", "-notext", "-in", request, "-out", certificate, *dates)
        os.chmod(certificate, 0o644)
        return Pair(certificate, key)

    def revoke(self, pair):
        openssl("ca", "-config", self.config, "-revoke", pair.certificate)

    def crl(self, seconds=30 * 24 * 3600):
        """A fresh revocation list that ends after `seconds`; its path."""
        openssl("ca", "-config", self.config, "-gencrl", "-crlsec", str(seconds), "-out", self.path("crl.pem"))
        os.chmod(self.path("crl.pem"), 0o644)
        return self.path("crl.pem")


def for_the_gateway(path):
    """A file that it alone may read, as it wants its secrets."""
    os.chmod(path, 0o600)
    if scratch.service_user():
        shutil.chown(path, scratch.service_user())
    return path


def fingerprint(path):
    """SHA-256 of the certificate's DER, lower-case hex."""
    return hashlib.sha256(openssl("x509", "-in", path, "-outform", "DER")).hexdigest()


def pin(path):
    """RFC 7469 2.4."""
    key = openssl("x509", "-in", path, "-noout", "-pubkey")
    der = openssl("pkey", "-pubin", "-outform", "DER", stdin=key)
    return "sha256/" + base64.b64encode(hashlib.sha256(der).digest()).decode()
