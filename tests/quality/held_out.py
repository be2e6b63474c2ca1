#!/usr/bin/env python3
"""The demo models' held-out figures in each precision, through the server.

Texts and right answers are those of the model cards (tools/train_demo): packages
that training never saw. Writes WORK/held_out.json.
"""

import argparse
import json
import pathlib
import random
import sys

import archive
import gazetteer
import tasks
import deberta.v1.deberta_pb2 as pb
from server import Server, stub

ROOT = pathlib.Path(__file__).resolve().parents[2]
PRECISIONS = ["fp32", "bf16", "int8"]
CALL_INPUTS = 32
LONGEST = 1200  # characters: below the models' limit of tokens
SEED = 7


def calls(inputs):
    return [inputs[i:i + CALL_INPUTS]
            for i in range(0, len(inputs), CALL_INPUTS)]


def cut(text):
    return text[:LONGEST]


class Sections:
    """Accuracy of the archive's sections."""
    model, metric = "section-classifier", "accuracy"

    def __init__(self, work, limit):
        pairs = tasks.section_texts(work, "test", tasks.section_labels(work))
        labels = tasks.section_labels(work)
        self.pairs = [(cut(text), labels[label])
                      for text, label in pairs][:limit]

    def ask(self, service):
        answers = []
        for part in calls([text for text, _ in self.pairs]):
            reply = service.Classify(pb.ClassifyRequest(
                model=self.model, top_k=1, return_logits=True,
                length_policy=pb.LENGTH_POLICY_TRUNCATE,
                inputs=[pb.TextInput(text=text) for text in part]))
            answers += [(r.labels[0].label, list(r.logits))
                        for r in reply.results]
        return answers

    def score(self, answers):
        return sum(a[0] == label for a, (_, label) in
                   zip(answers, self.pairs)) / len(self.pairs)

    @staticmethod
    def labels(answer):
        return [answer[0]]

    @staticmethod
    def numbers(answer):
        return answer[1]


class Tags:
    """F1 of the entities."""
    model, metric = "tech-tagger", "entity F1"

    def __init__(self, work, limit):
        found = []
        for record in archive.load(work, "test"):
            text = archive.description(record)
            if len(text) <= LONGEST:
                found.append((text, set(gazetteer.silver(record, text))))
        self.pairs = found[:limit]

    def ask(self, service):
        answers = []
        for part in calls([text for text, _ in self.pairs]):
            request = pb.TagTokensRequest(
                model=self.model, inputs=part,
                length_policy=pb.LENGTH_POLICY_TRUNCATE)
            spans = service.TagTokens(request)
            request.aggregation = pb.AGGREGATION_NONE
            request.keep_ignored = True
            tokens = service.TagTokens(request)
            answers += [
                ({(e.start, e.end, e.label) for e in s.entities},
                 [e.label for e in t.entities], [e.score for e in t.entities])
                for s, t in zip(spans.results, tokens.results)]
        return answers

    def score(self, answers):
        hits = found = wanted = 0
        for (spans, _, _), (_, right) in zip(answers, self.pairs):
            hits += len(spans & right)
            found += len(spans)
            wanted += len(right)
        return 2 * hits / (found + wanted)

    @staticmethod
    def labels(answer):
        return answer[1]

    @staticmethod
    def numbers(answer):
        return answer[2]


class Questions:
    """Exact answers, of none where there is none."""
    model, metric = "package-qa", "exact match"

    def __init__(self, work, limit):
        self.examples = tasks.asked(work, "test", limit, SEED)

    def ask(self, service):
        answers = []
        for part in calls(self.examples):
            reply = service.AnswerQuestion(pb.AnswerQuestionRequest(
                model=self.model, handle_impossible_answer=True,
                max_answer_tokens=48,
                inputs=[pb.QuestionInput(question=e["question"],
                                         context=e["context"])
                        for e in part]))
            answers += [(a.text, a.score) for a in
                        (r.answers[0] for r in reply.results)]
        return answers

    def score(self, answers):
        def right(example):
            if not example["answer"]:
                return ""
            start, end = example["answer"]
            return example["context"][start:end].strip()
        return sum(a[0] == right(e) for a, e in
                   zip(answers, self.examples)) / len(answers)

    @staticmethod
    def labels(answer):
        return [answer[0]]

    @staticmethod
    def numbers(answer):
        return [answer[1]]


