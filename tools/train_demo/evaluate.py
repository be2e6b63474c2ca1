"""Evaluate stage: figures of the written directories on held-out packages."""

import collections
import json
import random
import re
import string

import numpy
import torch
from safetensors.torch import load_file
from torch.nn import functional as F

import baselines
import finetune
import gazetteer
import loop
import pretrain
import shapes
import tasks
import vocabularies
from network import Network

QUESTIONS = 1500
LONGEST_ANSWER = 48  # pieces


def published(work, model, out):
    """The network with the weights exactly as published (fp16 values)."""
    name, head = shapes.MODELS[model]
    network = Network(
        shapes.config(name, finetune.labels_of(work, model)), head)
    network.load_state_dict({k: v.float() for k, v in load_file(
        out / model / "model.safetensors").items()})
    network.eval()
    check_against_transformers(network, name, out / model)
    return network


def check_against_transformers(network, name, directory):
    theirs = shapes.CLASSES[(name, network.head)].from_pretrained(
        directory, dtype=torch.float32).eval()
    torch.manual_seed(0)
    ids = torch.randint(4, 7999, (2, 150))
    at = torch.arange(ids.numel())
    with torch.no_grad():
        ours = network(ids, None, at)
        other = theirs(input_ids=ids)
        if network.head == "spans":
            other = torch.stack([other.start_logits, other.end_logits], -1)
        else:
            other = other.logits
    gap = float((ours.flatten() - other.flatten()).abs().max())
    if gap > 1e-4 * max(1.0, float(other.abs().max())):
        raise RuntimeError(f"differs from transformers by {gap}")


def logits_of(network, rows):
    """Logits of each row, computed in batches of like length."""
    order = sorted(range(len(rows)), key=lambda i: len(rows[i]))
    found = [None] * len(rows)
    for start in range(0, len(order), 32):
        part = order[start:start + 32]
        ids, real = loop.padded([rows[i] for i in part])
        with torch.no_grad():
            logits = network(ids, real)
        for i, values in zip(part, logits):
            found[i] = (values if network.head == "sequence"
                        else values[:len(rows[i])])
    return found


def section_figures(work, network, tokenizer):
    labels = tasks.section_labels(work)
    pairs = tasks.section_texts(work, "test", labels)
    rows = tasks.sections(work, tokenizer, "test", labels, 256)
    scores = torch.stack(logits_of(network, [ids for ids, _ in rows]))
    wanted = torch.tensor([target for _, target in rows])
    top = scores.topk(3).indices
    right = top[:, 0] == wanted
    f1 = []
    for label in range(len(labels)):
        hit = int((right & (wanted == label)).sum())
        total = int((wanted == label).sum() + (top[:, 0] == label).sum())
        f1.append(2 * hit / total if total else 0)
    common = baselines.majority(work, labels)
    named = [baselines.named_section(text, labels) or labels[common]
             for text, _ in pairs]
    by_name = sum(labels[t] == n for (_, t), n in zip(pairs, named))
    three = (top == wanted[:, None]).any(1)
    return {
        "about": f"{len(rows):,} packages, {len(labels)} sections.",
        "columns": [f"always `{labels[common]}`",
                    "section named in the text, else "
                    f"`{labels[common]}`"],
        "rows": [["accuracy", float(right.float().mean()),
                  float((wanted == common).float().mean()),
                  by_name / len(pairs)],
                 ["right among the first three", float(three.float().mean()),
                  None, None],
                 ["macro F1", sum(f1) / len(f1), None, None]]}


