"""What was answered so far: OUTPUT.partial has a line a row, in their order, and
OUTPUT.job says which run they are of."""

from __future__ import annotations

import fcntl
import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from deberta_client.bulk.jobs import Asker
from deberta_client.bulk.rows import Row, TableError


def beside(output: Path, suffix: str) -> Path:
    return output.with_name(output.name + suffix)


class Journal:
    """Opens that of an earlier run, or begins one. job describes the run: that of
    another job, or one that another process writes, is a TableError."""

    def __init__(self, output: Path, job: dict[str, Any], restart: bool) -> None:
        self.path = beside(output, ".partial")
        self._job_path = beside(output, ".job")
        self._output = output
        self.rows = self.errors = 0
        if output.exists() and not restart:
            raise TableError(f"{output} exists; --restart replaces it")
        try:
            self._job = open(self._job_path, "a+", encoding="utf-8")
            self._lock()
            begun = self._begun(job, restart)
            self._file = open(self.path, "r+b" if begun else "w+b")
        except OSError as error:
            raise TableError(f"{error.filename}: {error.strerror}") from error

    def _lock(self) -> None:
        try:
            fcntl.flock(self._job, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise TableError(f"{self._output} is being written by another run"
                             ) from None

    def _begun(self, job: dict[str, Any], restart: bool) -> bool:
        """Whether an earlier run left something to go on with."""
        self._job.seek(0)
        text = self._job.read()
        if text and not restart and self.path.exists():
            try:
                before = json.loads(text)
            except ValueError:
                before = None
            if before is not None:
                changed = [name for name in sorted({*before, *job})
                           if before.get(name) != job.get(name)]
                if changed:
                    name = changed[0]
                    raise TableError(
                        f"{self.path} was begun with {name}="
                        f"{before.get(name)!r}, now it is {job.get(name)!r}; "
                        "--restart begins anew")
                return True
        self._job.seek(0)
        self._job.truncate()
        self._job.write(json.dumps(job))
        self._job.flush()
        return False

    def catch_up(self, rows: Iterator[Row], asker: Asker) -> None:
        """Reads the rows that have an answer, and holds their keys against it, up
        to the first line that was not written whole."""
        end = 0
        for line in self._file:
            try:
                if not line.endswith(b"\n"):
                    break
                found = json.loads(line)
                key = found["key"]
            except (ValueError, KeyError, TypeError):
                break
            number = self.rows + 1
            row = next(rows, None)
            if row is None:
                raise TableError(f"{self.path} has more rows than the input; "
                                 "--restart begins anew")
            if (theirs := self._written(asker.key(number, row))) != key:
                raise TableError(
                    f"{self.path}: line {number} has the key {key!r}, row {number} "
                    f"of the input {theirs!r}; --restart begins anew")
            self.rows = number
            self.errors += "error" in found
            end += len(line)
        # What follows was cut off while it was written, and is asked again.
        self._file.seek(end)
        self._file.truncate()

    @staticmethod
    def _written(key: Any) -> Any:
        """As it is read again."""
        if isinstance(key, str):
            return key.encode("utf-8", "replace").decode()
        return key

    def write(self, lines: list[bytes]) -> None:
        self._file.write(b"".join(lines))
        self._file.flush()

    def sync(self) -> None:
        os.fsync(self._file.fileno())

    def finished(self) -> None:
        """The output is written."""
        self.path.unlink(missing_ok=True)
        self._job_path.unlink()

    def close(self) -> None:
        self._file.close()
        self._job.close()
