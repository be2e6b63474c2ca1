"""What the packages find with random models of the caller's labels, and what a
running server finds: lists, scores and ids.

Cases are left out where a change of the thresholds by 1e-6 changes what is
found, or two scores are within 1e-6.
"""

import itertools
import json
import math
import random
import subprocess

import deberta.v1.deberta_pb2 as pb
import groups
import make_entity_lists
import make_group_lists
import numpy
from google.protobuf import json_format

import label_models

THRESHOLDS = (0.1, 0.3, 0.5, 0.7, 0.9)
RPCS = {"entities": "ExtractEntities", "classes": "ClassifyZeroShot",
        "structured": "ExtractStructured"}
GROUP_ROUNDS = 2  # draws of thresholds


def request_of(rpc, model, request):
    message = getattr(pb, f"{rpc}Request")()
    json_format.ParseDict(request, message)
    message.model = model
    return message


def found_by_server(rpc, result):
    """As groups.json has it; of entities their text and their label too."""
    if rpc == "ExtractEntities":
        return [[e.label_index, e.start, e.end, e.score, e.text, e.label]
                for e in result.entities]
    if rpc == "ClassifyZeroShot":
        return [[label.index, label.score] for label in result.labels]
    return groups.structured(result)


def with_texts(request, entities):
    """Entities with what the answer says of the request."""
    text = request["inputs"][0]
    return [[label, start, end, score, text[start:end],
             request["labels"][label]["name"]]
            for label, start, end, score in entities]


def in_order(scores):
    """[index, score] of classes, the best first."""
    return [[i, scores[i]] for i in
            sorted(range(len(scores)), key=lambda i: (-scores[i], i))]


def entity_cases(made):
    """(rpc, request, what gliner finds)"""
    for text, labels, flat, multi, threshold in itertools.product(
            made.texts, label_models.LABELS, (True, False), (True, False),
            THRESHOLDS):
        def find(shift):
            return make_entity_lists.found(made.model, text, labels, flat, multi,
                                           threshold + shift)
        lists = [find(shift) for shift in
                 (-make_entity_lists.NEAR, 0, make_entity_lists.NEAR)]
        places = [[entity[:3] for entity in entities] for entities in lists]
        if not places[0] == places[1] == places[2] or \
                make_entity_lists.near(lists[1]):
            continue
        request = {"inputs": [text], "threshold": threshold, "multiLabel": multi,
                   "labels": [{"name": label} for label in labels],
                   "overlap": "OVERLAP_FLAT" if flat else "OVERLAP_NESTED"}
        yield "ExtractEntities", request, with_texts(request, lists[1])


def class_cases(made):
    """(rpc, request, scores of gliclass's logits)"""
    for case, multi in itertools.product(made.model, (False, True)):
        logits = case["logits"]
        if any(b - a < 1e-5 for a, b in itertools.pairwise(sorted(logits))):
            continue
        powers = [math.exp(x - max(logits)) for x in logits]
        scores = ([1 / (1 + math.exp(-x)) for x in logits] if multi else
                  [x / sum(powers) for x in powers])
        if any(b - a < 1e-6 for a, b in itertools.pairwise(sorted(scores))):
            continue
        yield "ClassifyZeroShot", {
            "inputs": [case["text"]], "labels": case["labels"],
            "prompt": case["prompt"], "multiLabel": multi}, in_order(scores)


def group_cases(made):
    """(rpc, request, what gliner2 finds)"""
    make_group_lists.own_spans(made.model)
    for n in range(GROUP_ROUNDS):
        by_task = make_group_lists.cases(
            made.model, random.Random(f"{made.name} {n}"), made.texts)
        for task, cases in by_task.items():
            for case in cases:
                found = case["found"]
                if task == "entities":
                    found = with_texts(case["request"], found)
                elif task == "classes":
                    found = in_order(found)
                yield RPCS[task], case["request"], found


def cases_of(made):
    family = made.row.split()[0]
    return {"gliner": entity_cases, "gliclass": class_cases,
            "gliner2": group_cases}[family](made)


def group_ids(made, cases):
    """(rpc, request, ids that gliner2 reads) of the cases"""
    model, read = made.model, []
    encode = model.encode_tokens

    def recorded(batch, *arguments, **named):
        read.append(batch.input_ids[0].tolist())
        return encode(batch, *arguments, **named)

    model.encode_tokens = recorded
    seen = set()
    for rpc, request, _ in cases:
        text = request["inputs"][0]
        if rpc == "ExtractEntities":
            ask = lambda: make_group_lists.entities(
                model, text, request, request["threshold"], 0)
        elif rpc == "ClassifyZeroShot":
            ask = lambda: make_group_lists.classes(
                model, text, request["labels"], request["prompt"],
                request["multiLabel"])
        else:
            ask = lambda: make_group_lists.structured(
                model, text, request, request["threshold"], 0)
        model.own_end = len(text.rstrip())
        ask()
        key = tuple(read[-1])
        if key not in seen:
            seen.add(key)
            yield rpc, request, read[-1]
    model.encode_tokens = encode


def ids_of(made, tensors, cases):
    """(rpc, request, ids that the package reads)"""
    family = made.row.split()[0]
    if family == "gliner2":
        yield from group_ids(made, cases)
        return
    if family == "gliclass":
        for case in made.model:
            yield "ClassifyZeroShot", {
                "inputs": [case["text"]], "labels": case["labels"],
                "prompt": case["prompt"]}, case["ids"]
        return
    pairs = [(t, l) for l in label_models.LABELS for t in made.texts]
    for n, (text, labels) in enumerate(pairs):
        yield "ExtractEntities", {
            "inputs": [text], "labels": [{"name": name} for name in labels]
        }, numpy.asarray(tensors[f"input_ids.{n}"]).tolist()


def ids_here(build, directory, asked):
    lines = "".join(json.dumps({"rpc": rpc, "request": request}) + "\n"
                    for rpc, request, _ in asked)
    done = subprocess.run([build / "tests" / "label_ids", directory],
                          input=lines, capture_output=True, text=True, check=True)
    return [json.loads(line) for line in done.stdout.splitlines()]
