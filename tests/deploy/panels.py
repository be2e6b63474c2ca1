"""Panels of a Grafana dashboard, drawn by matplotlib in its grid: titles, legends,
units, stacking and thresholds are those of its JSON."""

import math
import re

import matplotlib

matplotlib.use("Agg")
import matplotlib.pyplot as plt  # noqa: E402
from matplotlib.patches import FancyBboxPatch  # noqa: E402
from matplotlib.ticker import FuncFormatter, MaxNLocator, MultipleLocator  # noqa: E402
from PIL import Image  # noqa: E402

COLUMNS, COLUMN, ROW, TOP, GAP = 24, 66, 38, 40, 5  # pixels but the first
DPI = 100
LEGEND_LINE = 15
COLORS = ["#3274d9", "#ff9830", "#37872d", "#a352cc", "#c4162a", "#1f9eaa",
          "#6b5300", "#96d98d", "#f29191", "#6e7781", "#8ab8ff", "#d683ce"]
NAMED = {"red": "#c4162a", "orange": "#e0752d", "green": "#37872d"}
GREY, INK = "#f1f3f5", "#24292e"
COLOR_COUNT = 200  # of the file, which keeps it small


def shown(value, unit):
    if math.isnan(value):
        return "no data"
    if unit == "percentunit":
        return f"{100 * value:.3g}%"
    if unit == "s":
        for factor, name in ((1, "s"), (1e3, "ms"), (1e6, "µs")):
            if abs(value) * factor >= 1 or name == "µs":
                return f"{value * factor:.3g} {name}" if value else "0 s"
    if unit == "bytes":
        for power, name in ((30, "GiB"), (20, "MiB"), (10, "KiB")):
            if abs(value) >= 2 ** power:
                return f"{value / 2 ** power:.3g} {name}"
        return f"{value:.3g} B"
    text = f"{value / 1000:.3g}K" if abs(value) >= 1000 else f"{value:.3g}"
    return text + {"reqps": " req/s", "cps": " c/s"}.get(unit, "")


def name_of(target, labels):
    return re.sub(r"{{(\w+)}}", lambda m: labels.get(m[1], ""),
                  target["legendFormat"]).strip()


def rows_of(labels, width):
    """Labels side by side, as many as fit."""
    columns = max(1, int(width / (6.2 * max(map(len, labels), default=1) + 34)))
    return columns, math.ceil(len(labels) / columns)


class Canvas:
    def __init__(self, title, units, seconds):
        self.width = COLUMNS * COLUMN
        self.height = units * ROW + TOP
        self.seconds = seconds
        self.figure = plt.figure(figsize=(self.width / DPI, self.height / DPI),
                                 dpi=DPI, facecolor=GREY)
        self.text(10, 14, title, size=13, weight="bold")

    def text(self, x, y, text, **style):
        """Of pixels from the top left."""
        style = {"color": INK, "va": "top", **style}
        self.figure.text(x / self.width, 1 - y / self.height, text, **style)

    def axes(self, x, y, width, height):
        return self.figure.add_axes((x / self.width, 1 - (y + height) / self.height,
                                     width / self.width, height / self.height))

    def card(self, x, y, width, height, title):
        self.figure.add_artist(FancyBboxPatch(
            (x / self.width, 1 - (y + height) / self.height),
            width / self.width, height / self.height, boxstyle="square,pad=0",
            facecolor="white", edgecolor="#d8dce0", linewidth=0.8, zorder=-1))
        self.text(x + 8, y + 7, title, size=9, weight="bold")


def threshold_color(defaults, value):
    color = INK
    for step in defaults.get("thresholds", {}).get("steps", []):
        if step["value"] is None or value >= step["value"]:
            color = NAMED[step["color"]]
    return color


def stat(canvas, panel, series, box):
    x, y, width, height = box
    defaults = panel["fieldConfig"]["defaults"]
    value = series[0][2][-1][1] if series else math.nan
    canvas.text(x + width / 2, y + 24 + (height - 24) / 2,
                shown(value, defaults["unit"]), size=21, weight="bold",
                color=threshold_color(defaults, value), ha="center", va="center")


def table(canvas, series, box):
    x, y, width, height = box
    names = sorted({name for _, labels, _ in series for name in labels})
    axes = canvas.axes(x + 6, y + 26, width - 12, height - 32)
    axes.axis("off")
    cells = axes.table([[labels.get(name, "") for name in names]
                        for _, labels, _ in series], colLabels=names,
                       loc="upper center", cellLoc="left", edges="horizontal")
    cells.auto_set_font_size(False)
    cells.set_fontsize(8)
    cells.scale(1, 1.25)
    cells.auto_set_column_width(range(len(names)))


