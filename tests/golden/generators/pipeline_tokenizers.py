"""Tokenizers of every kind of pipeline, trained on lines of text.

write_kinds(directory, lines, size): one model directory a kind below
`directory`, unless it is there (trainers break ties differently each time), with
tokenizer.json, vocab.txt or spm.model, tokenizer_config.json and
config.json. Used by make_pipeline_golden.py, which makes small ones, and
tests/conformance/pipeline_lines.py. Needs tokenizers and sentencepiece.
"""

import json
import random
import unicodedata

import sentencepiece

from tokenizers import (AddedToken, Regex, Tokenizer, decoders, models,
                        normalizers, pre_tokenizers, processors, trainers)

SPECIAL = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"]
GENERIC = {"tokenizer_class": "PreTrainedTokenizerFast",
           "model_input_names": ["input_ids", "token_type_ids", "attention_mask"]}
BERT = {"tokenizer_class": "BertTokenizer"}


def template(tokenizer):
    cls, sep = tokenizer.token_to_id("[CLS]"), tokenizer.token_to_id("[SEP]")
    return processors.TemplateProcessing(
        single="[CLS] $A [SEP]", pair="[CLS] $A [SEP] $B:1 [SEP]:1",
        special_tokens=[("[CLS]", cls), ("[SEP]", sep)])


def bert(lower, chinese=True, accents=None, clean=True):
    return normalizers.BertNormalizer(clean_text=clean, handle_chinese_chars=chinese,
                                      strip_accents=accents, lowercase=lower)


def word_piece(lines, size, normalizer, pre_tokenizer, prefix="##"):
    tokenizer = Tokenizer(models.WordPiece(unk_token="[UNK]",
                                           continuing_subword_prefix=prefix))
    tokenizer.normalizer, tokenizer.pre_tokenizer = normalizer, pre_tokenizer
    tokenizer.train_from_iterator(lines, trainers.WordPieceTrainer(
        vocab_size=size, special_tokens=SPECIAL, show_progress=False,
        continuing_subword_prefix=prefix, limit_alphabet=1500))
    tokenizer.decoder = decoders.WordPiece(prefix=prefix)
    tokenizer.post_processor = template(tokenizer)
    return tokenizer


def bpe(lines, size, normalizer, pre_tokenizer, decoder, trainer=None, **options):
    tokenizer = Tokenizer(models.BPE(unk_token="[UNK]", **options))
    if normalizer:
        tokenizer.normalizer = normalizer
    tokenizer.pre_tokenizer = pre_tokenizer
    special = SPECIAL + ([f"<0x{b:02X}>" for b in range(256)]
                         if options.get("byte_fallback") else [])
    tokenizer.train_from_iterator(lines, trainers.BpeTrainer(
        vocab_size=size, special_tokens=special, show_progress=False,
        limit_alphabet=400, **(trainer or {})))
    if options.get("byte_fallback"):
        saved = json.loads(tokenizer.to_str())
        saved["added_tokens"] = saved["added_tokens"][:len(SPECIAL)]
        tokenizer = Tokenizer.from_str(json.dumps(saved))
    tokenizer.decoder = decoder
    tokenizer.post_processor = template(tokenizer)
    return tokenizer


def unigram(lines, size, normalizer, pre_tokenizer):
    tokenizer = Tokenizer(models.Unigram())
    tokenizer.normalizer, tokenizer.pre_tokenizer = normalizer, pre_tokenizer
    tokenizer.train_from_iterator(lines, trainers.UnigramTrainer(
        vocab_size=size, special_tokens=SPECIAL, unk_token="[UNK]",
        show_progress=False))
    tokenizer.decoder = decoders.Metaspace()
    tokenizer.post_processor = template(tokenizer)
    return tokenizer


def sentencepiece_bpe(lines, size, ignore_merges=False, fuse_unk=True):
    """As converters of SentencePiece BPE models write it."""
    return bpe(
        lines, size,
        normalizers.Sequence([normalizers.Prepend("▁"), normalizers.Replace(" ", "▁")]),
        None or pre_tokenizers.Split("▁", "merged_with_next"),
        decoders.Sequence([decoders.Replace("▁", " "), decoders.ByteFallback(),
                           decoders.Fuse(), decoders.Strip(" ", 1, 0)]),
        byte_fallback=True, fuse_unk=fuse_unk, ignore_merges=ignore_merges)


