#!/usr/bin/env python3
"""Trains the demo models from the package archive's metadata.

    train.py --work DIR --out demo all
    train.py --work DIR --out demo --seconds 600 pretrain --backbone v1
    train.py --work DIR --out demo --seconds 300 finetune --model package-qa
"""

import argparse
import pathlib
import sys

import torch
from transformers.utils import logging

import archive
import cards
import evaluate
import evaluate_labels
import finetune
import finetune_labels
import loop
import pretrain
import shapes
import vocabularies

STAGES = ("data", "tokenizer", "pretrain", "finetune", "evaluate", "card")
PRETRAIN_SECONDS, FINETUNE_SECONDS = 1800, 900


def say(text):
    print(text, file=sys.stderr, flush=True)


def arguments():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("stage", choices=STAGES + ("all",))
    parser.add_argument("--work", type=pathlib.Path, required=True,
                        help="directory for data, tokenizers, checkpoints")
    parser.add_argument("--out", type=pathlib.Path, required=True,
                        help="directory that receives the model directories")
    parser.add_argument("--steps", type=int,
                        help="training steps of each training run")
    parser.add_argument("--seconds", type=float,
                        help="seconds of each training run")
    parser.add_argument("--backbone", choices=("v1", "v3"), action="append")
    parser.add_argument("--model", choices=tuple(shapes.MODELS),
                        action="append")
    parser.add_argument("--further", action="store_true",
                        help="finetune: go on from the model in --out")
    parser.add_argument("--threads", type=int, default=2)
    return parser.parse_args()


def budget(options, seconds):
    if options.steps or options.seconds:
        return loop.Budget(options.steps, options.seconds)
    return loop.Budget(seconds=seconds)


def main():
    options = arguments()
    logging.set_verbosity_error()
    torch.set_num_threads(options.threads)
    options.work.mkdir(parents=True, exist_ok=True)
    stages = STAGES if options.stage == "all" else (options.stage,)
    models = options.model or list(shapes.MODELS)
    if "data" in stages:
        archive.run(options.work, say)
    if "tokenizer" in stages:
        vocabularies.run(options.work, say)
    if "pretrain" in stages:
        for name in options.backbone or ("v1", "v3"):
            pretrain.run(options.work, name,
                         budget(options, PRETRAIN_SECONDS), say)
    if "finetune" in stages:
        for model in models:
            of_model = (finetune_labels if model == finetune_labels.MODEL
                        else finetune)
            of_model.run(options.work, model, options.out,
                         budget(options, FINETUNE_SECONDS), say,
                         options.further)
    if "evaluate" in stages:
        for model in models:
            of_model = (evaluate_labels if model == finetune_labels.MODEL
                        else evaluate)
            of_model.run(options.work, model, options.out, say)
    if "card" in stages:
        for model in models:
            cards.run(options.work, model, options.out, say)


if __name__ == "__main__":
    main()
