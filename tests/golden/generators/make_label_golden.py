#!/usr/bin/env python3
"""Writes what transformers makes of label maps, for tests/model/checkpoint.

tests/golden/labels.json lists configurations, each as the text of the keys that
its config.json has beside the sizes of a tiny model, with
  labels      what the text-classification pipeline prints for each column, as
              JSON; or null where it fails
  entailment  ZeroShotClassificationPipeline.entailment_id, which may be -1; or
              null where it fails, or no column of the logits has that index

Needs transformers 4.57.1, torch, tokenizers:

  python tests/golden/generators/make_label_golden.py
"""

import json
import pathlib
import tempfile

import transformers

GOLDEN = pathlib.Path(__file__).resolve().parents[1]
TINY = ('"model_type": "deberta-v2", "vocab_size": 2000, "hidden_size": 8, '
        '"num_hidden_layers": 1, "num_attention_heads": 1, '
        '"intermediate_size": 8')

NAMES = '"id2label": {"0": "ENTAILMENT", "1": "no", "2": "entailed"}'
CASES = [
    "",
    '"num_labels": 3',
    NAMES,
    NAMES + ', "label2id": {"ENTAILMENT": 0, "no": 1, "entailed": 2}',
    NAMES + ', "label2id": {"entailed": 2, "no": 1, "ENTAILMENT": 0}',
    NAMES + ', "label2id": {"no": 0, "Entailment": 2}',
    NAMES + ', "label2id": {"no": 0, "entails": 2, "entail": 1, "ENTAIL": 0}',
    NAMES + ', "label2id": {"entail": 1, "entail": 2}',
    NAMES + ', "label2id": {"entail": 1, "entails": 0, "entail": 2}',
    NAMES + ', "label2id": {"a": 0, "not_entailment": 1}',
    NAMES + ', "label2id": {" entailment": 1}',
    NAMES + ', "label2id": {"entailment": 3}',
    NAMES + ', "label2id": {"entailment": "1"}',
    NAMES + ', "label2id": {"entailment": null}',
    NAMES + ', "label2id": {"entailment": 0.5}',
    NAMES + ', "label2id": {}',
    NAMES + ', "label2id": null',
    NAMES + ', "num_labels": 2, "label2id": {"entail": 2}',
    '"id2label": {"0": "LABEL_0", "1": "LABEL_1"}, '
    '"label2id": {"entailment": 0, "contradiction": 1}',
    '"id2label": {"0": "LABEL_0", "1": "LABEL_1"}, '
    '"label2id": {"LABEL_0": 0, "LABEL_1": 1}',
    '"id2label": {"1": "entailment", "0": "contradiction"}, '
    '"label2id": {"LABEL_0": 0, "LABEL_1": 1}',
    '"label2id": {"entailment": 0, "contradiction": 1}',
    '"label2id": {"contradiction": 0, "entailment": 1}',
    '"label2id": {"contradiction": 0, "neutral": 1, "entailment": 2}, '
    '"num_labels": 3',
    '"id2label": {"0": true, "1": null, "2": 7, "3": 0.5, "4": false, "5": -1}',
    '"id2label": {"0": "a", "2": "b"}, "label2id": {"entail": 0}',
    '"id2label": {"00": "a", " 1": "b"}',
]


def labels_of(model, tokenizer):
    pipeline = transformers.pipeline("text-classification", model=model,
                                     tokenizer=tokenizer)
    # Columns in order, whatever the scores.
    model.classifier.weight.data.zero_()
    columns = model.classifier.bias
    columns.data = -columns.data.new_tensor(range(len(columns)))
    return [found["label"] for found in pipeline("a", top_k=None)]


def entailment_of(model, tokenizer):
    pipeline = transformers.pipeline("zero-shot-classification", model=model,
                                     tokenizer=tokenizer)
    pipeline("a", candidate_labels=["b", "c"])
    return pipeline.entailment_id


def outcome(function, *arguments):
    try:
        return function(*arguments)
    except (KeyError, IndexError, AttributeError, TypeError, ValueError):
        return None


def case_of(keys, tokenizer):
    with tempfile.TemporaryDirectory() as directory:
        text = "{" + TINY + (", " if keys else "") + keys + "}"
        pathlib.Path(directory, "config.json").write_text(text)
        config = transformers.AutoConfig.from_pretrained(directory)
        model = transformers.AutoModelForSequenceClassification.from_config(
            config).eval()
    return {"keys": keys, "labels": outcome(labels_of, model, tokenizer),
            "entailment": outcome(entailment_of, model, tokenizer)}


def main():
    transformers.logging.set_verbosity_error()
    tokenizer = transformers.AutoTokenizer.from_pretrained(
        GOLDEN / "tasks/tokenizers/v3")
    cases = ",\n".join(json.dumps(case_of(keys, tokenizer)) for keys in CASES)
    (GOLDEN / "labels.json").write_text(f"[\n{cases}\n]\n")


if __name__ == "__main__":
    main()
