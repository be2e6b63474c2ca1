"""Writes docs/performance.md from the results; nothing in it is typed in."""

from . import engines, plots, shapes
from .engines import OURS, TITLES
from .figures import MODELS, Figures, geometric_mean, targets
from .markdown import table
from .measure import HOPELESS

NO_VALUE = "-"


def number(value, digits=0):
    return NO_VALUE if value is None else f"{value:,.{digits}f}"


def percent(value):
    return NO_VALUE if value is None else f"{100 * value:.0f} %"


def milliseconds(value):
    """Three digits."""
    if value is None:
        return NO_VALUE
    return f"{value:,.{0 if value >= 100 else 1 if value >= 10 else 2}f}"


def machine_section(machine):
    if not machine:
        return ""
    virtual = (f", a {machine['hypervisor']} virtual machine"
               if machine["hypervisor"] else "")
    caches = ", ".join(f"{k} {v}" for k, v in machine["caches"].items())
    versions = ", ".join(f"{k} {v}" for k, v in machine["versions"].items())
    return f"""## Machine

{table(["", ""], [
    ["processor", f"{machine['cpu']} ({machine['family']}){virtual}"],
    ["processors used", f"{machine['cpus']}, threads a core: "
                        f"{machine['threads_per_core']}"],
    ["instructions", ", ".join(machine["flags"])],
    ["caches", caches],
    ["memory", f"{machine['memory_gb']} GB"],
    ["system", machine["system"]],
    ["versions", versions],
    ["measured", f"{machine['date']}, commit {machine['commit']}"],
], "ll")}
"""


def method_section(data):
    turns = sorted({(c.data["rounds"], c.data["seconds"]) for c in data.cells})
    turns = " or ".join(f"{rounds} rounds of {seconds:g} s"
                        for rounds, seconds in turns)
    return f"""## Method

- Random weights in the shapes of the released checkpoints with a head for
  classification, the same random ids for all, the whole model from ids to
  logits.
- `{OURS}` is `deberta-bench`. The peers are PyTorch (transformers, eager),
  and ONNX Runtime and OpenVINO on one ONNX file exported by `torch.onnx`, with
  all of ONNX Runtime's graph optimizations and OpenVINO's latency hint. bf16 is
  OpenVINO's precision hint, int8 is ONNX Runtime's `quantize_dynamic` with
  QInt8 weights for each channel.
- Each engine is a process of its own, pinned to as many CPUs as it has threads.
  Within a cell (a shape of a model, by all engines of a precision) the engines
  take turns: {turns}, one run at least, after one warm-up.
  The time is the median of the turns' medians. A peer that in its first turn
  needs more than {HOPELESS:g} times the best peer's time has only that turn.
- fp32 logits of the first text agree within a thousandth of the largest for all
  engines, or nothing is written. For bf16 and int8 the difference is reported.
- A ratio is the best peer's time divided by ours. Tokens are real ones: what a
  peer pads with does not count.
- The bound is the time that the arithmetic of the dense layers and of attention
  would take at the rate of the machine's fastest matrix products (`gemm_peak`:
  oneDNN, the same threads, measured in each of the cell's rounds), all rows of
  all layers counted and nothing else. In int8, attention counts at the peak of
  bf16, in which it is computed. [profile.md](profile.md) tells where the time
  goes.

`tests/load/compare_peers.py` measures all this and writes this file;
`tests/README.md` says how to run it.
"""


def targets_section(data):
    rows = [[t.what, number(t.wanted, 2), number(t.found, 2), t.outcome,
             t.where] for t in targets(data)]
    return "## Targets\n\n" + table(
        ["what", "at least", "found", "", "worst cell"], rows, "lrrll")


def cell_rows(data, cells, names):
    for cell in cells:
        peers = cell.peers
        yield [cell.model, cell.shape, str(cell.threads), milliseconds(cell.ms),
               *(milliseconds(peers.get(name)) for name in names),
               number(cell.rate()), number(cell.best_rate),
               number(cell.ratio, 2), percent(data.fraction(cell))]


def cells_table(data, cells, precision):
    measured = {name for cell in cells for name in cell.peers}
    names = [n for n in engines.PEERS[precision] if n in measured]
    return table(
        ["model", "batch", "threads", f"{OURS}, ms",
         *(f"{TITLES[n]}, ms" for n in names), f"{OURS}, tokens/s",
         "best peer, tokens/s", "ratio", "of the bound"],
        list(cell_rows(data, cells, names)), "ll")


def summary_line(cells):
    cells = [cell for cell in cells if cell.ratio is not None]
    if not cells:
        return ""
    worst = min(cells, key=lambda cell: cell.ratio)
    return (f"Ratios: geometric mean "
            f"{geometric_mean(c.ratio for c in cells):.2f}, smallest "
            f"{worst.ratio:.2f} ({worst}).")


def differences_line(data, precision):
    worst = data.differences(precision)
    told = ", ".join(f"{TITLES[n]} {100 * v:.2g} %" for n, v in worst.items())
    if precision == "fp32" or not told:
        return ""
    return f" Largest difference from fp32's logits, of the largest: {told}."


def precision_section(data, precision, isa="amx"):
    cells = data.grid(precision, isa)
    if not cells:
        return ""
    title = precision if isa == "amx" else f"{precision} on AVX2"
    note = "" if isa == "amx" else AVX2_NOTE
    line = summary_line(cells)
    if isa == "amx":
        line += differences_line(data, precision)
    return (f"## {title}\n\n{note}{line}\n\n"
            + cells_table(data, cells, precision))


