#!/usr/bin/env python3
"""Says which parts of a model deberta-bench spends its time in.

Samples it with `perf` (Debian's linux-perf) once it has loaded, sorts the
samples by the functions that they fell into, and writes docs/profile.md. One
thread, so that nothing waits.

  tests/load/profile_parts.py --model DIR [--shapes 8x128 1x512]
"""

import argparse
import pathlib
import re
import subprocess
import tempfile

from peers import machine
from peers.markdown import table

ROOT = pathlib.Path(__file__).resolve().parents[2]
PRECISIONS = ["fp32", "bf16", "int8"]

# The first that matches a sample's function. What oneDNN compiles has no name
# but an address.
PARTS = [
    ("dense products", r"Multiply(RowTile|Cell|Block<|Block\(|Panel|Floats|Rows)"
                       r"|^0x[0-9a-f]+$"),
    ("attention's products", r"ScoreTile|ContextTile|Product<|Multiply(Blocks|"
                             r"Column|Windows)|TileScores|TileContext"),
    ("softmax, with what it adds up", r"SoftmaxRow|TileSoftmax"),
    ("attention's copies", r"Transpose|Pack(Tile)?Values|Stretch|Attend"),
    ("rounding of inputs", r"Quantize|SpanToBf16|LargestOf"),
    ("bias, gelu, rounding of outputs", r"Finish"),
    ("residual and LayerNorm", r"AddAndSum|MomentsOf|NormalizeRow|LayerNorm"),
    ("the rest", r""),
]
SECONDS_TO_LOAD = 2

HEAD = """\
# Where the time goes

Written by `tests/load/profile_parts.py`: shares of the samples of `perf` in
`deberta-bench`, on one thread, in per cent. Beside the share of the bound in
[performance.md](performance.md) it tells what stands between a cell and its
bound: with AMX the dense products are so fast that what surrounds them weighs
as much as they do.

Processor: {processor}; {model}.

"""


def shares(bench, model, precision, shape, seconds):
    """{part: per cent} and tokens a second."""
    with tempfile.TemporaryDirectory() as directory:
        samples = f"{directory}/samples"
        out = subprocess.run(
            ["perf", "record", "-q", "-o", samples, "-F", "997", "-D",
             str(1000 * SECONDS_TO_LOAD), bench, f"--model={model}",
             f"--precision={precision}", "--threads=1", f"--shapes={shape}",
             f"--seconds={SECONDS_TO_LOAD + seconds}"],
            check=True, text=True, stdout=subprocess.PIPE).stdout
        report = subprocess.run(
            ["perf", "report", "-i", samples, "--stdio", "--sort", "symbol",
             "--percent-limit", "0"],
            check=True, text=True, stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL).stdout
    found = dict.fromkeys((name for name, _ in PARTS), 0.0)
    for percent, symbol in re.findall(r"^ +([\d.]+)% +\[.\] +(.*?) *$", report,
                                      re.M):
        part = next(name for name, pattern in PARTS
                    if re.search(pattern, symbol))
        found[part] += float(percent)
    if not any(found.values()):
        raise SystemExit(f"no samples of {bench}: {report}")
    found["the rest"] += 100 - sum(found.values())
    return found, out.split()[-1]


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--model", required=True)
    parser.add_argument("--bench", default=ROOT / "build/release/deberta-bench")
    parser.add_argument("--shapes", nargs="+", default=["8x128", "1x512"])
    parser.add_argument("--seconds", type=float, default=5)
    parser.add_argument("--output", default=ROOT / "docs/profile.md")
    arguments = parser.parse_args()
    columns = [(precision, shape) for precision in PRECISIONS
               for shape in arguments.shapes]
    found = []
    for precision, shape in columns:
        found.append(shares(arguments.bench, arguments.model, precision, shape,
                            arguments.seconds))
        print(f"{precision} {shape}: {found[-1][1]} tokens/s", flush=True)
    rows = [[name, *(f"{part[name]:.1f}" for part, _ in found)]
            for name, _ in PARTS]
    rows.append(["tokens/s", *(tokens for _, tokens in found)])
    here = machine.processor()
    text = HEAD.format(
        processor=f"{here['cpu']} ({', '.join(here['flags'])})",
        model=pathlib.Path(arguments.model).name)
    text += table(["", *(f"{p} {s}" for p, s in columns)], rows) + "\n"
    pathlib.Path(arguments.output).write_text(text)


if __name__ == "__main__":
    main()
