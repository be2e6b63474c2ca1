#!/usr/bin/env python3
"""`deberta-client bulk`, as the wheel installs it, against real servers.
bulk_test.py BUILD_DIR WORK_DIR"""

import contextlib
import csv
import gzip
import json
import os
import pathlib
import pty
import signal
import subprocess
import sys
import threading
import unittest

import pyarrow.parquet

import label_head_models
from deberta_client import Client, Pair, Question, tasks
from deberta_client.bulk.plain import plain
from python_client_test import MODEL, ROOT, free_port
from served import Served
from texts import GAME, MASKED, QUESTIONS, RECORD, TOOL

build, work = None, None
COMMAND = str(pathlib.Path(sys.executable).with_name("deberta-client"))
RERANKER = ROOT / "tests/golden/conventions/reranker"
SECONDS = 300  # for a run, on a busy machine
BATCHED = 1e-5
# Starts that must fail do not wait for servers.
SOON = "--patience=1"


def serve(name, port=0):
    models = ",".join(str(p.parent)
                      for p in sorted((ROOT / "demo").glob("*/config.json")))
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


class FormatTest(Case):
    def near(self, a, b):
        """JSON alike, numbers within what a shared batch may change."""
        if isinstance(a, float):
            self.assertAlmostEqual(a, b, delta=BATCHED)
        elif isinstance(a, dict):
            self.assertEqual(a.keys(), b.keys())
            for name in a:
                self.near(a[name], b[name])
        elif isinstance(a, list):
            self.assertEqual(len(a), len(b))
            for one, other in zip(a, b):
                self.near(one, other)
        else:
            self.assertEqual(a, b)

    def ask(self, job, value):
        (found,) = self.client.process([(0, _raw(job), value)])
        return found.result

    def test_every_task_answers_as_its_call(self):
        """Against a call of its own: the same JSON."""
        for task, row, job, value, flags in (
                ("classify", {"text": GAME}, tasks.classify(MODEL), GAME, [
                    f"--model={MODEL}"]),
                ("classify", {"text": GAME, "text_pair": TOOL},
                 tasks.classify(MODEL, top_k=2), Pair(GAME, TOOL),
                 [f"--model={MODEL}", "--text_pair=text_pair", "--top_k=2"]),
                ("tag", {"body": TOOL}, tasks.tag(offset_unit="utf8_bytes"), TOOL,
                 ["--text=body", "--offset_unit=utf8_bytes"]),
                ("answer", {"question": QUESTIONS[0], "context": RECORD},
                 tasks.answer(top_k=2), Question(QUESTIONS[0], RECORD),
                 ["--top_k=2"]),
                ("fill", {"text": MASKED}, tasks.fill_mask(
                    targets=["files", "headers"]), MASKED,
                 ["--targets=files,headers"]),
                ("embed", {"text": GAME}, tasks.encode(MODEL, normalize=True), GAME,
                 [f"--model={MODEL}", "--normalize"]),
                ("tokenize", {"text": ""}, tasks.tokenize(MODEL), "",
                 [f"--model={MODEL}"])):
            source = write_lines(self.folder / "in.jsonl", [row])
            with self.subTest(task, row=list(row)):
                run(task, source, self.output, self.target, "--restart", *flags)
                (found,) = read_lines(self.output)
                self.assertEqual(found["key"], 1)
                self.near(found["result"], self.ask(job, value))

    def test_labels_of_the_callers_own(self):
        gliner = label_head_models.copy("gliner_v0", work / "bulk_gliner")
        cases = json.loads((label_head_models.MODELS / "entities.json").read_text())
        case = next(c for c in cases["gliner_v0"] if c["entities"])
        with Served(build, work / "bulk_heads.log", "--listen=127.0.0.1:0",
                    f"--models=gliner={gliner},reranker={RERANKER}",
                    "--metrics_listen=") as server:
            target = f"127.0.0.1:{server.port()}"
            with Client(target) as client:
                wanted = client.extract(case["text"], case["labels"], "gliner",
                                        threshold=case["threshold"])
                ranked = client.rerank("image editor", ["a chess engine", "GIMP"])
            source = write_lines(self.folder / "in.jsonl", [
                {"text": case["text"], "query": "image editor", "document": d}
                for d in ("a chess engine", "GIMP")])
            run("extract", source, self.output, target,
                f"--labels={','.join(case['labels'])}",
                f"--threshold={case['threshold']}")
            for found in read_lines(self.output):
                self.assertEqual(
                    [(e["label_index"], e["start"], e["end"])
                     for e in found["result"]["entities"]],
                    [(e.label_index, e.start, e.end) for e in wanted])
            table = self.folder / "scores.csv"
            run("rerank", source, table, target)
            with open(table, newline="") as file:
                scores = [float(row["score"]) for row in csv.DictReader(file)]
            for one in ranked:
                self.assertAlmostEqual(scores[one.index], one.score, delta=BATCHED)

    def test_all_formats_hold_the_same(self):
        rows = [{"id": n, "text": text} for n, text in enumerate(texts(20))]
        rows[7]["text"] = ""  # which the server refuses
        rows[9]["text"] = 'a "quoted", line\nwith a break, é 😀'
        write_lines(self.folder / "in.jsonl", rows)
        with gzip.open(self.folder / "in.csv.gz", "wt", newline="") as file:
            writer = csv.DictWriter(file, ["id", "text"])
            writer.writeheader()
            writer.writerows(rows)
        pyarrow.parquet.write_table(pyarrow.Table.from_pylist(rows),
                                    self.folder / "in.parquet")
        found = {}
        for source in ("in.jsonl", "in.csv.gz", "in.parquet"):
            for ending in ("jsonl", "csv", "parquet"):
                output = self.folder / f"out_{source}.{ending}"
                run("classify", self.folder / source, output, self.target,
                    *CLASSIFY, code=1)
                found[source, ending] = self.rows_of(output)
        first = found["in.jsonl", "jsonl"]
        self.assertEqual([row[0] for row in first], [str(n) for n in range(20)])
        self.assertEqual([n for n, row in enumerate(first) if row[3]], [7])
        for name, rows in found.items():
            with self.subTest(name):
                for row, wanted in zip(rows, first, strict=True):
                    self.assertEqual((row[0], row[1], row[3]),
                                     (wanted[0], wanted[1], wanted[3]))
                    self.near(row[2], wanted[2])
        schema = pyarrow.parquet.read_schema(
            self.folder / "out_in.parquet.parquet")
        self.assertEqual(str(schema.field("key").type), "int64")
        self.assertEqual(str(schema.field("score").type), "float")

    @staticmethod
    def rows_of(output):
        """(key, label, score, error) of each."""
        if output.suffix == ".parquet":
            rows = pyarrow.parquet.read_table(output).to_pylist()
        elif output.suffix == ".csv":
            with open(output, newline="") as file:
                rows = list(csv.DictReader(file))
        else:
            rows = []
            for line in read_lines(output):
                best = line.get("result", {}).get("labels", [{}])[0]
                rows.append({"key": line["key"], "label": best.get("label"),
                             "score": best.get("score"), "error": (
                                 "{code} {reason}: {message}".format(**line["error"])
                                 if "error" in line else None)})
        return [(str(r["key"]), r["label"] or None,
                 float(r["score"]) if r["label"] else None, r["error"] or None)
                for r in rows]

    def test_vectors_are_columns(self):
        source = self.table(3)
        output = self.folder / "out.parquet"
        run("embed", source, output, self.target, f"--model={MODEL}")
        table = pyarrow.parquet.read_table(output)
        self.assertEqual(str(table.schema.field("vector").type),
                         "list<element: float>")
        wanted = self.client.encode(texts(3), MODEL)
        for found, vectors in zip(table["vector"].to_pylist(), wanted):
            for a, b in zip(found, vectors[0], strict=True):
                self.assertAlmostEqual(a, b, delta=1e-4)


