#!/usr/bin/env python3
"""Writes tokenizers/*/expected_hf5.bin or expected_spm.bin: what transformers 5,
or the slow tokenizers of 4.57.1 over SentencePiece 0.2.3, make of every fourth
case. Which of them, the running Python tells.

Two 64-bit FNV-1a hashes a case, as in expected.bin; of spm, which has no more,
the first is of the ids alone. The second is 0 where tokenizers 0.23 decodes an
added token in its normalised spelling ("[unk]"), which is not followed. Cases are single texts, since a pair of slow
tokenizers is no more than two of them.
"""

import os
import struct

os.environ["PROTOCOL_BUFFERS_PYTHON_IMPLEMENTATION"] = "python"

import transformers  # noqa: E402

from golden_texts import cases  # noqa: E402
from golden_tokenizers import TOKENIZERS  # noqa: E402
from make_tokenizer_golden import encode, encoding_bytes, fnv1a  # noqa: E402

EVERY = 4


def main():
    version_5 = int(transformers.__version__.split(".")[0]) >= 5
    texts = [text for text, _ in cases()][::EVERY]
    for directory in sorted(TOKENIZERS.iterdir()):
        if not (directory / "spm.model").exists():
            continue
        tokenizer = transformers.DebertaV2Tokenizer.from_pretrained(directory)
        added = tokenizer.added_tokens_decoder
        hashes = bytearray()
        for number, text in enumerate(texts):
            if version_5:
                tokens = encode(tokenizer, text, None)
                ids = [token[0] for token in tokens]
                encoded = encoding_bytes(tokens)
            else:
                ids = tokenizer(text)["input_ids"]
                encoded = struct.pack(f"<{len(ids)}i", *ids)
            decoded = tokenizer.decode(ids, skip_special_tokens=number % 2 == 0)
            respelled = version_5 and any(
                tokenizer.convert_ids_to_tokens(i) != str(added[i])
                for i in ids
                if i in added
            )
            hashes += struct.pack(
                "<QQ", fnv1a(encoded), 0 if respelled else fnv1a(decoded.encode())
            )
        name = "expected_hf5.bin" if version_5 else "expected_spm.bin"
        (directory / name).write_bytes(hashes)
        print(directory.name, name, len(texts), "cases")


if __name__ == "__main__":
    main()
