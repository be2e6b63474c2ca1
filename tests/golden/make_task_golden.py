#!/usr/bin/env python3
"""Writes what the transformers pipelines answer, for tests/server/tasks.

tests/golden/tasks holds two small tokenizers as `save_pretrained` writes them
(v1: byte-level BPE, v3: Unigram) and one JSON list of cases a task. A case has
its tokenizer, inputs, parameters, the ids of the sequences that the pipeline
gave to its model, and the pipeline's results.

No network is computed: the model's forward is replaced by fake_logits() of
task_oracle.py, a hash of seed, ids, row and column that the C++ test repeats,
so that no logits need to be stored and any difference in ids shows.

Needs transformers 4.57.1, torch, tokenizers, sentencepiece:

  python tests/golden/make_task_golden.py
"""

import json
import math
import pathlib
import random

import numpy as np
import transformers
from transformers.pipelines import question_answering

import task_tokenizers
from task_oracle import Oracle

HERE = pathlib.Path(__file__).resolve().parent / "tasks"

WORDS = """Marta Lindqvist Paris France Berlin Germany Oslo Lisbon Contoso
Ahmed Khan New York the old harbour at dawn walked down capital of is and
in 1994 company offices moved letter was found ship arrived don't who's they'll
great terrible films water boils 100 degrees river flows north valley sea town
München Zürich 東京 🙂 naïve 3.5% (sea) "we" x-ray unbelievably""".split()

TEXTS = [
    "Marta Lindqvist walked down to the harbour in Oslo.",
    "Paris is the capital of France, and Berlin is the capital of Germany.",
    "  Two  spaces   and\ttabs\nand lines \n",
    "In 1994 the Northwind Company moved from Oslo to Lisbon\u2026",
    "Don't say they'll come; Dr. Khan's \u00bd price (3.5%) fell.",
    "München und Zürich: große Häuser 🙂🙂 in 東京, naïve \ufb01lms.",
    "x",
    "[CLS] typed by hand [SEP] and [UNK] too",
    "tail space ",
    "\u3000wide\u3000space\u00a0and e\u0301 combining \U0001F468\u200D\U0001F469",
    "UNBELIEVABLY LONG WORDS: antidisestablishmentarianism!!! ???",
    "New York, New York: the old town; the old harbour.",
]

WHITE_SPACE = ("\t\n\v\f\r \x85\xa0\u1680\u2000\u2001\u2002\u2003\u2004\u2005"
               "\u2006\u2007\u2008\u2009\u200a\u2028\u2029\u202f\u205f\u3000")
UNITS = ("code_points", "utf8_bytes", "utf16_code_units")


def in_unit(text, position, unit):
    head = text[:position]
    if unit == "utf8_bytes":
        return len(head.encode())
    if unit == "utf16_code_units":
        return len(head.encode("utf-16-le")) // 2
    return position


def trimmed(text, start, end):
    while start < end and text[start] in WHITE_SPACE:
        start += 1
    while end > start and text[end - 1] in WHITE_SPACE:
        end -= 1
    return start, end


def location(text, start, end, unit):
    """The reference's own span; the trimmed one in `unit` and its text."""
    end = max(start, end)
    begin, stop = trimmed(text, start, end) if text[start:end].strip(
        WHITE_SPACE) else (start, start)
    return [start, end, in_unit(text, begin, unit), in_unit(text, stop, unit),
            text[begin:stop]]


def score(value):
    return float(f"{float(value):.6g}")


def sentence(rng, words):
    return " ".join(rng.choice(WORDS) for _ in range(words)) + rng.choice(".?!")


def classify_cases(rng, name, tokenizer):
    heads = [(3, None), (1, None), (5, "multi_label_classification"),
             (1, "regression"), (2, "single_label_classification"),
             (4, "regression")]
    for number, (labels, problem) in enumerate(heads):
        names = [f"label {i}" for i in range(labels)]
        oracle = Oracle("text-classification", name, tokenizer,
                        id2label=dict(enumerate(names)), problem_type=problem)
        for i in range(9):
            text = TEXTS[(i + number) % len(TEXTS)] if i < 6 else sentence(
                rng, 30)
            pair = sentence(rng, rng.choice((2, 12, 40))) if i % 3 else ""
            function = (None, "softmax", "sigmoid", "none")[i % 4]
            top_k = (None, 1, 2, 50)[rng.randrange(4)]
            limit = (None, 16, 9)[i % 3] if i % 2 else None
            seed = rng.getrandbits(32)
            kwargs = {"top_k": top_k}
            if function:
                kwargs["function_to_apply"] = function
            if limit:
                kwargs |= {"truncation": True, "max_length": limit}
            inputs = {"text": text, "text_pair": pair} if pair else text
            result = oracle.ask(seed, inputs, **kwargs)
            if result and isinstance(result[0], list):
                result = result[0]
            yield {"tokenizer": name, "seed": seed, "text": text, "pair": pair,
                   "labels": names, "problem_type": problem or "",
                   "function": function or "", "top_k": top_k or 0,
                   "max_tokens": limit or 512, "sequences": oracle.sequences,
                   "results": [[names.index(r["label"]), score(r["score"])]
                               for r in result]}


