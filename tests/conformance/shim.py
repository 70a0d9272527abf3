"""A loopback shim between the conformance suite, which cannot send a credential, and the gateway, which demands one.

It adds the Authorization header; path, Host, Origin and everything else pass as they came. It listens on 127.0.0.1 at the
very port that the gateway uses on 127.0.0.2, so that the Host the suite sends is right. `secret` may change between runs.
"""
import socket
import threading


def read_until(sock, data, mark):
    while mark not in data:
        piece = sock.recv(65536)
        if not piece:
            return None, data
        data += piece
    end = data.index(mark) + len(mark)
    return data[:end], data[end:]


def body_of(sock, head, rest):
    """The bytes of one request's body, as they came, and what stands behind them."""
    fields = {name.strip().lower(): value.strip() for name, _, value in
              (line.partition(b":") for line in head.split(b"\r\n")[1:])}
    if b"chunked" in fields.get(b"transfer-encoding", b""):
        whole, rest = read_until(sock, rest, b"0\r\n\r\n")
        return whole or b"", rest
    length = int(fields.get(b"content-length", b"0"))
    while len(rest) < length:
        piece = sock.recv(65536)
        if not piece:
            break
        rest += piece
    return rest[:length], rest[length:]


class Shim:
    def __init__(self, gateway):
        self.target = (gateway.address, gateway.port)
        self.secret = ""
        self.listener = socket.create_server(("127.0.0.1", gateway.port))
        self.sockets = set()
        threading.Thread(target=self.accept, daemon=True).start()

    def accept(self):
        while True:
            try:
                client, _ = self.listener.accept()
            except OSError:
                return
            threading.Thread(target=self.serve, args=(client,), daemon=True).start()

    def serve(self, client):
        try:
            upstream = socket.create_connection(self.target)
        except OSError:
            return client.close()
        pair = {client, upstream}
        self.sockets |= pair
        back = threading.Thread(target=self.copy, args=(upstream, client), daemon=True)
        back.start()
        try:
            self.requests(client, upstream)
        except OSError:
            pass
        self.end(upstream)
        back.join()
        self.sockets -= pair
        for sock in pair:
            sock.close()

    def requests(self, client, upstream):
        rest = b""
        while True:
            head, rest = read_until(client, rest, b"\r\n\r\n")
            if head is None:
                return
            first, _, fields = head.partition(b"\r\n")
            body, rest = body_of(client, head, rest)
            line = b"\r\nAuthorization: Bearer " + self.secret.encode() + b"\r\n"
            upstream.sendall(first + line + fields + body)

    def copy(self, upstream, client):
        try:
            while True:
                piece = upstream.recv(65536)
                if not piece:
                    break
                client.sendall(piece)
        except OSError:
            pass
        self.end(client)

    @staticmethod
    def end(sock):
        try:
            sock.shutdown(socket.SHUT_RDWR)
        except OSError:
            pass

    def close(self):
        self.end(self.listener)
        self.listener.close()
        for sock in list(self.sockets):
            self.end(sock)
