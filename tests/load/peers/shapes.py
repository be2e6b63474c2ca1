"""The batches that are measured, and how much arithmetic they are."""

import math
import random

MASK_64 = (1 << 64) - 1

UNIFORM = ["1x16", "1x64", "1x128", "8x128", "32x128", "1x512", "4x512"]
# 32 texts whose lengths are log-normal, as those of sentences and short
# messages are: the median is 40 tokens, one in six has more than 109.
MIXED = "mixed"
MIXED_BESIDE = "8x128"  # of texts as long as each other
MIXED_TEXTS = 32
MIXED_MEDIAN = 40
MIXED_SIGMA = 1.0
MIXED_RANGE = (3, 512)
MIXED_SEED = 1


def lengths(shape):
    """Lengths of the texts of "8x128", "mixed" or "lengths:12+80+7"."""
    if shape == MIXED:
        draw = random.Random(MIXED_SEED)
        low, high = MIXED_RANGE
        return [min(high, max(low, round(draw.lognormvariate(
            math.log(MIXED_MEDIAN), MIXED_SIGMA)))) for _ in range(MIXED_TEXTS)]
    if shape.startswith("lengths:"):
        return [int(n) for n in shape.removeprefix("lengths:").split("+")]
    batch, length = shape.split("x", 1)
    return [int(length)] * int(batch)


def for_bench(shape):
    """As deberta-bench takes it."""
    if shape != MIXED:
        return shape
    return "lengths:" + "+".join(map(str, lengths(shape)))


def random_ids(count, vocab_size):
    """The ids that deberta-bench runs (tools/bench/shape.h): splitmix64."""
    ids, state = [], 0
    for _ in range(count):
        state = (state + 0x9E3779B97F4A7C15) & MASK_64
        z = state
        z = ((z ^ (z >> 30)) * 0xBF58476D1CE4E5B9) & MASK_64
        z = ((z ^ (z >> 27)) * 0x94D049BB133111EB) & MASK_64
        ids.append((z ^ (z >> 31)) % vocab_size)
    return ids


def padded_ids(shape, vocab_size):
    """Rows of ids and of the attention mask, padded to the longest text."""
    sizes = lengths(shape)
    longest = max(sizes)
    ids = random_ids(sum(sizes), vocab_size)
    rows, mask, begin = [], [], 0
    for size in sizes:
        padding = [0] * (longest - size)
        rows.append(ids[begin:begin + size] + padding)
        mask.append([1] * size + padding)
        begin += size
    return rows, mask


def dense_flops(shape, config):
    """Of all layers' matrix products for every token: query, key, value and
    output projections, and the two of the feed-forward network."""
    hidden = config["hidden_size"]
    layer = 4 * hidden**2 + 2 * hidden * config["intermediate_size"]
    return 2 * layer * config["num_hidden_layers"] * sum(lengths(shape))


def attention_flops(shape, config):
    """Of what disentangled attention cannot do without: content-to-content,
    content-to-position, position-to-content and the weighted sum of values,
    each a multiplication and an addition for each pair of tokens and channel.
    """
    pairs = sum(n**2 for n in lengths(shape))
    return 8 * pairs * config["hidden_size"] * config["num_hidden_layers"]
