#!/usr/bin/env python3
"""Writes the directories that saved_by_5.py has version 5 load and save again.

    save_with_4.py --sources=DIRECTORY [--seed=N] [--directories=N]
                   [--tokenizers=DIRECTORY ...]

The cases of saved_plan.py whose source is 4.57: its fast or slow tokenizer and
a random model. Needs transformers 4.57.1, torch and sentencepiece.
"""

import argparse
import os
import shutil

os.environ["PROTOCOL_BUFFERS_PYTHON_IMPLEMENTATION"] = "python"

import transformers  # noqa: E402

import saved_plan  # noqa: E402


def tokenizer_class(case):
    if case.as_backend:
        return transformers.PreTrainedTokenizerFast
    name = "DebertaTokenizer" if case.is_v1 else "DebertaV2Tokenizer"
    return getattr(transformers,
                   name + ("Fast" if case.source == "4.57 fast" else ""))


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    saved_plan.add_arguments(parser)
    arguments = parser.parse_args()
    transformers.logging.set_verbosity_error()
    transformers.utils.logging.disable_progress_bar()
    shutil.rmtree(arguments.sources, ignore_errors=True)
    for case in saved_plan.cases(arguments.seed, arguments.directories,
                                 arguments.tokenizers):
        if not case.source.startswith("4.57"):
            continue
        tokenizer = tokenizer_class(case).from_pretrained(case.tokenizer,
                                                          **case.options)
        saved_plan.prepare(tokenizer, case)
        directory = arguments.sources / case.name
        tokenizer.save_pretrained(directory)
        saved_plan.save_model(directory, case, tokenizer)


if __name__ == "__main__":
    main()
