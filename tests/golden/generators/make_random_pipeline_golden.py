#!/usr/bin/env python3
"""Writes tests/golden/random_pipelines.json: random pipelines of tokenizer.json.

    make_random_pipeline_golden.py       under 4.57.1
    make_random_pipeline_golden.py       under 5.24.0, afterwards

{"models": {name: "model" of tokenizer.json}, "texts": [...], "cases": [{"model":
name, "settings": those of the model, "tokenizer": the rest of tokenizer.json,
"texts": [[text, pair or -1], ...], "hf4": [[hash, hash], ...], "hf5": ...}, ...]}.
Texts are numbers in "texts"; the hashes, FNV-1a of 64 bits in hexadecimal, are of
what golden_test.cc's are and of the decoded ids. Of a Precompiled "CHARSMAP" stands
for random_pipelines.charsmap().
"""

import json
import pathlib
import random
import tempfile

import golden_texts
import pipeline_tokenizers
import random_pipelines
import transformers
from make_tokenizer_golden import encode, encoding_bytes, fnv1a

FILE = pathlib.Path(__file__).resolve().parents[1] / "random_pipelines.json"
CASES, TEXTS, TEXTS_OF_CASE, SIZE = 300, 600, 16, 600


def hashes(case, models, texts):
    """Of what AutoTokenizer makes of the texts; none where it stops."""
    model = models[case["model"]] | case["settings"]
    with tempfile.TemporaryDirectory() as directory:
        pipeline_tokenizers.write_directory(
            pathlib.Path(directory), pipeline_tokenizers.GENERIC,
            {"tokenizer.json": json.dumps(case["tokenizer"] | {"model": model})})
        tokenizer = transformers.AutoTokenizer.from_pretrained(directory)
    found = []
    for a, b in case["texts"]:
        try:
            tokens = encode(tokenizer, texts[a], None if b < 0 else texts[b])
        except BaseException as error:
            if type(error).__name__ != "PanicException":
                raise
            return []
        decoded = tokenizer._tokenizer.decode([t[0] for t in tokens],
                                              skip_special_tokens=True)
        found.append([f"{fnv1a(encoding_bytes(tokens)):016x}",
                      f"{fnv1a(decoded.encode()):016x}"])
    return found


def write(models, texts, cases):
    rows = ",\n".join(json.dumps(case) for case in cases)
    rows = rows.replace(random_pipelines.charsmap(), "CHARSMAP")
    FILE.write_text(f'{{"models": {json.dumps(models)},\n"texts": {json.dumps(texts)},\n'
                    f'"cases": [\n{rows}\n]}}\n')


def make():
    rnd = random.Random(20261129)
    lines, hostile = golden_texts.read_texts()
    texts = rnd.sample(lines, TEXTS // 2) + rnd.sample(hostile, TEXTS // 2)
    models = random_pipelines.train(lines, SIZE)
    cases = []
    while len(cases) < CASES:
        name, tokenizer = random_pipelines.draw(rnd, models)
        saved = json.loads(tokenizer.to_str())
        settings = {key: value for key, value in saved.pop("model").items()
                    if key not in ("vocab", "merges")}
        chosen = [(rnd.randrange(TEXTS), rnd.randrange(TEXTS) if i % 4 == 3 else -1)
                  for i in range(TEXTS_OF_CASE)]
        case = {"model": name, "settings": settings, "tokenizer": saved,
                "texts": chosen}
        if found := hashes(case, models, texts):
            cases.append(case | {"hf4": found})
    write(models, texts, cases)


def add_version_5():
    saved = json.loads(FILE.read_text().replace("CHARSMAP", random_pipelines.charsmap()))
    for case in saved["cases"]:
        case["hf5"] = hashes(case, saved["models"], saved["texts"])
    write(**saved)


if __name__ == "__main__":
    if int(transformers.__version__.split(".")[0]) >= 5:
        add_version_5()
    else:
        make()
