#!/usr/bin/env python3
"""Tokenizes lines of text with the reference and with the tokenizer here.

    tokenizer_lines.py --build=build/release --out=FILE.json [--seed=1]
                  [--cases=20000] [--hostile=2000] [--text=FILE ...]
                  [--tokenizers=DIRECTORY ...]

The profile is the running Python's: with transformers 4.57.1 and sentencepiece,
hf4 and spm; with transformers 5, hf5. Draws CASES lines from the text files
(collect_text.py makes a large one; without, those of tests/golden) and makes
HOSTILE more, every tenth a pair, for the tokenizers given (train_tokenizers.py);
those of tests/golden/tokenizers get the first 20,000 of them. All that the
reference says of a line must be equal: ids, offsets, type ids, special tokens
mask and words; spm has but ids from the slow tokenizer, ids and offsets from the
library.
"""

import argparse
import json
import os
import pathlib
import random
import subprocess
import sys
import tempfile

os.environ["PROTOCOL_BUFFERS_PYTHON_IMPLEMENTATION"] = "python"

import numpy as np  # noqa: E402

HERE = pathlib.Path(__file__).resolve().parent
sys.path.append(str(HERE.parent / "golden/generators"))

import transformers  # noqa: E402

import golden_texts  # noqa: E402

VERSION_5 = int(transformers.__version__.split(".")[0]) >= 5
REFERENCE = f"transformers {transformers.__version__}"
CHUNK = 50000
SLOW_SHARE = 20  # one line in so many goes through the slow tokenizers
MOST_GOLDEN = 20000
MAX_LENGTH = 32


def directories(options, lines):
    """Each with the lines for it."""
    for directory in sorted((HERE.parent / "golden" / "tokenizers").iterdir()):
        yield directory, lines[:MOST_GOLDEN]
    for root in options.tokenizers:
        for directory in sorted(root.iterdir()):
            yield directory, lines


def read_lines(files):
    return [line for file in files for line in file.read_text().split("\n") if line]


def draw_lines(options):
    rnd = random.Random(options.seed)
    if options.text:
        lines = read_lines(options.text)
    else:
        lines = golden_texts.read_texts()[0]
    return mixed_lines(rnd, lines, options.cases, options.hostile)


def mixed_lines(rnd, lines, cases, hostile):
    """Some of the lines, and hostile ones; every tenth is a pair."""
    if cases < len(lines):
        lines = rnd.sample(lines, cases)
    for i in range(hostile):
        make = (golden_texts.mixed_characters, golden_texts.mixed_words)[i % 2]
        lines.append(make(rnd))
    lines += [line for line in golden_texts.HOSTILE_FIXED]
    lines = [line.replace("\n", " ").replace("\t", " ") for line in lines]
    rnd.shuffle(lines)
    for i in range(9, len(lines), 10):
        lines[i] += "\t" + lines[i - 7]
    return lines


def ours(options, directory, profile, lines, max_length=None):
    """An array for each line: the reference's fields one after the other.

    Without a profile, by that which is chosen from the directory.
    """
    command = [options.build / "encode_lines", directory]
    if profile:
        command.append(f"--profile={profile}")
    if max_length:
        command.append(f"--max_length={max_length}")
    with tempfile.TemporaryFile() as source, tempfile.TemporaryFile() as out:
        source.write(("\n".join(lines) + "\n").encode())
        source.seek(0)
        subprocess.run(command, stdin=source, stdout=out, check=True)
        out.seek(0)
        data = np.fromfile(out, dtype="<i4")
    at = 0
    encodings = []
    while at < len(data):
        count = data[at]
        encodings.append(data[at + 1:at + 1 + 6 * count])
        at += 1 + 6 * count
    if len(encodings) != len(lines):
        sys.exit(f"{len(lines)} lines, but {len(encodings)} encodings")
    return encodings


def as_pair(line):
    return tuple(line.split("\t", 1)) if "\t" in line else line


def fast_arrays(tokenizer, lines):
    """Types are zero where the tokenizer does not pass them to a model."""
    typed = "token_type_ids" in tokenizer.model_input_names
    for encoding in tokenizer._tokenizer.encode_batch(
            [as_pair(line) for line in lines]):
        starts, ends = zip(*encoding.offsets)
        words = [-1 if word is None else word for word in encoding.word_ids]
        types = encoding.type_ids if typed else [0] * len(encoding.ids)
        yield np.array(encoding.ids + list(starts) + list(ends) + types
                       + encoding.special_tokens_mask + words, dtype="<i4")


class Row:
    rows = []

    def __init__(self, name, reference, compared, note=""):
        self.name, self.reference = name, reference
        self.compared, self.note = compared, note
        self.cases = self.differences = 0
        Row.rows.append(self)

    def add(self, directory, line, same, detail=None):
        self.cases += 1
        if same:
            return
        self.differences += 1
        if self.differences <= 5:
            print(f"\n{self.name}, {directory.name}: {line[:200]!r} {detail or ''}",
                  file=sys.stderr)

    def add_encodings(self, directory, lines, mine, theirs):
        for line, a, b in zip(lines, mine, theirs):
            same = a.tobytes() == b.tobytes()
            self.add(directory, line, same, None if same else first_difference(a, b))

    def written(self):
        return {"row": self.name, "reference": self.reference, "cases": self.cases,
                "compared": self.compared, "worst": self.differences, "limit": 0,
                "unit": "differences", "note": self.note}


def progress(text):
    if sys.stderr.isatty():
        print(f"\r\033[K{text}", end="", file=sys.stderr)


