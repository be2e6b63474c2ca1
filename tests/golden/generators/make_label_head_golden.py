#!/usr/bin/env python3
"""Writes tests/golden/label_heads: small models with random weights that read
the caller's own labels, and what the packages gliner (0.2.29), gliclass
(0.1.16) and gliner2 (2.1.0) compute with them, one text at a time.

Each directory holds a model's configuration and weights (of 16 bits, with which
the package computed in 32) as the package saves them, and golden.safetensors:
for each sequence N

  input_ids.N    [tokens]
  word_begins.N, word_ends.N  [words]: tokens of each word
  labels.N       [labels]: the token read for each
  logits.N       what model/checkpoint/label_head.h says of the head's kind; of
                 spans past the last word 0

and for heads that read them label_ends.N, type_ids.N, thresholds.N, and of groups
of labels group_prompts.N, group_labels.N, group_instances.N. Needs the packages
on transformers 4.57.1:

  python tests/golden/generators/make_label_head_golden.py [--only NAME ...]
"""

import argparse
import json
import os
import pathlib
import shutil
import sys
import tempfile
import warnings

os.environ["HF_HUB_OFFLINE"] = "1"
os.environ["TOKENIZERS_PARALLELISM"] = "false"
warnings.filterwarnings("ignore")

import numpy as np
import torch
from safetensors.torch import load_file, save_file
from transformers import AutoTokenizer, DebertaV2Config, DebertaV2Model

sys.path.insert(0, os.path.dirname(__file__))
import gliclass_models
import gliner2_models
import random_tokenizer

OUT = pathlib.Path(__file__).parents[1] / "label_heads"
CLASSES = OUT / "classes.json"  # gliclass: text, labels, prompt, ids, logits
PIECES = 240
TEXTS = [
    "Fetches mail over IMAP, written in Rust by the people of Debian.",
    "one",
    "state-of-the-art readers; they sort letters, and then they rest a while",
]
LABELS = [["person"], ["protocol", "programming language", "date"]]
THRESHOLD = 0.5


def spread(model, seed, gain=6.0):
    """Default weights give scores near 0.5 everywhere."""
    generator = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        for name, p in model.named_parameters():
            if p.dim() == 0:
                continue
            noise = torch.randn(p.shape, generator=generator)
            if p.dim() >= 2:
                value = noise * (gain / p.shape[-1]) ** 0.5 * 0.5
            elif "norm" in name.lower() and name.endswith("weight"):
                value = 1 + 0.1 * noise
            else:
                value = noise * 0.1
            p.copy_(value)


def round_weights(model):
    with torch.no_grad():
        for p in model.parameters():
            p.copy_(p.half().float())


def backbone_config(**settings):
    return DebertaV2Config(**(dict(
        vocab_size=PIECES + 1, hidden_size=32, num_hidden_layers=2,
        num_attention_heads=2, intermediate_size=40,
        max_position_embeddings=512, relative_attention=True,
        position_buckets=16, norm_rel_ebd="layer_norm", share_att_key=True,
        pos_att_type="p2c|c2p", type_vocab_size=0, max_relative_positions=-1,
        position_biased_input=False, layer_norm_eps=1e-7,
        pooler_hidden_size=32) | settings))


def write_backbone(directory, **settings):
    DebertaV2Model(backbone_config(**settings)).save_pretrained(directory)
    random_tokenizer.write_unigram(directory, PIECES)
    return str(directory)


def save_golden(directory, tensors):
    save_file({k: torch.tensor(np.asarray(v, dtype=np.float32)).contiguous()
               for k, v in tensors.items()}, directory / "golden.safetensors")


TOKENIZER_FILES = ("tokenizer.json", "tokenizer_config.json")


def save_half(directory, keep=()):
    """Keeps of what a package saved the configuration, the weights and `keep`."""
    for path in directory.iterdir():
        if path.is_dir():
            if path.name != "encoder_config":
                shutil.rmtree(path)
            continue
        if path.name == "model.safetensors":
            tensors = {k: v.half() if v.dtype == torch.float32 else v
                       for k, v in load_file(path).items()}
            save_file(tensors, path, metadata={"format": "pt"})
        elif path.name == "pytorch_model.bin":
            tensors = torch.load(path, map_location="cpu", weights_only=True)
            torch.save({k: v.half() if v.dtype == torch.float32 else v
                        for k, v in tensors.items()}, path)
        elif path.name not in ("config.json", "gliner_config.json", *keep):
            path.unlink()


