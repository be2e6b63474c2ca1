"""Hours of everything at once: every task with texts of random lengths, streams,
calls that are cancelled, connections that are cut, deadlines that pass, models
that are replaced and removed. Not among the tests that run by themselves:

  SOAK_MINUTES=60 tests/e2e/run.sh build/release soak_test

Expects that every answer is that of the same call before, that no call fails in
a way that was not asked for, and that resident memory at the end is within 2 % of
what it was after a twelfth of the time.
"""

import collections
import os
import random
import shutil
import signal
import statistics
import threading
import time
import unittest

import grpc

import calls
import deberta.v1.deberta_pb2 as pb
import environment
from server import Server, stub
from texts import LONG

CALLERS = 6
# What a caller who cancels, cuts or hurries asks for; and a model that is gone.
ASKED_FOR = {grpc.StatusCode.CANCELLED, grpc.StatusCode.DEADLINE_EXCEEDED}


def minutes():
    return float(os.environ.get("SOAK_MINUTES", "60"))


class Caller(threading.Thread):
    """Calls at random until `end`; every mistake is kept."""

    def __init__(self, seed, server, expected, end):
        super().__init__()
        self.random = random.Random(seed)
        self.server = server
        self.expected = expected
        self.end = end
        self.counts = collections.Counter()
        self.mistakes = []

    def run(self):
        channel = self.server.channel()
        kinds = [self.ask] * 12 + [self.cancel, self.hurry, self.length] * 2 + [
            self.stream, self.reloaded]
        while time.monotonic() < self.end and len(self.mistakes) < 10:
            kind = self.random.choice(kinds)
            if self.random.random() < 0.02:
                channel = self.cut(channel)
            try:
                kind(stub(channel))
                self.counts[kind.__name__] += 1
            except Exception as error:  # pylint: disable=broad-except
                self.mistakes.append(f"{kind.__name__}: {error!r}")
        channel.close()

    def ask(self, client):
        call, answer = self.random.choice(self.expected)
        got = getattr(client, call.method)(call.request, timeout=60)
        wrong = calls.difference(answer, calls.without_timing(got),
                                 environment.tolerance())
        if wrong:
            raise AssertionError(f"{call.name}: {wrong}")

    def cancel(self, client):
        call, _ = self.random.choice(self.expected)
        future = getattr(client, call.method).future(call.request, timeout=60)
        threading.Event().wait(self.random.random() * 0.02)
        future.cancel()

    def hurry(self, client):
        call, _ = self.random.choice(self.expected)
        try:
            getattr(client, call.method)(
                call.request, timeout=self.random.random() * 0.02)
        except grpc.RpcError as error:
            if error.code() not in ASKED_FOR | {
                    grpc.StatusCode.RESOURCE_EXHAUSTED}:
                raise

    def length(self, client):
        """Any length, in windows."""
        words = LONG.split()
        text = " ".join(self.random.choices(words, k=self.random.randint(
            1, 3000)))
        client.Classify(pb.ClassifyRequest(
            model="section-classifier", inputs=[pb.TextInput(text=text)],
            length_policy=pb.LENGTH_POLICY_WINDOW), timeout=60)

    def stream(self, client):
        wanted = self.random.randint(1, 50)
        requests = [pb.ProcessRequest(
            id=str(i), classify=pb.ClassifyRequest(
                model="section-classifier",
                inputs=[pb.TextInput(text=LONG[:self.random.randint(1, 900)])]))
            for i in range(wanted)]
        left = self.random.random() < 0.3
        got = set()
        replies = client.Process(iter(requests), timeout=60)
        for reply in replies:
            if reply.WhichOneof("response") != "classify":
                raise AssertionError(reply)
            got.add(reply.id)
            if left:
                replies.cancel()
                return
        if len(got) != wanted:
            raise AssertionError(f"{len(got)} of {wanted} answers")

    def reloaded(self, client):
        """A model that comes and goes."""
        try:
            client.Classify(pb.ClassifyRequest(
                model="m", inputs=[pb.TextInput(text="a tiny one")]),
                timeout=60)
        except grpc.RpcError as error:
            if error.code() != grpc.StatusCode.NOT_FOUND:
                raise

    def cut(self, channel):
        """Goes away in the middle of some calls."""
        for call, _ in self.random.choices(self.expected, k=3):
            getattr(stub(channel), call.method).future(call.request, timeout=60)
        channel.close()
        self.counts["cut"] += 1
        return self.server.channel()


class SoakTest(unittest.TestCase):
    def setUp(self):
        root = environment.work / "soak"
        shutil.rmtree(root, ignore_errors=True)
        self.repository = root / "models"
        self.repository.mkdir(parents=True)
        served = calls.models(environment.ROOT, root)
        self.source = served["golden-classify"]
        self.server = self.enterContext(Server(
            environment.server_binary(), served, root / "server.log",
            f"--model_repository={self.repository}",
            "--repository_poll_seconds=0"))

    def resident(self):
        path = f"/proc/{self.server.process.pid}/status"
        with open(path, encoding="ascii") as status:
            line = next(x for x in status if x.startswith("VmRSS"))
        return int(line.split()[1]) / 1024

    def change_models(self, number):
        """Adds, replaces or removes "m"."""
        directory = self.repository / "m"
        if number % 3 == 2:
            shutil.rmtree(directory)
        else:
            fresh = self.repository.parent / f"m-{number}"
            shutil.copytree(self.source, fresh)
            if directory.exists():
                directory.rename(self.repository.parent / f"old-{number}")
            fresh.rename(directory)
            shutil.rmtree(self.repository.parent / f"old-{number}",
                          ignore_errors=True)
        self.server.process.send_signal(signal.SIGHUP)

    def expectations(self):
        with self.server.channel() as channel:
            return [(call, calls.without_timing(getattr(
                stub(channel), call.method)(call.request, timeout=60)))
                    for call in calls.calls()]

    def test_hours(self):
        expected = self.expectations()
        begin = time.monotonic()
        end = begin + 60 * minutes()
        callers = [Caller(seed, self.server, expected, end)
                   for seed in range(CALLERS)]
        for caller in callers:
            caller.start()
        samples = []  # (minute, MiB)
        tick = threading.Event()
        number = 0
        while any(caller.is_alive() for caller in callers):
            tick.wait(min(5, minutes()))
            self.assertIsNone(self.server.process.poll(), self.server.log())
            samples.append(((time.monotonic() - begin) / 60, self.resident()))
            self.change_models(number)
            number += 1
            if number % 60 == 0:
                print(f"\n{samples[-1][0]:.0f} min, {samples[-1][1]:.1f} MiB",
                      end="", flush=True)
        self.report(callers, samples)

    def report(self, callers, samples):
        counts = sum((caller.counts for caller in callers),
                     collections.Counter())
        print(f"\n{dict(counts)}, {len(samples)} changes of models")
        self.assertEqual([m for caller in callers for m in caller.mistakes], [])
        step = minutes() / 12
        early = statistics.median(
            mib for at, mib in samples if step <= at <= 2 * step)
        late = statistics.median(
            mib for at, mib in samples if at >= minutes() - step)
        print(f"resident: {early:.1f} MiB after {step:.0f} min, {late:.1f} MiB "
              "at the end")
        self.assertLess(late, early * 1.02)
        self.server.terminate()
        self.assertEqual(self.server.exit_code(), 0, self.server.log())