def tag_cases(rng, name, tokenizer):
    names = ["O", "B-PER", "I-PER", "B-LOC", "I-LOC", "MISC", "B-ORG-X"]
    oracle = Oracle("token-classification", name, tokenizer,
                    id2label=dict(enumerate(names)))
    ignores = (None, [], ["PER", "I-PER", "O"], ["MISC"])
    for strategy in ("none", "simple", "first", "average", "max"):
        for i in range(len(TEXTS) + 10):
            text = TEXTS[i] if i < len(TEXTS) else sentence(
                rng, rng.choice((3, 20, 60)))
            limit, stride = 512, None
            if i % 3 == 2:
                limit = rng.choice((8, 12, 20))
                if strategy != "none" and i % 2:
                    stride = rng.choice((0, 1, 3, limit - 3))
            ignore = ignores[i % 4]
            unit = UNITS[rng.randrange(3)]
            seed = rng.getrandbits(32)
            oracle.pipe.tokenizer.model_max_length = limit
            kwargs = {} if stride is None else {"stride": stride}
            oracle.pipe._preprocess_params.clear()
            result = oracle.ask(seed, text, aggregation_strategy=strategy,
                                ignore_labels=ignore, **kwargs)
            oracle.pipe.tokenizer.model_max_length = 512
            yield {"tokenizer": name, "seed": seed, "text": text,
                   "labels": names, "aggregation": strategy,
                   # The reference's empty list ignores nothing.
                   "ignore_labels": ignore or [], "keep_ignored": ignore == [],
                   "max_tokens": limit, "unit": unit,
                   "policy": "truncate" if stride is None else "window",
                   "stride": stride or 0, "sequences": oracle.sequences,
                   "results": [
                       [r.get("entity", r.get("entity_group")),
                        score(r["score"]), r.get("index", 0)]
                       + location(text, r["start"], r["end"], unit)
                       for r in result]}


def squad_v2(oracle, seed, question, context, parameters):
    """The SQuAD 2 rule: see spec 3.8. Answers as (span or None, score)."""
    tokenizer = oracle.pipe.tokenizer
    windows = tokenizer(
        question, context, truncation="only_second",
        max_length=parameters["max_seq_len"], stride=parameters["doc_stride"],
        return_overflowing_tokens=True, return_offsets_mapping=True)
    oracle.seed = seed
    oracle.sequences = []
    null, found = math.inf, []
    for w, ids in enumerate(windows["input_ids"]):
        oracle.sequences.append(ids)
        logits = oracle.logits(ids, 2, 0.5)
        null = min(null, float(logits[0, 0] + logits[0, 1]))
        starts, ends = (np.argsort(-logits[:, c])[:20] for c in (0, 1))
        inside = windows.sequence_ids(w)
        spans = windows["offset_mapping"][w]
        found += [((spans[i][0], spans[j][1]),
                   float(logits[i, 0] + logits[j, 1]))
                  for i in starts for j in ends
                  if inside[i] == 1 and inside[j] == 1
                  and 0 <= j - i < parameters["max_answer_len"]]
    best = sorted(found + [(None, null)], key=lambda a: -a[1])[:20]
    if not any(span is None for span, _ in best):
        best.append((None, null))
    exps = [math.exp(total - best[0][1]) for _, total in best]
    ranked = [(span, total, e / sum(exps))
              for (span, total), e in zip(best, exps)]
    chosen = next((a for a in ranked if a[0] and a[0][0] < a[0][1]), None)
    if chosen is None or null - chosen[1] > parameters["null_threshold"]:
        chosen = next(a for a in ranked if a[0] is None)
    ranked.remove(chosen)
    return [(a[0], a[2]) for a in [chosen] + ranked][:parameters["top_k"]]


