"""Random pipelines of tokenizer.json around a few small models.

train(lines, size) makes the models, {name: "model" of tokenizer.json}, and
draw(rnd, models) a tokenizer of one of them: its name and a tokenizers.Tokenizer
whose every other part is drawn. Used by make_random_pipeline_golden.py and
tests/conformance/random_pipeline_lines.py.
"""

import base64
import collections
import json
import pathlib

from tokenizers import (AddedToken, Regex, Tokenizer, decoders, models,
                        normalizers, pre_tokenizers, processors, trainers)

from pipeline_tokenizers import SPECIAL

CHARSMAP = (pathlib.Path(__file__).resolve().parents[1]
            / "tokenizers/v3-multilingual/tokenizer.json")
PATTERNS = [
    r"\d+", r"\p{L}+", r"\s+", r"[^\s\p{L}]+", r"\w+|[^\w\s]+", r"[.,;]", r"\p{L}{2}",
    r" ?\p{L}+| ?\p{N}+", r"\p{N}{1,3}", r"(?i:the|'s)", r"e", r"[aeiou]{2,}",
    r"[\p{L}\p{N}]+|\s+(?!\S)|\s+", r"\S+\s*", r"\p{P}", r"[^\r\n\p{L}\p{N}]?\p{L}+",
    r".", r"\W+", r"\D", r"a|ab|abc", r"[à-ÿ]+", r"\p{S}+", r"x{2}y?|the",
    r"\p{Lu}\p{Ll}*", r"[\p{L}\p{M}]+", r"[\p{P}\p{S}]", r"[^\p{Lo}\s]+", r"[^\W\d]+"]
LITERALS = ["-", " ", "e", "the", "ss", "..", "é", "▁", "'", "aa"]
BEHAVIORS = ["removed", "isolated", "merged_with_previous", "merged_with_next",
             "contiguous"]
ADDED = ["the", "é", " a", "İ", "ab c", "<x>", "naïve café", "  ", ".", "▁", "Straße",
         "ﬁ", "1", "中文", "E", "in"]
N, P = normalizers, pre_tokenizers


def charsmap():
    """SentencePiece's nmt_nfkc in base64, as the golden tokenizers have it."""
    return next(step["precompiled_charsmap"]
                for step in json.loads(CHARSMAP.read_text())["normalizer"]["normalizers"]
                if step["type"] == "Precompiled")


def maybe(rnd, chance=0.5):
    return rnd.random() < chance


def a_normalizer(rnd):
    return rnd.choice([
        N.NFC, N.NFD, N.NFKC, N.NFKD, N.Lowercase, N.StripAccents, N.Nmt,
        lambda: N.Precompiled(base64.b64decode(charsmap())),
        lambda: N.Strip(maybe(rnd), maybe(rnd)),
        lambda: N.Replace(rnd.choice(LITERALS), rnd.choice(["", " ", "▁", "xy", "é"])),
        lambda: N.Replace(Regex(rnd.choice(PATTERNS)), rnd.choice(["", " ", "▁", "ﬁ"])),
        lambda: N.Prepend(rnd.choice(["▁", " ", "x", "é", "ab"])),
        lambda: N.BertNormalizer(
            clean_text=maybe(rnd), handle_chinese_chars=maybe(rnd),
            strip_accents=rnd.choice([None, True, False]), lowercase=maybe(rnd)),
    ])()


def a_pre_tokenizer(rnd):
    return rnd.choice([
        P.BertPreTokenizer, P.Whitespace, P.WhitespaceSplit, P.UnicodeScripts,
        lambda: P.Digits(maybe(rnd)),
        lambda: P.Punctuation(rnd.choice(BEHAVIORS)),
        lambda: P.CharDelimiterSplit(rnd.choice([" ", "e", "-", "é", "▁"])),
        lambda: P.Split(rnd.choice(LITERALS), rnd.choice(BEHAVIORS), maybe(rnd, 0.3)),
        lambda: P.Split(Regex(rnd.choice(PATTERNS)), rnd.choice(BEHAVIORS),
                        maybe(rnd, 0.3)),
        lambda: P.Metaspace(rnd.choice("▁▁▁_"), split=maybe(rnd, 0.7),
                            prepend_scheme=rnd.choice(["always", "first", "never"])),
        lambda: P.ByteLevel(add_prefix_space=maybe(rnd), use_regex=maybe(rnd)),
    ])()


def steps(rnd, draw_one, sequence):
    """None, one step, or some."""
    drawn = [draw_one(rnd) for _ in range(rnd.choice([0, 1, 1, 2, 2, 3]))]
    if not drawn:
        return None
    return drawn[0] if len(drawn) == 1 and maybe(rnd) else sequence(drawn)


