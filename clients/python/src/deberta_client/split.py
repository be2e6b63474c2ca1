"""A list of any size -> requests of a bounded size."""

from __future__ import annotations

from collections.abc import AsyncIterable, Iterable, Iterator
from dataclasses import dataclass
from typing import Any, Generic

from deberta_client.channel import Settings
from deberta_client.tasks import In, Job, Out


@dataclass(frozen=True)
class Part:
    """A request; first is the index of its inputs[0] among all."""

    request: Any
    first: int


def _size(message: Any) -> int:
    body = (len(message.encode()) if isinstance(message, str)
            else message.ByteSize())
    return int(body) + 6  # tag and length


class Splitter(Generic[In, Out]):
    """Takes inputs one by one, so that they may come from a stream."""

    def __init__(self, job: Job[In, Out], settings: Settings) -> None:
        self._job = job
        self._settings = settings
        self._empty = job.request.ByteSize()
        self._first = 0
        self._begin(0)

    def _begin(self, first: int) -> None:
        self._request = type(self._job.request)()
        self._request.CopyFrom(self._job.request)
        self._bytes = self._empty
        self._first = first

    @property
    def _inputs(self) -> Any:
        return getattr(self._request, self._job.inputs)

    def add(self, value: In) -> Part | None:
        """The request that had no room for it."""
        index = self._first + len(self._inputs)
        self._job.check(f"{self._job.inputs}[{index}]", value)
        message = self._job.message(value)
        size = _size(message)
        part = None
        if (len(self._inputs) >= self._settings.batch_size or
                self._bytes + size > self._settings.max_request_bytes):
            part = self.rest()
        self._inputs.append(message)
        self._bytes += size
        return part

    def rest(self) -> Part | None:
        """What has been added since; None if nothing."""
        count = len(self._inputs)
        if count == 0:
            return None
        part = Part(self._request, self._first)
        self._begin(self._first + count)
        return part


def lone(job: Job[Any, Any], inputs: Any) -> bool:
    """Whether they are one input and not a series of them."""
    if isinstance(inputs, job.kinds):
        return True
    if not isinstance(inputs, (Iterable, AsyncIterable)):
        raise TypeError(f"{job.inputs}: expected {job.wanted}, or a series of such, "
                        f"got {type(inputs).__name__}")
    return False


def parts(job: Job[In, Out], inputs: Iterable[In],
          settings: Settings) -> Iterator[Part]:
    splitter = Splitter(job, settings)
    for value in inputs:
        if (part := splitter.add(value)) is not None:
            yield part
    if (part := splitter.rest()) is not None:
        yield part


def results(job: Job[In, Out], response: Any) -> list[Out]:
    """In the order of the inputs; Rerank's come best first."""
    found = [job.result(one) for one in response.results]
    if job.method == "Rerank":
        found.sort(key=lambda ranked: ranked.index)  # type: ignore[attr-defined]
    return found
