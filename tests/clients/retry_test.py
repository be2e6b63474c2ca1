#!/usr/bin/env python3
"""The Python client against a server that fails as it is told: what is tried again,
and when; how lists are split; options that are refused before a call."""

import asyncio
import concurrent.futures
import contextlib
import socket
import time
import unittest

import grpc
from google.protobuf import any_pb2
from google.rpc import error_details_pb2, status_pb2

from deberta_client import AsyncClient, CallError, Client, tasks
from deberta_client.v1 import deberta_pb2 as pb
from deberta_client.v1 import deberta_pb2_grpc


def free_port():
    with socket.create_server(("127.0.0.1", 0)) as server:
        return server.getsockname()[1]


class Flaky(deberta_pb2_grpc.DebertaServiceServicer):
    """Classify fails as `failures` say, one a call, and then answers by the
    texts."""

    def __init__(self, *failures):
        self.failures = list(failures)
        self.seen = []

    def Classify(self, request, context):
        self.seen.append(time.monotonic())
        if self.failures:
            code, *details = self.failures.pop(0)
            status = status_pb2.Status(code=code.value[0], message="as told")
            for detail in details:
                packed = any_pb2.Any()
                packed.Pack(detail)
                status.details.append(packed)
            context.set_trailing_metadata(
                (("grpc-status-details-bin", status.SerializeToString()),))
            context.abort(code, "as told")
        return self.answer(request)

    @staticmethod
    def answer(request):
        return pb.ClassifyResponse(results=[
            pb.ClassifyResult(labels=[pb.LabelScore(label=i.text)])
            for i in request.inputs])

    @contextlib.contextmanager
    def client(self, port=None, **options):
        server = grpc.server(concurrent.futures.ThreadPoolExecutor(4))
        deberta_pb2_grpc.add_DebertaServiceServicer_to_server(self, server)
        port = server.add_insecure_port(f"127.0.0.1:{port or 0}")
        server.start()
        try:
            with Client(f"127.0.0.1:{port}", **options) as client:
                yield client
        finally:
            server.stop(None)


def retry_info(seconds):
    info = error_details_pb2.RetryInfo()
    info.retry_delay.FromMilliseconds(int(seconds * 1000))
    return info


class Breaking(Flaky):
    """Ends the streams of Process with the code of each failure, after one answer."""

    def Process(self, requests, context):
        for answered, request in enumerate(requests):
            if answered and self.failures:
                context.abort(self.failures.pop(0)[0], "as told")
            yield pb.ProcessResponse(id=request.id,
                                     classify=self.answer(request.classify))


class OptionsTest(unittest.TestCase):
    def test_a_word_that_is_none_of_an_option(self):
        with self.assertRaisesRegex(
                ValueError, "length_policy: expected one of reject, truncate, "
                            "window, got 'windows'"):
            tasks.classify(length_policy="windows")


