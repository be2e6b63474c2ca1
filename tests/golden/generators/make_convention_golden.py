#!/usr/bin/env python3
"""Writes small directories as publishers other than transformers save them,
and what their own code answers.

Each directory of tests/golden/conventions holds the files of one, a tokenizer
among them, and `expected.json`:

  model     fields of GetModelResponse, by name
  classify  [{text, text_pair, logits, scores}]: by index of the label, under
            the publisher's activation
  outputs   [{text, outputs: {name: {label: score, ...} or number}}]
  encode    [{text, vector}]
  layers    [{text, states}]: those of transformers' hidden_states, layer by
            layer, one row a token
  bert_score  [{layer, candidate, reference, scores}]: precision, recall, F1
            of the bert_score package

The weights are random, with standard deviation 0.3. sentence-transformers'
directories are saved by it; heads with code of their own are written here
from their published description: NVIDIA's model cards (NeMo Curator's
classifiers, prompt-task-and-complexity-classifier) and desklib's
(ai-text-detector). Needs transformers 4.57.1, sentence-transformers 5.1.2,
bert_score 0.3.13:

  python tests/golden/generators/make_convention_golden.py
"""

import json
import pathlib
import shutil
import zlib

import bert_score
import numpy
import torch
import transformers
from safetensors.torch import save_file
from sentence_transformers import CrossEncoder, SentenceTransformer, models

import random_tokenizer
from make_model_golden import randomize

OUT = pathlib.Path(__file__).resolve().parents[1] / "conventions"
TEXTS = ["a tiny one", "Is it good to be here or there?", "no",
         "write me a long story about the end of it all, then another"]
PAIRS = [("a tiny one", "the end of it all"), ("no", "yes, it is so"),
         ("Is it good?", "be here or there")]

SMALL = dict(
    vocab_size=120, hidden_size=32, num_hidden_layers=2, num_attention_heads=4,
    intermediate_size=48, max_position_embeddings=64, relative_attention=True,
    position_biased_input=False, pos_att_type="p2c|c2p", share_att_key=True,
    position_buckets=8, norm_rel_ebd="layer_norm")
# What shapes alone tell: heads of 64, 512 positions.
RELEASED = SMALL | dict(hidden_size=64, num_attention_heads=1,
                        max_position_embeddings=512)


def seeded(name):
    return torch.Generator().manual_seed(7 + zlib.crc32(name.encode()))


def start(name):
    directory = OUT / name
    shutil.rmtree(directory, ignore_errors=True)
    directory.mkdir(parents=True)
    return directory


def tokenizer_files(directory, max_tokens=64):
    random_tokenizer.write_unigram(directory, 119, max_tokens)


def write(directory, **expected):
    (directory / "expected.json").write_text(
        json.dumps(expected, indent=1) + "\n", encoding="utf-8")


def numbers(values):
    return [float(f"{float(value):.8g}") for value in numpy.ravel(values)]


def saved_model(directory, name, classes, settings=SMALL):
    config = transformers.DebertaV2Config(**settings)
    model = classes(config).eval()
    randomize(model, seeded(name))
    model.save_pretrained(directory)
    tokenizer_files(directory)


def edit_json(path, **keys):
    document = json.loads(path.read_text()) | keys
    path.write_text(json.dumps({key: value for key, value in document.items()
                                if value is not None}, indent=2) + "\n")


def cross_encoder(name, labels, settings=SMALL, **keys):
    """`keys`: of config.json, over what sentence-transformers writes."""
    directory = start(name)
    id2label = dict(enumerate(labels))
    saved_model(directory, name,
                transformers.DebertaV2ForSequenceClassification,
                settings | dict(id2label=id2label,
                             label2id={v: k for k, v in id2label.items()}))
    edit_json(directory / "config.json", **keys)
    encoder = CrossEncoder(str(directory), device="cpu")
    scores = encoder.predict(PAIRS)
    default = type(encoder.activation_fn).__name__
    # Which stays the encoder's from then on.
    logits = encoder.predict(PAIRS, activation_fn=torch.nn.Identity())
    function = {"Sigmoid": "FUNCTION_SIGMOID", "Identity": "FUNCTION_NONE",
                "Softmax": "FUNCTION_SOFTMAX"}[default]
    write(directory, model=dict(default_function=function),
          classify=[dict(text=a, text_pair=b, logits=numbers(logit),
                         scores=numbers(score))
                    for (a, b), logit, score in zip(PAIRS, logits, scores)])


