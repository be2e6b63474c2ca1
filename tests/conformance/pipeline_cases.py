"""Calls to the server, and what the transformers pipelines answer to them.

Each generator yields (expected, ask): the reference's results as a list of
(what must be equal, score), and a function that asks the server for the same.
"""

import warnings

import torch
import transformers

import deberta.v1.deberta_pb2 as pb
from pipeline_models import SHORT, TAGS
from task_texts import (TEXTS, UNITS, in_unit, odd_text, sentence, text_of,
                        trimmed)

UNIT_VALUES = dict(zip(UNITS, (pb.OFFSET_UNIT_CODE_POINTS,
                               pb.OFFSET_UNIT_UTF8_BYTES,
                               pb.OFFSET_UNIT_UTF16_CODE_UNITS)))
TRUNCATE = pb.LENGTH_POLICY_TRUNCATE
TEMPLATES = ["", "This text is about {}.", "{}", "{0} or not {0}?"]


class References:
    """The pipelines over the checkpoints, made when first asked for."""

    def __init__(self, models):
        self.models = models
        self.pipelines = {}
        self.asked = None  # last, for a report of what differs

    def pipeline(self, task, name):
        if (task, name) not in self.pipelines:
            self.pipelines[task, name] = transformers.pipeline(
                task, model=str(self.models[name]), dtype=torch.float32,
                device="cpu")
        return self.pipelines[task, name]

    def chooser(self, name):
        """The tokenizer and the model, which no pipeline holds."""
        directory = self.models[name]
        self.asked = ("multiple choice", name)
        return (transformers.AutoTokenizer.from_pretrained(directory),
                transformers.DebertaV2ForMultipleChoice.from_pretrained(
                    directory, dtype=torch.float32).eval())

    def ask(self, task, name, *args, **kwargs):
        self.asked = (task, name, args, kwargs)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return self.pipeline(task, name)(*args, **kwargs)


def names(models, *suffixes):
    return [name for name in models if name.split("-", 1)[1] in suffixes]


def labels_of(result):
    return [((label.label,), label.score) for label in result.labels]