class Masks:
    """One masked word in each text: whether the first filling restores it."""
    model, metric = "mask-filler", "word restored"

    def __init__(self, work, limit):
        rng = random.Random(SEED)
        self.pairs = []
        for record in archive.load(work, "test"):
            words = archive.description(record).split(" ")
            at = rng.randrange(len(words))
            if len(words) < 5 or not words[at].isalpha():
                continue
            if len(" ".join(words)) > LONGEST:
                continue
            masked = " ".join([*words[:at], "[MASK]", *words[at + 1:]])
            self.pairs.append((masked, words[at]))
        self.pairs = self.pairs[:limit]

    def ask(self, service):
        answers = []
        for part in calls([text for text, _ in self.pairs]):
            reply = service.FillMask(pb.FillMaskRequest(
                model=self.model, inputs=part, top_k=1,
                length_policy=pb.LENGTH_POLICY_TRUNCATE))
            answers += [(c.token, c.score) for c in
                        (r.masks[0].candidates[0] for r in reply.results)]
        return answers

    def score(self, answers):
        return sum(a[0].strip() == word for a, (_, word) in
                   zip(answers, self.pairs)) / len(answers)

    labels = staticmethod(lambda answer: [answer[0]])
    numbers = staticmethod(lambda answer: [answer[1]])


def answers_of(arguments, held_out, precision):
    """All answers of one precision, from a server that serves no other."""
    models = {h.model: ROOT / "demo" / h.model for h in held_out}
    with Server(arguments.server, models, arguments.work / "server.log",
                f"--precision={precision}", "--min_label_agreement=0",
                *arguments.flags) as server:
        with server.channel() as channel:
            service = stub(channel)
            for served in service.ListModels(pb.ListModelsRequest()).models:
                if served.precision != precision:
                    sys.exit(f"{served.name} is served in {served.precision}, "
                             f"not in {precision}")
            found = []
            for h in held_out:
                print(f"{precision}: {h.model}", file=sys.stderr)
                found.append(h.ask(service))
            return found


def compared(held_out, answers, exact):
    """The figures of one model and precision."""
    labels = [(a, b) for x, y in zip(answers, exact)
              for a, b in zip(held_out.labels(x), held_out.labels(y))]
    numbers = [abs(a - b) for x, y in zip(answers, exact)
               for a, b in zip(held_out.numbers(x), held_out.numbers(y))]
    return {"model": held_out.model, "metric": held_out.metric,
            "inputs": len(answers), "score": held_out.score(answers),
            "labels": len(labels),
            "agreement": sum(a == b for a, b in labels) / len(labels),
            "largest_change": max(numbers)}


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--server", type=pathlib.Path, required=True)
    parser.add_argument("--work", type=pathlib.Path, required=True)
    parser.add_argument("--limit", type=int, default=2000,
                        help="inputs of each model")
    parser.add_argument("--flags", nargs="*", default=[],
                        help="more flags of the server's")
    arguments = parser.parse_args()
    if not (arguments.work / "packages.jsonl").exists():
        archive.run(arguments.work, lambda text: print(text, file=sys.stderr))
    held_out = [kind(arguments.work, arguments.limit)
                for kind in (Sections, Tags, Questions, Masks)]
    exact = None
    rows = []
    for precision in PRECISIONS:
        answers = answers_of(arguments, held_out, precision)
        exact = exact or answers
        rows += [{"precision": precision} | compared(h, a, e)
                 for h, a, e in zip(held_out, answers, exact)]
    (arguments.work / "held_out.json").write_text(json.dumps(rows, indent=1))


if __name__ == "__main__":
    main()
