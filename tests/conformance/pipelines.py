#!/usr/bin/env python3
"""Asks a running server what the pipelines of transformers are asked.

    pipelines.py --build=build/release --out=pipelines.json [--seed=1]
                 [--cases=2400]

Makes a tiny checkpoint with random weights for every head, with the tokenizers
of v1 and of v3, saved by the running Python's transformers, serves them, and
compares calls over gRPC with the pipelines that this version has. What was
found, and in which order, must be equal; scores within 1e-4. Needs transformers
4.57.1 or 5, torch, tokenizers, sentencepiece, grpcio and
grpcio-health-checking, with the stubs of proto/ and
tests/golden/generators on the path.
"""

import argparse
import itertools
import pathlib
import random
import sys
import tempfile

import transformers

HERE = pathlib.Path(__file__).resolve().parent
sys.path += [str(HERE.parent / "e2e"), str(HERE.parent / "golden/generators")]

import outcome  # noqa: E402
import pipeline_cases  # noqa: E402
import pipeline_models  # noqa: E402
from server import Server, stub  # noqa: E402

LIMIT = 1e-4
REFERENCE = f"transformers {transformers.__version__}"
TASKS = transformers.pipelines.PIPELINE_REGISTRY.get_supported_tasks()


def in_order_of(expected, got):
    """`got`, results of one score in the order in which the reference has them:
    its sorting (numpy's argsort, torch's topk) leaves that to chance."""
    got = list(got)
    begin = 0
    for _, same in itertools.groupby(expected, key=lambda found: found[1]):
        whats = [what for what, _ in same]
        part = got[begin:begin + len(whats)]
        if sorted(map(repr, whats)) == sorted(repr(what) for what, _ in part):
            got[begin:begin + len(whats)] = sorted(
                part, key=lambda found: whats.index(found[0]))
        begin += len(whats)
    return got


class Row:
    """Cases of one pipeline, and how they came out."""

    def __init__(self, name):
        self.name = name
        self.cases = self.results = self.differences = 0
        self.worst = 0.0

    def add(self, expected, got, asked):
        self.cases += 1
        self.results += len(expected)
        got = in_order_of(expected, got)
        if [what for what, _ in expected] != [what for what, _ in got]:
            self.differences += 1
            print(f"\n{asked}: expected {expected}\n  got {got}",
                  file=sys.stderr)
            return
        self.worst = max([self.worst] + [
            abs(float(a) - b) for (_, a), (_, b) in zip(expected, got)])

    def show(self, total):
        if sys.stderr.isatty():
            print(f"\r{self.name} {self.cases}/{total} ", end="",
                  file=sys.stderr)

    def written(self):
        common = {"row": self.name, "reference": REFERENCE,
                  "cases": self.cases, "note": ""}
        return [common | {"compared": "what is found, where, in which order",
                          "worst": self.differences, "limit": 0,
                          "unit": "differences"},
                common | {"compared": f"{self.results:,} scores"
                          if self.name != "feature-extraction"
                          else f"{self.results:,} values",
                          "worst": self.worst, "limit": LIMIT, "unit": ""}]


def compare(models, options, directory):
    rng = random.Random(options.seed)
    references = pipeline_cases.References(models)
    asked = {name: row for name, row in pipeline_cases.ROWS.items()
             if name in TASKS or hasattr(transformers, name)}
    shares = [share for _, share in asked.values()]
    rows = []
    with Server(str(options.build / "deberta-server"), models,
                directory / "server.log") as server, \
            server.channel() as channel:
        for name, (make, share) in asked.items():
            count = -(-options.cases * share // sum(shares))
            row = Row(name)
            for expected, ask in make(references, rng, count):
                row.add(expected, ask(stub(channel)), references.asked)
                row.show(count)
            rows += row.written()
    return rows


def prepare():
    """Quiets the references and leaves their defects out."""
    transformers.logging.set_verbosity_error()
    transformers.utils.logging.disable_progress_bar()
    if "question-answering" in TASKS:
        import task_answers
        task_answers.drop_zero_cells()


def main():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--build", type=pathlib.Path, required=True)
    parser.add_argument("--out", type=pathlib.Path, required=True)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--cases", type=int, default=2400)
    options = parser.parse_args()
    prepare()
    with tempfile.TemporaryDirectory() as scratch:
        models = pipeline_models.make(scratch, random.Random(options.seed))
        rows = compare(models, options, pathlib.Path(scratch))
    return outcome.write(rows, options.out)


if __name__ == "__main__":
    sys.exit(main())
