"""Measures cells: one shape of one model by all engines of one precision.

Within a cell the engines take turns, so that a change of the machine meets
them all; a cell's time for an engine is the median of its turns' medians. Every
cell is stored when it is done, and replaces what was known of it before.
"""

import contextlib
import dataclasses
import json
import statistics
import sys
import time

from . import engines, exports, shapes
from .engines import OURS

# fp32 is held to what rounding explains; bf16 and int8 are reported.
FP32_TOLERANCE = 1e-3
# After its first turn a peer this much slower than the best one sits out.
HOPELESS = 1.5
# Of its CPUs ours gets less than this only where others run on them.
DISTURBED = 0.9


@dataclasses.dataclass(frozen=True)
class Group:
    """Cells that share their loaded engines."""
    model: str
    threads: int
    precision: str
    isa: str = "amx"
    shapes: tuple = ()

    def key(self, shape):
        return [self.model, self.threads, self.precision, self.isa, shape]


class Results:
    """What is known, in a JSON file."""

    def __init__(self, path):
        self.path = path
        known = json.loads(path.read_text()) if path.exists() else {}
        self.machine = known.get("machine", {})
        self.cells = known.get("cells", [])
        self.loads = known.get("loads", [])

    def add_cell(self, cell):
        self.cells = [c for c in self.cells if c["key"] != cell["key"]]
        self.cells.append(cell)
        self.save()

    def add_load(self, load):
        key = ["model", "threads", "precision", "isa", "engine"]
        self.loads = [known for known in self.loads
                      if any(known[k] != load[k] for k in key)]
        self.loads.append(load)

    def reference(self, model, shape):
        """Logits of the first text in fp32, by a peer."""
        for cell in self.cells:
            if cell["key"][0] == model and cell["key"][4] == shape:
                if cell["key"][2] == "fp32":
                    return cell["reference"]
        return None

    def save(self):
        unfinished = self.path.with_suffix(".part")
        unfinished.write_text(json.dumps(
            {"machine": self.machine, "cells": self.cells,
             "loads": self.loads}, indent=1) + "\n")
        unfinished.rename(self.path)


def worst_difference(logits, reference):
    """Between logits, as a share of the largest."""
    scale = max(map(abs, reference))
    return max(abs(a - b) for a, b in zip(logits, reference, strict=True)
               ) / scale


def promising(running, turns):
    """Ours, and the peers that may still be the best."""
    first = {name: taken[0]["median_ms"] for name, taken in turns.items()}
    limit = HOPELESS * min((ms for name, ms in first.items() if name != OURS),
                           default=0)
    return [engine for engine in running
            if engine.name == OURS or first[engine.name] <= limit]


def take_turns(running, shape, rounds, peak):
    """{engine: its turns}, and the peaks measured right after ours."""
    turns = {engine.name: [] for engine in running}
    peaks = []
    taking_part = running
    for number in range(rounds):
        for engine in taking_part:
            turns[engine.name].append(engine.measure(shape))
            if engine.name == OURS:
                peaks.append(peak())
        if number == 0:
            taking_part = promising(running, turns)
    return turns, [p for p in peaks if p is not None]


def summarize(turns, reference):
    summary = {"median_ms": statistics.median(t["median_ms"] for t in turns),
               "min_ms": min(t["min_ms"] for t in turns),
               "turns": [t["median_ms"] for t in turns],
               "runs": sum(t["runs"] for t in turns),
               "cpu_share": statistics.median(t["cpu_share"] for t in turns)}
    if reference is not None:
        summary["difference"] = max(
            worst_difference(t["first_logits"], reference) for t in turns)
    return summary


def measure_cell(running, group, shape, setup, results):
    turns, peaks = take_turns(running, shape, setup.rounds,
                              lambda: engines.gemm_peak(setup, group))
    reference = results.reference(group.model, shape)
    if group.precision == "fp32":
        judge = next((e.name for e in running if e.name != OURS), OURS)
        reference = turns[judge][0]["first_logits"]
    config = json.loads((setup.work / group.model / "config.json").read_text())
    lengths = shapes.lengths(shape)
    cell = {"key": group.key(shape), "reference": reference,
            "tokens": sum(lengths), "padded": len(lengths) * max(lengths),
            "dense_flops": shapes.dense_flops(shape, config),
            "attention_flops": shapes.attention_flops(shape, config),
            "rounds": setup.rounds, "seconds": setup.seconds,
            "peak_gflops": statistics.median(peaks) if peaks else None,
            "engines": {name: summarize(taken, reference)
                        for name, taken in turns.items()}}
    check(cell, turns[OURS][-1])
    note_loads(turns, group, setup, results)
    return cell


def check(cell, ours):
    precision = cell["key"][2]
    if ours["precision"] != precision:
        raise engines.EngineError(
            f"{OURS} ran {ours['precision']} instead: {cell['key']}")
    for name, summary in cell["engines"].items():
        if precision == "fp32" and summary["difference"] > FP32_TOLERANCE:
            raise engines.EngineError(
                f"{name}'s logits differ from the reference by "
                f"{summary['difference']:.2g} of the largest: {cell['key']}")


def kernels_of(name, told, group, setup):
    """What an engine says that it computes with."""
    if name != "onnxruntime-int8":
        return told.get("kernels", "")
    counts = json.loads(
        exports.products_path(group.model, setup.work).read_text())
    return ", ".join(f"{n} {kind}" for kind, n in counts.items())


def note_loads(turns, group, setup, results):
    for name, taken in turns.items():
        told = taken[-1]
        results.add_load({
            "model": group.model, "threads": group.threads,
            "precision": group.precision, "isa": group.isa, "engine": name,
            "load_ms": told["load_ms"], "process_bytes": told["process_bytes"],
            "resident_bytes": told.get("resident_bytes"),
            "kernels": kernels_of(name, told, group, setup)})


def line_of(cell):
    times = {name: e["median_ms"] for name, e in cell["engines"].items()}
    ours = times.pop(OURS)
    model, threads, precision, isa, shape = cell["key"]
    line = f"{model} {threads}t {precision} {isa} {shape}: {ours:.1f} ms"
    if times:
        best = min(times, key=times.get)
        line += f", {best} {times[best]:.1f} ms, {times[best] / ours:.2f}x"
    share = cell["engines"][OURS]["cpu_share"]
    if share < DISTURBED * threads:
        line += f", DISTURBED: {share:.2f} CPUs"
    return line


def measure_group(group, setup, results, log):
    exports.in_own_process(group.model, setup.work)
    peers = [name for name in engines.PEERS[group.precision]
             if name in setup.engines]
    with contextlib.ExitStack() as stack:
        running = [engines.start_ours(setup, group, log)]
        stack.callback(running[0].close)
        for name in peers:
            running.append(engines.start_peer(name, setup, group, log))
            stack.callback(running[-1].close)
        for shape in group.shapes:
            start = time.monotonic()
            cell = measure_cell(running, group, shape, setup, results)
            results.add_cell(cell)
            print(f"{line_of(cell)} ({time.monotonic() - start:.0f} s)",
                  file=sys.stderr, flush=True)


def measure_all(groups, setup, results):
    with open(setup.work / "engines.log", "w", encoding="utf-8") as log:
        for number, group in enumerate(groups, 1):
            print(f"[{number}/{len(groups)}] {group.model}, "
                  f"{group.threads} threads, {group.precision}, {group.isa}",
                  file=sys.stderr, flush=True)
            measure_group(group, setup, results, log)
