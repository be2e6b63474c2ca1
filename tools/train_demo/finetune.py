"""Fine-tuning stage: one pretrained backbone becomes one task's model."""

import json

import torch
from safetensors.torch import load_file
from torch.nn import functional as F

import loop
import shapes
import tasks
import vocabularies
from network import Network

# model: (piece limit of a training text, padded tokens of a step, rate)
RECIPES = {"section-classifier": (80, 1536, 6e-4),
           "tech-tagger": (112, 1536, 6e-4),
           "package-qa": (256, 2048, 8e-4)}
QUESTIONS = 30000


def labels_of(work, model):
    if model == "section-classifier":
        return tasks.section_labels(work)
    return tasks.TAGS if model == "tech-tagger" else None


def examples_of(work, model, tokenizer, labels, limit):
    if model == "section-classifier":
        return tasks.sections(work, tokenizer, "train", labels, limit)
    if model == "tech-tagger":
        return tasks.tagged(work, tokenizer, "train", limit)
    asked = tasks.asked(work, "train", QUESTIONS, seed=4)
    return tasks.spans(tokenizer, asked, limit)


def loss_of(network, examples, indices):
    rows = [examples[i][0] for i in indices]
    targets = [examples[i][1] for i in indices]
    ids, real = loop.padded(rows)
    logits = network(ids, None if bool(real.all()) else real).float()
    if network.head == "sequence":
        loss = F.cross_entropy(logits, torch.tensor(targets))
    elif network.head == "tokens":
        wanted, _ = loop.padded(targets, fill=tasks.IGNORED)
        loss = F.cross_entropy(logits.flatten(0, 1), wanted.flatten(),
                               ignore_index=tasks.IGNORED)
    else:
        logits = logits.masked_fill(~real.unsqueeze(-1), -1e9)
        wanted = torch.tensor(targets)
        loss = (F.cross_entropy(logits[..., 0], wanted[:, 0]) +
                F.cross_entropy(logits[..., 1], wanted[:, 1])) / 2
    return loss, int(real.sum())


def untrained(work, model):
    """The network of a model with its pretrained backbone."""
    name, head = shapes.MODELS[model]
    network = Network(shapes.config(name, labels_of(work, model)), head)
    state = torch.load(work / f"pretrained-{name}.pt")
    wanted = state if head == "masks" else {
        k: v for k, v in state.items() if k.startswith("deberta.")}
    missing, _ = network.load_state_dict(wanted, strict=False)
    if any(k.startswith("deberta.") for k in missing):
        raise RuntimeError(f"the pretrained backbone lacks {missing}")
    return network


def added(before, now):
    """Steps, tokens and seconds of two runs together."""
    return {key: before[key] + value for key, value in now.items()}


def run(work, model, out, budget, say, further=False):
    """Trains a model; `further` goes on from the one already in `out`."""
    name, head = shapes.MODELS[model]
    tokenizer = vocabularies.load(work, name)
    plain = vocabularies.load(work, name)  # without truncation settings
    torch.manual_seed(0)
    network = untrained(work, model)
    about = json.loads((work / f"pretrained-{name}.json").read_text())
    about = {"pretraining": about,
             "parameters": sum(p.numel() for p in network.parameters())}
    before = dict.fromkeys(("steps", "tokens", "seconds"), 0)
    if further:
        about = json.loads((work / f"{model}.json").read_text())
        before = about["finetuning"]
        network.load_state_dict({k: v.float() for k, v in load_file(
            out / model / "model.safetensors").items()})
    if head != "masks":
        limit, tokens, rate = RECIPES[model]
        labels = labels_of(work, model)
        examples = examples_of(work, model, tokenizer, labels, limit)
        say(f"finetune {model}: {len(examples)} examples")
        about["examples"] = len(examples)
        about["rounds"] = about.get("rounds", 0) + 1
        now = loop.train(
            network, f"finetune {model}", [len(e[0]) for e in examples],
            lambda indices: loss_of(network, examples, indices), budget,
            rate=rate / about["rounds"], tokens=tokens, hold=0.4, warmup=0.05,
            seed=about["rounds"] - 1,
            checkpoint=lambda: shapes.published(network, name, plain,
                                                out / model))
        about["finetuning"] = added(before, now)
    shapes.published(network, name, plain, out / model)
    (work / f"{model}.json").write_text(json.dumps(about) + "\n")
    say(f"finetune {model}: {about}")
