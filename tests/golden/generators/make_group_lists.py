#!/usr/bin/env python3
"""Writes what gliner2 finds with the models of tests/golden/label_heads.

    make_group_lists.py

tests/golden/label_heads/groups.json: by model "entities", "classes" and
"structured", each a list of cases: "request", the fields of the request in
proto's JSON, and "found", for the one input

  entities    [label, start, end, score], as the server orders them
  classes     the score of each label
  structured  "structures": [schema, fields], a field being its values [text,
              score, start, end], without offsets of choices; "relations":
              [schema, head, tail]

Cases are left out where a change of all thresholds by 1e-6 changes what is
found, or two scores are within 1e-6. gliner2 puts a dot behind texts that end
no sentence: spans of it alone are left out before it chooses among them, and others
end where the text's last word does.
Needs gliner2 2.1.0 and transformers 4.57.1.
"""

import itertools
import json
import os
import random
import tempfile
import warnings

os.environ["HF_HUB_OFFLINE"] = "1"
warnings.filterwarnings("ignore")

import torch  # noqa: E402
from gliner2 import GLiNER2  # noqa: E402

import label_head_models  # noqa: E402

TEXTS = ["Ada Lovelace wrote to Babbage in 1842, from London.", "one",
         "  a-b_c\tand more; naïve 😀 words\n",
         "Mail Ada@Example.ORG or see https://example.org/a?b=1 İstanbul!"]
LABELS = [[{"name": "person"}],
          [{"name": "person"}, {"name": "place", "description": "where it is"},
           {"name": "a date or a time", "threshold": 0.4}]]
THRESHOLDS = [0.1, 0.3, 0.5, 0.7]
CLASSES = [(["mail", "law"], ""), (["a long label", "x", "Law"], "topic")]
SCHEMAS = [
    {"structures": [{"name": "letter", "fields": [
        {"name": "from", "type": "FIELD_TYPE_STR"},
        {"name": "to", "description": "who reads it"}]}]},
    {"structures": [
        {"name": "item", "fields": [
            {"name": "name", "threshold": 0.35},
            {"name": "size", "type": "FIELD_TYPE_STR",
             "choices": ["large", "very small"]},
            {"name": "kinds", "choices": ["Letter", "book", "tea"]}]},
        {"name": "place", "fields": [
            {"name": "where", "type": "FIELD_TYPE_STR"},
            {"name": "size", "choices": ["small", "Large"]}]}]},
    {"relations": [{"name": "wrote to"}, {"name": "lives in", "threshold": 0.2}]},
    {"structures": [{"name": "person", "fields": [{"name": "name"}]}],
     "relations": [{"name": "is of", "description": "owner and owned"}]},
]
NEAR = 1e-6


def own_spans(model):
    """Has spans end where the text's last word does, and leaves out those that
    begin behind it; of those that are then the same the surest is left."""
    find = model._find_spans

    def found(scores, threshold, text_len, text, start_map, end_map):
        spans = {}
        for _, score, start, end in find(scores, threshold, text_len, text,
                                         start_map, end_map):
            end = min(end, model.own_end)
            if start < end:
                score = max(score, spans.get((start, end), 0))
                spans[start, end] = score
        return [(text[start:end], score, start, end)
                for (start, end), score in spans.items()]

    model._find_spans = found


def listed(span):
    return [span["text"], span["confidence"], span["start"], span["end"]]


def entities(model, text, request, threshold, shift):
    kinds = {}
    for label in request["labels"]:
        kinds[label["name"]] = {k: v for k, v in label.items() if k == "description"}
        if "threshold" in label:
            kinds[label["name"]]["threshold"] = label["threshold"] + shift
    policy = "nested" if request["overlap"] == "OVERLAP_NESTED" else None
    found = model.extract_entities(
        text, kinds, threshold=threshold + shift, include_confidence=True,
        include_spans=True, overlap_policy=policy, format_results=False)
    if not found["entities"]:
        return []
    found_all = []
    for i, label in enumerate(request["labels"]):
        for span in found["entities"][0][label["name"]]:
            _, score, start, end = listed(span)
            found_all.append([i, start, end, score])
    found_all.sort(key=lambda e: -e[3])
    return sorted(found_all, key=lambda e: e[1])


def classes(model, text, labels, task, multi_label):
    schema = model.create_schema().classification(
        task or "category", labels, multi_label=True, cls_threshold=0,
        class_act="sigmoid" if multi_label else "softmax")
    found = model.extract(text, schema, format_results=False)
    return [dict(found[task or "category"])[label] for label in labels]


