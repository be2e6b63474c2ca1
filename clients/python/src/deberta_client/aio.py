"""The client for asyncio. As Client, with await and async for."""

from __future__ import annotations

import asyncio
import contextlib
import dataclasses
from collections import deque
from collections.abc import AsyncIterable, AsyncIterator, Callable, Iterable
from typing import Any, Generic, ParamSpec, overload

import grpc
import grpc.aio

from deberta_client import tasks
from deberta_client.channel import Settings, Tls, Token, open_channel
from deberta_client.errors import CallError, call_error
from deberta_client.process import Key, Ledger, Processed
from deberta_client.progress import bar
from deberta_client.retry import Attempts
from deberta_client.split import Part, Splitter, lone, results
from deberta_client.tasks import In, Job, Out
from deberta_client.types import Model, Ranked
from deberta_client.v1 import deberta_pb2 as pb
from deberta_client.v1 import deberta_pb2_grpc

P = ParamSpec("P")


class AsyncMethod(Generic[In, Out, P]):
    """await client.classify(text), await client.classify(texts) or
    async for found in client.classify.stream(texts)."""

    def __init__(self, client: AsyncClient,
                 job: Callable[P, Job[In, Out]]) -> None:
        self._client = client
        self._job = job
        self.__doc__ = job.__doc__

    @overload
    async def __call__(self, inputs: In, *args: P.args,
                       **options: P.kwargs) -> Out: ...
    @overload
    async def __call__(self, inputs: Iterable[In] | AsyncIterable[In],
                       *args: P.args, **options: P.kwargs) -> list[Out]: ...
    async def __call__(self, inputs: Any, *args: P.args,
                       **options: P.kwargs) -> Any:
        job: Job[Any, Any] = self._job(*args, **options)
        if lone(job, inputs):
            return (await self._client.run(job, [inputs]))[0]
        return await self._client.run(job, inputs)

    def stream(self, inputs: Iterable[In] | AsyncIterable[In], *args: P.args,
               **options: P.kwargs) -> AsyncIterator[Out]:
        """Results in the order of the inputs, of which no more are read than are
        under way."""
        return self._client.stream(self._job(*args, **options), inputs)


async def _parts(job: Job[In, Out], inputs: Iterable[In] | AsyncIterable[In],
                 settings: Settings) -> AsyncIterator[Part]:
    splitter = Splitter(job, settings)
    if isinstance(inputs, AsyncIterable):
        async for value in inputs:
            if (part := splitter.add(value)) is not None:
                yield part
    else:
        for value in inputs:
            if (part := splitter.add(value)) is not None:
                yield part
    if (part := splitter.rest()) is not None:
        yield part


class _Source:
    """Items, none of which is lost when who waits for it is cancelled."""

    def __init__(self, items: Any) -> None:
        self._items = (aiter(items) if isinstance(items, AsyncIterable)
                       else _each(items))
        self._task: asyncio.Task[Any] | None = None

    async def next(self) -> Any:
        """None: there are no more."""
        if self._task is None:
            self._task = asyncio.create_task(self._read())
        item = await asyncio.shield(self._task)
        self._task = None
        return item

    async def _read(self) -> Any:
        return await anext(self._items, None)

    async def close(self) -> None:
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)


async def _each(items: Iterable[In]) -> AsyncIterator[In]:
    for item in items:
        yield item


async def _write(call: Any, ledger: Ledger[Any], source: _Source,
                 changed: asyncio.Event) -> None:
    """The requests of one stream, until all are answered or it breaks."""
    try:
        while not ledger.done:
            changed.clear()
            id = ledger.due()
            if id is None and (ledger.full or ledger.source_ended):
                with contextlib.suppress(asyncio.TimeoutError):
                    await asyncio.wait_for(changed.wait(),
                                           ledger.seconds_to_next())
                continue
            if id is None:
                item = await source.next()
                if item is None:
                    ledger.source_ended = True
                    continue
                id = ledger.add(*item)
            await call.write(ledger.message(id))
        await call.done_writing()
    except (grpc.RpcError, asyncio.InvalidStateError):
        pass  # the reader tells why
    except Exception:
        call.cancel()
        raise


