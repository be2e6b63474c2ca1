"""The journal as what was asked for: JSONL, CSV or Parquet.

CSV and Parquet have the columns key, error, the task's best, and result: all of
it as JSON."""

from __future__ import annotations

import csv
import json
import os
from collections.abc import Iterator
from itertools import islice
from pathlib import Path
from typing import Any

from deberta_client.bulk.jobs import Task
from deberta_client.bulk.rows import TableError, parquet

_PARQUET_ROWS = 10_000


def write_table(journal: Path, output: Path, format: str, task: Task) -> None:
    """Leaves output whole or as it was."""
    if format == "jsonl":
        os.replace(journal, output)
        return
    new = output.with_name(output.name + ".new")
    try:
        (_write_csv if format == "csv" else _write_parquet)(journal, new, task)
        os.replace(new, output)
    except OSError as error:
        raise TableError(f"{new}: {error.strerror}") from error
    finally:
        new.unlink(missing_ok=True)


def _lines(journal: Path) -> Iterator[dict[str, Any]]:
    with open(journal, "rb") as lines:
        for line in lines:
            yield json.loads(line)


def _columns(task: Task) -> list[str]:
    return list(task.best({"labels": [], "answers": [], "vectors": [],
                           "score": None}))


def _row(found: dict[str, Any], task: Task, names: list[str]) -> dict[str, Any]:
    row: dict[str, Any] = {"key": found["key"], "error": None,
                           **dict.fromkeys(names), "result": None}
    if "error" in found:
        row["error"] = "{code} {reason}: {message}".format(**found["error"])
        return row
    row.update(task.best(found["result"]))
    row["result"] = json.dumps(found["result"], ensure_ascii=False,
                               separators=(",", ":"))
    return row


def _write_csv(journal: Path, new: Path, task: Task) -> None:
    names = _columns(task)
    with open(new, "w", encoding="utf-8", newline="") as out:
        writer = csv.writer(out)
        writer.writerow(["key", "error", *names, "result"])
        for found in _lines(journal):
            row = _row(found, task, names)
            writer.writerow([json.dumps(v) if isinstance(v, list) else v
                             for v in row.values()])


def _write_parquet(journal: Path, new: Path, task: Task) -> None:
    pq = parquet(new)
    import pyarrow as pa
    types = {"label": pa.string(), "score": pa.float32(), "text": pa.string(),
             "start": pa.int32(), "end": pa.int32(),
             "vector": pa.list_(pa.float32())}
    names = _columns(task)
    numbers = all(isinstance(found["key"], (int, type(None)))
                  for found in _lines(journal))
    schema = pa.schema([
        ("key", pa.int64() if numbers else pa.string()), ("error", pa.string()),
        *((name, types[name]) for name in names), ("result", pa.string())])
    lines = _lines(journal)
    with pq.ParquetWriter(new, schema) as writer:
        while batch := list(islice(lines, _PARQUET_ROWS)):
            rows = [_row(found, task, names) for found in batch]
            if not numbers:
                for row in rows:
                    if row["key"] is not None:
                        row["key"] = str(row["key"])
            writer.write_table(pa.Table.from_pylist(rows, schema))
