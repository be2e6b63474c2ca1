#!/usr/bin/env python3
"""Holds what TensorFlow's classes compute against ours, from their own files.

Random configurations, chosen by a seed, times every head of TFDeberta* and
TFDebertaV2*: save_pretrained writes each (as tf_model.h5, as shards of it, or
as TensorFlow's safetensors file), the class's call() runs it on a padded batch,
and compare_model loads the directory and runs it sequence by sequence on every
vector width. Writes rows of the conformance report as JSON.

  python tests/conformance/tf_models.py --build=build/release
      --out=tf_models.json [--seed=N] [--cases=N]

--cases is the number of configurations. Needs transformers 4.57.1,
tensorflow-cpu, tf-keras and safetensors; torch, if there, is not imported, for
the two do not load into one process.
"""

import argparse
import json
import os
import pathlib
import random
import shutil
import subprocess
import sys
import tempfile

# transformers 4 wants Keras 2.
os.environ["TF_USE_LEGACY_KERAS"] = "1"
os.environ["USE_TORCH"] = "0"
# Its oneDNN kernels write out of bounds at some sizes.
os.environ["TF_ENABLE_ONEDNN_OPTS"] = "0"
os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"

import numpy
import tensorflow
import transformers
from safetensors.numpy import save_file

LIMIT = 2e-5  # of scale
ISAS = ("avx512", "avx2", "baseline")
# Those that transformers has for TensorFlow, but for glu, which halves its
# input.
ACTIVATIONS = ("gelu_10", "gelu_fast", "gelu_new", "mish", "quick_gelu", "relu",
               "sigmoid", "silu", "swish", "tanh")
FAMILIES = (("TFDeberta", transformers.DebertaConfig),
            ("TFDebertaV2", transformers.DebertaV2Config))
HEADS = ("", "MaskedLM", "SequenceClassification", "TokenClassification",
         "QuestionAnswering", "MultipleChoice")
SAVINGS = ({}, {}, dict(max_shard_size="40KB"), dict(safe_serialization=True))
BASE_NOTE = ("every head; one tf_model.h5, shards of one, and TensorFlow's "
             "model.safetensors")


def activation(rng):
    return "gelu" if rng.random() < 0.4 else rng.choice(ACTIVATIONS)


def v2_settings(limit, heads, rng):
    settings = dict(share_att_key=rng.random() < 0.5,
                    norm_rel_ebd=rng.choice(("none", "layer_norm")))
    buckets = rng.choice((-1, -1, 2, 3, 4, 6, 7, 8, 16, 24))
    # Beyond this the reference takes the logarithm of one.
    if limit - 1 > buckets // 2:
        settings["position_buckets"] = buckets
    if rng.random() < 0.4:
        # TensorFlow's convolution has one group, whatever is configured.
        settings |= dict(conv_kernel_size=rng.choice((1, 3, 3, 5)),
                         conv_act=activation(rng),
                         conv_groups=rng.choice((1, 1, heads)))
    return settings


def random_settings(v2, rng):
    heads = rng.randint(1, 4)
    hidden = heads * rng.choice((8, 16, 24, 32, 64, 12, 7))
    longest = rng.randint(12, 64)
    relative = rng.choice((-1, -1, rng.randint(6, 48)))
    settings = dict(
        vocab_size=rng.randint(50, 300), hidden_size=hidden,
        num_hidden_layers=rng.randint(1, 3), num_attention_heads=heads,
        intermediate_size=rng.randint(8, 200),
        max_position_embeddings=longest, max_relative_positions=relative,
        type_vocab_size=rng.choice((0, 0, 2, 3)),
        relative_attention=rng.random() < 0.9,
        position_biased_input=rng.random() < 0.3,
        pos_att_type=rng.choice((["c2p"], ["p2c"], ["c2p", "p2c"], "c2p|p2c",
                                 "p2c|c2p", [])),
        layer_norm_eps=rng.choice((1e-7, 1e-7, 1e-5, 1e-12)),
        hidden_act=activation(rng), pooler_hidden_act=activation(rng),
        pooler_hidden_size=hidden)
    # TensorFlow's absolute positions are hidden_size wide always, and cannot be
    # added to words of another width.
    if rng.random() < 0.3 and not settings["position_biased_input"]:
        settings["embedding_size"] = rng.randint(4, 100)
    if v2:
        settings |= v2_settings(relative if relative > 0 else longest, heads,
                                rng)
    return settings


def labels(count):
    names = [f"L{i}" for i in range(count)]
    return dict(id2label=dict(enumerate(names)),
                label2id={name: i for i, name in enumerate(names)})


def random_lengths(config, rng):
    """Below, at and above the limit of relative positions, where allowed."""
    limit = config.max_relative_positions
    if limit < 1:
        limit = config.max_position_embeddings
    lengths = [rng.randint(1, limit - 1), limit, limit + rng.randint(1, limit)]
    if config.position_biased_input:
        return [min(length, config.max_position_embeddings)
                for length in lengths]
    return lengths


def randomize(model, generator):
    """Weights that keep the size of what they multiply.

    The library's own standard deviation of 0.02 hides a wrong index.
    """
    for variable in model.weights:
        noise = generator.standard_normal(variable.shape)
        if "gamma" in variable.name:
            noise = 1 + 0.3 * noise
        elif "kernel" in variable.name:
            noise *= 1.2 * numpy.prod(variable.shape[:-1]) ** -0.5
        else:
            noise *= 0.5
        variable.assign(noise)