def answer_cases(rng, name, tokenizer):
    oracle = Oracle("question-answering", name, tokenizer)
    questions = ["Who walked down?", "Where is Berlin", " 東京? ",
                 "When did the ship arrive at the old harbour in 1994?"]
    for i in range(110):
        question = questions[i % len(questions)]
        context = (TEXTS[i % len(TEXTS)] if i % 3 == 0
                   else sentence(rng, rng.choice((5, 25, 60, 120))))
        if i % 7 == 3:
            context = " ".join([TEXTS[i % len(TEXTS)]] * 3)
        window = rng.choice((384, 384, 64, 48))
        stride = rng.choice((None, 1, 8))
        room = window - len(tokenizer(question)["input_ids"]) - 1
        if stride is None and min(window // 2, 128) >= room:
            stride = 2  # the reference fails
        parameters = {
            "top_k": rng.choice((1, 1, 3, 8, 40)),
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
            answers = squad_v2(oracle, seed, question, context, parameters | {
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
            null = [a for a in answers if a["answer"] == ""
                    and a["start"] == a["end"] == 0]
            results = [[score(a["score"]),
                        parameters["handle_impossible_answer"] and a in null]
                       + location(context, a["start"], a["end"], unit)
                       for a in answers]
        yield {"tokenizer": name, "seed": seed, "question": question,
               "context": context, "rule": rule, "null_threshold": threshold,
               "stride": stride or 0, "unit": unit,
               "sequences": oracle.sequences, "results": results} | {
                   key: parameters[key] for key in (
                       "top_k", "max_answer_len", "handle_impossible_answer",
                       "align_to_words", "max_seq_len")}


def fill_cases(rng, name, tokenizer):
    oracle = Oracle("fill-mask", name, tokenizer)
    vocabulary = sorted(tokenizer.get_vocab())
    frames = ["Paris is the [MASK] of France.", "[MASK]", "x[MASK]y [MASK] z",
              "The [MASK] sat  on the [MASK], don't [MASK] it.",
              "before [SEP] [MASK] after", " [MASK] München 🙂", "[MASK][MASK]"]
    for i in range(42):
        text = frames[i % len(frames)]
        targets = []
        if i % 3 == 1:
            targets = ["capital", rng.choice(vocabulary), "▁the", "Ġthe",
                       "harbour"][:rng.randrange(1, 6)]
            targets += targets[:1] + ([""] if i % 2 else [])
        top_k = rng.choice((None, 1, 3, 12))
        seed = rng.getrandbits(32)
        kwargs = {"targets": targets} if targets else {}
        if top_k:
            kwargs["top_k"] = top_k
        result = oracle.ask(seed, text, **kwargs)
        result = result if isinstance(result[0], list) else [result]
        yield {"tokenizer": name, "seed": seed, "text": text,
               "targets": targets, "top_k": top_k or 0,
               "vocab_size": oracle.config.vocab_size,
               "sequences": oracle.sequences,
               "results": [[[r["token"], r["token_str"], score(r["score"]),
                             r["sequence"]] for r in row]
                           for row in result]}


def tokenize_cases(rng, name, tokenizer):
    for i in range(len(TEXTS) * 3):
        text = TEXTS[i % len(TEXTS)] if i else ""
        pair = TEXTS[rng.randrange(len(TEXTS))] if i % 3 == 1 else ""
        special = i % 4 != 2
        unit = UNITS[rng.randrange(3)]
        encoding = tokenizer(
            text, pair or None, add_special_tokens=special,
            return_offsets_mapping=True, return_special_tokens_mask=True,
            return_token_type_ids=True)
        offsets = [
            [in_unit(pair if sequence == 1 else text, p, unit) for p in span]
            for span, sequence in zip(encoding["offset_mapping"],
                                      encoding.sequence_ids())]
        yield {"tokenizer": name, "text": text, "pair": pair, "unit": unit,
               "add_special_tokens": special, "ids": encoding["input_ids"],
               "tokens": tokenizer.convert_ids_to_tokens(
                   encoding["input_ids"]),
               "type_ids": encoding["token_type_ids"],
               "special_tokens_mask": encoding["special_tokens_mask"],
               "offsets": offsets}


def drop_zero_cells():
    """The reference may answer with cells of score 0, in no defined order."""
    decode = question_answering.decode_spans

    def positive(*args):
        starts, ends, scores = decode(*args)
        return starts[scores > 0], ends[scores > 0], scores[scores > 0]
    question_answering.decode_spans = positive


def main():
    transformers.logging.set_verbosity_error()
    drop_zero_cells()
    HERE.mkdir(exist_ok=True)
    loaded = {name: task_tokenizers.make(name, HERE / "tokenizers" / name)
              for name in ("v1", "v3")}
    for task, make in (("classify", classify_cases), ("tag_tokens", tag_cases),
                       ("answer_question", answer_cases),
                       ("fill_mask", fill_cases), ("tokenize", tokenize_cases)):
        rng = random.Random(task)
        cases = [case for name, tokenizer in loaded.items()
                 for case in make(rng, name, tokenizer)]
        lines = ",\n".join(json.dumps(case, ensure_ascii=False,
                                      separators=(",", ":"))
                           for case in cases)
        (HERE / f"{task}.json").write_text(f"[\n{lines}\n]\n")
        print(task, len(cases))


if __name__ == "__main__":
    main()