def mask_figures(work, network, tokenizer):
    """One masked piece in each held-out chunk."""
    rng = random.Random(5)
    rows = pretrain.chunks(tokenizer, pretrain.texts(work, "v1", "test"))
    counts = pretrain.piece_counts(
        pretrain.chunks(tokenizer, pretrain.texts(work, "v1", "train")),
        network.deberta.config.vocab_size)
    common = numpy.argsort(-counts)[:5]
    chance = (counts + 1) / (counts + 1).sum()
    totals = collections.Counter()
    rows.sort(key=len)
    for start in range(0, len(rows), 32):
        part = rows[start:start + 32]
        ids, real = loop.padded(part)
        places = [rng.randrange(1, len(r) - 1) for r in part]
        wanted = torch.tensor([int(r[p]) for r, p in zip(part, places)])
        at = torch.tensor(places) + torch.arange(len(part)) * ids.shape[1]
        ids.view(-1)[at] = tokenizer.mask_token_id
        with torch.no_grad():
            logits = network(ids, real, at)
        top = logits.topk(5).indices == wanted[:, None]
        totals["loss"] += float(F.cross_entropy(logits, wanted,
                                                reduction="sum"))
        totals["first"] += int(top[:, 0].sum())
        totals["five"] += int(top.any(1).sum())
        for piece in wanted.tolist():
            totals["common first"] += piece == common[0]
            totals["common five"] += piece in common
            totals["common loss"] -= float(numpy.log(chance[piece]))
    n = len(rows)
    return {
        "about": f"{n:,} masked pieces, one in each text of the test.",
        "columns": ["the commonest pieces, whatever the text"],
        "rows": [["right at first", totals["first"] / n,
                  totals["common first"] / n],
                 ["right among five", totals["five"] / n,
                  totals["common five"] / n],
                 ["perplexity (lower is better)",
                  float(numpy.exp(totals["loss"] / n)),
                  float(numpy.exp(totals["common loss"] / n))]]}


def decoded(tags):
    """{(first, end, kind)} of a row of tag names, in pieces."""
    spans, open_span = set(), None
    for i, tag in enumerate([*tags, "O"]):
        if open_span and (not tag.startswith("I-")
                          or tag[2:] != open_span[1]):
            spans.add((open_span[0], i, open_span[1]))
            open_span = None
        if tag != "O" and not open_span:
            open_span = (i, tag[2:])
    return spans


def f1_of(hits, predicted, wanted):
    return {"precision": hits / max(predicted, 1),
            "recall": hits / max(wanted, 1),
            "F1": 2 * hits / max(predicted + wanted, 1)}


def tag_figures(work, network, tokenizer):
    pairs = tasks.tagged_texts(work, "test")
    encoded = tasks.encode(tokenizer, [text for text, _ in pairs], 256)
    scores = logits_of(network, [numpy.array(e.ids) for e in encoded])
    dictionary = baselines.Dictionary(work)
    unseen = tasks.held_out_names()
    groups = {"all": lambda t: True, "held-out names": unseen.__contains__,
              "ambiguous words": gazetteer.DEBTAG.__contains__}
    counts = {(who, g): collections.Counter()
              for who in ("model", "dictionary") for g in groups}
    for (text, silver), e, logits in zip(pairs, encoded, scores):
        def spans_of(tags):
            return decoded(["O" if t < 0 else tasks.TAGS[t] for t in tags])

        def name_of(span):
            return text[e.offsets[span[0]][0]:
                        e.offsets[span[1] - 1][1]].strip()
        wanted = spans_of(tasks.piece_tags(
            e.offsets, e.special_tokens_mask, silver))
        answers = {
            "model": decoded([tasks.TAGS[int(t)] for t in logits.argmax(-1)]),
            "dictionary": spans_of(tasks.piece_tags(
                e.offsets, e.special_tokens_mask, dictionary.spans(text)))}
        for who, found in answers.items():
            for group, belongs in groups.items():
                count = counts[who, group]
                count["wanted"] += sum(belongs(name_of(s)) for s in wanted)
                count["found"] += sum(belongs(name_of(s)) for s in found)
                count["hit"] += sum(belongs(name_of(s))
                                    for s in found & wanted)
    rows = []
    for group in groups:
        ours, theirs = (
            f1_of(c["hit"], c["found"], c["wanted"])
            for c in (counts["model", group], counts["dictionary", group]))
        rows += [[f"{group} ({counts['model', group]['wanted']:,}): {key}",
                  ours[key], theirs[key]] for key in ours]
    return {"about": f"{len(pairs):,} packages; in brackets the number of "
                     "silver names. A name counts when its place and kind "
                     "are exactly right.",
            "columns": ["dictionary of training"], "rows": rows}


