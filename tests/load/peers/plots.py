"""Plots as small SVG files, readable on a light and on a dark page."""

import matplotlib

matplotlib.use("svg")
import matplotlib.pyplot as plt  # noqa: E402

from . import engines, figures, shapes  # noqa: E402
from .engines import OURS  # noqa: E402

# Neither black nor white, as the page behind is either.
INK = "#7d8590"
COLORS = {OURS: "#2f81f7", "torch": "#d29922", "onnxruntime": "#8957e5",
          "onnxruntime-int8": "#8957e5", "openvino": "#3fb950",
          "openvino-bf16": "#3fb950"}
PRECISION_COLORS = {"fp32": "#2f81f7", "bf16": "#3fb950", "int8": "#d29922"}

plt.rcParams.update({
    "svg.fonttype": "none", "svg.hashsalt": "performance",
    "font.family": "sans-serif", "font.size": 9, "text.color": INK,
    "axes.labelcolor": INK, "axes.edgecolor": INK, "xtick.color": INK,
    "ytick.color": INK, "axes.spines.top": False, "axes.spines.right": False,
    "figure.facecolor": "none", "axes.facecolor": "none",
    "legend.frameon": False, "savefig.transparent": True})


def _save(figure, path):
    path.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(path, metadata={"Date": None}, bbox_inches="tight")
    plt.close(figure)
    return path


def _engines_of(cells):
    present = {name for cell in cells for name in cell.data["engines"]}
    return [name for name in engines.TITLES if name in present]


def _bars(axes, cells, names):
    """Tokens a second: a group of bars for each cell."""
    width = 0.8 / len(names)
    for i, name in enumerate(names):
        held = [(x, cell.rate(name)) for x, cell in enumerate(cells)
                if name in cell.data["engines"]]
        axes.bar([x + (i - (len(names) - 1) / 2) * width for x, _ in held],
                 [rate for _, rate in held], width * 0.92, color=COLORS[name],
                 label=engines.TITLES[name])
    axes.set_xticks(range(len(cells)), [cell.shape for cell in cells])
    axes.set_ylim(bottom=0)
    axes.legend(ncols=len(names), loc="lower right", fontsize=8,
                bbox_to_anchor=(1, 0.98))


def throughput(data, model, path):
    """One panel for each precision, with the most threads measured."""
    panels = []
    for precision in engines.PEERS:
        cells = data.select(model=model, precision=precision, isa="amx",
                            shape=shapes.UNIFORM)
        if cells:
            most = max(cell.threads for cell in cells)
            panels.append((precision, most,
                           [c for c in cells if c.threads == most]))
    if not panels:
        return None
    figure, grid = plt.subplots(len(panels), 1, squeeze=False,
                                figsize=(7.6, 2.3 * len(panels)))
    for axes, (precision, threads, cells) in zip(grid[:, 0], panels):
        _bars(axes, cells, _engines_of(cells))
        axes.set_ylabel("tokens/s")
        axes.set_title(f"{model}, {precision}, threads: {threads}",
                       loc="left", fontsize=9)
    figure.tight_layout()
    return _save(figure, path)


def latency(data, model, path):
    """Milliseconds of one text by its length, one thread."""
    cells = [cell for cell in data.select(model=model, isa="amx", threads=1)
             if cell.shape.startswith("1x")]
    lines = {}
    for cell in cells:
        for name, engine in cell.data["engines"].items():
            lines.setdefault((cell.precision, name), []).append(
                (cell.data["tokens"], engine["median_ms"]))
    lines = {key: sorted(points) for key, points in lines.items()
             if len(points) > 1}
    if not lines:
        return None
    styles = {"fp32": "-", "bf16": "--", "int8": ":"}
    figure, axes = plt.subplots(figsize=(7.6, 3.4))
    for (precision, name), points in lines.items():
        axes.plot(*zip(*points), styles[precision], color=COLORS[name],
                  marker="o", markersize=3,
                  label=f"{engines.TITLES[name]}, {precision}")
    axes.set_xscale("log", base=2)
    axes.set_yscale("log")
    ticks = sorted({cell.data["tokens"] for cell in cells})
    axes.set_xticks(ticks, list(map(str, ticks)))
    low, high = axes.get_ylim()
    ticks = [tick for power in range(-1, 6) for first in (1, 2, 5)
             if low <= (tick := first * 10**power) <= high]
    axes.set_yticks(ticks, [f"{tick:g}" for tick in ticks])
    axes.minorticks_off()
    axes.set_xlabel("tokens of one text")
    axes.set_ylabel("ms")
    axes.set_title(f"{model}, one thread", loc="left", fontsize=9)
    axes.legend(fontsize=8, loc="center left", bbox_to_anchor=(1, 0.5))
    return _save(figure, path)


def bounds(data, path):
    """Share of the bound by shape, with the most threads measured."""
    models = [m for m in figures.MODELS if data.select(model=m, isa="amx")]
    if not models:
        return None
    figure, grid = plt.subplots(1, len(models), squeeze=False, sharey=True,
                                figsize=(3.8 * len(models), 2.6))
    for axes, model in zip(grid[0], models):
        for precision, color in PRECISION_COLORS.items():
            cells = data.select(model=model, precision=precision, isa="amx",
                                shape=shapes.UNIFORM)
            most = max((c.threads for c in cells), default=0)
            points = [(c.shape, data.fraction(c)) for c in cells
                      if c.threads == most and data.fraction(c) is not None]
            if points:
                names, values = zip(*points)
                axes.plot(names, [100 * v for v in values], marker="o",
                          markersize=3, color=color, label=precision)
        axes.axhline(100, color=INK, linewidth=0.8, linestyle=":")
        axes.set_ylim(0, 115)
        axes.tick_params(axis="x", rotation=45)
        axes.set_title(model, loc="left", fontsize=9)
    grid[0][-1].legend(fontsize=8, loc="center left", bbox_to_anchor=(1, 0.5))
    grid[0][0].set_ylabel("% of the bound")
    figure.tight_layout()
    return _save(figure, path)
