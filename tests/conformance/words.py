#!/usr/bin/env python3
"""Cuts texts into words, and words into tokens, with the reference and here.

    words.py --build=build/release --out=FILE.json [--seed=11] [--texts=100000]
             [DIRECTORY ...]

Texts: every code point alone and between letters, and TEXTS random ones. Words
are those of gliner 0.2.29's pattern, in Python 3.11 (Unicode 14); tokens those of
`tokenizers` with is_pretokenized, of the tokenizers in tests/golden and of each
DIRECTORY given.
"""

import argparse
import json
import pathlib
import struct
import subprocess
import sys

HERE = pathlib.Path(__file__).resolve().parent
sys.path.append(str(HERE.parent / "golden/generators"))

import numpy as np  # noqa: E402
import tokenizers  # noqa: E402

import random_words  # noqa: E402


def code_points():
    for code_point in range(0x110000):
        if not 0xD800 <= code_point < 0xE000:
            yield chr(code_point)
            yield f"a{chr(code_point)}b-{chr(code_point)}c"


def ours(options, texts, directory=None):
    command = [options.build / "split_words", *([directory] if directory else [])]
    data = b"".join(struct.pack("<i", len(t)) + t for t in
                    (text.encode() for text in texts))
    out = np.frombuffer(subprocess.run(command, input=data, check=True,
                                       stdout=subprocess.PIPE).stdout, "<i4")
    at = 0
    while at < len(out):
        words = out[at + 1:at + 1 + 2 * out[at]]
        at += 1 + 2 * out[at]
        tokens = None
        if directory:
            tokens = out[at + 1:at + 1 + 2 * out[at]]
            at += 1 + 2 * out[at]
        yield words.tolist(), None if tokens is None else tokens.tolist()


def compare(options, name, texts, expected, directory=None):
    differences = 0
    got = list(ours(options, texts, directory))
    if len(got) != len(texts):
        sys.exit(f"{len(texts)} texts, but {len(got)} answers")
    for text, mine, theirs in zip(texts, got, expected):
        if mine[1 if directory else 0] == theirs:
            continue
        differences += 1
        if differences <= 5:
            print(f"{name}: {text!r}: {mine}, expected {theirs}", file=sys.stderr)
    print(f"{name}: {len(texts)} cases, {differences} differences")
    return {"row": name, "cases": len(texts), "worst": differences, "limit": 0,
            "unit": "differences", "note": ""}


def spans(text):
    found = list(random_words.GLINER.finditer(text))
    return [m.start() for m in found] + [m.end() for m in found]


def tokens(tokenizer, text):
    words = [m.group() for m in random_words.GLINER.finditer(text)]
    encoding = tokenizer.encode(words, is_pretokenized=True,
                                add_special_tokens=False)
    return encoding.ids + encoding.word_ids


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--build", type=pathlib.Path, required=True)
    parser.add_argument("--out", type=pathlib.Path, required=True)
    parser.add_argument("--seed", type=int, default=11)
    parser.add_argument("--texts", type=int, default=100000)
    parser.add_argument("directories", type=pathlib.Path, nargs="*")
    options = parser.parse_args()
    drawn = list(random_words.texts(options.seed, options.texts))
    texts = [*code_points(), *drawn]
    rows = [compare(options, "GLiNER's words", texts, map(spans, texts))]
    rows[0] |= {"reference": f"Python {sys.version.split()[0]}",
                "compared": "starts and ends of words"}
    golden = HERE.parent / "golden/tokenizers"
    for directory in [*sorted(golden.iterdir()), *options.directories]:
        tokenizer = tokenizers.Tokenizer.from_file(str(directory / "tokenizer.json"))
        tokenizer.no_truncation()
        tokenizer.no_padding()
        row = compare(options, f"tokens of words, {directory.name}", drawn,
                      (tokens(tokenizer, text) for text in drawn), directory)
        rows.append(row | {"reference": f"tokenizers {tokenizers.__version__}",
                           "compared": "ids and words"})
    options.out.write_text(json.dumps(rows, indent=1) + "\n")
    sys.exit(any(row["worst"] for row in rows))


if __name__ == "__main__":
    main()
