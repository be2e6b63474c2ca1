"""What entities are asked of: words of the made-up vocabulary, three of four one
token and the others two, as names and terms are."""

import random

LABELS = ["person", "location", "date", "software", "licence"]
WORDS = 128
MIXED_WORDS = (5, 380)
SHAPES = {"1 text": [WORDS], "8 texts": [WORDS] * 8,
          "32 texts of 5 to 380 words": "mixed"}


def _word(draw):
    syllables = [a + b for a in "tnsrlmdkpbvg" for b in "aeiou"]
    if draw.random() < 0.75:
        return "".join(draw.choices(syllables, k=2))
    # The vocabulary has words of three syllables that begin so.
    return "".join([draw.choice(syllables[:20]), *draw.choices(syllables, k=3)])


def texts(shape):
    draw = random.Random(5)
    lengths = SHAPES[shape]
    if lengths == "mixed":
        lengths = [draw.randint(*MIXED_WORDS) for _ in range(32)]
    return [" ".join(_word(draw) for _ in range(length)) for length in lengths]