def bi_encoder(name, poolings, layers, below="", max_seq_length=None):
    """`layers`: out_features and activation of Dense, or None: Normalize."""
    directory = start(name)
    backbone = directory / "backbone"
    saved_model(backbone, name, transformers.DebertaV2Model)
    generator = seeded(name + " modules")
    pooling = models.Pooling(32, **{"pooling_mode_mean_tokens": False} | {
        f"pooling_mode_{mode}": True for mode in poolings})
    chain = [models.Transformer(str(backbone), max_seq_length=max_seq_length),
             pooling]
    width = 32 * len(poolings)
    for layer in layers:
        if layer is None:
            chain.append(models.Normalize())
            continue
        chain.append(models.Dense(width, layer[0],
                                  activation_function=layer[1]))
        randomize(chain[-1], generator)
        width = layer[0]
    SentenceTransformer(modules=chain, device="cpu").save(
        str(directory), create_model_card=False)
    shutil.rmtree(backbone)
    if below:
        move_transformer(directory, below)
    encoder = SentenceTransformer(str(directory), device="cpu")
    vectors = encoder.encode(TEXTS)
    ours = {"cls_token": "cls", "max_tokens": "max", "mean_tokens": "mean",
            "mean_sqrt_len_tokens": "mean_sqrt_len",
            "weightedmean_tokens": "weighted_mean", "lasttoken": "last"}
    write(directory,
          model=dict(
              default_pooling="+".join(ours[mode] for mode in poolings),
              default_vector_layers=["dense" if layer else "normalize"
                                     for layer in layers],
              default_vector_size=width, max_tokens=encoder.max_seq_length),
          encode=[dict(text=text, vector=numbers(vector))
                  for text, vector in zip(TEXTS, vectors)])


def move_transformer(directory, below):
    """As sentence-transformers before 2.0 saved it."""
    (directory / below).mkdir()
    for path in list(directory.iterdir()):
        if path.is_file() and path.name not in (
                "modules.json", "config_sentence_transformers.json"):
            path.rename(directory / below / path.name)
    modules = json.loads((directory / "modules.json").read_text())
    modules[0]["path"] = below
    (directory / "modules.json").write_text(json.dumps(modules, indent=2))


class Head(torch.nn.Module):
    """A backbone below `prefix`, and what a subclass computes on it."""

    def __init__(self, prefix, settings, **linears):
        super().__init__()
        self.backbone_name = prefix
        self.add_module(prefix, transformers.DebertaV2Model(
            transformers.DebertaV2Config(**settings)))
        for name, (size_in, size_out) in linears.items():
            self.add_module(name, torch.nn.Linear(size_in, size_out))

    def hidden(self, inputs):
        return self.get_submodule(self.backbone_name)(
            **inputs).last_hidden_state[0]


def save_head(name, model, config, wrapped=()):
    """`wrapped`: linears that are stored as NAME.fc."""
    directory = start(name)
    randomize(model, seeded(name))
    tensors = {}
    for key, value in model.eval().state_dict().items():
        for linear in wrapped:
            key = key.replace(f"{linear}.", f"{linear}.fc.")
        tensors[key] = value.contiguous()
    save_file(tensors, directory / "model.safetensors",
              metadata={"format": "pt"})
    (directory / "config.json").write_text(json.dumps(config, indent=2) + "\n")
    tokenizer_files(directory)
    return directory


def each_text(directory):
    tokenizer = transformers.AutoTokenizer.from_pretrained(
        str(directory), config=transformers.DebertaV2Config())
    for text in TEXTS:
        inputs = tokenizer(text, return_tensors="pt")
        inputs.pop("token_type_ids", None)
        yield text, inputs


@torch.no_grad()
def curator(name="curator", names=("Adult", "Games", "News"),
            settings=RELEASED, **keys):
    """domain-classifier and its kin: no model_type, no backbone's keys."""
    names = list(names)
    model = Head("model", settings, fc=(settings["hidden_size"], len(names)))
    directory = save_head(name, model, keys | dict(
        base_model="microsoft/deberta-v3-base", fc_dropout=0.2,
        id2label={str(i): name for i, name in enumerate(names)},
        label2id={name: i for i, name in enumerate(names)}))
    classify = []
    for text, inputs in each_text(directory):
        logits = model.fc(model.hidden(inputs)[0])
        classify.append(dict(text=text, logits=numbers(logits),
                             scores=numbers(logits.softmax(-1))))
    write(directory, model=dict(labels=names), classify=classify)


