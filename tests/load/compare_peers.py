#!/usr/bin/env python3
"""Compares deberta-bench with transformers on torch and with ONNX Runtime.

Random-weight models of the released base sizes, fp32 arithmetic, the same ids
and thread count for all; the engines take turns within each shape, so that a
change of the machine meets them all. Prints Markdown:

  tests/load/compare_peers.py --bench build/release/deberta-bench

Its packages go to a virtual environment under build/load (some 1.5 GB), unless
--python names an interpreter that has them (tests/load/requirements.txt).
"""

import argparse
import json
import os
import pathlib
import statistics
import subprocess
import sys
import time

ROOT = pathlib.Path(__file__).resolve().parents[2]
MASK_64 = (1 << 64) - 1
WARM_UPS = 2
MIN_RUNS = 3


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


def median_ms(run, seconds):
    """As deberta-bench measures: two warm-ups, then runs until the time is up.
    """
    times = []
    end = time.perf_counter() + seconds
    runs = 0
    while runs < WARM_UPS + MIN_RUNS or time.perf_counter() < end:
        start = time.perf_counter()
        run()
        if runs >= WARM_UPS:
            times.append((time.perf_counter() - start) * 1000)
        runs += 1
    return statistics.median(times)


class Ours:
    name = "deberta-bench"

    def __init__(self, bench, directory, threads):
        self.command = [bench, f"--model={directory}", f"--threads={threads}",
                        "--json"]
        self.reports = []

    def measure(self, batch, length, seconds):
        done = subprocess.run(
            [*self.command, f"--shapes={batch}x{length}",
             f"--seconds={seconds}"], check=True, capture_output=True,
            text=True)
        report = json.loads(done.stdout)
        self.reports.append(report)
        return report["median_ms"], report["first_logits"]


class Torch:
    name = "transformers on torch"

    def __init__(self, directory, threads):
        import torch
        import transformers
        torch.set_num_threads(threads)
        transformers.logging.set_verbosity_error()
        self.torch = torch
        self.model = (
            transformers.AutoModelForSequenceClassification.from_pretrained(
                directory, dtype=torch.float32).eval())
        self.vocab_size = self.model.config.vocab_size

    def inputs(self, batch, length):
        ids = self.torch.tensor(random_ids(batch * length, self.vocab_size))
        ids = ids.reshape(batch, length)
        return ids, self.torch.ones_like(ids)

    def measure(self, batch, length, seconds):
        ids, mask = self.inputs(batch, length)
        with self.torch.inference_mode():
            logits = self.model(input_ids=ids, attention_mask=mask).logits
            return median_ms(
                lambda: self.model(input_ids=ids, attention_mask=mask),
                seconds), logits[0].tolist()


class OnnxRuntime:
    name = "ONNX Runtime"

    def __init__(self, peer, path, threads):
        import onnxruntime
        self.peer = peer
        if not path.exists():
            self.export(path)
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = threads
        self.session = onnxruntime.InferenceSession(
            str(path), options, providers=["CPUExecutionProvider"])

    def export(self, path):
        torch, model = self.peer.torch, self.peer.model
        path.parent.mkdir(parents=True, exist_ok=True)
        axes = {0: "batch", 1: "length"}
        with torch.no_grad():
            torch.onnx.export(
                model, self.peer.inputs(2, 16), str(path),
                input_names=["input_ids", "attention_mask"],
                output_names=["logits"], opset_version=17, dynamo=False,
                dynamic_axes={"input_ids": axes, "attention_mask": axes})

    def measure(self, batch, length, seconds):
        ids, mask = self.peer.inputs(batch, length)
        feed = {"input_ids": ids.numpy(), "attention_mask": mask.numpy()}
        logits = self.session.run(None, feed)[0]
        return (median_ms(lambda: self.session.run(None, feed), seconds),
                logits[0].tolist())


def check_logits(engine, logits, reference):
    """All engines must have computed the same thing."""
    scale = max(1.0, max(map(abs, reference)))
    worst = max(abs(a - b) for a, b in zip(logits, reference))
    if len(logits) != len(reference) or worst > 1e-3 * scale:
        sys.exit(f"{engine.name}: logits {logits}, torch's are {reference}")


