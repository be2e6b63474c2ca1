"""Fine-tuning of the model that reads labels, from the tagger's backbone."""

import json
import random

import torch
from safetensors.torch import load_file
from torch.nn import functional as F

import archive
import label_types
import labelled
import loop
import publish_labels
import shapes
import vocabularies
from label_network import MAX_WIDTH, LabelNetwork

MODEL = "entity-finder"
BEGUN_FROM = "tech-tagger"
ADDED = ["[FLERT]", "<<ENT>>", "<<SEP>>"]  # as the package adds them
TOKENS, RATE = 1536, 5e-4  # padded tokens of a step, largest rate
PROMPT = 40  # tokens, about


def tokenizer_of(work):
    tokenizer = vocabularies.load(work, "v3")
    tokenizer.add_tokens(ADDED, special_tokens=True)
    return tokenizer


def config(tokenizer):
    found = shapes.config("v3")
    found.vocab_size = len(tokenizer)
    return found


def untrained(tokenizer, out):
    """The tagger's backbone; new tokens begin as the mean of all others."""
    network = LabelNetwork(config(tokenizer))
    for module in network.modules():
        if isinstance(module, torch.nn.Linear):
            torch.nn.init.xavier_uniform_(module.weight)
            torch.nn.init.zeros_(module.bias)
    state = {k.removeprefix("deberta."): v.float() for k, v in load_file(
        out / BEGUN_FROM / "model.safetensors").items()
        if k.startswith("deberta.")}
    words = state["embeddings.word_embeddings.weight"]
    words = words[:len(tokenizer)].clone()
    words[-len(ADDED):] = words[:-len(ADDED)].mean(0)
    state["embeddings.word_embeddings.weight"] = words
    network.deberta.load_state_dict(state)
    return network


def padded_rows(rows):
    return loop.padded(rows, multiple=1)[0]


def batch_of(reader, examples, labels):
    """What the network reads of texts with their labels."""
    read = [reader.read(e.text, e.words, prompts)
            for e, prompts in zip(examples, labels)]
    ids, real = loop.padded([r[0] for r in read])
    return (ids, real, padded_rows([r[1] for r in read]),
            torch.tensor([len(e.words) for e in examples]),
            padded_rows([r[2] for r in read]))


def loss_of(network, reader, types, examples, rng):
    questions = [labelled.asked(e, types, rng) for e in examples]
    batch = batch_of(reader, examples,
                     [[wording for wording, _ in q] for q in questions])
    logits = network(*batch).float()
    wanted, valid = torch.zeros_like(logits), torch.zeros_like(logits)
    for i, (example, question) in enumerate(zip(examples, questions)):
        target = torch.from_numpy(labelled.targets(
            example, [kind for _, kind in question], MAX_WIDTH))
        n, width, labels = target.shape
        wanted[i, :n, :, :labels] = target
        for k in range(width):
            valid[i, :max(n - k, 0), k, :labels] = 1
    loss = F.binary_cross_entropy_with_logits(
        logits, wanted, weight=valid, reduction="sum") / len(examples)
    return loss, int(batch[1].sum())


def run(work, model, out, budget, say, further=False):
    """Trains the model; `further` goes on from the one in `work`."""
    tokenizer = tokenizer_of(work)
    records = archive.load(work)
    labeller = label_types.Labeller(records)
    examples = labelled.training(work, labeller)
    say(f"finetune {model}: {len(examples)} examples")
    torch.manual_seed(0)
    network = untrained(tokenizer, out)
    about = {"parameters": sum(p.numel() for p in network.parameters()),
             "examples": len(examples), "rounds": 1}
    before = dict.fromkeys(("steps", "tokens", "seconds"), 0)
    if further:
        earlier = json.loads((work / f"{model}.json").read_text())
        before, about["rounds"] = earlier["finetuning"], earlier["rounds"] + 1
        network.load_state_dict(torch.load(work / f"{model}.pt"))
    reader = labelled.Reader(tokenizer)
    rng = random.Random(about["rounds"])

    def save():
        torch.save(network.state_dict(), work / f"{model}.pt")

    now = loop.train(
        network, f"finetune {model}",
        [PROMPT + len(reader.read(e.text, e.words, [])[0]) for e in examples],
        lambda indices: loss_of(network, reader, labeller.types,
                                [examples[i] for i in indices], rng),
        budget, rate=RATE / about["rounds"], tokens=TOKENS, hold=0.3,
        warmup=0.05, seed=about["rounds"] - 1, checkpoint=save)
    save()
    publish_labels.run(network, vocabularies.load(work, "v3"), out / model)
    about["finetuning"] = {k: before[k] + v for k, v in now.items()}
    (work / f"{model}.json").write_text(json.dumps(about) + "\n")
    say(f"finetune {model}: {about}")
