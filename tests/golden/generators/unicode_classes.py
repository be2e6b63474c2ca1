#!/usr/bin/env python3
"""Prints size and FNV-1a hash of each character class as tokenizers sees it.

tests/tokenizer/text/unicode_test.cc holds the output, made with tokenizers 0.22.2.
"""

from tokenizers import AddedToken, Regex, Tokenizer, models
from tokenizers import normalizers, pre_tokenizers

SCALARS = [c for c in range(0x110000) if not 0xD800 <= c < 0xE000]


def matched(pattern):
    erase = normalizers.Replace(Regex(pattern), "")
    return [c for c in SCALARS if erase.normalize_str(chr(c)) == ""]


def punctuation():
    split = pre_tokenizers.Punctuation("isolated")
    return [c for c in SCALARS if len(split.pre_tokenize_str("a" + chr(c))) == 2]


def word_characters():
    tokenizer = Tokenizer(models.WordLevel({"?": 0}, "?"))
    tokenizer.add_tokens([AddedToken("@@", single_word=True)])
    return [c for c in SCALARS if 1 not in tokenizer.encode(chr(c) + "@@").ids]


def scripts(before):
    """Those that UnicodeScripts cuts off what `before` says stands before them."""
    split = pre_tokenizers.UnicodeScripts()
    return [c for c in SCALARS
            if len(split.pre_tokenize_str(before(c) + chr(c))) == 2]


def neighbour(c):
    return "" if c in (0, 0xE000) else chr(c - 1)


def fnv1a(code_points):
    value = 0xCBF29CE484222325
    for code_point in code_points:
        value = ((value ^ code_point) * 0x100000001B3) % 2**64
    return value


for name, members in (
    ("IsWhiteSpace", matched(r"\s")),
    ("IsLetter", matched(r"\p{L}")),
    ("IsNumber", matched(r"\p{N}")),
    ("IsWordCharacter", word_characters()),
    ("IsPunctuation", punctuation()),
    ("script unlike the last one's", scripts(neighbour)),
    ("script unlike A's", scripts(lambda c: "A")),
    ("script unlike that of U+30A2", scripts(lambda c: "\u30a2")),
    ("script unlike a comma's", scripts(lambda c: ",")),
):
    print(f"{name}: {len(members)}, 0x{fnv1a(members):016X}")
