"""Each method: its request, and what becomes of its answer.

To add one, write the function here and name it in client.py and aio.py.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Generic, Literal, TypeVar

from deberta_client.types import (
    Answer, Answers, AnyText, Choices, Coverage, Entities, Entity, Extracted,
    ExtractedEntities, FoundRelation, FoundStructure, Label, Labels, Masks, Model,
    Pair, Question, Ranked, Relation, Structure, Structured, Text, Tokens, Value,
    Vectors, Wanted, Word)
from deberta_client.v1 import deberta_pb2 as pb

In = TypeVar("In")
Out = TypeVar("Out")

LengthPolicy = Literal["reject", "truncate", "window"]
OffsetUnit = Literal["code_points", "utf8_bytes", "utf16_code_units"]

# Offsets in Python's str.
_UNIT: OffsetUnit = "code_points"


@dataclass(frozen=True)
class Job(Generic[In, Out]):
    """A call without its inputs, which go to the field `inputs` of its request.
    `kinds` are the types of one input."""

    method: str
    request: Any
    kinds: tuple[type, ...]
    message: Callable[[In], Any]
    result: Callable[[Any], Out]
    inputs: str = "inputs"

    def check(self, name: object, value: object) -> None:
        """TypeError if the value, which is told by that name, is no input."""
        if not isinstance(value, self.kinds):
            raise TypeError(f"{name}: expected {self.wanted}, got "
                            f"{type(value).__name__}")

    @property
    def wanted(self) -> str:
        return ", ".join(kind.__name__ for kind in self.kinds)


def _enum(prefix: str, name: str | None) -> Any:
    if name is None:
        return 0
    value = getattr(pb, f"{prefix}_{name.upper()}", None)
    if value is None:
        known = [known.removeprefix(prefix + "_").lower() for known in dir(pb)
                 if known.startswith(prefix + "_") and
                 not known.endswith("_UNSPECIFIED")]
        raise ValueError(f"{prefix.lower()}: expected one of {', '.join(known)}, "
                         f"got {name!r}")
    return value


def _coverage(result: Any) -> Coverage:
    found = result.coverage
    return Coverage(found.tokens_total, found.tokens_used, found.windows,
                    found.truncated)


def _text(value: AnyText) -> Any:
    if isinstance(value, Pair):
        return pb.TextInput(text=value.text, text_pair=value.text_pair)
    if isinstance(value, Choices):
        return pb.TextInput(text=value.text, choices=value.choices)
    return pb.TextInput(text=value)


def _plain(value: str) -> str:
    return value


def _label_scores(found: Any) -> tuple[Label, ...]:
    return tuple(Label(f.label, f.index, f.score) for f in found)


def _labels(result: Any) -> Labels:
    return Labels(_label_scores(result.labels), _coverage(result),
                  tuple(getattr(result, "logits", ())))


def classify(
    model: str = "", *,
    function: Literal["softmax", "sigmoid", "none"] | None = None,
    top_k: int = 0, return_logits: bool = False,
    length_policy: LengthPolicy = "reject", stride: int = 0,
) -> Job[AnyText, Labels]:
    """Labels of texts or pairs, or the best of choices; top_k 0: all."""
    return Job("Classify", pb.ClassifyRequest(
        model=model, function=_enum("FUNCTION", function), top_k=top_k,
        return_logits=return_logits, stride=stride,
        length_policy=_enum("LENGTH_POLICY", length_policy),
    ), (str, Pair, Choices), _text, _labels)


def tag(
    model: str = "", *,
    aggregation: Literal["none", "simple", "first", "average", "max"] = "simple",
    ignore_labels: Sequence[str] = (), keep_ignored: bool = False,
    length_policy: LengthPolicy = "reject", stride: int = 0,
    offset_unit: OffsetUnit = _UNIT, raw_offsets: bool = False,
) -> Job[str, Entities]:
    """Entities of texts."""
    def result(found: Any) -> Entities:
        return Entities(tuple(
            Entity(e.label, e.score, e.text, e.start, e.end, e.token_index)
            for e in found.entities), _coverage(found))
    return Job("TagTokens", pb.TagTokensRequest(
        model=model, aggregation=_enum("AGGREGATION", aggregation),
        ignore_labels=ignore_labels, keep_ignored=keep_ignored, stride=stride,
        length_policy=_enum("LENGTH_POLICY", length_policy),
        offset_unit=_enum("OFFSET_UNIT", offset_unit), raw_offsets=raw_offsets,
    ), (str,), _plain, result)


def answer(
    model: str = "", *, top_k: int = 1, max_answer_tokens: int = 0,
    handle_impossible_answer: bool = False, stride: int = 0,
    max_window_tokens: int = 0, align_to_words: bool = True,
    rule: Literal["pipeline", "squad_v2"] = "pipeline",
    null_threshold: float = 0.0, offset_unit: OffsetUnit = _UNIT,
    raw_offsets: bool = False,
) -> Job[Question, Answers]:
    """Spans that answer questions about contexts of any length."""
    def message(value: Question) -> Any:
        return pb.QuestionInput(question=value.question, context=value.context)

    def result(found: Any) -> Answers:
        return Answers(tuple(
            Answer(a.text, a.score, a.start, a.end, a.no_answer)
            for a in found.answers), _coverage(found))
    return Job("AnswerQuestion", pb.AnswerQuestionRequest(
        model=model, top_k=top_k, max_answer_tokens=max_answer_tokens,
        handle_impossible_answer=handle_impossible_answer, stride=stride,
        max_window_tokens=max_window_tokens, align_to_words=align_to_words,
        rule=_enum("RULE", rule), null_threshold=null_threshold,
        offset_unit=_enum("OFFSET_UNIT", offset_unit), raw_offsets=raw_offsets,
    ), (Question,), message, result)


def fill_mask(
    model: str = "", *, top_k: int = 5, targets: Sequence[str] = (),
    length_policy: LengthPolicy = "reject",
) -> Job[str, Masks]:
    """Words for each [MASK]."""
    def result(found: Any) -> Masks:
        return Masks(tuple(tuple(
            Word(c.token, c.token_id, c.score, c.sequence)
            for c in mask.candidates) for mask in found.masks), _coverage(found))
    return Job("FillMask", pb.FillMaskRequest(
        model=model, top_k=top_k, targets=targets,
        length_policy=_enum("LENGTH_POLICY", length_policy),
    ), (str,), _plain, result)


def zero_shot(
    labels: Sequence[str], model: str = "", *, template: str = "",
    prompt: str = "", multi_label: bool = False,
    length_policy: LengthPolicy = "reject", stride: int = 0,
) -> Job[str, Labels]:
    """Scores of labels that the caller brings: `template` is read by models of
    entailment, `prompt` by GLiClass."""
    return Job("ClassifyZeroShot", pb.ClassifyZeroShotRequest(
        model=model, labels=labels, hypothesis_template=template, prompt=prompt,
        multi_label=multi_label, stride=stride,
        length_policy=_enum("LENGTH_POLICY", length_policy),
    ), (str,), _plain, _labels)


def extract(
    labels: Sequence[str | Wanted], model: str = "", *,
    threshold: float | None = None,
    overlap: Literal["flat", "nested"] = "flat", multi_label: bool = False,
    top_k: int = 0, length_policy: LengthPolicy = "reject", stride: int = 0,
    offset_unit: OffsetUnit = _UNIT,
) -> Job[str, ExtractedEntities]:
    """Entities of labels that the caller brings, by a GLiNER model."""
    wanted = (label if isinstance(label, Wanted) else Wanted(label)
              for label in labels)

    def result(found: Any) -> ExtractedEntities:
        return ExtractedEntities(tuple(
            Extracted(e.label, e.label_index, e.score, e.text, e.start, e.end,
                      _label_scores(e.labels))
            for e in found.entities), _coverage(found))
    return Job("ExtractEntities", pb.ExtractEntitiesRequest(
        model=model, labels=[pb.EntityLabel(
            name=w.name, description=w.description, threshold=w.threshold)
            for w in wanted],
        threshold=threshold, overlap=_enum("OVERLAP", overlap),
        multi_label=multi_label, top_k=top_k, stride=stride,
        length_policy=_enum("LENGTH_POLICY", length_policy),
        offset_unit=_enum("OFFSET_UNIT", offset_unit),
    ), (str,), _plain, result)


def structured(
    structures: Sequence[Structure] = (), relations: Sequence[str | Relation] = (),
    model: str = "", *, threshold: float | None = None,
    length_policy: LengthPolicy = "reject", stride: int = 0,
    offset_unit: OffsetUnit = _UNIT,
) -> Job[str, Structured]:
    """Structures and relations of the caller's own, by a GLiNER2 model."""
    wanted = (relation if isinstance(relation, Relation) else Relation(relation)
              for relation in relations)

    def value(found: Any) -> Value:
        placed = found.HasField("start")
        return Value(found.text, found.score, found.start if placed else None,
                     found.end if placed else None)

    def result(found: Any) -> Structured:
        return Structured(
            tuple(FoundStructure(
                s.name, s.structure_index,
                {f.name: tuple(map(value, f.values)) for f in s.fields})
                for s in found.structures),
            tuple(FoundRelation(r.name, r.relation_index, value(r.head),
                                value(r.tail)) for r in found.relations),
            _coverage(found))
    return Job("ExtractStructured", pb.ExtractStructuredRequest(
        model=model, threshold=threshold, stride=stride,
        structures=[pb.StructureSchema(name=s.name, fields=[pb.StructureField(
            name=f.name, type=_enum("FIELD_TYPE", f.type), choices=f.choices,
            description=f.description, threshold=f.threshold) for f in s.fields])
            for s in structures],
        relations=[pb.RelationSchema(
            name=r.name, description=r.description, threshold=r.threshold)
            for r in wanted],
        length_policy=_enum("LENGTH_POLICY", length_policy),
        offset_unit=_enum("OFFSET_UNIT", offset_unit),
    ), (str,), _plain, result)


