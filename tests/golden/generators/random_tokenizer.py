"""Writes made-up tokenizers of any vocabulary size, in Hugging Face's files.

Only the standard library is needed. The vocabularies hold every printable
ASCII character, so that any English text has tokens, and made-up longer
pieces; the same size always gives the same files.
"""

import itertools
import json
import pathlib
import random

SPECIAL = ["[PAD]", "[CLS]", "[SEP]", "[UNK]"]
LETTERS = "etaoinshrdlcumwfgypbvkjxqz"


def write_byte_level_bpe(directory, vocab_size, max_tokens=512):
    """vocab.json and merges.txt, as DeBERTa v1 has them; [MASK] is last."""
    symbols = _byte_symbols()
    merges, known = [], set(symbols)
    room = vocab_size - len(SPECIAL) - len(symbols) - 1
    if room < 0:
        raise ValueError(f"vocab_size is at least {vocab_size - room}")
    pairs = list(itertools.product(LETTERS, LETTERS))
    longer = [a + b for a, b in pairs]
    shuffled = list(itertools.product(longer, longer))
    random.Random(1).shuffle(shuffled)
    spaced = [("Ġ", token) for token in list(LETTERS) + longer]
    for left, right in itertools.chain(pairs, spaced, shuffled):
        if len(merges) == room:
            break
        if left + right not in known:
            known.add(left + right)
            merges.append((left, right))
    tokens = SPECIAL + symbols + [a + b for a, b in merges] + ["[MASK]"]

    directory = pathlib.Path(directory)
    vocab = {token: i for i, token in enumerate(tokens)}
    _write_json(directory / "vocab.json", vocab)
    lines = ["#version: 0.2"] + [f"{a} {b}" for a, b in merges]
    (directory / "merges.txt").write_text("\n".join(lines) + "\n",
                                          encoding="utf-8")
    _write_side_files(directory, "DebertaTokenizer", max_tokens)


def write_unigram(directory, pieces, max_tokens=512):
    """tokenizer.json, as transformers 4 saves DeBERTa v2 and v3; [MASK] has
    the id `pieces`."""
    vocab = [(token, 0.0) for token in SPECIAL]
    known = set(SPECIAL)
    for piece in _unigram_pieces():
        if len(vocab) == pieces:
            break
        if piece not in known:
            known.add(piece)
            # Falls with the rank, as counted frequencies do.
            vocab.append((piece, -3.0 - 12.0 * len(vocab) / pieces))
    if len(vocab) < pieces:
        raise ValueError(f"at most {len(vocab)} pieces")

    template = [{"SpecialToken": {"id": "[CLS]", "type_id": 0}},
                {"Sequence": {"id": "A", "type_id": 0}},
                {"SpecialToken": {"id": "[SEP]", "type_id": 0}}]
    pair = template + [{"Sequence": {"id": "B", "type_id": 1}},
                       {"SpecialToken": {"id": "[SEP]", "type_id": 1}}]
    document = {
        "version": "1.0",
        "truncation": None,
        "padding": None,
        "added_tokens": [
            {"id": i, "content": token, "single_word": False, "lstrip": False,
             "rstrip": False, "normalized": token == "[UNK]", "special": True}
            for i, token in [*enumerate(SPECIAL), (pieces, "[MASK]")]],
        "normalizer": {"type": "Sequence", "normalizers": [
            {"type": "Strip", "strip_left": True, "strip_right": True},
            {"type": "Replace", "pattern": {"Regex": " {2,}"},
             "content": " "}]},
        "pre_tokenizer": {"type": "Sequence", "pretokenizers": [
            {"type": "Metaspace", "replacement": "▁",
             "prepend_scheme": "always", "split": True}]},
        "post_processor": {
            "type": "TemplateProcessing", "single": template, "pair": pair,
            "special_tokens": {
                token: {"id": token, "ids": [SPECIAL.index(token)],
                        "tokens": [token]} for token in ("[CLS]", "[SEP]")}},
        "decoder": {"type": "Metaspace", "replacement": "▁",
                    "prepend_scheme": "always", "split": True},
        "model": {"type": "Unigram", "unk_id": 3, "vocab": vocab,
                  "byte_fallback": False},
    }
    directory = pathlib.Path(directory)
    _write_json(directory / "tokenizer.json", document)
    _write_side_files(directory, "DebertaV2Tokenizer", max_tokens)


def _byte_symbols():
    """The 256 characters that stand for bytes in byte-level BPE."""
    printable = [*range(33, 127), *range(161, 173), *range(174, 256)]
    others = itertools.count(256)
    return [chr(b if b in printable else next(others)) for b in range(256)]


def _unigram_pieces():
    yield "▁"
    yield from (chr(c) for c in range(33, 127))
    syllables = [a + b for a in "tnsrlmdkpbvg" for b in "aeiou"]
    yield from (mark + syllable for mark in ("▁", "") for syllable in syllables)
    for count in (2, 3):
        for parts in itertools.product(syllables, repeat=count):
            yield "▁" + "".join(parts)


def _write_side_files(directory, tokenizer_class, max_tokens):
    names = {"bos_token": "[CLS]", "cls_token": "[CLS]", "eos_token": "[SEP]",
             "sep_token": "[SEP]", "pad_token": "[PAD]", "unk_token": "[UNK]",
             "mask_token": "[MASK]"}
    _write_json(directory / "special_tokens_map.json", names)
    _write_json(directory / "tokenizer_config.json", names | {
        "tokenizer_class": tokenizer_class, "model_max_length": max_tokens,
        "clean_up_tokenization_spaces": False})


def _write_json(path, value):
    path.write_text(json.dumps(value, ensure_ascii=False, indent=1) + "\n",
                    encoding="utf-8")
