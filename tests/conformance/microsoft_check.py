"""Microsoft's pretraining models: directories as it writes them, answers."""

import json
import pathlib
import subprocess
import sys

import torch
from safetensors.torch import save_file
from transformers.models.deberta_v2 import modeling_deberta_v2

import random_models

sys.path.insert(0, str(pathlib.Path(__file__).parent.parent / "golden/generators"))
import microsoft_deberta

COMMIT = "4d7fe0bd4fb3c7d4f4005a7cafabde9800372098"
REFERENCE = f"microsoft/DeBERTa {COMMIT[:7]}"
# Those that its code knows.
ACTIVATIONS = ("gelu", "gelu", "relu", "swish", "tanh", "linear", "sigmoid")
ROWS = {
    "v1": "Enhanced Mask Decoder (v1)",
    "renamed": "Enhanced Mask Decoder (v1, names of v2)",
    "v2": "Enhanced Mask Decoder (v2, v3)",
    "detect": "Replaced-token detection (v3)",
}


def load(arguments):
    """Microsoft's code, cloned unless there is a checkout."""
    checkout = (arguments.microsoft
                or arguments.build / "microsoft-DeBERTa").resolve()
    if not (checkout / "DeBERTa").exists():
        git = ["git", "-C", str(checkout)]
        subprocess.run(["git", "init", "-q", str(checkout)], check=True)
        subprocess.run([*git, "fetch", "-q", "--depth=1",
                        "https://github.com/microsoft/DeBERTa", COMMIT],
                       check=True)
        subprocess.run([*git, "checkout", "-q", "FETCH_HEAD"], check=True)
    return microsoft_deberta.Microsoft(checkout)


def kinds(index):
    return ("v1", "renamed") if index % 2 == 0 else ("v2", "detect")


def count(arguments):
    return sum(len(kinds(index)) for index in range(arguments.cases))


def settings_of(microsoft, index, kind, rng):
    """A random configuration in the ranges where the two codes agree."""
    settings = random_models.random_settings(index, rng)
    settings.pop("embedding_size", None)
    settings["num_hidden_layers"] = max(2, settings["num_hidden_layers"])
    settings["relative_attention"] = True
    settings["position_biased_input"] = False
    settings["hidden_act"] = rng.choice(ACTIVATIONS)
    if "conv_act" in settings:
        settings["conv_act"] = rng.choice(ACTIVATIONS)
    # Its file loader for v1 needs both terms, its p2c the index of c2p.
    settings["pos_att_type"] = ("c2p|p2c" if kind == "v1"
                                else rng.choice(("c2p|p2c", "c2p")))
    if settings.get("position_buckets", -1) > 0:
        # It takes farther offsets for the limit, where transformers goes on.
        settings["max_relative_positions"] = -1
        while not same_buckets(microsoft, settings):
            settings["max_position_embeddings"] += 1
    return settings


def same_buckets(microsoft, settings):
    """Whether both codes put each offset into the same bucket.

    At the outermost offset the ratio of two logarithms is one, or rounded to
    more, which is one bucket farther; they round differently.
    """
    limit = settings["max_position_embeddings"]
    buckets = settings["position_buckets"]
    offsets = torch.arange(1 - limit, limit)
    return torch.equal(
        modeling_deberta_v2.make_log_bucket_position(offsets, buckets, limit),
        microsoft.log_buckets(offsets, buckets, limit))


def random_tensors(model, kind, settings, rng):
    generator = torch.Generator().manual_seed(rng.getrandbits(48))
    random_models.randomize(model, generator)
    tensors = model.state_dict()
    if kind == "v1":
        tensors = microsoft_deberta.v1_tensors(
            tensors, settings["num_attention_heads"])
    dtype = rng.choice((torch.float32, torch.float16, torch.bfloat16))
    return {name: tensor.to(dtype).contiguous().clone()
            for name, tensor in tensors.items()}


def random_lengths(settings, rng):
    most = settings["max_position_embeddings"]
    return rng.randint(1, most - 1), most


def golden(model, kind, settings, rng, lengths):
    generator = torch.Generator().manual_seed(rng.getrandbits(48))
    tensors = {}
    for s, length in enumerate(lengths):
        ids = torch.randint(settings["vocab_size"], (1, length),
                            generator=generator)
        types = torch.randint(max(settings["type_vocab_size"], 1), (1, length),
                              generator=generator)
        hidden, logits = microsoft_deberta.run(model, ids, types)
        if kind == "detect":
            logits = torch.stack([torch.zeros_like(logits[0]), logits[0]], -1)
        tensors[f"input_ids.{s}"] = ids[0].float()
        tensors[f"token_type_ids.{s}"] = types[0].float()
        tensors[f"logits.{s}"] = logits.float().contiguous()
        for n, states in enumerate(hidden):
            tensors[f"hidden.{s}.{n}"] = states.float().contiguous()
    return tensors


def save(microsoft, directory, kind, settings, rng):
    """Writes a model, and returns what Microsoft's code reads from there."""
    detect = kind == "detect"
    tensors = random_tensors(microsoft.model(settings, detect), kind, settings,
                             rng)
    # Anew: what the file leaves out is zero.
    model = microsoft.model(settings, detect)
    microsoft_deberta.load(model, tensors)
    directory.mkdir()
    (directory / "config.json").write_text(json.dumps(settings))
    save_file(tensors, directory / "model.safetensors")
    return model


def cases(microsoft, arguments, scratch):
    """Writes each case; yields (directory, row, reference) of it."""
    for index in range(arguments.cases):
        for kind in kinds(index):
            rng = random_models.seeded(arguments.seed, kind, index)
            settings = settings_of(microsoft, index, kind, rng)
            directory = scratch / f"{index:03}-{kind}"
            model = save(microsoft, directory, kind, settings, rng)
            # In fp64: the logit of a replaced token is one sum, of which little
            # may be left, and fp32 alone errs by up to 1.4e-5 of that.
            save_file(golden(model.double(), kind, settings, rng,
                             random_lengths(settings, rng)),
                      directory / "golden.safetensors")
            yield directory, ROWS[kind], f"{REFERENCE} in fp64"


def write_pretrained(microsoft, directory, settings, arguments):
    """A masked language model of full size: (directory, row, reference)."""
    kind = "v1" if settings["model_type"] == "deberta" else "v2"
    rng = random_models.seeded(arguments.seed, directory.name)
    model = save(microsoft, directory, kind, settings, rng)
    tokens = settings["max_position_embeddings"]
    tensors = golden(model, kind, settings, rng, lengths=(tokens,))
    # All rows' logits would be a large file.
    rows = torch.tensor(sorted(rng.sample(range(tokens), 40)))
    tensors["logit_rows.0"] = rows.float()
    tensors["logits.0"] = tensors["logits.0"][rows].contiguous()
    save_file(tensors, directory / "golden.safetensors")
    return directory, ROWS[kind], REFERENCE