def first_difference(a, b):
    if len(a) != len(b):
        return f"{len(a) // 6} tokens, expected {len(b) // 6}"
    at = int(np.flatnonzero(a != b)[0])
    return f"field {at // (len(a) // 6)}, token {at % (len(a) // 6)}: {a[at]}, expected {b[at]}"


def compare_fast(options, directory, tokenizer, profile, lines, row, cut):
    """`cut`: every line again, truncated."""
    backend = tokenizer._tokenizer
    backend.no_padding()
    for begin in range(0, len(lines), CHUNK):
        progress(f"{row.name} {directory.name} {begin}")
        chunk = lines[begin:begin + CHUNK]
        for length in (None, MAX_LENGTH) if cut and begin == 0 else (None,):
            if length:
                backend.enable_truncation(
                    length, direction=tokenizer.truncation_side)
            else:
                backend.no_truncation()
            row.add_encodings(directory, chunk,
                              ours(options, directory, profile, chunk, length),
                              fast_arrays(tokenizer, chunk))


def compare_slow(options, directory, tokenizer, profile, lines, row):
    mine = ours(options, directory, profile, lines)
    for line, a in zip(lines, mine):
        pair = as_pair(line)
        ids = tokenizer(*pair)["input_ids"] if "\t" in line else tokenizer(pair)["input_ids"]
        got = a[:len(a) // 6].tolist()
        row.add(directory, line, got == ids, (got[:20], ids[:20]))


def compare_library(options, directory, lines, row):
    """Lines without added tokens, so that the library sees them whole."""
    import sentencepiece

    library = sentencepiece.SentencePieceProcessor(
        model_file=str(directory / "spm.model"))
    lines = [line for line in lines
             if "\t" not in line and "[" not in line and "<" not in line]
    for begin in range(0, len(lines), CHUNK):
        progress(f"{row.name} {directory.name} {begin}")
        chunk = lines[begin:begin + CHUNK]
        for line, a in zip(chunk, ours(options, directory, "spm", chunk)):
            count = len(a) // 6
            text = line.encode()
            pieces = library.encode(line, return_type="proto").pieces
            starts = [len(text[:p.begin].decode()) for p in pieces]
            ends = [len(text[:p.end].decode()) for p in pieces]
            got = [a[1:count - 1].tolist(), a[count + 1:2 * count - 1].tolist(),
                   a[2 * count + 1:3 * count - 1].tolist()]
            row.add(directory, line, got == [[p.id for p in pieces], starts, ends])


def is_v2(directory):
    return (directory / "spm.model").exists()


def plain_library(directory):
    config = json.loads((directory / "tokenizer_config.json").read_text())
    return not (config.get("do_lower_case") or config.get("split_by_punct"))


def compare_4(options, every):
    fields = "ids, offsets, type ids, special tokens mask, words"
    fast = {v2: Row(name, REFERENCE, fields, "profile hf4; pairs and truncation too")
            for v2, name in ((False, "DebertaTokenizerFast"),
                             (True, "DebertaV2TokenizerFast"))}
    slow_v1 = Row("DebertaTokenizer", REFERENCE, "ids", "profile hf4")
    slow_v2 = Row("DebertaV2Tokenizer", REFERENCE, "ids", "profile spm")
    import sentencepiece
    library = Row("SentencePiece", f"sentencepiece {sentencepiece.__version__}",
                  "ids, offsets", "profile spm")
    for directory, lines in directories(options, every):
        v2 = is_v2(directory)
        kinds = ((transformers.DebertaV2TokenizerFast, transformers.DebertaV2Tokenizer)
                 if v2 else
                 (transformers.DebertaTokenizerFast, transformers.DebertaTokenizer))
        compare_fast(options, directory, kinds[0].from_pretrained(directory), "hf4",
                     lines, fast[v2], cut=True)
        few = lines[::SLOW_SHARE]
        if v2:
            compare_slow(options, directory, kinds[1].from_pretrained(directory),
                         "spm", few, slow_v2)
            if plain_library(directory):
                compare_library(options, directory, lines, library)
        elif not (directory / "added_tokens.json").exists():
            compare_slow(options, directory, kinds[1].from_pretrained(directory),
                         "hf4", few, slow_v1)


def compare_5(options, every):
    fields = "ids, offsets, type ids, special tokens mask, words"
    rows = {v2: Row(f"{name}, version 5", REFERENCE, fields,
                    "profile hf5; pairs and truncation too")
            for v2, name in ((False, "DebertaTokenizer"),
                             (True, "DebertaV2Tokenizer"))}
    for directory, lines in directories(options, every):
        v2 = is_v2(directory)
        kind = transformers.DebertaV2Tokenizer if v2 else transformers.DebertaTokenizer
        compare_fast(options, directory, kind.from_pretrained(directory), "hf5",
                     lines, rows[v2], cut=True)


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--build", type=pathlib.Path, required=True)
    parser.add_argument("--out", type=pathlib.Path, required=True)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--cases", type=int, default=20000)
    parser.add_argument("--hostile", type=int, default=2000)
    parser.add_argument("--text", type=pathlib.Path, nargs="*", default=[])
    parser.add_argument("--tokenizers", type=pathlib.Path, nargs="*", default=[])
    options = parser.parse_args()
    lines = draw_lines(options)
    (compare_5 if VERSION_5 else compare_4)(options, lines)
    written = [row.written() for row in Row.rows]
    options.out.write_text(json.dumps(written, indent=1) + "\n")
    for row in written:
        print(f"{row['row']}: {row['cases']} cases, {row['worst']} differences")
    sys.exit(any(row["worst"] > row["limit"] for row in written))


if __name__ == "__main__":
    main()
