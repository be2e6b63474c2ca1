"""Cases of Classify and ClassifyZeroShot for make_task_golden.py."""

from task_oracle import Oracle
from task_texts import odd_text, score, sentence, text_of

HEADS = [(3, None), (1, None), (5, "multi_label_classification"),
         (1, "regression"), (2, "single_label_classification"),
         (4, "regression"), (7, None), (1, "multi_label_classification")]

# Where entailment stands among the labels, and how it is written.
NLI_LABELS = [["contradiction", "neutral", "entailment"],
              ["ENTAILMENT", "NEUTRAL", "CONTRADICTION"],
              ["not_entailment", "Entails"], ["entailment", "not_entailment"],
              ["neutral", "entailed", "contradiction", "other"],
              ["entailment"]]
NLI_MAPS = [(names, {n: i for i, n in enumerate(names)})
            for names in NLI_LABELS]
# Maps that disagree: label2id tells.
NLI_MAPS += [(["LABEL_0", "LABEL_1", "LABEL_2"],
              {"neutral": 0, "entailment": 1, "contradiction": 2}),
             (["entailment", "neutral", "contradiction"],
              {"contradiction": 0, "neutral": 1, "entailment": 2}),
             (["a", "entailment", "b"], {"b": 1, "entails": 2, "entail": 0})]
TEMPLATES = [None, "This text is about {}.", "{}", "{0} or not {0}?",
             "{{{}}} \U0001F642", "Das handelt von  {} \u2026"]


def classify_cases(rng, name, tokenizer):
    for number, (labels, problem) in enumerate(HEADS):
        names = [f"label {i}" for i in range(labels)]
        oracle = Oracle("text-classification", name, tokenizer,
                        id2label=dict(enumerate(names)), problem_type=problem)
        for i in range(21):
            text = text_of(rng, i + number, (1, 12, 30))
            pair = text_of(rng, 12, (2, 12, 40)) if i % 3 else ""
            function = (None, "softmax", "sigmoid", "none")[i % 4]
            top_k = (None, 1, 2, 50)[rng.randrange(4)]
            limit = rng.choice((16, 9, 31)) if i % 2 else None
            seed = rng.getrandbits(32)
            kwargs = {"top_k": top_k}
            if function:
                kwargs["function_to_apply"] = function
            if limit:
                kwargs |= {"truncation": True, "max_length": limit}
            inputs = {"text": text, "text_pair": pair} if pair else text
            result = oracle.ask(seed, inputs, **kwargs)
            if result and isinstance(result[0], list):
                result = result[0]
            yield {"tokenizer": name, "seed": seed, "text": text, "pair": pair,
                   "labels": names, "problem_type": problem or "",
                   "function": function or "", "top_k": top_k or 0,
                   "max_tokens": limit or 512, "sequences": oracle.digests(),
                   "results": [[names.index(r["label"]), score(r["score"])]
                               for r in result]}


def candidate_labels(rng):
    """One to a dozen; never two that are equal, whose order is left open."""
    labels = {sentence(rng, rng.choice((1, 1, 2, 5)))[:-1]
              for _ in range(rng.choice((1, 2, 3, 12)))}
    return sorted(labels, key=lambda _: rng.random())


def zero_shot_cases(rng, name, tokenizer):
    for names, label2id in NLI_MAPS:
        oracle = Oracle("zero-shot-classification", name, tokenizer,
                        id2label=dict(enumerate(names)),
                        label2id=label2id)
        for i in range(34):
            text = text_of(rng, i, (3, 20, 60))
            labels = candidate_labels(rng)
            template = TEMPLATES[i % len(TEMPLATES)]
            limit = 512
            if i % 3 == 1:
                filled = [(template or "This example is {}.").format(label)
                          for label in labels]
                longest = max(len(tokenizer(f)["input_ids"]) for f in filled)
                # Below that the reference gives up truncating.
                limit = longest + rng.choice((2, 5, 20))
            # A single logit makes all scores 1/2, in no defined order.
            kwargs = {"multi_label": i % 2 == 1 and len(names) > 1}
            if template:
                kwargs["hypothesis_template"] = template
            seed = rng.getrandbits(32)
            oracle.pipe.tokenizer.model_max_length = limit
            result = oracle.ask(seed, text, candidate_labels=labels, **kwargs)
            oracle.pipe.tokenizer.model_max_length = 512
            yield {"tokenizer": name, "seed": seed, "text": text,
                   "labels": names, "entailment": oracle.pipe.entailment_id,
                   "candidates": labels,
                   "template": template or "",
                   "multi_label": kwargs["multi_label"], "max_tokens": limit,
                   "sequences": oracle.digests(),
                   "results": [[labels.index(label), score(value)]
                               for label, value in zip(result["labels"],
                                                       result["scores"])]}


def choice_cases(rng, name, tokenizer):
    """There is no pipeline: the model class, and a softmax over its logits."""
    if name == "v1":
        return
    oracle = Oracle("multiple-choice", name, tokenizer)
    for i in range(100):
        text = text_of(rng, i, (3, 20, 60))
        choices = [odd_text(rng, rng.choice((1, 4, 30)))
                   for _ in range(rng.choice((1, 2, 4, 9)))]
        limit = rng.choice((512, 24, 9))
        seed = rng.getrandbits(32)
        logits = oracle.choose(seed, text, choices, limit)
        scores = logits.softmax(-1).tolist()
        order = sorted(range(len(choices)), key=lambda c: -scores[c])
        yield {"tokenizer": name, "seed": seed, "text": text,
               "choices": choices, "max_tokens": limit,
               "sequences": oracle.digests(), "logits": logits.tolist(),
               "results": [[c, score(scores[c])] for c in order]}