def score(
    query: str, model: str = "", *, raw_scores: bool = False,
    length_policy: LengthPolicy = "reject", stride: int = 0,
) -> Job[str, Ranked]:
    """How well documents fit a query, in the order of the documents, with the
    index in their request; best_first() ranks them."""
    def result(found: Any) -> Ranked:
        return Ranked(found.index, found.score, _coverage(found))
    return Job("Rerank", pb.RerankRequest(
        model=model, query=query, raw_scores=raw_scores, stride=stride,
        length_policy=_enum("LENGTH_POLICY", length_policy),
    ), (str,), _plain, result, inputs="documents")


def best_first(scored: Sequence[Ranked], top_k: int = 0) -> list[Ranked]:
    """Of one query's documents, in their order; of equal scores the lower index
    first. top_k 0: all."""
    ranked = sorted((Ranked(index, found.score, found.coverage)
                     for index, found in enumerate(scored)),
                    key=lambda found: -found.score)
    return ranked[:top_k] if top_k else ranked


def encode(
    model: str = "", *, pooling: Literal["cls", "mean", "none"] | None = None,
    normalize: bool = False, length_policy: LengthPolicy = "reject",
) -> Job[Text, Vectors]:
    """Vectors of texts, or of their tokens; pooling None: the model's own."""
    def result(found: Any) -> Vectors:
        return Vectors(tuple(tuple(v.values) for v in found.vectors),
                       _coverage(found), tuple(found.tokens))
    return Job("Encode", pb.EncodeRequest(
        model=model, pooling=_enum("POOLING", pooling), normalize=normalize,
        length_policy=_enum("LENGTH_POLICY", length_policy),
    ), (str, Pair), _text, result)


def tokenize(
    model: str = "", *, add_special_tokens: bool = True,
    offset_unit: OffsetUnit = _UNIT,
) -> Job[Text, Tokens]:
    """Tokens of texts of any length."""
    def result(found: Any) -> Tokens:
        return Tokens(tuple(found.ids), tuple(found.tokens),
                      tuple(found.token_type_ids),
                      tuple(map(bool, found.special_tokens_mask)),
                      tuple((o.start, o.end) for o in found.offsets))
    return Job("Tokenize", pb.TokenizeRequest(
        model=model, add_special_tokens=add_special_tokens,
        offset_unit=_enum("OFFSET_UNIT", offset_unit),
    ), (str, Pair), _text, result)


def served(found: Any, more: Any = None) -> Model:
    """Of a ServedModel, and of the GetModelResponse that it stands in."""
    tasks = tuple(pb.Task.Name(task).removeprefix("TASK_").lower()
                  for task in found.tasks)
    base = Model(found.name, found.family, found.precision, found.sha256, tasks)
    if more is None:
        return base
    return Model(base.name, base.family, base.precision, base.sha256, tasks,
                 tuple(more.labels), more.max_tokens, more.hidden_size)
