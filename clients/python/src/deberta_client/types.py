"""What goes in and what comes out.

A result is a sequence of what was found, best first or in the order of the text,
that also tells how much of the input was read.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar, Union, overload

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
    """A model that is served; what stands below tasks is known of one that was
    asked for by its name alone."""

    name: str
    family: str
    precision: str
    sha256: str
    tasks: tuple[str, ...]
    labels: tuple[str, ...] = ()
    max_tokens: int = 0
    hidden_size: int = 0
