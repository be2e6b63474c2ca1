"""The training loop: batches by length, a schedule by budget, progress."""

import random
import sys
import time

import numpy
import torch


class Budget:
    """Ends training after a number of steps or of seconds, the earlier."""

    def __init__(self, steps=None, seconds=None):
        if not steps and not seconds:
            raise ValueError("a budget needs steps or seconds")
        self.steps, self.seconds = steps, seconds
        self.step = 0
        self.restart_clock()

    def restart_clock(self):
        self.start = time.monotonic()

    def fraction(self):
        by_step = self.step / self.steps if self.steps else 0
        by_time = ((time.monotonic() - self.start) / self.seconds
                   if self.seconds else 0)
        return min(max(by_step, by_time), 1)


def rate_factor(fraction, warmup, hold):
    """Linear warm-up, a plateau until `hold`, then linearly to zero."""
    if fraction < warmup:
        return max(fraction, 0.002) / warmup
    return 1 if fraction < hold else (1 - fraction) / (1 - hold)


def batches(lengths, tokens, rng, pool=64):
    """Index lists of at most `tokens` padded tokens, like lengths together.

    Endless; every pass draws a new order.
    """
    while True:
        order = list(range(len(lengths)))
        rng.shuffle(order)
        size = max(1, pool * tokens * len(lengths) // sum(lengths))
        for start in range(0, len(order), size):
            part = sorted(order[start:start + size], key=lengths.__getitem__)
            cut, groups = [], []
            for i in part:
                if cut and lengths[i] * (len(cut) + 1) > tokens:
                    groups.append(cut)
                    cut = []
                cut.append(i)
            groups.append(cut)
            rng.shuffle(groups)
            yield from groups


def padded(rows, fill=0, multiple=8):
    """Rows of different lengths as one array, and the mask of what is real."""
    longest = max(len(r) for r in rows)
    longest += -longest % multiple
    out = numpy.full((len(rows), longest), fill, dtype=numpy.int64)
    mask = numpy.zeros((len(rows), longest), dtype=bool)
    for i, row in enumerate(rows):
        out[i, :len(row)] = row
        mask[i, :len(row)] = True
    return torch.from_numpy(out), torch.from_numpy(mask)


class Progress:
    """One rewritten line on a terminal, a line every half minute elsewhere."""

    def __init__(self, name, every=None):
        self.name, self.terminal = name, sys.stderr.isatty()
        self.every = every or (1 if self.terminal else 30)
        self.start = self.last = time.monotonic()
        self.tokens = self.seen = 0
        self.losses = []

    def update(self, budget, loss, tokens, final=False):
        self.tokens += tokens
        self.losses.append(loss)
        now = time.monotonic()
        if now - self.last < self.every and not final:
            return
        rate = (self.tokens - self.seen) / max(now - self.last, 1e-9)
        mean = sum(self.losses) / len(self.losses)
        text = (f"{self.name}: {100 * budget.fraction():5.1f}% "
                f"step {budget.step} loss {mean:.4f} "
                f"{self.tokens / 1e6:.2f} M tokens, {rate:,.0f}/s")
        end = "\n" if final or not self.terminal else ""
        print(("\r\033[K" if self.terminal else "") + text, end=end,
              file=sys.stderr, flush=True)
        self.last, self.seen, self.losses = now, self.tokens, []


def train(network, name, lengths, batch_loss, budget, *, rate, tokens,
          seed=0, hold=0.7, warmup=0.02, checkpoint=None):
    """Runs until the budget ends; batch_loss(indices) -> (loss, count).

    `checkpoint`, if given, is called about every two minutes.
    """
    rng = random.Random(seed)
    torch.manual_seed(seed)
    network.train()
    budget.restart_clock()
    stepper = torch.optim.AdamW(network.parameters(), lr=rate,
                                weight_decay=0.01, betas=(0.9, 0.98),
                                fused=True)
    progress = Progress(name)
    saved = time.monotonic()
    for indices in batches(lengths, tokens, rng):
        fraction = budget.fraction()
        if fraction >= 1:
            break
        for group in stepper.param_groups:
            group["lr"] = rate * rate_factor(fraction, warmup, hold)
        with torch.autocast("cpu", dtype=torch.bfloat16):
            loss, count = batch_loss(indices)
        network.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(network.parameters(), 1.0)
        stepper.step()
        budget.step += 1
        progress.update(budget, float(loss.detach()), count)
        if checkpoint and time.monotonic() - saved > 120:
            checkpoint()
            saved = time.monotonic()
    progress.update(budget, float(loss.detach()), 0, final=True)
    network.eval()
    return {"steps": budget.step, "tokens": progress.tokens,
            "seconds": round(time.monotonic() - progress.start)}