def normal(text):
    text = "".join(c for c in text.lower() if c not in string.punctuation)
    return re.sub(r"\b(a|an|the)\b", " ", text).split()


def agreement(found, wanted):
    """(exact match, F1) of two answers, as in SQuAD 2."""
    a, b = normal(found), normal(wanted)
    if not a or not b:
        return float(a == b), float(a == b)
    shared = sum((collections.Counter(a) & collections.Counter(b)).values())
    return float(a == b), 2 * shared / (len(a) + len(b))


def best_span(logits, type_ids, special):
    """(first, last) piece of the best answer, None where none is better."""
    inside = torch.tensor([t == 1 and not s
                           for t, s in zip(type_ids, special)])
    start, end = F.log_softmax(logits, 0).unbind(-1)
    scores = start[:, None] + end[None, :]
    allowed = inside[:, None] & inside[None, :]
    allowed = allowed.triu() & ~allowed.triu(LONGEST_ANSWER)
    scores = scores.masked_fill(~allowed, -1e9)
    best = int(scores.argmax())
    if float(scores.flatten()[best]) <= float(start[0] + end[0]):
        return None
    return divmod(best, len(type_ids))


def question_scores(network, tokenizer, examples):
    """{group: [(exact, F1, baseline's exact, baseline's F1)]}."""
    pairs = [(e["question"], e["context"]) for e in examples]
    encoded = tasks.encode(tokenizer, pairs, 384)
    logits = logits_of(network, [numpy.array(e.ids) for e in encoded])
    scores = collections.defaultdict(list)
    for example, e, values in zip(examples, encoded, logits):
        context = example["context"]
        wanted = (context[slice(*example["answer"])]
                  if example["answer"] else "")
        span = best_span(values, e.type_ids, e.special_tokens_mask)
        found = (context[e.offsets[span[0]][0]:e.offsets[span[1]][1]]
                 if span else "")
        package = re.search(r"^Package: (.*)$", context, re.MULTILINE)
        guess = baselines.overlap_answer(
            example["question"], context,
            package.group(1) if package else "\0")
        score = agreement(found, wanted) + agreement(guess, wanted)
        for group in ("all", "with an answer" if wanted else "without",
                      f"about {example['kind']}" if wanted else None):
            if group:
                scores[group].append(score)
    return scores


def question_figures(work, network, tokenizer):
    rows = []
    for wordings, unseen in (("known wordings", False),
                             ("new wordings", True)):
        examples = tasks.asked(work, "test", QUESTIONS, 6, unseen)
        scores = question_scores(network, tokenizer, examples)
        for group in sorted(scores):
            exact, f1, other_exact, other_f1 = (
                sum(column) / len(column) for column in zip(*scores[group]))
            name = f"{wordings}, {group} ({len(scores[group])})"
            rows.append([f"{name}: exact", exact, other_exact])
            if group in ("all", "with an answer"):
                rows.append([f"{name}: F1", f1, other_f1])
    return {"about": "Number of questions in brackets; exact match and F1 "
                     "of words as in SQuAD 2, an answer that is not there "
                     "counts as found when none is given.",
            "columns": ["field or sentence with most words of the question"],
            "rows": rows}


FIGURES = {"section-classifier": section_figures, "mask-filler": mask_figures,
           "tech-tagger": tag_figures, "package-qa": question_figures}


def run(work, model, out, say):
    network = published(work, model, out)
    tokenizer = vocabularies.load(work, shapes.MODELS[model][0])
    write(work, model, FIGURES[model](work, network, tokenizer), say)


def write(work, model, figures, say):
    (work / f"{model}.figures.json").write_text(
        json.dumps(figures, indent=1) + "\n")
    for measure, *values in figures["rows"]:
        say(f"evaluate {model}: {measure}: " + " | ".join(
            "-" if v is None else f"{v:.4f}" for v in values))