def _raw(job):
    """With the answer as JSON."""
    import dataclasses
    return dataclasses.replace(job, result=plain)


class BadRowTest(Case):
    def test_a_bad_row_is_its_own(self):
        source = self.folder / "in.jsonl"
        good = json.dumps({"id": "good", "text": GAME}).encode()
        source.write_bytes(b"\n".join((
            good,
            b'{"id": "none"}',
            b'{"id": "number", "text": 5}',
            b'{"id": "empty", "text": ""}',
            b"no JSON",
            b'["a list"]',
            b'{"id": "bytes", "text": "\xff"}',
            b'{"id": "surrogate", "text": "\\ud83d"}',
            b'{"text": "no key"}',
            b'{"id": "long", "text": "' + b"word " * 2000 + b'"}',
            b'{"id": "huge", "text": "' + b"x" * 5_000_000 + b'"}',
            b"",
            good, good[:-2])))
        run("classify", source, self.output, self.target, *CLASSIFY, code=1)
        found = read_lines(self.output)
        self.assertEqual(
            [(f["key"], f.get("error", {}).get("message", "")) for f in found][:7],
            [("good", ""),
             ("none", "row 2: text: expected a string, got nothing"),
             ("number", "row 3: text: expected a string, got int"),
             ("empty", found[3]["error"]["message"]),
             (None, "row 5: no JSON: Expecting value: line 1 column 1 (char 0)"),
             (None, "row 6: expected a JSON object, got list"),
             (None, found[6]["error"]["message"])])
        self.assertIn("inputs[0].text", found[3]["error"]["message"])
        self.assertEqual(found[3]["error"]["code"], "INVALID_ARGUMENT")
        self.assertIn("utf-8", found[6]["error"]["message"])
        self.assertEqual(
            [f["error"]["message"][:32] for f in found[7:9]],
            ["row 8: not valid UTF-8", "row 9: no key: 'id' is missing"])
        self.assertIn("the limit is 512", found[9]["error"]["message"])
        self.assertRegex(found[10]["error"]["message"], r"row 11: \d+ bytes, a requ")
        self.assertEqual(found[11]["key"], "good")
        self.assertIn("no JSON", found[12]["error"]["message"])
        self.assertEqual(len(found), 13)

    def test_a_bad_csv_row(self):
        source = self.folder / "in.csv"
        source.write_bytes(b"id,text\na,one\nb\nc,one,two\nd,\xff\ne\xff,one\n")
        run("classify", source, self.output, self.target, *CLASSIFY, code=1)
        found = read_lines(self.output)
        self.assertEqual([f["key"] for f in found], ["a", "b", "c", "d", "e?"])
        self.assertEqual([f.get("error", {}).get("message") for f in found[1:]], [
            "row 2: text: expected a string, got nothing",
            "row 3: 1 fields more than the header has",
            "row 4: not valid UTF-8", "row 5: not valid UTF-8"])

    def test_what_all_rows_would_fail_of_stops_the_run(self):
        source = self.table(50)
        for flags, wanted in (
                (["--model=none"], "NOT_FOUND"),
                (["--model=tech-tagger"], "FAILED_PRECONDITION"),
                # What is wrong of an input may be right of the next.
                ([f"--model={MODEL}", "--top_k=-1"], None)):
            with self.subTest(flags):
                _, said = run("classify", source, self.output, self.target,
                              "--restart", *flags, code=3 if wanted else 1)
                if wanted:
                    self.assertIn(f"stopped: {wanted}", said)
                    self.assertNotIn("out.jsonl", self.left())
                else:
                    self.assertEqual(len(read_lines(self.output)), 50)

    def test_what_cannot_begin(self):
        source = self.table(1)
        (self.folder / "in.csv").write_text("a,b\n1,2\n")
        (self.folder / "in.parquet").write_text("none")
        for arguments, wanted in (
                ((self.folder / "gone.jsonl", self.output), "No such file"),
                ((self.folder / "in.csv", self.output), "no column 'text'"),
                ((self.folder / "in.parquet", self.output), "Parquet"),
                ((source, self.folder / "out.txt"), "expected a name that ends in"),
                ((source, self.folder / "no/out.jsonl"), "No such file"),
                ((pathlib.Path("/dev/null"), self.output), "expected a name"),
                ((source, self.output, "--token_file=gone"), "No such file"),
                ((source, self.output, "--key=b", "--streams=0"),
                 "expected more than 0")):
            source_, output, *flags = arguments
            with self.subTest(wanted):
                _, said = run("classify", source_, output, self.target, *flags,
                              code=2)
                self.assertIn(wanted, said)
                self.assertNotIn("Traceback", said)
        # None there: it says so, and can go on.
        _, said = run("classify", source, self.output, f"127.0.0.1:{free_port()}",
                      *CLASSIFY, SOON, code=3)
        self.assertIn("no answer for 1 s", said)
        run("classify", source, self.output, self.target, *CLASSIFY)
        self.check_labels(read_lines(self.output), 1)


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


