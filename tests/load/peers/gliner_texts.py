"""What entities are asked of: words that are mostly one token, some two, as names
and terms are, of the made-up vocabulary."""

import random

LABELS = ["person", "location", "date", "software", "licence"]
WORDS = 128
MIXED_WORDS = (5, 380)
SHAPES = {"1 text": [WORDS], "8 texts": [WORDS] * 8,
          "32 texts of 5 to 380 words": "mixed"}


def _word(draw):
    syllables = [a + b for a in "tnsrlmdkpbvg" for b in "aeiou"]
    return "".join(draw.choices(syllables, k=draw.choice((2, 2, 2, 3, 5))))


def texts(shape):
    draw = random.Random(5)
    lengths = SHAPES[shape]
    if lengths == "mixed":
        lengths = [draw.randint(*MIXED_WORDS) for _ in range(32)]
    return [" ".join(_word(draw) for _ in range(length)) for length in lengths]
