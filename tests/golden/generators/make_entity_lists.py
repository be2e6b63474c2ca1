#!/usr/bin/env python3
"""Writes the entities that gliner finds with the models of tests/golden/label_heads.

    make_entity_lists.py

tests/golden/label_heads/entities.json: by model a list of cases, each with its
text, labels, parameters and the entities: label, start, end and score. Cases are
left out where a change of the threshold by 1e-6 changes the list, or two of its
scores are within 1e-6. Needs gliner 0.2.29 and transformers 4.57.1.
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
from gliner import GLiNER  # noqa: E402

import label_head_models  # noqa: E402

TEXTS = ["Ada Lovelace wrote to Babbage in 1842, from London.", "one",
         "  a-b_c\tand more; naïve 😀 words\n", "the tea is not so bad at all " * 2]
LABELS = [["person"], ["person", "place", "a date or a time", "thing"]]
THRESHOLDS = [0.1, 0.3, 0.5, 0.7, 0.9]
NEAR = 1e-6


def found(model, text, labels, flat, multi, threshold):
    entities = model.inference([text], labels, flat_ner=flat, multi_label=multi,
                               threshold=threshold, batch_size=1)[0]
    # A model of tokens with spans gives a span once for each label that proposed
    # it; here it is given once.
    seen = {}
    for e in entities:
        seen.setdefault((labels.index(e["label"]), e["start"], e["end"]), e["score"])
    return [[*key, float(f"{score:.6g}")] for key, score in seen.items()]


def near(entities):
    scores = sorted(e[3] for e in entities)
    return any(b - a < NEAR for a, b in zip(scores, scores[1:]))


def cases(model, rnd):
    for text, labels in itertools.product(TEXTS, LABELS):
        for flat, multi in itertools.product((True, False), repeat=2):
            threshold = rnd.choice(THRESHOLDS)
            lists = [found(model, text, labels, flat, multi, threshold + shift)
                     for shift in (-NEAR, 0, NEAR)]
            if lists[0] == lists[1] == lists[2] and not near(lists[1]):
                yield {"text": text, "labels": labels, "nested": not flat,
                       "multi_label": multi, "threshold": threshold,
                       "entities": lists[1]}


def main():
    torch.set_num_threads(1)
    rnd = random.Random(5)
    written = {}
    for path in sorted(label_head_models.MODELS.glob("gliner_*")):
        # Of others the package downloads the encoder's configuration.
        config = json.loads((path / "gliner_config.json").read_text())
        if not config.get("encoder_config"):
            continue
        with tempfile.TemporaryDirectory() as scratch:
            directory = label_head_models.copy(path.name, f"{scratch}/model")
            model = GLiNER.from_pretrained(str(directory), local_files_only=True)
        written[path.name] = list(cases(model, rnd))
        print(path.name, len(written[path.name]), "cases,",
              sum(len(c["entities"]) for c in written[path.name]), "entities",
              flush=True)
    out = label_head_models.MODELS / "entities.json"
    out.write_text(json.dumps(written).replace('{"text"', '\n{"text"') + "\n")


if __name__ == "__main__":
    main()