class RestartTest(Case):
    COUNT = 4000

    def test_one_of_two_servers_is_killed_and_comes_back(self):
        source = self.table(self.COUNT)
        port = free_port()
        with contextlib.ExitStack() as stack:
            second = serve("second", port)
            stack.callback(lambda: kill(second))
            running = Running("classify", source, self.output,
                              f"{self.target},127.0.0.1:{port}", *CLASSIFY)
            running.until(lambda t: all(s["rows"] > 100 for s in t["servers"]))
            kill(second)
            gone = running.until(lambda t: not t["servers"][1]["connected"])
            # The first goes on alone.
            running.until(lambda t: t["rows"] > gone["rows"] + 200)
            second = serve("second_again", port)
            running.until(lambda t: t["servers"][1]["rows"] >
                          gone["servers"][1]["rows"] + 50)
            running.end()
        last = running.told[-1]
        self.assertEqual((last["rows"], last["errors"], last["done"]),
                         (self.COUNT, 0, True))
        self.assertEqual(sum(s["rows"] for s in last["servers"]), self.COUNT)
        self.check_labels(read_lines(self.output), self.COUNT)

    def test_the_only_server_is_killed_and_comes_back(self):
        count = 1500
        source = self.table(count)
        port = free_port()
        first = serve("only", port)
        running = Running("classify", source, self.output, f"127.0.0.1:{port}",
                          *CLASSIFY)
        running.until(lambda t: t["rows"] > 100)
        kill(first)
        with serve("only_again", port):
            running.end()
        self.check_labels(read_lines(self.output), count)

    def test_a_server_that_hangs_is_given_up(self):
        count = 2000
        source = self.table(count)
        with serve("hanging") as second:
            running = Running("classify", source, self.output,
                              f"{self.target},127.0.0.1:{second.port()}",
                              *CLASSIFY, "--stall_seconds=2")
            running.until(lambda t: all(s["rows"] > 50 for s in t["servers"]))
            second.process.send_signal(signal.SIGSTOP)
            running.end()
            second.process.send_signal(signal.SIGCONT)
        self.check_labels(read_lines(self.output), count)


