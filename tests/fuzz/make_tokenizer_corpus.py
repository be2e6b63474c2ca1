#!/usr/bin/env python3
"""Writes the seeds of the tokenizers' fuzzers into corpus/: small files of each
format. Needs sentencepiece."""

import io
import json
import pathlib
import sys
import tempfile

HERE = pathlib.Path(__file__).resolve().parent
sys.path.append(str(HERE.parent / "golden/generators"))

from golden_texts import HOSTILE_FIXED  # noqa: E402

CORPUS = HERE / "corpus"
SPECIAL = ["[PAD]", "[CLS]", "[SEP]", "[UNK]"]
WORDS = ["the", "cat", "sat", "mat", "on", "\u00bd", "\u4e2d\u6587", "caf\u00e9"]
SENTENCES = [" ".join(WORDS[i:] + WORDS[:i]) for i in range(len(WORDS))] * 20
SEPARATOR = b"\xff"


def write(kind, name, *parts):
    directory = CORPUS / kind
    directory.mkdir(parents=True, exist_ok=True)
    encoded = [
        part if isinstance(part, bytes) else json.dumps(part).encode() for part in parts
    ]
    (directory / name).write_bytes(SEPARATOR.join(encoded))


def added(index, content, **attributes):
    token = dict.fromkeys(["single_word", "lstrip", "rstrip", "normalized"], False)
    return {"id": index, "content": content, **token, "special": True, **attributes}


def template():
    def special(name, kind):
        return {"SpecialToken": {"id": name, "type_id": kind}}

    def sequence(name, kind):
        return {"Sequence": {"id": name, "type_id": kind}}

    single = [special("[CLS]", 0), sequence("A", 0), special("[SEP]", 0)]
    return {
        "type": "TemplateProcessing",
        "single": single,
        "pair": single + [sequence("B", 1), special("[SEP]", 1)],
        "special_tokens": {
            name: {"id": name, "ids": [index], "tokens": [name]}
            for name, index in [("[CLS]", 1), ("[SEP]", 2)]
        },
    }


def definition(**parts):
    nothing = dict.fromkeys(["truncation", "padding", "normalizer"])
    return {"version": "1.0", **nothing, "post_processor": template(), **parts}


def bpe(symbols, merges):
    joined = [a + b for a, b in merges]
    return {t: i for i, t in enumerate(SPECIAL + symbols + joined + ["[MASK]"])}


BPE_SYMBOLS = list("abehlost") + ["\u0120", "\u00c3", "\u00a9", "'"]
BPE_MERGES = [("t", "h"), ("th", "e"), ("\u0120", "the"), ("\u00c3", "\u00a9")]


def write_bpe():
    vocab = bpe(BPE_SYMBOLS, BPE_MERGES)
    byte_level = {"type": "ByteLevel", "add_prefix_space": False}
    model = {"type": "BPE", "vocab": vocab, "merges": BPE_MERGES}
    mask = added(vocab["[MASK]"], "[MASK]", lstrip=True, normalized=True)
    tokenizer = definition(
        added_tokens=[added(1, "[CLS]"), mask],
        pre_tokenizer=byte_level,
        decoder=byte_level,
        model=model,
    )
    write("tokenizer_json", "bpe", tokenizer, {"add_prefix_space": True})
    merges = "#version: 0.2\n" + "".join(f"{a} {b}\n" for a, b in BPE_MERGES)
    write("vocab_merges", "plain", vocab, merges.encode())
    write(
        "vocab_merges",
        "side_files",
        vocab,
        merges.encode(),
        {"model_max_length": 512, "clean_up_tokenization_spaces": True},
        {"mask_token": {"content": "[MASK]", "lstrip": False}},
        {"<x>": len(vocab)},
    )