# ---------------------------------------------------------------- GLiNER

GLINER = dict(hidden_size=24, max_width=4, max_len=64, dropout=0.4,
              span_mode="markerV0", subtoken_pooling="first", num_rnn_layers=1,
              fine_tune=True, name="golden")
GLINER_VARIANTS = dict(
    gliner_v0={},
    gliner_v0_last=dict(subtoken_pooling="last"),
    gliner_v0_mean=dict(subtoken_pooling="mean", num_rnn_layers=2),
    gliner_v0_max=dict(subtoken_pooling="max", num_rnn_layers=0),
    gliner_v0_same_width=dict(hidden_size=32, num_rnn_layers=0),
    gliner_v0_after_label=dict(embed_ent_token=False),
    gliner_v0_fused=dict(fuse_layers=True),
    gliner_v0_idle_fusion=dict(post_fusion_schema="l2l-l2t-t2t"),
    gliner_marker=dict(span_mode="marker"),
    gliner_marker_v1=dict(span_mode="markerV1"),
    gliner_token=dict(span_mode="token_level"),
    gliner_token_spans=dict(span_mode="token_level", represent_spans=True),
    gliner_old={},
)


def gliner_reading(model, words, labels, embed):
    """The tokens of words and labels, from the tokenizer's word ids."""
    config = model.config
    prompt = [x for label in labels for x in (config.ent_token, label)]
    prompt.append(config.sep_token)
    tokenizer = model.data_processor.transformer_tokenizer
    encoded = tokenizer(prompt + words, is_split_into_words=True)
    ids, word_ids = encoded["input_ids"], encoded.word_ids()
    begins, ends = [], []
    for w in range(len(prompt), len(prompt) + len(words)):
        tokens = [t for t, i in enumerate(word_ids) if i == w]
        begins.append(tokens[0])
        ends.append(tokens[-1] + 1)
    at = [t for t, i in enumerate(ids) if i == config.class_token_index]
    return ids, begins, ends, [t if embed else t + 1 for t in at]


def gliner_logits(model, text, labels):
    prepared = model.prepare_batch([text], labels)
    batch = model.collate_batch(prepared["input_x"], prepared["entity_types"])
    words = prepared["tokens"][0]
    with torch.no_grad():
        output = model.run_batch(batch)
    logits = output.logits[0].numpy()
    if model.config.span_mode != "token_level":
        for i in range(logits.shape[0]):
            logits[i, max(0, len(words) - i):] = 0
        return batch, words, logits.ravel()
    if not model.config.represent_spans:
        return batch, words, logits.ravel()
    spans = {}
    for (first, last), kept, values in zip(output.span_idx[0].tolist(),
                                           output.span_mask[0].tolist(),
                                           output.span_logits[0].numpy()):
        if kept:
            spans[(first, last)] = values
    rows = [np.concatenate([[first, last], spans[(first, last)]])
            for first, last in sorted(spans)]
    return batch, words, np.concatenate([logits.ravel(), *rows])


def balance_tokens(model):
    """So that something is found: starts and ends score 0.5 or so on average,
    and words inside more."""
    last = model.model.scorer.out_mlp[3]
    _, words, logits = gliner_logits(model, TEXTS[0], LABELS[1])
    size = 3 * len(words) * len(LABELS[1])
    mean = logits[:size].reshape(-1, 3).mean(0)
    with torch.no_grad():
        last.bias += torch.tensor([0.3, 0.3, 2.0]) - torch.tensor(mean)


def gliner_golden(model, texts, label_lists):
    """The tensors of golden.safetensors, and how many spans tokens propose."""
    golden, found = {}, 0
    for n, (text, labels) in enumerate((t, l) for l in label_lists for t in texts):
        batch, words, logits = gliner_logits(model, text, labels)
        ids, begins, ends, at = gliner_reading(
            model, words, labels, model.config.embed_ent_token)
        assert batch["input_ids"][0].tolist() == ids
        assert len(at) == len(labels)
        golden |= {f"input_ids.{n}": ids, f"word_begins.{n}": begins,
                   f"word_ends.{n}": ends, f"labels.{n}": at,
                   f"logits.{n}": logits}
        if model.config.span_mode == "token_level":
            golden[f"thresholds.{n}"] = [THRESHOLD] * len(labels)
            found += len(logits) > 3 * len(words) * len(labels)
    return golden, found


