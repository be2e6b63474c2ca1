"""The rows of a table: JSONL, CSV or Parquet, read one after another."""

from __future__ import annotations

import csv
import gzip
import io
import json
import os
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO, Protocol

FORMATS = ("jsonl", "csv", "parquet")
# More of one line than this is no row.
LONGEST_LINE = 64 << 20
_PARQUET_ROWS = 256


class TableError(Exception):
    """A table that cannot be read or written."""


@dataclass(frozen=True, slots=True)
class Row:
    """Values by column; problem says why a row has none."""

    values: dict[str, Any]
    problem: str = ""


class Rows(Protocol):
    def __iter__(self) -> Iterator[Row]: ...
    def share(self) -> float | None:
        """How much of the table was read, from 0 to 1; None: not known."""
    def close(self) -> None: ...


def format_of(path: Path, named: str | None) -> str:
    if named is not None:
        return named
    suffixes = [s for s in path.suffixes if s != ".gz"]
    name = suffixes[-1][1:].lower() if suffixes else ""
    name = {"ndjson": "jsonl", "pq": "parquet"}.get(name, name)
    if name not in FORMATS:
        raise TableError(f"{path}: expected a name that ends in .jsonl, .csv or "
                         ".parquet; --input_format and --output_format name others")
    return name


def parquet(path: Path) -> Any:
    """pyarrow.parquet."""
    try:
        import pyarrow.parquet
    except ImportError as error:
        raise TableError(f'{path}: Parquet needs pyarrow: pip install '
                         '"deberta-client[parquet]"') from error
    return pyarrow.parquet


class _File:
    """Bytes, unpacked where they are gzip's."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.raw = open(path, "rb")
        self._size = os.fstat(self.raw.fileno()).st_size
        self.bytes: BinaryIO = self.raw
        if path.suffix == ".gz":
            self.bytes = gzip.GzipFile(fileobj=self.raw)  # type: ignore[assignment]

    def share(self) -> float | None:
        return self.raw.tell() / self._size if self._size else None

    def close(self) -> None:
        self.raw.close()


class JsonLines(_File):
    def __iter__(self) -> Iterator[Row]:
        while line := self.bytes.readline(LONGEST_LINE):
            if len(line) == LONGEST_LINE and not line.endswith(b"\n"):
                while (more := self.bytes.readline(LONGEST_LINE)) and (
                        not more.endswith(b"\n")):
                    pass
                yield Row({}, f"a line of more than {LONGEST_LINE} bytes")
            elif line.strip():
                yield self._row(line)

    @staticmethod
    def _row(line: bytes) -> Row:
        try:
            values = json.loads(line)
        except (ValueError, RecursionError) as error:
            return Row({}, f"no JSON: {error}")
        if not isinstance(values, dict):
            return Row({}, f"expected a JSON object, got {type(values).__name__}")
        return Row(values)


class Csv(_File):
    """With a header."""

    def __init__(self, path: Path, columns: Sequence[str]) -> None:
        super().__init__(path)
        csv.field_size_limit(min(LONGEST_LINE, sys.maxsize))
        # What is no UTF-8 fails where it is sent, as its row's error.
        self._reader = csv.DictReader(io.TextIOWrapper(
            self.bytes, "utf-8-sig", errors="surrogateescape", newline=""))
        try:
            header = self._reader.fieldnames or ()
        except csv.Error as error:
            raise TableError(f"{path}: {error}") from error
        _all_there(path, columns, header)

    def __iter__(self) -> Iterator[Row]:
        try:
            for values in self._reader:
                more = values.pop(None, None)
                yield Row(values, f"{len(more)} fields more than the header has"
                          if more else "")
        except csv.Error as error:
            raise TableError(
                f"{self.path}: line {self._reader.line_num}: {error}") from error


class Parquet:
    def __init__(self, path: Path, columns: Sequence[str]) -> None:
        self._file = parquet(path).ParquetFile(path)
        _all_there(path, columns, self._file.schema_arrow.names)
        self._columns = list(columns)
        self._rows = self._file.metadata.num_rows
        self._read = 0

    def __iter__(self) -> Iterator[Row]:
        for batch in self._file.iter_batches(_PARQUET_ROWS, columns=self._columns):
            for values in batch.to_pylist():
                self._read += 1
                yield Row(values)

    def share(self) -> float | None:
        return self._read / self._rows if self._rows else None

    def close(self) -> None:
        self._file.close()


def _all_there(path: Path, columns: Sequence[str], header: Sequence[str]) -> None:
    missing = [c for c in columns if c not in header]
    if missing:
        raise TableError(f"{path}: no column {', '.join(map(repr, missing))}; it has "
                         f"{', '.join(map(repr, header))}")


def open_rows(path: Path, format: str, columns: Sequence[str]) -> Rows:
    """Those of `columns`, and where it costs nothing others."""
    if path.exists() and not path.is_file():
        raise TableError(f"{path}: no file that could be read again")
    try:
        if format == "jsonl":
            return JsonLines(path)
        return (Csv if format == "csv" else Parquet)(path, columns)
    except OSError as error:
        raise TableError(f"{path}: {error.strerror or error}") from error
    except ValueError as error:  # pyarrow's, of a file that is none
        raise TableError(f"{path}: {error}") from error
