"""Small GLiNER2 models with random weights, and what gliner2 2.1.0 computes."""

import json
import pathlib
import shutil

import numpy as np
import torch
from gliner2 import GLiNER2
from gliner2.configuration import ExtractorConfig
from gliner2.training.trainer import ExtractorCollator
from transformers import AutoTokenizer, DebertaV2Config

VARIANTS = dict(
    gliner2_lstm={},
    gliner2_v2=dict(counting_layer="count_lstm_v2", token_pooling="mean"),
    gliner2_moe=dict(counting_layer="count_lstm_moe", token_pooling="max"),
)
# Instances of entities that are looked for; others are as many as are counted.
MOST = 20


def schemas(model):
    def all_kinds():
        schema = model.create_schema()
        schema.structure("item").field("name", dtype="str").field(
            "size", choices=["large", "very small"], description="how big it is")
        schema.structure("place").field("where")
        return (schema.entities({"person": "who does it", "protocol": {}})
                .relations({"written in": "what it is made with"})
                .classification("topic", ["mail", "a long label", "law"])
                .classification("tone", {"good": "glad", "bad": ""},
                                multi_label=True))
    return [lambda: model.create_schema().entities(["person"]), all_kinds]


def make(backbone, settings):
    """A model; the weights are torch's own."""
    config = ExtractorConfig(model_name=backbone, max_width=3, **settings)
    return GLiNER2(config, encoder_config=DebertaV2Config.from_pretrained(backbone),
                   tokenizer=AutoTokenizer.from_pretrained(backbone)).eval()


def vary_counts(model, texts):
    """Between 0 and 3, so that files are small."""
    prompts = []
    with torch.no_grad():
        for text in texts:
            for schema in schemas(model):
                batch = collated(model, text, schema())
                _, groups = model.processor.extract_embeddings_from_batch(
                    model.encode_tokens(batch, None), batch.input_ids, batch)
                prompts += [group[0] for group in groups[0]]
        last = model.count_pred[2]
        last.weight *= 3
        last.bias -= model.count_pred(torch.stack(prompts)).mean(0)
        last.bias[4:] -= 100


def save(model, directory):
    shutil.rmtree(directory, ignore_errors=True)
    model.save_pretrained(directory)
    path = pathlib.Path(directory) / "config.json"
    config = json.loads(path.read_text())
    config["model_name"] = "microsoft/deberta-v3-small"
    path.write_text(json.dumps(config, indent=2, sort_keys=True) + "\n")
    encoder = pathlib.Path(directory) / "encoder_config"
    for file in encoder.iterdir():
        if file.name != "config.json":
            file.unlink()
    config = json.loads((encoder / "config.json").read_text())
    config.pop("_name_or_path", None)
    (encoder / "config.json").write_text(
        json.dumps(config, indent=2, sort_keys=True) + "\n")


def collated(model, text, schema):
    model.processor.change_mode(is_training=False)
    collator = ExtractorCollator(model.processor, is_training=False,
                                 architecture=model.architecture)
    return collator([(text, schema.build())])


def reading(batch):
    """What golden.safetensors says of a sequence, from the package's routes."""
    words = [(i, orig) for i, (kind, orig, _) in enumerate(batch.mapped_indices[0])
             if kind == "text"]
    begins = [i for n, (i, orig) in enumerate(words)
              if n == 0 or words[n - 1][1] != orig]
    assert begins == batch.text_word_indices[0].tolist()
    groups = batch.schema_special_indices[0]
    return {"word_begins": begins,
            "word_ends": [*begins[1:], batch.input_ids.shape[1]],
            "labels": [i for group in groups for i in group[1:]],
            "group_prompts": [group[0] for group in groups],
            "group_labels": [len(group) - 1 for group in groups],
            "group_instances": [
                {"classifications": 0, "entities": 1}.get(kind, MOST)
                for kind in batch.task_types[0]]}


def logits(model, batch):
    """As LabelHeadKind::kGroups has them, 0 past the last word; and the counts."""
    with torch.no_grad():
        words, schema = model.processor.extract_embeddings_from_batch(
            model.encode_tokens(batch, None), batch.input_ids, batch)
        spans, counts = model._compute_direct_span_logits_batched(
            batch, words, schema)
        values = []
        for i, kind in enumerate(batch.task_types[0]):
            if kind == "classifications":
                values.append(model.classifier(torch.stack(schema[0][i][1:]))
                              .squeeze(-1).numpy())
                continue
            values.append(np.array([counts[0][i]], np.float32))
            if counts[0][i] == 0:
                continue
            # [instances, labels, words, widths]
            of_spans = spans[0][i].permute(0, 2, 3, 1).numpy().copy()
            for word in range(of_spans.shape[1]):
                of_spans[:, word, of_spans.shape[1] - word:] = 0
            values.append(of_spans.ravel())
    return np.concatenate(values), counts[0]


def golden(model, texts):
    """The tensors of golden.safetensors."""
    values, n, all_counts = {}, 0, set()
    for schema in schemas(model):
        for text in texts:
            batch = collated(model, text, schema())
            result, counts = logits(model, batch)
            all_counts |= set(counts)
            one = {"input_ids": batch.input_ids[0].tolist(), "logits": result,
                   **reading(batch)}
            values |= {f"{key}.{n}": value for key, value in one.items()}
            n += 1
    return values, all_counts
