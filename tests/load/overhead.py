#!/usr/bin/env python3
"""What the service costs beside the model's own forward pass.

deberta-bench and a server, which open_loop asks, take turns: texts of 128 tokens
from so many callers that the server is never idle, and 16 tokens from one caller.
Prints the tokens a second of both and what a lone call takes more, medians over
the rounds.

  tests/load/overhead.py --build build/release --model demo/section-classifier
"""

import argparse
import json
import os
import pathlib
import statistics
import subprocess
import sys
import tempfile

sys.path.insert(0, str(pathlib.Path(__file__).parents[1]))
from peers.engines import Engine
from served import Served

# A text of open_loop has so many tokens more than words.
SPECIAL_TOKENS = 2


def ask(options, port, tokens, callers):
    words = tokens - SPECIAL_TOKENS
    output = subprocess.run(
        [options.build / "tests" / "open_loop", f"--server=127.0.0.1:{port}",
         "--model=m", "--closed", f"--callers={callers}",
         f"--min_words={words}", f"--max_words={words}",
         f"--seconds={options.seconds}"],
        check=True, stdout=subprocess.PIPE, text=True).stdout
    return json.loads(output)


def check_length(options, port, tokens):
    """A word is a token, or the figures say nothing."""
    text = " ".join(["the"] * (tokens - SPECIAL_TOKENS))
    output = subprocess.run(
        [options.build / "deberta-client", f"--server=127.0.0.1:{port}",
         "--json", "tokenize", text],
        check=True, stdout=subprocess.PIPE, text=True).stdout
    got = len(json.loads(output)["ids"])
    if got != tokens:
        sys.exit(f"a text of {tokens - SPECIAL_TOKENS} words has {got} tokens, "
                 f"expected {tokens}")


def compare(options, port, bench):
    rates, lone = [], []
    for _ in range(options.rounds):
        bare = bench.measure(f"{options.batch}x128")["tokens_per_s"]
        served = 128 * ask(options, port, 128, options.callers)["good_per_s"]
        rates.append((bare, served))
        lone.append((bench.measure("1x16")["median_ms"],
                     ask(options, port, 16, 1)["p50_ms"]))
    print("| | deberta-bench | through gRPC | |\n|---|---:|---:|---:|")
    bare, served = map(statistics.median, zip(*rates))
    share = statistics.median(s / b for b, s in rates)
    print(f"| {options.callers} callers, 128 tokens | {bare:.0f} tokens/s | "
          f"{served:.0f} tokens/s | {share:.1%} |")
    bare, served = map(statistics.median, zip(*lone))
    more = statistics.median(s - b for b, s in lone)
    print(f"| one caller, 16 tokens | {bare:.2f} ms | {served:.2f} ms | "
          f"{more:+.2f} ms |")


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--build", type=pathlib.Path, required=True)
    parser.add_argument("--model", type=pathlib.Path, required=True)
    parser.add_argument("--seconds", type=float, default=4, help="of each turn")
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--callers", type=int, default=32)
    parser.add_argument("--batch", type=int, default=8,
                        help="sequences of deberta-bench's batches")
    options = parser.parse_args()
    command = [options.build.resolve() / "deberta-bench",
               f"--model={options.model.resolve()}",
               f"--seconds={options.seconds}", "--shapes=-", "--json"]
    bench = Engine("deberta-bench", command, len(os.sched_getaffinity(0)), {},
                   None)
    with tempfile.NamedTemporaryFile() as log, Served(
            options.build, log.name, f"--models=m={options.model}",
            "--listen=127.0.0.1:0", "--metrics_listen=127.0.0.1:0") as server:
        port = server.port()
        check_length(options, port, 16)
        check_length(options, port, 128)
        compare(options, port, bench)
    bench.close()


if __name__ == "__main__":
    main()
