#!/usr/bin/env python3
"""Writes tiny random-weight DeBERTa checkpoints and what transformers computes.

Each directory of tests/golden/models holds `config.json` and the weights as
`save_pretrained` writes them, and `golden.safetensors`, all F32:

  input_ids.S        [tokens]          token ids of sequence S (0, 1, ...)
  token_type_ids.S   [tokens]          types; read iff type_vocab_size > 0
  hidden.S.N         [tokens, hidden]  N = 0: after the embeddings;
                                       N = i: after the i-th layer; absent of long sequences,
                       whose every row has logits
  logits.S           [labels]          sequence classification
                     [1]               multiple choice, a sequence a choice
                     [tokens, labels]  token classification
                     [tokens, 2]       question answering: start, end
                     [tokens, vocab]   masked language model
                     absent            no head

Every sequence was computed alone, in fp32 from the weights as stored (rounded
to F16 or BF16 where the file is), with attention_mask all ones.

Weights have standard deviation 0.3 rather than the library's 0.02, so that a
wrong index changes the result. Needs transformers 4.57.1, torch, safetensors:

  python tests/golden/generators/make_model_golden.py [--seed N] [--only CASE ...]
"""

import argparse
import pathlib
import shutil
import zlib

import torch
import transformers
from safetensors.torch import save_file

TINY = dict(
    vocab_size=120, hidden_size=32, num_hidden_layers=2, num_attention_heads=4,
    intermediate_size=48, max_position_embeddings=24, relative_attention=True,
    position_biased_input=False, pos_att_type="c2p|p2c")
# A v3 encoder in small: R = 24, S = 8.
V3 = TINY | dict(
    pos_att_type="p2c|c2p", share_att_key=True, position_buckets=8,
    norm_rel_ebd="layer_norm")


def labels(*names):
    return dict(id2label=dict(enumerate(names)),
                label2id={name: i for i, name in enumerate(names)})


