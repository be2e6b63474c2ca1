"""Streams to servers, each in a thread: what one cannot answer the others do."""

from __future__ import annotations

import threading
import time
from typing import Any

import grpc

from deberta_client.bulk.work import Work
from deberta_client.client import Client
from deberta_client.errors import CallError, call_error
from deberta_client.retry import GONE
from deberta_client.v1 import deberta_pb2 as pb

# A server that cannot be had now, and how it is looked for.
_AWAY = GONE | {"DEADLINE_EXCEEDED", "RESOURCE_EXHAUSTED"}
_LOOK_SECONDS = 5.0
_PAUSE_SECONDS = 0.2


class Stream(threading.Thread):
    """number tells it apart from others. stall_seconds: longer without an answer,
    while some are owed, the server counts as gone."""

    def __init__(self, number: int, target: str, client: Client, work: Work,
                 stall_seconds: float) -> None:
        super().__init__(daemon=True)
        self.number = number
        self.target = target
        self.connected = False
        self.trouble: CallError | None = None
        self._client = client
        self._work = work
        self._stall_seconds = stall_seconds
        self._call: Any = None
        self._heard = time.monotonic()
        self._stalled = False

    def run(self) -> None:
        try:
            while self._reached():
                self._one_call()
        except Exception as error:
            self._work.fail(error)

    def _reached(self) -> bool:
        """Whether there is a server, before rows are given to it; False: at the
        end of the work."""
        while not self._work.ended:
            self._call = self._client.stub.ListModels.future(
                pb.ListModelsRequest(), timeout=_LOOK_SECONDS, wait_for_ready=True,
                metadata=self._client.settings.metadata())
            try:
                self._call.result()
                return True
            except grpc.FutureCancelledError:
                continue
            except grpc.RpcError as error:
                self.trouble = call_error(error)
            if self.trouble.code not in _AWAY:
                raise self.trouble
            self._work.pause(_PAUSE_SECONDS)
        return False

    def _one_call(self) -> None:
        self._heard = time.monotonic()
        self._stalled = False
        requests = self._work.begin(self.number)
        self._call = self._client.stub.Process(
            requests, metadata=self._client.settings.metadata())
        failed = CallError("UNAVAILABLE", "the stream ended early")
        try:
            for response in self._call:
                self._heard = time.monotonic()
                self.connected = True
                self._work.answered(self.number, response)
        except grpc.RpcError as error:
            failed = call_error(error)
        if self._stalled:
            failed = CallError(
                "UNAVAILABLE", f"no answer for {self._stall_seconds:g} s")
        self.connected = False
        self._call.cancel()
        if not self._work.ended:
            self.trouble = failed
            self._work.pause(self._work.broken(self.number, failed))

    def watch(self) -> None:
        """Called now and then: gives a server up that does not answer."""
        if self._work.under_way(self.number) == 0:
            self._heard = time.monotonic()
        elif time.monotonic() - self._heard > self._stall_seconds:
            self._stalled = True
            self.cancel()

    def cancel(self) -> None:
        if self._call is not None:
            self._call.cancel()