@torch.no_grad()
def desklib(name="desklib", settings=SMALL):
    model = Head("model", settings, classifier=(settings["hidden_size"], 1))
    directory = save_head(
        name, model,
        transformers.DebertaV2Config(**settings).to_dict()
        | dict(architectures=["DesklibAIDetectionModel"]))
    classify = []
    for text, inputs in each_text(directory):
        logits = model.classifier(model.hidden(inputs).mean(0))
        classify.append(dict(text=text, logits=numbers(logits),
                             scores=numbers(logits.sigmoid())))
    write(directory, model=dict(labels=["LABEL_0"],
                                default_function="FUNCTION_SIGMOID"),
          classify=classify)


TARGETS = dict(task_type=4, creativity_scope=3, reasoning=2,
               contextual_knowledge=2, number_of_few_shots=6,
               domain_knowledge=4, no_label_reason=1, constraint_ct=2)
WEIGHTS = dict(creativity_scope=[2, 1, 0], reasoning=[0, 1],
               contextual_knowledge=[0, 1],
               number_of_few_shots=[0, 1, 2, 3, 4, 5],
               domain_knowledge=[3, 1, 2, 0], no_label_reason=[0],
               constraint_ct=[1, 0])
DIVISORS = dict(creativity_scope=2, reasoning=1, contextual_knowledge=1,
                number_of_few_shots=1, domain_knowledge=3, no_label_reason=1,
                constraint_ct=1)
SCORE = dict(creativity_scope=.35, reasoning=.25, constraint_ct=.15,
             domain_knowledge=.15, contextual_knowledge=.05,
             number_of_few_shots=.05)


@torch.no_grad()
def complexity(name="complexity"):
    tasks = ["Brainstorming", "Chatbot", "Code Generation", "Other"]
    model = Head("backbone", RELEASED,
                 **{f"head_{i}": (64, size)
                    for i, size in enumerate(TARGETS.values())})
    directory = save_head(name, model, dict(
        target_sizes=TARGETS,
        task_type_map={str(i): name for i, name in enumerate(tasks)},
        weights_map=WEIGHTS, divisor_map=DIVISORS),
        wrapped=[f"head_{i}" for i in range(8)])
    results = []
    for text, inputs in each_text(directory):
        pooled = model.hidden(inputs).mean(0)
        outputs, scores = {}, {}
        for i, target in enumerate(TARGETS):
            probabilities = model.get_submodule(f"head_{i}")(
                pooled).softmax(-1).numpy()
            names = tasks if i == 0 else [
                f"LABEL_{j}" for j in range(TARGETS[target])]
            outputs[target] = dict(zip(names, numbers(probabilities)))
            if i == 0:
                continue
            value = round(float(numpy.sum(
                probabilities * numpy.array(WEIGHTS[target]))
                / DIVISORS[target]), 4)
            if target == "number_of_few_shots" and value < 0.05:
                value = 0
            scores[target] = value
        total = round(sum(weight * scores[target]
                          for target, weight in SCORE.items()), 5)
        results.append(dict(text=text, outputs=outputs, scores=scores
                            | dict(prompt_complexity_score=total)))
    write(directory, model=dict(outputs=[*TARGETS,
                                         "prompt_complexity_score"]),
          outputs=results)


@torch.no_grad()
def declared(name, prefix, pooling, declaration, compute, linears,
             norms=(), labels=None):
    model = Head(prefix, SMALL, **linears)
    for norm, width in norms:
        model.add_module(norm, torch.nn.LayerNorm(width, eps=1e-7))
    keys = {} if labels is None else dict(
        id2label=dict(enumerate(labels)),
        label2id={label: i for i, label in enumerate(labels)})
    directory = save_head(
        name, model, transformers.DebertaV2Config(**SMALL, **keys).to_dict()
        | dict(architectures=["OurOwnClassifier"]))
    (directory / "deberta.json").write_text(
        json.dumps(dict(head=declaration), indent=2) + "\n")
    classify = []
    for text, inputs in each_text(directory):
        logits = compute(model, pooling(model.hidden(inputs)))
        classify.append(dict(text=text, logits=numbers(logits),
                             scores=numbers(logits.softmax(-1))))
    write(directory, model={}, classify=classify)


