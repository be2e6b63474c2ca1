#!/usr/bin/env python3
"""Tokenizes lines with tokenizers of every kind of pipeline, beside AutoTokenizer.

    pipeline_lines.py --build=build/release --out=FILE.json --kinds=DIRECTORY
                      [--text=FILE ...] [--cases=200000] [--hostile=20000]

DIRECTORY is what pipeline_tokenizers.py writes; it is made of the text where it
is missing. The profile is the running Python's, hf4 or hf5. Lines are drawn as
tokenizer_lines.py draws them, and all that the reference says of each must be
equal; of tokenizers that run in Python that is the ids.
"""

import argparse
import json
import pathlib
import sys

import tokenizer_lines
import transformers

import pipeline_tokenizers

FIELDS = "ids, offsets, type ids, special tokens mask, words"
TRAINING_LINES = 20000


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--build", type=pathlib.Path, required=True)
    parser.add_argument("--out", type=pathlib.Path, required=True)
    parser.add_argument("--kinds", type=pathlib.Path, required=True)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--cases", type=int, default=200000)
    parser.add_argument("--hostile", type=int, default=20000)
    parser.add_argument("--text", type=pathlib.Path, nargs="*", default=[])
    parser.add_argument("--only", nargs="*", help="names of kinds")
    options = parser.parse_args()
    lines = tokenizer_lines.draw_lines(options)
    if not options.kinds.exists():
        some = lines[:TRAINING_LINES]
        pipeline_tokenizers.write_kinds(options.kinds, some, 8000)
        pipeline_tokenizers.write_japanese(options.kinds, some, 8000)
    profile = "hf5" if tokenizer_lines.VERSION_5 else "hf4"
    version = ", version 5" if tokenizer_lines.VERSION_5 else ""
    for directory in sorted(options.kinds.iterdir()):
        if options.only and directory.name not in options.only:
            continue
        tokenizer = transformers.AutoTokenizer.from_pretrained(directory)
        fast = hasattr(tokenizer, "_tokenizer")
        row = tokenizer_lines.Row(
            f"AutoTokenizer, {directory.name}{version}", tokenizer_lines.REFERENCE,
            FIELDS if fast else "ids",
            f"profile {profile}; pairs{' and truncation' if fast else ''} too")
        if fast:
            tokenizer_lines.compare_fast(options, directory, tokenizer, profile,
                                         lines, row, cut=True)
        else:
            tokenizer_lines.compare_slow(options, directory, tokenizer, profile,
                                         lines, row)
        print(f"{row.name}: {row.cases} cases, {row.differences} differences",
              flush=True)
    written = [row.written() for row in tokenizer_lines.Row.rows]
    options.out.write_text(json.dumps(written, indent=1) + "\n")
    sys.exit(any(row["worst"] > row["limit"] for row in written))


if __name__ == "__main__":
    main()
