#!/usr/bin/env python3
"""Tokenizing speed beside the Rust tokenizers and SentencePiece, one thread.

    compare_tokenizer_speed.py ENCODE_LINES TEXT DIRECTORY... [--megabytes=4]

ENCODE_LINES is the program of tests/tokenizer/encode_lines.cc. All see the same
lines of TEXT; processor time, the best of five interleaved runs. The Rust
library tokenizes the lines in one call, and so does SentencePiece, so that
Python costs them little. Needs transformers 4.57.1 with tokenizers, and
sentencepiece.
"""

import argparse
import os
import pathlib
import random
import subprocess
import time

os.environ["TOKENIZERS_PARALLELISM"] = "false"
os.environ["RAYON_NUM_THREADS"] = "1"

import sentencepiece  # noqa: E402
import transformers  # noqa: E402

RUNS = 5


def draw(path, megabytes):
    lines = path.read_text().split("\n")[:-1]
    random.Random(3).shuffle(lines)
    out, size = [], 0
    for line in lines:
        out.append(line)
        size += len(line.encode()) + 1
        if size >= megabytes * 1e6:
            break
    return out, size


def runner(function):
    def run():
        start = time.process_time()
        function()
        return time.process_time() - start
    return run


def ours(program, directory, profile, lines):
    command = [program, directory, f"--profile={profile}", "--time"]
    source = ("\n".join(lines) + "\n").encode()

    def run():
        output = subprocess.run(command, input=source, stdout=subprocess.PIPE,
                                check=True).stdout.split()
        return float(output[4])
    return run


def contenders(program, directory, lines):
    """(name, function that gives the seconds of a run), the peer last."""
    v2 = (directory / "spm.model").exists()
    kind = (transformers.DebertaV2TokenizerFast if v2
            else transformers.DebertaTokenizerFast)
    backend = kind.from_pretrained(directory).backend_tokenizer
    backend.no_truncation()
    backend.no_padding()
    yield "hf4", [("here", ours(program, directory, "hf4", lines)),
                  ("tokenizers", runner(lambda: backend.encode_batch(lines)))]
    if v2:
        yield "hf5", [("here", ours(program, directory, "hf5", lines))]
        library = sentencepiece.SentencePieceProcessor(
            model_file=str(directory / "spm.model"))
        yield "spm", [("here", ours(program, directory, "spm", lines)),
                      ("SentencePiece",
                       runner(lambda: library.encode(lines, num_threads=1)))]


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("program")
    parser.add_argument("text", type=pathlib.Path)
    parser.add_argument("directories", type=pathlib.Path, nargs="+")
    parser.add_argument("--megabytes", type=float, default=4)
    arguments = parser.parse_args()
    lines, size = draw(arguments.text, arguments.megabytes)
    print(f"{len(lines)} lines, {size / 1e6:.1f} MB")
    print("| vocabulary | profile | MB/s here | peer | MB/s | times |")
    print("|---|---|---|---|---|---|")
    for directory in arguments.directories:
        for profile, rivals in contenders(arguments.program, directory, lines):
            best = {name: float("inf") for name, _ in rivals}
            for _ in range(RUNS):
                for name, run in rivals:
                    best[name] = min(best[name], run())
            speeds = [(name, size / 1e6 / best[name]) for name, _ in rivals]
            row = [directory.name, profile, f"{speeds[0][1]:.1f}"]
            row += ([speeds[1][0], f"{speeds[1][1]:.1f}",
                     f"{speeds[0][1] / speeds[1][1]:.1f}"]
                    if len(speeds) > 1 else ["", "", ""])
            print("| " + " | ".join(row) + " |", flush=True)


if __name__ == "__main__":
    main()
