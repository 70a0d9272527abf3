"""A client of the REST API, written from the guides of the earlier systems alone: the MCP Tool Registry (S1) and MetaMCP (S0).

    registry = Registry("http://127.0.0.1:8000")
    registry.login("alice", "a password")
    for tool in registry.every_tool():
        print(tool["name"])

It knows nothing of the server but what those guides say; whoever wrote against the earlier systems wrote something like it.
"""
import http.client
import json
from collections import namedtuple
from urllib.parse import quote, urlencode, urlsplit

Answer = namedtuple("Answer", "status headers body")

FLAGS = ("can_create", "can_read", "can_update", "can_delete")


class ApiError(Exception):
    """An answer of 400 and above: {"error": {code, message, details}, "timestamp", "request_id"}, and S1's `detail`."""

    def __init__(self, answer):
        body = answer.body if isinstance(answer.body, dict) else {}
        error = body.get("error") if isinstance(body.get("error"), dict) else {}
        self.status, self.headers, self.body = answer
        self.code, self.message, self.details = error.get("code"), error.get("message"), error.get("details")
        self.timestamp, self.request_id, self.detail = body.get("timestamp"), body.get("request_id"), body.get("detail")
        super().__init__("%d %s: %s" % (self.status, self.code, self.message or self.detail or answer.body))


class RateLimited(ApiError):
    """429: come again after `retry_after` seconds."""

    def __init__(self, answer):
        super().__init__(answer)
        self.retry_after = self.body["retry_after"]


