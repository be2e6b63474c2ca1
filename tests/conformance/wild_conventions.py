"""Stand-ins for directories of sentence-transformers and of publishers with a head
of their own, by make_convention_golden.py, in more shapes than are kept there.

make(root) yields (row, name) of each directory below root, whose expected.json
is what the publisher's code answered.
"""

import json

import torch
import transformers

import make_convention_golden as golden

ACTIVATIONS = {"Identity": "linear.Identity", "Sigmoid": "activation.Sigmoid",
               "Softmax": "activation.Softmax"}
OLD_KEY = "sbert_ce_default_activation_function"
NEMO = {
    "nemo-domain": [f"Domain_{i}" for i in range(26)],
    "nemo-multilingual-domain": [f"Domain_{i}" for i in range(26)],
    "nemo-quality": ["High", "Medium", "Low"],
    "nemo-content-type": [f"Type_{i}" for i in range(11)],
}
WIDE = golden.RELEASED | dict(hidden_size=128, num_attention_heads=2,
                              num_hidden_layers=3, intermediate_size=96)


def curators():
    for name, labels in NEMO.items():
        settings = WIDE if "multilingual" in name else golden.RELEASED
        golden.curator(name, labels, settings)
        yield "NeMo Curator: fc on the first position", name
    golden.curator("nemo-typed", ["a", "b"], WIDE,
                   **transformers.DebertaV2Config(**WIDE).to_dict())
    yield "NeMo Curator: fc on the first position", "nemo-typed"
    for name in ("nemo-complexity", "nemo-complexity-2"):
        golden.complexity(name)
        yield "prompt-task-and-complexity: eight heads", name


def detectors():
    for name, settings in (("desklib-detector", golden.SMALL),
                           ("desklib-v3", golden.RELEASED),
                           ("desklib-wide", WIDE)):
        golden.desklib(name, settings)
        yield "desklib: mean pooling, one sigmoid", name


def head(name, prefix, pooling, declaration, linears, compute=None, norms=(),
         labels=None):
    """A head whose last linear layer is named by the declaration's output."""
    last = declaration["outputs"][0]["linear"]
    compute = compute or (lambda model, row: model.get_submodule(last)(row))
    golden.declared(name, prefix, pooling, declaration, compute, linears, norms,
                    labels)


def first(hidden):
    return hidden[0]


def mean(hidden):
    return hidden.mean(0)


def declared():
    row = "declared heads"
    for prefix in ("deberta", "bert", "model", "backbone"):
        head(f"no-pooler-{prefix}", prefix, first,
             dict(outputs=[dict(linear="classifier")]), dict(classifier=(32, 3)),
             labels=["x", "y", "z"])
        yield "classification without the pooler", f"no-pooler-{prefix}"
    poolings = {"first": first, "mean": mean, "last": lambda h: h[-1],
                "max": lambda h: h.max(0).values}
    for name, pooling in poolings.items():
        for prefix in ("deberta", "encoder_model"):
            declaration = dict(pooling=name, outputs=[dict(linear="score")])
            if prefix == "encoder_model":
                declaration["backbone"] = "encoder_model."
            head(f"{name}-{prefix.replace('_', '-')}", prefix, pooling,
                 declaration, dict(score=(32, 2)), labels=["bad", "good"])
            yield row, f"{name}-{prefix.replace('_', '-')}"
    head("dense-tanh", "deberta", mean,
         dict(pooling="mean", layers=[dict(linear="dense"), dict(activation="tanh")],
              outputs=[dict(linear="out_proj", labels=["human", "machine"])]),
         dict(dense=(32, 32), out_proj=(32, 2)),
         lambda m, r: m.out_proj(torch.tanh(m.dense(r))))
    head("norm-gelu", "model", first,
         dict(layers=[dict(layer_norm="norm"), dict(linear="dense"),
                      dict(activation="gelu")], outputs=[dict(linear="fc")]),
         dict(dense=(32, 64), fc=(64, 4)),
         lambda m, r: m.fc(torch.nn.functional.gelu(m.dense(m.norm(r)))),
         norms=[("norm", 32)])
    yield row, "dense-tanh"
    yield row, "norm-gelu"
    # A reward model's marker: the first separator.
    head("reward-marker", "deberta", lambda h: h[-1],
         dict(pooling=dict(token_id=2), outputs=[dict(linear="score")]),
         dict(score=(32, 2)), lambda m, r: m.score(r))
    yield row, "reward-marker"


def cross_encoders():
    row = "CrossEncoder"
    for name, activation in ACTIVATIONS.items():
        for labels in (["LABEL_0"], ["contradiction", "entailment", "neutral"]):
            if name == "Softmax" and len(labels) == 1:
                continue
            path = "torch.nn.modules." + ACTIVATIONS[name]
            new = f"cross-{name.lower()}-{len(labels)}"
            golden.cross_encoder(new, labels, sentence_transformers=dict(
                activation_fn=path, version="5.1.2"))
            golden.cross_encoder(f"{new}-old", labels, WIDE, **{OLD_KEY: path})
            yield row, new
            yield row, f"{new}-old"
    # As mxbai-rerank v1 is saved: nothing says an activation, and GetModel none.
    golden.cross_encoder("mxbai-rerank", ["LABEL_0"])
    path = golden.OUT / "mxbai-rerank/expected.json"
    path.write_text(json.dumps(json.loads(path.read_text())
                               | {"model": {"default_function": "FUNCTION_UNSPECIFIED"}}))
    yield row, "mxbai-rerank"


def bi_encoders():
    row = "bi-encoder with modules.json"
    dense = [(24, torch.nn.Tanh()), None, (8, torch.nn.Identity())]
    for name, poolings, layers, options in (
            ("bi-mean", ["mean_tokens"], [], {}),
            ("bi-mean-normalize", ["mean_tokens"], [None], {}),
            ("bi-cls", ["cls_token"], [], dict(max_seq_length=40)),
            ("bi-max", ["max_tokens"], [None], {}),
            ("bi-last", ["lasttoken"], [], {}),
            ("bi-weighted", ["weightedmean_tokens"], [None], {}),
            ("bi-sqrt", ["mean_sqrt_len_tokens"], [], {}),
            ("bi-three", ["cls_token", "max_tokens", "mean_tokens"], [None], {}),
            ("bi-dense", ["mean_tokens"], dense, {}),
            ("bi-old-layout", ["mean_tokens"], [None],
             dict(below="0_Transformer"))):
        golden.bi_encoder(name, poolings, layers, **options)
        yield row, name


def layers():
    for name in ("layers", "layers-2"):
        golden.plain(name)
        yield "Encode of layers, BERTScore", name


def make(root):
    golden.OUT = root
    for group in (curators, detectors, declared, cross_encoders, bi_encoders,
                  layers):
        yield from group()