AVX2_NOTE = """All engines as on a processor without AVX-512 and AMX: ours by
`--max_isa=avx2`, the peers by a library that hides those instructions from
everything in the process that asks for them (`tests/load/peers/avx2_only.c`).

"""


def peaks_section(data):
    rows = []
    for model in MODELS:
        for threads in sorted({c.threads for c in data.select(model=model)}):
            peaks = [data.peak(model, threads, p) for p in engines.PEERS]
            if any(peaks):
                rows.append([model, str(threads), *map(number, peaks)])
    if not rows:
        return ""
    return ("## Matrix products' peak\n\nGFLOP/s while each model was measured."
            "\n\n" + table(["model", "threads", *engines.PEERS], rows))


def mixed_section(data):
    cells = data.select(shape=shapes.MIXED, isa="amx", model=MODELS)
    if not cells:
        return ""
    tokens, padded = cells[0].data["tokens"], cells[0].data["padded"]
    rows = []
    for cell in cells:
        uniform = data.select(model=cell.model, threads=cell.threads,
                              precision=cell.precision, isa="amx",
                              shape=shapes.MIXED_BESIDE)
        rate = max((c.rate() for c in uniform), default=None)
        rows.append([cell.model, cell.precision, str(cell.threads),
                     number(cell.rate()), number(cell.best_rate),
                     number(cell.ratio, 2),
                     percent(cell.rate() / rate if rate else None)])
    return f"""## Mixed lengths

{shapes.MIXED_TEXTS} texts whose lengths are log-normal (median
{shapes.MIXED_MEDIAN} tokens, sigma {shapes.MIXED_SIGMA:g}, cut at
{shapes.MIXED_RANGE[1]}; drawn from a fixed seed), {tokens:,} tokens. Ours
runs them as one packed batch, the peers as one batch padded to the longest,
{padded:,} tokens. The last column compares with ours of
{shapes.MIXED_BESIDE}, measured right after: at other times a shared machine is
another one.

""" + table(["model", "precision", "threads", f"{OURS}, tokens/s",
             "best peer, tokens/s", "ratio", "of uniform 128"], rows, "ll")


def sizes_section(data):
    blocks = []
    for precision in engines.PEERS:
        cells = [c for c in data.select(precision=precision, isa="amx")
                 if c.model not in MODELS and c.shape != shapes.MIXED]
        if cells:
            blocks.append(f"### {precision}\n\n"
                          + cells_table(data, cells, precision))
    if not blocks:
        return ""
    return "## Other sizes\n\n" + "\n\n".join(blocks)


def load_section(data):
    rows = []
    chosen = {}
    for load in data.loads:
        if load["isa"] == "amx":
            key = (load["model"], load["precision"], load["engine"])
            if key not in chosen or chosen[key]["threads"] < load["threads"]:
                chosen[key] = load
    for (model, precision, name), load in sorted(chosen.items()):
        weights = load.get("resident_bytes")
        rows.append([model, precision, TITLES[name], str(load["threads"]),
                     number(load["load_ms"] / 1000, 2),
                     number(load["process_bytes"] / 1e6),
                     number(weights / 1e6 if weights else None)])
    if not rows:
        return ""
    return ("## Loading and memory\n\nFrom warm files, fp16 for ours and for "
            "PyTorch. A process is what is resident after\nits last batch: the "
            "peers' have Python in them, and of mapped files only what was\n"
            "touched counts.\n\n"
            + table(["model", "precision", "engine", "threads", "load, s",
                     "process, MB", "weights and tables, MB"], rows, "lll"))


def kernels_section(data):
    """Whether a peer really computes in the precision it was asked for."""
    rows = sorted({(load["model"], load["precision"], TITLES[load["engine"]],
                    str(load["threads"]), load["kernels"])
                   for load in data.loads
                   if load["kernels"] and load["isa"] == "amx"})
    if not rows:
        return ""
    return ("## What the peers compute with\n\nIn their own words: OpenVINO's "
            "dense layers (in its runtime model), the matrix\nproducts in "
            "ONNX Runtime's quantized file (those of two activations, and of "
            "v3's\nposition embeddings, stay in fp32), PyTorch's instructions."
            "\n\n"
            + table(["model", "precision", "engine", "threads", ""], rows,
                    "lllrl"))


def picture(path, output, text):
    if path is None:
        return ""
    return f"![{text}]({path.relative_to(output.parent)})"


def write(results, output):
    data = Figures(results)
    directory = output.with_suffix("")
    pictures = []
    for model in MODELS:
        pictures.append(picture(
            plots.throughput(data, model, directory / f"{model}-tokens.svg"),
            output, f"Tokens a second of {model}"))
        pictures.append(picture(
            plots.latency(data, model, directory / f"{model}-latency.svg"),
            output, f"Milliseconds of one text, {model}"))
    bounds = picture(plots.bounds(data, directory / "bound.svg"), output,
                     "Share of the bound")
    sections = [
        "# Performance\n\nWritten by `tests/load/compare_peers.py`.",
        targets_section(data), *pictures, bounds,
        machine_section(results.machine).rstrip(),
        method_section(data).rstrip(),
        *(precision_section(data, precision) for precision in engines.PEERS),
        precision_section(data, "fp32", "avx2"), peaks_section(data),
        mixed_section(data), sizes_section(data), load_section(data),
        kernels_section(data)]
    output.parent.mkdir(parents=True, exist_ok=True)
    output.write_text("\n\n".join(s for s in sections if s) + "\n",
                      encoding="utf-8")
