"""HTTP/2 frames that cost the server more than they cost the client."""

import itertools
import time
import unittest

from attacked import Attacked, classify
from server import eventually
from http2 import (CONTINUATION, DATA, END_HEADERS, END_STREAM, GOAWAY,
                   HEADERS, PING, PRIORITY, RST_STREAM, SETTINGS, WINDOW_UPDATE,
                   Attacker, call_headers, frame)

CLASSIFY = "/deberta.v1.DebertaService/Classify"
ENHANCE_YOUR_CALM = b"\x00\x00\x00\x0b"


def goaway_of(data):
    """The error code of the last GOAWAY in what the server sent."""
    while data:
        length = int.from_bytes(data[:3], "big")
        if data[3] == GOAWAY:
            found = data[13:17]
        data = data[9 + length:]
    return found


class RapidResetTest(unittest.TestCase):

    def test_two_hundred_thousand_streams(self):
        headers = call_headers(CLASSIFY)
        with Attacked("rapid-reset") as attacked:
            sent = 0
            # A peer that begins too many is also read more slowly.
            end = time.monotonic() + 30
            while sent < 200_000 and time.monotonic() < end:
                attacker = Attacker(attacked.target)
                streams = itertools.count(1, 2)
                while (attacker.open and sent < 200_000 and
                       time.monotonic() < end):
                    attacker.send(b"".join(
                        frame(HEADERS, END_HEADERS, stream, headers) +
                        frame(RST_STREAM, 0, stream, b"\x00\x00\x00\x08")
                        for stream in itertools.islice(streams, 100)))
                    sent += 100
                attacker.close()
            self.assertGreater(attacked.closed("resets"), 0)

    def test_the_client_is_told_to_calm_down(self):
        headers = call_headers(CLASSIFY)
        with Attacked("reset-goaway") as attacked:
            attacker = Attacker(attacked.target)
            attacker.socket.recv(9)  # the server is there
            attacker.send(b"".join(
                frame(HEADERS, END_HEADERS, stream, headers) +
                frame(RST_STREAM, 0, stream, b"\x00\x00\x00\x08")
                for stream in range(1, 20000, 2)))
            self.assertIn(ENHANCE_YOUR_CALM, attacker.received())
            attacker.close()
            attacked.expect_closed("resets", 1)

    def test_streams_that_are_opened_and_left(self):
        headers = call_headers(CLASSIFY)
        with Attacked("open-streams") as attacked:
            attackers = []
            for _ in range(64):
                attacker = Attacker(attacked.target)
                attackers.append(attacker)
                attacker.send(b"".join(
                    frame(HEADERS, END_HEADERS, stream, headers)
                    for stream in range(1, 2048, 2)))
            eventually(20, lambda: attacked.closed("streams") > 10,
                       "those with most streams are closed")
            for attacker in attackers:
                attacker.close()


class HeaderTest(unittest.TestCase):

    def test_continuation_without_an_end(self):
        with Attacked("continuation") as attacked:
            for _ in range(20):
                attacker = Attacker(attacked.target)
                attacker.send(frame(HEADERS, 0, 1, call_headers(CLASSIFY)))
                for _ in range(64 * 64):
                    if not attacker.send(frame(CONTINUATION, 0, 1, b"a" * 16384)):
                        break
                self.assertFalse(attacker.open)
                attacker.close()
            attacked.expect_closed("header_block", 20)

    def test_empty_continuations(self):
        with Attacked("empty-continuation") as attacked:
            attacker = Attacker(attacked.target)
            attacker.send(frame(HEADERS, 0, 1, call_headers(CLASSIFY)))
            many = frame(CONTINUATION, 0, 1) * 1000
            for _ in range(1000):
                if not attacker.send(many):
                    break
            self.assertFalse(attacker.open)
            attacked.expect_closed("flood", 1)

    def test_large_metadata_fails_its_own_call_alone(self):
        import grpc
        with Attacked("metadata") as attacked:
            with attacked.server.channel() as channel:
                for _ in range(50):
                    healthy = [classify_later(channel) for _ in range(4)]
                    with self.assertRaises(grpc.RpcError) as caught:
                        classify(channel, metadata=[("x-long", "a" * 20_000)])
                    self.assertEqual(caught.exception.code(),
                                     grpc.StatusCode.RESOURCE_EXHAUSTED)
                    self.assertIn("metadata has", caught.exception.details())
                    for call in healthy:
                        call.result()
            self.assertEqual(attacked.limited("metadata"), 50)


def classify_later(channel):
    from attacked import MODEL, pb, stub
    return stub(channel).Classify.future(pb.ClassifyRequest(
        model=MODEL, inputs=[pb.TextInput(text="An editor.")]), timeout=30)


class FloodTest(unittest.TestCase):
    """Frames that carry nothing."""

    def flood(self, name, one, before=b""):
        with Attacked(name) as attacked:
            # gRPC too ends some of these.
            for _ in range(5):
                attacker = Attacker(attacked.target)
                attacker.socket.settimeout(20)
                attacker.send(before)
                for _ in range(500):
                    if not attacker.send(one * 2000):
                        break
                self.assertIsNotNone(attacker.received(), "still open")
                attacker.close()
            self.assertEqual(
                attacked.closed("flood") + attacked.closed("server") +
                attacked.closed("stalled"), 5)

    def test_ping(self):
        self.flood("ping", frame(PING, payload=b"12345678"))

    def test_settings(self):
        self.flood("settings", frame(SETTINGS, payload=b"\0\3\0\0\0\x64"))

    def test_priority(self):
        self.flood("priority", frame(PRIORITY, stream=1, payload=b"\0\0\0\0\1"))

    def test_window_update(self):
        self.flood("window-update",
                   frame(WINDOW_UPDATE, payload=b"\x00\x00\x00\x01"))

    def test_unknown_frames(self):
        self.flood("unknown", frame(0xee))

    def test_empty_data(self):
        self.flood("empty-data", frame(DATA, stream=1),
                   before=frame(HEADERS, END_HEADERS, 1,
                                call_headers(CLASSIFY)))

    def test_message_in_bytes(self):
        """A message whose bytes come in a frame each."""
        self.flood("small-data", frame(DATA, stream=1, payload=b"a"),
                   before=frame(HEADERS, END_HEADERS, 1,
                                call_headers(CLASSIFY)) +
                   frame(DATA, stream=1, payload=b"\x00\x00\x3f\xff\xff"))


if __name__ == "__main__":
    unittest.main()
