"""What the tests of the guides share: a running gateway, an administrator and a user of it, and how its errors look."""
import base64
import datetime
import itertools
import json
import time
import unittest

from gateway import Gateway
from guide_client import ApiError, Registry

PASSWORD = "Correct-Horse-7-Battery"
TOKENS = {"access_token", "refresh_token", "token_type", "expires_in"}
SCHEMA = {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]}
NUMBERS = itertools.count(1)


def start():
    """For setUpModule: one gateway for the tests of a file."""
    Case.server = Gateway("guide").__enter__()
    unittest.addModuleCleanup(Case.server.close)
    Case.server.add_calculator()
    Case.server.user("boss", PASSWORD, "admin")
    Case.boss = Case.connect()
    Case.boss.login("boss", PASSWORD)
    Case.alice = Case.new_user("alice")[1]


def new_name(kind):
    return "%s%d" % (kind, next(NUMBERS))


def token_part(token, index):
    part = token.split(".")[index]
    return json.loads(base64.urlsafe_b64decode(part + "=" * (-len(part) % 4)))


def moment(text):
    return datetime.datetime.fromisoformat(text.replace("Z", "+00:00"))


class Case(unittest.TestCase):
    maxDiff = None
    server = None  # the running gateway
    boss = None  # an administrator, logged in
    alice = None  # a user, logged in

    @classmethod
    def connect(cls, bearer=None):
        return Registry("http://%s:%d" % (cls.server.address, cls.server.port), bearer)

    @classmethod
    def new_user(cls, name=None, is_admin=False):
        """A new user, and a client that is logged in as that user."""
        name = name or new_name("user")
        user = cls.boss.create_user(name, name + "@example.com", PASSWORD, is_admin)
        client = cls.connect()
        client.login(name, PASSWORD)
        return user, client

    @classmethod
    def new_key(cls, *flags, **more):
        """A new API key, and a client that shows it."""
        made = cls.boss.create_api_key(new_name("key"), *flags, **more)
        return made, cls.connect(made["api_key"])

    @classmethod
    def new_tool(cls, description="Says what the weather is."):
        name = new_name("weather")
        cls.boss.register(name, "1.0.0", description, SCHEMA)
        return name

    def refused(self, status, code, call, *args, **named):
        """The call ends in an error of that status and code, with all that the guides say of errors."""
        with self.assertRaises(ApiError) as caught:
            call(*args, **named)
        error = caught.exception
        self.assertEqual((error.status, error.code), (status, code), error)
        self.assertIsInstance(error.message, str)
        self.assertIsNotNone(error.details)
        self.assertTrue(error.request_id)
        self.assertLess(abs(moment(error.timestamp).timestamp() - time.time()), 60)
        return error

    def unauthenticated(self, call, *args, **named):
        return self.refused(401, "authentication_failed", call, *args, **named)

    def forbidden(self, call, *args, **named):
        return self.refused(403, "authorization_failed", call, *args, **named)

    def invalid(self, call, *args, **named):
        return self.refused(400, "validation_error", call, *args, **named)
