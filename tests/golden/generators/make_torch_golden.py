#!/usr/bin/env python3
"""Writes small files and checkpoints with torch.save.

Each NAME.FORM.bin of tests/golden/torch holds what NAME.safetensors holds:
names, element types, shapes and elements. Entries that are no tensors
("config", "epoch") stand in the .bin alone.

Each torch_NAME of tests/golden/models is one of make_model_golden.py's
checkpoints as transformers saves it with safe_serialization=False, or as older
files have it, with the same golden.safetensors.

The legacy form names storages by their address, so those files differ from run
to run. Needs transformers 4.57.1, torch and safetensors:

  python tests/golden/generators/make_torch_golden.py
"""

import argparse
import pathlib
import shutil

import torch
import transformers
from safetensors.torch import load_file, save_file

GOLDEN = pathlib.Path(__file__).resolve().parents[1]


class Tied(torch.nn.Module):
    """A state_dict with `_metadata`, a buffer and two names of one tensor."""

    def __init__(self):
        super().__init__()
        self.word_embeddings = torch.nn.Embedding(7, 4)
        self.LayerNorm = torch.nn.LayerNorm(4)
        self.decoder = torch.nn.Linear(4, 7)
        self.decoder.weight = self.word_embeddings.weight
        self.register_buffer("position_ids", torch.arange(5).unsqueeze(0))


def random(*shape):
    return torch.randn(shape, generator=GENERATOR)


def of_every_type():
    numbers = random(2, 3)
    state = {f"float.{kind}": numbers.to(getattr(torch, kind))
             for kind in ("float32", "float16", "bfloat16", "float64")}
    state |= {f"other.{kind}": torch.arange(4).to(getattr(torch, kind))
              for kind in ("int64", "int32", "int16", "int8", "uint8", "bool")}
    state["special"] = torch.tensor([0.0, -0.0, float("inf"), float("-inf"),
                                     1e-45, 3.4e38])
    state["special.half"] = torch.tensor([65504, 6e-8, -float("inf")]).half()
    return state


def of_every_layout():
    whole = random(6, 5)
    cube = random(2, 3, 4)
    return {
        "whole": whole,
        "again": whole,
        "transposed": whole.t(),
        "rows": whole[2:4],
        "column": whole[:, 1],
        "steps": whole[::2, 1::3],
        "permuted": cube.permute(2, 0, 1),
        "cut.cube": cube[1:, :, 2:],
        "scalar": random().double(),
        "one": whole[3:4, 2:3].t(),
        "empty": torch.empty(0, 3),
        "empty.cut": whole[:, 5:],
        "half.transposed": cube[0].half().t(),
        # Fewer elements than their storage, one of them repeated.
        "repeated": whole[0, :1].expand(3),
    }


def parameters():
    return {"weight": torch.nn.Parameter(random(3, 2)),
            "frozen": torch.nn.Parameter(random(2).half(),
                                         requires_grad=False)}


def with_config():
    return {"bias": random(3),
            "config": {"hidden_size": 3, "names": ["a", None, True, 1.5],
                       "big": 2**70, "negative": -5, "shape": (1, 2)},
            "epoch": 3, "name": "run", "none": None}


GENERATOR = torch.Generator().manual_seed(5)

# Arguments of torch.save.
FORMS = {
    "zip": {},
    "legacy": dict(_use_new_zipfile_serialization=False),
    "protocol3": dict(pickle_protocol=3),
    "protocol4": dict(pickle_protocol=4),
    "protocol5": dict(pickle_protocol=5),
    "legacy4": dict(_use_new_zipfile_serialization=False, pickle_protocol=4),
}


def cases():
    """Triples of a name, an object and the tensors in it."""
    for name, make in (("types", of_every_type), ("layouts", of_every_layout),
                       ("parameters", parameters), ("config", with_config),
                       ("module", lambda: Tied().state_dict())):
        state = make()
        yield name, state, {key: value.detach() for key, value in state.items()
                            if isinstance(value, torch.Tensor)}
    state = Tied().half().state_dict()
    # The storages are not only those of the tensors asked for.
    yield "wrapped", {"epoch": 3, "extra": [torch.arange(3.0)],
                      "state_dict": state}, state


def load(directory):
    config = transformers.AutoConfig.from_pretrained(directory)
    model_class = getattr(transformers, config.architectures[0])
    return model_class.from_pretrained(directory, dtype="auto")


def save_whole(source, target):
    load(source).save_pretrained(target, safe_serialization=False)


def save_shards(source, target):
    # Holds the decoder's copy of the embeddings, which safetensors leaves out.
    load(source).save_pretrained(target, safe_serialization=False,
                                 max_shard_size="20KB")


def save_as_of_old(source, target):
    """The legacy form, with the oldest names and Microsoft's `config`."""
    shutil.copy(source / "config.json", target)
    state = {}
    for name, tensor in load_file(source / "model.safetensors").items():
        for new, old in (("LayerNorm.weight", "LayerNorm.gamma"),
                         ("LayerNorm.bias", "LayerNorm.beta")):
            if name.endswith(new):
                name = name.removesuffix(new) + old
        # Transposed in memory, as a view.
        if name.endswith("dense.weight"):
            tensor = tensor.t().contiguous().t()
        state[f"module.{name}"] = torch.nn.Parameter(tensor)
    state["module.deberta.embeddings.position_ids"] = torch.arange(24)[None]
    state["config"] = {"hidden_size": 32, "pos_att_type": ["c2p", "p2c"]}
    torch.save(state, target / "pytorch_model.bin", **FORMS["legacy"])


# name: (the checkpoint of make_model_golden.py, how it is saved)
MODELS = {
    "torch_v1_of_old_classify": ("v1_classify", save_as_of_old),
    "torch_v1_shards_fill": ("v1_absolute_fill", save_shards),
    "torch_v2_base": ("v2_separate_linear_c2p", save_whole),
    "torch_v3_half_classify": ("v3_classify", save_whole),
}


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--out", type=pathlib.Path,
                        default=GOLDEN)
    arguments = parser.parse_args()
    files = arguments.out / "torch"
    files.mkdir(parents=True, exist_ok=True)
    torch.manual_seed(5)
    for name, state, tensors in cases():
        path = files / f"{name}.safetensors"
        save_file({key: value.contiguous().clone()
                   for key, value in tensors.items()}, path)
        path.chmod(0o644)
        for form, options in FORMS.items():
            torch.save(state, files / f"{name}.{form}.bin", **options)
        print(name)
    for name, (source, save) in MODELS.items():
        source = GOLDEN / "models" / source
        target = arguments.out / "models" / name
        shutil.rmtree(target, ignore_errors=True)
        target.mkdir(parents=True)
        save(source, target)
        shutil.copy(source / "golden.safetensors", target)
        print(name)


if __name__ == "__main__":
    main()
