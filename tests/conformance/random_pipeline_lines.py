#!/usr/bin/env python3
"""Tokenizes lines with random pipelines of tokenizer.json, beside AutoTokenizer.

    random_pipeline_lines.py --build=build/release --out=FILE.json --text FILE ...
                             [--pipelines=1000] [--cases=100] [--hostile=100] [--seed=1]

Each pipeline (tests/golden/generators/random_pipelines.py) gets lines of its own,
drawn as tokenizer_lines.py draws them. Those that are refused here are counted by
what is said of them, and must not be many.
"""

import argparse
import collections
import json
import pathlib
import random
import re
import subprocess
import sys
import tempfile

import tokenizer_lines
import transformers

import pipeline_tokenizers
import random_pipelines as made

FIELDS = "ids, offsets, type ids, special tokens mask, words"
TRAINING_LINES = 3000
MODEL_SIZE = 2000
MOST_REFUSED = 0.05


def ambiguous(tokenizer):
    """Whether two added tokens look the same once normalized: which of them the
    library finds then changes from run to run."""
    if tokenizer.normalizer is None:
        return False
    sought = [tokenizer.normalizer.normalize_str(token.content)
              for token in tokenizer.get_added_tokens_decoder().values()
              if token.normalized]
    return len(set(sought)) < len(sought)


def write(rnd, models, directory):
    tokenizer = made.draw(rnd, models)[1]
    while ambiguous(tokenizer):
        tokenizer = made.draw(rnd, models)[1]
    pipeline_tokenizers.write_directory(
        directory, pipeline_tokenizers.GENERIC, {"tokenizer.json": tokenizer.to_str()})


def refusal(options, directory, profile):
    """What is said of a directory, without its numbers; None of one that loads."""
    run = subprocess.run([options.build / "encode_lines", directory,
                          f"--profile={profile}"], input=b"\n", capture_output=True)
    return re.sub(r"\d+", "N", run.stderr.decode()) if run.returncode else None


def expected(directory, lines):
    """None where the reference stops."""
    tokenizer = transformers.AutoTokenizer.from_pretrained(directory)
    tokenizer._tokenizer.no_truncation()
    tokenizer._tokenizer.no_padding()
    try:
        return list(tokenizer_lines.fast_arrays(tokenizer, lines))
    except BaseException as error:
        if type(error).__name__ != "PanicException":
            raise
        return None


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--build", type=pathlib.Path, required=True)
    parser.add_argument("--out", type=pathlib.Path, required=True)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--pipelines", type=int, default=1000)
    parser.add_argument("--cases", type=int, default=100, help="lines of each")
    parser.add_argument("--hostile", type=int, default=100)
    parser.add_argument("--text", type=pathlib.Path, nargs="+", required=True)
    options = parser.parse_args()
    rnd = random.Random(options.seed)
    every = tokenizer_lines.read_lines(options.text)
    models = made.train(rnd.sample(every, TRAINING_LINES), MODEL_SIZE)
    profile = "hf5" if tokenizer_lines.VERSION_5 else "hf4"
    version = ", version 5" if tokenizer_lines.VERSION_5 else ""
    refused = collections.Counter()
    row = tokenizer_lines.Row(
        f"random pipelines{version}", tokenizer_lines.REFERENCE, FIELDS,
        f"profile {profile}; {options.pipelines:,} pipelines; pairs too")
    for number in range(options.pipelines):
        tokenizer_lines.progress(f"{row.name} {number}, {row.differences} differences")
        with tempfile.TemporaryDirectory() as name:
            directory = pathlib.Path(name) / str(number)
            write(rnd, models, directory)
            lines = tokenizer_lines.mixed_lines(rnd, every, options.cases,
                                                options.hostile)
            why = refusal(options, directory, profile)
            theirs = None if why else expected(directory, lines)
            if why:
                refused[why] += 1
            if theirs is None:
                continue
            row.add_encodings(directory, lines, tokenizer_lines.ours(
                options, directory, profile, lines), theirs)
    for why, count in refused.most_common():
        print(f"refused {count}: {why.strip()}", file=sys.stderr)
    print(f"{row.name}: {row.cases} cases, {row.differences} differences, "
          f"{refused.total()} pipelines refused")
    options.out.write_text(json.dumps([row.written()], indent=1) + "\n")
    sys.exit(row.differences > 0
             or refused.total() > MOST_REFUSED * options.pipelines)


if __name__ == "__main__":
    main()
