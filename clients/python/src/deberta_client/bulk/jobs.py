"""What a row asks: the tasks of `deberta-client bulk`, by tasks.py."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from deberta_client import tasks
from deberta_client.bulk.plain import plain
from deberta_client.bulk.rows import Row
from deberta_client.tasks import Job
from deberta_client.types import Choices, Pair, Question

Best = Callable[[dict[str, Any]], dict[str, Any]]


class RowError(Exception):
    """A row that cannot be sent."""


def _first(name: str, *columns: str) -> Best:
    """Of the best of several."""
    def best(result: dict[str, Any]) -> dict[str, Any]:
        found = result[name]
        return {c: found[0][c] if found else None for c in columns}
    return best


def _nothing(result: dict[str, Any]) -> dict[str, Any]:
    return {}


def _text(text: Any, text_pair: Any = None, choices: Any = None) -> Any:
    if choices is not None:
        return Choices(_string("text", text), _strings("choices", choices))
    if text_pair is not None:
        return Pair(_string("text", text), _string("text_pair", text_pair))
    return _string("text", text)


def _question(question: Any, context: Any) -> Question:
    return Question(_string("question", question), _string("context", context))


def _document(query: Any, document: Any) -> str:
    return _string("document", document)


def _string(name: str, value: Any) -> str:
    if not isinstance(value, str):
        raise RowError(f"{name}: expected a string, got {_kind(value)}")
    return value


def _strings(name: str, value: Any) -> tuple[str, ...]:
    if isinstance(value, str):
        value = value.split("|")
    if not isinstance(value, list):
        raise RowError(f"{name}: expected a list of strings or a string with | "
                       f"between them, got {_kind(value)}")
    return tuple(_string(f"{name}[{i}]", v) for i, v in enumerate(value))


def _kind(value: Any) -> str:
    return "nothing" if value is None else type(value).__name__


@dataclass(frozen=True)
class Task:
    """columns are needed of a row, more are read if they are named; value makes
    the input of them all. best are the columns that CSV and Parquet show beside
    the whole result."""

    name: str
    job: Callable[..., Job[Any, Any]]
    help: str
    columns: tuple[str, ...]
    value: Callable[..., Any]
    more: tuple[str, ...] = ()
    best: Best = _nothing


TASKS = {task.name: task for task in (
    Task("classify", tasks.classify, "labels of texts, pairs, or choices",
         ("text",), _text, ("text_pair", "choices"),
         _first("labels", "label", "score")),
    Task("tag", tasks.tag, "entities of texts", ("text",), _text),
    Task("answer", tasks.answer, "answers to questions, in contexts",
         ("question", "context"), _question,
         best=_first("answers", "text", "score", "start", "end")),
    Task("fill", tasks.fill_mask, "words for the masks of texts",
         ("text",), _text),
    Task("zero-shot", tasks.zero_shot, "scores of labels of your own",
         ("text",), _text, best=_first("labels", "label", "score")),
    Task("extract", tasks.extract, "entities of labels of your own",
         ("text",), _text),
    Task("rerank", tasks.score, "how well a document fits a query",
         ("query", "document"), _document,
         best=lambda result: {"score": result["score"]}),
    Task("embed", tasks.encode, "vectors of texts or pairs",
         ("text",), _text, ("text_pair",),
         best=lambda result: {"vector": (
             result["vectors"][0]["values"] if len(result["vectors"]) == 1
             else None)}),
    Task("tokenize", tasks.tokenize, "tokens of texts or pairs",
         ("text",), _text, ("text_pair",)),
)}


class Asker:
    """Rows -> (job, input). columns are those of the table by those of the task;
    options are the task's."""

    def __init__(self, task: Task, columns: dict[str, str],
                 options: dict[str, Any], key: str | None) -> None:
        self._task = task
        self._columns = columns
        self._options = options
        self._key = key
        self._query: str | None = None
        self._job: Job[Any, Any] | None = None

    def _job_of(self, given: dict[str, Any]) -> Job[Any, Any]:
        """The same for all rows, but for their query."""
        query = given.get("query")
        if self._job is None or query != self._query:
            more = {}
            if "query" in self._columns:
                more["query"] = _string("query", query)
            self._query = query
            self._job = dataclasses.replace(
                self._task.job(**more, **self._options), result=plain)
        return self._job

    def key(self, number: int, row: Row) -> str | int | float | None:
        """Of the row; its number where no column is named."""
        if self._key is None:
            return number
        value = row.values.get(self._key)
        if value is None or isinstance(value, (int, float)):
            return value
        return value if isinstance(value, str) else str(value)

    def ask(self, row: Row) -> tuple[Job[Any, Any], Any]:
        """RowError: it cannot be sent."""
        if row.problem:
            raise RowError(row.problem)
        if self._key is not None and row.values.get(self._key) is None:
            raise RowError(f"no key: {self._key!r} is missing")
        given = {name: row.values.get(column)
                 for name, column in self._columns.items()}
        return self._job_of(given), self._task.value(**given)
