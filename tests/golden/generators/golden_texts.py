"""The texts of the tokenizers' golden data: where they come from, and the cases
that are made of them."""

import hashlib
import pathlib
import random
import struct

TEXTS = pathlib.Path(__file__).resolve().parents[1] / "texts"
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


POOLS = [
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
WORDS = [
    "[MASK]", "[CLS]", "[SEP]", "[UNK]", "[PAD]", "<0x41>", "<0xE2>", "<tool>",
    "<ctrl>", "word", "the", "file", "  ", " ", "'s", "'ll", "don't", "\u2581", "a",
    "1", "\u0e01\u0e33", "\u4e2d\u6587", "\u043c\u0438\u0440",
]  # fmt: skip


def mixed_characters(rnd):
    chosen = [rnd.choice(POOLS) for _ in range(rnd.randint(1, 4))]
    length = rnd.choice([1, 2, 3, 5, 8, 13, 21, 40])
    return "".join(chr(rnd.choice(rnd.choice(chosen))) for _ in range(length))


def mixed_words(rnd):
    parts = []
    for _ in range(rnd.randint(2, 9)):
        parts.append(rnd.choice(WORDS))
        if rnd.random() < 0.4:
            parts.append(chr(rnd.choice(rnd.choice(POOLS))))
        if rnd.random() < 0.4:
            parts.append(" " * rnd.randint(1, 3))
    return "".join(parts)


def hostile_lines():
    rnd = random.Random(20240607)
    lines = list(HOSTILE_FIXED)
    lines += [mixed_characters(rnd) for _ in range(380)]
    lines += [mixed_words(rnd) for _ in range(150)]
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
