"""Microsoft's own DeBERTa code as an oracle: what transformers never had.

Needs a checkout of https://github.com/microsoft/DeBERTa (4d7fe0b was used) and
torch. Its masked language model holds the Enhanced Mask Decoder, its
discriminator the replaced-token head.
"""

import importlib
import sys
import types

import torch


class Microsoft:
    """The packages of a checkout."""

    def __init__(self, checkout):
        sys.path.insert(0, str(checkout))
        # Its sentencepiece tokenizer, which nothing here uses, imports six.
        sys.modules.setdefault("six", types.SimpleNamespace(
            PY3=True, PY2=False, unichr=chr))
        self._config = importlib.import_module("DeBERTa.deberta.config")
        models = "DeBERTa.apps.models."
        self._fill = importlib.import_module(models + "masked_language_model")
        self._detect = importlib.import_module(
            models + "replaced_token_detection_model")

    def model(self, settings, detect=False):
        """A model of `settings`, as config.json has them, in fp32.

        Biases are zero until loaded: files in the layout of v1 have none for
        keys. A settings' pos_att_type must be a string.
        """
        kind = (self._detect.ReplacedTokenDetectionModel if detect
                else self._fill.MaskedLanguageModel)
        defaults = self._config.ModelConfig().__dict__
        config = self._config.ModelConfig.from_dict(defaults | settings)
        model = kind(config).eval()
        for module in model.modules():
            if isinstance(module, torch.nn.Linear) and module.bias is not None:
                torch.nn.init.zeros_(module.bias)
        return model


def load(model, tensors):
    """Loads what `model` has a place for; everything it has must be there."""
    loaded = model.load_state_dict(
        {name: tensor.to(torch.float32) for name, tensor in tensors.items()},
        strict=False)
    missing = [name for name in loaded.missing_keys
               if not name.endswith("key_proj.bias")]
    assert not missing, missing


def run(model, ids, types=None):
    """Hidden states [layers + 1] of [tokens, hidden], and every token's logits.

    ids [1, tokens]; logits [tokens, vocabulary] of a masked language model, [1,
    tokens] of a discriminator.
    """
    mask = torch.ones_like(ids)
    hidden = []
    hooks = [
        model.deberta.embeddings.register_forward_hook(
            lambda module, given, output: hidden.append(output["embeddings"])),
        model.deberta.encoder.register_forward_hook(
            lambda module, given, output: hidden.extend(
                output["hidden_states"])),
    ]
    if types is not None:
        hooks.append(model.deberta.register_forward_pre_hook(
            lambda module, given: (*given[:2], types, *given[3:])))
    with torch.no_grad():
        logits = model(ids, mask, labels=torch.ones_like(ids))["logits"]
    for hook in hooks:
        hook.remove()
    return [states[0] for states in hidden], logits


def v1_tensors(tensors, heads):
    """Microsoft's current names of an attention to the ones of v1 files."""
    renamed = {}
    for name, tensor in tensors.items():
        prefix, _, tail = name.rpartition("attention.self.")
        if not prefix:
            renamed[name] = tensor
            continue
        prefix += "attention.self."
        part = {"query_proj.bias": "q_bias", "value_proj.bias": "v_bias",
                "pos_key_proj.weight": "pos_proj.weight",
                "pos_query_proj.weight": "pos_q_proj.weight",
                "pos_query_proj.bias": "pos_q_proj.bias"}.get(tail)
        if part is not None:
            renamed[prefix + part] = tensor
        if tail == "query_proj.weight":
            parts = [tensors[prefix + part + "_proj.weight"]
                     .reshape(heads, -1, tensor.shape[1])
                     for part in ("query", "key", "value")]
            renamed[prefix + "in_proj.weight"] = torch.cat(parts, 1).reshape(
                -1, tensor.shape[1]).contiguous()
    return renamed