class Registry:
    """One caller. `bearer` is what it shows: an access token, or an API key itself."""

    def __init__(self, base, bearer=None):
        self.base = base.rstrip("/")
        self.bearer = bearer
        self.refresh_token = None
        self.last = None  # the last answer: its headers hold the rate limit

    # --- requests

    def ask(self, method, path, body=None, form=None, query=None, headers=None):
        """One request; the JSON of a 2xx answer, else ApiError."""
        sent = {"Accept": "application/json", "User-Agent": "guide-client", **(headers or {})}
        data = None
        if form is not None:
            data, sent["Content-Type"] = urlencode(form), "application/x-www-form-urlencoded"
        elif body is not None:
            data, sent["Content-Type"] = json.dumps(body), "application/json"
        if self.bearer:
            sent["Authorization"] = "Bearer " + self.bearer
        self.last = self._send(method, path + ("?" + urlencode(query) if query else ""), data, sent)
        if self.last.status == 429:
            raise RateLimited(self.last)
        if self.last.status >= 400:
            raise ApiError(self.last)
        return self.last.body

    def _send(self, method, target, data, headers):
        address = urlsplit(self.base)
        connection = http.client.HTTPConnection(address.hostname, address.port, timeout=60)
        try:
            connection.request(method, address.path + target, data, headers)
            response = connection.getresponse()
            text = response.read().decode()
        finally:
            connection.close()
        is_json = "json" in response.headers.get("Content-Type", "")
        return Answer(response.status, response.headers, json.loads(text) if is_json and text else text)

    def rate_limit(self):
        """(limit, remaining, reset) of the last answer; reset is in seconds of the epoch."""
        return tuple(int(self.last.headers["X-RateLimit-" + name]) for name in ("Limit", "Remaining", "Reset"))

    # --- login

    def login(self, username, password, path="/auth/login"):
        """S1's login: a form."""
        return self._take(self._anonymous(path, form={"username": username, "password": password}))

    def login_json(self, username, password, path="/api/auth/login"):
        """S0's login: JSON."""
        return self._take(self._anonymous(path, body={"username": username, "password": password}))

    def api_key_login(self, key):
        return self._take(self._anonymous("/auth/api-key-login", body={"api_key": key}))

    def refresh(self, refresh_token=None):
        return self._take(self._anonymous("/auth/refresh", body={"refresh_token": refresh_token or self.refresh_token}))

    def me(self):
        return self.ask("GET", "/auth/me")

    def logout(self, path="/auth/logout"):
        return self.ask("POST", path)

    def _anonymous(self, path, **what):
        self.bearer = None
        return self.ask("POST", path, **what)

    def _take(self, tokens):
        self.bearer, self.refresh_token = tokens["access_token"], tokens.get("refresh_token")
        return tokens

    # --- lists: S1's pages at the root, S0's slices below /api

    def pages(self, path, name, per_page=20):
        """Every entry of {NAME, total, page, per_page, total_pages}."""
        page, last = 1, 1
        while page <= last:
            answer = self.ask("GET", path, query={"page": page, "per_page": per_page})
            yield from answer[name]
            page, last = page + 1, answer["total_pages"]

    def slices(self, path, limit=50, **filters):
        """Every entry of {data, pagination{total, limit, offset, has_next, has_prev}}."""
        offset, more = 0, True
        while more:
            answer = self.ask("GET", path, query={"limit": limit, "offset": offset, **filters})
            yield from answer["data"]
            offset, more = offset + limit, answer["pagination"]["has_next"]

    # --- users

    def users(self, limit=50):
        return self.slices("/api/admin/users", limit)

    def create_user(self, username, email, password, is_admin=False):
        body = {"username": username, "email": email, "password": password, "is_admin": is_admin}
        return self.ask("POST", "/admin/users", body)

    def user(self, user_id):
        return self.ask("GET", "/admin/users/%s" % quote(str(user_id), safe=""))

    def toggle_user(self, user_id):
        return self.ask("POST", "/admin/users/%s/toggle" % quote(str(user_id), safe=""))

    def delete_user(self, user_id):
        return self.ask("DELETE", "/admin/users/%s" % quote(str(user_id), safe=""))

    # --- API keys

    def api_keys(self, limit=50):
        return self.slices("/api/admin/api-keys", limit)

    def create_api_key(self, name, *flags, description="", **more):
        """`flags` are names of FLAGS; the answer holds the key itself, once, as `api_key`."""
        body = {"name": name, "description": description, **{flag: flag in flags for flag in FLAGS}, **more}
        return self.ask("POST", "/admin/api-keys", body)

    def api_key(self, key_id):
        return self.ask("GET", "/admin/api-keys/%s" % quote(str(key_id), safe=""))

    def update_api_key(self, key_id, **changes):
        return self.ask("PUT", "/admin/api-keys/%s" % quote(str(key_id), safe=""), changes)

    def toggle_api_key(self, key_id):
        return self.ask("POST", "/admin/api-keys/%s/toggle" % quote(str(key_id), safe=""))

    def delete_api_key(self, key_id):
        return self.ask("DELETE", "/admin/api-keys/%s" % quote(str(key_id), safe=""))

    # --- tools as S1 has them: {id, name, version, description, schema, created_at, updated_at}

    def register(self, name, version, description, schema):
        return self.ask("POST", "/tools", {"name": name, "version": version, "description": description, "schema": schema})

    def tools(self, page=1, per_page=20):
        return self.ask("GET", "/tools", query={"page": page, "per_page": per_page})

    def every_tool(self, per_page=20):
        return self.pages("/tools", "tools", per_page)

    def search(self, query, page=1, per_page=20):
        return self.ask("GET", "/tools/search", query={"query": query, "page": page, "per_page": per_page})

    def tool(self, name):
        return self.ask("GET", "/tools/%s" % quote(name, safe=""))

    def update_tool(self, name, /, **changes):
        return self.ask("PUT", "/tools/%s" % quote(name, safe=""), changes)

    def delete_tool(self, name):
        return self.ask("DELETE", "/tools/%s" % quote(name, safe=""))

    # --- tools as S0 has them: {id, name, description, endpoint, categories, input_schema, security_level, status, ...}

    def catalogue(self, limit=50, offset=0, prefix="/api", **filters):
        """{data, pagination{total, limit, offset, has_next, has_prev}}; filters are `category` and `status`."""
        return self.ask("GET", prefix + "/tools", query={"limit": limit, "offset": offset, **filters})

    def find(self, query, **options):
        """Results, each with a similarity_score; options: max_results, similarity_threshold, categories."""
        return self.ask("POST", "/api/tools/search", {"query": query, **options})["results"]

    def execute(self, tool_id, arguments, timeout=30, prefix="/api"):
        """{result, execution_time, status, tool_id}"""
        body = {"arguments": arguments, "timeout": timeout}
        return self.ask("POST", "%s/tools/%s/execute" % (prefix, quote(str(tool_id), safe="")), body)

    def policies(self):
        return self.ask("GET", "/api/policies")

    def evaluate(self, policy_name, document):
        """{allowed, reason, policy_name}"""
        return self.ask("POST", "/api/policies/evaluate", {"policy_name": policy_name, "input": document})
