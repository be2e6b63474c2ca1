#!/usr/bin/env python3
"""One picture of the dashboard: each panel drawn by its own queries, from a real
Prometheus that scrapes a real server under mixed load.

picture.py BUILD_DIR WORK_DIR OUT.png SECONDS, with prometheus on PATH.
"""

import pathlib
import shutil
import sys
import threading
import time

from observed import ROOT, Observed, dashboard, expand
from panels import draw

RATE_INTERVAL = "15s"
POINTS = 200
LONG = "A library that reads and writes archives. " * 100
MANY = "\n".join(f"Package number {n}: reads PDF files over IMAP, in Rust."
                 for n in range(64)).encode()

# What callers ask all the time; a wave of tables; a rush that has no time. The
# last are refused: an unknown model, a text too long, work that would be late.
STEADY = (
    ("classify", "--model=section-classifier", "A chess engine with books."),
    ("tag", "--model=tech-tagger", "Fetches mail over IMAP, written in Rust."),
    ("answer", "--question=What section?", "Package: qpdf\nSection: text"),
    ("fill", "QPDF is a program to inspect PDF [MASK]."),
    ("extract", "--labels=mail protocol,language", "IMAP in Rust."),
    ("rerank", "--model=reranker", "--query=a game", "a chess engine", "a font"),
    ("embed", "--model=tech-tagger", "Fetches mail over IMAP."),
    ("tokenize", "--model=mask-filler", "a few words"),
    ("classify", "--model=none", "is refused"),
    ("classify", "--model=section-classifier", LONG),
    ("classify", "--model=section-classifier", "--length_policy=truncate", LONG),
)
WAVE = (
    ("classify", "--model=section-classifier", "--batch=64"),
    ("tag", "--model=tech-tagger", "--batch=64"),
    ("extract", "--labels=file format,language", "--batch=16"),
)
RUSH = (
    ("tag", "--model=tech-tagger", "--batch=64", "--deadline_ms=60"),
    ("classify", "--model=section-classifier", "--length_policy=window",
     "--deadline_ms=60", LONG),
)
# Shares of the time: (calls, standard input, callers, from, to).
PHASES = ((STEADY, None, 1, 0.0, 1.0), (STEADY, None, 2, 0.15, 0.9),
          (WAVE, MANY, 3, 0.3, 0.55), (RUSH, MANY, 4, 0.68, 0.78))


def load(observed, seconds):
    began = time.monotonic()
    over = threading.Event()

    def caller(calls, stdin, first, last):
        over.wait(first * seconds)
        while time.monotonic() < began + last * seconds:
            for call in calls:
                observed.ask(*call, stdin=stdin)
    callers = [threading.Thread(target=caller, args=(calls, stdin, first, last))
               for calls, stdin, count, first, last in PHASES
               for _ in range(count)]
    for thread in callers:
        thread.start()
    for thread in callers:
        thread.join()


def series_of(observed, panel, start, end):
    """(target, labels, [(time, value)]) of every query of the panel."""
    for target in panel.get("targets", []):
        query = expand(target["expr"], RATE_INTERVAL)
        if panel["type"] == "timeseries":
            for found in observed.get("query_range", query=query, start=start,
                                      end=end, step=(end - start) / POINTS)["result"]:
                yield target, found["metric"], [
                    (float(at) - start, float(value))
                    for at, value in found["values"]]
        else:
            for found in observed.get("query", query=query, time=end)["result"]:
                at, value = found["value"]
                yield target, found["metric"], [(float(at) - start, float(value))]


def main(build, work, out, seconds):
    models = [str(p.parent) for p in sorted((ROOT / "demo").glob("*/model.safetensors"))]
    models.append(str(ROOT / "tests/golden/conventions/reranker"))
    observed = Observed(build, work, f"--models={','.join(models)}",
                        "--precision=auto")
    try:
        start = time.time()
        load(observed, seconds)
        end = time.time()
        panels = [(panel, list(series_of(observed, panel, start, end)))
                  for panel in dashboard()["panels"]]
    finally:
        observed.stop()
    draw(dashboard()["title"], panels, end - start, out)


if __name__ == "__main__":
    if len(sys.argv) != 5:
        sys.exit(__doc__)
    folder = pathlib.Path(sys.argv[2]).resolve() / "picture"
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    main(pathlib.Path(sys.argv[1]).resolve(), folder, pathlib.Path(sys.argv[3]),
         float(sys.argv[4]))