def a_post_processor(rnd):
    ends = ("[SEP]", SPECIAL.index("[SEP]")), ("[CLS]", SPECIAL.index("[CLS]"))
    template = processors.TemplateProcessing(
        single=rnd.choice(["[CLS] $A [SEP]", "$A [SEP]", "[CLS] $A",
                           "[CLS]:1 [CLS] $A:1 [SEP]"]),
        pair=rnd.choice(["[CLS] $A [SEP] $B:1 [SEP]:1", "[CLS] $B:1 [SEP] $A",
                         "[CLS] $A $B:1 [SEP]"]),
        special_tokens=list(ends))
    trims = {"trim_offsets": maybe(rnd, 0.7), "add_prefix_space": maybe(rnd)}
    return rnd.choice([
        lambda: template, lambda: processors.BertProcessing(*ends),
        lambda: processors.RobertaProcessing(*ends, **trims),
        lambda: processors.Sequence([processors.ByteLevel(**trims), template])])()


def a_decoder(rnd):
    return rnd.choice([
        decoders.WordPiece, decoders.Metaspace, decoders.ByteLevel, decoders.Fuse,
        lambda: decoders.BPEDecoder("</w>"),
        lambda: decoders.Sequence([decoders.Replace("▁", " "), decoders.ByteFallback(),
                                   decoders.Fuse(), decoders.Strip(" ", 1, 0)])])()


def a_model(rnd, model):
    """The model with other settings."""
    model = dict(model)
    if model["type"] == "WordPiece":
        model["max_input_chars_per_word"] = rnd.choice([100, 5])
    elif model["type"] == "BPE":
        model["unk_token"] = rnd.choice([None, "[UNK]", "[UNK]"])
        model["fuse_unk"], model["ignore_merges"] = maybe(rnd), maybe(rnd)
        model["byte_fallback"] = "<0x00>" in model["vocab"] and maybe(rnd)
    else:
        model["byte_fallback"] = maybe(rnd, 0.3)
    return model


def draw(rnd, every):
    name = rnd.choice(sorted(every))
    tokenizer = Tokenizer.from_str(json.dumps({"model": a_model(rnd, every[name])}))
    normalizer = steps(rnd, a_normalizer, N.Sequence)
    if normalizer is not None:
        tokenizer.normalizer = normalizer
    pre_tokenizer = steps(rnd, a_pre_tokenizer, P.Sequence)
    if pre_tokenizer is not None:
        tokenizer.pre_tokenizer = pre_tokenizer
    tokenizer.post_processor = a_post_processor(rnd)
    tokenizer.decoder = a_decoder(rnd)
    tokenizer.add_special_tokens([AddedToken(t, special=True) for t in SPECIAL])
    for _ in range(rnd.choice([0, 1, 1, 2, 3])):
        tokenizer.add_tokens([AddedToken(
            rnd.choice(ADDED), single_word=maybe(rnd, 0.4), lstrip=maybe(rnd, 0.4),
            rstrip=maybe(rnd, 0.4), normalized=maybe(rnd), special=maybe(rnd, 0.3))])
    return name, tokenizer


def train(lines, size):
    """Models that were trained on the lines, each for another pre-tokenizer."""
    common = collections.Counter("".join(lines)).most_common(size // 4)
    known = {character for character, _ in common}
    # Its trainer refuses more characters than pieces.
    plain = [line for line in lines if known.issuperset(line)]

    def trained(model, pre_tokenizer, trainer, lines=lines, **options):
        tokenizer = Tokenizer(model)
        if pre_tokenizer is not None:
            tokenizer.pre_tokenizer = pre_tokenizer
        tokenizer.train_from_iterator(lines, trainer(
            vocab_size=size, show_progress=False, **options))
        return json.loads(tokenizer.to_str())["model"]

    def bpe(pre_tokenizer, special=(), **affixes):
        return trained(models.BPE(unk_token="[UNK]", **affixes), pre_tokenizer,
                       trainers.BpeTrainer, special_tokens=SPECIAL + list(special),
                       limit_alphabet=size // 4, **affixes)

    def unigram(pre_tokenizer):
        return trained(models.Unigram(), pre_tokenizer, trainers.UnigramTrainer, plain,
                       special_tokens=SPECIAL, unk_token="[UNK]")

    return {
        "wordpiece": trained(models.WordPiece(unk_token="[UNK]"), P.BertPreTokenizer(),
                             trainers.WordPieceTrainer, special_tokens=SPECIAL,
                             limit_alphabet=size // 4),
        "bpe": bpe(None, [f"<0x{b:02X}>" for b in range(256)]),
        "bpe-bytes": bpe(P.ByteLevel(add_prefix_space=False)),
        "bpe-prefix": bpe(P.Whitespace(), continuing_subword_prefix="##"),
        "bpe-suffix": bpe(P.Whitespace(), end_of_word_suffix="</w>"),
        "unigram": unigram(None),
        "unigram-words": unigram(P.Metaspace()),
    }