N, P = normalizers, pre_tokenizers
# As GPT-2 and its successors cut words.
LOOK_AHEAD = {
    "bpe-look-ahead": r"'s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+"
                      r"|\s+(?!\S)|\s+",
    "bpe-line-ends": r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}"
                     r"| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+",
}


def kinds(lines, size):
    """(name, what makes the tokenizer, tokenizer_config)"""
    yield "bert-uncased", lambda: word_piece(lines, size, bert(True), P.BertPreTokenizer()), GENERIC
    yield "bert-cased", lambda: word_piece(lines, size, bert(False), P.BertPreTokenizer()), GENERIC
    yield ("bert-odd", lambda: word_piece(lines, size, bert(True, False, False, False),
                                  P.BertPreTokenizer(), "@@"), GENERIC)
    yield ("bert-class", lambda: word_piece(lines, size, bert(True), P.BertPreTokenizer()),
           BERT | {"do_lower_case": False, "strip_accents": True})
    yield ("sp-bpe", lambda: sentencepiece_bpe(lines, size), GENERIC)
    yield ("sp-bpe-metaspace", lambda: bpe(
        lines, size, N.Sequence([N.Nmt(), N.NFKC(), N.Replace(Regex(" {2,}"), " ")]),
        P.Metaspace(), decoders.Metaspace(), byte_fallback=True, fuse_unk=False,
        ignore_merges=True), GENERIC)
    yield ("bpe-suffix", lambda: bpe(
        lines, size, N.Sequence([N.NFD(), N.StripAccents(), N.Lowercase()]),
        P.Whitespace(), decoders.BPEDecoder("</w>"),
        {"end_of_word_suffix": "</w>"}, end_of_word_suffix="</w>", fuse_unk=True), GENERIC)
    yield ("bpe-digits", lambda: bpe(
        lines, size, N.NFKD(), P.Sequence([
            P.WhitespaceSplit(), P.Digits(True), P.Punctuation("merged_with_previous")]),
        decoders.Fuse(), {"continuing_subword_prefix": "##"},
        continuing_subword_prefix="##"), GENERIC)
    yield ("bpe-bytes", lambda: bpe(
        lines, size, N.NFC(), P.Sequence([
            P.Split(Regex(r"\p{N}{1,3}"), "isolated"),
            P.Split(Regex(r"[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s+"),
                    "removed", invert=True),
            P.ByteLevel(add_prefix_space=False, use_regex=False)]),
        decoders.ByteLevel(), {"initial_alphabet": P.ByteLevel.alphabet()}), GENERIC)
    for name, pattern in LOOK_AHEAD.items():
        yield (name, lambda pattern=pattern: bpe(
            lines, size, None, P.Sequence([
                P.Split(Regex(pattern), "isolated"),
                P.ByteLevel(add_prefix_space=False, use_regex=False)]),
            decoders.ByteLevel(), {"initial_alphabet": P.ByteLevel.alphabet()}), GENERIC)
    yield ("split-behaviors", lambda: word_piece(lines, size, N.Sequence([
        N.Strip(True, False), N.Replace(Regex(r"[\t\x{a0}]+"), "  "),
        N.Replace("ss", "ß"), N.Lowercase()]),
        P.Sequence([P.Split(Regex(r"\d+"), "contiguous"), P.Split("-", "merged_with_next"),
                    P.Split(Regex(r"[.,!?]"), "merged_with_previous"),
                    P.CharDelimiterSplit(" "), P.Punctuation("contiguous")])), GENERIC)
    yield ("unigram-words", lambda: unigram(
        lines, size, N.Sequence([N.NFKC(), N.StripAccents()]),
        P.Sequence([P.WhitespaceSplit(), P.Digits(False), P.Metaspace()])), GENERIC)
    yield ("unigram-first", lambda: unigram(
        lines, size, N.Sequence([N.Nmt(), N.NFKD(), N.Prepend("»"), N.Lowercase()]),
        P.Sequence([P.Punctuation("removed"),
                    P.Metaspace(prepend_scheme="first", split=True)])), GENERIC)
    yield ("unigram-scripts", lambda: unigram(
        lines, size, N.NFKC(),
        P.Sequence([P.UnicodeScripts(), P.Metaspace()])), GENERIC)