def logits_of(output, head, s, length):
    if head == "QuestionAnswering":
        return numpy.stack([output.start_logits[s, :length],
                            output.end_logits[s, :length]], -1)
    if head == "MultipleChoice":
        return output.logits[0, s:s + 1]
    if head == "SequenceClassification":
        return output.logits[s]
    return output.logits[s, :length]


def golden(model, head, lengths, generator):
    """The tensors of golden.safetensors, from one padded batch."""
    shape = (len(lengths), max(lengths))
    mask = (numpy.arange(shape[1])[None]
            < numpy.array(lengths)[:, None]).astype(numpy.int64)
    ids = generator.integers(model.config.vocab_size, size=shape) * mask
    types = mask * generator.integers(max(model.config.type_vocab_size, 1),
                                      size=shape)
    inputs = dict(input_ids=ids, token_type_ids=types, attention_mask=mask)
    if head == "MultipleChoice":
        inputs = {name: value[None] for name, value in inputs.items()}
    inputs = {name: tensorflow.constant(value)
              for name, value in inputs.items()}
    output = model(**inputs, output_hidden_states=True, training=False)
    tensors = {}
    for s, length in enumerate(lengths):
        tensors[f"input_ids.{s}"] = ids[s, :length]
        tensors[f"token_type_ids.{s}"] = types[s, :length]
        for n, hidden in enumerate(output.hidden_states):
            tensors[f"hidden.{s}.{n}"] = hidden[s, :length]
        if head:
            tensors[f"logits.{s}"] = logits_of(output, head, s, length)
    return {name: numpy.array(value, numpy.float32, order="C")
            for name, value in tensors.items()}


def cases(arguments, scratch):
    """Writes each case; yields (directory, name of the class)."""
    for index in range(arguments.cases):
        v2 = index % 2 == 1
        prefix, config_class = FAMILIES[v2]
        rng = random.Random(f"{arguments.seed}:{index}")
        settings = random_settings(v2, rng)
        for head in HEADS:
            if head == "MultipleChoice" and not v2:
                continue
            name = prefix + (f"For{head}" if head else "Model")
            generator = numpy.random.default_rng(rng.getrandbits(48))
            full = dict(settings)
            if head in ("SequenceClassification", "TokenClassification"):
                full |= labels(rng.randint(1, 6))
            tensorflow.keras.backend.clear_session()
            model = getattr(transformers, name)(config_class(**full))
            model.build_in_name_scope()
            randomize(model, generator)
            directory = scratch / f"{index:03}-{name}"
            model.save_pretrained(directory, **rng.choice(SAVINGS))
            save_file(golden(model, head,
                             random_lengths(model.config, rng), generator),
                      directory / "golden.safetensors")
            yield directory, name


class Rows:
    """The report's rows, each the worst of its cases."""

    def __init__(self):
        self.rows = {}

    def add(self, row, compared, value, note, where):
        entry = self.rows.setdefault((row, compared), dict(
            row=row, reference=f"transformers {transformers.__version__}, "
            f"TensorFlow {tensorflow.__version__}", cases=0,
            compared=compared, worst=0, limit=LIMIT, unit="of scale",
            note=note))
        entry["cases"] += 1
        # A missing number is the worst of all.
        value = float("inf") if value is None else value
        entry["worst"] = max(entry["worst"], value)
        if not value <= LIMIT:
            print(f"{where}: {row}: {compared}: {value} of scale, limit "
                  f"{LIMIT}", file=sys.stderr)

    def exceeded(self):
        return any(not row["worst"] <= LIMIT for row in self.rows.values())


def compare(rows, build, directory, name):
    """Adds what compare_model says of one directory on every vector width."""
    base = name.split("For")[0].removesuffix("Model") + "PreTrainedModel"
    for isa in ISAS:
        run = subprocess.run(
            [build / "tests" / "compare_model", f"--isa={isa}", directory],
            capture_output=True, text=True, check=False)
        fields = json.loads(run.stdout)
        where = f"{directory.name} on {isa} {fields.get('error', '')}"
        note = "AVX-512, AVX2 and baseline"
        hidden = fields.get("hidden")
        rows.add(name, "hidden states", hidden, f"every layer; {note}", where)
        rows.add(base, "hidden states", hidden, BASE_NOTE, where)
        if not name.endswith("Model"):
            rows.add(name, "logits", fields.get("logits"), note, where)


def parse_arguments():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--build", type=pathlib.Path, required=True)
    parser.add_argument("--out", type=pathlib.Path, required=True)
    parser.add_argument("--seed", type=int, default=11)
    parser.add_argument("--cases", type=int, default=40)
    return parser.parse_args()


def main():
    arguments = parse_arguments()
    transformers.logging.set_verbosity_error()
    tensorflow.config.threading.set_intra_op_parallelism_threads(1)
    tensorflow.config.threading.set_inter_op_parallelism_threads(1)
    rows = Rows()
    done = 0
    total = sum(len(HEADS) - (index % 2 == 0)
                for index in range(arguments.cases))
    with tempfile.TemporaryDirectory() as name:
        for directory, row in cases(arguments, pathlib.Path(name)):
            compare(rows, arguments.build, directory, row)
            shutil.rmtree(directory)
            done += 1
            if sys.stderr.isatty():
                print(f"\r{done}/{total} {row:<40}", file=sys.stderr,
                      end="\n" if done == total else "", flush=True)
    arguments.out.write_text(
        json.dumps(list(rows.rows.values()), indent=1) + "\n")
    return 1 if rows.exceeded() else 0


if __name__ == "__main__":
    sys.exit(main())
