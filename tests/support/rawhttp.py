"""Bytes to the gateway exactly as the test wrote them, and everything it answered."""
import json
import re
import socket
import time

import mcp


class Reply:
    """All bytes until the gateway closed or was silent: `statuses` of every answer in them, the last body's JSON."""

    def __init__(self, data, closed):
        self.data, self.closed = data, closed
        self.statuses = [int(code) for code in re.findall(rb"(?:^|\n|\}|\Z)HTTP/1\.1 (\d{3}) ", data)]
        self.status = self.statuses[0] if self.statuses else None

    def header(self, name):
        found = re.search(rb"\r\n" + name.encode() + rb": ([^\r\n]*)", self.data, re.IGNORECASE)
        return found.group(1).decode() if found else None

    def json(self):
        start = self.data.find(b"\r\n\r\n")
        return json.loads(self.data[start + 4:])

    def __repr__(self):
        return "Reply(%r, closed=%s)" % (self.data[:600], self.closed)


def exchange(gateway, data, seconds=10, pause_after=None, rest=b"", half_close=False):
    """Sends `data` (and `rest` once `pause_after` seconds of silence have passed); reads until the other side closes."""
    with socket.create_connection((gateway.address, gateway.port), timeout=seconds) as sock:
        try:
            sock.sendall(data)
            if pause_after is not None:
                sock.settimeout(pause_after)
                early = _read(sock)
                if early.closed or early.data:
                    return early
                sock.settimeout(seconds)
                sock.sendall(rest)
            if half_close:
                sock.shutdown(socket.SHUT_WR)
        except (BrokenPipeError, ConnectionResetError):
            pass  # it refused before everything was sent; the answer is still there to be read
        sock.settimeout(seconds)
        return _read(sock)


def _read(sock):
    data = b""
    while True:
        try:
            piece = sock.recv(65536)
        except socket.timeout:
            return Reply(data, False)
        except ConnectionResetError:
            return Reply(data, True)
        if not piece:
            return Reply(data, True)
        data += piece


def drip(gateway, pieces, gap, seconds):
    """Sends one piece each `gap` seconds, as a slow client does; what came back, and after how long."""
    began = time.monotonic()
    with socket.create_connection((gateway.address, gateway.port), timeout=seconds) as sock:
        sock.settimeout(gap)
        for piece in pieces:
            try:
                sock.sendall(piece)
            except OSError:
                break
            reply = _read(sock)
            if reply.closed or reply.data:
                return reply, time.monotonic() - began
        sock.settimeout(seconds)
        return _read(sock), time.monotonic() - began


def post(gateway, body, secret=None, path="/mcp", session=None, close=True, **headers):
    """A whole POST with a right Content-Length; header names in keyword form (`x_api_key`)."""
    lines = ["POST %s HTTP/1.1" % path, "Host: %s:%d" % (gateway.address, gateway.port),
             "Content-Type: application/json", "Accept: " + mcp.ACCEPT, "Content-Length: %d" % len(body)]
    if secret:
        lines.append("Authorization: Bearer " + secret)
    if session:
        lines.append("Mcp-Session-Id: " + session)
    if close:
        lines.append("Connection: close")
    lines += ["%s: %s" % (name.replace("_", "-"), value) for name, value in headers.items()]
    return ("\r\n".join(lines) + "\r\n\r\n").encode() + body
