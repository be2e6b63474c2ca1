"""Cases of AnswerQuestion for make_task_golden.py."""

import json
import pathlib
import tempfile

import numpy as np
from transformers.pipelines import question_answering

from task_oracle import Oracle
from task_texts import (TEXTS, UNITS, location, odd_text, score, sentence)

NO_ANSWER = ""


class Context(str):
    """Slices of it are their positions, "3:17"; empty ones are empty."""

    def __getitem__(self, part):
        empty = not str(self)[part]
        return NO_ANSWER if empty else f"{part.start}:{part.stop}"


class SquadV2:
    """postprocess_qa_predictions of the examples of transformers."""

    def __init__(self, postprocess, oracle):
        self.postprocess = postprocess
        self.oracle = oracle

    def windows(self, question, context, parameters):
        """Features as the example's prepare_validation_features makes them."""
        right = self.oracle.tokenizer.padding_side == "right"
        encoded = self.oracle.tokenizer(
            question if right else context, context if right else question,
            truncation="only_second" if right else "only_first",
            max_length=parameters["max_seq_len"],
            stride=parameters["doc_stride"], return_overflowing_tokens=True,
            return_offsets_mapping=True)
        return [{"example_id": "0", "input_ids": ids, "offset_mapping": [
            span if of == (1 if right else 0) else None
            for span, of in zip(encoded["offset_mapping"][w],
                                encoded.sequence_ids(w))]}
            for w, ids in enumerate(encoded["input_ids"])]

    def ask(self, seed, question, context, parameters):
        """Answers as (span or None, score): what the rule chose, then the
        others of the n-best list in its order."""
        features = self.windows(question, context, parameters)
        self.oracle.seed = seed
        self.oracle.sequences = [f["input_ids"] for f in features]
        logits = [self.oracle.logits(ids, 2, 0.5)
                  for ids in self.oracle.sequences]
        with tempfile.TemporaryDirectory() as scratch:
            chosen = self.postprocess(
                Examples(context), features,
                tuple([rows[:, c] for rows in logits] for c in (0, 1)),
                version_2_with_negative=True,
                max_answer_length=parameters["max_answer_len"],
                null_score_diff_threshold=parameters["null_threshold"],
                output_dir=scratch)["0"]
            best = json.loads(pathlib.Path(
                scratch, "nbest_predictions.json").read_text())["0"]
        best = [(a["text"], a["probability"]) for a in best]
        first = next(a for a in best if a[0] == chosen)
        best.remove(first)
        spans = [(tuple(map(int, text.split(":"))) if text else None, value)
                 for text, value in [first] + best]
        assert sum(span is None for span, _ in spans) == 1, "ambiguous"
        return spans[:parameters["top_k"]]


class Examples(list):
    """A data set of one example: rows by position, columns by name."""

    def __init__(self, context):
        super().__init__([{"id": "0", "context": Context(context)}])

    def __getitem__(self, key):
        return ["0"] if key == "id" else super().__getitem__(key)


def within(context, answer):
    """The span; one of the question's, as with padding on the left, may end
    after the context."""
    return [min(answer[key], len(context)) for key in ("start", "end")]


def answer_cases(rng, name, tokenizer, postprocess):
    oracle = Oracle("question-answering", name, tokenizer)
    squad = SquadV2(postprocess, oracle)
    questions = ["Who walked down?", "Where is Berlin", " 東京? ",
                 "When did the ship arrive at the old harbour in 1994?"]
    for i in range(350):
        question = questions[i % len(questions)]
        context = TEXTS[i % len(TEXTS)]
        if i % 3:
            make = odd_text if i % 2 else sentence
            context = make(rng, rng.choice((5, 25, 60, 120)))
        if i % 7 == 3:
            context = " ".join([TEXTS[i % len(TEXTS)]] * 3)
        window = rng.choice((384, 384, 64, 48))
        stride = rng.choice((None, 1, 8))
        room = window - len(tokenizer(question)["input_ids"]) - 1
        if stride is None and min(window // 2, 128) >= room:
            stride = 2  # the reference fails
        parameters = {
            "top_k": rng.choice((1, 1, 3, 8, 8, 40) if i < 110 else (1, 2, 5)),
            "max_answer_len": rng.choice((15, 15, 1, 4, 400)),
            "handle_impossible_answer": rng.random() < 0.4,
            "align_to_words": rng.random() < 0.6,
            "max_seq_len": window}
        if stride is not None:
            parameters["doc_stride"] = stride
        seed = rng.getrandbits(32)
        unit = UNITS[rng.randrange(3)]
        rule, threshold = "pipeline", 0.0
        if i % 4 == 1:
            rule, threshold = "squad_v2", rng.choice((0.0, -4.0, 4.0, 1e6))
            answers = squad.ask(seed, question, context, parameters | {
                "null_threshold": threshold,
                "doc_stride": min(window // 2, 128) if stride is None
                else stride})
            results = [[score(value), span is None]
                       + location(context, *(span or (0, 0)), unit)
                       for span, value in answers]
        else:
            answers = oracle.ask(seed, question=question, context=context,
                                 **parameters)
            answers = answers if isinstance(answers, list) else [answers]
            # With padding on the left, [SEP] is an answer of that form too.
            null = [a for a in answers if a["answer"] == ""
                    and a["start"] == a["end"] == 0
                    and a["score"] == null_scores[-1]]
            results = [[score(a["score"]),
                        parameters["handle_impossible_answer"] and a in null]
                       + location(context, *within(context, a), unit)
                       for a in answers]
        yield {"tokenizer": name, "seed": seed, "question": question,
               "context": context, "rule": rule, "null_threshold": threshold,
               "stride": stride or 0, "unit": unit,
               "sequences": oracle.digests(), "results": results} | {
                   key: parameters[key] for key in (
                       "top_k", "max_answer_len", "handle_impossible_answer",
                       "align_to_words", "max_seq_len")}


null_scores = []  # after each window of each call


def note_null_scores():
    """The pipeline's answers do not tell which is "no answer"."""
    select = question_answering.select_starts_ends

    def noting(*args):
        selected = select(*args)
        null_scores.append(selected[3])
        return selected
    question_answering.select_starts_ends = noting


def drop_zero_cells():
    """The reference may answer with cells of score 0, in no defined order."""
    decode = question_answering.decode_spans

    def positive(*args):
        starts, ends, scores = decode(*args)
        return starts[scores > 0], ends[scores > 0], scores[scores > 0]
    question_answering.decode_spans = positive
