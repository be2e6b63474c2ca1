"""What follows from the measured cells: ratios, bounds, targets."""

import dataclasses
import math
import statistics

from . import engines, shapes
from .engines import OURS

MODELS = ["v1-base", "v3-base"]
# Attention computes in bf16 where the dense layers are int8.
ATTENTION_PRECISION = {"fp32": "fp32", "bf16": "bf16", "int8": "bf16"}

# Of the base models' uniform shapes: (each cell, geometric mean).
RATIO_TARGETS = {"fp32": (1.2, 1.5), "bf16": (1.3, 1.65), "int8": (2, 2.8)}
BOUND_TARGETS = {"fp32": 0.90, "bf16": 0.85, "int8": 0.75}
BOUND_TOKENS = 128
MIXED_RATIO_TARGET = 3
MIXED_RATE_TARGET = 0.9
SMALL_TARGET = 2
AVX2_TARGET = 1.1


@dataclasses.dataclass(frozen=True)
class Cell:
    model: str
    threads: int
    precision: str
    isa: str
    shape: str
    data: dict

    @property
    def peers(self):
        """{name: ms}"""
        return {name: engine["median_ms"]
                for name, engine in self.data["engines"].items()
                if name != OURS}

    @property
    def ms(self):
        return self.data["engines"][OURS]["median_ms"]

    @property
    def ratio(self):
        """Of the best peer's time to ours; None without peers."""
        return min(self.peers.values()) / self.ms if self.peers else None

    def rate(self, name=OURS):
        """Tokens a second, padding not counted."""
        return (self.data["tokens"] * 1000
                / self.data["engines"][name]["median_ms"])

    @property
    def best_rate(self):
        return max(map(self.rate, self.peers)) if self.peers else None

    def __str__(self):
        return (f"{self.model} {self.shape}, {self.threads} "
                + ("thread" if self.threads == 1 else "threads"))


def _order(cell):
    known = [*shapes.UNIFORM, shapes.MIXED]
    place = known.index(cell.shape) if cell.shape in known else len(known)
    return (cell.model, place, cell.shape, cell.threads)


class Figures:
    def __init__(self, results):
        self.cells = sorted((Cell(*cell["key"], cell)
                             for cell in results.cells), key=_order)
        self.loads = results.loads

    def select(self, **wanted):
        """Cells whose fields are as given; a list gives a choice."""
        def fits(cell):
            return all(getattr(cell, key) in value if isinstance(value, list)
                       else getattr(cell, key) == value
                       for key, value in wanted.items())
        return [cell for cell in self.cells if fits(cell)]

    def grid(self, precision, isa="amx"):
        return self.select(precision=precision, isa=isa, model=MODELS,
                           shape=shapes.UNIFORM)

    def peak(self, model, threads, precision, isa="amx"):
        """GFLOP/s: the median of what was measured between the cells."""
        peaks = [cell.data["peak_gflops"] for cell in self.select(
            model=model, threads=threads, precision=precision, isa=isa)]
        peaks = [p for p in peaks if p is not None]
        return statistics.median(peaks) if peaks else None

    def fraction(self, cell, attention=None):
        """Of the bound: the time in which the machine's matrix products alone
        could do the cell's arithmetic, divided by ours. None if unmeasured.

        By the peak of the cell's own rounds: another hour of a shared
        machine has another. Only that of another precision is from elsewhere.
        """
        attention = attention or ATTENTION_PRECISION[cell.precision]
        dense = cell.data["peak_gflops"]
        other = dense if attention == cell.precision else self.peak(
            cell.model, cell.threads, attention, cell.isa)
        if dense is None or other is None:
            return None
        bound_ms = (cell.data["dense_flops"] / dense
                    + cell.data["attention_flops"] / other) / 1e6
        return bound_ms / cell.ms

    def differences(self, precision):
        """{engine: its largest difference from fp32's logits}"""
        worst = {}
        for cell in self.select(precision=precision, isa="amx"):
            for name, engine in cell.data["engines"].items():
                if "difference" in engine:
                    worst[name] = max(worst.get(name, 0), engine["difference"])
        return worst


def geometric_mean(values):
    return math.exp(statistics.fmean(map(math.log, values)))


@dataclasses.dataclass(frozen=True)
class Target:
    what: str
    wanted: float
    found: float | None  # None: not measured
    where: str

    @property
    def outcome(self):
        if self.found is None:
            return "not measured"
        return "met" if self.found >= self.wanted else "**missed**"


def _worst(what, wanted, valued):
    """`valued` holds (value, cell)."""
    valued = [(value, cell) for value, cell in valued if value is not None]
    if not valued:
        return Target(what, wanted, None, "")
    value, cell = min(valued, key=lambda pair: pair[0])
    met = sum(v >= wanted for v, _ in valued)
    return Target(what, wanted, value,
                  f"{cell}; {met} of {len(valued)} cells reach it")


def _ratio_targets(figures, precision):
    wanted_each, wanted_mean = RATIO_TARGETS[precision]
    cells = [c for c in figures.grid(precision) if c.ratio is not None]
    yield _worst(f"{precision}, speed beside the best peer: every cell",
                 wanted_each, [(c.ratio, c) for c in cells])
    mean = geometric_mean(c.ratio for c in cells) if cells else None
    yield Target(f"{precision}, speed beside the best peer: geometric mean",
                 wanted_mean, mean, f"{len(cells)} cells" if cells else "")


def _bound_target(figures, precision, wanted, attention=None):
    what = f"{precision}, share of the bound from {BOUND_TOKENS} tokens on"
    if attention is not None:
        what += f", attention at the peak of {attention}"
    return _worst(what, wanted, [
        (figures.fraction(c, attention), c) for c in figures.grid(precision)
        if c.data["tokens"] >= BOUND_TOKENS])


def _mixed_rates(figures, precision):
    """Ours of mixed lengths, beside ours of a uniform batch."""
    for cell in figures.select(precision=precision, isa="amx",
                               model=MODELS, shape=shapes.MIXED):
        uniform = figures.select(
            precision=precision, isa="amx", model=cell.model,
            threads=cell.threads, shape=shapes.MIXED_BESIDE)
        if uniform:
            yield cell.rate() / max(c.rate() for c in uniform), cell


def targets(figures):
    found = []
    for precision in engines.PEERS:
        found += _ratio_targets(figures, precision)
    for precision, wanted in BOUND_TARGETS.items():
        found.append(_bound_target(figures, precision, wanted))
    found.append(_bound_target(figures, "int8", BOUND_TARGETS["int8"], "int8"))
    for precision in engines.PEERS:
        found.append(_worst(
            f"{precision}, mixed lengths beside the best peer's padded batch",
            MIXED_RATIO_TARGET,
            [(c.ratio, c) for c in figures.select(
                precision=precision, isa="amx", model=MODELS,
                shape=shapes.MIXED)]))
        found.append(_worst(
            f"{precision}, mixed lengths beside uniform 128 tokens, tokens/s",
            MIXED_RATE_TARGET, list(_mixed_rates(figures, precision))))
    found.append(_worst(
        "int8, v3-xsmall, 1x64, one thread, beside ONNX Runtime", SMALL_TARGET,
        [(c.ratio, c) for c in figures.select(
            precision="int8", isa="amx", model="v3-xsmall", threads=1,
            shape="1x64")]))
    found.append(_worst(
        "fp32 on AVX2, speed beside the best peer: every cell", AVX2_TARGET,
        [(c.ratio, c) for c in figures.grid("fp32", "avx2")]))
    return found
