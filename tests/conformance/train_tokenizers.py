#!/usr/bin/env python3
"""Trains tokenizers of realistic size on the lines of a file.

    train_tokenizers.py LINES_FILE DIRECTORY [--lines=N] [--mdeberta]

DIRECTORY/v1 gets 50,000 byte-level BPE tokens, DIRECTORY/v3 32,000 Unigram
pieces with byte fallback, as Microsoft trained v3. With --mdeberta instead
DIRECTORY/mdeberta gets 110,000 pieces: transformers 5 has a code path of its own
for more than 100,000. Needs transformers 4.57.1 with its tokenizers, and
sentencepiece.
"""

import argparse
import pathlib
import random
import sys

sys.path.append(str(pathlib.Path(__file__).resolve().parents[1] / "golden/generators"))

from golden_tokenizers import write_bpe, write_unigram  # noqa: E402


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("text", type=pathlib.Path)
    parser.add_argument("directory", type=pathlib.Path)
    parser.add_argument("--lines", type=int, default=200000)
    parser.add_argument("--mdeberta", action="store_true")
    arguments = parser.parse_args()
    lines = arguments.text.read_text().split("\n")[:-1]
    random.Random(7).shuffle(lines)
    lines = lines[:arguments.lines]
    if arguments.mdeberta:
        write_unigram(
            arguments.directory / "mdeberta", lines,
            {"vocab_size": 110000, "normalization_rule_name": "nmt_nfkc",
             "character_coverage": 0.9995}, {}, [])
        return
    write_bpe(arguments.directory / "v1", lines, 50000, [], {"model_max_length": 512},
              [])
    write_unigram(
        arguments.directory / "v3", lines,
        {"vocab_size": 32000, "normalization_rule_name": "nmt_nfkc",
         "byte_fallback": True, "character_coverage": 0.9995},
        {"model_max_length": 512}, [])


if __name__ == "__main__":
    main()
