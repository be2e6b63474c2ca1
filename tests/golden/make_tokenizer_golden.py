#!/usr/bin/env python3
"""Makes the golden data of the tokenizers.

  make_tokenizer_golden.py texts       collects texts/*.txt on a Debian machine
  make_tokenizer_golden.py tokenizers  trains tokenizers/*/ on them
  make_tokenizer_golden.py expected    writes tokenizers/*/expected.bin, .json
                                       and code_points.bin
  make_tokenizer_golden.py show NAME CASE...   what the reference makes of a case

Needs transformers 4.57.1 with its tokenizers, sentencepiece and protobuf. What
is committed was made on Debian 12; see texts/README.md for the sources. The
layout of the .bin files is described in tests/tokenizer/golden_test.cc.
"""

import hashlib
import json
import os
import pathlib
import random
import shutil
import struct
import sys
import tempfile

os.environ["PROTOCOL_BUFFERS_PYTHON_IMPLEMENTATION"] = "python"

HERE = pathlib.Path(__file__).resolve().parent
TEXTS = HERE / "texts"
TOKENIZERS = HERE / "tokenizers"
LOCALE = pathlib.Path("/usr/share/locale")

# gettext domain, most lines of it that a language gives
DOMAINS = [
    ("glib20", 34),
    ("Linux-PAM", 14),
    ("shadow", 12),
    ("xkeyboard-config", 8),
    ("iso_3166-1", 10),
    ("iso_639-3", 8),
]
MAX_CHARACTERS = 300
SPECIAL = ["[PAD]", "[CLS]", "[SEP]", "[UNK]"]


# --- texts -------------------------------------------------------------------


def catalog(path):
    """(English, translation) of a .mo file whose text is UTF-8."""
    data = path.read_bytes()
    order = "<" if data[:4] == b"\xde\x12\x04\x95" else ">"
    count, keys, values = struct.unpack_from(order + "3I", data, 8)

    def string(table, i):
        length, at = struct.unpack_from(order + "2I", data, table + 8 * i)
        return data[at : at + length]

    pairs = []
    for i in range(count):
        # A context and a plural form are not texts of their own.
        key = string(keys, i).split(b"\x04")[-1].split(b"\0")[0]
        value = string(values, i).split(b"\0")[0]
        try:
            pairs.append((key.decode(), value.decode()))
        except UnicodeDecodeError:
            continue
    return [(k, v) for k, v in pairs if k]


def one_line(text):
    return " ".join(text.split("\n"))


def shuffled(texts):
    """An order that depends on nothing but the texts."""
    return sorted(texts, key=lambda t: hashlib.sha256(t.encode()).digest())


def messages(language, domain):
    path = LOCALE / language / "LC_MESSAGES" / f"{domain}.mo"
    if not path.exists():
        return []
    return shuffled(
        {
            one_line(text)
            for english, text in catalog(path)
            if 1 < len(text) <= MAX_CHARACTERS and text != english and "\r" not in text
        }
    )


def make_texts():
    TEXTS.mkdir(exist_ok=True)
    lines = []
    for directory in sorted(p.name for p in LOCALE.iterdir() if p.is_dir()):
        for domain, most in DOMAINS:
            lines += messages(directory, domain)[:most]
    lines = list(dict.fromkeys(lines))
    (TEXTS / "translations.txt").write_text("\n".join(lines) + "\n")

    english = shuffled(
        {
            one_line(key)
            for domain, _ in DOMAINS[:4]
            for key, _ in catalog(LOCALE / "de" / "LC_MESSAGES" / f"{domain}.mo")
            if 20 < len(key) <= MAX_CHARACTERS
        }
    )
    (TEXTS / "english.txt").write_text("\n".join(english[:600]) + "\n")
    (TEXTS / "hostile.txt").write_text(
        "".join(escape(line) + "\n" for line in hostile_lines())
    )


def escape(text):
    """ASCII only: the file holds controls and is still a text file."""
    return "".join(
        c if 0x20 <= ord(c) < 0x7F and c != "\\" else "\\u{%X}" % ord(c) for c in text
    )


def unescape(line):
    out = []
    i = 0
    while i < len(line):
        if line.startswith("\\u{", i):
            end = line.index("}", i)
            out.append(chr(int(line[i + 3 : end], 16)))
            i = end + 1
        else:
            out.append(line[i])
            i += 1
    return "".join(out)


