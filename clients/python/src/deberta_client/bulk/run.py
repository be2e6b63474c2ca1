"""One run: from a table to a table."""

from __future__ import annotations

import contextlib
import signal
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from types import FrameType
from typing import Any

from deberta_client.bulk.jobs import TASKS, Asker
from deberta_client.bulk.journal import Journal
from deberta_client.bulk.report import Report, clock
from deberta_client.bulk.rows import TableError, format_of, open_rows
from deberta_client.bulk.streams import Stream
from deberta_client.bulk.tables import write_table
from deberta_client.bulk.work import MOST_REQUEST_BYTES, Work
from deberta_client.client import Client
from deberta_client.errors import CallError

ANSWERED, ERRORS, USAGE, STOPPED = range(4)
_SYNC_SECONDS = 5.0


@dataclass(frozen=True)
class Run:
    """What the command line says. columns: the table's by those of the task."""

    task: str
    input: Path
    output: Path
    columns: dict[str, str]
    options: dict[str, Any]
    key: str | None = None
    input_format: str | None = None
    output_format: str | None = None
    servers: tuple[str, ...] = ("localhost:50051",)
    client: dict[str, Any] = field(default_factory=dict)
    streams: int = 1
    patience: float = 300.0
    stall_seconds: float = 120.0
    max_request_bytes: int = MOST_REQUEST_BYTES
    restart: bool = False
    json: bool = False

    def job(self) -> dict[str, Any]:
        """What another run must have in common with this one to go on with it."""
        found = self.input.stat()
        return {"task": self.task, "input": str(self.input.resolve()),
                "input_bytes": found.st_size, "input_time": found.st_mtime_ns,
                "key": self.key, "columns": self.columns,
                "options": {name: list(v) if isinstance(v, tuple) else v
                            for name, v in self.options.items()},
                "exact": bool(self.client.get("exact"))}


@contextlib.contextmanager
def _signals() -> Iterator[list[str]]:
    """The names of those of SIGINT and SIGTERM that came."""
    came: list[str] = []

    def stop(number: int, frame: FrameType | None) -> None:
        came.append(signal.Signals(number).name)
    before = {n: signal.signal(n, stop) for n in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield came
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def bulk(run: Run) -> int:
    """The exit code: every row has an answer, some have errors, the run cannot
    begin, or it stopped before its end."""
    try:
        with contextlib.ExitStack() as stack:
            return _Bulk(run, stack).run()
    except TableError as error:
        print(f"deberta-client: {error}", file=sys.stderr)
        return USAGE


class _Bulk:
    def __init__(self, run: Run, stack: contextlib.ExitStack) -> None:
        self._run = run
        self._task = TASKS[run.task]
        source = format_of(run.input, run.input_format)
        self._format = format_of(run.output, run.output_format)
        columns = [*run.columns.values(), *([run.key] if run.key else [])]
        rows = open_rows(run.input, source, columns)
        stack.callback(rows.close)
        self._share = rows.share
        asker = Asker(self._task, run.columns, run.options, run.key)
        each = iter(rows)
        self._journal = Journal(run.output, run.job(), run.restart)
        stack.callback(self._journal.close)
        self._journal.catch_up(each, asker)
        self._rows = self._first = self._journal.rows
        self._earlier_errors = self._journal.errors
        self._work = Work(each, asker, self._first + 1, run.max_request_bytes)
        clients = [stack.enter_context(Client(server, **run.client))
                   for server in run.servers]
        self._streams = [
            Stream(number, run.servers[number % len(clients)],
                   clients[number % len(clients)], self._work, run.stall_seconds)
            for number in range(len(clients) * run.streams)]
        self._report = Report(run.task, self._first, run.json)

    def run(self) -> int:
        began = time.monotonic()
        for stream in self._streams:
            stream.start()
        with _signals() as came:
            try:
                self._answer_all(came)
            finally:
                self._end()
        stopped = str(self._work.failed or (
            "" if self._work.done else came[0]))
        self._tell(last=True)
        rows = self._rows - self._first
        text = (f"{self._rows:,} rows, {self._errors:,} with an error; "
                f"{rows:,} in {clock(time.monotonic() - began)}")
        if stopped:
            print(f"deberta-client: stopped: {stopped}\n{text}; the same command "
                  "goes on from there", file=sys.stderr)
            return STOPPED
        self._journal.sync()
        write_table(self._journal.path, self._run.output, self._format, self._task)
        self._journal.finished()
        print(text, file=sys.stderr)
        return ERRORS if self._errors else ANSWERED

    @property
    def _errors(self) -> int:
        return self._earlier_errors + self._work.errors

    def _answer_all(self, signals: list[str]) -> None:
        synced = time.monotonic()
        while not signals:
            lines = self._work.take(0.1)
            self._write(lines)
            if not lines and self._work.ended:
                return
            for stream in self._streams:
                stream.watch()
            if self._work.silent_for() > self._run.patience:
                self._work.fail(CallError(
                    "UNAVAILABLE", f"no answer for {self._run.patience:g} s: " +
                    "; ".join(f"{s.target}: {s.trouble or 'silent'}"
                              for s in self._streams)))
            if time.monotonic() - synced > _SYNC_SECONDS:
                self._journal.sync()
                synced = time.monotonic()
            self._tell()

    def _write(self, lines: list[bytes]) -> None:
        if lines:
            self._journal.write(lines)
            self._rows += len(lines)

    def _end(self) -> None:
        """Also what was answered meanwhile is written."""
        self._work.stop()
        for stream in self._streams:
            stream.cancel()
        for stream in self._streams:
            stream.join(10)
        self._write(self._work.take(0))

    def _tell(self, last: bool = False) -> None:
        servers = []
        for target in self._run.servers:
            of_it = [s for s in self._streams if s.target == target]
            servers.append({
                "server": target,
                "rows": sum(self._work.by_stream[s.number] for s in of_it),
                "connected": any(s.connected for s in of_it)})
        self._report.now(self._rows, self._errors, self._share(), servers, last)
