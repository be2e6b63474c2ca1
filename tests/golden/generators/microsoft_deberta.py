"""Microsoft's own DeBERTa code as an oracle: what transformers never had.

Needs a checkout of https://github.com/microsoft/DeBERTa (4d7fe0b was used) and
torch. Its masked language model holds the Enhanced Mask Decoder, its
discriminator the replaced-token head.
"""

import importlib
import importlib.util
import sys
import types

import torch


class Microsoft:
    """The packages of a checkout."""

    def __init__(self, checkout):
        sys.path.insert(0, str(checkout))
        # Its tokenizer and its downloads, which nothing here uses, import them.
        for name in ("six", "requests"):
            if importlib.util.find_spec(name) is None:
                sys.modules[name] = types.ModuleType(name)
        self._config = importlib.import_module("DeBERTa.deberta.config")
        self._positions = importlib.import_module("DeBERTa.deberta.da_utils")
        models = "DeBERTa.apps.models."
        self._fill = importlib.import_module(models + "masked_language_model")
        self._detect = importlib.import_module(
            models + "replaced_token_detection_model")

    def log_buckets(self, offsets, buckets, limit):
        """Position buckets of offsets [n]."""
        return self._positions.make_log_bucket_position(
            offsets[None], buckets, limit)[0]

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


def run(model, ids, types):
    """Hidden states [layers + 1] of [tokens, hidden], and each token's logits.

    ids and types [1, tokens]; logits [tokens, vocabulary] of a masked language
    model, [1, tokens] of a discriminator.
    """
    mask = torch.ones_like(ids)
    hidden = []
    deberta = model.deberta
    hooks = [
        # The model leaves the types out.
        deberta.register_forward_pre_hook(
            lambda module, given: (*given[:2], types, *given[3:])),
        deberta.embeddings.register_forward_hook(
            lambda module, given, result: hidden.append(result["embeddings"])),
        deberta.encoder.register_forward_hook(
            lambda module, given, result: hidden.extend(
                result["hidden_states"])),
    ]
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
