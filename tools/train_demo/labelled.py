"""Examples for the model that reads labels: texts in words with spans of types.

A text is a few sentences of a description. What is asked of it is drawn anew
each time: most of its types and some that it does not have, in any wording.
"""

import collections
import dataclasses
import random
import re

import numpy

import archive
import tasks

WORD = re.compile(r"\w+(?:[-_]\w+)*|\S")
TEXT_WORDS = 48
MIN_WORDS = 4
WANTED = 1500  # texts of a type, about; those of commoner types are thinned
WITHOUT = 0.1  # share of texts without any span that is kept
MOST_LABELS = 9


@dataclasses.dataclass
class Example:
    text: str
    words: list  # (start, end)
    spans: dict  # (first word, last word): {Type}
    names: set   # the strings of the spans


def sentences(text):
    """(start, end) of stretches of at most TEXT_WORDS words, cut between
    sentences or paragraphs where there are any."""
    begin, words = 0, 0
    for match in re.finditer(r"\S.*?(?:[.!?](?=\s)|\n|$)", text, re.DOTALL):
        count = len(WORD.findall(match.group()))
        if words and words + count > TEXT_WORDS:
            yield begin, match.start()
            begin, words = match.start(), 0
        words += count
    yield begin, len(text)


def examples(labeller, records):
    for record in records:
        text = archive.description(record)
        spans = labeller.spans(record, text)
        for start, end in sentences(text):
            words = [m.span() for m in WORD.finditer(text[start:end])]
            words = words[:2 * TEXT_WORDS]
            if len(words) < MIN_WORDS:
                continue
            first = {start + a: i for i, (a, _) in enumerate(words)}
            last = {start + b: i for i, (_, b) in enumerate(words)}
            inside = {(first[a], last[b]): kinds
                      for (a, b), kinds in spans.items()
                      if a in first and b in last}
            part = text[start:end]
            yield Example(part, words, inside, {
                part[words[i][0]:words[j][1]] for i, j in inside})


def held_out_names(labeller):
    return tasks.held_out_names({**tasks.gazetteer.NAMES,
                                 **dict.fromkeys(labeller.by_name)})


def training(work, labeller):
    """Training texts, none with a held-out name, thinned by type."""
    rng = random.Random(7)
    unseen = held_out_names(labeller)
    every = [e for e in examples(labeller, archive.load(work, "train"))
             if not e.names & unseen]
    counts = collections.Counter(kind for e in every for kind in
                                 set().union(*e.spans.values()))
    def kept(e):
        kinds = {k for kinds in e.spans.values() for k in kinds
                 if not k.unseen}
        share = max((WANTED / counts[k] for k in kinds), default=WITHOUT)
        return rng.random() < share
    return [e for e in every if kept(e)]


def asked(example, types, rng):
    """[(prompt, Type)]: most of the types there are, and others."""
    there = set().union(*example.spans.values())
    chosen = [k for k in there if not k.unseen and rng.random() < 0.85]
    others = [k for k in types if k not in there and not k.unseen]
    count = rng.randint(2, MOST_LABELS)
    chosen = chosen[:count]
    chosen += rng.sample(others, max(count - len(chosen), 1))
    rng.shuffle(chosen)
    return [(wording(k, rng), k) for k in chosen]


def wording(kind, rng):
    text = rng.choice(kind.wordings)
    if rng.random() < 0.1:
        text = text.capitalize()
    if rng.random() < 0.1:
        text = f"{text}: {kind.description}"
    return text


class Reader:
    """Texts and labels as the package gliner reads them: word by word."""

    def __init__(self, tokenizer):
        self.tokenizer, self.known = tokenizer, {}
        self.label, self.end = tokenizer.convert_tokens_to_ids(
            ["<<ENT>>", "<<SEP>>"])

    def pieces(self, word):
        if word not in self.known:
            self.known[word] = self.tokenizer(
                word, add_special_tokens=False)["input_ids"]
        return self.known[word]

    def read(self, text, words, labels):
        """(ids, first token of each word, token of each label)."""
        ids, words_at, labels_at = [self.tokenizer.cls_token_id], [], []
        for label in labels:
            labels_at.append(len(ids))
            ids += [self.label, *self.pieces(label)]
        ids.append(self.end)
        for start, end in words:
            words_at.append(len(ids))
            ids += self.pieces(text[start:end])
        return [*ids, self.tokenizer.sep_token_id], words_at, labels_at


def targets(example, kinds, width):
    """(words, width, labels): 1 where a span has the type."""
    out = numpy.zeros((len(example.words), width, len(kinds)),
                      dtype=numpy.float32)
    for (first, last), found in example.spans.items():
        if last - first < width:
            for c, kind in enumerate(kinds):
                out[first, last - first, c] = kind in found
    return out
