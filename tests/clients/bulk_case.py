"""What the tests of `deberta-client bulk` share: servers, tables, runs."""

import json
import pathlib
import subprocess
import sys
import unittest

from deberta_client import Client
from python_client_test import MODEL, ROOT
from served import Served
from texts import GAME, TOOL

build, work = None, None
COMMAND = str(pathlib.Path(sys.executable).with_name("deberta-client"))
SECONDS = 300  # for a run, on a busy machine
BATCHED = 1e-5
# Starts that must fail do not wait for servers.
SOON = "--patience=1"


def serve(name, port=0):
    models = ",".join(str(p.parent)
                      for p in sorted((ROOT / "demo").glob("*/model.safetensors")))
    return Served(build, work / f"bulk_{name}.log", f"--models={models}",
                  f"--listen=127.0.0.1:{port}", "--metrics_listen=")


def kill(server):
    server.process.kill()
    server.process.wait()


def command(task, source, output, target, *flags):
    return [COMMAND, "bulk", task, f"--server={target}", *flags, str(source),
            str(output)]


def run(*arguments, code=0):
    """What it says: (stdout, stderr)."""
    done = subprocess.run(command(*arguments), capture_output=True, text=True,
                          timeout=SECONDS, check=False)
    assert done.returncode == code, (done.returncode, done.stdout, done.stderr)
    return done.stdout, done.stderr


def write_lines(path, rows):
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return path


def read_lines(path):
    return [json.loads(line) for line in path.read_text().splitlines()]


def texts(count):
    return [f"{n} {TOOL if n % 2 else GAME}" for n in range(count)]


_labels = []  # of texts(), by calls


class Case(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.server = cls.enterClassContext(serve(cls.__name__))
        cls.target = f"127.0.0.1:{cls.server.port()}"
        cls.client = cls.enterClassContext(Client(cls.target))

    def setUp(self):
        self.folder = work / "bulk" / self.id().split(".")[-1]
        self.folder.mkdir(parents=True, exist_ok=True)
        for path in self.folder.iterdir():
            path.unlink()
        self.output = self.folder / "out.jsonl"

    def table(self, count, name="in.jsonl"):
        return write_lines(self.folder / name, (
            {"id": f"row-{n}", "text": text}
            for n, text in enumerate(texts(count))))

    def check_labels(self, found, count):
        """Each row once, in order, each with its own answer."""
        self.assertEqual([f["key"] for f in found],
                         [f"row-{n}" for n in range(count)])
        if len(_labels) < count:
            _labels.extend(self.client.classify(
                texts(count)[len(_labels):], MODEL, top_k=1))
        for one, wanted in zip(found, _labels):
            (best,) = one["result"]["labels"]
            self.assertEqual(best["label"], wanted[0].label)
            self.assertAlmostEqual(best["score"], wanted[0].score, delta=BATCHED)

    def left(self):
        return sorted(p.name for p in self.folder.iterdir())


CLASSIFY = (f"--model={MODEL}", "--top_k=1", "--key=id")


class Running:
    """A run whose progress is followed as JSON."""

    def __init__(self, *arguments):
        self.process = subprocess.Popen(
            command(*arguments, "--json"), stdout=subprocess.PIPE,
            stderr=subprocess.PIPE, text=True)
        self.told = []

    def until(self, condition):
        """The first progress that it holds for."""
        for line in self.process.stdout:
            self.told.append(json.loads(line))
            if condition(self.told[-1]):
                return self.told[-1]
        raise AssertionError(f"it ended before: {self.told[-1:]}, "
                             f"{self.process.stderr.read()}")

    def end(self, code=0):
        out, said = self.process.communicate(timeout=SECONDS)
        self.told += map(json.loads, out.splitlines())
        assert self.process.returncode == code, (self.process.returncode, said)
        return said


def main(doc):
    """Of a test that is given BUILD_DIR WORK_DIR."""
    global build, work
    if len(sys.argv) < 3:
        sys.exit(doc)
    build = pathlib.Path(sys.argv[1]).resolve()
    work = pathlib.Path(sys.argv[2]).resolve()
    unittest.main(argv=[sys.argv[0], *sys.argv[3:]])
