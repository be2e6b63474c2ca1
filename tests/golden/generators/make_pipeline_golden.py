#!/usr/bin/env python3
"""Writes tests/golden/pipelines/: small tokenizers of every kind of pipeline.

    make_pipeline_golden.py              under 4.57.1: directories and expected.json,
                                         with spm.model expected_spm.json too
    make_pipeline_golden.py              under 5.24.0: expected_hf5.json

Each directory has a file or two that make its tokenizer
(pipeline_tokenizers.py), config.json and what AutoTokenizer makes of TEXTS with
it: {"cases": [[text, pair or null, ids, starts, ends, type ids, special tokens
mask, words], ...], "decoded": [text of the ids without special tokens, ...]}. Of
the slow tokenizer there are {"ids": [those of a text, ...], "decoded": ...}.

tests/golden/japanese/ has the settings of BertJapaneseTokenizer, which runs in
Python and has no offsets: {"cases": [[text, pair or null, ids, type ids], ...],
"decoded": ...}, with both versions' names.
"""

import json
import pathlib

import golden_texts
import transformers

import pipeline_tokenizers

HERE = pathlib.Path(__file__).resolve().parents[1]
ROOT = HERE / "pipelines"
JAPANESE = HERE / "japanese"
VERSION_5 = int(transformers.__version__.split(".")[0]) >= 5
TEXTS = [
    "", " ", "Hello, world! It's 2024-05-06.", "  Two   spaces \t and\u00a0tabs\n",
    "naïve café [MASK] [UNK]x <x>  <x>y[SEP]", "ÀÉÎÕÜ ßtraße Ǆ İI ẞ ﬁ ½ ㎥",
    "中文字符 and 日本語テキスト、カタカナー。", "한국어 텍스트 가각힣", "e\u0301\u0327 a\u0327\u0301 \u0344",
    "a\u0000b\ufffdc\u200bd\u200de\u00adf", "😀👨\u200d👩\u200d👧 🇩🇪", "don't stop-me--now... -x- 'tis",
    "x" * 101 + " " + "y" * 100, "aaaaaaaaaaaaaaaaaaaaaaaa bbbbbbbbbbbbb", "▁ ▁▁a ▁b▁ _c_",
    "<0x41><0x0A> </w> ## ##a @@", "١٢٣ ௧௨ Ⅷ ² 1234567", "»«„“—–…¿¡ $%^+=~|", "ss SS ßs -- ,,! \u3000x\u2003",
    "The quick brown fox jumps over the lazy dog.",
    "The queue of the  <tool><tool> tool<ctrl> que, quel près de la mer; QUE",
]

JAPANESE_TEXTS = [
    "京都大学で自然言語処理を[MASK][MASK]する。", "ﾊﾝｶｸ ｶﾅ ﾃﾞｰﾀ　全角　空白", "㍻31年㋿元年①②③㌔㍑ 𝟙",
    "が か\u3099 ゛あ ¨ ´a", "『引用』（括弧）：；！？、。", "A\u3000B\tC\nD\u00a0E\u2028F\u0085G\u001cH\u2003I",
    "😀🥲👨\u200d👩 🫠", "神\ufa19 神社 \ufdfa ½ ﬁ ℡ ㈱", "＝\u0338 =\u0338 ＜\u0338 \U00011935\U00011930",
    "[MASK]　[MASK] [UNK]x [SEP]。[CLS", "a\u200bb\u00adc\ufeffd\u0000e\ue000f\ufffd",
    "ＤｅＢＥＲＴａ ＡＢＣ１２３ abc", "…‥——〜～ー", "x" * 101 + " " + "ア" * 100,
]


def encoded(tokenizer, text, pair):
    typed = "token_type_ids" in tokenizer.model_input_names
    got = tokenizer._tokenizer.encode(text, pair) if pair is not None else (
        tokenizer._tokenizer.encode(text))
    words = [-1 if word is None else word for word in got.word_ids]
    starts, ends = zip(*got.offsets)
    types = got.type_ids if typed else [0] * len(got.ids)
    return [text, pair, got.ids, starts, ends, types, got.special_tokens_mask, words]


def write_slow(directory):
    tokenizer = transformers.DebertaV2Tokenizer.from_pretrained(directory)
    ids = [tokenizer(text)["input_ids"] for text in TEXTS]
    decoded = [tokenizer.decode(row, skip_special_tokens=True) for row in ids]
    (directory / "expected_spm.json").write_text(
        json.dumps({"ids": ids, "decoded": decoded}) + "\n")


def write_cases(directory, cases, decoded):
    lines = ",\n".join(json.dumps(case) for case in cases)
    name = "expected_hf5.json" if VERSION_5 else "expected.json"
    (directory / name).write_text(
        f'{{"cases": [\n{lines}\n],\n"decoded": {json.dumps(decoded)}}}\n')


def write_japanese(directory):
    tokenizer = transformers.AutoTokenizer.from_pretrained(directory)
    texts = TEXTS + JAPANESE_TEXTS
    pairs = [(text, None) for text in texts]
    pairs += [(texts[-i], texts[i]) for i in range(1, 5)]
    cases = []
    for text, pair in pairs:
        got = tokenizer(text, pair)
        ids = got["input_ids"]
        # Version 5 passes a model none, which then has zeros.
        cases.append([text, pair, ids, got.get("token_type_ids", [0] * len(ids))])
    write_cases(directory, cases,
                [tokenizer.decode(case[2], skip_special_tokens=True) for case in cases])


def main():
    if not VERSION_5:
        texts = golden_texts.read_texts()[0]
        pipeline_tokenizers.write_kinds(ROOT, texts[:1500], 700)
        pipeline_tokenizers.write_japanese(JAPANESE, texts[:600] + JAPANESE_TEXTS, 700)
    for directory in sorted(JAPANESE.iterdir()):
        write_japanese(directory)
    for directory in sorted(path for path in ROOT.iterdir() if path.is_dir()):
        tokenizer = transformers.AutoTokenizer.from_pretrained(directory)
        tokenizer._tokenizer.no_truncation()
        tokenizer._tokenizer.no_padding()
        cases = [encoded(tokenizer, text, None) for text in TEXTS]
        cases += [encoded(tokenizer, TEXTS[i], TEXTS[-i]) for i in range(1, 5)]
        decoded = [tokenizer._tokenizer.decode(case[2], skip_special_tokens=True)
                   for case in cases]
        write_cases(directory, cases, decoded)
        if not VERSION_5 and (directory / "spm.model").exists():
            write_slow(directory)


if __name__ == "__main__":
    main()
