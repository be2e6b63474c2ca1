#!/usr/bin/env python3
"""How a server behaves above its capacity, and what one caller does to another.

Starts a deberta-server, measures how many calls of mixed lengths it answers a
second, and then asks for multiples of that, in an open loop with deadlines
(open_loop.cc). Then a caller of short texts asks beside one that asks for 20
times its share, in single texts and in lists of 512. Prints two Markdown tables.

  tests/load/overload.py --build build/release --model demo/section-classifier
"""

import argparse
import json
import pathlib
import subprocess
import sys
import tempfile
import time

sys.path.insert(0, str(pathlib.Path(__file__).parents[1]))
from served import Served


def load(options, server, host="127.0.0.1", **flags):
    """A running open_loop."""
    command = [options.build / "tests" / "open_loop",
               f"--server={host}:{server.port()}", "--model=m"]
    command += [f"--{name}={value}" for name, value in flags.items()]
    return subprocess.Popen(command, stdout=subprocess.PIPE, text=True)


def result(process):
    return json.loads(process.communicate()[0])


def overload(options, server):
    words = {"min_words": 3, "max_words": options.max_words}
    probe = result(load(options, server, rate=options.probe_rate, seconds=10,
                        **words))
    capacity = probe["good_per_s"]
    print(f"\nCapacity: {capacity:.1f} calls a second, of texts of 3 to "
          f"{options.max_words} words; deadlines of a second; "
          f"{options.seconds} s each.\n")
    print("| load | asked/s | good/s | p50 ms | p99 ms | refused | "
          "refused in ms (median) | late |")
    print("|---:|---:|---:|---:|---:|---:|---:|---:|")
    for times in (0.5, 0.9, 1.5, 2, 4):
        r = result(load(options, server, rate=times * capacity,
                        seconds=options.seconds, **words))
        codes = r["codes"]
        print(f"| {times} | {r['calls_per_s']:.1f} | {r['good_per_s']:.1f} | "
              f"{r['p50_ms']:.0f} | {r['p99_ms']:.0f} | {codes.get('8', 0)} | "
              f"{r['refused_p50_ms']:.1f} | {codes.get('4', 0)} |", flush=True)
    return capacity


def fairness(options, server, capacity):
    short = {"closed": "true", "seconds": options.seconds, "min_words": 8,
             "max_words": 16}
    print("\n| beside | p50 ms | p99 ms |\n|---|---:|---:|")

    def row(name, **flood):
        beside = None
        if flood:
            beside = load(options, server, seconds=options.seconds + 2,
                          max_words=60, deadline_ms=60000, **flood)
            time.sleep(1)
        r = result(load(options, server, host="[::1]", **short))
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
    parser.add_argument("--probe_rate", type=float, default=3000,
                        help="calls a second that are surely too many")
    options = parser.parse_args()
    with tempfile.NamedTemporaryFile() as log, Served(
            options.build, log.name, f"--models=m={options.model}",
            "--listen=[::]:0", "--metrics_listen=127.0.0.1:0") as server:
        capacity = overload(options, server)
        fairness(options, server, capacity)


if __name__ == "__main__":
    main()
