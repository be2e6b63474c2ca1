"""Faults of the machine under a server that runs: a full disk, a clock that is
set, an allocation that fails."""

import concurrent.futures
import json
import mmap
import random
import shlex
import struct
import subprocess
import time
import unittest

import grpc

import deberta.v1.deberta_pb2 as pb
import environment
from server import Server, eventually, metric, stub

MODEL = "section-classifier"
DIRECTORY = environment.ROOT / "demo" / MODEL
SHIMS = environment.ROOT / "tests" / "e2e" / "shims"
HOUR = 3600


def classify(channel, words=10, timeout=20):
    return stub(channel).Classify(pb.ClassifyRequest(inputs=[
        pb.TextInput(text="A chess engine. " * (words // 3))]),
                                  timeout=timeout)


def script(name, *lines):
    """The server's program, begun in a shell by these lines."""
    path = environment.work / name
    server = shlex.quote(environment.server_binary())
    path.write_text("\n".join(["#!/bin/sh", *lines, f'exec {server} "$@"', ""]),
                    encoding="utf-8")
    path.chmod(0o755)
    return path


class Shim:
    """A library that is loaded into a server, and the number that steers it."""

    def __init__(self, source, variable):
        library = environment.work / (source.split(".")[0] + ".so")
        compiler = "c++" if source.endswith(".cc") else "cc"
        subprocess.run([compiler, "-O1", "-shared", "-fPIC", "-o", library,
                        SHIMS / source], check=True)
        path = environment.work / (source + ".number")
        path.write_bytes(bytes(8))
        with open(path, "r+b") as file:
            self.memory = mmap.mmap(file.fileno(), 8)
        self.binary = script(f"with-{source}", f"export {variable}={path}",
                             f"export LD_PRELOAD={library}")

    @property
    def number(self):
        return struct.unpack("<q", self.memory[:])[0]

    @number.setter
    def number(self, value):
        self.memory[:] = struct.pack("<q", value)


class FullDiskTest(unittest.TestCase):
    def check(self, binary, log):
        """Serves though no line of its log can be written any more."""
        with Server(binary, {MODEL: DIRECTORY}, log,
                    "--log_calls=1") as server, server.channel() as channel:
            for _ in range(50):
                classify(channel)
            eventually(10, lambda: metric(
                server.metrics(), "deberta_log_lines_dropped_total") > 0,
                "lines are dropped and counted")
            classify(channel)
            server.terminate()
            self.assertEqual(server.exit_code(), 0)

    def test_a_log_on_a_full_disk(self):
        self.check(script("full-disk", "exec 2>/dev/full"),
                   environment.work / "full-disk.log")

    def test_a_log_of_the_largest_size(self):
        """The signal that this raises ended the server."""
        log = environment.work / "largest-size.log"
        self.check(script("largest-size", "ulimit -f 2"), log)
        self.assertLessEqual(log.stat().st_size, 2048)


class ClockTest(unittest.TestCase):
    def test_deadlines_and_calls_outlive_a_step_of_the_wall_clock(self):
        shim = Shim("clock_step.c", "CLOCK_STEP_FILE")
        with Server(shim.binary, {MODEL: DIRECTORY},
                    environment.work / "clock.log",
                    "--log_calls=1") as server, \
                server.channel() as channel, \
                concurrent.futures.ThreadPoolExecutor(8) as pool:
            for step in (HOUR, -HOUR, 24 * 365 * HOUR, 0):
                calls = [pool.submit(classify, channel, 90)
                         for _ in range(40)]
                concurrent.futures.wait(
                    calls, return_when=concurrent.futures.FIRST_COMPLETED)
                shim.number = step
                # Both those under way and those that come after.
                for call in calls:
                    call.result()
                # A deadline is as long as it was.
                began = time.monotonic()
                with self.assertRaises(grpc.RpcError) as caught:
                    stub(channel).Tokenize(pb.TokenizeRequest(
                        model=MODEL, inputs=[pb.TextInput(
                            text="word " * 300_000)] * 2), timeout=0.001)
                self.assertIn(caught.exception.code(), (
                    grpc.StatusCode.DEADLINE_EXCEEDED,
                    grpc.StatusCode.RESOURCE_EXHAUSTED))
                self.assertLess(time.monotonic() - began, 10)
            years = {json.loads(line)["ts"][:4]
                     for line in server.log().splitlines() if line[:1] == "{"}
            self.assertGreater(len(years), 1, "the log did not see the step")
            server.terminate()
            self.assertEqual(server.exit_code(), 0)


class StreamedError(Exception):
    """An answer of a stream is an error."""


class AllocationTest(unittest.TestCase):
    POINTS = 240
    ENDS = {"OK", "RESOURCE_EXHAUSTED", "INTERNAL", "UNAVAILABLE", "CANCELLED"}
    TEXT = pb.TextInput(text="A chess engine. " * 20)

    def test_one_that_fails_costs_no_more_than_its_call(self):
        shim = Shim("failing_new.cc", "FAILING_NEW_FILE")
        points = random.Random(13)
        ends, exits, left = {}, 0, self.POINTS
        while left > 0:
            log = environment.work / f"failing-new-{exits}.log"
            with Server(shim.binary, {MODEL: DIRECTORY}, log) as server:
                while left > 0 and server.process.poll() is None:
                    left -= 1
                    call = self.CALLS[left % len(self.CALLS)]
                    end = self.fail_at(shim, server, call, points)
                    ends.setdefault(end, []).append(call.__name__)
                if server.process.poll() is not None:
                    exits += 1
                    last = json.loads(server.log().splitlines()[-1])
                    self.assertEqual(last["level"], "error")
        counts = {end: len(calls) for end, calls in ends.items()}
        print(f"{self.POINTS} failing allocations: {counts}, {exits} exits",
              flush=True)
        self.assertLessEqual(set(ends), self.ENDS, {
            end: ends[end] for end in set(ends) - self.ENDS})
        self.assertGreater(counts.get("RESOURCE_EXHAUSTED", 0), 0)

    def classify(self, channel):
        stub(channel).Classify(pb.ClassifyRequest(inputs=[self.TEXT] * 4),
                               timeout=20)

    def encode(self, channel):
        stub(channel).Encode(pb.EncodeRequest(
            inputs=[self.TEXT], pooling=pb.POOLING_NONE), timeout=20)

    def tokenize(self, channel):
        stub(channel).Tokenize(pb.TokenizeRequest(
            model=MODEL, inputs=[self.TEXT] * 4), timeout=20)

    def describe(self, channel):
        stub(channel).ListModels(pb.ListModelsRequest(), timeout=20)
        stub(channel).GetModel(pb.GetModelRequest(model=MODEL), timeout=20)

    def stream(self, channel):
        """Each request is answered, if with an error, or the stream ends."""
        request = pb.ProcessRequest(classify=pb.ClassifyRequest(
            inputs=[self.TEXT]))
        answers = list(stub(channel).Process(iter([request] * 4), timeout=20))
        self.assertEqual(len(answers), 4)
        if any(answer.HasField("error") for answer in answers):
            raise StreamedError()

    CALLS = (classify, encode, tokenize, describe, stream)

    def fail_at(self, shim, server, call, points):
        """How the call ends that one allocation of fails; one after it must be
        answered unless the server has ended."""
        with server.channel() as channel:
            before = 1 << 40
            shim.number = before
            call(self, channel)
            count = before - shim.number
            shim.number = points.randint(1, count)
            try:
                call(self, channel)
                end = "OK"
            except StreamedError:
                end = "RESOURCE_EXHAUSTED"
            except grpc.RpcError as error:
                end = error.code().name
            shim.number = 0
            try:
                call(self, channel)
            except grpc.RpcError:
                # Its connection may be gone with it, or the server.
                if server.process.poll() is None:
                    try:
                        server.process.wait(1)
                    except subprocess.TimeoutExpired:
                        with server.channel() as other:
                            call(self, other)
            return end


if __name__ == "__main__":
    unittest.main()