HOSTILE_FIXED = [
    "",
    " ",
    "  ",
    "\u3000",
    "\t\n",
    "\u2581",
    "\u2581\u2581a",
    "a\u2581b \u2581 c",
    "hello",
    " hello",
    "hello ",
    "  hello   world  ",
    "\u00a0hello\u00a0world\u00a0",
    "hello\u3000world",
    "[CLS]",
    "[MASK]",
    "[UNK]",
    "the [MASK] cat",
    "the  [MASK]  cat",
    "the[MASK]cat",
    "[CLS][SEP][PAD][MASK][UNK]",
    "[CLS] a [SEP] b [SEP]",
    "hello [UNK] cat",
    "x[UNK]y",
    "[mask] [Mask] [MASK ] [ MASK]",
    "[MASK][MASK] [MASK]\n[MASK]\u3000[MASK]",
    "<0x41> <0x0A> <0xFF> <0x4>",
    "<s></s><unk><pad>",
    "<tool>a<tool> <ctrl> <TOOL>",
    "wordword word, word. subword",
    "\ufeffhello",
    "hello\ufeff",
    "\u200bhello\u200b",
    "he\u200bllo",
    "\u00ad\u00adsoft\u00adhyphen",
    "\r\n",
    "a\r\nb\rc\nd",
    "a\x00b",
    "\x00",
    "\x00 hello \x00",
    "\x01\x02\x1f\x7f\x80\x9f",
    "\u00bd \u2153 \ufb01 \u2026 \u2122 \u2460 \u33a5",
    "\uff21\uff22\uff23 \uff11\uff12\uff13",
    "\uff76\uff9e\uff8a\uff9f \uff76\uff9f\uff9e",
    "A\u0302\u0300 a\u0300\u0302 e\u0301\u0327",
    "\u1100\u1161\u11a8 \uac01 \u1112\u1161\u11ab",
    "\u0130 \u0131 \u03a3\u03a3 \u1e9e \u01c5 \u2126 \u212a",
    "\U0001f468\u200d\U0001f469\u200d\U0001f467\u200d\U0001f466",
    "\U0001f1e9\U0001f1ea\U0001f1eb",
    "\u2764\ufe0f\u2764\ufe0e \U0001f44d\U0001f3fd",
    "\u202eright to left\u202c \u200fmark\u200e",
    "\ud7ff \ue000 \uf8ff \uffff \ufffe \U0010ffff \U000f0000",
    "\u0378 \u0530 \U0001fbff \U000e0001 \U000e0041",
    "I'll don't 'S 'd WE'RE we've I'm",
    "a  b   c\t\td",
    "x\n\n y",
    "x \n",
    "a_b-c",
    "1234567890 12,345.67 0x1F \u0661\u0662\u0663 \u2167",
    "!@#$%^&*()_+-=[]{}|;':\",./<>?`~",
    "http://example.org/a?b=c&d=%20#e user@example.org",
    "a" * 3000,
    "ab " * 700,
    " " * 2000,
    "\u2581" * 500,
    "\u0301" * 500,
    "\uac00" * 600,
    "e" + "\u0301" * 400,
    "\U0001f600" * 300,
    "\u200d" * 300,
]


