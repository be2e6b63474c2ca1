"""What each task's model has to beat: counting and string matching."""

import collections
import re

import archive
import gazetteer
import tasks

_STOP = set("what which who is the a an of it in this package does do for on "
            "to was has have from where how many by with are that at".split())


def majority(work, labels):
    counts = collections.Counter(
        target for _, target in tasks.section_texts(work, "train", labels))
    return counts.most_common(1)[0][0]


def named_section(text, labels):
    """The section whose name the text holds most often; None if none."""
    found = collections.Counter(tasks.words(text))
    best = max(labels, key=lambda label: found[label.lower()])
    return best if found[best.lower()] else None


class Dictionary:
    """Tags each string that training labelled at least every second time."""

    def __init__(self, work):
        labelled, seen = collections.Counter(), collections.Counter()
        unseen = tasks.held_out_names()
        self.kinds = {}
        for record in archive.load(work, "train"):
            text = archive.description(record)
            for start, end, kind in gazetteer.silver(record, text):
                labelled[text[start:end]] += 1
                self.kinds[text[start:end]] = kind
            for match in gazetteer.PATTERN.finditer(text):
                seen[match.group()] += 1
        known = [name for name, count in labelled.items()
                 if name not in unseen and 2 * count >= seen[name]]
        self.pattern = gazetteer.pattern(known)

    def spans(self, text):
        return [(*m.span(), self.kinds[m.group()])
                for m in self.pattern.finditer(text)]


def stems(text):
    return {w[:5] for w in tasks.words(text)} - {w[:5] for w in _STOP}


def overlap_answer(question, context, package):
    """The field or sentence that shares most words with the question.

    A field's value is returned without its mail address; an empty string
    where nothing is shared.
    """
    asked = stems(question.replace(package, " "))
    head, _, body = context.partition("Description: ")
    candidates = []
    for line in head.splitlines():
        label, _, value = line.partition(": ")
        candidates.append((len(asked & stems(label)),
                           re.sub(r" <.*>", "", value)))
    for sentence in re.split(r"(?<=[.!?])\s|\n", body):
        candidates.append((len(asked & stems(sentence)), sentence))
    best = max(candidates, key=lambda c: c[0], default=(0, ""))
    return best[1] if best[0] else ""