def text_classification(references, rng, count):
    functions = {None: pb.FUNCTION_UNSPECIFIED, "softmax": pb.FUNCTION_SOFTMAX,
                 "sigmoid": pb.FUNCTION_SIGMOID, "none": pb.FUNCTION_NONE}
    models = names(references.models, "labels", "topics", "ranker", "rating")
    for i in range(count):
        name = models[i % len(models)]
        text = text_of(rng, i // len(models), (1, 12, 30))
        pair = odd_text(rng, rng.choice((1, 8, 30))) if rng.random() < .5 else ""
        function = rng.choice(list(functions))
        top_k = rng.choice((None, 1, 2, 50))
        kwargs = {"function_to_apply": function} if function else {}
        found = references.ask(
            "text-classification", name,
            {"text": text, "text_pair": pair} if pair else text,
            top_k=top_k, truncation=True, **kwargs)
        found = found[0] if isinstance(found[0], list) else found
        request = pb.ClassifyRequest(
            model=name, function=functions[function], top_k=top_k or 0,
            length_policy=TRUNCATE,
            inputs=[pb.TextInput(text=text, text_pair=pair or None)])
        yield ([((f["label"],), f["score"]) for f in found],
               lambda stub, r=request: labels_of(stub.Classify(r).results[0]))


def span(text, start, end, unit, raw):
    """The answer's place as the server gives it."""
    end = max(start, end)
    if not raw:
        start, end = trimmed(text, start, end) if text[start:end].strip(
        ) else (start, start)
    return in_unit(text, start, unit), in_unit(text, end, unit), text[start:end]


def token_classification(references, rng, count):
    strategies = {"none": pb.AGGREGATION_NONE, "simple": pb.AGGREGATION_SIMPLE,
                  "first": pb.AGGREGATION_FIRST,
                  "average": pb.AGGREGATION_AVERAGE, "max": pb.AGGREGATION_MAX}
    for i in range(count):
        name = rng.choice(names(references.models, "tagger", "short-tagger"))
        strategy = list(strategies)[i % 5]
        text = text_of(rng, i // 5)
        ignored = rng.choice((["O"], [], ["PER", "I-PER", "O"], ["MISC"]))
        unit, raw = rng.choice(UNITS), rng.random() < .5
        stride = None
        if "short" in name and strategy != "none" and rng.random() < .7:
            stride = rng.choice((0, 1, 8, SHORT - 3))
        pipeline = references.pipeline("token-classification", name)
        # What a call before set would stay.
        pipeline._preprocess_params.clear()
        found = references.ask(
            "token-classification", name, text, aggregation_strategy=strategy,
            ignore_labels=ignored, **({} if stride is None
                                      else {"stride": stride}))
        request = pb.TagTokensRequest(
            model=name, inputs=[text], aggregation=strategies[strategy],
            ignore_labels=ignored, keep_ignored=not ignored,
            offset_unit=UNIT_VALUES[unit], raw_offsets=raw, stride=stride or 0,
            length_policy=TRUNCATE if stride is None
            else pb.LENGTH_POLICY_WINDOW)
        expected = [((f.get("entity", f.get("entity_group")), f.get("index", 0),
                      *span(text, f["start"], f["end"], unit, raw)), f["score"])
                    for f in found]
        yield expected, lambda stub, r=request: [
            ((e.label, e.token_index, e.start, e.end, e.text), e.score)
            for e in stub.TagTokens(r).results[0].entities]


def question_answering(references, rng, count):
    models = names(references.models, "reader")
    questions = ["Who walked down?", "Where is Berlin", " 東京? ",
                 "When did the ship arrive at the old harbour in 1994?"]
    for i in range(count):
        name, question = models[i % len(models)], rng.choice(questions)
        context = text_of(rng, i // len(models), (5, 25, 60, 120))
        window, stride = rng.choice(((384, 128), (384, 50), (96, 24), (64, 8)))
        top_k, longest = rng.choice((1, 1, 3, 8)), rng.choice((15, 15, 1, 40))
        nothing, words = rng.random() < .4, rng.random() < .6
        unit, raw = rng.choice(UNITS), rng.random() < .5
        found = references.ask(
            "question-answering", name, question=question, context=context,
            top_k=top_k, max_answer_len=longest, max_seq_len=window,
            doc_stride=stride, handle_impossible_answer=nothing,
            align_to_words=words)
        request = pb.AnswerQuestionRequest(
            model=name, top_k=top_k, max_answer_tokens=longest,
            max_window_tokens=window, stride=stride,
            handle_impossible_answer=nothing, align_to_words=words,
            offset_unit=UNIT_VALUES[unit], raw_offsets=raw,
            inputs=[pb.QuestionInput(question=question, context=context)])
        found = found if isinstance(found, list) else [found]
        yield ([(span(context, f["start"], f["end"], unit, raw), f["score"])
                for f in found],
               lambda stub, r=request: [
                   ((a.start, a.end, a.text), a.score)
                   for a in stub.AnswerQuestion(r).results[0].answers])


def masked_text(rng):
    text = "".join(odd_text(rng, rng.randrange(9)) + rng.choice((" ", ""))
                   + "[MASK]" for _ in range(rng.choice((1, 1, 2, 3))))
    return text + odd_text(rng, rng.randrange(20))


def fill_mask(references, rng, count):
    models = names(references.models, "filler")
    for i in range(count):
        name, text = models[i % len(models)], masked_text(rng)
        top_k, targets = rng.choice((None, 1, 3, 12)), []
        if rng.random() < .3:
            vocabulary = sorted(references.pipeline(
                "fill-mask", name).tokenizer.get_vocab())
            targets = rng.sample(["capital", "▁the", "Ġthe", "harbour", "東"], 3)
            targets.append(rng.choice(vocabulary))
        kwargs = {"targets": targets} if targets else {}
        found = references.ask("fill-mask", name, text,
                               **kwargs | ({"top_k": top_k} if top_k else {}))
        found = found if isinstance(found[0], list) else [found]
        request = pb.FillMaskRequest(model=name, inputs=[text],
                                     top_k=top_k or 0, targets=targets)
        yield ([((m, f["token"], f["token_str"], f["sequence"]), f["score"])
                for m, row in enumerate(found) for f in row],
               lambda stub, r=request: [
                   ((m, c.token_id, c.token, c.sequence), c.score)
                   for m, mask in enumerate(stub.FillMask(r).results[0].masks)
                   for c in mask.candidates])


def zero_shot(references, rng, count):
    models = names(references.models, "judge", "short-judge")
    for i in range(count):
        name = models[i % len(models)]
        text = text_of(rng, i // len(models))
        labels = sorted({sentence(rng, rng.choice((1, 1, 2, 4)))[:-1]
                         for _ in range(rng.choice((1, 2, 3, 8)))})
        rng.shuffle(labels)
        template, several = rng.choice(TEMPLATES), rng.random() < .5
        if "short" in name:  # room for some of the text beside the label
            labels = [label.split()[0] for label in labels[:1]] + ["sea"]
            template = "{}"
        found = references.ask(
            "zero-shot-classification", name, text, candidate_labels=labels,
            multi_label=several, **({"hypothesis_template": template}
                                    if template else {}))
        request = pb.ClassifyZeroShotRequest(
            model=name, inputs=[text], labels=labels,
            hypothesis_template=template, multi_label=several,
            length_policy=TRUNCATE)
        yield ([((label,), value) for label, value
                in zip(found["labels"], found["scores"])],
               lambda stub, r=request: labels_of(
                   stub.ClassifyZeroShot(r).results[0]))


def multiple_choice(references, rng, count):
    """No pipeline does it: the class, and a softmax over its logits."""
    choosers = [(name, *references.chooser(name))
                for name in names(references.models, "chooser")]
    for i in range(count):
        name, tokenizer, model = choosers[i % len(choosers)]
        text = text_of(rng, i // len(choosers))
        choices = [odd_text(rng, rng.choice((1, 4, 30)))
                   for _ in range(rng.choice((1, 2, 4, 9)))]
        inputs = tokenizer([text] * len(choices), choices, truncation=True,
                           padding=True, padding_side="right",
                           return_tensors="pt")
        with torch.no_grad():
            scores = model(**{key: value[None] for key, value
                              in inputs.items()}).logits[0].softmax(-1).tolist()
        request = pb.ClassifyRequest(
            model=name, length_policy=TRUNCATE,
            inputs=[pb.TextInput(text=text, choices=choices)])
        order = sorted(range(len(choices)), key=lambda c: -scores[c])
        yield ([((c, choices[c]), scores[c]) for c in order],
               lambda stub, r=request: [
                   ((label.index, label.label), label.score)
                   for label in stub.Classify(r).results[0].labels])


def feature_extraction(references, rng, count):
    models = names(references.models, "encoder", "tagger")
    for i in range(count):
        name = models[i % len(models)]
        text = text_of(rng, i // len(models))
        rows = references.ask("feature-extraction", name, text)[0]
        request = pb.EncodeRequest(model=name, pooling=pb.POOLING_NONE,
                                   inputs=[pb.TextInput(text=text)])
        yield ([((t, c), value) for t, row in enumerate(rows)
                for c, value in enumerate(row)],
               lambda stub, r=request: [
                   ((t, c), value)
                   for t, vector in enumerate(stub.Encode(r).results[0].vectors)
                   for c, value in enumerate(vector.values)])


# Row: the generator and its share of the cases.
ROWS = {"text-classification": (text_classification, 400),
        "token-classification": (token_classification, 500),
        "question-answering": (question_answering, 400),
        "fill-mask": (fill_mask, 350),
        "zero-shot-classification": (zero_shot, 400),
        "DebertaV2ForMultipleChoice": (multiple_choice, 150),
        "feature-extraction": (feature_extraction, 200)}
