#!/usr/bin/env python3
"""Writes what the fast tokenizers make of texts that are cut into words already.

    make_split_words_golden.py

tests/golden/words/tokens.json: the words of each case, and of each tokenizer in
tests/golden/tokenizers the ids and the numbers of their words, as
`tokenizer(words, is_split_into_words=True, add_special_tokens=False)` has them.
Needs transformers 4.57.1.
"""

import json
import pathlib
import random

import transformers

import random_words

GOLDEN = pathlib.Path(__file__).resolve().parents[1]
SEED = 31
CASES = 60
# Prompts of models over words, and what stands in labels.
FIXED = [
    ["<<ENT>>", "person", "<<ENT>>", "a very long label", "<<SEP>>", "Hello"],
    [" ", "  x  ", "x [SEP] y", "[MASK]", "a[CLS]b", "\u200b", "\u00ad", "\u0301"],
    ["A", "a", "\u00c5ngstr\u00f6m", "\ufb01ne", "\u0130stanbul", "\u2581", "\u2581x"],
    ["a\nb", "\t", "tab\there", "two  spaces", "\u3000wide\u3000"],
]


def cases():
    rnd = random.Random(SEED)
    yield from FIXED
    for text in random_words.texts(SEED, CASES - len(FIXED)):
        words = [m.group() for m in random_words.GLINER.finditer(text)]
        # Labels are words with spaces in them.
        yield words + ([" ".join(words[:3])] if rnd.random() < 0.3 else [])


def main():
    tokenizers = {path.name: transformers.PreTrainedTokenizerFast.from_pretrained(path)
                  for path in sorted((GOLDEN / "tokenizers").iterdir())}
    written = []
    for words in cases():
        case = {"words": words}
        for name, tokenizer in tokenizers.items():
            # The Python class refuses v1 without add_prefix_space.
            encoding = tokenizer.backend_tokenizer.encode(
                words, is_pretokenized=True, add_special_tokens=False)
            case[name] = [encoding.ids, encoding.word_ids]
        written.append(json.dumps(case))
    out = GOLDEN / "words/tokens.json"
    out.write_text("[\n" + ",\n".join(written) + "\n]\n")


if __name__ == "__main__":
    main()
