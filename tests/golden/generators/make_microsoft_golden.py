#!/usr/bin/env python3
"""Writes tiny checkpoints as Microsoft pretrained them, and its code's answers.

The layout of make_model_golden.py, for what transformers does not have: the
Enhanced Mask Decoder and replaced-token detection. logits.S of the latter are
[tokens, 2], a zero beside each logit. config.json names no architecture, as
Microsoft's own files have it. Needs torch, safetensors and a checkout of
https://github.com/microsoft/DeBERTa (4d7fe0b):

  make_microsoft_golden.py --microsoft=CHECKOUT [--seed N]
"""

import argparse
import json
import pathlib
import shutil
import zlib

import torch
from safetensors.torch import save_file

import microsoft_deberta

GOLDEN = pathlib.Path(__file__).resolve().parents[1]
TINY = dict(
    vocab_size=120, hidden_size=32, num_hidden_layers=2, num_attention_heads=4,
    intermediate_size=48, max_position_embeddings=24, relative_attention=True,
    position_biased_input=False, pos_att_type="c2p|p2c", type_vocab_size=0,
    hidden_act="gelu", layer_norm_eps=1e-7, max_relative_positions=-1)
V1 = TINY | dict(model_type="deberta")
V3 = TINY | dict(
    model_type="deberta-v2", pos_att_type="p2c|c2p", share_att_key=True,
    position_buckets=8, norm_rel_ebd="layer_norm")

# name: (kind, dtype of the file, lengths, config)
CASES = {
    # Tensors as microsoft/deberta-base has them.
    "v1_enhanced_fill": ("v1", "float32", (5, 24, 13),
                         V1 | dict(num_hidden_layers=3)),
    # What the same code saves now, with biases of keys.
    "v1_renamed_fill": ("v2", "float16", (4, 24, 9),
                        V1 | dict(hidden_size=36, num_attention_heads=3,
                                  type_vocab_size=2)),
    "v3_pretrained_fill": ("v2", "float16", (1, 24, 17), V3),
    "v2_convolution_enhanced_fill": (
        "v2", "bfloat16", (6, 24, 11),
        V3 | dict(share_att_key=False, conv_kernel_size=3, conv_act="gelu")),
    # Absolute positions at the input leave nothing to the decoder.
    "v2_biased_fill": ("v2", "float32", (3, 24, 8),
                       V3 | dict(position_biased_input=True)),
    "v3_discriminator": ("detect", "float16", (1, 24, 15),
                         V3 | dict(hidden_act="relu")),
}


def random_tensors(model, kind, generator):
    tensors = {}
    for name, parameter in model.state_dict().items():
        noise = torch.randn(parameter.shape, generator=generator) * 0.3
        tensors[name] = (noise + 1 if name.endswith("LayerNorm.weight")
                         else noise)
    if kind != "detect":
        return tensors
    # A discriminator's file keeps its training's other parts.
    for name in ("dense.weight", "dense.bias", "LayerNorm.weight",
                 "LayerNorm.bias"):
        tensors["lm_predictions.lm_head." + name] = tensors[
            "mask_predictions." + name]
    words = "deberta.embeddings.word_embeddings."
    tensors["lm_predictions.lm_head.bias"] = tensors[words + "weight"][:, 0]
    tensors[words + "_weight"] = tensors[words + "weight"] * 0.5
    return tensors


def make(microsoft, name, directory, seed):
    kind, dtype, lengths, settings = CASES[name]
    generator = torch.Generator().manual_seed(seed + zlib.crc32(name.encode()))
    model = microsoft.model(settings, detect=kind == "detect")
    tensors = random_tensors(model, kind, generator)
    if kind == "v1":
        tensors = microsoft_deberta.v1_tensors(
            tensors, settings["num_attention_heads"])
    tensors = {key: tensor.to(getattr(torch, dtype)).contiguous().clone()
               for key, tensor in tensors.items()}
    microsoft_deberta.load(model, tensors)

    shutil.rmtree(directory, ignore_errors=True)
    directory.mkdir(parents=True)
    (directory / "config.json").write_text(
        json.dumps(settings, indent=2) + "\n")
    save_file(tensors, directory / "model.safetensors",
              metadata={"format": "pt"})
    golden = {}
    for s, length in enumerate(lengths):
        ids = torch.randint(settings["vocab_size"], (1, length),
                            generator=generator)
        types = torch.randint(max(settings["type_vocab_size"], 1), (1, length),
                              generator=generator)
        hidden, logits = microsoft_deberta.run(model, ids, types)
        golden[f"input_ids.{s}"] = ids[0].float()
        golden[f"token_type_ids.{s}"] = types[0].float()
        for n, states in enumerate(hidden):
            golden[f"hidden.{s}.{n}"] = states.contiguous()
        if kind == "detect":
            logits = torch.stack([torch.zeros_like(logits[0]), logits[0]], -1)
        golden[f"logits.{s}"] = logits.contiguous()
    save_file(golden, directory / "golden.safetensors")


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--microsoft", type=pathlib.Path, required=True)
    parser.add_argument("--out", type=pathlib.Path,
                        default=GOLDEN / "models")
    parser.add_argument("--seed", type=int, default=7)
    parser.add_argument("--only", nargs="*", choices=CASES, default=CASES)
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    microsoft = microsoft_deberta.Microsoft(arguments.microsoft.resolve())
    for name in arguments.only:
        make(microsoft, name, arguments.out / name, arguments.seed)
        print(name)


if __name__ == "__main__":
    main()
