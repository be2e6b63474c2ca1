#!/usr/bin/env python3
"""Holds the model against transformers and Microsoft's code, side by side.

Random configurations, chosen by a seed, times every head that the page has:
each becomes a directory that transformers writes and reads, runs there on a
padded batch, and runs here sequence by sequence on every vector width
(compare_model). Then Microsoft's code: the Enhanced Mask Decoder and
replaced-token detection. Writes rows of the conformance report as JSON.

  python tests/conformance/models.py --build=build/release --out=models.json
      [--seed=N] [--cases=N] [--microsoft=CHECKOUT] [--full-size]

--cases is the number of configurations. --microsoft is a checkout of
https://github.com/microsoft/DeBERTa, by default BUILD_DIR/microsoft-DeBERTa,
where it is cloned if need be. Needs transformers 4.57.1 (or 5), torch and
safetensors; --full-size needs 16 GB of memory and an hour.
"""

import argparse
import json
import pathlib
import subprocess
import sys
import tempfile

import torch
import transformers
from safetensors.torch import save_file

import config_check
import full_size
import microsoft_check
import random_models

LIMIT = 2e-5  # of scale
ISAS = ("avx512", "avx2", "baseline")
# Directories compared by one process.
AT_ONCE = 24


class Progress:
    """A line on a terminal; silent elsewhere."""

    def __init__(self, total):
        self.total = total
        self.done = 0

    def step(self, what):
        self.done += 1
        if sys.stderr.isatty():
            end = "\n" if self.done == self.total else ""
            print(f"\r{self.done}/{self.total} {what:<50.50}", end=end,
                  file=sys.stderr, flush=True)


class Rows:
    """The report's rows, each the worst of its cases."""

    def __init__(self):
        self.rows = {}

    def add(self, row, reference, compared, value, limit=LIMIT,
            unit="of scale", note="", where=""):
        entry = self.rows.setdefault((row, reference, compared), dict(
            row=row, reference=reference, cases=0, compared=compared, worst=0,
            limit=limit, unit=unit, note=note))
        entry["cases"] += 1
        # A missing number is the worst of all.
        entry["worst"] = max(entry["worst"],
                             float("inf") if value is None else value)
        if value is None or value > limit:
            print(f"{row}: {compared} {value} {unit}, limit {limit}: {where}",
                  file=sys.stderr)

    def exceeded(self):
        return [row for row in self.rows.values()
                if not row["worst"] <= row["limit"]]


def compare(build, directories, flags=()):
    """compare_model's lines, by directory."""
    run = subprocess.run(
        [build / "tests" / "compare_model", *flags, *directories],
        capture_output=True, text=True, check=False)
    lines = {}
    for line in run.stdout.splitlines():
        fields = json.loads(line)
        lines[fields["directory"]] = fields
    if set(lines) != set(map(str, directories)):
        sys.exit(f"compare_model failed: {run.stderr}")
    return lines


def worst_of(lines, key):
    """The worst over vector widths; None if one has no number."""
    values = [fields.get(key) for fields in lines]
    return None if None in values else max(values)


def add_comparison(rows, build, cases):
    """Adds rows of (directory, row, reference), run on every vector width."""
    lines = [compare(build, [case[0] for case in cases], [f"--isa={isa}"])
             for isa in ISAS]
    for directory, row, reference in cases:
        results = [by_directory[str(directory)] for by_directory in lines]
        note = "AVX-512, AVX2 and baseline"
        rows.add(row, reference, "hidden states of every layer",
                 worst_of(results, "hidden"), note=note, where=str(results))
        if results[0].get("head") != "none":
            rows.add(row, reference, "logits", worst_of(results, "logits"),
                     note=note, where=str(results))
        if reference.startswith("transformers"):
            prefix = "DebertaV2" if row.startswith("DebertaV2") else "Deberta"
            unused = sum(fields.get("unexpected", 1) for fields in results)
            rows.add(prefix + "PreTrainedModel", reference,
                     "directories loaded", unused, limit=0,
                     unit="differences",
                     note="no tensor missing or left over, as from_pretrained",
                     where=str(results))


def variants(settings):
    """The heads that one configuration can carry: (head, legacy)."""
    for head in random_models.HEADS:
        if head == "MultipleChoice" and settings["model_type"] == "deberta":
            continue
        yield head, True
        wide = settings.get("embedding_size", settings["hidden_size"])
        # The reference's plain head fails on narrower embeddings.
        if head == "MaskedLM" and wide == settings["hidden_size"]:
            yield head, False


def transformers_cases(arguments, scratch):
    """Writes each case; yields (directory, row, reference) of it."""
    reference = f"transformers {transformers.__version__}"
    for index in range(arguments.cases):
        rng = random_models.seeded(arguments.seed, index)
        settings = random_models.random_settings(index, rng)
        for head, legacy in variants(settings):
            full = settings | random_models.head_settings(
                head, legacy, rng.randint(1, 6))
            name = f"{index:03}-{head or 'Model'}{'' if legacy else '-plain'}"
            directory = scratch / name
            seed = rng.getrandbits(48)
            model = random_models.save(directory, full, head, seed, rng)
            save_file(random_models.golden(
                model, head, random_models.random_lengths(settings, rng),
                seed + 1), directory / "golden.safetensors")
            row = type(model).__name__ + ("" if legacy else " (legacy=false)")
            yield directory, row, reference


def remove(directory):
    for path in directory.iterdir():
        path.unlink()
    directory.rmdir()


def compare_all(rows, build, cases, total):
    """Compares cases as they are made, some at once, and removes them."""
    progress = Progress(total)
    waiting = []

    def flush():
        add_comparison(rows, build, waiting)
        for directory, _, _ in waiting:
            remove(directory)
        waiting.clear()

    for case in cases:
        waiting.append(case)
        progress.step(case[1])
        if len(waiting) == AT_ONCE:
            flush()
    if waiting:
        flush()


def count_cases(arguments):
    total = 0
    for index in range(arguments.cases):
        rng = random_models.seeded(arguments.seed, index)
        total += sum(1 for _ in variants(
            random_models.random_settings(index, rng)))
    return total


def parse_arguments():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--build", type=pathlib.Path, required=True)
    parser.add_argument("--out", type=pathlib.Path, required=True)
    parser.add_argument("--seed", type=int, default=11)
    parser.add_argument("--cases", type=int, default=100)
    parser.add_argument("--microsoft", type=pathlib.Path)
    parser.add_argument("--full-size", action="store_true")
    return parser.parse_args()


def main():
    arguments = parse_arguments()
    torch.set_num_threads(1)
    transformers.logging.set_verbosity_error()
    transformers.utils.logging.disable_progress_bar()
    rows = Rows()
    with tempfile.TemporaryDirectory() as name:
        scratch = pathlib.Path(name)
        config_check.add_rows(rows, arguments, scratch)
        compare_all(rows, arguments.build,
                    transformers_cases(arguments, scratch),
                    count_cases(arguments))
        microsoft = microsoft_check.load(arguments)
        compare_all(rows, arguments.build,
                    microsoft_check.cases(microsoft, arguments, scratch),
                    microsoft_check.count(arguments))
        if arguments.full_size:
            full_size.add_rows(rows, microsoft, arguments, scratch, compare)
    arguments.out.write_text(
        json.dumps(list(rows.rows.values()), indent=1) + "\n")
    return 1 if rows.exceeded() else 0


if __name__ == "__main__":
    sys.exit(main())
