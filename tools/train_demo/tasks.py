"""Examples of the fine-tuned tasks, as token arrays with their targets."""

import collections
import hashlib
import random
import re
import string

import numpy

import archive
import gazetteer
import questions

LEFT_OUT_SECTIONS = {"misc", "metapackages", "oldlibs", "tasks", "debug",
                     "otherosfs"}  # say how it is packaged, not what it is
MIN_SECTION = 170
KINDS = list(gazetteer.SURE)
TAGS = ["O"] + [f"{edge}-{kind}" for kind in KINDS for edge in "BI"]
IGNORED = -100


def section(record):
    return record["section"].split("/")[-1]


def section_labels(work):
    counts = collections.Counter(
        section(r) for r in archive.load(work, "train"))
    return sorted(name for name, count in counts.items()
                  if count >= MIN_SECTION and name not in LEFT_OUT_SECTIONS)


def section_texts(work, split, labels):
    """[(text, label index)]; training also sees half descriptions alone."""
    rng = random.Random(2)
    index = {label: i for i, label in enumerate(labels)}
    found = []
    for record in archive.load(work, split):
        if section(record) not in index:
            continue
        text = archive.description(record)
        draw = rng.random() if split == "train" else 1
        if draw < 0.2:
            text = record["short"]
        elif draw < 0.3 and len(record["long"]) > 40:
            text = record["long"]
        found.append((text, index[section(record)]))
    return found


def sections(work, tokenizer, split, labels, length):
    pairs = section_texts(work, split, labels)
    encoded = encode(tokenizer, [text for text, _ in pairs], length)
    return [(numpy.array(e.ids), target)
            for e, (_, target) in zip(encoded, pairs)]


def encode(tokenizer, texts, length):
    fast = tokenizer._tokenizer
    fast.no_padding()
    fast.enable_truncation(length, strategy="longest_first")
    return fast.encode_batch(texts)


def held_out_names(names=gazetteer.NAMES):
    """A fifth of the gazetteer: texts that hold them are not trained on.

    Variants of another name (HTML5, Python 3) would be too easy and stay in.
    """
    def is_variant(name):
        return any(name != other and name.startswith(other)
                   and not name[len(other)].isalpha()
                   for other in names)
    return {name for name in names
            if hashlib.sha256(name.encode()).digest()[0] % 5 == 0
            and not is_variant(name)}


def invented(name, rng):
    """A word of the same shape as a name, so that context must decide."""
    swap = {**dict.fromkeys(string.ascii_uppercase, string.ascii_uppercase),
            **dict.fromkeys(string.ascii_lowercase, string.ascii_lowercase)}
    return "".join(rng.choice(swap[c]) if c in swap else c for c in name)


def disguise(text, spans, rng, share):
    """Replaces a share of the names by invented ones; spans move along."""
    out, moved, at = [], [], 0
    for start, end, kind in spans:
        name = text[start:end]
        out.append(text[at:start])
        if len(name) > 1 and " " not in name and rng.random() < share:
            name = invented(name, rng)
        begin = sum(map(len, out))
        out.append(name)
        moved.append((begin, begin + len(name), kind))
        at = end
    out.append(text[at:])
    return "".join(out), moved


def piece_tags(offsets, special, spans):
    """Tag index of each piece; IGNORED at special pieces."""
    tags = [IGNORED if s else 0 for s in special]
    for start, end, kind in spans:
        edge = "B"
        for i, (a, b) in enumerate(offsets):
            if tags[i] == 0 and a < end and b > start and b > a:
                tags[i] = TAGS.index(f"{edge}-{kind}")
                edge = "I"
    return tags


def tagged_texts(work, split):
    """[(text, spans)] with silver labels; training never sees held-out names."""
    rng = random.Random(3)
    unseen = held_out_names()
    found = []
    for record in archive.load(work, split):
        text = archive.description(record)
        spans = gazetteer.silver(record, text)
        if split == "train":
            if any(m.group() in unseen
                   for m in gazetteer.PATTERN.finditer(text)):
                continue
            if not spans and rng.random() < 0.7:
                continue
            text, spans = disguise(text, spans, rng, 0.15)
        found.append((text, spans))
    return found


def tagged(work, tokenizer, split, length):
    pairs = tagged_texts(work, split)
    encoded = encode(tokenizer, [text for text, _ in pairs], length)
    return [(numpy.array(e.ids),
             piece_tags(e.offsets, e.special_tokens_mask, spans))
            for e, (_, spans) in zip(encoded, pairs)]


def asked(work, split, count, seed, unseen=False):
    """Question examples; packages are drawn until there are `count`."""
    rng = random.Random(seed)
    packages = archive.load(work, split)
    found = []
    while len(found) < count:
        rng.shuffle(packages)
        found += [questions.make(r, rng, unseen)
                  for r in packages[:count - len(found)]]
    return found


def spans(tokenizer, examples, length):
    """[(ids, (first piece, last piece))]; (0, 0) where there is no answer.

    Examples whose answer is cut off by the length become unanswerable.
    """
    encoded = encode(tokenizer,
                     [(e["question"], e["context"]) for e in examples],
                     length)
    found = []
    for example, e in zip(examples, encoded):
        target = (0, 0)
        if example["answer"]:
            start, end = example["answer"]
            inside = [i for i, (a, b) in enumerate(e.offsets)
                      if e.type_ids[i] == 1 and b > start and a < end
                      and b > a]
            if inside and e.offsets[inside[-1]][1] >= end:
                target = (inside[0], inside[-1])
        found.append((numpy.array(e.ids), target))
    return found


def words(text):
    return re.findall(r"\w+", text.lower())
