#!/usr/bin/env python3
"""Writes tiny TensorFlow checkpoints (tf_model.h5) and what TensorFlow computes.

The directories and their `golden.safetensors` are as make_model_golden.py tells,
but weights and results are those of transformers' TFDeberta* classes, as their
save_pretrained and call give them. Needs transformers 4.57.1, tensorflow-cpu,
tf-keras and safetensors (torch must not be imported beside tensorflow):

  python tests/golden/generators/make_tf_golden.py [--seed N] [--only CASE ...]
"""

import argparse
import os
import pathlib
import shutil
import zlib

# transformers 4 wants Keras 2.
os.environ["TF_USE_LEGACY_KERAS"] = "1"
os.environ["USE_TORCH"] = "0"
os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"

import numpy
import tensorflow
import transformers
from safetensors.numpy import save_file

TINY = dict(
    vocab_size=60, hidden_size=16, num_hidden_layers=2, num_attention_heads=2,
    intermediate_size=24, max_position_embeddings=24, relative_attention=True,
    position_biased_input=False, pos_att_type="c2p|p2c")
V3 = TINY | dict(
    pos_att_type="p2c|c2p", share_att_key=True, position_buckets=8,
    norm_rel_ebd="layer_norm")


def labels(*names):
    return dict(id2label=dict(enumerate(names)),
                label2id={name: i for i, name in enumerate(names)})


# name: (family, head, lengths, config, arguments of save_pretrained)
CASES = {
    "tf_v1_base": ("v1", "", (3, 24, 30), TINY | dict(embedding_size=12), {}),
    "tf_v1_fill": ("v1", "MaskedLM", (5, 24, 40), TINY, {}),
    "tf_v1_classify": ("v1", "SequenceClassification", (6, 16, 24),
                       TINY | dict(position_biased_input=True,
                                   type_vocab_size=2)
                       | labels("negative", "neutral", "positive"), {}),
    "tf_v1_tag": ("v1", "TokenClassification", (2, 24, 27),
                  TINY | dict(pos_att_type="c2p", max_relative_positions=8)
                  | labels("O", "B-X", "I-X"), {}),
    "tf_v1_answer": ("v1", "QuestionAnswering", (9, 24, 26),
                     TINY | dict(pos_att_type="p2c"), {}),
    "tf_v1_shards_fill": ("v1", "MaskedLM", (4, 21), TINY,
                     dict(max_shard_size="8KB")),
    "tf_v1_safetensors_tag": ("v1", "TokenClassification", (4, 21), TINY,
                          dict(safe_serialization=True)),
    "tf_v2_base": ("v2", "", (7, 24, 33),
                   TINY | dict(conv_kernel_size=3, position_buckets=6,
                               max_relative_positions=20), {}),
    "tf_v2_fill": ("v2", "MaskedLM", (5, 24, 31),
                   V3 | dict(embedding_size=20), {}),
    # TensorFlow's convolution has one group all the same.
    "tf_v2_classify": ("v2", "SequenceClassification", (1, 24, 30),
                       V3 | dict(conv_kernel_size=5, conv_act="gelu",
                                 conv_groups=2)
                       | labels("no", "yes"), {}),
    "tf_v2_tag": ("v2", "TokenClassification", (8, 12, 29),
                  TINY | dict(max_relative_positions=10)
                  | labels("O", "B-X", "I-X"), {}),
    "tf_v2_answer": ("v2", "QuestionAnswering", (6, 24, 28),
                     V3 | dict(position_biased_input=True,
                               max_position_embeddings=28), {}),
    "tf_v2_shards": ("v2", "SequenceClassification", (4, 21), V3,
                     dict(max_shard_size="8KB")),
}

FAMILIES = {
    "v1": ("TFDeberta", transformers.DebertaConfig),
    "v2": ("TFDebertaV2", transformers.DebertaV2Config),
}


def randomize(model, random):
    for variable in model.weights:
        noise = random.standard_normal(variable.shape) * 0.3
        variable.assign(noise + 1 if "gamma" in variable.name else noise)


def logits_of(output):
    if "start_logits" in output:
        return numpy.stack([output.start_logits[0], output.end_logits[0]], -1)
    return output.logits[0].numpy() if "logits" in output else None


def run(model, config, lengths, random):
    """Each sequence alone, by the model's call()."""
    golden = {}
    for s, length in enumerate(lengths):
        ids = random.integers(config.vocab_size, size=(1, length))
        types = random.integers(max(config.type_vocab_size, 1),
                                size=(1, length))
        output = model(input_ids=tensorflow.constant(ids),
                       token_type_ids=tensorflow.constant(types),
                       attention_mask=tensorflow.ones_like(ids),
                       output_hidden_states=True, training=False)
        golden[f"input_ids.{s}"] = ids[0]
        golden[f"token_type_ids.{s}"] = types[0]
        for n, hidden in enumerate(output.hidden_states):
            golden[f"hidden.{s}.{n}"] = hidden[0].numpy()
        logits = logits_of(output)
        if logits is not None:
            golden[f"logits.{s}"] = logits
    return {name: numpy.ascontiguousarray(value, numpy.float32)
            for name, value in golden.items()}


def make(name, directory, seed):
    family, head, lengths, settings, saving = CASES[name]
    prefix, config_class = FAMILIES[family]
    model_class = getattr(transformers,
                          prefix + (f"For{head}" if head else "Model"))
    random = numpy.random.default_rng(seed + zlib.crc32(name.encode()))
    config = config_class(**settings)
    model = model_class(config)
    model.build_in_name_scope()
    randomize(model, random)
    shutil.rmtree(directory, ignore_errors=True)
    model.save_pretrained(directory, **saving)
    save_file(run(model, config, lengths, random),
              directory / "golden.safetensors")


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--out", type=pathlib.Path,
                        default=pathlib.Path(__file__).resolve().parents[1] / "models")
    parser.add_argument("--seed", type=int, default=7)
    parser.add_argument("--only", nargs="*", choices=CASES, default=CASES)
    arguments = parser.parse_args()
    transformers.logging.set_verbosity_error()
    for name in arguments.only:
        make(name, arguments.out / name, arguments.seed)
        print(name)


if __name__ == "__main__":
    main()
