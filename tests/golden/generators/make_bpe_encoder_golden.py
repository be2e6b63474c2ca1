#!/usr/bin/env python3
"""Writes the vocabulary of tests/golden/tokenizers/v1 as Microsoft's code has it.

microsoft/DeBERTa keeps a v1 vocabulary as bpe_encoder.bin, a dict saved by
torch.save: `encoder`, GPT-2's ids by token; `dict_map`, those ids as texts, in
the order of the model's ids, with a count each; `vocab`, the pairs to merge
(gpt2_tokenizer.py, gpt2_bpe_utils.py). Needs torch:

  python tests/golden/generators/make_bpe_encoder_golden.py
"""

import json
import pathlib
import random

import torch


def main():
    golden = pathlib.Path(__file__).resolve().parents[1]
    vocab = json.loads((golden / "tokenizers/v1/vocab.json").read_text())
    merges = (golden / "tokenizers/v1/merges.txt").read_text().splitlines()[1:]
    tokens = sorted(vocab, key=vocab.get)[4:-1]
    # GPT-2 numbers its tokens in another order than the model.
    numbers = list(range(len(tokens)))
    random.Random(3).shuffle(numbers)
    torch.save({"dict_map": [(str(number), 1000 - i) for i, number
                             in enumerate(numbers)],
                "encoder": dict(zip(tokens, numbers)),
                "vocab": [tuple(line.split(" ")) for line in merges]},
               golden / "bpe_encoder.bin",
               _use_new_zipfile_serialization=False)


if __name__ == "__main__":
    main()
