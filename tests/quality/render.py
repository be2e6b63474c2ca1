#!/usr/bin/env python3
"""Writes docs/precision.md and its plot from what was measured in WORK."""

import argparse
import json
import pathlib

import matplotlib
matplotlib.use("svg")
import matplotlib.pyplot as plt  # noqa: E402

ROOT = pathlib.Path(__file__).resolve().parents[2]
PLOT = "docs/precision/error_growth.svg"
POINTS = 0.5       # of a metric, at most
AGREEMENT = 0.99   # of the labels, at least
LOWER = ["bf16", "int8"]
COLOURS = {"bf16": "#2a7de1", "int8": "#e1572a"}
GREY = "#808080"  # reads on light and on dark pages

INTRODUCTION = """\
# Precision

What bf16 and int8 do to answers, written by `tests/quality/run.sh`.

- **fp32** is the reference; its answers equal those of transformers
  ([conformance](conformance.md)).
- **bf16** rounds what enters a matrix product, and attention, to bfloat16. Sums,
  softmax, LayerNorm, residuals and heads stay fp32. Needs AVX512_BF16 or AMX.
- **int8** rounds weights to eight bits with a scale for each output channel, and
  what meets them to eight bits with a scale for each token, found as it is
  computed. Attention is in bf16 where the processor has it, else in fp32.
  AVX512_VNNI or AMX make it fast; it works on every processor, with weights of
  seven bits where products of bytes would saturate.

A row's bits do not depend on its company in a batch, in any precision and on any
instruction set, unless oneDNN is asked for ([products](products.md)).

The server compares a lower precision with fp32 on calibration texts before it
serves it, and serves fp32 where they disagree (`--min_label_agreement`).
"""


def verdict(good):
    return "met" if good else "**not met**"


def held_out_section(work):
    rows = json.loads((work / "held_out.json").read_text())
    exact = {r["model"]: r for r in rows if r["precision"] == "fp32"}
    lines = ["## Held-out figures of the demo models", "",
             "Packages that training never saw, through the server, with the "
             "gate off. A label is a section, a token's tag, an answer or a "
             "word; the change is of a logit (section-classifier) or of a "
             "score.", "",
             "| model | metric | inputs | precision | figure | points to fp32 |"
             " labels as in fp32 | largest change |",
             "| --- | --- | ---: | --- | ---: | ---: | ---: | ---: |"]
    for row in sorted(rows, key=lambda r: r["model"]):
        base = exact[row["model"]]
        points = 100 * (row["score"] - base["score"])
        lower = row["precision"] != "fp32"
        lines.append(
            f"| {row['model']} | {row['metric']} | {row['inputs']:,} | "
            f"{row['precision']} | {100 * row['score']:.2f} % | "
            + (f"{points:+.2f} | {100 * row['agreement']:.2f} % of "
               f"{row['labels']:,} | {row['largest_change']:.3f} |"
               if lower else "| | |"))
    lower = [r for r in rows if r["precision"] in LOWER]
    lines += ["", "| wanted | worst | |", "| --- | --- | --- |"]
    for precision in LOWER:
        mine = [r for r in lower if r["precision"] == precision]
        worst = max(100 * abs(r["score"] - exact[r["model"]]["score"])
                    for r in mine)
        agreement = min(r["agreement"] for r in mine)
        lines += [f"| {precision}: within {POINTS} points | {worst:.2f} | "
                  f"{verdict(worst <= POINTS)} |",
                  f"| {precision}: labels as in fp32, {AGREEMENT:.0%} | "
                  f"{agreement:.2%} | {verdict(agreement >= AGREEMENT)} |"]
    return lines


def growth_section(work):
    path = work / "layer_errors.jsonl"
    if not path.exists():
        return []
    rows = [json.loads(line) for line in path.read_text().splitlines()]
    plot(rows)
    lines = ["## Errors from layer to layer", "",
             "Models of the released sizes with random weights, four texts of "
             "16 to 384 random tokens: the root mean square of the differences "
             "to fp32, of that of the hidden states. Random weights show how "
             "arithmetic errors grow, not how trained models answer.", "",
             f"![Relative error after each layer]({PLOT.split('/', 1)[1]})",
             "",
             "| model | layers | precision | first layer | last layer | largest "
             "logit change, of the largest logit |",
             "| --- | ---: | --- | ---: | ---: | ---: |"]
    for row in rows:
        lines.append(
            f"| {row['model']} | {len(row['rms']) - 1} | {row['precision']} | "
            f"{row['rms'][1]:.4f} | {row['rms'][-1]:.4f} | "
            f"{row['logits']:.4f} |")
    return lines


def plot(rows):
    plt.rcParams.update({
        "svg.hashsalt": "precision", "text.color": GREY, "axes.edgecolor": GREY,
        "axes.labelcolor": GREY, "xtick.color": GREY, "ytick.color": GREY})
    figure, axes = plt.subplots(figsize=(7, 3.6))
    styles = dict(zip(sorted({r["model"] for r in rows}),
                      ["-", "--", ":", "-."]))
    for row in rows:
        axes.plot(range(len(row["rms"])), row["rms"],
                  styles[row["model"]], color=COLOURS[row["precision"]],
                  label=f"{row['model']} {row['precision']}")
    axes.set_yscale("log")
    axes.set_xlabel("layer (0: embeddings)")
    axes.set_ylabel("relative error, rms")
    axes.grid(alpha=0.3)
    axes.legend(frameon=False, fontsize=8)
    (ROOT / PLOT).parent.mkdir(parents=True, exist_ok=True)
    figure.tight_layout()
    figure.savefig(ROOT / PLOT, transparent=True, metadata={"Date": None})


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--work", type=pathlib.Path, required=True)
    work = parser.parse_args().work
    sections = ["\n".join(held_out_section(work))]
    sections += ["\n".join(lines) for lines in [growth_section(work)] if lines]
    (ROOT / "docs/precision.md").write_text(
        INTRODUCTION + "\n" + "\n\n".join(sections) + "\n")


if __name__ == "__main__":
    main()
