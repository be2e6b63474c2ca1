#!/usr/bin/env python3
"""Makes the golden data of the tokenizers.

  make_tokenizer_golden.py texts       collects texts/*.txt on a Debian machine
  make_tokenizer_golden.py tokenizers  trains tokenizers/*/ on them
  make_tokenizer_golden.py expected    writes tokenizers/*/expected.bin, .json
                                       and code_points.bin
  make_tokenizer_golden.py methods     writes tokenizers/*/methods.json
  make_tokenizer_golden.py show NAME CASE...   what the reference makes of a case

Needs transformers 4.57.1 with its tokenizers, sentencepiece and protobuf. What
is committed was made on Debian 12; see texts/README.md for the sources. The
layout of the .bin files is described in tests/tokenizer/golden_test.cc.
"""

import json
import os
import pathlib
import shutil
import struct
import sys
import tempfile

from golden_texts import cases, make_texts
from golden_tokenizers import TOKENIZERS, make_tokenizers

os.environ["PROTOCOL_BUFFERS_PYTHON_IMPLEMENTATION"] = "python"

NOT_RAW = ("tokenizer.json", "methods.json")
GOLDEN = pathlib.Path(__file__).resolve().parents[1]


def load(directory, raw):
    """Through tokenizer.json, or without it through the raw files."""
    from transformers import DebertaTokenizerFast, DebertaV2TokenizerFast

    v2 = (directory / "spm.model").exists()
    kind = DebertaV2TokenizerFast if v2 else DebertaTokenizerFast
    if not raw:
        return kind.from_pretrained(directory)
    with tempfile.TemporaryDirectory() as copy:
        for file in directory.iterdir():
            if file.name not in NOT_RAW and not file.name.startswith("expected"):
                shutil.copy(file, copy)
        return kind.from_pretrained(copy)


def encode(tokenizer, text, pair):
    encoding = tokenizer._tokenizer.encode(text, pair)
    return list(
        zip(
            encoding.ids,
            encoding.offsets,
            encoding.type_ids,
            encoding.special_tokens_mask,
            [-1 if w is None else w for w in encoding.word_ids],
        )
    )


def fnv1a(data):
    value = 0xCBF29CE484222325
    for byte in data:
        value = (value ^ byte) * 0x100000001B3 & 0xFFFFFFFFFFFFFFFF
    return value


def encoding_bytes(tokens):
    return b"".join(
        struct.pack("<iIIBBi", i, start, end, kind, special, word)
        for i, (start, end), kind, special, word in tokens
    )


def make_expected():
    every = cases()
    for directory in sorted(TOKENIZERS.iterdir()):
        tokenizer = load(directory, raw=False)
        raw = load(directory, raw=True)
        hashes = bytearray()
        examples = []
        differences = 0
        for number, (text, pair) in enumerate(every):
            tokens = encode(tokenizer, text, pair)
            differences += tokens != encode(raw, text, pair)
            ids = [t[0] for t in tokens]
            decoded = tokenizer.decode(ids, skip_special_tokens=number % 2 == 0)
            hashes += struct.pack(
                "<QQ", fnv1a(encoding_bytes(tokens)), fnv1a(decoded.encode())
            )
            if number % 211 == 0 and len(tokens) < 100:
                examples.append(describe(number, text, pair, tokens, decoded))
        (directory / "expected.bin").write_bytes(hashes)
        (directory / "expected.json").write_text(
            "[\n" + ",\n".join(json.dumps(e) for e in examples) + "\n]\n"
        )
        print(directory.name, len(every), "cases,", differences, "differ in raw files")


def make_code_points():
    from tokenizers import normalizers

    saved = TOKENIZERS / "v3-multilingual"
    normalizer = normalizers.Sequence(
        [normalizers.Lowercase(), load(saved, raw=False)._tokenizer.normalizer]
    )
    hashes = bytearray()
    for block in range(0, 0x110000, 0x400):
        out = []
        for code in range(block, block + 0x400):
            if not 0xD800 <= code < 0xE000:
                out.append(normalizer.normalize_str(chr(code)))
                out.append(normalizer.normalize_str("\u00bd" + chr(code) + "b"))
        text = "".join(line + "\n" for line in out)
        hashes += struct.pack("<Q", fnv1a(text.encode()))
    (GOLDEN / "code_points.bin").write_bytes(hashes)


def describe(number, text, pair, tokens, decoded):
    return {
        "case": number,
        "text": text,
        "pair": pair,
        "ids": [t[0] for t in tokens],
        "offsets": [t[1] for t in tokens],
        "type_ids": [t[2] for t in tokens],
        "special_tokens_mask": [t[3] for t in tokens],
        "words": [t[4] for t in tokens],
        "decoded": decoded,
    }


def show(name, numbers):
    every = cases()
    for raw in (False, True):
        tokenizer = load(TOKENIZERS / name, raw)
        for number in map(int, numbers):
            text, pair = every[number]
            tokens = encode(tokenizer, text, pair)
            ids = [t[0] for t in tokens]
            decoded = tokenizer.decode(ids, skip_special_tokens=number % 2 == 0)
            value = describe(number, text, pair, tokens, decoded)
            value["tokens"] = tokenizer.convert_ids_to_tokens(ids)
            value["raw"] = raw
            print(json.dumps(value, indent=1, ensure_ascii=True))


def make_methods():
    """What the four methods give, in tokenizers/*/methods.json."""
    from transformers import DebertaTokenizer, DebertaV2Tokenizer

    first, second = [5, 1, 9], [7, 3, 0, 2]
    for directory in sorted(TOKENIZERS.iterdir()):
        fast = load(directory, raw=False)
        v2 = (directory / "spm.model").exists()
        # The fast tokenizer of v1 refuses the mask of ids that have no special
        # tokens yet.
        slow = (DebertaV2Tokenizer if v2 else DebertaTokenizer).from_pretrained(
            directory
        )
        every = list(range(12)) + list(range(len(fast) - 4, len(fast)))
        methods = {
            "a": first,
            "b": second,
            "inputs": fast.build_inputs_with_special_tokens(first),
            "pair_inputs": fast.build_inputs_with_special_tokens(first, second),
            "types": fast.create_token_type_ids_from_sequences(first),
            "pair_types": fast.create_token_type_ids_from_sequences(first, second),
            "mask": slow.get_special_tokens_mask(first),
            "pair_mask": slow.get_special_tokens_mask(first, second),
            "ids": every,
            "mask_of_ids": fast.get_special_tokens_mask(
                every, already_has_special_tokens=True
            ),
        }
        (directory / "methods.json").write_text(json.dumps(methods) + "\n")


def main():
    command = sys.argv[1] if len(sys.argv) > 1 else ""
    if command == "texts":
        make_texts()
    elif command == "tokenizers":
        make_tokenizers()
    elif command == "expected":
        make_expected()
        make_code_points()
    elif command == "methods":
        make_methods()
    elif command == "show" and len(sys.argv) > 3:
        show(sys.argv[2], sys.argv[3:])
    else:
        sys.exit(__doc__)


if __name__ == "__main__":
    main()
