"""Figures of the model that reads labels, on packages that training never saw.

Every label is asked of every text, some labels at a time, without regard to
what the text holds.
"""

import collections
import random

import torch
from gliner import GLiNER
from safetensors.torch import load_file

import archive
import evaluate
import finetune_labels
import gazetteer
import label_types
import labelled
from label_network import LabelNetwork

TEXTS = 600
LABELS_AT_ONCE = 8
THRESHOLD = 0.5
CHECKED = 200
TOGETHER = 24  # texts of like length


class Dictionary:
    """Finds each string that training labelled at least every second time,
    under the labels that it had there."""

    def __init__(self, work, labeller):
        labelled_as, seen = collections.Counter(), collections.Counter()
        unseen = labelled.held_out_names(labeller)
        texts = [e for e in labelled.examples(labeller,
                                              archive.load(work, "train"))
                 if not e.names & unseen]
        for example in texts:
            for (first, last), kinds in example.spans.items():
                name = example.text[example.words[first][0]:
                                    example.words[last][1]]
                labelled_as.update((name, k) for k in kinds if not k.unseen)
        pattern = gazetteer.pattern({name for name, _ in labelled_as})
        for example in texts:
            seen.update(m.group() for m in pattern.finditer(example.text))
        self.kinds = collections.defaultdict(set)
        for (name, kind), count in labelled_as.items():
            if 2 * count >= seen[name]:
                self.kinds[name].add(kind)
        self.pattern = gazetteer.pattern(list(self.kinds))

    def spans(self, example):
        """{(first word, last word): types}"""
        first = {a: i for i, (a, _) in enumerate(example.words)}
        last = {b: i for i, (_, b) in enumerate(example.words)}
        return {(first[m.start()], last[m.end()]): self.kinds[m.group()]
                for m in self.pattern.finditer(example.text)
                if m.start() in first and m.end() in last}


def likest(kind, types):
    """The types of training whose labels share most words with a label."""
    words = set(kind.name.split())
    shared = {other: max(len(words & set(w.split())) for w in other.wordings)
              for other in types if not other.unseen}
    most = max(shared.values())
    return {k for k, n in shared.items() if n == most} if most else set()


def greedy(logits):
    """(first, last) of spans that score above THRESHOLD, the best first, none
    of them overlapping another. logits (words, width)."""
    scores = logits.sigmoid()
    found = [(float(scores[i, k]), i, i + k) for i, k in
             (scores > THRESHOLD).nonzero().tolist() if i + k < len(scores)]
    taken = []
    for _, first, last in sorted(found, key=lambda f: -f[0]):
        if all(last < a or first > b for a, b in taken):
            taken.append((first, last))
    return taken


def answers(network, reader, examples, kinds):
    """For each text {type: spans}."""
    found = [{} for _ in examples]
    order = sorted(range(len(examples)), key=lambda i: len(examples[i].words))
    for start in range(0, len(order), TOGETHER):
        part = order[start:start + TOGETHER]
        batch = finetune_labels.batch_of(
            reader, [examples[i] for i in part],
            [[k.name for k in kinds]] * len(part))
        with torch.no_grad():
            logits = network(*batch)
        for i, values in zip(part, logits):
            for c, kind in enumerate(kinds):
                found[i][kind] = greedy(
                    values[:len(examples[i].words), :, c])
    return found


def count(examples, found, kinds, belongs):
    """Counter of wanted, found and hit spans of some types and names."""
    total = collections.Counter()
    for example, spans in zip(examples, found):
        def counted(place):
            return belongs(example.text[example.words[place[0]][0]:
                                        example.words[place[1]][1]])
        for kind in kinds:
            wanted = {p for p, k in example.spans.items()
                      if kind in k and counted(p)}
            got = {p for p in spans[kind] if counted(p)}
            total.update(wanted=len(wanted), found=len(got),
                         hit=len(wanted & got))
    return total


def published(out, tokenizer):
    network = LabelNetwork(finetune_labels.config(tokenizer))
    state = load_file(out / finetune_labels.MODEL / "model.safetensors")
    network.load_state_dict({k: v.float() for k, v in state.items()})
    return network.eval()


def check_against_gliner(network, reader, examples, directory):
    """The package finds what the network here does."""
    theirs = GLiNER.from_pretrained(str(directory), local_files_only=True)
    labels = ["file format", "image format", "operating system"]
    for example in examples:
        # An example has the first words of a long text alone.
        text = example.text[:example.words[-1][1]]
        found = theirs.inference([text], labels, threshold=THRESHOLD,
                                 flat_ner=False, multi_label=True,
                                 return_class_probs=False, batch_size=1)[0]
        scores = {(one["label"], one["start"], one["end"]): one["score"]
                  for one in found}
        with torch.no_grad():
            logits = network(*finetune_labels.batch_of(
                reader, [example], [labels]))[0].sigmoid()
        for (label, start, end), score in scores.items():
            first, last = (next(i for i, word in enumerate(example.words)
                                if word[edge] == place)
                           for edge, place in ((0, start), (1, end)))
            own = float(logits[first, last - first, labels.index(label)])
            if abs(own - score) > 1e-4:
                raise RuntimeError(
                    f"{text}: {label}: {score}, here {own}")


def figures(network, reader, labeller, examples, dictionary):
    types = random.Random(9).sample(labeller.types, len(labeller.types))
    found = [{} for _ in examples]
    for start in range(0, len(types), LABELS_AT_ONCE):
        part = answers(network, reader, examples,
                       types[start:start + LABELS_AT_ONCE])
        for mine, more in zip(found, part):
            mine |= more
    known = [dictionary.spans(e) for e in examples]
    guessed = [{k: [p for p, kinds in spans.items()
                    if kinds & (likest(k, types) if k.unseen else {k})]
                for k in types} for spans in known]
    taught = [k for k in types if not k.unseen]
    new = labelled.held_out_names(labeller)
    rows = []

    def add(what, kinds, belongs):
        ours = count(examples, found, kinds, belongs)
        theirs = count(examples, guessed, kinds, belongs)
        a, b = (evaluate.f1_of(c["hit"], c["found"], c["wanted"])
                for c in (ours, theirs))
        rows.extend([f"{what} ({ours['wanted']:,}): {key}", a[key], b[key]]
                    for key in a)

    add("labels of training", taught, lambda name: True)
    add("labels of training, new names", taught, new.__contains__)
    unseen = [k for k in types if k.unseen]
    add("labels never read", unseen, lambda name: True)
    for kind in sorted(unseen, key=lambda k: k.name):
        add(f"never read: {kind.name}", [kind], lambda name: True)
    return {"about":
            f"{len(examples):,} texts of the test's packages, every one asked "
            f"for all {len(types)} labels, {LABELS_AT_ONCE} at a time, "
            f"threshold {THRESHOLD}; in brackets the number of silver spans. "
            "A span counts when its place and label are exactly right. For a "
            "label that was never read the dictionary has the names of those "
            "labels of training that share most words with it, none where "
            "there is no such label.",
            "columns": ["dictionary of training"], "rows": rows}


def run(work, model, out, say):
    tokenizer = finetune_labels.tokenizer_of(work)
    network = published(out, tokenizer)
    labeller = label_types.Labeller(archive.load(work))
    examples = list(labelled.examples(labeller, archive.load(work, "test")))
    examples = random.Random(8).sample(examples, TEXTS)
    reader = labelled.Reader(tokenizer)
    check_against_gliner(network, reader, examples[:CHECKED], out / model)
    evaluate.write(work, model,
                   figures(network, reader, labeller, examples,
                           Dictionary(work, labeller)), say)
