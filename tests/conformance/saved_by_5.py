#!/usr/bin/env python3
"""Holds directories that transformers 5 saved against transformers 5.

    saved_by_5.py --build=build/release --out=FILE.json --sources=DIRECTORY
                  [--seed=N] [--directories=N] [--cases=N] [--hostile=N]
                  [--text=FILE ...] [--tokenizers=DIRECTORY ...]

Each case of saved_plan.py is loaded and saved by version 5: the tokenizer, from
the files of its source, with a random model of one of the heads. What version
5's AutoTokenizer then makes of the directory must be what encode_lines makes of
it without any flag, on a share of the CASES + HOSTILE lines (as
tokenizer_lines.py draws them), and the model's logits on some of them what
compare_model computes. save_with_4.py writes SOURCES.
"""

import argparse
import json
import pathlib
import shutil
import subprocess
import sys
import tempfile

import torch
import transformers
from safetensors.torch import save_file

import models
import outcome
import random_models
import saved_plan
import tokenizer_lines

REFERENCE = tokenizer_lines.REFERENCE
TEXTS = 4  # of a directory, whose logits are compared


def write_json(path, change):
    content = json.loads(path.read_text()) if path.exists() else {}
    change(content)
    path.write_text(json.dumps(content, ensure_ascii=False))


def gather_source(case, arguments, directory):
    """What the tokenizer is loaded from."""
    if case.source.startswith("4.57"):
        return arguments.sources / case.name
    directory.mkdir()
    names = (case.raw_files() if case.source == "raw files"
             else ("tokenizer.json", "tokenizer_config.json"))
    for name in names:
        shutil.copy(case.tokenizer / name, directory)
    if case.as_backend:
        write_json(directory / "tokenizer_config.json", lambda config:
                   config.update(tokenizer_class="PreTrainedTokenizerFast"))
    write_json(directory / "config.json", lambda config: config.update(
        model_type=case.settings["model_type"]))
    return directory


def save_tokenizer(case, source, directory):
    if case.source.startswith("4.57"):
        tokenizer = transformers.AutoTokenizer.from_pretrained(source)
    else:
        tokenizer = transformers.AutoTokenizer.from_pretrained(
            source, **case.options)
        saved_plan.prepare(tokenizer, case)
    tokenizer.save_pretrained(directory)
    return tokenizer


def save_model(case, source, directory, tokenizer):
    if not case.source.startswith("4.57"):
        return saved_plan.save_model(directory, case, tokenizer)
    kind = random_models.model_class(case.settings, case.head)
    kind.from_pretrained(source).save_pretrained(directory)
    return kind.from_pretrained(directory, dtype=torch.float32).eval()


def set_class(path, name):
    def change(config):
        if name == "absent":
            del config["tokenizer_class"]
        else:
            config["tokenizer_class"] = name
    write_json(path, change)


def save(case, arguments, scratch):
    """The directory, its class of tokenizer as version 5 wrote it, its model."""
    directory = scratch / case.name
    source = gather_source(case, arguments, scratch / "source")
    tokenizer = save_tokenizer(case, source, directory)
    model = save_model(case, source, directory, tokenizer)
    if case.twice:
        transformers.AutoTokenizer.from_pretrained(
            directory).save_pretrained(directory)
        type(model).from_pretrained(directory).save_pretrained(directory)
    if case.written_class:
        set_class(directory / "tokenizer_config.json", case.written_class)
    shutil.rmtree(scratch / "source", ignore_errors=True)
    return directory, type(tokenizer).__name__, model


def tokenized(tokenizer, lines, most):
    """Ids and types of lines, at most so many tokens, as a call gives them."""
    for line in lines:
        pair = tokenizer_lines.as_pair(line)
        texts = pair if "\t" in line else (pair,)
        inputs = tokenizer(*texts, truncation=True, max_length=most)
        ids = inputs["input_ids"]
        yield ids, inputs.get("token_type_ids", [0] * len(ids))


