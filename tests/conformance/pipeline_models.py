"""The tiny random checkpoints that pipelines.py serves."""

import json
import pathlib
import shutil

import torch
import transformers

import task_tokenizers

TAGS = ["O", "B-PER", "I-PER", "B-LOC", "I-LOC", "MISC", "B-ORG-X"]
NLI = ["contradiction", "neutral", "entailment"]
# The reference's own limit is that of the files; a short one makes windows.
SHORT = 40

# Name: head, further settings, model_max_length.
SHAPES = {
    "labels": ("SequenceClassification",
               {"id2label": {i: f"label {i}" for i in range(4)}}, 512),
    "topics": ("SequenceClassification",
               {"id2label": {i: f"topic {i}" for i in range(5)},
                "problem_type": "multi_label_classification"}, SHORT),
    "ranker": ("SequenceClassification", {"id2label": {0: "LABEL_0"}}, 512),
    "rating": ("SequenceClassification",
               {"id2label": {0: "stars"}, "problem_type": "regression"}, 512),
    "tagger": ("TokenClassification", {"id2label": dict(enumerate(TAGS))}, 512),
    "short-tagger": ("TokenClassification",
                     {"id2label": dict(enumerate(TAGS))}, SHORT),
    "reader": ("QuestionAnswering", {}, 512),
    "filler": ("MaskedLM", {}, 512),
    "judge": ("SequenceClassification", {"id2label": dict(enumerate(NLI))}, 512),
    "short-judge": ("SequenceClassification",
                    {"id2label": dict(enumerate(NLI[::-1]))}, SHORT),
    "chooser": ("MultipleChoice", {}, 512),
    "encoder": ("", {}, 512),
}


def is_v1(family):
    return family.startswith("v1")


def configuration(family, vocab_size, rng, settings):
    """Two layers of a released shape: v1 linear, v3 with buckets."""
    common = dict(
        vocab_size=vocab_size, hidden_size=48, num_hidden_layers=2,
        num_attention_heads=4, intermediate_size=64, relative_attention=True,
        position_biased_input=False, pos_att_type=["c2p", "p2c"],
        type_vocab_size=2 if "typed" in family else 0,
        max_position_embeddings=512)
    common |= settings
    if "id2label" in settings:
        common["label2id"] = {n: i for i, n in settings["id2label"].items()}
    if is_v1(family):
        return transformers.DebertaConfig(**common)
    return transformers.DebertaV2Config(
        **common, position_buckets=rng.choice((16, 256)), share_att_key=True,
        norm_rel_ebd="layer_norm")


def save(directory, family, tokenizer, rng, shape):
    head, settings, limit = shape
    prefix = "Deberta" if is_v1(family) else "DebertaV2"
    kind = f"{prefix}For{head}" if head else f"{prefix}Model"
    config = configuration(family, len(tokenizer) + 3, rng, settings)
    model = getattr(transformers, kind)(config)
    with torch.no_grad():
        for name, parameter in model.named_parameters():
            if parameter.dim() > 1 or "bias" in name:
                parameter.normal_(0, 0.25)
    model.eval().save_pretrained(directory)
    tokenizer.save_pretrained(directory)
    path = directory / "tokenizer_config.json"
    written = json.loads(path.read_text())
    path.write_text(json.dumps(written | {"model_max_length": limit}))


def load_5(family, files):
    """A tokenizer of version 5, from raw files or as the family's name says."""
    v1 = is_v1(family)
    (task_tokenizers.train_v1 if v1 else task_tokenizers.train_v3)(files)
    kind = (transformers.DebertaTokenizer if v1
            else transformers.DebertaV2Tokenizer)
    options = {}
    if "left" in family:
        options = {"padding_side": "left", "truncation_side": "left"}
    if "untyped" in family:
        options = {"model_input_names": ["input_ids", "attention_mask"]}
    if "clean" in family:
        options = {"clean_up_tokenization_spaces": True}
    tokenizer = kind.from_pretrained(files, **options)
    if "backend" not in family:
        return tokenizer
    tokenizer.save_pretrained(files)
    return transformers.TokenizersBackend.from_pretrained(files)


FAMILIES_4 = ("v1", "v3")
FAMILIES_5 = ("v1", "v3", "v1typed", "v3typed", "v1left", "v3left", "v1clean",
              "v3clean", "v3untyped", "v3typedbackend")


def make(root, rng):
    """Checkpoints under `root`: {name: directory}. v1 has no MultipleChoice."""
    version_5 = int(transformers.__version__.split(".")[0]) >= 5
    torch.manual_seed(rng.getrandbits(31))
    made = {}
    for family in FAMILIES_5 if version_5 else FAMILIES_4:
        files = pathlib.Path(root) / f"tokenizer-{family}"
        if version_5:
            files.mkdir()
        tokenizer = (load_5 if version_5 else task_tokenizers.make)(family,
                                                                    files)
        for name, shape in SHAPES.items():
            if is_v1(family) and shape[0] == "MultipleChoice":
                continue
            directory = pathlib.Path(root) / f"{family}-{name}"
            shutil.rmtree(directory, ignore_errors=True)
            save(directory, family, tokenizer, rng, shape)
            made[directory.name] = directory
    return made
