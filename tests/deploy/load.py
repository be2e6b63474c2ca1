"""Callers that ask deberta-server all the time, and what became of their calls."""

import dataclasses
import itertools
import threading
import time

import grpc
from deberta_client import CallError, Client
from deberta_client.v1 import deberta_pb2 as pb, deberta_pb2_grpc

MODEL, TEXT = "section-classifier", "a library for LDAP"
TIMEOUT = 30
# Between two calls of a caller: this is to find what is lost, not how much a
# server can do.
PAUSE = 0.1
# Scores in other batches may differ by this much without AVX-512.
TOLERANCE = 1e-5
# As docs/kubernetes.md says: without the second gRPC looks a name up again half a
# minute after the last time, when a rollout may be over.
CHANNEL = [("grpc.service_config",
            '{"loadBalancingConfig": [{"round_robin": {}}]}'),
           ("grpc.dns_min_time_between_resolutions_ms", 200),
           # Each caller's connections are its own.
           ("grpc.use_local_subchannel_pool", 1)]
# Of each kind so many. Those without retries are gRPC's own channels, on a
# connection that they keep and on a new one for each call.
KEPT, NEW, RETRYING = "kept", "new", "retrying"
CALLERS = {KEPT: 3, NEW: 1, RETRYING: 3}


@dataclasses.dataclass(frozen=True)
class Call:
    kind: str
    begun: float  # of time.monotonic()
    ended: float
    error: str  # "": answered, and as it was the first time


def open_channel(target):
    return grpc.insecure_channel(target, options=CHANNEL)


def ask(channel):
    reply = deberta_pb2_grpc.DebertaServiceStub(channel).Classify(
        pb.ClassifyRequest(model=MODEL, inputs=[pb.TextInput(text=TEXT)]),
        timeout=TIMEOUT)
    return reply.results[0].labels[0]


def ask_anew(target):
    with open_channel(target) as channel:
        return ask(channel)


class Load:
    """Use as a context manager. `target` is gRPC's name of all servers."""

    def __init__(self, target):
        self._target = target
        self.pause = PAUSE
        self._calls = []
        self._rounds = []  # of each caller, so many calls
        self._over = threading.Event()
        self._threads = []

    def __enter__(self):
        self._first = ask_anew(self._target)
        for kind, count in CALLERS.items():
            for _ in range(count):
                index = len(self._rounds)
                self._rounds.append(0)
                self._threads.append(threading.Thread(
                    target=self._run, args=(index, kind)))
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *unused):
        self._over.set()
        for thread in self._threads:
            thread.join()

    def _run(self, index, kind):
        if kind == NEW:
            self._call_until_over(index, kind, lambda: ask_anew(self._target))
        elif kind == KEPT:
            with open_channel(self._target) as channel:
                self._call_until_over(index, kind, lambda: ask(channel))
        else:
            with Client(self._target, timeout=TIMEOUT) as client:
                self._call_until_over(
                    index, kind, lambda: client.classify(TEXT, MODEL)[0])

    def _call_until_over(self, index, kind, call):
        while not self._over.is_set():
            begun, error = time.monotonic(), ""
            try:
                error = self._difference(call())
            except grpc.RpcError as failed:
                error = f"{failed.code().name}: {failed.details()}"
            except CallError as failed:
                error = str(failed)
            self._calls.append(Call(kind, begun, time.monotonic(), error))
            self._rounds[index] += 1
            self._over.wait(self.pause)

    def _difference(self, label):
        same = (label.label == self._first.label and
                abs(label.score - self._first.score) <= TOLERANCE)
        return "" if same else f"not as the first answer: {label}"

    def count(self):
        return len(self._calls)

    def since(self, count):
        return self._calls[count:]

    def wait_for_more(self):
        """Until each caller has begun and ended a call after now."""
        rounds = [done + 2 for done in self._rounds]
        deadline = time.monotonic() + 4 * TIMEOUT
        for index, wanted in enumerate(rounds):
            while self._rounds[index] < wanted:
                if time.monotonic() > deadline:
                    raise AssertionError("a caller gets no answers")
                time.sleep(0.05)


class Event:
    """What the callers lost while something happened; use as a context manager."""

    def __init__(self, name, load):
        self.name, self._load = name, load
        self.calls = []

    def __enter__(self):
        self._load.wait_for_more()
        self._count = self._load.count()
        self._begun = time.monotonic()
        return self

    def __exit__(self, *exception):
        self._load.wait_for_more()
        self.calls = self._load.since(self._count)
        self.seconds = time.monotonic() - self._begun

    def of(self, *kinds):
        return [call for call in self.calls if call.kind in kinds]

    def lost(self, *kinds):
        return [call for call in self.of(*kinds) if call.error]

    def row(self):
        def part(*kinds):
            return f"{len(self.of(*kinds))} | {len(self.lost(*kinds))}"
        return (f"| {self.name} | {self.seconds:.0f} | {part(KEPT, NEW)} | "
                f"{part(RETRYING)} |")


TABLE_HEAD = """\
| event | seconds | calls without retries | lost | calls with retries | lost |
| --- | ---: | ---: | ---: | ---: | ---: |"""


def errors(calls):
    """What was lost, each error once with its number."""
    kinds = sorted((call.kind, call.error) for call in calls)
    return [f"{len(list(group))} x {kind}: {error}"
            for (kind, error), group in itertools.groupby(kinds)]
