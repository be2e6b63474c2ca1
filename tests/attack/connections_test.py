"""Connections: too many, silent, half open, or with nobody who reads."""

import resource
import socket
import time
import unittest

import grpc

import deberta.v1.deberta_pb2 as pb
from attacked import MODEL, Attacked, classify
from http2 import (DATA, END_HEADERS, END_STREAM, HEADERS, INITIAL_WINDOW_SIZE,
                   PREFACE, SETTINGS, Attacker, call_headers, frame, message)
from server import dial, eventually, metric

ENCODE = "/deberta.v1.DebertaService/Encode"


def descriptors(count):
    """Lets this process have so many."""
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(count, hard), hard))


def is_closed(connection, seconds=0.0):
    connection.settimeout(seconds or 0.001)
    try:
        while connection.recv(65536):
            pass
    except TimeoutError:
        return False
    except OSError:
        pass
    return True


class IdleTest(unittest.TestCase):

    def test_two_thousand_idle_connections(self):
        descriptors(8192)
        # Two thousand transports of gRPC leave holes in the heap, and are made on
        # the threads that answer health checks: docs/connections.md.
        with Attacked("idle", "--max_connections=4096",
                      "--max_connections_per_peer=4096",
                      most_health_ms=500, back=1.6) as attacked:
            idle = [Attacker(attacked.target) for _ in range(2000)]
            eventually(20, lambda: metric(attacked.server.metrics(),
                                          "deberta_connections") >= 2000,
                       "all are connected")
            with attacked.server.channel() as channel:
                classify(channel)
            time.sleep(2)
            self.assertTrue(all(attacker.open for attacker in idle))
            for attacker in idle:
                attacker.close()
            eventually(20, lambda: metric(attacked.server.metrics(),
                                          "deberta_connections") < 10,
                       "all have gone")

    def test_one_peer_has_a_share(self):
        with Attacked("share", "--max_connections_per_peer=20") as attacked:
            held = [Attacker(attacked.target) for _ in range(15)]
            more = [dial(attacked.target) for _ in range(20)]
            eventually(10, lambda: attacked.closed("peer_limit") >= 10,
                       "those over the share are closed")
            for attacker in held:
                self.assertFalse(is_closed(attacker.socket))
                attacker.close()
            for connection in more:
                connection.close()

    def test_all_have_a_limit(self):
        with Attacked("all", "--max_connections=20") as attacked:
            held = [dial(attacked.target) for _ in range(40)]
            eventually(10, lambda: attacked.closed("connection_limit") >= 15,
                       "those over the limit are closed")
            for connection in held:
                connection.close()

    def test_descriptors_run_out_and_come_back(self):
        # --max_connections is lowered to what the descriptors are enough for.
        descriptors(8192)
        with Attacked("descriptors", descriptors=128,
                      ) as attacked:
            held = [Attacker(attacked.target) for _ in range(300)]
            eventually(10, lambda: attacked.closed("connection_limit") > 200,
                       "those over the limit are closed")
            for attacker in held:
                attacker.close()
            with attacked.server.channel() as channel:
                classify(channel)


class HalfOpenTest(unittest.TestCase):

    def test_a_preface_that_comes_slowly(self):
        with Attacked("slow-preface") as attacked:
            slow = [dial(attacked.target) for _ in range(200)]
            start = time.monotonic()
            for byte in PREFACE[:20]:
                for connection in slow:
                    try:
                        connection.sendall(bytes((byte,)))
                    except OSError:
                        pass
                time.sleep(0.4)
            eventually(15, lambda: attacked.closed("handshake") >= 200,
                       "all are closed")
            self.assertGreater(time.monotonic() - start, 9)
            for connection in slow:
                self.assertTrue(is_closed(connection, 1))
                connection.close()

    def test_no_http2(self):
        with Attacked("no-http2") as attacked:
            for text in (b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n",
                         b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" * 9,
                         b"\x00" * 100, b"PRI * HTTP/2.0\r\n\r\nXX\r\n\r\n"):
                connection = dial(attacked.target)
                connection.sendall(text)
                self.assertTrue(is_closed(connection, 5))
                connection.close()
            attacked.expect_closed("protocol", 4)

    def test_frames_that_do_not_go_on(self):
        with Attacked("incomplete") as attacked:
            attackers = [Attacker(attacked.target) for _ in range(20)]
            for attacker in attackers[:10]:
                attacker.send(frame(HEADERS, END_HEADERS, 1, b"a" * 100)[:50])
            for attacker in attackers[10:]:
                attacker.send(frame(HEADERS, 0, 1, call_headers(ENCODE)))
            eventually(20, lambda: attacked.closed("incomplete_frame") >= 20,
                       "all are closed")
            for attacker in attackers:
                attacker.close()


class StalledTest(unittest.TestCase):
    """24 clients that ask for large answers and do not read them."""

    def request(self):
        return message(pb.EncodeRequest(
            model=MODEL, pooling=pb.POOLING_NONE,
            inputs=[pb.TextInput(text="a b c d e f g h")] * 360))

    def attack(self, name, values, **options):
        with Attacked(name, "--stall_seconds=3") as attacked:
            ask = (frame(HEADERS, END_HEADERS, 1, call_headers(ENCODE)) +
                   frame(DATA, END_STREAM, 1, self.request()))
            attackers = [Attacker(attacked.target, values, **options)
                         for _ in range(24)]
            for attacker in attackers:
                attacker.send(ask)
            count = lambda: (attacked.limited("answer_unread") +
                             attacked.closed("stalled"))
            # Some of them may be refused for want of memory.
            eventually(40, lambda: count() >= 3 and metric(
                attacked.server.metrics(), "deberta_inflight_requests") == 0,
                "those that do not read are cut off")
            for attacker in attackers:
                attacker.close()

    def test_window_that_stays_shut(self):
        self.attack("no-window", {INITIAL_WINDOW_SIZE: 0})

    def test_socket_that_is_not_read(self):
        self.attack("no-read", {INITIAL_WINDOW_SIZE: 0x7fffffff},
                    receive_buffer=4096)


if __name__ == "__main__":
    unittest.main()