def write_golden(directory, model, head, tokenizer, lines):
    most = min(model.config.max_position_embeddings, tokenizer.model_max_length)
    batch = random_models.pad(list(tokenized(tokenizer, lines, most)))
    save_file(random_models.answers(model, head, *batch),
              directory / "golden.safetensors")


class TokenRows:
    """One for each class that version 5 wrote and what it was saved from."""

    def __init__(self):
        self.rows = {}

    def row(self, case, written):
        source = case.source
        if source == "raw files":
            source = " + ".join(case.raw_files())
        elif source.startswith("4.57"):
            source = "a 4.57 directory"
        name = f"{written} from {source}"
        if name not in self.rows:
            self.rows[name] = tokenizer_lines.Row(
                name, REFERENCE,
                "ids, offsets, type ids, special tokens mask, words",
                "default flags; pairs and truncation too")
        return self.rows[name]


def compare_tokens(arguments, case, directory, tokenizer, lines, row):
    try:
        tokenizer_lines.compare_fast(arguments, directory, tokenizer, None,
                                     lines, row, cut=True)
    except subprocess.CalledProcessError:
        row.add(directory, "", False,
                f"not loaded: {case.source}, {case.options}")


def compare_logits(rows, build, directory, model):
    name = type(model).__name__
    fields = models.compare(build, [directory])[str(directory)]
    rows.add(name, REFERENCE, "hidden states of every layer",
             fields.get("hidden"), note="of texts tokenized by version 5",
             where=str(fields))
    if fields.get("head") != "none":
        rows.add(name, REFERENCE, "logits", fields.get("logits"),
                 note="of texts tokenized by version 5", where=str(fields))
    rows.add(name, REFERENCE, "directories loaded", fields.get("unexpected"),
             limit=0, unit="differences",
             note="no tensor missing or left over, as from_pretrained",
             where=str(fields))


def compare_all(arguments, scratch):
    lines = tokenizer_lines.draw_lines(arguments)
    token_rows, model_rows = TokenRows(), models.Rows()
    progress = models.Progress(arguments.directories)
    for index, case in enumerate(saved_plan.cases(
            arguments.seed, arguments.directories, arguments.tokenizers)):
        progress.step(f"{case.name} {case.source} {case.head}")
        directory, written, model = save(case, arguments, scratch)
        tokenizer = transformers.AutoTokenizer.from_pretrained(directory)
        share = lines[index::arguments.directories]
        write_golden(directory, model, case.head, tokenizer, share[:TEXTS])
        compare_tokens(arguments, case, directory, tokenizer, share,
                       token_rows.row(case, written))
        compare_logits(model_rows, arguments.build, directory, model)
        if arguments.keep:
            shutil.copytree(directory, arguments.keep / case.name,
                            dirs_exist_ok=True)
        shutil.rmtree(directory)
    written = [row.written() for row in tokenizer_lines.Row.rows]
    return [row for rows in (written, model_rows.rows.values())
            for row in sorted(rows, key=lambda row: row["row"])]


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    saved_plan.add_arguments(parser)
    parser.add_argument("--build", type=pathlib.Path, required=True)
    parser.add_argument("--out", type=pathlib.Path, required=True)
    parser.add_argument("--cases", type=int, default=20000)
    parser.add_argument("--hostile", type=int, default=2000)
    parser.add_argument("--text", type=pathlib.Path, nargs="*", default=[])
    parser.add_argument("--keep", type=pathlib.Path,
                        help="where the directories stay, for a look at them")
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    transformers.logging.set_verbosity_error()
    transformers.utils.logging.disable_progress_bar()
    with tempfile.TemporaryDirectory() as scratch:
        rows = compare_all(arguments, pathlib.Path(scratch))
    return outcome.write(rows, arguments.out)


if __name__ == "__main__":
    sys.exit(main())