def clean(points):
    return [(at, value) for at, value in points if math.isfinite(value)]


def named(series):
    """Those that were ever above 0; of many that never were, one line."""
    found = [(name_of(target, labels), clean(points))
             for target, labels, points in series]
    live = [(name, points) for name, points in found if any(v for _, v in points)]
    if live or not found:
        return live
    if len(found) == 1:
        return found
    return [(f"{len(found)} series, all 0", max((p for _, p in found), key=len))]


def plot(axes, lines, stacked):
    if stacked:
        times = sorted({at for _, points in lines for at, _ in points})
        values = [[dict(points).get(at, 0.0) for at in times] for _, points in lines]
        axes.stackplot(times, values, colors=COLORS * 2, alpha=0.35, linewidth=0)
        total = [0.0] * len(times)
        for color, (name, _), row in zip(COLORS * 2, lines, values):
            total = [a + b for a, b in zip(total, row)]
            axes.plot(times, total, color=color, linewidth=1, label=name)
    else:
        for color, (name, points) in zip(COLORS * 2, lines):
            times, values = zip(*points) if points else ((), ())
            axes.plot(times, values, color=color, linewidth=1.3, label=name)
            if len(lines) == 1:
                axes.fill_between(times, values, color=color, alpha=0.1,
                                  linewidth=0)


def timeseries(canvas, panel, series, box):
    x, y, width, height = box
    defaults = panel["fieldConfig"]["defaults"]
    lines = named(series)
    columns, rows = rows_of([name for name, _ in lines], width - 16)
    legend = rows * LEGEND_LINE + 4
    axes = canvas.axes(x + 62, y + 30, width - 74, height - 30 - 22 - legend)
    plot(axes, lines, defaults["custom"].get("stacking", {}).get("mode") == "normal")
    axes.set_xlim(0, canvas.seconds)
    axes.set_ylim(bottom=defaults.get("min"), top=defaults.get("max"))
    if axes.get_ylim()[1] < 1e-9 or not any(v for _, p in lines for _, v in p):
        axes.set_ylim(0, 1)
    highest = axes.get_ylim()[1]
    axes.yaxis.set_major_locator(
        MultipleLocator(2 ** math.floor(math.log2(highest / 3)))
        if defaults["unit"] == "bytes" else MaxNLocator(4))
    axes.yaxis.set_major_formatter(
        FuncFormatter(lambda value, _: shown(value, defaults["unit"])))
    axes.xaxis.set_major_locator(MultipleLocator(60 * math.ceil(canvas.seconds / 300)))
    axes.xaxis.set_major_formatter(
        FuncFormatter(lambda at, _: f"{int(at) // 60}:{int(at) % 60:02}"))
    axes.tick_params(labelsize=7.5, length=0, colors="#57606a")
    axes.grid(color="#e6e9ec", linewidth=0.7)
    axes.set_axisbelow(True)
    for side in axes.spines.values():
        side.set_visible(False)
    handles, labels = axes.get_legend_handles_labels()
    canvas.figure.legend(
        handles, labels, ncols=columns, fontsize=7.5, frameon=False,
        loc="lower left", handlelength=1.1, handletextpad=0.4, columnspacing=1.0,
        labelspacing=0.25, borderpad=0, labelcolor=INK,
        bbox_to_anchor=((x + 10) / canvas.width,
                        1 - (y + height - 5) / canvas.height))


def draw(title, panels, seconds, out):
    """panels: (panel of the dashboard, its series as picture.py has them)."""
    units = max(p["gridPos"]["y"] + p["gridPos"]["h"] for p, _ in panels)
    canvas = Canvas(title, units, seconds)
    for panel, series in panels:
        at = panel["gridPos"]
        x, y = at["x"] * COLUMN + GAP, at["y"] * ROW + TOP + GAP
        width, height = at["w"] * COLUMN - 2 * GAP, at["h"] * ROW - 2 * GAP
        if panel["type"] == "row":
            canvas.text(x + 4, y + 4, panel["title"], size=11, weight="bold")
            continue
        canvas.card(x, y, width, height, panel["title"])
        box = (x, y, width, height)
        if panel["type"] == "stat":
            stat(canvas, panel, series, box)
        elif panel["type"] == "table":
            table(canvas, series, box)
        else:
            timeseries(canvas, panel, series, box)
    canvas.figure.savefig(out, dpi=DPI, facecolor=GREY)
    plt.close(canvas.figure)
    with Image.open(out) as picture:
        small = picture.convert("RGB").quantize(COLOR_COUNT, dither=Image.Dither.NONE)
    small.save(out, optimize=True)
