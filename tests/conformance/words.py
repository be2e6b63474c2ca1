#!/usr/bin/env python3
"""Cuts texts into words, and words into tokens, with the reference and here.

    words.py --build=build/release --out=FILE.json [--seed=11] [--texts=100000]
             [DIRECTORY ...]

Texts: every code point alone and between letters, and TEXTS random ones. Words
are those of the patterns of gliner 0.2.29 and gliner2 2.1.0, of this in lower case,
in Python 3.11 (Unicode 14); tokens those of
`tokenizers` with is_pretokenized, of the tokenizers in tests/golden and of each
DIRECTORY given, of the first 20,000 of the random texts.
"""

import argparse
import json
import pathlib
import struct
import subprocess
import sys
import unicodedata

HERE = pathlib.Path(__file__).resolve().parent
sys.path.append(str(HERE.parent / "golden/generators"))

import numpy as np  # noqa: E402
import tokenizers  # noqa: E402

import random_words  # noqa: E402

MOST_TOKENIZED = 20000
GLINER2 = "--gliner2"


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


def differences(options, name, texts, expected, directory=None):
    count = 0
    got = list(ours(options, texts, directory))
    if len(got) != len(texts):
        sys.exit(f"{len(texts)} texts, but {len(got)} answers")
    for text, mine, theirs in zip(texts, got, expected):
        if directory == GLINER2:
            mine = mine, (mine[0], mine[1])
        if mine[1 if directory else 0] == theirs:
            continue
        count += 1
        if count <= 5:
            print(f"{name}: {text!r}: {mine}, expected {theirs}", file=sys.stderr)
    print(f"{name}: {len(texts)} cases, {count} differences")
    return count


def row(name, reference, compared, cases, worst):
    return {"row": name, "reference": reference, "compared": compared,
            "cases": cases, "worst": worst, "limit": 0, "unit": "differences",
            "note": ""}


def spans(text):
    found = list(random_words.GLINER.finditer(text))
    return [m.start() for m in found] + [m.end() for m in found]


def lowered(text):
    found = list(random_words.GLINER2.finditer(text))
    pairs = [(ord(c), i) for i, m in enumerate(found) for c in m.group().lower()]
    return ([m.start() for m in found] + [m.end() for m in found],
            [c for c, _ in pairs] + [i for _, i in pairs])


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
    if unicodedata.unidata_version != "14.0.0":
        sys.exit(f"Unicode {unicodedata.unidata_version}, expected Python 3.11's 14.0.0")
    drawn = list(random_words.texts(options.seed, options.texts))
    texts = [*code_points(), *drawn]
    rows = [row("words of gliner", f"Python {sys.version.split()[0]}",
                "starts and ends", len(texts),
                differences(options, "words", texts, map(spans, texts)))]
    more = [*texts, *random_words.texts(
        options.seed + 1, 1000, random_words.FIXED + random_words.FIXED2)]
    rows.append(row("words of gliner2", f"Python {sys.version.split()[0]}",
                    "starts, ends and lower case", len(more),
                    differences(options, "words of gliner2", more,
                                map(lowered, more), GLINER2)))
    golden = sorted((HERE.parent / "golden/tokenizers").iterdir())
    drawn = drawn[:MOST_TOKENIZED]
    cases = worst = 0
    for directory in [*golden, *options.directories]:
        tokenizer = tokenizers.Tokenizer.from_file(str(directory / "tokenizer.json"))
        tokenizer.no_truncation()
        tokenizer.no_padding()
        cases += len(drawn)
        worst += differences(options, directory.name, drawn,
                             (tokens(tokenizer, text) for text in drawn), directory)
    rows.append(row("tokens of words", f"tokenizers {tokenizers.__version__}",
                    "ids, words", cases, worst))
    options.out.write_text(json.dumps(rows, indent=1) + "\n")
    sys.exit(any(written["worst"] for written in rows))


if __name__ == "__main__":
    main()