def all_declared():
    declared("declared_layers", "encoder_model",
             lambda hidden: hidden.max(0).values,
             dict(backbone="encoder_model.", pooling="max",
                  layers=[dict(linear="dense"), dict(activation="tanh"),
                          dict(layer_norm="LayerNorm"), dict(linear="wide"),
                          dict(activation="relu")],
                  outputs=[dict(linear="out", labels=["a", "b", "c"])]),
             lambda model, row: model.out(torch.relu(model.wide(
                 model.LayerNorm(torch.tanh(model.dense(row)))))),
             dict(dense=(32, 20), wide=(20, 70), out=(70, 3)),
             norms=[("LayerNorm", 20)])
    declared("declared_last", "deberta", lambda hidden: hidden[-1],
             dict(pooling="last", outputs=[dict(linear="score")]),
             lambda model, row: model.score(row), dict(score=(32, 2)),
             labels=["bad", "good"])
    # Without its pooler, as a classifier alone.
    declared("declared_no_pooler", "deberta", lambda hidden: hidden[0],
             dict(outputs=[dict(linear="classifier")]),
             lambda model, row: model.classifier(row), dict(classifier=(32, 3)),
             labels=["x", "y", "z"])
    # The first piece of every text, whatever it says: id 2 is [SEP].
    declared("declared_marker", "deberta", lambda hidden: hidden[-1],
             dict(pooling=dict(token_id=2), outputs=[dict(linear="score")]),
             lambda model, row: model.score(row), dict(score=(32, 2)))


def plain(name="plain"):
    """A bare model, its hidden states, and BERTScore from each of its layers."""
    directory = start(name)
    saved_model(directory, name, transformers.DebertaV2Model,
                SMALL | dict(num_hidden_layers=3))
    model = transformers.AutoModel.from_pretrained(str(directory)).eval()
    layers = []
    for text, inputs in each_text(directory):
        with torch.no_grad():
            states = model(**inputs, output_hidden_states=True).hidden_states
        layers.append(dict(text=text, states=[
            [numbers(row) for row in state[0]] for state in states]))
    candidates = [a for a, _ in PAIRS]
    references = [b for _, b in PAIRS]
    scored = []
    for layer in (1, 2, 3):
        results = bert_score.score(candidates, references,
                                   model_type=str(directory), num_layers=layer,
                                   batch_size=1, use_fast_tokenizer=True)
        for a, b, *scores in zip(candidates, references, *results):
            scored.append(dict(layer=layer, candidate=a, reference=b,
                               scores=numbers(scores)))
    write(directory, model=dict(default_pooling="cls"), layers=layers[:2],
          bert_score=scored)


def main():
    transformers.logging.set_verbosity_error()
    torch.set_num_threads(1)
    key = "sbert_ce_default_activation_function"
    cross_encoder("reranker", ["LABEL_0"], sentence_transformers=dict(
        activation_fn="torch.nn.modules.linear.Identity", version="5.1.2"))
    cross_encoder("reranker_sigmoid", ["LABEL_0"], sentence_transformers=dict(
        activation_fn="torch.nn.modules.activation.Sigmoid", version="5.1.2"))
    cross_encoder("reranker_old", ["LABEL_0"],
                  **{key: "torch.nn.modules.linear.Identity"})
    cross_encoder("judge_softmax", ["no", "yes", "maybe"], **{
        key: "torch.nn.modules.activation.Softmax"})
    cross_encoder("judge", ["no", "yes", "maybe"], sentence_transformers=dict(
        activation_fn="torch.nn.modules.linear.Identity", version="5.1.2"))
    bi_encoder("mean", ["mean_tokens"], [])
    bi_encoder("cls_normalize", ["cls_token"], [None], max_seq_length=40)
    bi_encoder("dense", ["mean_tokens"],
               [(24, torch.nn.Tanh()), None, (8, torch.nn.Identity())])
    bi_encoder("old_layout", ["cls_token", "max_tokens", "mean_tokens"], [],
               below="0_Transformer")
    bi_encoder("rare_poolings", ["mean_sqrt_len_tokens", "weightedmean_tokens",
                                 "lasttoken"], [])
    curator()
    desklib()
    complexity()
    all_declared()
    plain()


if __name__ == "__main__":
    main()
