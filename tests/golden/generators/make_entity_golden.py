#!/usr/bin/env python3
"""Writes what gliner's models answer, for tests/server/tasks.

    make_entity_golden.py

tests/golden/tasks/tokenizers/gliner: the small v3 tokenizer with the tokens that
gliner adds. tests/golden/tasks/extract_entities.json: a list of cases, each with
its text, labels, parameters, a digest of the ids that gliner gave to its model,
and the entities that it found: index of the label, start, end, score, and with
span models the five best labels and their scores.

No network is computed: run_batch() gives a hash of seed and ids that the C++ test
repeats (see task_oracle.py). Needs gliner 0.2.29 and transformers 4.57.1.
"""

import itertools
import json
import os
import pathlib
import random
import tempfile

os.environ["HF_HUB_OFFLINE"] = "1"

import numpy as np  # noqa: E402
import torch  # noqa: E402
import transformers  # noqa: E402
from gliner import GLiNER  # noqa: E402
from gliner.modeling.outputs import GLiNERBaseOutput  # noqa: E402

import task_oracle  # noqa: E402

TASKS = pathlib.Path(__file__).resolve().parents[1] / "tasks"
MAX_WORDS = 24
MAX_WIDTH = 4
TEXTS = [
    "Marta Lindqvist walked down to the harbour of Oslo.", "one", "a-b_c--d 😀 x",
    "  In 1994\tNorthwind moved\nto Lisbon, New York and San Francisco. ",
    "Übermäßig große Häuser — São Paulo e\u0301!", " \u00a0\x1f",
    " ".join(f"w{i}" for i in range(40)),
]
LABELS = [
    {"person": ""},
    {"person": "", "place": "", "a label of words": ""},
    {"Datum": "", "PERSON": "who does something", "x-y": "an X", "q": "", "r": "",
     "s": ""},
]
THRESHOLDS = [0.1, 0.3, 0.5, 0.7, 0.9]


def saved_tokenizer():
    out = TASKS / "tokenizers/gliner"
    tokenizer = transformers.AutoTokenizer.from_pretrained(TASKS / "tokenizers/v3")
    tokenizer.add_tokens(["[FLERT]", "<<ENT>>", "<<SEP>>"], special_tokens=True)
    tokenizer.save_pretrained(out)
    for path in out.iterdir():
        if path.name not in ("tokenizer.json", "tokenizer_config.json"):
            path.unlink()
    return tokenizer


def model(kind, scratch):
    """A GLiNER whose network is replaced by Fake."""
    tokenizer = transformers.AutoTokenizer.from_pretrained(TASKS / "tokenizers/v3")
    backbone = transformers.DebertaV2Config(
        vocab_size=len(tokenizer), hidden_size=8, num_hidden_layers=1,
        num_attention_heads=1, intermediate_size=8)
    transformers.DebertaV2Model(backbone).save_pretrained(scratch)
    tokenizer.save_pretrained(scratch)
    return GLiNER.from_config(
        {"model_name": scratch, "hidden_size": 8, "max_width": MAX_WIDTH,
         "max_len": MAX_WORDS, "span_mode": kind, "name": "t",
         "subtoken_pooling": "first", "num_rnn_layers": 0},
        backbone_from_pretrained=False)


class Fake:
    def __init__(self, network, kind):
        self.network, self.kind = network, kind
        self.seed = 0
        self.ids = []
        network.run_batch = self.run_batch

    def run_batch(self, batch, *_, **__):
        self.ids = batch["input_ids"][0][batch["attention_mask"][0] == 1].tolist()
        words = len(batch["tokens"][0])
        labels = len(batch["id_to_classes"][0] if isinstance(batch["id_to_classes"], list)
                     else batch["id_to_classes"])
        span = self.kind != "token_level"
        shape = (words, MAX_WIDTH, labels) if span else (words, labels, 3)
        row = task_oracle.fake_logits(self.seed, self.ids, [0],
                                      int(np.prod(shape)), 1.0 if span else 0.75)
        logits = row.reshape(1, *shape) + np.float32(-4 if span else 1)
        return GLiNERBaseOutput(logits=torch.tensor(logits))

    def case(self, text, labels, flat, multi, threshold):
        self.ids = []
        # The descriptions are what the model reads.
        asked = ({name: text or name for name, text in labels.items()}
                 if any(labels.values()) else list(labels))
        span = self.kind != "token_level"
        found = self.network.inference(
            [text], asked, flat_ner=flat, multi_label=multi, threshold=threshold,
            batch_size=1, return_class_probs=span)[0]
        names = list(labels)
        return {
            "kind": self.kind, "text": text, "labels": list(labels.items()),
            "seed": self.seed, "nested": not flat, "multi_label": multi,
            "threshold": threshold,
            "sequences": [task_oracle.digest(self.ids)] if self.ids else [],
            "results": [
                [names.index(e["label"]), e["start"], e["end"],
                 float(f"{e['score']:.6g}")]
                + ([[[names.index(name), float(f"{p:.6g}")]
                     for name, p in e["class_probs"].items()]] if span else [])
                for e in found]}


def main():
    saved_tokenizer()
    rnd = random.Random(17)
    cases = []
    for kind in ("markerV0", "token_level"):
        with tempfile.TemporaryDirectory() as scratch:
            fake = Fake(model(kind, scratch), kind)
        for text, labels in itertools.product(TEXTS, LABELS):
            for flat, multi in itertools.product((True, False), repeat=2):
                for threshold in rnd.sample(THRESHOLDS, 2):
                    fake.seed = rnd.getrandbits(32)
                    cases.append(fake.case(text, labels, flat, multi, threshold))
    (TASKS / "extract_entities.json").write_text(
        "[\n" + ",\n".join(json.dumps(case) for case in cases) + "\n]\n")
    print(len(cases), "cases,", sum(len(c["results"]) for c in cases), "entities")


if __name__ == "__main__":
    main()