def make_gliner(name, index, settings, backbone):
    from gliner import GLiNER
    model = GLiNER.from_config(
        {**GLINER, "model_name": backbone, **settings},
        backbone_from_pretrained=False)
    spread(model.model, index)
    model.eval()
    if settings.get("span_mode") == "token_level":
        balance_tokens(model)
    round_weights(model.model)
    directory = OUT / name
    shutil.rmtree(directory, ignore_errors=True)
    model.save_pretrained(directory, safe_serialization=index % 2 == 0)
    save_half(directory, TOKENIZER_FILES if name == "gliner_v0" else ())
    path = directory / "gliner_config.json"
    config = json.loads(path.read_text())
    config["model_name"] = "microsoft/deberta-v3-small"
    if name == "gliner_old":  # as in 2024, config.json put there by the user
        config |= dict(class_token_index=-1, vocab_size=-1)
        (directory / "config.json").write_text(
            json.dumps(config.pop("encoder_config")))
        for file in TOKENIZER_FILES:
            shutil.copy(pathlib.Path(backbone) / file, directory)
    path.write_text(json.dumps(config, indent=2, sort_keys=True) + "\n")

    golden, found = gliner_golden(model, TEXTS, LABELS)
    save_golden(directory, golden)
    assert found or not settings.get("represent_spans")
    print(name, {k: np.shape(v) for k, v in golden.items() if ".3" in k},
          "largest", max(np.abs(v).max() for k, v in golden.items()
                         if k.startswith("logits")))


# -------------------------------------------------------------- GLiClass

def make_gliclass(name, index, settings, backbone):
    model, tokenizer = gliclass_models.make(name, backbone, settings)
    spread(model, 80 + index)
    round_weights(model)
    directory = OUT / name
    keep = TOKENIZER_FILES if name == "gliclass_simple" else ()
    gliclass_models.save(model, tokenizer, directory, keep)
    save_half(directory, keep)
    golden, cases = gliclass_models.golden(model, tokenizer, TEXTS, LABELS)
    save_golden(directory, golden)
    written = json.loads(CLASSES.read_text()) if CLASSES.exists() else {}
    written = dict(sorted((written | {name: cases}).items()))
    CLASSES.write_text(json.dumps(written).replace('{"text"', '\n{"text"') + "\n")
    print(name, "largest", max(np.abs(v).max() for k, v in golden.items()
                               if k.startswith("logits")))


# --------------------------------------------------------------- GLiNER2

def make_gliner2(name, index, settings, backbone):
    model = gliner2_models.make(backbone, settings)
    spread(model, 120 + index)
    gliner2_models.vary_counts(model, TEXTS)
    round_weights(model)
    directory = OUT / name
    keep = TOKENIZER_FILES if name == "gliner2_lstm" else ()
    gliner2_models.save(model, directory)
    save_half(directory, keep)
    golden, counts = gliner2_models.golden(model, TEXTS)
    assert 0 in counts and max(counts) > 1, counts
    save_golden(directory, golden)
    print(name, "counts", sorted(counts), "largest",
          max(np.abs(v).max() for k, v in golden.items() if k.startswith("logits")))


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--only", nargs="+", default=[])
    only = parser.parse_args().only
    with tempfile.TemporaryDirectory() as scratch:
        torch.manual_seed(7)
        backbone = write_backbone(pathlib.Path(scratch))
        for index, (name, settings) in enumerate(GLINER_VARIANTS.items()):
            if not only or name in only:
                make_gliner(name, index, settings, backbone)
        for index, (name, settings) in enumerate(gliclass_models.VARIANTS.items()):
            if not only or name in only:
                make_gliclass(name, index, settings, backbone)
        for index, (name, settings) in enumerate(gliner2_models.VARIANTS.items()):
            if not only or name in only:
                make_gliner2(name, index, settings, backbone)


if __name__ == "__main__":
    main()
