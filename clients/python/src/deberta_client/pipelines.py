"""What transformers.pipeline() gives, answered by a server.

    from transformers import pipeline     becomes
    from deberta_client import pipeline

Inputs and outputs are those of transformers 4.57, except that a server's entities
and answers hold no white space at their ends, and `word` is the text itself.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from deberta_client.client import Client
from deberta_client.types import Answer, Labels, Pair, Question

_ALIASES = {"sentiment-analysis": "text-classification",
            "ner": "token-classification"}


class Pipeline:
    """Call it with an input, a list, or an iterator, which it answers one by one."""

    # Whether a list of one input is answered as that input.
    lone_is_single = False

    def __init__(self, client: Client, model: str, **options: Any) -> None:
        self.client = client
        self.model = model
        self.options = options

    def __call__(self, inputs: Any, **options: Any) -> Any:
        if (self.lone_is_single and isinstance(inputs, (list, tuple)) and
                len(inputs) == 1):
            inputs = inputs[0]
        asked = options
        options = {**self.options, **options}
        client = self.client
        if (size := options.pop("batch_size", None)) is not None:
            client = client.with_options(batch_size=size)
        if self._single(inputs):
            return self._one(next(self._answers(client, [inputs], options)),
                             inputs, asked)
        answers = self._answers(client, inputs, options)
        return list(answers) if isinstance(inputs, (list, tuple)) else answers

    def _single(self, inputs: Any) -> bool:
        return isinstance(inputs, (str, dict))

    def _one(self, answer: Any, inputs: Any, asked: dict[str, Any]) -> Any:
        """What a lone input gives; asked are the options of this call."""
        return answer

    def _answers(self, client: Client, inputs: Any,
                 options: dict[str, Any]) -> Iterator[Any]:
        raise NotImplementedError


def _length(options: dict[str, Any]) -> dict[str, Any]:
    """truncation=True is transformers' word for it."""
    if options.pop("truncation", False):
        return {"length_policy": "truncate"}
    return {key: options.pop(key) for key in ("length_policy", "stride")
            if key in options}


def _left(options: dict[str, Any]) -> None:
    if options:
        raise TypeError(f"unknown options: {', '.join(sorted(options))}")


def _text(value: Any) -> str | Pair:
    if isinstance(value, dict):
        return (Pair(value["text"], value["text_pair"])
                if value.get("text_pair") else str(value["text"]))
    return str(value)


class TextClassification(Pipeline):
    def _one(self, answer: Any, inputs: Any, asked: dict[str, Any]) -> Any:
        # transformers' own rule.
        return answer if isinstance(inputs, dict) or "top_k" in asked else [answer]

    def _answers(self, client: Client, inputs: Any,
                 options: dict[str, Any]) -> Iterator[Any]:
        options = dict(options)
        plain = "top_k" not in options
        top_k = options.pop("top_k", 1)
        function = options.pop("function_to_apply", None)
        length = _length(options)
        _left(options)
        for found in client.classify.stream(
                map(_text, inputs), self.model, top_k=top_k or 0,
                function=function, **length):
            labels = [{"label": f.label, "score": f.score} for f in found]
            yield labels[0] if plain else labels


class TokenClassification(Pipeline):
    def _answers(self, client: Client, inputs: Any,
                 options: dict[str, Any]) -> Iterator[Any]:
        options = dict(options)
        strategy = str(options.pop("aggregation_strategy", "none"))
        ignore = options.pop("ignore_labels", ["O"])
        length = _length(options)
        if "stride" in options:
            length = {"length_policy": "window", "stride": options.pop("stride")}
        _left(options)
        for found in client.tag.stream(
                inputs, self.model, aggregation=strategy,  # type: ignore[arg-type]
                ignore_labels=ignore, keep_ignored=not ignore, **length):
            if strategy == "none":
                yield [{"entity": e.label, "score": e.score,
                        "index": e.token_index, "word": e.text,
                        "start": e.start, "end": e.end} for e in found]
            else:
                yield [{"entity_group": e.label, "score": e.score,
                        "word": e.text, "start": e.start, "end": e.end}
                       for e in found]


