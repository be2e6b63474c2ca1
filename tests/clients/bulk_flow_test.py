#!/usr/bin/env python3
"""`deberta-client bulk` against a server that answers in the order and with the
errors that it is told: what is held, what is asked again, what is written."""

import concurrent.futures
import contextlib
import json
import queue
import threading
import time
import unittest
from collections import Counter

import grpc
from google.protobuf import any_pb2
from google.rpc import code_pb2, error_details_pb2, status_pb2

from deberta_client import Client
from deberta_client.bulk.jobs import TASKS, Asker
from deberta_client.bulk.rows import Row
from deberta_client.bulk.streams import Stream
from deberta_client.bulk.work import MOST_BYTES, WINDOW, Work
from deberta_client.v1 import deberta_pb2 as pb
from deberta_client.v1 import deberta_pb2_grpc

SECONDS = 120


def error(code, *details):
    status = status_pb2.Status(code=code, message="as told")
    for detail in details:
        packed = any_pb2.Any()
        packed.Pack(detail)
        status.details.append(packed)
    return pb.ProcessError(code=code, message="as told",
                           details=status.SerializeToString())


def retry_info(seconds):
    info = error_details_pb2.RetryInfo()
    info.retry_delay.FromMilliseconds(int(seconds * 1000))
    return info


class Told(deberta_pb2_grpc.DebertaServiceServicer):
    """`answer(text, times)` gives what a request's text is answered with, the
    times-th time that it is asked: a ProcessError, "" for the text itself, None
    for nothing, or a status code that ends the stream."""

    def __init__(self, answer, held=""):
        self.answer = answer
        self.asked = Counter()
        self.at = {}
        # The text that is answered once so many others were asked.
        self.held, self.until = held, WINDOW
        self.let_go = None
        self.lock = threading.Lock()

    def ListModels(self, request, context):
        return pb.ListModelsResponse()

    def Process(self, requests, context):
        # What is held is let go by whichever stream asks the last of the others,
        # so a stream's requests are read beside what it answers.
        answers = queue.SimpleQueue()
        reader = threading.Thread(target=self.read, args=(requests, answers))
        reader.start()
        while (answer := answers.get()) is not None:
            if isinstance(answer, grpc.StatusCode):
                context.abort(answer, "as told")
            yield answer
        reader.join()

    def read(self, requests, answers):
        try:
            for request in requests:
                text = request.classify.inputs[0].text
                with self.lock:
                    self.asked[text] += 1
                    times = self.asked[text]
                    self.at.setdefault(text, []).append(time.monotonic())
                    if text == self.held:
                        self.let_go = lambda id=request.id: answers.put(
                            self.response(id, self.held, ""))
                    if self.let_go and len(self.asked) >= self.until:
                        self.let_go()
                        self.let_go = None
                if text == self.held:
                    continue
                told = self.answer(text, times)
                if isinstance(told, grpc.StatusCode):
                    answers.put(told)
                    return
                if told is not None:
                    answers.put(self.response(request.id, text, told))
        except grpc.RpcError:
            pass  # The client went away.
        finally:
            answers.put(None)

    @staticmethod
    def response(id, text, told):
        if told:
            return pb.ProcessResponse(id=id, error=told)
        return pb.ProcessResponse(id=id, classify=pb.ClassifyResponse(results=[
            pb.ClassifyResult(labels=[pb.LabelScore(label=text[:9])])]))

    @contextlib.contextmanager
    def served(self):
        server = grpc.server(concurrent.futures.ThreadPoolExecutor(8))
        deberta_pb2_grpc.add_DebertaServiceServicer_to_server(self, server)
        port = server.add_insecure_port("127.0.0.1:0")
        server.start()
        try:
            yield f"127.0.0.1:{port}"
        finally:
            server.stop(None)


