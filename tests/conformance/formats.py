#!/usr/bin/env python3
"""Loads the same weights from every form that PyTorch's classes are saved in.

Random configurations, chosen by a seed, times every head: each is written as
safetensors, as pytorch_model.bin in the zip and the legacy form, in shards, and
with the oldest names. transformers reads each directory and runs it on a padded
batch; compare_model reads it and runs it sequence by sequence. Then
deberta-convert turns it into safetensors, which transformers must load with no
tensor missing, unexpected or changed, and compare_model with the same logits.
Writes rows of the conformance report as JSON.

  python tests/conformance/formats.py --build=build/release --out=formats.json
      [--seed=N] [--cases=N]

--cases is the number of configurations. Needs transformers 4.57.1 (5 no longer
writes pytorch_model.bin), torch and safetensors.
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
import random_models

REFERENCE = f"transformers {transformers.__version__}"


def save_safetensors(model, directory):
    model.save_pretrained(directory)


def save_zip(model, directory):
    model.save_pretrained(directory, safe_serialization=False)


def save_shards(model, directory):
    model.save_pretrained(directory, safe_serialization=False,
                          max_shard_size="40KB")


def save_legacy(model, directory, rename=lambda name: name):
    save_zip(model, directory)
    path = directory / "pytorch_model.bin"
    state = {rename(name): tensor for name, tensor in
             torch.load(path, weights_only=True).items()}
    torch.save(state, path, _use_new_zipfile_serialization=False)


def save_old_names(model, directory):
    """LayerNorm's as gamma and beta, as TensorFlow's first models had them."""
    def old(name):
        return (name.replace("LayerNorm.weight", "LayerNorm.gamma")
                .replace("LayerNorm.bias", "LayerNorm.beta"))
    save_legacy(model, directory, old)


FORMS = {
    "model.safetensors": save_safetensors,
    "pytorch_model.bin, zip form": save_zip,
    "pytorch_model.bin, legacy form": save_legacy,
    "pytorch_model.bin, sharded": save_shards,
    "pytorch_model.bin, names gamma and beta": save_old_names,
}


def load(kind, directory):
    """The model, and how many tensors it missed or did not expect."""
    model, loading = kind.from_pretrained(
        directory, dtype=torch.float32, output_loading_info=True)
    return model.eval(), sum(len(names) for names in loading.values())


def convert(build, source, target):
    run = subprocess.run([build / "deberta-convert", "--json", source, target],
                         capture_output=True, text=True, check=False)
    if run.returncode != 0:
        sys.exit(f"deberta-convert failed: {run.stderr}")
    return json.loads(run.stdout)


def changed_tensors(before, after):
    """Names of one state_dict that are not to the bit in the other."""
    before, after = before.state_dict(), after.state_dict()
    return (before.keys() ^ after.keys()) | {
        name for name in before.keys() & after.keys()
        if not torch.equal(before[name], after[name])}


def add_answers(rows, build, row, directories):
    """Compares (directory, what it is) in one process."""
    lines = models.compare(build, [directory for directory, _ in directories])
    for directory, what in directories:
        fields = lines[str(directory)]
        values = [fields.get("hidden")]
        if fields.get("head") != "none":
            values.append(fields.get("logits"))
        rows.add(row, REFERENCE, f"hidden states and logits from {what}",
                 None if None in values else max(values), where=str(fields))


def add_case(rows, build, scratch, settings, head, rng):
    """One model, in every form."""
    kind = random_models.model_class(settings, head)
    row = random_models.PREFIXES[settings["model_type"]] + "PreTrainedModel"
    seed = rng.getrandbits(48)
    dtype = rng.choice((torch.float32, torch.float16, torch.bfloat16))
    lengths = random_models.random_lengths(settings, rng)
    directories = []
    for index, (form, save) in enumerate(FORMS.items()):
        model = kind(random_models.make_config(settings)).eval()
        random_models.randomize(model, torch.Generator().manual_seed(seed))
        directory = scratch / f"{index}"
        directory.mkdir()
        save(model.to(dtype), directory)
        model, unread = load(kind, directory)
        assert not unread, (form, unread)
        golden = random_models.golden(model, head, lengths, seed + 1)
        save_file(golden, directory / "golden.safetensors")
        directories.append((directory, form))

        converted = scratch / f"{index}-converted"
        report = convert(build, directory, converted)
        save_file(golden, converted / "golden.safetensors")
        directories.append((converted, "what deberta-convert wrote"))
        again, unread = load(kind, converted)
        changed = changed_tensors(model, again)
        rows.add(row, REFERENCE, "tensors loaded from what deberta-convert "
                 "wrote", unread + len(changed), limit=0, unit="differences",
                 note="none missing, unexpected or changed in a bit",
                 where=f"{form}: {changed} {report}")
    add_answers(rows, build, row, directories)
    for directory, _ in directories:
        shutil.rmtree(directory)


def all_cases(arguments):
    """(settings, head, generator) of every case."""
    for index in range(arguments.cases):
        rng = random_models.seeded(arguments.seed, "formats", index)
        settings = random_models.random_settings(index, rng)
        for head, legacy in models.variants(settings):
            yield settings | random_models.head_settings(
                head, legacy, rng.randint(1, 6)), head, rng


def parse_arguments():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--build", type=pathlib.Path, required=True)
    parser.add_argument("--out", type=pathlib.Path, required=True)
    parser.add_argument("--seed", type=int, default=11)
    parser.add_argument("--cases", type=int, default=24)
    return parser.parse_args()


def main():
    arguments = parse_arguments()
    torch.set_num_threads(1)
    transformers.logging.set_verbosity_error()
    transformers.utils.logging.disable_progress_bar()
    rows = models.Rows()
    progress = models.Progress(sum(1 for _ in all_cases(arguments)))
    with tempfile.TemporaryDirectory() as name:
        for settings, head, rng in all_cases(arguments):
            add_case(rows, arguments.build, pathlib.Path(name), settings, head,
                     rng)
            progress.step(head or "Model")
    arguments.out.write_text(
        json.dumps(list(rows.rows.values()), indent=1) + "\n")
    return 1 if rows.exceeded() else 0


if __name__ == "__main__":
    sys.exit(main())