class AsyncClient:
    """As Client; its options are the same."""

    def __init__(self, target: str = "localhost:50051", *,
                 tls: Tls | bool = False, token: Token = None,
                 timeout: float | None = 60.0, max_attempts: int = 5,
                 batch_size: int = 32, max_request_bytes: int = 3 << 20,
                 concurrency: int = 4, exact: bool = False,
                 priority: str | None = None, progress: bool = False) -> None:
        self._open(open_channel(grpc.aio, target, tls), Settings(
            token=token, timeout=timeout, max_attempts=max_attempts,
            batch_size=batch_size, max_request_bytes=max_request_bytes,
            concurrency=concurrency, exact=exact, priority=priority,
            progress=progress))

    def _open(self, channel: Any, settings: Settings) -> None:
        self.settings = settings
        self._channel = channel
        self.stub = deberta_pb2_grpc.DebertaServiceStub(channel)
        self.classify = AsyncMethod(self, tasks.classify)
        self.tag = AsyncMethod(self, tasks.tag)
        self.answer = AsyncMethod(self, tasks.answer)
        self.fill_mask = AsyncMethod(self, tasks.fill_mask)
        self.zero_shot = AsyncMethod(self, tasks.zero_shot)
        self.extract = AsyncMethod(self, tasks.extract)
        self.structured = AsyncMethod(self, tasks.structured)
        self.encode = AsyncMethod(self, tasks.encode)
        self.tokenize = AsyncMethod(self, tasks.tokenize)

    def with_options(self, **changes: Any) -> AsyncClient:
        """The same connection with other options than target and tls."""
        other = AsyncClient.__new__(AsyncClient)
        other._open(self._channel, dataclasses.replace(self.settings, **changes))
        return other

    async def models(self) -> list[Model]:
        """Those that are served."""
        response = await self._call("ListModels",
                                    Part(pb.ListModelsRequest(), 0))
        return [tasks.served(model) for model in response.models]

    async def model(self, name: str = "") -> Model:
        """One in detail; "": the only one."""
        response = await self._call("GetModel",
                                    Part(pb.GetModelRequest(model=name), 0))
        return tasks.served(response.model, response)

    async def _call(self, method: str, part: Part) -> Any:
        attempts = Attempts(self.settings.timeout, self.settings.max_attempts)
        while True:
            try:
                return await getattr(self.stub, method)(
                    part.request, timeout=attempts.time_left(),
                    metadata=self.settings.metadata())
            except grpc.RpcError as error:
                failed = call_error(error, part.first)
            wait = attempts.wait_after(failed)
            if wait is None:
                raise failed
            await asyncio.sleep(wait)

    async def rerank(
        self, query: str, documents: Iterable[str] | AsyncIterable[str],
        model: str = "", *, top_k: int = 0, **options: Any,
    ) -> list[Ranked]:
        """As Client.rerank()."""
        return tasks.best_first(
            await self.run(tasks.score(query, model, **options), documents), top_k)

    async def process(
        self, items: Iterable[tuple[Key, Job[Any, Any], Any]] |
        AsyncIterable[tuple[Key, Job[Any, Any], Any]],
    ) -> AsyncIterator[Processed[Key]]:
        """As Client.process()."""
        ledger = Ledger[Key](self.settings.max_attempts)
        source = _Source(items)
        try:
            while not ledger.done:
                async for found in self._one_stream(ledger, source):
                    yield found
        finally:
            await source.close()

    async def _one_stream(self, ledger: Ledger[Key],
                          source: _Source) -> AsyncIterator[Processed[Key]]:
        """Until all is answered, or the stream breaks and another may begin."""
        call = self.stub.Process(metadata=self.settings.metadata())
        changed = asyncio.Event()
        writer = asyncio.create_task(_write(call, ledger, source, changed))
        failed = CallError("UNAVAILABLE", "the stream ended early")
        try:
            async for response in call:
                found = ledger.answered(response)
                changed.set()
                if found is not None:
                    yield found
        except grpc.RpcError as error:
            failed = call_error(error)
            # Of a connection that broke while a message was written.
            if failed.message == "Internal error from Core":
                failed = CallError("UNAVAILABLE", failed.message)
        except asyncio.CancelledError:
            # gRPC's way to tell that the writer cancelled the call.
            if not writer.done():
                raise
        finally:
            writer.cancel()
            call.cancel()
            ended, = await asyncio.gather(writer, return_exceptions=True)
        if isinstance(ended, Exception):
            raise ended
        if not ledger.done:
            await asyncio.sleep(ledger.broken(failed))

    async def run(self, job: Job[In, Out],
                  inputs: Iterable[In] | AsyncIterable[In]) -> list[Out]:
        found: list[Out] = []
        progress = bar(self.settings.progress, inputs, job.method)
        try:
            async for answered in self._rounds(job, inputs):
                found += answered
                progress.update(len(answered))
        finally:
            progress.close()
        return found

    async def stream(
        self, job: Job[In, Out], inputs: Iterable[In] | AsyncIterable[In],
    ) -> AsyncIterator[Out]:
        async for answered in self._rounds(job, inputs):
            for one in answered:
                yield one

    async def _rounds(
        self, job: Job[In, Out], inputs: Iterable[In] | AsyncIterable[In],
    ) -> AsyncIterator[list[Out]]:
        waiting: deque[asyncio.Task[Any]] = deque()
        try:
            async for part in _parts(job, inputs, self.settings):
                waiting.append(
                    asyncio.create_task(self._call(job.method, part)))
                if len(waiting) >= self.settings.concurrency:
                    yield results(job, await waiting.popleft())
            while waiting:
                yield results(job, await waiting.popleft())
        finally:
            # One failed, or the caller wants no more.
            for task in waiting:
                task.cancel()
            await asyncio.gather(*waiting, return_exceptions=True)

    async def close(self) -> None:
        await self._channel.close()

    async def __aenter__(self) -> AsyncClient:
        return self

    async def __aexit__(self, *exception: object) -> None:
        await self.close()