class FlowTest(unittest.TestCase):
    def answered(self, told, rows, streams=1):
        """The lines, and the work that made them."""
        task = TASKS["classify"]
        asker = Asker(task, {"text": "text"}, {}, None)
        work = Work((Row({"text": text}) for text in rows), asker, 1)
        self.lines = []
        with told.served() as target, Client(target) as client:
            threads = [Stream(n, target, client, work, 60) for n in range(streams)]
            for thread in threads:
                thread.start()
            deadline = time.monotonic() + SECONDS
            while not work.ended or not all(not t.is_alive() for t in threads):
                self.lines += work.take(0.1)
                self.assertLess(time.monotonic(), deadline)
            self.lines += work.take(0)
        return [json.loads(line) for line in self.lines], work

    def labels(self, found):
        return [f["result"]["labels"][0]["label"] for f in found]

    def test_order_is_kept_and_the_window_not_left(self):
        """The first row is answered when all that may be read with it were."""
        count = WINDOW + 1000
        read = 0

        def rows():
            nonlocal read
            for read in range(1, count + 1):
                self.assertLessEqual(read - len(self.lines), WINDOW)
                yield str(read)
        told = Told(lambda text, times: "", held="1")
        found, work = self.answered(told, rows(), streams=2)
        self.assertIsNone(work.failed)
        self.assertEqual([f["key"] for f in found], list(range(1, count + 1)))
        self.assertEqual(self.labels(found), [str(n + 1) for n in range(count)])
        self.assertEqual(set(told.asked.values()), {1})

    def test_no_more_bytes_are_held_than_said(self):
        size = 1 << 20
        rows_read = 0

        def rows():
            nonlocal rows_read
            for n in range(150):
                self.assertLessEqual((rows_read - len(self.lines)) * size,
                                     MOST_BYTES + size)
                rows_read += 1
                yield f"{n:<9}" + "x" * (size - 9)
        found, work = self.answered(Told(lambda text, times: ""), rows(), 2)
        self.assertIsNone(work.failed)
        self.assertEqual(len(found), 150)

    def test_what_is_asked_again(self):
        def answer(text, times):
            if text == "full" and times < 3:
                return error(code_pb2.RESOURCE_EXHAUSTED, retry_info(0.2))
            if text == "too large":
                return error(code_pb2.RESOURCE_EXHAUSTED)
            if text == "late":
                return error(code_pb2.DEADLINE_EXCEEDED,
                             error_details_pb2.ErrorInfo(reason="TOLD"))
            if text == "breaks" and times < 3:
                return (grpc.StatusCode.UNAVAILABLE,
                        grpc.StatusCode.CANCELLED)[times - 1]
            return ""
        rows = ["a", "full", "too large", "late", "breaks", *map(str, range(300))]
        told = Told(answer)
        found, work = self.answered(told, rows, streams=2)
        self.assertIsNone(work.failed)
        self.assertEqual([f["key"] for f in found], list(range(1, len(rows) + 1)))
        self.assertEqual([f.get("error", {}).get("code") for f in found[:6]],
                         [None, None, "RESOURCE_EXHAUSTED", "DEADLINE_EXCEEDED",
                          None, None])
        self.assertEqual(found[3]["error"]["reason"], "TOLD")
        self.assertGreaterEqual(told.asked["full"], 3)
        first, second, third = told.at["full"][:3]
        self.assertGreaterEqual(min(second - first, third - second), 0.19)
        self.assertEqual(told.asked["breaks"], 3)
        self.assertEqual(work.errors, 2)

    def test_a_row_is_asked_until_there_is_room(self):
        told = Told(lambda text, times: error(
            code_pb2.RESOURCE_EXHAUSTED, retry_info(0.01))
                    if text == "full" and times < 40 else "")
        found, _ = self.answered(told, ["full", "a"])
        self.assertEqual(self.labels(found), ["full", "a"])
        self.assertEqual(told.asked["full"], 40)

    def test_what_ends_the_run(self):
        for told, wanted in (
                (Told(lambda text, times: error(code_pb2.NOT_FOUND)), "NOT_FOUND"),
                (Told(lambda text, times: grpc.StatusCode.UNAUTHENTICATED),
                 "UNAUTHENTICATED")):
            with self.subTest(wanted):
                _, work = self.answered(told, ["a"] * 100)
                self.assertEqual(work.failed.code, wanted)

        def broken():
            yield "a"
            raise OSError("the disk")
        _, work = self.answered(Told(lambda text, times: ""), broken())
        self.assertIsInstance(work.failed, OSError)


if __name__ == "__main__":
    unittest.main()