# name: (family, head, dtype of the file, lengths, config, extras)
CASES = {
    # v1: every combination of the two positional terms.
    "v1_classify": ("v1", "SequenceClassification", "float32", (5, 24, 40),
                    TINY | labels("negative", "neutral", "positive"), {}),
    "v1_c2p_tag": ("v1", "TokenClassification", "float16", (3, 8, 21),
                   TINY | dict(pos_att_type="c2p", max_relative_positions=8,
                               hidden_act="gelu_new")
                   | labels("O", "B-A", "I-A", "B-B", "I-B"), {}),
    "v1_p2c_answer": ("v1", "QuestionAnswering", "bfloat16", (7, 12, 30),
                      TINY | dict(pos_att_type="p2c", hidden_size=36,
                                  num_attention_heads=3,
                                  max_relative_positions=12), {}),
    # The scale counts all three entries, though only one adds a term.
    "v1_counted_entries": ("v1", "TokenClassification", "float32", (9, 24, 26),
                           TINY | dict(pos_att_type=["c2p", "", "none"]), {}),
    "v1_absolute_fill": ("v1", "MaskedLM", "float32", (6, 16, 24),
                         TINY | dict(pos_att_type=["c2p", "p2c"],
                                     position_biased_input=True,
                                     type_vocab_size=2,
                                     max_relative_positions=16,
                                     hidden_act="relu"), {}),
    "v1_no_relative": ("v1", "", "float32", (1, 11, 24),
                       TINY | dict(relative_attention=False,
                                   position_biased_input=True), {}),
    "v1_embed_proj_fill": ("v1", "MaskedLM", "float32", (10, 24, 31),
                           TINY | dict(embedding_size=20), dict(shards="40KB")),
    "v1_pooler_tanh": ("v1", "SequenceClassification", "bfloat16", (2, 24, 33),
                       TINY | dict(pooler_hidden_act="tanh", type_vocab_size=3,
                                   hidden_act="silu",
                                   problem_type="multi_label_classification")
                       | labels("a", "b", "c", "d"), {}),
    # v2, v3: shared or separate position keys, buckets or none.
    "v3_classify": ("v2", "SequenceClassification", "float16", (6, 24, 50),
                    V3 | labels("contradiction", "entailment"), {}),
    "v3_tag": ("v2", "TokenClassification", "float32", (4, 24, 41),
               V3 | dict(num_hidden_layers=3) | labels("O", "B-X", "I-X"), {}),
    "v3_answer": ("v2", "QuestionAnswering", "bfloat16", (8, 24, 29), V3, {}),
    "v2_separate_buckets_tag": ("v2", "TokenClassification", "float32",
                                (5, 20, 37),
                                TINY | dict(position_buckets=6,
                                            max_relative_positions=20)
                                | labels("O", "B-X", "I-X"), {}),
    # Rows change up to an offset of 2 * (23 / 2)^2.
    "v2_few_odd_buckets_tag": ("v2", "TokenClassification", "bfloat16",
                               (5, 24, 190), TINY | dict(position_buckets=5),
                               {}),
    "v2_shared_linear_answer": ("v2", "QuestionAnswering", "float16",
                                (7, 10, 28),
                                TINY | dict(share_att_key=True,
                                            max_relative_positions=10,
                                            hidden_act="gelu_fast"), {}),
    "v2_separate_linear_c2p": ("v2", "", "float32", (6, 9, 25),
                               TINY | dict(pos_att_type="c2p",
                                           max_relative_positions=9,
                                           norm_rel_ebd="layer_norm"), {}),
    "v2_shared_buckets_p2c_fill": ("v2", "MaskedLM", "float32", (3, 24, 35),
                                   V3 | dict(pos_att_type="p2c"), {}),
    "v2_convolution3": ("v2", "SequenceClassification", "bfloat16",
                        (1, 24, 30),
                        V3 | dict(conv_kernel_size=3, conv_act="gelu")
                        | labels("no", "yes"), {}),
    "v2_convolution5_groups": ("v2", "TokenClassification", "float32",
                               (2, 13, 27),
                               TINY | dict(conv_kernel_size=5, conv_groups=4,
                                           position_buckets=4)
                               | labels("O", "B-X", "I-X"), {}),
    "v2_convolution3_relu": ("v2", "", "float16", (5, 24, 26),
                             V3 | dict(conv_kernel_size=3, conv_groups=2,
                                       conv_act="relu",
                                       hidden_act="quick_gelu"), {}),
    "v2_embed_proj_fill": ("v2", "MaskedLM", "float16", (6, 24, 32),
                           V3 | dict(embedding_size=44, hidden_act="mish"),
                           dict(shards="30KB")),
    "v2_no_relative": ("v2", "SequenceClassification", "float32", (1, 9, 24),
                       TINY | dict(relative_attention=False,
                                   position_biased_input=True,
                                   type_vocab_size=2, conv_kernel_size=3)
                       | labels("no", "yes"), {}),
    # Released models' head size.
    "v3_plain_fill": ("v2", "MaskedLM", "float16", (9, 24, 30),
                      V3 | dict(hidden_size=64, num_attention_heads=1,
                                legacy=False, tie_word_embeddings=False), {}),
    "v3_choose": ("v2", "MultipleChoice", "float32", (5, 24, 33),
                  V3 | dict(pooler_hidden_act="relu"), {}),
    # Released models' positions: R = 512, 256 buckets.
    "v3_released_positions": ("v2", "", "float16", (12, 600),
                              V3 | dict(hidden_size=16, num_attention_heads=2,
                                        max_position_embeddings=512,
                                        position_buckets=256), {}),
    # The third term of Microsoft's code: v1 counts it, neither computes it.
    "v1_p2p_tag": ("v1", "TokenClassification", "float16", (9, 24, 26),
                   TINY | dict(pos_att_type="c2p|p2c|p2p") | labels("O", "X"),
                   {}),
    "v3_p2p_tag": ("v2", "TokenClassification", "float16", (9, 24, 26),
                   V3 | dict(pos_att_type="c2p|p2c|p2p") | labels("O", "X"),
                   {}),
    # Far beyond max_position_embeddings: positions are relative alone.
    "v1_long_tag": ("v1", "TokenClassification", "float16",
                    (24, 30, 1188, 4096),
                    TINY | dict(hidden_size=16, num_attention_heads=2,
                                max_position_embeddings=512)
                    | labels("O", "X"), dict(hidden=False)),
    "v3_long_tag": ("v2", "TokenClassification", "float16",
                    (24, 30, 1188, 4096),
                    V3 | dict(hidden_size=16, num_attention_heads=2,
                              max_position_embeddings=512,
                              position_buckets=256)
                    | labels("O", "X"), dict(hidden=False)),
}

