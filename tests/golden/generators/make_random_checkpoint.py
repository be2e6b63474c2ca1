#!/usr/bin/env python3
"""Writes random-weight models of the released sizes, tokenizer included.

`v1-base` has the shape of microsoft/deberta-base (139 M parameters with its
embeddings, of which 100 M in the encoder), `v3-xsmall`, `v3-base` and `v3-large`
those of microsoft/deberta-v3-xsmall, -base and -large (71, 184 and 435 M,
128,100 rows of embeddings each), all with a classification head. For load tests
and measurements: they serve, and their answers mean nothing. Needs torch and
transformers 4.57:

  python tests/golden/generators/make_random_checkpoint.py v1-base /tmp/v1-base
"""

import argparse
import pathlib

import torch
import transformers

import random_tokenizer

BASE = dict(
    hidden_size=768, num_hidden_layers=12, num_attention_heads=12,
    intermediate_size=3072, max_position_embeddings=512,
    relative_attention=True, position_biased_input=False, type_vocab_size=0)


def v3(hidden_size, layers, heads):
    settings = BASE | dict(
        hidden_size=hidden_size, num_hidden_layers=layers,
        num_attention_heads=heads, intermediate_size=4 * hidden_size,
        vocab_size=128100, pos_att_type="p2c|c2p", share_att_key=True,
        position_buckets=256, norm_rel_ebd="layer_norm")
    return (transformers.DebertaV2Config,
            transformers.DebertaV2ForSequenceClassification, settings,
            lambda d: random_tokenizer.write_unigram(d, 128000))


SIZES = {
    "v1-base": (
        transformers.DebertaConfig, transformers.DebertaForSequenceClassification,
        BASE | dict(vocab_size=50265, pos_att_type="c2p|p2c"),
        lambda d: random_tokenizer.write_byte_level_bpe(d, 50265)),
    "v3-xsmall": v3(384, 12, 6),
    "v3-base": v3(768, 12, 12),
    "v3-large": v3(1024, 24, 16),
}


def make(size, directory, dtype, seed=11):
    config_class, model_class, settings, write_tokenizer = SIZES[size]
    directory = pathlib.Path(directory)
    directory.mkdir(parents=True, exist_ok=True)
    torch.manual_seed(seed)
    model = model_class(config_class(**settings)).eval()
    model.to(getattr(torch, dtype)).save_pretrained(directory)
    write_tokenizer(directory)
    return model.num_parameters()


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("size", choices=SIZES)
    parser.add_argument("directory", type=pathlib.Path)
    parser.add_argument("--dtype", default="float16",
                        choices=["float32", "float16", "bfloat16"],
                        help="of the file")
    arguments = parser.parse_args()
    parameters = make(arguments.size, arguments.directory, arguments.dtype)
    print(f"{arguments.directory}: {parameters / 1e6:.1f} M parameters")


if __name__ == "__main__":
    main()
