#!/usr/bin/env python3
"""Holds stand-ins for directories as people have them against what made them.

    wild.py --build=build/release --out=FILE.json [--seed=11] [--cases=N]
            [--conventions] [--keep=DIRECTORY]

Makes directories with random weights and the file layouts of published ones
(wild_conventions.py, wild_edges.py, wild_tokenizers.py) by the running Python's
transformers, serves them without any flag, and compares: logits and vectors with
what the publisher's code answered, pipelines as pipelines.py does, tokens on a
share of lines. Last come directories that must be refused, each in a message
that says what can be done. --conventions adds what sentence-transformers saves
and heads of publishers' own; it needs sentence-transformers and bert_score.
Paths and packages else as pipelines.py has them.
"""

import argparse
import json
import os
import pathlib
import random
import re
import shutil
import sys
import tempfile
import types

os.environ["PROTOCOL_BUFFERS_PYTHON_IMPLEMENTATION"] = "python"


import models  # noqa: E402
import outcome  # noqa: E402
import pipelines  # noqa: E402  (which finds server.py)
import tokenizer_lines  # noqa: E402
import wild_answers  # noqa: E402
import wild_edges  # noqa: E402
import wild_tokenizers  # noqa: E402
from server import Server, run_to_exit, stub  # noqa: E402

REFERENCE = tokenizer_lines.REFERENCE
FIELDS = "ids, offsets, type ids, special tokens mask, words"


def publisher(row):
    """Whose code answered, where it is not transformers'."""
    if row in ("CrossEncoder", "bi-encoder with modules.json"):
        return "sentence-transformers 5.1.2"
    if row.startswith(("NeMo", "prompt", "desklib")):
        return f"its description, {REFERENCE}"
    return REFERENCE


def compare_answers(options, rows, scratch, made):
    """`made`: (row, name) of directories below scratch with expected.json."""
    made = list(made)
    served = {name: scratch / name for _, name in made}
    with Server(str(options.build / "deberta-server"), served,
                scratch / "server.log") as server, server.channel() as channel:
        for row, name in made:
            expected = json.loads((scratch / name / "expected.json").read_text())
            for compared, value, limit, unit in wild_answers.compare(
                    stub(channel), name, expected):
                rows.add(row, publisher(row), compared, value, limit, unit,
                         where=name)
    return len(made)


def compare_tokens(options, made, lines):
    """Each directory's tokenizer, read without a profile."""
    for kind, tokenizer, directory in made:
        name = f"tokenizer {kind}"
        old = [r for r in tokenizer_lines.Row.rows if r.name == name]
        if hasattr(tokenizer, "_tokenizer"):
            row = old[0] if old else tokenizer_lines.Row(name, REFERENCE, FIELDS)
            tokenizer_lines.compare_fast(options, directory, tokenizer, None,
                                         lines, row, cut=False)
        else:
            row = old[0] if old else tokenizer_lines.Row(name, REFERENCE, "ids")
            tokenizer_lines.compare_slow(options, directory, tokenizer, None,
                                         lines, row)


def compare_refusals(options, rows, scratch):
    """No server may start with any of them."""
    count = 0
    for name, directory, pattern in wild_edges.refusals(scratch):
        count += 1
        code, said = run_to_exit(str(options.build / "deberta-server"),
                                 f"--models=m={directory}", "--listen=127.0.0.1:0",
                                 "--metrics_listen=127.0.0.1:0")
        wrong = code == 0 or not re.search(pattern, said.replace('\\"', '"'))
        rows.add("refused, with what to do", "a pattern of the message",
                 "what is said", int(wrong), 0, "differences", where=said)
    return count


def compare_all(options, scratch):
    rng = random.Random(options.seed)
    rows = models.Rows()
    count = compare_answers(options, rows, scratch / "edges",
                            wild_edges.make(scratch / "edges"))
    if options.conventions:
        import wild_conventions
        (scratch / "conventions").mkdir()
        count += compare_answers(options, rows, scratch / "conventions",
                                 wild_conventions.make(scratch / "conventions"))
    made = list(wild_tokenizers.make(scratch / "kinds", rng))
    made += wild_tokenizers.released(scratch / "released", rng)
    count += len(made)
    lines = tokenizer_lines.draw_lines(types.SimpleNamespace(
        seed=options.seed, text=[], cases=400, hostile=100))
    compare_tokens(options, made, lines)
    served = {directory.name: directory for _, _, directory in made}
    asked = pipelines.compare(served, options, scratch)
    refused = compare_refusals(options, rows, scratch / "refused")
    print(f"{count} directories served, {refused} refused")
    served = {"row": "directories served", "reference": REFERENCE,
              "compared": "by default flags", "cases": count, "worst": 0,
              "limit": 0, "unit": "differences", "note": ""}
    return ([served, *rows.rows.values()]
            + [row.written() for row in tokenizer_lines.Row.rows] + asked)


def parse_arguments():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--build", type=pathlib.Path, required=True)
    parser.add_argument("--out", type=pathlib.Path, required=True)
    parser.add_argument("--seed", type=int, default=11)
    parser.add_argument("--cases", type=int, default=1200)
    parser.add_argument("--conventions", action="store_true")
    parser.add_argument("--keep", type=pathlib.Path,
                        help="where the directories stay, for a look at them")
    return parser.parse_args()


def main():
    options = parse_arguments()
    models.torch.set_num_threads(1)
    pipelines.prepare()
    with tempfile.TemporaryDirectory() as name:
        scratch = options.keep or pathlib.Path(name)
        shutil.rmtree(scratch, ignore_errors=True)
        scratch.mkdir(parents=True)
        rows = compare_all(options, scratch)
    return outcome.write(rows, options.out)


if __name__ == "__main__":
    sys.exit(main())
