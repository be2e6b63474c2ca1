"""What a stream of requests owes: Process, without its input and output."""

from __future__ import annotations

import heapq
import threading
import time
from collections import defaultdict, deque
from collections.abc import Hashable, Iterator
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from deberta_client.errors import CallError, answer_error
from deberta_client.retry import Attempts
from deberta_client.tasks import Job
from deberta_client.v1 import deberta_pb2 as pb

Key = TypeVar("Key", bound=Hashable)

# Twice what the server reads of a stream before it answers.
MOST_UNDER_WAY = 64

_FIELDS = {"Classify": "classify", "TagTokens": "tag_tokens",
           "AnswerQuestion": "answer_question", "FillMask": "fill_mask",
           "ClassifyZeroShot": "classify_zero_shot", "Encode": "encode",
           "Tokenize": "tokenize", "ExtractEntities": "extract_entities",
           "Rerank": "rerank", "ExtractStructured": "extract_structured"}


@dataclass(frozen=True, slots=True)
class Processed(Generic[Key]):
    """key is the caller's; one of result and error is None."""

    key: Key
    result: Any = None
    error: CallError | None = None


@dataclass
class _Request(Generic[Key]):
    key: Key
    job: Job[Any, Any]
    message: Any
    attempts: Attempts


class Ledger(Generic[Key]):
    """The requests that have no answer, and when each is to be sent (again).

    Streams, where there are several, are told apart by numbers."""

    def __init__(self, most_attempts: int, most: int = MOST_UNDER_WAY) -> None:
        self._most_attempts = most_attempts
        self._most = most
        self._number = 0
        self._unanswered: dict[str, _Request[Key]] = {}
        self._again: deque[str] = deque()
        self._later: list[tuple[float, str]] = []
        self._sent: defaultdict[int, set[str]] = defaultdict(set)
        self._streams: dict[int, Attempts] = {}
        self.source_ended = False

    def add(self, key: Key, job: Job[Any, Any], value: Any,
            stream: int = 0) -> str:
        """The id of a new request, which counts as sent."""
        job.check(repr(key), value)
        request = type(job.request)()
        request.CopyFrom(job.request)
        getattr(request, job.inputs).append(job.message(value))
        id = str(self._number)
        self._number += 1
        self._unanswered[id] = _Request(
            key, job, pb.ProcessRequest(id=id, **{_FIELDS[job.method]: request}),
            Attempts(None, self._most_attempts))
        self._sent[stream].add(id)
        return id

    def message(self, id: str) -> Any:
        return self._unanswered[id].message

    @property
    def full(self) -> bool:
        return len(self._unanswered) >= self._most

    def under_way(self, stream: int) -> int:
        """Requests that were sent on it and have no answer."""
        return len(self._sent[stream])

    @property
    def done(self) -> bool:
        return self.source_ended and not self._unanswered

    def due(self, stream: int = 0) -> str | None:
        """A request to send again now; it counts as sent."""
        while self._later and self._later[0][0] <= time.monotonic():
            self._again.append(heapq.heappop(self._later)[1])
        if not self._again:
            return None
        id = self._again.popleft()
        self._sent[stream].add(id)
        return id

    def again(self, id: str, stream: int = 0) -> None:
        """One that was not sent after all."""
        if id in self._sent[stream]:
            self._sent[stream].remove(id)
            self._again.append(id)

    def seconds_to_next(self) -> float | None:
        """Until one is due; None: none waits."""
        if not self._later:
            return None
        return max(0.0, self._later[0][0] - time.monotonic())

    def answered(self, response: Any, stream: int = 0) -> Processed[Key] | None:
        """None: a full server; it is sent again when the server says."""
        self._streams.pop(stream, None)
        if response.id not in self._sent[stream]:
            return None  # answered before its stream broke
        self._sent[stream].remove(response.id)
        request = self._unanswered[response.id]
        field = response.WhichOneof("response")
        if field == "error":
            error = answer_error(response.error)
            wait = request.attempts.wait_after(error)
            if wait is not None:
                heapq.heappush(self._later,
                               (time.monotonic() + wait, response.id))
                return None
            del self._unanswered[response.id]
            return Processed(request.key, error=error)
        del self._unanswered[response.id]
        found = getattr(response, field).results[0]
        return Processed(request.key, request.job.result(found))

    def broken(self, error: CallError, stream: int = 0) -> float:
        """Of a stream: what was sent on it is sent again on another, which may
        begin after so many seconds."""
        self._again.extend(sorted(self._sent.pop(stream, ()), key=int))
        attempts = self._streams.setdefault(
            stream, Attempts(None, self._most_attempts))
        wait = attempts.wait_after(error)
        if wait is None:
            raise error
        return wait


class Sending(Generic[Key]):
    """The requests of one stream at a time, for the thread in which gRPC reads
    them; end() comes before the next begins."""

    def __init__(self, ledger: Ledger[Key],
                 items: Iterator[tuple[Key, Job[Any, Any], Any]]) -> None:
        self._ledger = ledger
        self._items = items
        self._reading = threading.Lock()
        self._changed = threading.Condition()
        self._stream = 0
        self.failed: Exception | None = None

    def begin(self) -> Iterator[Any]:
        with self._changed:
            self._stream += 1
            return self._messages(self._stream)

    def end(self) -> None:
        with self._changed:
            self._stream += 1
            self._changed.notify_all()

    def answered(self, response: Any) -> Processed[Key] | None:
        with self._changed:
            found = self._ledger.answered(response)
            self._changed.notify_all()
            return found

    def broken(self, error: CallError) -> float:
        with self._changed:
            return self._ledger.broken(error)

    @property
    def done(self) -> bool:
        with self._changed:
            return self._ledger.done

    def _messages(self, stream: int) -> Iterator[Any]:
        try:
            while (message := self._next(stream)) is not None:
                yield message
        except Exception as error:  # of the caller's iterator
            self.failed = error
            raise

    def _next(self, stream: int) -> Any:
        ledger = self._ledger
        while True:
            with self._changed:
                if self._stream != stream or ledger.done:
                    return None
                if (id := ledger.due()) is not None:
                    return ledger.message(id)
                if ledger.full or ledger.source_ended:
                    self._changed.wait(ledger.seconds_to_next())
                    continue
            with self._reading:
                item = next(self._items, None)
                with self._changed:
                    if item is None:
                        ledger.source_ended = True
                        continue
                    id = ledger.add(*item)
                    # Else broken() or the next stream has it already.
                    if self._stream == stream:
                        return ledger.message(id)
                    ledger.again(id)
