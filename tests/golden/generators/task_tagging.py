"""Cases of TagTokens, FillMask and Tokenize for make_task_golden.py."""

from task_oracle import Oracle
from task_texts import (TEXTS, UNITS, in_unit, location, odd_text, score,
                        sentence, text_of)

def tag_cases(rng, name, tokenizer):
    names = ["O", "B-PER", "I-PER", "B-LOC", "I-LOC", "MISC", "B-ORG-X"]
    oracle = Oracle("token-classification", name, tokenizer,
                    id2label=dict(enumerate(names)))
    ignores = (None, [], ["PER", "I-PER", "O"], ["MISC"])
    for strategy in ("none", "simple", "first", "average", "max"):
        for i in range(len(TEXTS) + 41):
            text = text_of(rng, i)
            limit, stride = 512, None
            if i % 3 == 2:
                limit = rng.choice((8, 12, 20))
                if strategy != "none" and i % 2:
                    stride = rng.choice((0, 1, 3, limit - 3))
            ignore = ignores[i % 4]
            unit = UNITS[rng.randrange(3)]
            seed = rng.getrandbits(32)
            oracle.pipe.tokenizer.model_max_length = limit
            kwargs = {} if stride is None else {"stride": stride}
            oracle.pipe._preprocess_params.clear()
            result = oracle.ask(seed, text, aggregation_strategy=strategy,
                                ignore_labels=ignore, **kwargs)
            oracle.pipe.tokenizer.model_max_length = 512
            yield {"tokenizer": name, "seed": seed, "text": text,
                   "labels": names, "aggregation": strategy,
                   # The reference's empty list ignores nothing.
                   "ignore_labels": ignore or [], "keep_ignored": ignore == [],
                   "max_tokens": limit, "unit": unit,
                   "policy": "truncate" if stride is None else "window",
                   "stride": stride or 0, "sequences": oracle.digests(),
                   "results": [
                       [r.get("entity", r.get("entity_group")),
                        score(r["score"]), r.get("index", 0)]
                       + location(text, r["start"], r["end"], unit)
                       for r in result]}


def fill_cases(rng, name, tokenizer):
    oracle = Oracle("fill-mask", name, tokenizer)
    vocabulary = sorted(tokenizer.get_vocab())
    frames = ["Paris is the [MASK] of France.", "[MASK]", "x[MASK]y [MASK] z",
              "The [MASK] sat  on the [MASK], don't [MASK] it.",
              "before [SEP] [MASK] after", " [MASK] München 🙂", "[MASK][MASK]"]
    for i in range(140):
        text = frames[i % len(frames)]
        if i >= 42:
            text = "".join(odd_text(rng, rng.randrange(9)) + " [MASK]"
                           for _ in range(rng.choice((1, 1, 2, 3))))
            text += odd_text(rng, rng.randrange(20))
        targets = []
        if i % 3 == 1:
            targets = ["capital", rng.choice(vocabulary), "▁the", "Ġthe",
                       "harbour"][:rng.randrange(1, 6)]
            targets += targets[:1] + ([""] if i % 2 else [])
        top_k = rng.choice((None, 1, 3, 7))
        seed = rng.getrandbits(32)
        kwargs = {"targets": targets} if targets else {}
        if top_k:
            kwargs["top_k"] = top_k
        result = oracle.ask(seed, text, **kwargs)
        result = result if isinstance(result[0], list) else [result]
        yield {"tokenizer": name, "seed": seed, "text": text,
               "targets": targets, "top_k": top_k or 0,
               "vocab_size": oracle.config.vocab_size,
               "sequences": oracle.digests(),
               "results": [[[r["token"], r["token_str"], score(r["score"]),
                             r["sequence"]] for r in row]
                           for row in result]}


def tokenize_cases(rng, name, tokenizer):
    for i in range(len(TEXTS) * 3):
        text = TEXTS[i % len(TEXTS)] if i else ""
        pair = TEXTS[rng.randrange(len(TEXTS))] if i % 3 == 1 else ""
        special = i % 4 != 2
        unit = UNITS[rng.randrange(3)]
        encoding = tokenizer(
            text, pair or None, add_special_tokens=special,
            return_offsets_mapping=True, return_special_tokens_mask=True,
            return_token_type_ids=True)
        offsets = [
            [in_unit(pair if sequence == 1 else text, p, unit) for p in span]
            for span, sequence in zip(encoding["offset_mapping"],
                                      encoding.sequence_ids())]
        yield {"tokenizer": name, "text": text, "pair": pair, "unit": unit,
               "add_special_tokens": special, "ids": encoding["input_ids"],
               "tokens": tokenizer.convert_ids_to_tokens(
                   encoding["input_ids"]),
               "type_ids": encoding["token_type_ids"],
               "special_tokens_mask": encoding["special_tokens_mask"],
               "offsets": offsets}