# SentencePiece's trainer's settings of spm.model, and the tokenizer's.
SPM_BPE = {
    "spm-bpe": ({"normalization_rule_name": "nmt_nfkc", "byte_fallback": True,
                 "character_coverage": 0.98}, {}),
    "spm-bpe-user": ({"normalization_rule_name": "identity",
                      "user_defined_symbols": ["<tool>", "qu", "que", "▁the", "è"],
                      "control_symbols": ["<ctrl>"], "split_by_whitespace": False,
                      "remove_extra_whitespaces": False},
                     {"do_lower_case": True}),
    "spm-bpe-punct": ({"normalization_rule_name": "identity",
                       "add_dummy_prefix": False, "character_coverage": 0.98},
                      {"split_by_punct": True}),
}


def write_spm(directory, lines, size):
    for name, (settings, config) in SPM_BPE.items():
        if (directory / name).exists():
            continue
        write_directory(directory / name,
                        {"tokenizer_class": "DebertaV2Tokenizer"} | config, {})
        with open(directory / name / "spm.model", "wb") as file:
            sentencepiece.SentencePieceTrainer.train(
                sentence_iterator=iter(lines), model_writer=file, model_type="bpe",
                vocab_size=size, pad_id=0, pad_piece="[PAD]", unk_id=1,
                unk_piece="[UNK]", bos_id=2, bos_piece="[CLS]", eos_id=3,
                eos_piece="[SEP]", num_threads=1, minloglevel=2, **settings)


def write_directory(directory, config, files):
    directory.mkdir(parents=True, exist_ok=True)
    for name, text in files.items():
        (directory / name).write_text(text)
    names = {f"{t.strip('[]').lower()}_token": t for t in SPECIAL}
    (directory / "tokenizer_config.json").write_text(json.dumps(names | config, indent=1) + "\n")
    (directory / "config.json").write_text(
        json.dumps({"model_type": "deberta-v2"}) + "\n")


def write_kinds(directory, lines, size):
    lines = list(lines)
    random.Random(5).shuffle(lines)
    for name, make, config in kinds(lines, size):
        if (directory / name).exists():
            continue
        tokenizer = make()
        if name != "bert-class":
            tokenizer.add_tokens([AddedToken("naïve café", normalized=True),
                                  AddedToken("<x>", lstrip=True, normalized=False)])
            tokenizer.add_special_tokens([AddedToken(t, special=True) for t in SPECIAL])
        write_directory(directory / name, config, {"tokenizer.json": tokenizer.to_str()})
    for name, config in (("vocab-txt-cased", {"do_lower_case": False}),
                         ("vocab-txt-uncased", {})):
        if (directory / name).exists():
            continue
        lower = config.get("do_lower_case", True)
        tokenizer = word_piece(lines, size, bert(lower), P.BertPreTokenizer())
        vocab = sorted(tokenizer.get_vocab().items(), key=lambda pair: pair[1])
        write_directory(directory / name, BERT | config,
                        {"vocab.txt": "".join(token + "\n" for token, _ in vocab)})
    write_spm(directory, lines, 2 * size)


# Settings of BertJapaneseTokenizer that need no program which finds words. The
# first is that of ku-nlp/deberta-v2-base-japanese-char-wwm.
JAPANESE = {
    "japanese-characters": {"subword_tokenizer_type": "character",
                            "word_tokenizer_type": "basic", "do_word_tokenize": True},
    "japanese-pieces": {"subword_tokenizer_type": "wordpiece"},
    "japanese-whole": {"subword_tokenizer_type": "character", "do_word_tokenize": False,
                       "word_tokenizer_type": "mecab"},
    "japanese-cut": {"subword_tokenizer_type": "wordpiece", "do_word_tokenize": False,
                     "word_tokenizer_type": "mecab", "mecab_kwargs": {"mecab_dic": "unidic_lite"}},
}


def write_japanese(directory, lines, size):
    lines = [unicodedata.normalize("NFKC", line) for line in lines]
    characters = sorted(set("".join(lines)) - set(" \n\r"))
    # Some are unknown.
    vocabularies = {"character": SPECIAL + [c for i, c in enumerate(characters) if i % 9],
                    "wordpiece": None}
    for name, config in JAPANESE.items():
        if (directory / name).exists():
            continue
        kind = config["subword_tokenizer_type"]
        if vocabularies[kind] is None:
            tokenizer = word_piece(lines, size, bert(False, chinese=False),
                                   P.BertPreTokenizer())
            vocabularies[kind] = sorted(tokenizer.get_vocab(), key=tokenizer.token_to_id)
        write_directory(directory / name,
                        {"tokenizer_class": "BertJapaneseTokenizer", "do_lower_case": False,
                         "never_split": None} | config,
                        {"vocab.txt": "".join(token + "\n" for token in vocabularies[kind])})
