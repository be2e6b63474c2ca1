#!/usr/bin/env python3
"""Measures deberta-serve beside its peers, and writes docs/performance.md.

Random-weight models of the released sizes, the same ids, threads and CPUs for
all; ONNX Runtime, OpenVINO, PyTorch and ours take turns within each cell.

  cmake --preset release -DDEBERTA_BENCHMARKS=ON
  cmake --build --preset release
  tests/load/compare_peers.py            # everything: half an hour or more
  tests/load/compare_peers.py --smoke    # minutes: whether everything works
  tests/load/compare_peers.py --parts avx2 --sizes v3-base    # these cells anew
  tests/load/compare_peers.py --render   # the document from stored results

Results are kept in WORK/results.json, cell by cell: what is measured again
replaces what was known, and the rest stays. Packages go to a virtual
environment in WORK (some 2 GB), unless --python names an interpreter that has
them (tests/load/requirements.txt).
"""

import argparse
import os
import pathlib
import subprocess
import sys

from peers import engines, machine, measure, shapes

ROOT = pathlib.Path(__file__).resolve().parents[2]
BASES = ["v1-base", "v3-base"]


def threads_here():
    """One thread, and all."""
    return sorted({1, len(os.sched_getaffinity(0))})


def parts():
    """{part: [(sizes, thread counts, precisions, instructions, shapes)]}"""
    every = ["fp32", "bf16", "int8"]
    most = threads_here()[-1:]
    return {
        "grid": [(BASES, threads_here(), every, "amx", shapes.UNIFORM)],
        "mixed": [(BASES, most, every, "amx",
                   [shapes.MIXED, shapes.MIXED_BESIDE])],
        "small": [(["v3-xsmall"], [1], every, "amx",
                   ["1x16", "1x64", "1x128"])],
        "large": [(["v3-large"], most, every, "amx", ["1x128", "8x128"])],
        "avx2": [(BASES, threads_here(), ["fp32"], "avx2", shapes.UNIFORM)],
    }


def groups(arguments):
    """What the options leave of the parts."""
    def wanted(values, chosen):
        return [v for v in values if chosen is None or v in chosen]

    found = []
    for part in arguments.parts:
        for sizes, threads, precisions, isa, shape_names in parts()[part]:
            left = tuple(wanted(shape_names, arguments.shapes))
            found += [
                measure.Group(size, count, precision, isa, left)
                for size in wanted(sizes, arguments.sizes)
                for count in wanted(threads, arguments.threads)
                for precision in wanted(precisions, arguments.precisions)
                if left]
    return found


def smoke_groups():
    last = threads_here()[-1]
    names = ("1x16", "2x64", "lengths:12+80+7+60")
    return [measure.Group("v3-xsmall", last, precision, "amx", names)
            for precision in engines.PEERS] + [
                measure.Group("v3-xsmall", 1, "fp32", "avx2", names[:2])]


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
    parser = argparse.ArgumentParser(
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--build", type=pathlib.Path,
                        default=ROOT / "build/release")
    parser.add_argument("--work", type=pathlib.Path,
                        default=ROOT / "build/load",
                        help="for models, exports, packages and results")
    parser.add_argument("--python", help="interpreter that has the packages")
    parser.add_argument("--output", type=pathlib.Path,
                        default=ROOT / "docs/performance.md",
                        help="plots go into the directory of its name")
    parser.add_argument("--parts", nargs="+", choices=parts(),
                        default=list(parts()))
    parser.add_argument("--sizes", nargs="+")
    parser.add_argument("--shapes", nargs="+")
    parser.add_argument("--threads", nargs="+", type=int)
    parser.add_argument("--precisions", nargs="+", choices=engines.PEERS)
    parser.add_argument("--engines", nargs="+", choices=engines.TITLES,
                        default=list(engines.TITLES), help="peers to run")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--seconds", type=float, default=0.7,
                        help="of each turn, one run at least")
    parser.add_argument("--peak_seconds", type=float, default=0.6,
                        help="of each measurement of the matrix products' peak")
    parser.add_argument("--smoke", action="store_true",
                        help="little of everything, written to WORK/smoke")
    parser.add_argument("--render", action="store_true",
                        help="measure nothing")
    arguments = parser.parse_args()
    arguments.work = arguments.work.resolve()
    arguments.bench = arguments.build.resolve() / "deberta-bench"
    arguments.gemm_peak = arguments.build.resolve() / "tests/gemm_peak"
    if arguments.smoke:
        arguments.seconds, arguments.rounds = 0.2, 2
        arguments.output = arguments.work / "smoke/performance.md"
    return arguments


def main():
    arguments = parse_arguments()
    if "COMPARE_PEERS_PACKAGES" not in os.environ:
        rerun_with_packages(arguments)
    from peers import document  # needs the packages
    store = arguments.work / ("smoke" if arguments.smoke else "")
    store.mkdir(parents=True, exist_ok=True)
    results = measure.Results(store / "results.json")
    if not arguments.render:
        for program in (arguments.bench, arguments.gemm_peak):
            if not program.exists():
                sys.exit(f"{program} is not built (see --help)")
        results.machine = machine.describe(ROOT, arguments.gemm_peak)
        chosen = smoke_groups() if arguments.smoke else groups(arguments)
        try:
            measure.measure_all(chosen, arguments, results)
        except engines.EngineError as error:
            sys.exit(f"compare_peers.py: {error}")
    document.write(results, arguments.output)
    print(arguments.output)


if __name__ == "__main__":
    main()
