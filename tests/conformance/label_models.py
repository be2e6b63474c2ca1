"""Random directories of models that read the caller's labels, as their packages
save them, with golden.safetensors of what the packages compute."""

import dataclasses
import json
import pathlib
import random

import gliclass_models
import gliner2_models
import make_label_head_golden as golden
import random_words
import torch
from gliner import GLiNER

FAMILIES = {"gliner spans": 30, "gliner tokens": 12, "gliclass": 14, "gliner2": 12}
PACKAGES = {"gliner": "gliner 0.2.29", "gliclass": "gliclass 0.1.16",
            "gliner2": "gliner2 2.1.0"}
LABELS = [["person"], ["person", "place", "a date or a time", "thing"],
          ["Protocol", "programming language: what code is written in"]]
SCORERS = ("simple", "mlp", "weighted-dot", "hopfield")
POOLINGS = ("first", "avg", "max", "last", "sum", "rms", "abs_max", "abs_avg")


@dataclasses.dataclass
class Made:
    row: str
    directory: pathlib.Path
    model: object
    texts: list

    @property
    def name(self):
        return self.directory.name

    @property
    def reference(self):
        return PACKAGES[self.row.split()[0]]


def random_texts(rng, count, most_words=40):
    """Sentences, and texts of any characters."""
    drawn = [t for t in random_words.texts(rng.getrandbits(32), 200, [])
             if t.strip() and len(random_words.GLINER.findall(t)) < most_words]
    return [rng.choice(golden.TEXTS)] + rng.sample(drawn, count - 1)


def backbone_settings(rng):
    heads = rng.randint(1, 4)
    hidden = heads * rng.choice((8, 12, 16, 24))
    return dict(
        hidden_size=hidden, pooler_hidden_size=hidden, num_attention_heads=heads,
        num_hidden_layers=rng.randint(2, 3), intermediate_size=rng.randint(16, 90),
        position_buckets=rng.choice((-1, 4, 16, 32)),
        share_att_key=rng.random() < 0.7,
        norm_rel_ebd=rng.choice(("layer_norm", "layer_norm", "none")),
        pos_att_type=rng.choice(("p2c|c2p", "p2c|c2p", "c2p", "p2c")),
        conv_kernel_size=rng.choice((0, 0, 0, 3)))


def gliner_settings(family, index, backbone, rng):
    width = rng.choice((backbone["hidden_size"], 16, 24, 40))
    settings = dict(
        hidden_size=width, max_width=rng.randint(1, 6), max_len=64,
        subtoken_pooling=("first", "last", "mean", "max")[index % 4],
        num_rnn_layers=rng.randint(0, 2), fuse_layers=rng.random() < 0.3,
        embed_ent_token=rng.random() < 0.7)
    if family == "gliner tokens":
        return settings | dict(span_mode="token_level",
                               represent_spans=index % 2 == 1)
    return settings | dict(
        span_mode=("markerV0", "markerV0", "marker", "markerV1")[index % 4],
        subtoken_pooling=("first", "last", "mean", "max")[index // 4 % 4])


def save_gliner(model, directory, backbone, index):
    """As the package saves it; some as it was in 2024, without the numbers of the
    tokenizer and with the encoder's configuration beside."""
    model.save_pretrained(directory, safe_serialization=index % 3 > 0)
    if index % 5 != 4:
        return
    path = directory / "gliner_config.json"
    config = json.loads(path.read_text())
    config |= dict(class_token_index=-1, vocab_size=-1)
    (directory / "config.json").write_text(
        json.dumps(config.pop("encoder_config")))
    path.write_text(json.dumps(config))
    for file in golden.TOKENIZER_FILES:
        (directory / file).write_bytes((backbone / file).read_bytes())


def make_gliner(family, index, directory, rng, scratch):
    backbone = backbone_settings(rng)
    golden.write_backbone(scratch, **backbone)
    settings = gliner_settings(family, index, backbone, rng)
    model = GLiNER.from_config(
        {**golden.GLINER, "model_name": str(scratch), **settings},
        backbone_from_pretrained=False)
    golden.spread(model.model, rng.getrandbits(48))
    model.eval()
    if family == "gliner tokens":
        golden.balance_tokens(model)
    save_gliner(model, directory, scratch, index)
    texts = random_texts(rng, 4)
    tensors, _ = golden.gliner_golden(model, texts, LABELS)
    row = {"token_level": "gliner token_level"}.get(
        settings["span_mode"], f"gliner {settings['span_mode']}")
    if settings.get("represent_spans"):
        row += " with represent_spans"
    return Made(row, directory, model, texts), tensors


def gliclass_settings(index, rng):
    return dict(
        scorer_type=SCORERS[index % len(SCORERS)],
        pooling_strategy=POOLINGS[index % len(POOLINGS)],
        class_token_pooling=rng.choice(("first", "average")),
        prompt_first=rng.random() < 0.5, normalize_features=rng.random() < 0.3,
        extract_text_features=rng.random() < 0.4, use_lstm=rng.random() < 0.4,
        embed_class_token=rng.random() < 0.6,
        use_segment_embeddings=rng.random() < 0.3)


def make_gliclass(index, directory, rng, scratch):
    golden.write_backbone(scratch, **backbone_settings(rng))
    settings = gliclass_settings(index, rng)
    model, tokenizer = gliclass_models.make("", scratch, settings)
    golden.spread(model, rng.getrandbits(48))
    gliclass_models.save(model, tokenizer, directory, keep_tokenizer=True)
    texts = random_texts(rng, 6)
    tensors, cases = gliclass_models.golden(model, tokenizer, texts, LABELS)
    return Made(f"gliclass {settings['scorer_type']}", directory, cases,
                texts), tensors


def make_gliner2(index, directory, rng, scratch):
    golden.write_backbone(scratch, **backbone_settings(rng))
    counting = ("count_lstm", "count_lstm_v2", "count_lstm_moe")[index % 3]
    model = gliner2_models.make(str(scratch), dict(
        counting_layer=counting,
        token_pooling=rng.choice(("first", "mean", "max"))))
    golden.spread(model, rng.getrandbits(48))
    texts = random_texts(rng, 4)
    gliner2_models.vary_counts(model, texts)
    gliner2_models.save(model, directory)
    tensors, _ = gliner2_models.golden(model, texts)
    return Made(f"gliner2 {counting}", directory, model, texts), tensors


def make(family, index, seed, scratch):
    """One directory below `scratch`."""
    rng = random.Random(f"{seed} {family} {index}")
    torch.manual_seed(rng.getrandbits(48))
    directory = scratch / f"{family.replace(' ', '_')}_{index:02}"
    backbone = scratch / f"backbone_{directory.name}"
    backbone.mkdir()
    if family == "gliclass":
        made, tensors = make_gliclass(index, directory, rng, backbone)
    elif family == "gliner2":
        made, tensors = make_gliner2(index, directory, rng, backbone)
    else:
        made, tensors = make_gliner(family, index, directory, rng, backbone)
    golden.save_golden(directory, tensors)
    return made, tensors
