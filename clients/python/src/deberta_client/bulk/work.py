"""What a table still owes: rows under way on several streams, answers that wait for
their turn. No more of the table is held than WINDOW rows and MOST_BYTES."""

from __future__ import annotations

import json
import threading
import time
from collections import Counter
from collections.abc import Iterator
from typing import Any

from deberta_client.bulk.jobs import Asker, RowError
from deberta_client.bulk.rows import Row
from deberta_client.errors import CallError
from deberta_client.process import MOST_UNDER_WAY, Ledger

# Read and not yet written: answers come in any order and are written in that of
# the rows, and a refused row comes back seconds later.
WINDOW = 4096
MOST_BYTES = 64 << 20
# Of one request, with room for its id and tags: a longer one ends the stream.
MOST_REQUEST_BYTES = (4 << 20) - 256

# Every row would fail alike.
_OF_ALL_ROWS = {"NOT_FOUND", "FAILED_PRECONDITION", "UNAUTHENTICATED",
                "PERMISSION_DENIED", "UNIMPLEMENTED"}


def line(key: Any, **found: Any) -> bytes:
    """Of the journal."""
    text = json.dumps({"key": key, **found}, ensure_ascii=False,
                      separators=(",", ":"))
    return text.encode("utf-8", "backslashreplace") + b"\n"


def failed(error: CallError) -> dict[str, str]:
    return {"code": error.code, "reason": error.reason, "message": error.message}


class Work:
    """Shared by the threads of the streams, those in which gRPC reads their
    requests, and the one that writes. first is the number of rows[0], from 1."""

    def __init__(self, rows: Iterator[Row], asker: Asker, first: int,
                 max_request_bytes: int = MOST_REQUEST_BYTES) -> None:
        self._rows = rows
        self._asker = asker
        self._max_request_bytes = max_request_bytes
        self._changed = threading.Condition()
        # As often as it takes: who waits too long for an answer is silent_for().
        self._ledger = Ledger[int](1 << 62, WINDOW)
        self._read = self._written = first - 1
        self._keys: dict[int, Any] = {}
        self._sizes: dict[int, int] = {}
        self._done: dict[int, bytes] = {}
        self._held = 0
        self._open: dict[int, int] = {}
        self._stopped = False
        self._answer_at = time.monotonic()
        self.by_stream: Counter[int] = Counter()
        self.errors = 0
        self.failed: Exception | None = None

    @property
    def done(self) -> bool:
        return self._ledger.done

    @property
    def ended(self) -> bool:
        """Nothing more is to be sent."""
        return self._stopped or self._ledger.done

    def stop(self) -> None:
        with self._changed:
            self._stopped = True
            self._changed.notify_all()

    def fail(self, error: Exception) -> None:
        with self._changed:
            self.failed = self.failed or error
            self._stopped = True
            self._changed.notify_all()

    def pause(self, seconds: float) -> None:
        """Until then or the end."""
        with self._changed:
            self._changed.wait_for(lambda: self.ended, seconds)

    def silent_for(self) -> float:
        """Seconds since the last answer."""
        with self._changed:
            return time.monotonic() - self._answer_at

    def under_way(self, stream: int) -> int:
        with self._changed:
            return self._ledger.under_way(stream)

    # What streams do.

    def begin(self, stream: int) -> Iterator[Any]:
        """The requests of a stream, for gRPC, until it is broken or all is
        answered."""
        with self._changed:
            turn = self._open[stream] = self._open.get(stream, 0) + 1
        return iter(lambda: self._next(stream, turn), None)

    def answered(self, stream: int, response: Any) -> None:
        with self._changed:
            self._answer_at = time.monotonic()
            found = self._ledger.answered(response, stream)
            if found is not None:
                if found.error is not None and found.error.code in _OF_ALL_ROWS:
                    return self.fail(found.error)
                self.by_stream[stream] += 1
                self._finish(found.key, **(
                    {"result": found.result} if found.error is None
                    else {"error": failed(found.error)}))
            self._changed.notify_all()

    def broken(self, stream: int, error: CallError) -> float:
        """Seconds until the stream may begin again; other streams may send what
        it had. CallError: it need not try."""
        with self._changed:
            self._open[stream] += 1
            self._changed.notify_all()
            return self._ledger.broken(error, stream)

    def _next(self, stream: int, turn: int) -> Any:
        ledger = self._ledger
        with self._changed:
            while not self.ended and self._open[stream] == turn:
                wait = None
                if ledger.under_way(stream) < MOST_UNDER_WAY:
                    if (id := ledger.due(stream)) is not None:
                        return ledger.message(id)
                    if self._has_room():
                        if (message := self._read_one(stream)) is not None:
                            return message
                        continue
                    wait = ledger.seconds_to_next()
                self._changed.wait(wait)
            return None

    def _has_room(self) -> bool:
        return (not self._ledger.source_ended and
                self._read - self._written < WINDOW and self._held < MOST_BYTES)

    def _read_one(self, stream: int) -> Any:
        """The request of the next row; None: there is none, or the row cannot be
        sent."""
        try:
            row = next(self._rows, None)
        except Exception as error:
            self.fail(error)
            return None
        if row is None:
            self._ledger.source_ended = True
            self._changed.notify_all()
            return None
        self._read += 1
        number = self._read
        key = self._keys[number] = self._asker.key(number, row)
        try:
            if isinstance(key, str):
                key.encode()
            message = self._message(number, row, stream)
        except (RowError, ValueError) as error:
            # ValueError: of a text that is no UTF-8.
            if isinstance(error, UnicodeError):
                error = RowError("not valid UTF-8")
                if isinstance(key, str):
                    self._keys[number] = key.encode(
                        "utf-8", "replace").decode()
            self._sizes[number] = 0
            self._finish(number, error={"code": "INVALID_ARGUMENT",
                                        "reason": "ROW_NOT_SENT",
                                        "message": f"row {number}: {error}"})
            self._changed.notify_all()
            return None
        size = self._sizes[number] = message.ByteSize()
        self._held += size
        return message

    def _message(self, number: int, row: Row, stream: int) -> Any:
        job, value = self._asker.ask(row)
        message = job.message(value)
        size = (len(message.encode()) if isinstance(message, str)
                else message.ByteSize()) + job.request.ByteSize()
        if size > self._max_request_bytes:
            raise RowError(f"{size} bytes, a request may have "
                           f"{self._max_request_bytes}")
        return self._ledger.message(self._ledger.add(number, job, value, stream))

    def _finish(self, number: int, **found: Any) -> None:
        self.errors += "error" in found
        self._held -= self._sizes.pop(number)
        self._done[number] = line(self._keys.pop(number), **found)
        self._held += len(self._done[number])

    # What the writer does.

    def take(self, seconds: float) -> list[bytes]:
        """The next lines of the journal, once there are some; none: time is up, or
        no more will come."""
        lines: list[bytes] = []
        with self._changed:
            self._changed.wait_for(
                lambda: self._written + 1 in self._done or self.ended, seconds)
            while (found := self._done.pop(self._written + 1, None)) is not None:
                lines.append(found)
                self._held -= len(found)
                self._written += 1
            if lines:
                self._changed.notify_all()
        return lines
