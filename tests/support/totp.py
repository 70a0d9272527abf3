"""An authenticator app: RFC 6238 with SHA-1, 30 s, 6 digits."""
import base64
import hashlib
import hmac
import struct
import time


def code(secret, steps=0):
    """`secret` in base32; the code of now, or `steps` later; never one that is about to become another's."""
    if time.time() % 30 > 26:
        time.sleep(30.1 - time.time() % 30)
    key = base64.b32decode(secret + "=" * (-len(secret) % 8))
    mac = hmac.new(key, struct.pack(">Q", int(time.time()) // 30 + steps), hashlib.sha1).digest()
    at = mac[-1] & 15
    return "%06d" % ((struct.unpack(">I", mac[at:at + 4])[0] & 0x7FFFFFFF) % 1_000_000)
