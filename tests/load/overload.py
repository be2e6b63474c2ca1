#!/usr/bin/env python3
"""How a server behaves above its capacity, and what one caller does to another.

Starts a deberta-server, measures how many calls of mixed lengths it answers a
second to callers who wait, and then asks for multiples of that, in an open loop with
deadlines (open_loop.cc), in single texts and in lists. The same loads go to a plain
server over ONNX Runtime (fifo_server.py), if a Python that has its packages is given.
Then a caller of short texts asks beside one that asks for 20 times its share, in
single texts and in lists of 512. Prints Markdown tables.

  tests/load/overload.py --build build/release --model demo/section-classifier \
      --fifo_python VENV/bin/python
"""

import argparse
import contextlib
import json
import pathlib
import subprocess
import sys
import tempfile

sys.path.insert(0, str(pathlib.Path(__file__).parents[1]))
from served import Served

HERE = pathlib.Path(__file__).parent
LOADS = (0.5, 0.9, 1.5, 2, 4)


def load(options, address, **flags):
    """A running open_loop."""
    command = [options.build / "tests" / "open_loop", f"--server={address}",
               "--model=m"]
    command += [f"--{name}={value}" for name, value in flags.items()]
    return subprocess.Popen(command, stdout=subprocess.PIPE, text=True)


def result(process):
    """Of calls that were answered, late or refused for want of room."""
    found = json.loads(process.communicate()[0])
    if other := set(found["codes"]) - {"0", "4", "8"}:
        sys.exit(f"calls ended with the gRPC codes {', '.join(sorted(other))}: "
                 f"{found}")
    return found


@contextlib.contextmanager
def ours(options):
    """Yields the port."""
    with tempfile.NamedTemporaryFile() as log, Served(
            options.build, log.name, f"--models=m={options.model}",
            "--listen=[::]:0", "--metrics_listen=127.0.0.1:0") as server:
        yield server.port()


@contextlib.contextmanager
def fifo(options):
    """Yields the port."""
    process = subprocess.Popen(
        [options.fifo_python, HERE / "fifo_server.py",
         f"--model={options.model}", f"--work={options.work}"],
        stdout=subprocess.PIPE, text=True)
    try:
        yield json.loads(process.stdout.readline())["grpc_port"]
    finally:
        process.kill()  # it would answer its queue first
        process.wait()


def capacity_of(options, server, texts):
    """Calls a second that are answered to callers who wait: of every length, as
    nothing is refused."""
    with server(options) as port:
        return result(load(options, f"127.0.0.1:{port}", closed="true", callers=16,
                           seconds=options.seconds / 2, list=texts,
                           max_words=options.max_words))["good_per_s"]


def overload(options, name, server, texts, capacity):
    for times in LOADS:
        with server(options) as port:  # a new one: no queue is left of the last
            r = result(load(options, f"127.0.0.1:{port}", rate=times * capacity,
                            seconds=options.seconds, list=texts,
                            max_words=options.max_words))
        codes = r["codes"]
        print(f"| {name} | {times} | {r['calls_per_s']:.1f} | "
              f"{r['good_per_s']:.1f} | {r['good_words_per_s']:.0f} | "
              f"{r['p50_ms']:.0f} | {r['p99_ms']:.0f} | {codes.get('8', 0)} | "
              f"{r['refused_p50_ms']:.1f} | {codes.get('4', 0)} |", flush=True)


def compare(options):
    """Both servers under both kinds of calls; our capacity in single texts."""
    servers = {"deberta-server": ours}
    if options.fifo_python:
        servers["FIFO"] = fifo
    singles = None
    for texts in options.lists:
        capacities = {name: capacity_of(options, server, texts)
                      for name, server in servers.items()}
        capacity = capacities["deberta-server"]
        singles = singles or capacity
        told = ", ".join(f"{name} {c:.1f}" for name, c in capacities.items())
        print(f"\nCalls of {texts} texts of 3 to {options.max_words} words, "
              f"deadlines of a second, {options.seconds} s each. Calls a second to "
              f"callers who wait: {told}.\n\n"
              "| server | load | asked/s | good/s | good words/s | "
              "p50 ms | p99 ms | refused | refused in ms (median) | late |\n"
              "|---|---:|---:|---:|---:|---:|---:|---:|---:|---:|")
        for name, server in servers.items():
            overload(options, name, server, texts, capacity)
    return singles


def fairness(options, port, capacity):
    short = {"closed": "true", "seconds": options.seconds, "min_words": 8,
             "max_words": 16}
    print("\n| beside | p50 ms | p99 ms |\n|---|---:|---:|")

    def row(name, **flood):
        beside = None
        if flood:
            beside = load(options, f"127.0.0.1:{port}",
                          seconds=options.seconds + 2, max_words=60,
                          deadline_ms=60000, **flood)
        r = result(load(options, f"[::1]:{port}", **short))
        if beside is not None:
            beside.terminate()
            beside.wait()
        print(f"| {name} | {r['p50_ms']:.1f} | {r['p99_ms']:.1f} |", flush=True)

    row("nothing")
    row("single texts, 20 times a share", rate=20 * capacity)
    row("lists of 512", rate=max(0.5, capacity / 50), list=512)


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--build", type=pathlib.Path, required=True)
    parser.add_argument("--model", type=pathlib.Path, required=True)
    parser.add_argument("--seconds", type=int, default=60)
    parser.add_argument("--max_words", type=int, default=400)
    parser.add_argument("--lists", type=int, nargs="+", default=[1, 8],
                        help="texts in a call")
    parser.add_argument("--fifo_python", help="Python for fifo_server.py")
    parser.add_argument("--no_fairness", action="store_true")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as options.work:
        capacity = compare(options)
    if not options.no_fairness:
        with ours(options) as port:
            fairness(options, port, capacity)


if __name__ == "__main__":
    main()
