"""Texts and spans that the cases of make_task_golden.py are made of."""

WORDS = """Marta Lindqvist Paris France Berlin Germany Oslo Lisbon Contoso
Ahmed Khan New York the old harbour at dawn walked down capital of is and
in 1994 company offices moved letter was found ship arrived don't who's they'll
great terrible films water boils 100 degrees river flows north valley sea town
München Zürich 東京 🙂 naïve 3.5% (sea) "we" x-ray unbelievably""".split()

TEXTS = [
    "Marta Lindqvist walked down to the harbour in Oslo.",
    "Paris is the capital of France, and Berlin is the capital of Germany.",
    "  Two  spaces   and\ttabs\nand lines \n",
    "In 1994 the Northwind Company moved from Oslo to Lisbon\u2026",
    "Don't say they'll come; Dr. Khan's \u00bd price (3.5%) fell.",
    "München und Zürich: große Häuser 🙂🙂 in 東京, naïve \ufb01lms.",
    "x",
    "[CLS] typed by hand [SEP] and [UNK] too",
    "tail space ",
    "\u3000wide\u3000space\u00a0and e\u0301 combining \U0001F468\u200D\U0001F469",
    "UNBELIEVABLY LONG WORDS: antidisestablishmentarianism!!! ???",
    "New York, New York: the old town; the old harbour.",
]

# What stands between words, mostly one space.
GAPS = [" "] * 12 + ["  ", "\n", "\t", ", ", " - ", "\u00a0", "\u3000", "", "'s "]

WHITE_SPACE = ("\t\n\v\f\r \x85\xa0\u1680\u2000\u2001\u2002\u2003\u2004\u2005"
               "\u2006\u2007\u2008\u2009\u200a\u2028\u2029\u202f\u205f\u3000")
UNITS = ("code_points", "utf8_bytes", "utf16_code_units")


def in_unit(text, position, unit):
    head = text[:position]
    if unit == "utf8_bytes":
        return len(head.encode())
    if unit == "utf16_code_units":
        return len(head.encode("utf-16-le")) // 2
    return position


def trimmed(text, start, end):
    while start < end and text[start] in WHITE_SPACE:
        start += 1
    while end > start and text[end - 1] in WHITE_SPACE:
        end -= 1
    return start, end


def location(text, start, end, unit):
    """The reference's own span; the trimmed one in `unit` and its text."""
    end = max(start, end)
    begin, stop = trimmed(text, start, end) if text[start:end].strip(
        WHITE_SPACE) else (start, start)
    return [start, end, in_unit(text, begin, unit), in_unit(text, stop, unit),
            text[begin:stop]]


def score(value):
    return float(f"{float(value):.6g}")


def sentence(rng, words):
    return " ".join(rng.choice(WORDS) for _ in range(words)) + rng.choice(".?!")


def odd_text(rng, words):
    """Words with anything between them."""
    return "".join(rng.choice(WORDS) + rng.choice(GAPS)
                   for _ in range(words)) + rng.choice("xa1.")


def text_of(rng, number, lengths=(3, 20, 60)):
    """One of TEXTS for the first numbers, then a text of random words."""
    if number < len(TEXTS):
        return TEXTS[number]
    make = odd_text if number % 2 else sentence
    return make(rng, rng.choice(lengths))