class ResumeTest(Case):
    COUNT = 1500

    def stopped(self, number, code):
        """A run that a signal ended; what it left."""
        source = self.table(self.COUNT)
        running = Running("classify", source, self.output, self.target, *CLASSIFY)
        running.until(lambda t: t["rows"] > 200)
        running.process.send_signal(number)
        said = running.end(code)
        self.assertEqual(self.left(),
                         ["in.jsonl", "out.jsonl.job", "out.jsonl.partial"])
        return source, said

    def goes_on(self, source, least, *flags):
        running = Running("classify", source, self.output, self.target, *CLASSIFY,
                          *flags)
        running.end()
        # What was answered is not asked again.
        asked = sum(s["rows"] for s in running.told[-1]["servers"])
        self.assertEqual(asked, self.COUNT - least)
        self.check_labels(read_lines(self.output), self.COUNT)
        self.assertEqual(self.left(), ["in.jsonl", "out.jsonl"])

    def test_after_a_signal(self):
        source, said = self.stopped(signal.SIGTERM, 3)
        self.assertIn("stopped: SIGTERM", said)
        partial = self.folder / "out.jsonl.partial"
        rows = read_lines(partial)  # all whole
        self.check_labels(rows, len(rows))
        self.goes_on(source, len(rows))

    def test_after_it_was_killed_and_its_last_line_cut(self):
        source, _ = self.stopped(signal.SIGKILL, -signal.SIGKILL)
        partial = self.folder / "out.jsonl.partial"
        whole = partial.read_bytes().splitlines(keepends=True)
        whole = [line for line in whole if line.endswith(b"\n")]
        for cut in (len(whole[-1]) // 2, 1):  # one half, one without its newline
            partial.write_bytes(b"".join(whole)[:-cut])
            with self.subTest(cut=cut):
                self.goes_on(source, len(whole) - 1)
            # As it was.
            os.rename(self.output, partial)
            (self.folder / "out.jsonl.job").write_text(self.job(source))

    def job(self, source):
        """What a run that has not ended leaves."""
        other = self.folder / "other.jsonl"
        run("classify", source, other, f"127.0.0.1:{free_port()}", *CLASSIFY, SOON,
            code=3)
        text = other.with_name("other.jsonl.job").read_text()
        for path in self.folder.glob("other*"):
            path.unlink()
        return text

    def test_garbage_after_a_crash_is_asked_again(self):
        source, _ = self.stopped(signal.SIGINT, 3)
        partial = self.folder / "out.jsonl.partial"
        rows = len(read_lines(partial))
        with open(partial, "ab") as file:
            file.write(b"\0" * 4096 + b"\n{}\n")
        self.goes_on(source, rows)

    def test_another_run_is_not_gone_on_with(self):
        source, _ = self.stopped(signal.SIGINT, 3)

        def refused(wanted, *flags, of=source):
            _, said = run("classify", of, self.output, self.target, *flags, code=2)
            self.assertIn(wanted, said)
        refused("begun with key='id'", f"--model={MODEL}", "--top_k=1")
        refused("begun with options=", *CLASSIFY, "--top_k=2")
        refused("begun with input=", *CLASSIFY, of=self.table(9, "other.jsonl"))
        (self.folder / "other.jsonl").unlink()
        partial = self.folder / "out.jsonl.partial"
        lines = partial.read_text().splitlines(keepends=True)
        partial.write_text("".join(lines[1:]))
        refused("line 1 has the key 'row-1', row 1 of the input 'row-0'", *CLASSIFY)
        self.goes_on(source, 0, "--restart")
        refused("exists; --restart replaces it", *CLASSIFY)
        with open(source, "a") as file:
            file.write('{"id": "row-1500", "text": "more"}\n')
        self.goes_on_fresh(source)

    def goes_on_fresh(self, source):
        run("classify", source, self.output, self.target, *CLASSIFY, "--restart")
        self.assertEqual(len(read_lines(self.output)), self.COUNT + 1)

    def test_two_runs_do_not_write_one_output(self):
        source = self.table(self.COUNT)
        running = Running("classify", source, self.output, self.target, *CLASSIFY)
        running.until(lambda t: t["rows"] > 0)
        _, said = run("classify", source, self.output, self.target, *CLASSIFY,
                      code=2)
        self.assertIn("being written by another run", said)
        running.end()


class ShownTest(Case):
    def test_progress_on_a_terminal(self):
        source = self.table(600)
        master, slave = pty.openpty()
        shown = []

        def read():
            with contextlib.suppress(OSError):  # the end of a terminal
                while data := os.read(master, 4096):
                    shown.append(data)
        reader = threading.Thread(target=read)
        reader.start()
        done = subprocess.run(
            command("classify", source, self.output, self.target, *CLASSIFY),
            stdout=slave, stderr=slave, timeout=SECONDS, check=False)
        os.close(slave)
        reader.join()
        os.close(master)
        text = b"".join(shown).decode()
        self.assertEqual(done.returncode, 0, text)
        self.assertRegex(text, r"\r\x1b\[Kclassify: [\d,]+ rows  \d+%  [\d,]+ rows/s"
                               r"  \d+:\d\d left")
        self.assertIn("600 rows, 0 with an error", text)

    def test_progress_that_nobody_reads(self):
        source = self.table(1500)
        running = Running("classify", source, self.output, self.target, *CLASSIFY)
        running.until(lambda t: t["rows"] > 0)
        running.process.stdout.close()
        with running.process.stderr as told:
            said = told.read()
        self.assertEqual(running.process.wait(SECONDS), 0, said)
        self.assertEqual(said.splitlines()[1:], [])

    def test_help_shows_what_belongs_together(self):
        def shown(*arguments):
            return subprocess.run([COMMAND, *arguments], capture_output=True,
                                  text=True, check=True).stdout
        everything = shown("--help")
        for task in ("classify", "tag", "answer", "fill", "zero-shot", "extract",
                     "rerank", "embed", "tokenize"):
            self.assertIn(f"\nbulk {task}: ", everything)
            own = shown("bulk", task, "-h")
            self.assertIn("--patience", own)
            self.assertEqual("--aggregation" in own, task == "tag")
            self.assertEqual("--question" in own, task == "answer")
            self.assertEqual("--labels" in own, task in ("zero-shot", "extract"))
        self.assertEqual(everything.count("--patience"), 1)
        self.assertNotIn("--aggregation", shown("bulk", "-h"))
        done = subprocess.run([COMMAND, "models"], capture_output=True, text=True,
                              env={**os.environ, "PATH": "/nowhere"}, check=False)
        self.assertIn("not on the PATH", done.stderr)
        # The program that comes with the server, where it is there.
        done = subprocess.run(
            [COMMAND, "models", f"--server={self.target}", "--json"],
            capture_output=True, text=True, check=False,
            env={**os.environ, "PATH": f"{build}:{os.environ['PATH']}"})
        self.assertIn("section-classifier", done.stdout, done.stderr)


if __name__ == "__main__":
    if len(sys.argv) < 3:
        sys.exit(__doc__)
    build = pathlib.Path(sys.argv[1]).resolve()
    work = pathlib.Path(sys.argv[2]).resolve()
    unittest.main(argv=[sys.argv[0], *sys.argv[3:]])