def hostile_lines():
    rnd = random.Random(20240607)
    pools = [
        range(0x20, 0x7F),
        range(0x00, 0x20),
        range(0x7F, 0x100),
        range(0x300, 0x370),
        range(0x1100, 0x1200),
        range(0xAC00, 0xAD00),
        range(0xFF61, 0xFFA0),
        range(0xFF01, 0xFF5F),
        range(0x2000, 0x2070),
        range(0x1F1E6, 0x1F200),
        range(0x1F300, 0x1F650),
        range(0x900, 0x980),
        range(0xE00, 0xE80),
        range(0xF00, 0xFD5),
        range(0x600, 0x700),
        range(0x590, 0x600),
        range(0x3300, 0x3400),
        range(0x2150, 0x2190),
        range(0xE000, 0xE100),
        range(0xF900, 0xFB50),
        range(0x1D400, 0x1D500),
        range(0x2F800, 0x2FA20),
        range(0x20000, 0x20100),
        range(0x10FFF0, 0x110000),
        range(0xD7F0, 0xD800),
        range(0xFFF0, 0x10000),
        [0x200D, 0x200C, 0x200B, 0xFEFF, 0x200E, 0x200F, 0x202E, 0xFE0F, 0x1F468],
        [0x20, 0x20, 0x20, 0xA0, 0x3000, 0x09, 0x0A, 0x0D, 0x2581, 0x85, 0x2028],
        [0xA9, 0xAE, 0xAD, 0xBD, 0x130, 0x3A3, 0x915, 0x94D, 0x958, 0x300],
    ]
    words = [
        "[MASK]", "[CLS]", "[SEP]", "[UNK]", "[PAD]", "<0x41>", "<0xE2>", "<tool>",
        "<ctrl>", "word", "the", "file", "  ", " ", "'s", "'ll", "don't", "\u2581", "a",
        "1", "\u0e01\u0e33", "\u4e2d\u6587", "\u043c\u0438\u0440",
    ]  # fmt: skip
    lines = list(HOSTILE_FIXED)
    for _ in range(380):
        chosen = [rnd.choice(pools) for _ in range(rnd.randint(1, 4))]
        length = rnd.choice([1, 2, 3, 5, 8, 13, 21, 40])
        lines.append(
            "".join(chr(rnd.choice(rnd.choice(chosen))) for _ in range(length))
        )
    for _ in range(150):
        parts = []
        for _ in range(rnd.randint(2, 9)):
            parts.append(rnd.choice(words))
            if rnd.random() < 0.4:
                parts.append(chr(rnd.choice(rnd.choice(pools))))
            if rnd.random() < 0.4:
                parts.append(" " * rnd.randint(1, 3))
        lines.append("".join(parts))
    return lines


def read_texts():
    def raw(name):
        return (TEXTS / name).read_text().split("\n")[:-1]

    return raw("english.txt") + raw("translations.txt"), [
        unescape(line) for line in raw("hostile.txt")
    ]


def cases():
    """(text, pair or None) in the order of expected.bin."""
    natural, hostile = read_texts()
    lines = natural + hostile
    n = len(lines)
    out = [(line, None) for line in lines]
    out += [(lines[i], lines[(i * 7 + 3) % n]) for i in range(0, n, 16)]
    out += [(line, natural[i]) for i, line in enumerate(hostile[::4])]
    return out


# --- tokenizers --------------------------------------------------------------


def write_bpe(directory, lines, vocab_size, drop_bytes, settings, extra_tokens):
    """vocab.json and merges.txt as Microsoft's files have them: the specials
    first, [MASK] last; then what save_pretrained adds."""
    from tokenizers import Tokenizer, models, pre_tokenizers, trainers
    from transformers import DebertaTokenizerFast

    model = Tokenizer(models.BPE())
    model.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    trainer = trainers.BpeTrainer(
        vocab_size=vocab_size,
        initial_alphabet=sorted(pre_tokenizers.ByteLevel.alphabet()),
        show_progress=False,
    )
    model.train_from_iterator(lines, trainer)
    trained = json.loads(model.to_str())["model"]
    ordered = sorted(trained["vocab"], key=trained["vocab"].get)
    ordered = [t for t in ordered if t not in drop_bytes]
    merges = [m if isinstance(m, list) else m.split(" ") for m in trained["merges"]]
    vocab = {t: i for i, t in enumerate(SPECIAL + ordered + ["[MASK]"])}
    merges = [m for m in merges if all(p in vocab for p in (*m, "".join(m)))]

    with tempfile.TemporaryDirectory() as raw:
        raw = pathlib.Path(raw)
        (raw / "vocab.json").write_text(json.dumps(vocab, ensure_ascii=False))
        (raw / "merges.txt").write_text(
            "#version: 0.2\n" + "".join(f"{a} {b}\n" for a, b in merges)
        )
        tokenizer = DebertaTokenizerFast(
            str(raw / "vocab.json"), str(raw / "merges.txt"), **settings
        )
        save(tokenizer, directory, extra_tokens)


