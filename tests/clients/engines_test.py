#!/usr/bin/env python3
"""The recipes for Spark and Ray Data on their local engines, against two servers
of which one is killed amid the table and comes back.
engines_test.py BUILD_DIR WORK_DIR ENGINE ROWS"""

import pathlib
import shutil
import subprocess
import sys
import time
import urllib.request

import pyarrow
import pyarrow.parquet

from python_client_test import ROOT, free_port
from served import Served
from texts import GAME, TOOL

SECONDS_A_ROW = 0.05
# Of a busy machine: an engine reads and cuts the whole table before it asks.
START_SECONDS = 600


def log(text):
    print(text, flush=True)


class Server:
    def __init__(self, build, work, name):
        self.port, self.metrics = free_port(), free_port()
        self.build, self.log = build, work / name
        self.starts = 0

    def start(self):
        self.starts += 1
        self.served = Served(
            self.build, f"{self.log}_{self.starts}.log",
            f"--models={ROOT}/demo/section-classifier",
            f"--listen=127.0.0.1:{self.port}",
            f"--metrics_listen=127.0.0.1:{self.metrics}")

    def kill(self):
        self.served.process.kill()
        self.served.process.wait()

    def inputs(self):
        """Answered since its start."""
        url = f"http://127.0.0.1:{self.metrics}/metrics"
        with urllib.request.urlopen(url, timeout=10) as page:
            return sum(float(line.split()[-1])
                       for line in page.read().decode().splitlines()
                       if line.startswith("deberta_inputs_total"))


def write_table(path, rows):
    """Short texts, ten of which in a million are bad."""
    schema = pyarrow.schema([("id", pyarrow.int64()), ("text", pyarrow.string())])
    with pyarrow.parquet.ParquetWriter(path, schema) as writer:
        for first in range(0, rows, 50_000):
            ids = list(range(first, min(first + 50_000, rows)))
            writer.write_table(pyarrow.table(
                {"id": ids, "text": [text(n) for n in ids]}, schema))


def text(n):
    if n % 100_000 == 7:
        return ""
    return f"{n} {TOOL[:38] if n % 2 else GAME[:44]}"


def check(folder, rows):
    found = pyarrow.parquet.read_table(folder).to_pydict()
    assert sorted(found["id"]) == list(range(rows)), (
        f"{len(found['id'])} rows, {len(set(found['id']))} different")
    bad = [n for n, error in zip(found["id"], found["error"]) if error]
    assert sorted(bad) == list(range(7, rows, 100_000)), bad
    unlabelled = [n for n, label, error in
                  zip(found["id"], found["label"], found["error"])
                  if (label is None) != (error is not None)]
    assert not unlabelled, unlabelled[:9]


def wait(process, condition, seconds, what):
    deadline = time.monotonic() + seconds
    while not condition():
        assert process.poll() is None, f"the engine ended before {what}"
        assert time.monotonic() < deadline, f"not within {seconds} s: {what}"
        time.sleep(0.1)


def main():
    build, work, engine, rows = sys.argv[1:]
    build, rows = pathlib.Path(build).resolve(), int(rows)
    work = pathlib.Path(work).resolve() / engine
    shutil.rmtree(work, ignore_errors=True)
    work.mkdir(parents=True)
    source, output = work / "texts.parquet", work / "labels"
    write_table(source, rows)
    first, second = Server(build, work, "first"), Server(build, work, "second")
    first.start()
    second.start()
    script = ROOT / f"clients/examples/{engine}/label_table.py"
    command = {"spark": [pathlib.Path(sys.executable).with_name("spark-submit"),
                         "--master", "local[2]", script],
               "ray": [sys.executable, script]}[engine]
    began = time.monotonic()
    with open(work / "engine.log", "wb") as out:
        process = subprocess.Popen(
            [*map(str, command),
             f"ipv4:127.0.0.1:{first.port},127.0.0.1:{second.port}",
             str(source), str(output)], stdout=out, stderr=out)
    try:
        wait(process, lambda: second.inputs() > 200 and first.inputs() > 200,
             START_SECONDS, "both servers were asked")
        answered = second.inputs()
        second.kill()
        alone = first.inputs()
        wait(process, lambda: first.inputs() > alone + 500, 120,
             "the first went on alone")
        second.start()
        wait(process, lambda: process.poll() is not None or second.inputs() > 200,
             rows * SECONDS_A_ROW, "the second was asked again")
        code = process.wait(rows * SECONDS_A_ROW + START_SECONDS)
        seconds = time.monotonic() - began
        assert code == 0, f"exit code {code}"
        check(output, rows)
        log(f"{engine}: {rows:,} rows, each answered once, in {seconds:.0f} s; "
            f"{first.inputs():,.0f} by the first server, {answered:,.0f} by the "
            f"second until it was killed, {second.inputs():,.0f} after its restart")
    except BaseException:
        log((work / "engine.log").read_text()[-4000:])
        raise
    finally:
        if process.poll() is None:
            process.terminate()
            process.wait(60)
        for server in (first, second):
            if server.served.process.poll() is None:
                server.served.stop()


if __name__ == "__main__":
    if len(sys.argv) != 5:
        sys.exit(__doc__)
    main()
