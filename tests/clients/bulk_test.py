#!/usr/bin/env python3
"""`deberta-client bulk`, as the wheel installs it, against real servers.
bulk_test.py BUILD_DIR WORK_DIR"""

import contextlib
import csv
import dataclasses
import gzip
import json
import os
import pathlib
import pty
import subprocess
import threading

import pyarrow.parquet

import bulk_case
import label_head_models
from bulk_case import (BATCHED, CLASSIFY, COMMAND, SECONDS, SOON, Case, Running,
                       command, read_lines, run, texts, write_lines)
from deberta_client import Client, Pair, Question, tasks
from deberta_client.bulk.plain import plain
from python_client_test import MODEL, ROOT, free_port
from served import Served
from texts import GAME, MASKED, QUESTIONS, RECORD, TOOL

RERANKER = ROOT / "tests/golden/conventions/reranker"


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
        gliner = label_head_models.copy("gliner_v0", bulk_case.work / "bulk_gliner")
        cases = json.loads((label_head_models.MODELS / "entities.json").read_text())
        case = next(c for c in cases["gliner_v0"] if c["entities"])
        with Served(bulk_case.build, bulk_case.work / "bulk_heads.log", "--listen=127.0.0.1:0",
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


class ShownTest(Case):
    def test_progress_on_a_terminal(self):
        source = self.table(2000)
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
        self.assertIn("2,000 rows, 0 with an error", text)

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
            env={**os.environ, "PATH": f"{bulk_case.build}:{os.environ['PATH']}"})
        self.assertIn("section-classifier", done.stdout, done.stderr)


if __name__ == "__main__":
    bulk_case.main(__doc__)
