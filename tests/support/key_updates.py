"""A TLS 1.3 client that sends KeyUpdate records (RFC 8446 4.6.3) and nothing else, as fast as it can: key_updates.py PORT SECONDS.
OpenSSL's own library makes them. Says "up" once its handshake is done, then "closed" or "still open", and after how many seconds."""
import ctypes
import socket
import sys
import time

NOT_REQUESTED, EOF_IS_RETRY, BATCH = 0, 130, 512  # SSL_KEY_UPDATE_NOT_REQUESTED, BIO_C_SET_BUF_MEM_EOF_RETURN


def library(name, calls):
    loaded = ctypes.CDLL(name)
    for call, (result, *arguments) in calls.items():
        getattr(loaded, call).restype, getattr(loaded, call).argtypes = result, arguments
    return loaded


P, I = ctypes.c_void_p, ctypes.c_int
SSL = library("libssl.so.3", {"TLS_client_method": [P], "SSL_CTX_new": [P, P], "SSL_new": [P, P], "SSL_set_fd": [I, P, I], "SSL_connect": [I, P],
                              "SSL_key_update": [I, P, I], "SSL_do_handshake": [I, P], "SSL_set0_rbio": [None, P, P], "SSL_set0_wbio": [None, P, P]})
CRYPTO = library("libcrypto.so.3", {"BIO_s_mem": [P], "BIO_new": [P, P], "BIO_read": [I, P, P, I],
                                    "BIO_ctrl": [ctypes.c_long, P, I, ctypes.c_long, P]})


def main(port, seconds):
    with socket.create_connection(("127.0.0.1", port), timeout=30) as s:
        s.setblocking(True)
        ssl = SSL.SSL_new(SSL.SSL_CTX_new(SSL.TLS_client_method()))
        SSL.SSL_set_fd(ssl, s.fileno())
        assert SSL.SSL_connect(ssl) == 1
        out, nothing = CRYPTO.BIO_new(CRYPTO.BIO_s_mem()), CRYPTO.BIO_new(CRYPTO.BIO_s_mem())
        CRYPTO.BIO_ctrl(nothing, EOF_IS_RETRY, -1, None)
        SSL.SSL_set0_rbio(ssl, nothing)
        SSL.SSL_set0_wbio(ssl, out)
        print("up", flush=True)
        s.settimeout(seconds)
        room, began = ctypes.create_string_buffer(1 << 20), time.monotonic()
        try:
            while time.monotonic() - began < seconds:
                for _ in range(BATCH):
                    SSL.SSL_key_update(ssl, NOT_REQUESTED)
                    SSL.SSL_do_handshake(ssl)
                size = CRYPTO.BIO_read(out, room, len(room))
                s.sendall(room.raw[:size])
            said = "still open"
        except ConnectionError:
            said = "closed"
        except TimeoutError:
            said = "still open"
        print("%s after %.1f" % (said, time.monotonic() - began), flush=True)


if __name__ == "__main__":
    main(int(sys.argv[1]), float(sys.argv[2]))
