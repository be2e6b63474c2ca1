"""The client that blocks."""

from __future__ import annotations

import dataclasses
import time
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from typing import Any, Generic, ParamSpec, overload

import grpc

from deberta_client import tasks
from deberta_client.channel import Settings, Tls, Token, open_channel
from deberta_client.errors import CallError, call_error
from deberta_client.process import Key, Ledger, Processed, Sending
from deberta_client.progress import bar
from deberta_client.retry import Attempts
from deberta_client.split import Part, lone, parts, results
from deberta_client.tasks import In, Job, Out
from deberta_client.types import Model, Ranked
from deberta_client.v1 import deberta_pb2 as pb
from deberta_client.v1 import deberta_pb2_grpc

P = ParamSpec("P")


class Call:
    """A request under way; made again when it has to be."""

    def __init__(self, client: Client, method: str, part: Part) -> None:
        self._client = client
        self._part = part
        self._stub = getattr(client.stub, method)
        self._attempts = Attempts(client.settings.timeout,
                                  client.settings.max_attempts)
        self._send()

    def _send(self) -> None:
        self._future = self._stub.future(
            self._part.request, timeout=self._attempts.time_left(),
            metadata=self._client.settings.metadata())

    def result(self) -> Any:
        while True:
            try:
                return self._future.result()
            except grpc.RpcError as error:
                failed = call_error(error, self._part.first)
            wait = self._attempts.wait_after(failed)
            if wait is None:
                raise failed
            time.sleep(wait)
            self._send()

    def cancel(self) -> None:
        self._future.cancel()


class Method(Generic[In, Out, P]):
    """client.classify(text), client.classify(texts) or
    client.classify.stream(texts); options are those of tasks.classify()."""

    def __init__(self, client: Client,
                 job: Callable[P, Job[In, Out]]) -> None:
        self._client = client
        self.job = job
        self.__doc__ = job.__doc__

    @overload
    def __call__(self, inputs: In, *args: P.args, **options: P.kwargs) -> Out: ...
    @overload
    def __call__(self, inputs: Iterable[In], *args: P.args,
                 **options: P.kwargs) -> list[Out]: ...
    def __call__(self, inputs: Any, *args: P.args, **options: P.kwargs) -> Any:
        job: Job[Any, Any] = self.job(*args, **options)
        if lone(job, inputs):
            return self._client.run(job, [inputs])[0]
        return self._client.run(job, inputs)

    def stream(self, inputs: Iterable[In], *args: P.args,
               **options: P.kwargs) -> Iterator[Out]:
        """Results in the order of the inputs, of which no more are read than are
        under way: neither need fit in memory."""
        return self._client.stream(self.job(*args, **options), inputs)


class Client:
    """Talks to the server at target: HOST:PORT, dns:///NAME:PORT (balanced over
    all its addresses) or unix:/PATH.

    token: what the server's tokens file asks for, or a function that tells it;
    None: that of the environment's DEBERTA_TOKEN. tls: True or files. timeout:
    seconds for each request, with the times that it is made again. Lists are
    split into requests of batch_size inputs and max_request_bytes, concurrency
    of them under way at once. exact: answers in fp32. priority: "high", "normal"
    or "low". progress: a bar on stderr while a list is answered.
    """

    def __init__(self, target: str = "localhost:50051", *,
                 tls: Tls | bool = False, token: Token = None,
                 timeout: float | None = 60.0, max_attempts: int = 5,
                 batch_size: int = 32, max_request_bytes: int = 3 << 20,
                 concurrency: int = 4, exact: bool = False,
                 priority: str | None = None, progress: bool = False) -> None:
        self._open(open_channel(grpc, target, tls), Settings(
            token=token, timeout=timeout, max_attempts=max_attempts,
            batch_size=batch_size, max_request_bytes=max_request_bytes,
            concurrency=concurrency, exact=exact, priority=priority,
            progress=progress))

    def _open(self, channel: Any, settings: Settings) -> None:
        self.settings = settings
        self._channel = channel
        self.stub = deberta_pb2_grpc.DebertaServiceStub(channel)
        self.classify = Method(self, tasks.classify)
        self.tag = Method(self, tasks.tag)
        self.answer = Method(self, tasks.answer)
        self.fill_mask = Method(self, tasks.fill_mask)
        self.zero_shot = Method(self, tasks.zero_shot)
        self.extract = Method(self, tasks.extract)
        self.structured = Method(self, tasks.structured)
        self.encode = Method(self, tasks.encode)
        self.tokenize = Method(self, tasks.tokenize)

    def with_options(self, **changes: Any) -> Client:
        """The same connection with other options than target and tls."""
        other = Client.__new__(Client)
        other._open(self._channel, dataclasses.replace(self.settings, **changes))
        return other

    def models(self) -> list[Model]:
        """Those that are served."""
        request = Part(pb.ListModelsRequest(), 0)
        response = Call(self, "ListModels", request).result()
        return [tasks.served(model) for model in response.models]

    def model(self, name: str = "") -> Model:
        """One in detail; "": the only one."""
        request = Part(pb.GetModelRequest(model=name), 0)
        response = Call(self, "GetModel", request).result()
        return tasks.served(response.model, response)

    def rerank(self, query: str, documents: Iterable[str], model: str = "", *,
               top_k: int = 0, **options: Any) -> list[Ranked]:
        """Documents best first, by their index; options are those of
        tasks.score(). top_k 0: all."""
        return tasks.best_first(
            self.run(tasks.score(query, model, **options), documents), top_k)

    def process(
        self, items: Iterable[tuple[Key, Job[Any, Any], Any]],
    ) -> Iterator[Processed[Key]]:
        """Answers as they come, in any order, on one stream, of items (key, job,
        input): key is the caller's, job that of tasks.classify() and the like.

        No more items are read than are under way. An error of one is its own. When
        the stream breaks, another takes what has no answer; the call fails once
        max_attempts in a row got no answer."""
        sending = Sending(Ledger[Key](self.settings.max_attempts), iter(items))
        while not sending.done:
            call = self.stub.Process(sending.begin(),
                                     metadata=self.settings.metadata())
            try:
                for response in call:
                    if (found := sending.answered(response)) is not None:
                        yield found
                failed = CallError("UNAVAILABLE", "the stream ended early")
            except grpc.RpcError as error:
                failed = call_error(error)
            finally:
                sending.end()
                call.cancel()
            if sending.failed is not None:
                raise sending.failed
            if not sending.done:
                time.sleep(sending.broken(failed))

    def run(self, job: Job[In, Out], inputs: Iterable[In]) -> list[Out]:
        found: list[Out] = []
        progress = bar(self.settings.progress, inputs, job.method)
        try:
            for answered in self._rounds(job, inputs):
                found += answered
                progress.update(len(answered))
        finally:
            progress.close()
        return found

    def stream(self, job: Job[In, Out], inputs: Iterable[In]) -> Iterator[Out]:
        for answered in self._rounds(job, inputs):
            yield from answered

    def _rounds(self, job: Job[In, Out],
                inputs: Iterable[In]) -> Iterator[list[Out]]:
        waiting: deque[Call] = deque()
        try:
            for part in parts(job, inputs, self.settings):
                waiting.append(Call(self, job.method, part))
                if len(waiting) >= self.settings.concurrency:
                    yield results(job, waiting.popleft().result())
            while waiting:
                yield results(job, waiting.popleft().result())
        finally:
            # One failed, or the caller wants no more.
            for call in waiting:
                call.cancel()

    def close(self) -> None:
        self._channel.close()

    def __enter__(self) -> Client:
        return self

    def __exit__(self, *exception: object) -> None:
        self.close()

