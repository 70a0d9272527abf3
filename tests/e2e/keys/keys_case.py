"""What the tests of API keys share: one gateway of four workers, keys made and asked with."""
import base64
import datetime
import hashlib
import os
import re
import sqlite3
import unittest

import mcp
from gateway import SLOW, Gateway

PASSWORD = "Correct-Horse-7-Battery"
PUBLISHED = "mcp_-tn1XqqtdGub5NAzzn_qSoLrvJv9gmMwB0y-kfLDsak"
FORM = re.compile(r"^mcp_[A-Za-z0-9][A-Za-z0-9_-]{48}$")


def checksum(prefix_and_body):
    return base64.urlsafe_b64encode(hashlib.sha256(prefix_and_body.encode()).digest()[:5]).decode()[:6]


def utc(seconds):
    """A time without a zone (S1-11)."""
    when = datetime.datetime.now(datetime.timezone.utc) + datetime.timedelta(seconds=seconds)
    return when.strftime("%Y-%m-%dT%H:%M:%S")


class Keys(unittest.TestCase):
    gateway = None

    @classmethod
    def setUpClass(cls):
        if Keys.gateway is None:  # one for all cases of a file
            settings = {"listen.workers": 4, "listen.trusted_proxies": ["127.0.0.1"]}
            Keys.gateway = Gateway("keys", settings).__enter__()
            unittest.addModuleCleanup(Keys.gateway.close)

    def made(self, name, **fields):
        fields = {"can_read": True, "can_execute": True, **fields}
        return self.gateway.admin("POST", "/admin/api-keys", {"name": name, **fields})

    def shown(self, key):
        return self.gateway.admin("GET", "/admin/api-keys/" + key["id"])

    def change(self, key, **fields):
        return self.gateway.admin("PUT", "/admin/api-keys/" + key["id"], fields)

    def rotate(self, key, **fields):
        return self.gateway.admin("POST", "/api/v1/keys/%s/rotate" % key["id"], fields)

    def everywhere(self, secret):
        """Connections enough for every worker, each of which was let in once."""
        clients = [mcp.Client(self.gateway, secret) for _ in range(16)]
        self.assertEqual(self.statuses(clients), {200})
        return clients

    def statuses(self, clients):
        return {client.ask("GET", "/auth/me").status for client in clients}

    def status(self, secret, headers=None):
        client = mcp.Client(self.gateway, secret)
        try:
            return client.ask("GET", "/auth/me", headers=headers).status
        finally:
            client.close()

    def login(self, secret, headers=None):
        return mcp.Client(self.gateway).ask("POST", "/auth/api-key-login", {"api_key": secret}, headers)

    def refresh(self, tokens, headers=None):
        return mcp.Client(self.gateway).ask("POST", "/auth/refresh", {"refresh_token": tokens["refresh_token"]}, headers)


def ends(stream):
    """Reads a GET stream to its end."""
    stream.held.sock.settimeout(10 * SLOW)
    while stream.readline():
        pass


def person(gateway, name):
    answer = mcp.Client(gateway).ask("POST", "/auth/login", {"username": name, "password": PASSWORD})
    assert answer.status == 200, answer
    return mcp.Client(gateway, answer.message["access_token"])


def rows(gateway, sql, *values):
    database = sqlite3.connect("file:%s?mode=ro" % os.path.join(gateway.home, "sallyport.db"), uri=True)
    try:
        return database.execute(sql, values).fetchall()
    finally:
        database.close()