def write_unigram():
    metaspace = {
        "type": "Metaspace",
        "replacement": "\u2581",
        "prepend_scheme": "always",
        "split": True,
    }
    pieces = SPECIAL + ["\u2581", "\u2581the", "t", "he", "a", "<0x41>"]
    tokenizer = definition(
        normalizer={
            "type": "Sequence",
            "normalizers": [
                {"type": "Lowercase"},
                {"type": "Strip", "strip_left": True, "strip_right": True},
                {"type": "Precompiled", "precompiled_charsmap": "BAAAAAAAAAAA"},
                {"type": "Replace", "pattern": {"Regex": " {2,}"}, "content": " "},
            ],
        },
        added_tokens=[
            added(3, "[UNK]", normalized=True),
            added(len(pieces), "[MASK]", rstrip=True, single_word=True),
        ],
        pre_tokenizer={
            "type": "Sequence",
            "pretokenizers": [
                {"type": "Punctuation", "behavior": "Isolated"},
                metaspace,
            ],
        },
        decoder=metaspace,
        model={
            "type": "Unigram",
            "unk_id": 3,
            "byte_fallback": True,
            "vocab": [[piece, -float(i)] for i, piece in enumerate(pieces)],
        },
    )
    write("tokenizer_json", "unigram", tokenizer)
    write(
        "tokenizer_json",
        "side_files",
        tokenizer,
        {
            "tokenizer_class": "PreTrainedTokenizerFast",
            "unk_token": "[UNK]",
            "added_tokens_decoder": {"4": added(4, "[CLS]")},
        },
        {"pad_token": {"content": "[PAD]"}, "additional_special_tokens": ["<y>"]},
        {"[MASK]": len(pieces)},
    )


def write_pipelines():
    """Small tokenizers of every kind of pipeline, and vocab.txt."""
    pipelines = HERE.parent / "golden" / "pipelines"
    for directory in sorted(path for path in pipelines.iterdir() if path.is_dir()):
        source = directory / "tokenizer.json"
        if source.exists():
            tokenizer = json.loads(source.read_text())
            shrink(tokenizer["model"])
            write("tokenizer_json", directory.name, tokenizer)
    vocab = "\n".join(SPECIAL + ["[MASK]", "a", "##b", "the", ",", "\u4e2d"]) + "\n"
    write("vocab_txt", "plain", vocab.encode(), {"tokenizer_class": "BertTokenizer"})
    write("vocab_txt", "cased", vocab.replace("\n", "\r\n").encode(),
          {"tokenizer_class": "BertTokenizer", "do_lower_case": False})
    for kind in ("character", "wordpiece"):
        write("vocab_txt", f"japanese_{kind}", vocab.encode(), {
            "tokenizer_class": "BertJapaneseTokenizer", "word_tokenizer_type": "basic",
            "subword_tokenizer_type": kind, "do_word_tokenize": kind == "character"})


def shrink(model):
    """Leaves the first tokens, so that a seed is small."""
    vocab = model["vocab"]
    if isinstance(vocab, list):
        model["vocab"] = vocab[:40]
        return
    kept = {t: i for t, i in vocab.items() if i < 40}
    model["vocab"] = kept
    if "merges" in model:
        model["merges"] = [m for m in model["merges"]
                           if {m[0], m[1], "".join(m)} <= kept.keys()]


def write_spm():
    import sentencepiece

    with tempfile.NamedTemporaryFile("w", suffix=".tsv") as rules:
        rules.write("BD\t31 2F 32\nFF21\t41\n3000\t20\n41 302\tC2\nFEFF\t\n")
        rules.flush()
        for name, options in [
            ("plain", {"normalization_rule_name": "identity"}),
            ("charsmap", {"normalization_rule_tsv": rules.name}),
            ("user_defined", {"user_defined_symbols": ["<x>", "at"]}),
            ("spaces", {"remove_extra_whitespaces": False}),
            ("no_prefix", {"add_dummy_prefix": False}),
            ("bytes", {"byte_fallback": True, "vocab_size": 300}),
            ("suffix", {"treat_whitespace_as_suffix": True}),
        ]:
            model = io.BytesIO()
            sentencepiece.SentencePieceTrainer.train(
                sentence_iterator=iter(SENTENCES),
                model_writer=model,
                model_type="unigram",
                hard_vocab_limit=False,
                pad_id=0, pad_piece="[PAD]", bos_id=1, bos_piece="[CLS]",
                eos_id=2, eos_piece="[SEP]", unk_id=3, unk_piece="[UNK]",
                num_threads=1, minloglevel=2,
                **{"normalization_rule_name": "identity", "vocab_size": 40, **options},
            )  # fmt: skip
            write("spm_model", name, model.getvalue())


def write_texts():
    """The first byte chooses the tokenizer."""
    for i, text in enumerate(HOSTILE_FIXED):
        write("tokenizer", f"{i:02}", bytes([i]) + text[:300].encode())


if __name__ == "__main__":
    write_bpe()
    write_unigram()
    write_pipelines()
    write_spm()
    write_texts()