def write_unigram(directory, lines, trainer, settings, extra_tokens):
    import sentencepiece
    from transformers import DebertaV2TokenizerFast

    with tempfile.TemporaryDirectory() as raw:
        raw = pathlib.Path(raw)
        with open(raw / "spm.model", "wb") as file:
            sentencepiece.SentencePieceTrainer.train(
                sentence_iterator=iter(lines),
                model_writer=file,
                model_type="unigram",
                pad_id=0, pad_piece="[PAD]", bos_id=1, bos_piece="[CLS]",
                eos_id=2, eos_piece="[SEP]", unk_id=3, unk_piece="[UNK]",
                num_threads=1, minloglevel=2, hard_vocab_limit=False,
                **trainer,
            )  # fmt: skip
        tokenizer = DebertaV2TokenizerFast(str(raw / "spm.model"), **settings)
        save(tokenizer, directory, extra_tokens)


def save(tokenizer, directory, extra_tokens):
    shutil.rmtree(directory, ignore_errors=True)
    directory.mkdir(parents=True)
    if extra_tokens:
        tokenizer.add_tokens(extra_tokens)
    tokenizer.save_pretrained(directory)
    # Compact: the file is as valid, and half as large.
    file = directory / "tokenizer.json"
    content = json.loads(file.read_text())
    file.write_text(json.dumps(content, ensure_ascii=False, separators=(",", ":")))


def make_tokenizers():
    from tokenizers import AddedToken

    natural, _ = read_texts()
    english = natural[:600]
    european = [t for t in natural if max(map(ord, t)) < 0x250]
    write_bpe(TOKENIZERS / "v1", natural[:3000], 3000, [], {}, [])
    write_bpe(
        TOKENIZERS / "v1-quirks",
        european,
        1500,
        # Symbols of the bytes FF, E4 and 09: a text loses them.
        ["\u00ff", "\u00e4", "\u0109"],
        {"add_prefix_space": True, "model_max_length": 512},
        [
            AddedToken("<tool>", single_word=True, normalized=False),
            AddedToken("word", single_word=True, normalized=True),
            AddedToken("<ctrl>", lstrip=True, rstrip=True, normalized=False),
        ],
    )
    write_unigram(
        TOKENIZERS / "v3-multilingual",
        natural,
        {
            "vocab_size": 4000,
            "normalization_rule_name": "nmt_nfkc",
            "byte_fallback": True,
            "character_coverage": 0.995,
        },
        {"model_max_length": 512},
        [],
    )
    write_unigram(
        TOKENIZERS / "v2-punct",
        european,
        {"vocab_size": 2000, "normalization_rule_name": "nmt_nfkc"},
        {"split_by_punct": True},
        [
            AddedToken("word", single_word=True, normalized=True),
            AddedToken("<tool>", lstrip=True, rstrip=True, normalized=False),
        ],
    )
    write_unigram(
        TOKENIZERS / "v3-lower",
        [t.lower() for t in english + natural[2000:4000]],
        {
            "vocab_size": 2500,
            "normalization_rule_name": "identity",
            "character_coverage": 0.98,
            "byte_fallback": True,
            "user_defined_symbols": ["<tool>"],
            "control_symbols": ["<ctrl>"],
        },
        {"do_lower_case": True, "clean_up_tokenization_spaces": True},
        [],
    )
    write_unigram(
        TOKENIZERS / "mdeberta-folded",
        natural[::2],
        {
            "vocab_size": 3000,
            "normalization_rule_name": "nmt_nfkc_cf",
            "character_coverage": 0.98,
            "remove_extra_whitespaces": False,
        },
        {},
        [],
    )


# --- expected values ---------------------------------------------------------


def load(directory, raw):
    """Through tokenizer.json, or without it through the raw files."""
    from transformers import DebertaTokenizerFast, DebertaV2TokenizerFast

    v2 = (directory / "spm.model").exists()
    kind = DebertaV2TokenizerFast if v2 else DebertaTokenizerFast
    if not raw:
        return kind.from_pretrained(directory)
    with tempfile.TemporaryDirectory() as copy:
        for file in directory.iterdir():
            if file.name not in ("tokenizer.json", "expected.bin", "expected.json"):
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
    (HERE / "code_points.bin").write_bytes(hashes)


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


def main():
    command = sys.argv[1] if len(sys.argv) > 1 else ""
    if command == "texts":
        make_texts()
    elif command == "tokenizers":
        make_tokenizers()
    elif command == "expected":
        make_expected()
        make_code_points()
    elif command == "show" and len(sys.argv) > 3:
        show(sys.argv[2], sys.argv[3:])
    else:
        sys.exit(__doc__)


if __name__ == "__main__":
    main()
