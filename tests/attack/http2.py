"""HTTP/2 by hand, to say what no proper client says (RFC 9113)."""

import socket
import struct

from server import dial

PREFACE = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"
DATA, HEADERS, PRIORITY, RST_STREAM, SETTINGS = 0, 1, 2, 3, 4
PING, GOAWAY, WINDOW_UPDATE, CONTINUATION = 6, 7, 8, 9
END_STREAM, ACK, END_HEADERS = 1, 1, 4
INITIAL_WINDOW_SIZE = 4


def frame(kind, flags=0, stream=0, payload=b""):
    return (struct.pack(">I", len(payload))[1:] + bytes((kind, flags)) +
            struct.pack(">I", stream) + payload)


def settings(values=None):
    return frame(SETTINGS, payload=b"".join(
        struct.pack(">HI", *item) for item in (values or {}).items()))


def literal(name, value):
    """A header that no table remembers (RFC 7541, 6.2.2)."""
    def text(data):
        if len(data) < 127:
            return bytes((len(data),)) + data
        rest, out = len(data) - 127, b"\x7f"
        while rest >= 128:
            out += bytes((rest % 128 | 128,))
            rest //= 128
        return out + bytes((rest,)) + data
    return b"\x00" + text(name.encode()) + text(value.encode())


def call_headers(path, *more):
    return b"".join(literal(name, value) for name, value in (
        (":method", "POST"), (":scheme", "http"), (":path", path),
        (":authority", "localhost"), ("content-type", "application/grpc"),
        ("te", "trailers"), *more))


def message(proto):
    data = proto.SerializeToString()
    return b"\x00" + struct.pack(">I", len(data)) + data


class Attacker:
    """A connection that says what it is told to."""

    def __init__(self, target, values=None, receive_buffer=None):
        self.socket = dial(target)
        if receive_buffer:
            self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF,
                                   receive_buffer)
        self.socket.settimeout(30)
        self.open = self.send(PREFACE + settings(values))

    def send(self, data):
        """False once the server has closed."""
        try:
            self.socket.sendall(data)
            return True
        except OSError:
            self.open = False
            return False

    def received(self, seconds=10):
        """What comes until the server closes, or None if it does not."""
        self.socket.settimeout(seconds)
        data = b""
        try:
            while part := self.socket.recv(65536):
                data += part
        except TimeoutError:
            return None
        except OSError:
            pass
        return data

    def close(self):
        self.socket.close()