class QuestionAnswering(Pipeline):
    lone_is_single = True

    def __call__(self, inputs: Any = None, *, question: Any = None,
                 context: Any = None, **options: Any) -> Any:
        if inputs is None:
            if isinstance(question, str):
                inputs = {"question": question, "context": context}
            else:
                contexts = ([context] * len(question)
                            if isinstance(context, str) else context)
                inputs = [{"question": q, "context": c}
                          for q, c in zip(question, contexts, strict=True)]
        return super().__call__(inputs, **options)

    def _answers(self, client: Client, inputs: Any,
                 options: dict[str, Any]) -> Iterator[Any]:
        options = dict(options)
        top_k = options.pop("top_k", 1)
        asked: dict[str, Any] = {}
        for theirs, ours in (("max_answer_len", "max_answer_tokens"),
                             ("doc_stride", "stride"),
                             ("max_seq_len", "max_window_tokens"),
                             ("handle_impossible_answer",) * 2,
                             ("align_to_words",) * 2):
            if theirs in options:
                asked[ours] = options.pop(theirs)
        _left(options)

        def told(found: Answer) -> dict[str, Any]:
            return {"score": found.score, "start": found.start,
                    "end": found.end, "answer": found.text}
        questions = (Question(i["question"], i["context"]) for i in inputs)
        for found in client.answer.stream(questions, self.model, top_k=top_k,
                                          **asked):
            answers = [told(answer) for answer in found]
            yield answers[0] if len(answers) == 1 else answers


class FillMask(Pipeline):
    lone_is_single = True

    def _answers(self, client: Client, inputs: Any,
                 options: dict[str, Any]) -> Iterator[Any]:
        options = dict(options)
        top_k, targets = options.pop("top_k", 5), options.pop("targets", None)
        targets = [targets] if isinstance(targets, str) else targets or []
        length = _length(options)
        _left(options)
        for found in client.fill_mask.stream(
                inputs, self.model, top_k=top_k, targets=targets, **length):
            masks = [[{"score": w.score, "token": w.token_id,
                       "token_str": w.token, "sequence": w.sequence}
                      for w in words] for words in found]
            yield masks[0] if len(masks) == 1 else masks


class ZeroShotClassification(Pipeline):
    def __call__(self, inputs: Any, candidate_labels: Any = None,
                 **options: Any) -> Any:
        if candidate_labels is not None:
            options["candidate_labels"] = candidate_labels
        return super().__call__(inputs, **options)

    def _answers(self, client: Client, inputs: Any,
                 options: dict[str, Any]) -> Iterator[Any]:
        options = dict(options)
        labels = options.pop("candidate_labels")
        if isinstance(labels, str):
            labels = [label.strip() for label in labels.split(",")]
        template = options.pop("hypothesis_template", "")
        multi_label = options.pop("multi_label", False)
        length = _length(options)
        _left(options)
        texts: list[str] = []

        def kept() -> Iterator[str]:
            for text in inputs:
                texts.append(text)
                yield text
        for found in client.zero_shot.stream(
                kept(), labels, self.model, template=template,
                multi_label=multi_label, **length):
            yield _zero_shot(texts.pop(0), found)


def _zero_shot(text: str, found: Labels) -> dict[str, Any]:
    return {"sequence": text, "labels": [f.label for f in found],
            "scores": [f.score for f in found]}


class FeatureExtraction(Pipeline):
    def _answers(self, client: Client, inputs: Any,
                 options: dict[str, Any]) -> Iterator[Any]:
        options = dict(options)
        length = _length(options)
        _left(options)
        for found in client.encode.stream(inputs, self.model, pooling="none",
                                          **length):
            # A batch of one, as transformers has it.
            yield [[list(vector) for vector in found]]


_TASKS: dict[str, Callable[..., Pipeline]] = {
    "text-classification": TextClassification,
    "token-classification": TokenClassification,
    "question-answering": QuestionAnswering,
    "fill-mask": FillMask,
    "zero-shot-classification": ZeroShotClassification,
    "feature-extraction": FeatureExtraction,
}


def pipeline(task: str, model: str = "", *, server: str | Client = "localhost:50051",
             **options: Any) -> Any:
    """model is the server's name of it; server its address, or a Client with a
    token, TLS or other options. Other options are the task's, as in transformers."""
    name = _ALIASES.get(task, task)
    if name not in _TASKS:
        raise ValueError(f"unknown task {task!r}: expected one of "
                         f"{', '.join(sorted([*_TASKS, *_ALIASES]))}")
    client = server if isinstance(server, Client) else Client(server)
    return _TASKS[name](client, model, **options)


