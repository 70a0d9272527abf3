#!/usr/bin/env python3
"""Second, independent implementation of `sallyport audit verify` (standard library only).

    verify_audit.py DIR [--known NUMBER:HASH] [--key HEX]
    verify_audit.py --batch        one "DIR[\tNUMBER:HASH]" a line on stdin, one verdict a line on stdout

Prints `intact` or `broken FILE LINE WHY`. Exit status 0: intact, 1: broken, 2: could not be read.

Format (docs of src/request/audit/line.h and checkpoint.h): a record is a JSON object whose last member is "leaf", the
RFC 6962 leaf hash of the object without it; a checkpoint is an object whose last member is "signature", Ed25519 (RFC 8032)
over a context and the object without it, and whose "previous" is the SHA-256 of the whole line before.
"""
import hashlib
import json
import os
import re
import sys

# --- Ed25519 verification, RFC 8032 5.1 -------------------------------------------------------------------------------
P = 2**255 - 19
Q = 2**252 + 27742317777372353535851937790883648493
D = -121665 * pow(121666, P - 2, P) % P
ROOT = pow(2, (P - 1) // 4, P)


def recover_x(y, sign):
    if y >= P:
        return None
    x2 = (y * y - 1) * pow(D * y * y + 1, P - 2, P) % P
    if x2 == 0:
        return None if sign else 0
    x = pow(x2, (P + 3) // 8, P)
    if (x * x - x2) % P:
        x = x * ROOT % P
    if (x * x - x2) % P:
        return None
    return P - x if (x & 1) != sign else x


def add(a, b):
    t1 = (a[1] - a[0]) * (b[1] - b[0]) % P
    t2 = (a[1] + a[0]) * (b[1] + b[0]) % P
    t3 = 2 * a[3] * b[3] * D % P
    t4 = 2 * a[2] * b[2] % P
    e, f, g, h = t2 - t1, t4 - t3, t4 + t3, t2 + t1
    return e * f % P, g * h % P, f * g % P, e * h % P


def times(k, point):
    out = (0, 1, 1, 0)
    while k:
        if k & 1:
            out = add(out, point)
        point = add(point, point)
        k >>= 1
    return out


def decode_point(raw):
    y = int.from_bytes(raw, "little")
    sign = y >> 255
    y &= (1 << 255) - 1
    x = recover_x(y, sign)
    return None if x is None else (x, y, 1, x * y % P)


BASE_Y = 4 * pow(5, P - 2, P) % P
BASE = (recover_x(BASE_Y, 0), BASE_Y, 1, recover_x(BASE_Y, 0) * BASE_Y % P)


def ed25519_verify(key, message, signature):
    a, r = decode_point(key), decode_point(signature[:32])
    s = int.from_bytes(signature[32:], "little")
    if a is None or r is None or s >= Q:
        return False
    h = int.from_bytes(hashlib.sha512(signature[:32] + key + message).digest(), "little") % Q
    left, right = times(s, BASE), add(r, times(h, a))
    return (left[0] * right[2] - right[0] * left[2]) % P == 0 and (left[1] * right[2] - right[1] * left[2]) % P == 0


# --- the tree, RFC 6962 2.1 -------------------------------------------------------------------------------------------
class Tree:
    def __init__(self):
        self.stack = []  # (size, hash)

    def append(self, leaf):
        self.stack.append((1, leaf))
        while len(self.stack) > 1 and self.stack[-1][0] == self.stack[-2][0]:
            (n, right), (_, left) = self.stack.pop(), self.stack.pop()
            self.stack.append((2 * n, hashlib.sha256(b"\1" + left + right).digest()))

    def size(self):
        return sum(n for n, _ in self.stack)

    def head(self):
        if not self.stack:
            return hashlib.sha256(b"").digest()
        out = self.stack[-1][1]
        for _, left in reversed(self.stack[:-1]):
            out = hashlib.sha256(b"\1" + left + out).digest()
        return out


# --- lines ------------------------------------------------------------------------------------------------------------
LEAF = re.compile(rb'^(\{.*),"leaf":"([0-9a-f]{64})"\}$', re.S)
SIGNATURE = re.compile(rb'^(\{.*),"signature":"([0-9a-f]{128})"\}$', re.S)
CONTEXT = b"sallyport audit checkpoint v1\n"


class Broken(Exception):
    def __init__(self, file, line, why):
        super().__init__(f"{file} {line} {why}")


def lines_of(path):
    data = open(path, "rb").read()
    *lines, rest = data.split(b"\n")
    return lines, rest


_signatures = {}


def signed(line, key):
    match = SIGNATURE.match(line)
    if not match:
        return False
    if (key, line) not in _signatures:
        signature = bytes.fromhex(match.group(2).decode())
        _signatures[(key, line)] = ed25519_verify(key, CONTEXT + match.group(1) + b"}", signature)
    return _signatures[(key, line)]


def read_checkpoints(directory, key, known):
    name = "checkpoints.jsonl"
    path = os.path.join(directory, name)
    if not os.path.exists(path):
        raise Broken(name, 0, "missing")
    lines, _ = lines_of(path)
    if not lines:
        raise Broken(name, 0, "empty")
    previous, out = "0" * 64, []

    def blame(last, why):
        for i in range(last):
            if not signed(lines[i], key):
                raise Broken(name, i + 1, "signature does not hold")
        raise Broken(name, last, why)

    for i, line in enumerate(lines, 1):
        try:
            body = json.loads(line)
            fields = body["number"], body["previous"], body["kind"], body["segments"], body["retired"]
        except (ValueError, KeyError, TypeError):
            blame(i, "unreadable")
        if fields[0] != i or isinstance(fields[0], bool):
            blame(i, "wrong number")
        if fields[1] != previous:
            blame(i, "does not follow from the line before")
        previous = hashlib.sha256(line).hexdigest()
        out.append((body, previous))
    if not signed(lines[-1], key):
        blame(len(lines), "signature does not hold")
    if known:
        if len(out) < known[0]:
            raise Broken(name, len(out) + 1, "rolled back")
        if out[known[0] - 1][1] != known[1]:
            raise Broken(name, known[0], "differs from the database")
    return [body for body, _ in out]


def check_segment(directory, name, marks, closed):
    lines, rest = lines_of(os.path.join(directory, name))
    tree, done, last = Tree(), 0, 0
    marks = list(marks)
    while marks and marks[0][0] == 0:
        marks.pop(0)
    for at, line in enumerate(lines, 1):
        match = LEAF.match(line)
        if not match:
            raise Broken(name, at, "is no audit record")
        data = match.group(1) + b"}"
        leaf = hashlib.sha256(b"\0" + data).digest()
        if leaf.hex().encode() != match.group(2):
            raise Broken(name, at, "was changed")
        try:
            record = json.loads(data)
        except ValueError:
            raise Broken(name, at, "is no audit record")
        if record.get("seq") != at - 1:
            raise Broken(name, at, "dropped, swapped, repeated or put in")
        if at == 1 and record.get("action") == "segment_start" and record.get("evidence") != name:
            raise Broken(name, at, "belongs to another segment")
        tree.append(leaf)
        while marks and marks[0][0] == at:
            if tree.head().hex() != marks[0][1]:
                raise Broken(name, last + 1, "was rewritten")
            last = done = at
            marks.pop(0)
    if marks:
        raise Broken(name, len(lines) + 1, "cut off")
    if closed and (len(lines) > done or rest):
        raise Broken(name, done + 1, "added after the closing checkpoint")


def verify(directory, known=None, trusted=None):
    names = sorted(n for n in os.listdir(directory) if n.startswith("seg-") and n.endswith(".jsonl"))
    if not os.path.exists(os.path.join(directory, "checkpoints.jsonl")):
        raise Broken("checkpoints.jsonl", 0, "missing")
    try:
        text = open(os.path.join(directory, "public.key"), "rb").read()
    except OSError:
        text = b""
    if not re.fullmatch(rb"[0-9a-f]{64}\n", text) or (trusted and text.strip().decode() != trusted):
        raise Broken("public.key", 0, "missing, unreadable or not the installation's")
    checkpoints = read_checkpoints(directory, bytes.fromhex(text.strip().decode()), known)
    marks, retired = {}, set()
    for body in checkpoints:
        for segment in body["segments"]:
            mark = (segment["count"], segment["head"])
            if mark not in marks.setdefault(segment["name"], [])[-1:]:
                marks[segment["name"]].append(mark)
        retired.update(body["retired"])
    closed = checkpoints[-1]["kind"] == "close"
    for name in sorted(set(names) | set(marks)):
        if name in names:
            check_segment(directory, name, marks.get(name, []), closed)
        elif name not in retired:
            raise Broken(name, 0, "missing")


def known_of(text):
    number, _, digest = text.partition(":")
    return int(number), digest


def verdict(directory, known=None, trusted=None):
    try:
        verify(directory, known, trusted)
        return "intact"
    except Broken as broken:
        return f"broken {broken}"


def main(args):
    if args == ["--batch"]:
        for line in sys.stdin:
            directory, _, known = line.rstrip("\n").partition("\t")
            print(verdict(directory, known_of(known) if known else None), flush=True)
        return 0
    known = trusted = None
    directories = []
    while args:
        arg = args.pop(0)
        if arg == "--known":
            known = known_of(args.pop(0))
        elif arg == "--key":
            trusted = args.pop(0)
        else:
            directories.append(arg)
    if len(directories) != 1:
        print(__doc__, file=sys.stderr)
        return 2
    try:
        result = verdict(directories[0], known, trusted)
    except OSError as error:
        print(error, file=sys.stderr)
        return 2
    print(result)
    return 0 if result == "intact" else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
