"""A gateway that serves HTTPS, with an authority of the test's own (OpenSSL's command line), and its clients.

    with TlsGateway("tls") as gateway:
        gateway.renew()                      # another certificate in place of the one served
        client = mcp.Client(gateway, key)    # speaks TLS and checks the certificate
"""
import os
import shutil
import ssl
import subprocess

from gateway import Gateway

NAMES = "DNS:localhost,IP:127.0.0.1,IP:127.0.0.2"


def openssl(*args, stdin=None):
    ran = subprocess.run(["openssl", *args], input=stdin, capture_output=True, text=True, timeout=60)
    assert ran.returncode == 0, "openssl %s: %s" % (" ".join(args), ran.stderr)
    return ran.stdout


def curve(kind):
    return ["-newkey", "rsa:" + kind[3:]] if kind.startswith("rsa") else ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:" + kind]


class Authority:
    """An authority in a folder; each certificate it makes is NAME.crt and NAME.key there."""

    def __init__(self, folder, name="test authority"):
        self.folder, self.count = folder, 1
        os.makedirs(folder, exist_ok=True)
        self.certificate, self.key = self.path("ca.crt"), self.path("ca.key")
        openssl("req", "-x509", *curve("P-256"), "-nodes", "-keyout", self.key, "-out", self.certificate, "-subj", "/CN=" + name,
                "-days", "400", "-addext", "keyUsage=critical,keyCertSign,cRLSign")

    def path(self, name):
        return os.path.join(self.folder, name)

    def issue(self, name, names=NAMES, kind="P-256", days=180, usage="serverAuth"):
        """The paths of a new certificate and its key. `days` below zero: it has expired."""
        self.count += 1
        certificate, key, request = self.path(name + ".crt"), self.path(name + ".key"), self.path(name + ".csr")
        openssl("req", "-new", *curve(kind), "-nodes", "-keyout", key, "-out", request, "-subj", "/CN=" + name)
        text = "basicConstraints=critical,CA:FALSE\nkeyUsage=critical,digitalSignature\nextendedKeyUsage=%s\n" % usage
        with open(self.path("extensions"), "w") as file:
            file.write(text + ("subjectAltName=%s\n" % names if names else ""))
        openssl("x509", "-req", "-in", request, "-CA", self.certificate, "-CAkey", self.key, "-out", certificate,
                "-set_serial", str(self.count), "-days", str(days), "-extfile", self.path("extensions"))
        return certificate, key


class TlsGateway(Gateway):
    def __init__(self, name, settings=None, **more):
        super().__init__(name, {"tls.enabled": True, **(settings or {})}, **more)
        self.certs = os.path.join(self.home, "certs")
        self.authority = Authority(os.path.join(self.folder, "authority"))
        self.tls = self.client_context()

    def client_context(self, certificate=None, key=None):
        context = ssl.create_default_context(cafile=self.authority.certificate)
        if certificate:
            context.load_cert_chain(certificate, key)
        return context

    def choose_port(self):
        if not os.path.exists(self.certs):
            os.makedirs(self.certs, mode=0o700)
            self.place(self.authority.certificate, "ca.crt")
            self.renew()
        super().choose_port()

    def place(self, source, name, mode=0o600):
        """Puts a copy of `source` into the home's certs at once, as its owner."""
        draft = os.path.join(self.certs, name + ".new")
        shutil.copyfile(source, draft)
        os.chmod(draft, mode)
        if os.geteuid() == 0:
            owner = os.stat(self.home)
            os.chown(draft, owner.st_uid, owner.st_gid)
        os.rename(draft, os.path.join(self.certs, name))

    def renew(self, name="server", **wanted):
        """A new certificate in the place of the one before; its path."""
        certificate, key = self.authority.issue(name, **wanted)
        self.place(key, "server.key")
        self.place(certificate, "server.crt")
        return certificate