class RetryTest(unittest.TestCase):
    def test_retry_info_is_honoured(self):
        flaky = Flaky((grpc.StatusCode.RESOURCE_EXHAUSTED, retry_info(0.3)),
                      (grpc.StatusCode.UNAVAILABLE,))
        with flaky.client() as client:
            self.assertEqual(client.classify("a")[0].label, "a")
        first, second, third = flaky.seen
        self.assertGreaterEqual(second - first, 0.3)
        self.assertGreater(third - second, 0.04)

    def test_asyncio_retries_alike(self):
        flaky = Flaky((grpc.StatusCode.RESOURCE_EXHAUSTED, retry_info(0.3)))
        port = free_port()

        async def ask():
            async with AsyncClient(f"127.0.0.1:{port}") as client:
                return await client.classify("a")
        with flaky.client(port):
            self.assertEqual(asyncio.run(ask())[0].label, "a")
        self.assertGreaterEqual(flaky.seen[1] - flaky.seen[0], 0.3)

    def test_a_server_that_ends_cancels_what_it_has(self):
        cancelled = [(grpc.StatusCode.CANCELLED,)] * 2
        port = free_port()

        async def ask():
            async with AsyncClient(f"127.0.0.1:{port}") as client:
                return await client.classify("a")
        with Flaky(*cancelled).client(port) as client:
            self.assertEqual(client.classify("a")[0].label, "a")
        with Flaky(*cancelled).client(port):
            self.assertEqual(asyncio.run(ask())[0].label, "a")

    def test_a_stream_that_breaks_is_followed_by_another(self):
        port = free_port()
        items = [(n, tasks.classify(), str(n)) for n in range(9)]

        async def ask():
            async with AsyncClient(f"127.0.0.1:{port}") as client:
                return [found async for found in client.process(items)]
        for code in (grpc.StatusCode.CANCELLED, grpc.StatusCode.UNAVAILABLE):
            with self.subTest(code), Breaking((code,), (code,)).client(
                    port) as client:
                self.check_processed(client.process(items))
            with self.subTest(code, asyncio=True), Breaking(
                    (code,), (code,)).client(port):
                self.check_processed(asyncio.run(ask()))

    def check_processed(self, found):
        self.assertEqual(sorted((f.key, f.result[0].label) for f in found),
                         [(n, str(n)) for n in range(9)])

    def refused(self, client, **wanted):
        with self.assertRaises(CallError) as raised:
            client.classify("a")
        for name, value in wanted.items():
            self.assertEqual(getattr(raised.exception, name), value)

    def test_what_is_not_tried_again(self):
        for failure in ((grpc.StatusCode.RESOURCE_EXHAUSTED,),
                        (grpc.StatusCode.INVALID_ARGUMENT,),
                        (grpc.StatusCode.DEADLINE_EXCEEDED,),
                        (grpc.StatusCode.INTERNAL,)):
            flaky = Flaky(failure)
            with self.subTest(failure=failure), flaky.client() as client:
                self.refused(client, code=failure[0].name)
                self.assertEqual(len(flaky.seen), 1)

    def test_no_longer_than_the_timeout_and_no_oftener_than_asked(self):
        full = (grpc.StatusCode.RESOURCE_EXHAUSTED, retry_info(30))
        with Flaky(full).client(timeout=1) as client:
            began = time.monotonic()
            self.refused(client, code="RESOURCE_EXHAUSTED", retry_after=30)
            self.assertLess(time.monotonic() - began, 5)
        flaky = Flaky(*[(grpc.StatusCode.UNAVAILABLE,)] * 9)
        with flaky.client(max_attempts=3) as client:
            self.refused(client, code="UNAVAILABLE")
        self.assertEqual(len(flaky.seen), 3)

    def test_a_server_that_comes_later_is_found(self):
        port = free_port()
        with Client(f"127.0.0.1:{port}", max_attempts=50) as client, \
                concurrent.futures.ThreadPoolExecutor(1) as pool:
            answer = pool.submit(client.classify, "a")
            with Flaky().client(port):
                self.assertEqual(answer.result(60)[0].label, "a")

    def test_a_list_goes_on_where_a_request_was_made_again(self):
        flaky = Flaky(*[(grpc.StatusCode.UNAVAILABLE,)] * 2)
        texts = [str(n) for n in range(100)]
        with flaky.client(batch_size=7) as client:
            self.assertEqual([r[0].label for r in client.classify(texts)], texts)


class SplitTest(unittest.TestCase):
    def test_by_bytes(self):
        flaky = Flaky()
        texts = ["x" * 400, "y" * 400, "z" * 5000, "é" * 200]
        with flaky.client(max_request_bytes=1000) as client:
            self.assertEqual([r[0].label for r in client.classify(texts)], texts)
        self.assertEqual(len(flaky.seen), 3)

    def test_a_stream_reads_no_more_than_is_under_way(self):
        read = 0

        def texts():
            nonlocal read
            for read in range(1, 1001):
                yield str(read)
        with Flaky().client(batch_size=10, concurrency=2) as client:
            stream = client.classify.stream(texts())
            self.assertEqual(next(stream)[0].label, "1")
            self.assertLess(read, 40)
            self.assertEqual(sum(1 for _ in stream), 999)

    def test_what_is_no_input(self):
        with Flaky().client() as client:
            self.assertEqual(client.classify([]), [])
            with self.assertRaisesRegex(TypeError, r"inputs\[1\]: expected str"):
                client.classify(["a", 5])
            with self.assertRaisesRegex(TypeError, "or a series of such, got None"):
                client.classify(None)


if __name__ == "__main__":
    unittest.main()
