#!/usr/bin/env python3
"""Measures ExtractEntities beside the package gliner, on torch and on ONNX Runtime.

GLiNER models of the small and medium sizes with random weights, five labels, the
whole call from text to entities: the package in a process of its own, ours over
gRPC. The engines take turns within a shape; a time is the median of the turns'
medians. Prints Markdown tables.

  tests/load/compare_entities.py --build build/release --python VENV/bin/python

VENV holds gliner and the packages of tests/load/requirements.txt.
"""

import argparse
import contextlib
import os
import pathlib
import statistics
import subprocess
import sys
import time

sys.path.insert(0, str(pathlib.Path(__file__).parents[1]))
from peers import gliner_texts, stubs
from peers.engines import Engine
from served import Served

HERE = pathlib.Path(__file__).parent
ROOT = HERE.parents[1]
PEERS = {"torch": "gliner on torch, fp32",
         "onnx": "gliner on ONNX Runtime, fp32",
         "onnx-int8": "gliner on ONNX Runtime, int8"}
# The packages' processes are forked beside open channels.
os.environ["GRPC_ENABLE_FORK_SUPPORT"] = "0"
CPUS = len(os.sched_getaffinity(0))
OURS = ("fp32", "bf16", "int8")


class Package(Engine):
    """`measure` of a line that the worker reads."""

    def __init__(self, name, options, directory, log):
        command = [options.python, "-m", "peers.gliner_worker", name,
                   f"--model={directory}", f"--threads={CPUS}",
                   f"--seconds={options.seconds}"]
        super().__init__(name, command, CPUS,
                         {"TOKENIZERS_PARALLELISM": "false"}, log)

    def turn(self, shape):
        self.process.stdin.write(shape + "\n")
        self.process.stdin.flush()
        return self.read()


class Service:
    """A server of ours, asked over gRPC."""

    def __init__(self, precision, options, directory, proto):
        self.proto, self.seconds = proto, options.seconds
        self.server = Served(
            options.build, options.work / f"server-{precision}.log",
            f"--models=m={directory}", f"--precision={precision}",
            "--min_label_agreement=0", "--listen=127.0.0.1:0",
            "--metrics_listen=127.0.0.1:0")
        import grpc  # after the environment is set
        _, modules = proto
        self.channel = grpc.insecure_channel(f"127.0.0.1:{self.server.port()}")
        self.stub = modules.DebertaServiceStub(self.channel)

    def turn(self, shape):
        messages, _ = self.proto
        request = messages.ExtractEntitiesRequest(
            model="m", inputs=gliner_texts.texts(shape),
            labels=[messages.EntityLabel(name=n) for n in gliner_texts.LABELS])
        times, answer = [], None
        end = time.perf_counter() + self.seconds
        while not times or time.perf_counter() < end:
            start = time.perf_counter()
            answer = self.stub.ExtractEntities(request, timeout=600)
            times.append((time.perf_counter() - start) * 1000)
        return {"median_ms": statistics.median(times),
                "process_bytes": self.resident(),
                "entities": [[[e.start, e.end, e.label] for e in r.entities]
                             for r in answer.results]}

    def resident(self):
        status = pathlib.Path(f"/proc/{self.server.process.pid}/status")
        return int(status.read_text().split("VmRSS:")[1].split()[0]) * 1024

    def close(self):
        self.channel.close()
        self.server.stop()


def agreement(ours, theirs):
    """Of the entities that either found, the share that both did."""
    pairs = [({tuple(e) for e in a}, {tuple(e) for e in b})
             for a, b in zip(ours, theirs, strict=True)]
    either = sum(len(a | b) for a, b in pairs)
    return 1.0 if either == 0 else sum(len(a & b) for a, b in pairs) / either


def compare(options, size, running):
    print(f"\n| {size} | " + " | ".join(options.shapes) +
          " | resident MB |\n|---|" + "---:|" * (len(options.shapes) + 1))
    times, last = {name: [] for name in running}, {}
    for shape in options.shapes:
        turns = {name: [] for name in running}
        for _ in range(options.rounds):
            for name, engine in running.items():
                last[name] = engine.turn(shape)
                turns[name].append(last[name]["median_ms"])
        for name, taken in turns.items():
            times[name].append(statistics.median(taken))
        same = agreement(last["ours fp32"]["entities"],
                         last[PEERS["torch"]]["entities"])
        count = sum(map(len, last[PEERS["torch"]]["entities"]))
        print(f"{size}, {shape}: {same:.2%} of {count} entities are torch's in "
              "fp32", file=sys.stderr)
    for name, row in times.items():
        print(f"| {name} | " + " | ".join(f"{ms:.1f} ms" for ms in row) +
              f" | {last[name]['process_bytes'] / 1e6:.0f} |", flush=True)
    for precision, peer in (("fp32", "onnx"), ("fp32", "torch"),
                            ("int8", "onnx-int8")):
        ratios = [b / a for a, b in zip(times[f"ours {precision}"],
                                        times[PEERS[peer]])]
        print(f"| ours {precision} beside {PEERS[peer]} | " +
              " | ".join(f"{r:.2f}x" for r in ratios) + " | |", flush=True)


def main():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--build", type=pathlib.Path, required=True)
    parser.add_argument("--python", required=True,
                        help="interpreter that has the packages")
    parser.add_argument("--work", type=pathlib.Path,
                        default=ROOT / "build/load", help="models and logs")
    parser.add_argument("--sizes", nargs="+", default=["small", "medium"])
    parser.add_argument("--shapes", nargs="+", choices=gliner_texts.SHAPES,
                        default=list(gliner_texts.SHAPES))
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--seconds", type=float, default=1,
                        help="of each turn, one call at least")
    options = parser.parse_args()
    options.build = options.build.resolve()
    options.work = options.work.resolve()
    options.work.mkdir(parents=True, exist_ok=True)
    proto = stubs.generated(options.work)
    for size in options.sizes:
        subprocess.run([options.python, "-m", "peers.gliner_models", size,
                        options.work], cwd=HERE, check=True,
                       stdout=subprocess.DEVNULL)
        directory = options.work / f"gliner-{size}"
        with contextlib.ExitStack() as stack:
            log = stack.enter_context(
                open(options.work / "engines.log", "w", encoding="utf-8"))
            running = {}
            for precision in OURS:
                service = Service(precision, options, directory, proto)
                running[f"ours {precision}"] = stack.enter_context(
                    contextlib.closing(service))
            for name, title in PEERS.items():
                package = Package(name, options, directory, log)
                running[title] = stack.enter_context(
                    contextlib.closing(package))
            compare(options, size, running)


if __name__ == "__main__":
    main()
