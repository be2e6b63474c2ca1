#!/usr/bin/env python3
"""Writes expected.json: what transformers' pipelines answer for the demo models.

To be run again whenever a demo model changes. Needs transformers 4.57.1,
torch and gliner 0.2.29:

  python tests/e2e/make_expected.py
"""

import hashlib
import json
import pathlib

import torch
import transformers
from gliner import GLiNER

from texts import EXTRACTED, GAME, MASKED, QUESTIONS, RECORD, TOOL, long_context

HERE = pathlib.Path(__file__).resolve().parent
DEMO = HERE.parents[1] / "demo"


def pipeline(task, model, **options):
    return transformers.pipeline(task, model=str(DEMO / model),
                                 dtype=torch.float32, device="cpu", **options)


def classify(model):
    texts = [GAME, TOOL]
    run = pipeline("text-classification", model, top_k=3)
    index = run.model.config.label2id
    results = [{"labels": [{"label": found["label"],
                            "index": index[found["label"]],
                            "score": found["score"]} for found in run([text])[0]]}
               for text in texts]
    return {"method": "Classify",
            "request": {"model": model, "top_k": 3,
                        "inputs": [{"text": text} for text in texts]},
            "results": results}


def span(text, start, end):
    """The server's form: without the white space that a token may carry."""
    start += len(text[start:end]) - len(text[start:end].lstrip())
    words = text[start:end].rstrip()
    return {"text": words, "start": start, "end": start + len(words)}


def tag(model):
    texts = [TOOL, GAME]
    run = pipeline("token-classification", model,
                   aggregation_strategy="simple")
    return {"method": "TagTokens", "request": {"model": model, "inputs": texts},
            "results": [{"entities": [
                {"label": found["entity_group"], "score": float(found["score"]),
                 "token_index": 0, **span(text, found["start"], found["end"])}
                for found in run(text)]} for text in texts]}


def answer(model):
    run = pipeline("question-answering", model)
    results = []
    for question in QUESTIONS:
        found = run(question=question, context=RECORD)
        results.append({"answers": [{
            "score": found["score"], "no_answer": False,
            **span(RECORD, found["start"], found["end"])}]})
    return {"method": "AnswerQuestion",
            "request": {"model": model, "inputs": [
                {"question": question, "context": RECORD}
                for question in QUESTIONS]},
            "results": results}


def answer_in_long_text(model):
    """More tokens than the server's queue holds, in windows."""
    question = "Who maintains inkscape?"
    context = long_context()
    found = pipeline("question-answering", model)(
        question=question, context=context, top_k=3)
    return {"method": "AnswerQuestion",
            # Made of texts.py, rather than stored.
            "long_context": True,
            "request": {"model": model, "top_k": 3,
                        "inputs": [{"question": question}]},
            "results": [{"answers": [
                {"score": one["score"], "no_answer": False,
                 **span(context, one["start"], one["end"])}
                for one in found]}]}


def fill(model):
    run = pipeline("fill-mask", model, top_k=5)
    candidates = [{"token_id": found["token"], "token": found["token_str"],
                   "score": found["score"], "sequence": found["sequence"]}
                  for found in run(MASKED)]
    tokens = run.tokenizer(MASKED)["input_ids"]
    return {"method": "FillMask", "request": {"model": model,
                                              "inputs": [MASKED]},
            "results": [{"masks": [{
                "token_index": tokens.index(run.tokenizer.mask_token_id),
                "candidates": candidates}]}]}


def extract(model):
    found = GLiNER.from_pretrained(str(DEMO / model), local_files_only=True)
    texts = [TOOL, GAME]
    results = [{"entities": [
        {"label": one["label"], "label_index": EXTRACTED.index(one["label"]),
         "score": one["score"], "text": one["text"], "start": one["start"],
         "end": one["end"], "labels": []}
        for one in found.inference([text], EXTRACTED, threshold=0.2,
                                   batch_size=1)[0]]} for text in texts]
    return {"method": "ExtractEntities",
            "request": {"model": model, "inputs": texts, "threshold": 0.2,
                        "labels": [{"name": name} for name in EXTRACTED]},
            "results": results}


def zero_shot(model):
    labels = ["a game", "a programming library", "a text editor"]
    run = pipeline("zero-shot-classification", model)
    results = []
    for text in [GAME, TOOL]:
        found = run(text, candidate_labels=labels)
        results.append({"labels": [
            {"label": label, "index": labels.index(label), "score": score}
            for label, score in zip(found["labels"], found["scores"])]})
    return {"method": "ClassifyZeroShot",
            "request": {"model": model, "inputs": [GAME, TOOL],
                        "labels": labels},
            "results": results}


def main():
    transformers.logging.set_verbosity_error()
    cases = [classify("section-classifier"), tag("tech-tagger"),
             answer("package-qa"), answer_in_long_text("package-qa"),
             fill("mask-filler"), extract("entity-finder")]
    if (DEMO / "zero-shot").is_dir():
        cases.append(zero_shot("zero-shot"))
    models = [case["request"]["model"] for case in cases]
    document = {
        "sha256": {model: hashlib.sha256(
            (DEMO / model / "model.safetensors").read_bytes()).hexdigest()
            for model in models},
        "cases": cases}
    (HERE / "expected.json").write_text(
        json.dumps(document, indent=1, ensure_ascii=False) + "\n",
        encoding="utf-8")


if __name__ == "__main__":
    main()
