"""What goes in and what comes out.

A result is a sequence of what was found, best first or in the order of the text,
that also tells how much of the input was read.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Generic, Literal, TypeVar, Union, overload

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Pair:
    """Two texts that are read together."""

    text: str
    text_pair: str


@dataclass(frozen=True, slots=True)
class Choices:
    """A text and the answers that a multiple choice model chooses from."""

    text: str
    choices: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Question:
    """A question and the text to look for its answer in."""

    question: str
    context: str


Text = Union[str, Pair]
AnyText = Union[str, Pair, Choices]


@dataclass(frozen=True, slots=True)
class Coverage:
    """How much of an input was read."""

    tokens_total: int
    tokens_used: int
    windows: int
    truncated: bool


@dataclass(frozen=True, slots=True)
class Label:
    label: str
    index: int
    score: float


@dataclass(frozen=True, slots=True)
class Entity:
    """text is input[start:end]."""

    label: str
    score: float
    text: str
    start: int
    end: int
    token_index: int


@dataclass(frozen=True, slots=True)
class Wanted:
    """A label to extract entities of. The model reads the description in place of
    the name; threshold None: that of the call."""

    name: str
    description: str = ""
    threshold: float | None = None


@dataclass(frozen=True, slots=True)
class Extracted:
    """An entity of a label of the caller's own; text is input[start:end]. labels
    are the best of it, if asked for by top_k."""

    label: str
    label_index: int
    score: float
    text: str
    start: int
    end: int
    labels: tuple[Label, ...] = ()


@dataclass(frozen=True, slots=True)
class Field:
    """Of a Structure: one value ("str") or any number of them. With choices a value
    is one of these; threshold None: that of the call."""

    name: str
    type: Literal["list", "str"] = "list"
    choices: tuple[str, ...] = ()
    description: str = ""
    threshold: float | None = None


@dataclass(frozen=True, slots=True)
class Structure:
    """To look for, as often as the text has it."""

    name: str
    fields: tuple[Field, ...]


@dataclass(frozen=True, slots=True)
class Relation:
    """To look for between two stretches of the text."""

    name: str
    description: str = ""
    threshold: float | None = None


@dataclass(frozen=True, slots=True)
class Value:
    """text is input[start:end]; a choice has no place."""

    text: str
    score: float
    start: int | None
    end: int | None


@dataclass(frozen=True, slots=True)
class FoundStructure:
    """structure_index is of what was asked for; values by the name of the field,
    best first."""

    name: str
    structure_index: int
    fields: dict[str, tuple[Value, ...]]


@dataclass(frozen=True, slots=True)
class FoundRelation:
    """relation_index is of what was asked for."""

    name: str
    relation_index: int
    head: Value
    tail: Value


@dataclass(frozen=True, slots=True)
class Structured:
    structures: tuple[FoundStructure, ...]
    relations: tuple[FoundRelation, ...]
    coverage: Coverage


@dataclass(frozen=True, slots=True)
class Ranked:
    """A document, by its index in what the caller gave."""

    index: int
    score: float
    coverage: Coverage


@dataclass(frozen=True, slots=True)
class Answer:
    """text is context[start:end]; empty where there is no answer."""

    text: str
    score: float
    start: int
    end: int
    no_answer: bool


@dataclass(frozen=True, slots=True)
class Word:
    """A word for a mask; sequence is the input with it."""

    token: str
    token_id: int
    score: float
    sequence: str


@dataclass(frozen=True, slots=True)
class _Found(Sequence[T], Generic[T]):
    items: tuple[T, ...]
    coverage: Coverage

    def __len__(self) -> int:
        return len(self.items)

    @overload
    def __getitem__(self, index: int) -> T: ...
    @overload
    def __getitem__(self, index: slice) -> tuple[T, ...]: ...
    def __getitem__(self, index: int | slice) -> T | tuple[T, ...]:
        return self.items[index]


@dataclass(frozen=True, slots=True)
class Labels(_Found[Label]):
    """Best first."""

    logits: tuple[float, ...] = ()


@dataclass(frozen=True, slots=True)
class Entities(_Found[Entity]):
    """In the order of the text."""


@dataclass(frozen=True, slots=True)
class ExtractedEntities(_Found[Extracted]):
    """In the order of the text; of those that begin at one word, best first."""


@dataclass(frozen=True, slots=True)
class Answers(_Found[Answer]):
    """Best first."""


@dataclass(frozen=True, slots=True)
class Masks(_Found["tuple[Word, ...]"]):
    """The words of each mask, best first."""


@dataclass(frozen=True, slots=True)
class Vectors(_Found["tuple[float, ...]"]):
    """One, or one a token, which tokens names, with pooling "none"."""

    tokens: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Tokens:
    """Parallel lists. Offsets are (start, end) in the text."""

    ids: tuple[int, ...]
    tokens: tuple[str, ...]
    type_ids: tuple[int, ...]
    special: tuple[bool, ...]
    offsets: tuple[tuple[int, int], ...]


@dataclass(frozen=True, slots=True)
class Model:
    """A model that is served; what stands below tasks is None but of one that
    was asked for by its name."""

    name: str
    family: str
    precision: str
    sha256: str
    tasks: tuple[str, ...]
    labels: tuple[str, ...] | None = None
    max_tokens: int | None = None
    hidden_size: int | None = None