def structured(model, text, request, threshold, shift):
    schema = model.create_schema()
    shifted = lambda of: {} if "threshold" not in of else {
        "threshold": of["threshold"] + shift}
    for structure in request.get("structures", []):
        builder = schema.structure(structure["name"])
        for field in structure["fields"]:
            builder.field(
                field["name"], choices=field.get("choices"),
                dtype="str" if field.get("type") == "FIELD_TYPE_STR" else "list",
                description=field.get("description"), **shifted(field))
    for relation in request.get("relations", []):
        schema.relations({relation["name"]: {
            k: v for k, v in relation.items() if k == "description"} |
            shifted(relation)})
    found = model.extract(text, schema, threshold=threshold + shift,
                          include_confidence=True, include_spans=True,
                          format_results=False)

    def values(value):
        value = [] if value is None else value if isinstance(value, list) else [value]
        return [listed(v) if "start" in v else
                [v["text"], v["confidence"]] for v in value]

    structures = [[i, [values(instance[f["name"]]) for f in structure["fields"]]]
                  for i, structure in enumerate(request.get("structures", []))
                  for instance in found[structure["name"]] or []]
    relations = []
    for i, relation in enumerate(request.get("relations", [])):
        name = relation["name"]
        if "description" in relation:  # the package keeps it in the name
            name += ": " + relation["description"]
        relations += [[i, listed(pair["head"]),
                       listed(pair["tail"])] for pair in found[name]]
    return {"structures": structures, "relations": relations}


def scores(found):
    if isinstance(found, float):
        return [found]
    if isinstance(found, (list, dict)):
        return [s for part in (found.values() if isinstance(found, dict) else found)
                for s in scores(part)]
    return []


def rounded(found):
    if isinstance(found, float):
        return float(f"{found:.7g}")
    if isinstance(found, dict):
        return {key: rounded(value) for key, value in found.items()}
    return [rounded(f) for f in found] if isinstance(found, list) else found


def without_scores(found):
    if isinstance(found, dict):
        return {key: without_scores(value) for key, value in found.items()}
    if isinstance(found, list):
        return [without_scores(f) for f in found]
    return None if isinstance(found, float) else found


def sure(find):
    """What is found, or None where 1e-6 decides."""
    lists = [find(shift) for shift in (-NEAR, 0, NEAR)]
    forms = [without_scores(found) for found in lists]
    ordered = sorted(set(scores(lists[1])))
    near = any(b - a < NEAR for a, b in zip(ordered, ordered[1:]))
    return None if near or forms[0] != forms[1] or forms[1] != forms[2] else lists[1]


def cases(model, rnd, texts=TEXTS):
    by_task = {"entities": [], "classes": [], "structured": []}

    def add(task, text, request, find):
        model.own_end = len(text.rstrip())
        found = sure(find)
        if found is not None:
            by_task[task].append({"request": {"inputs": [text]} | request,
                                  "found": rounded(found)})

    for text, labels, nested in itertools.product(texts, LABELS, (False, True)):
        threshold = rnd.choice(THRESHOLDS)
        request = {"labels": labels, "threshold": threshold,
                   "overlap": "OVERLAP_NESTED" if nested else "OVERLAP_FLAT"}
        add("entities", text, request,
            lambda shift: entities(model, text, request, threshold, shift))
    for text, (labels, task), multi in itertools.product(texts, CLASSES,
                                                         (False, True)):
        request = {"labels": labels, "prompt": task, "multiLabel": multi}
        add("classes", text, request,
            lambda shift: classes(model, text, labels, task, multi))
    for text, schema, threshold in itertools.product(texts, SCHEMAS,
                                                     (THRESHOLDS[1], THRESHOLDS[2])):
        request = {**schema, "threshold": threshold}
        add("structured", text, request,
            lambda shift: structured(model, text, request, threshold, shift))
    return by_task


def main():
    torch.set_num_threads(1)
    rnd = random.Random(5)
    written = {}
    for path in sorted(label_head_models.MODELS.glob("gliner2_*")):
        with tempfile.TemporaryDirectory() as scratch:
            directory = label_head_models.copy(path.name, f"{scratch}/model")
            model = GLiNER2.from_pretrained(str(directory))
        own_spans(model)
        written[path.name] = cases(model, rnd)
        print(path.name, {task: (len(of), sum(len(scores(c["found"])) for c in of))
                          for task, of in written[path.name].items()}, flush=True)
    out = label_head_models.MODELS / "groups.json"
    out.write_text(json.dumps(written).replace('{"request"', '\n{"request"') + "\n")


if __name__ == "__main__":
    main()