FAMILIES = {
    "v1": ("Deberta", transformers.DebertaConfig),
    "v2": ("DebertaV2", transformers.DebertaV2Config),
}


def randomize(model, generator):
    for name, parameter in model.named_parameters():
        noise = torch.randn(parameter.shape, generator=generator) * 0.3
        with torch.no_grad():
            parameter.copy_(noise + 1 if name.endswith("LayerNorm.weight")
                            else noise)


def logits_of(output):
    if "start_logits" in output:
        return torch.stack([output.start_logits[0], output.end_logits[0]], -1)
    return output.logits[0] if "logits" in output else None


def choices(head, inputs):
    """Adds the dimension that multiple choice counts its choices by."""
    if head != "MultipleChoice":
        return inputs
    return {name: tensor.unsqueeze(1) for name, tensor in inputs.items()}


def make(name, directory, seed):
    family, head, dtype, lengths, settings, extras = CASES[name]
    prefix, config_class = FAMILIES[family]
    architecture = prefix + (f"For{head}" if head else "Model")
    model_class = getattr(transformers, architecture)
    generator = torch.Generator().manual_seed(
        seed + zlib.crc32(name.encode()))

    config = config_class(**settings)
    model = model_class(config).eval()
    randomize(model, generator)
    shutil.rmtree(directory, ignore_errors=True)
    model.to(getattr(torch, dtype)).save_pretrained(
        directory, max_shard_size=extras.get("shards", "5GB"))
    # The oracle reads the file: weights rounded as stored.
    model, loading = model_class.from_pretrained(
        directory, dtype=torch.float32, output_loading_info=True)
    assert not any(loading.values()), loading
    model.eval()

    golden = {}
    for s, length in enumerate(lengths):
        ids = torch.randint(config.vocab_size, (1, length),
                            generator=generator)
        types = torch.randint(max(config.type_vocab_size, 1), (1, length),
                              generator=generator)
        with torch.no_grad():
            output = model(output_hidden_states=True, **choices(
                head, dict(input_ids=ids, token_type_ids=types,
                           attention_mask=torch.ones_like(ids))))
        golden[f"input_ids.{s}"] = ids[0].float()
        golden[f"token_type_ids.{s}"] = types[0].float()
        if extras.get("hidden", True):
            for n, hidden in enumerate(output.hidden_states):
                golden[f"hidden.{s}.{n}"] = hidden[0].contiguous()
        logits = logits_of(output)
        if logits is not None:
            golden[f"logits.{s}"] = logits.contiguous()
    save_file(golden, directory / "golden.safetensors")


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--out", type=pathlib.Path,
                        default=pathlib.Path(__file__).resolve().parents[1] / "models")
    parser.add_argument("--seed", type=int, default=7)
    parser.add_argument("--only", nargs="*", choices=CASES, default=CASES)
    arguments = parser.parse_args()
    transformers.logging.set_verbosity_error()
    torch.set_num_threads(1)
    for name in arguments.only:
        make(name, arguments.out / name, arguments.seed)
        print(name)


if __name__ == "__main__":
    main()