def compare(name, directory, arguments):
    torch_engine = Torch(directory, arguments.threads)
    engines = [
        Ours(arguments.bench, directory, arguments.threads), torch_engine,
        OnnxRuntime(torch_engine, arguments.work / f"{name}.onnx",
                    arguments.threads)]
    rows = []
    for batch, length in arguments.shapes:
        medians = {engine.name: [] for engine in engines}
        reference = torch_engine.measure(batch, length, 0)[1]
        for _ in range(arguments.rounds):
            for engine in engines:
                milliseconds, logits = engine.measure(batch, length,
                                                      arguments.seconds)
                check_logits(engine, logits, reference)
                medians[engine.name].append(milliseconds)
        ours, *peers = (statistics.median(medians[e.name]) for e in engines)
        tokens = batch * length * 1000
        rows.append([name, f"{batch}x{length}", f"{ours:.1f}",
                     *(f"{peer:.1f}" for peer in peers),
                     f"{tokens / ours:.0f}",
                     *(f"{tokens / peer:.0f}" for peer in peers),
                     f"{min(peers) / ours:.2f}"])
        print(f"{name} {batch}x{length} done", file=sys.stderr)
    reports = engines[0].reports
    load = statistics.median(r["load_ms"] for r in reports)
    memory = max(r["process_bytes"] for r in reports)
    return rows, [name, f"{load / 1000:.2f}",
                  f"{reports[0]['resident_bytes'] / 1e6:.0f}",
                  f"{memory / 1e6:.0f}"]


def table(titles, rows):
    lines = [titles, ["---"] + ["---:"] * (len(titles) - 1), *rows]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)


def shapes(text):
    return [tuple(int(n) for n in shape.split("x", 1))
            for shape in text.split(",")]


def rerun_with_packages(arguments):
    """Starts this script again where its packages are."""
    python = arguments.python
    if python is None:
        venv = arguments.work / "venv"
        python = venv / "bin/python"
        if not python.exists():
            subprocess.run([sys.executable, "-m", "venv", venv], check=True)
        subprocess.run(
            [python, "-m", "pip", "install", "-q", "-r",
             pathlib.Path(__file__).with_name("requirements.txt")], check=True)
    os.execve(python, [str(python), *sys.argv],
              os.environ | {"COMPARE_PEERS_PACKAGES": "1"})


def parse_arguments():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--bench", default=ROOT / "build/release/deberta-bench")
    parser.add_argument("--python", help="interpreter that has the packages")
    parser.add_argument("--work", type=pathlib.Path, default=ROOT / "build/load",
                        help="for models, exports and packages")
    parser.add_argument("--sizes", nargs="*", default=["v1-base", "v3-base"])
    parser.add_argument("--shapes", type=shapes, default="1x128,8x128")
    parser.add_argument("--threads", type=int,
                        default=len(os.sched_getaffinity(0)))
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--seconds", type=float, default=5,
                        help="of each measurement")
    return parser.parse_args()


def main():
    arguments = parse_arguments()
    if "COMPARE_PEERS_PACKAGES" not in os.environ:
        rerun_with_packages(arguments)
    sys.path.insert(0, str(ROOT / "tests/golden"))
    import make_random_checkpoint

    rows, loads = [], []
    for size in arguments.sizes:
        directory = arguments.work / size
        if not (directory / "tokenizer_config.json").exists():
            make_random_checkpoint.make(size, directory, "float16")
        measured, load = compare(size, directory, arguments)
        rows += measured
        loads.append(load)
    names = [Ours.name, Torch.name, OnnxRuntime.name]
    print(f"fp32, {arguments.threads} threads, median of {arguments.rounds} "
          f"rounds of {arguments.seconds:g} s; logits agree.\n")
    print(table(["model", "shape", *(f"{n}, ms" for n in names),
                 *(f"{n}, tokens/s" for n in names),
                 "ratio to the better peer"], rows))
    print()
    print(table(["model", "load, s", "weights and tables, MB",
                 "process, MB"], loads))


if __name__ == "__main__":
    main()
