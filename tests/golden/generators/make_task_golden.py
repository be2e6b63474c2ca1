#!/usr/bin/env python3
"""Writes what the transformers pipelines answer, for tests/server/tasks.

tests/golden/tasks holds two small tokenizers as `save_pretrained` writes them
(v1: byte-level BPE, v3: Unigram) and one JSON list of cases a task. A case has
its tokenizer, inputs, parameters, a digest of each sequence that the pipeline
gave to its model, and the pipeline's results.

No network is computed: the model's forward is replaced by fake_logits() of
task_oracle.py, a hash of seed, ids, row and column that the C++ test repeats,
so that no logits need to be stored and any difference in ids shows. Files that begin
with left_ hold cases of tokenizers whose padding_side or truncation_side is
"left".

Needs transformers 4.57.1, torch, tokenizers, sentencepiece, and utils_qa.py of
the question answering examples of transformers for the SQuAD 2 rule:

  python tests/golden/generators/make_task_golden.py --utils_qa=utils_qa.py [TASK...]
"""

import argparse
import copy
import functools
import importlib.util
import itertools
import json
import pathlib
import random
import sys

import transformers

import task_answers
import task_labels
import task_tagging
import task_tokenizers

TASKS = pathlib.Path(__file__).resolve().parents[1] / "tasks"


def load(path):
    """The module in a file."""
    spec = importlib.util.spec_from_file_location(path.stem, path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def tasks(postprocess):
    return {"classify": task_labels.classify_cases,
            "zero_shot": task_labels.zero_shot_cases,
            "choose": task_labels.choice_cases,
            "tag_tokens": task_tagging.tag_cases,
            "fill_mask": task_tagging.fill_cases,
            "tokenize": task_tagging.tokenize_cases,
            "answer_question": functools.partial(
                task_answers.answer_cases, postprocess=postprocess)}


# Of each task whose answers depend on a side: how many cases a tokenizer, and
# with which padding and truncation sides.
LEFT = {"classify": (40, [("right", "left")]),
        "zero_shot": (40, [("right", "left")]),
        "choose": (30, [("right", "left")]),
        "tag_tokens": (60, [("right", "left")]),
        "answer_question": (80, [("left", "right"), ("left", "left"),
                                 ("right", "left")])}


def left_cases(rng, name, tokenizer, task, maker):
    """Cases that are truncated or windowed, or answer a question."""
    count, sides = LEFT[task]
    for padding, truncation in sides:
        left = copy.deepcopy(tokenizer)
        left.padding_side, left.truncation_side = padding, truncation
        shown = (case for case in maker(rng, name, left)
                 if len(case["sequences"]) > 1 or padding == "left"
                 or case.get("max_tokens", 512) < 512)
        for case in itertools.islice(shown, count):
            yield case | {"padding_side": padding,
                          "truncation_side": truncation}


def write(task, maker, loaded):
    rng = random.Random(task)
    cases = []
    for name, tokenizer in loaded.items():
        for case in maker(rng, name, tokenizer):
            cases.append(case)
            if sys.stderr.isatty():
                print(f"\r{task} {len(cases)} ", end="", file=sys.stderr)
    lines = ",\n".join(json.dumps(case, ensure_ascii=False,
                                  separators=(",", ":"))
                       for case in cases)
    (TASKS / f"{task}.json").write_text(f"[\n{lines}\n]\n")
    print(task, len(cases))


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--utils_qa", type=pathlib.Path, required=True)
    parser.add_argument("tasks", nargs="*", metavar="TASK",
                        help="default: all")
    arguments = parser.parse_args()
    makers = tasks(load(arguments.utils_qa).postprocess_qa_predictions)
    transformers.logging.set_verbosity_error()
    task_answers.drop_zero_cells()
    task_answers.note_null_scores()
    TASKS.mkdir(exist_ok=True)
    loaded = {name: task_tokenizers.make(name, TASKS / "tokenizers" / name)
              for name in ("v1", "v3")}
    for task in arguments.tasks or makers:
        write(task, makers[task], loaded)
        if task in LEFT:
            write(f"left_{task}", functools.partial(
                left_cases, task=task, maker=makers[task]), loaded)


if __name__ == "__main__":
    main()
