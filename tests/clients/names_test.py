#!/usr/bin/env python3
"""The Python client while the addresses of its server's name change."""

import concurrent.futures
import contextlib
import socket
import threading
import unittest

import grpc

from deberta_client import Client
from deberta_client.v1 import deberta_pb2 as pb
from deberta_client.v1 import deberta_pb2_grpc

A = b"\0\1"


class Names:
    """A DNS server for which every name has these addresses; use as a context
    manager."""

    def __init__(self, *addresses):
        self.addresses = addresses
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._socket.bind(("127.0.0.1", 0))
        self.port = self._socket.getsockname()[1]
        self._thread = threading.Thread(target=self._serve)

    def __enter__(self):
        self._thread.start()
        return self

    def __exit__(self, *unused):
        # An empty datagram ends it.
        self._socket.sendto(b"", ("127.0.0.1", self.port))
        self._thread.join()
        self._socket.close()

    def _serve(self):
        while True:
            query, client = self._socket.recvfrom(4096)
            if not query:
                return
            self._socket.sendto(self._answer(query), client)

    def _answer(self, query):
        """RFC 1035, 4.1: the question again, then the addresses, kept 0 s."""
        end = query.index(b"\0", 12) + 5
        found = self.addresses if query[end - 4:end - 2] == A else ()
        header = (query[:2] + b"\x84\0\0\1" + len(found).to_bytes(2, "big") +
                  bytes(4))
        records = [b"\xc0\x0c\0\1\0\1\0\0\0\0\0\4" + socket.inet_aton(address)
                   for address in found]
        return header + query[12:end] + b"".join(records)


class Here(deberta_pb2_grpc.DebertaServiceServicer):
    """Says where it is."""

    def __init__(self, address):
        self.address = address

    def Classify(self, request, context):
        return pb.ClassifyResponse(results=[pb.ClassifyResult(
            labels=[pb.LabelScore(label=self.address)])])

    @contextlib.contextmanager
    def served(self, port=0):
        server = grpc.server(concurrent.futures.ThreadPoolExecutor(4))
        deberta_pb2_grpc.add_DebertaServiceServicer_to_server(self, server)
        port = server.add_insecure_port(f"{self.address}:{port}")
        server.start()
        try:
            yield port
        finally:
            server.stop(None).wait()


class NamesTest(unittest.TestCase):
    def test_servers_that_replace_all_others_are_found(self):
        """As in a rollout that takes less than half a minute, for which gRPC
        does not look a name up again."""
        old, new = Here("127.0.0.1"), Here("127.0.0.2")
        with contextlib.ExitStack() as stack:
            first = contextlib.ExitStack()
            port = first.enter_context(old.served())
            stack.enter_context(new.served(port))
            names = stack.enter_context(Names(old.address))
            client = stack.enter_context(Client(
                f"dns://127.0.0.1:{names.port}/pods.example:{port}"))
            self.assertEqual(client.classify("a")[0].label, old.address)
            names.addresses = (new.address,)
            first.close()
            self.assertEqual(client.classify("a")[0].label, new.address)


if __name__ == "__main__":
    unittest.main()
