#!/usr/bin/env python3
"""Compares the tokenizer with transformers 4.57 on the lines of a text file.

    compare_tokenizers.py ENCODE_LINES DIRECTORY TEXT

ENCODE_LINES is the program of tests/tokenizer/encode_lines.cc. A line with a
tab is a pair of texts. Ids, offsets, types, special tokens mask and words must
be equal; decoded texts are not compared. Ends with 1 if a line differs.
"""

import json
import subprocess
import sys
import time

from transformers import AutoTokenizer

FIELDS = ("ids", "offsets", "types", "special mask", "words")


def reference_encodings(backend, lines):
    pairs = [tuple(line.split("\t", 1)) if "\t" in line else line for line in lines]
    for encoding in backend.encode_batch(pairs):
        yield [
            encoding.ids,
            [list(offsets) for offsets in encoding.offsets],
            encoding.type_ids,
            encoding.special_tokens_mask,
            [-1 if word is None else word for word in encoding.word_ids],
        ]


def main():
    program, directory, text_file = sys.argv[1:]
    with open(text_file, encoding="utf-8", newline="\n") as file:
        lines = file.read().removesuffix("\n").split("\n")
    backend = AutoTokenizer.from_pretrained(directory, use_fast=True).backend_tokenizer
    backend.no_truncation()
    backend.no_padding()
    start = time.perf_counter()
    expected = list(reference_encodings(backend, lines))
    reference_seconds = time.perf_counter() - start
    output = subprocess.run(
        [program, directory],
        input="\n".join(lines).encode() + b"\n",
        stdout=subprocess.PIPE,
        check=True,
    ).stdout.decode()
    actual = [json.loads(line) for line in output.splitlines()]
    if len(actual) != len(lines):
        sys.exit(f"{len(lines)} lines, but {len(actual)} encodings")
    different = 0
    for line, ours, theirs in zip(lines, actual, expected):
        if ours == theirs:
            continue
        different += 1
        if different > 5:
            continue
        print(f"line {line[:300]!r}")
        for field, a, b in zip(FIELDS, ours, theirs):
            if a != b:
                at = next((i for i, (x, y) in enumerate(zip(a, b)) if x != y), min(len(a), len(b)))
                print(f"  {field} from {at}: ours {a[at:at + 8]}, reference {b[at:at + 8]}")
    tokens = sum(len(encoding[0]) for encoding in expected)
    print(
        f"{len(lines)} lines, {tokens} tokens, {different} lines differ "
        f"(reference took {reference_seconds:.2f} s, all threads)"
    )
    sys.exit(different > 0)


if __name__ == "__main__":
    main()
