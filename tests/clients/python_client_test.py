#!/usr/bin/env python3
"""The Python client, as its wheel installs it, against a real server, and against
one that fails as it is told. python_client_test.py BUILD_DIR WORK_DIR"""

import asyncio
import concurrent.futures
import contextlib
import hashlib
import io
import json
import pathlib
import socket
import subprocess
import sys
import time
import unittest

import grpc
import pandas
from google.protobuf import any_pb2
from google.rpc import error_details_pb2, status_pb2

import certificates
from deberta_client import (
    AsyncClient, CallError, Client, Pair, Question, Tls, pipeline)
from deberta_client.pandas import frame
from deberta_client.v1 import deberta_pb2 as pb
from deberta_client.v1 import deberta_pb2_grpc
from texts import GAME, MASKED, QUESTIONS, RECORD, TOOL

ROOT = pathlib.Path(__file__).resolve().parents[2]
MODEL = "section-classifier"
build, work = None, None
TOLERANCE = 1e-4  # of the references' probabilities
# Of an answer that shares a batch with others, where the rows of a product depend
# on their number.
BATCHED = 1e-5


def expected(method, number=0):
    cases = json.loads((ROOT / "tests/e2e/expected.json").read_text("utf-8"))
    return [c for c in cases["cases"] if c["method"] == method][number]["results"]


def free_port():
    with socket.create_server(("127.0.0.1", 0)) as server:
        return server.getsockname()[1]


@contextlib.contextmanager
def served(name, *flags, target=None):
    """A server of the demo models."""
    target = target or f"localhost:{free_port()}"
    models = ",".join(str(p.parent)
                      for p in sorted((ROOT / "demo").glob("*/config.json")))
    with open(work / f"{name}.log", "wb") as log:
        process = subprocess.Popen(
            [str(build / "deberta-server"), f"--models={models}",
             f"--listen={target}", "--metrics_listen=", *flags],
            stdout=log, stderr=log, stdin=subprocess.DEVNULL)
    try:
        yield target
    finally:
        process.terminate()
        process.wait(60)


class Flaky(deberta_pb2_grpc.DebertaServiceServicer):
    """Classify fails as `failures` say, one a call, and then answers by the
    texts."""

    def __init__(self, *failures):
        self.failures = list(failures)
        self.seen = []

    def Classify(self, request, context):
        self.seen.append(time.monotonic())
        if self.failures:
            code, *details = self.failures.pop(0)
            status = status_pb2.Status(code=code.value[0], message="as told")
            for detail in details:
                packed = any_pb2.Any()
                packed.Pack(detail)
                status.details.append(packed)
            context.set_trailing_metadata(
                (("grpc-status-details-bin", status.SerializeToString()),))
            context.abort(code, "as told")
        return pb.ClassifyResponse(results=[
            pb.ClassifyResult(labels=[pb.LabelScore(label=i.text)])
            for i in request.inputs])

    @contextlib.contextmanager
    def client(self, port=None, **options):
        server = grpc.server(concurrent.futures.ThreadPoolExecutor(4))
        deberta_pb2_grpc.add_DebertaServiceServicer_to_server(self, server)
        port = server.add_insecure_port(f"127.0.0.1:{port or 0}")
        server.start()
        try:
            with Client(f"127.0.0.1:{port}", **options) as client:
                yield client
        finally:
            server.stop(None)


def retry_info(seconds):
    info = error_details_pb2.RetryInfo()
    info.retry_delay.FromMilliseconds(int(seconds * 1000))
    return info


class RetryTest(unittest.TestCase):
    def test_retry_info_is_honoured(self):
        flaky = Flaky((grpc.StatusCode.RESOURCE_EXHAUSTED, retry_info(0.3)),
                      (grpc.StatusCode.UNAVAILABLE,))
        with flaky.client() as client:
            self.assertEqual(client.classify("a")[0].label, "a")
        first, second, third = flaky.seen
        self.assertGreaterEqual(second - first, 0.3)
        self.assertGreater(third - second, 0.04)

    def test_asyncio_retries_alike(self):
        flaky = Flaky((grpc.StatusCode.RESOURCE_EXHAUSTED, retry_info(0.3)))
        port = free_port()

        async def ask():
            async with AsyncClient(f"127.0.0.1:{port}") as client:
                return await client.classify("a")
        with flaky.client(port):
            self.assertEqual(asyncio.run(ask())[0].label, "a")
        self.assertGreaterEqual(flaky.seen[1] - flaky.seen[0], 0.3)

    def refused(self, client, **wanted):
        with self.assertRaises(CallError) as raised:
            client.classify("a")
        for name, value in wanted.items():
            self.assertEqual(getattr(raised.exception, name), value)

    def test_what_is_not_tried_again(self):
        for failure in ((grpc.StatusCode.RESOURCE_EXHAUSTED,),
                        (grpc.StatusCode.INVALID_ARGUMENT,),
                        (grpc.StatusCode.DEADLINE_EXCEEDED,),
                        (grpc.StatusCode.INTERNAL,)):
            flaky = Flaky(failure)
            with self.subTest(failure=failure), flaky.client() as client:
                self.refused(client, code=failure[0].name)
                self.assertEqual(len(flaky.seen), 1)

    def test_no_longer_than_the_timeout_and_no_oftener_than_asked(self):
        full = (grpc.StatusCode.RESOURCE_EXHAUSTED, retry_info(30))
        with Flaky(full).client(timeout=1) as client:
            began = time.monotonic()
            self.refused(client, code="RESOURCE_EXHAUSTED", retry_after=30)
            self.assertLess(time.monotonic() - began, 5)
        flaky = Flaky(*[(grpc.StatusCode.UNAVAILABLE,)] * 9)
        with flaky.client(max_attempts=3) as client:
            self.refused(client, code="UNAVAILABLE")
        self.assertEqual(len(flaky.seen), 3)

    def test_a_server_that_comes_later_is_found(self):
        port = free_port()
        with Client(f"127.0.0.1:{port}", max_attempts=50) as client, \
                concurrent.futures.ThreadPoolExecutor(1) as pool:
            answer = pool.submit(client.classify, "a")
            with Flaky().client(port):
                self.assertEqual(answer.result(60)[0].label, "a")

    def test_a_list_goes_on_where_a_request_was_made_again(self):
        flaky = Flaky(*[(grpc.StatusCode.UNAVAILABLE,)] * 2)
        texts = [str(n) for n in range(100)]
        with flaky.client(batch_size=7) as client:
            self.assertEqual([r[0].label for r in client.classify(texts)], texts)


class SplitTest(unittest.TestCase):
    def test_by_bytes(self):
        flaky = Flaky()
        texts = ["x" * 400, "y" * 400, "z" * 5000, "é" * 200]
        with flaky.client(max_request_bytes=1000) as client:
            self.assertEqual([r[0].label for r in client.classify(texts)], texts)
        self.assertEqual(len(flaky.seen), 3)

    def test_a_stream_reads_no_more_than_is_under_way(self):
        read = 0

        def texts():
            nonlocal read
            for read in range(1, 1001):
                yield str(read)
        with Flaky().client(batch_size=10, concurrency=2) as client:
            stream = client.classify.stream(texts())
            self.assertEqual(next(stream)[0].label, "1")
            self.assertLess(read, 40)
            self.assertEqual(sum(1 for _ in stream), 999)

    def test_what_is_no_input(self):
        with Flaky().client() as client:
            self.assertEqual(client.classify([]), [])
            with self.assertRaisesRegex(TypeError, r"inputs\[1\]: expected str"):
                client.classify(["a", 5])


class ServerTest(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.target = cls.enterClassContext(served("client"))
        cls.client = cls.enterClassContext(
            Client(cls.target, max_attempts=200, timeout=120))
        cls.client.models()

    def near(self, got, wanted, tolerance=TOLERANCE):
        self.assertAlmostEqual(got, wanted, delta=tolerance)

    def test_models(self):
        self.assertIn(MODEL, [m.name for m in self.client.models()])
        model = self.client.model(MODEL)
        self.assertEqual(model.tasks, ("classify", "encode"))
        self.assertIn("games", model.labels)
        self.assertEqual(model.max_tokens, 512)

    def test_every_task_answers_as_transformers(self):
        found = self.client.classify([GAME, TOOL], MODEL, top_k=3)
        for got, wanted in zip(found, expected("Classify"), strict=True):
            for a, b in zip(got, wanted["labels"], strict=True):
                self.assertEqual((a.label, a.index), (b["label"], b["index"]))
                self.near(a.score, b["score"])
        found = self.client.tag([TOOL, GAME])
        for text, got, wanted in zip((TOOL, GAME), found, expected("TagTokens"),
                                     strict=True):
            self.assertEqual([(e.label, e.text) for e in got],
                             [(e["label"], e["text"])
                              for e in wanted["entities"]])
            for entity in got:
                self.assertEqual(text[entity.start:entity.end], entity.text)
        found = self.client.answer([Question(q, RECORD) for q in QUESTIONS])
        for got, wanted in zip(found, expected("AnswerQuestion"), strict=True):
            self.assertEqual(got[0].text, wanted["answers"][0]["text"])
        (words,) = self.client.fill_mask(MASKED)
        self.assertEqual(
            [w.token_id for w in words],
            [c["token_id"]
             for c in expected("FillMask")[0]["masks"][0]["candidates"]])
        (vector,) = self.client.encode(GAME, MODEL, normalize=True)
        self.near(sum(v * v for v in vector), 1)
        tokens = self.client.tokenize(Pair("a", "b"), MODEL)
        self.assertEqual(tokens.tokens[0], "[CLS]")
        self.assertEqual(len(tokens.ids), len(tokens.offsets))

    def test_pipelines_answer_as_transformers(self):
        def ask(task, model, **options):
            return pipeline(task, model, server=self.client, **options)
        best = expected("Classify")[0]["labels"]
        classifier = ask("text-classification", MODEL)
        one, = classifier(GAME)
        self.assertEqual(one["label"], "games")
        self.near(one["score"], best[0]["score"])
        self.assertEqual([r["label"] for r in classifier([GAME, TOOL])],
                         ["games", "python"])
        self.assertEqual([r["label"] for r in classifier(GAME, top_k=3)],
                         [b["label"] for b in best])
        self.assertEqual(len(classifier([GAME], top_k=None)[0]),
                         len(self.client.model(MODEL).labels))
        self.assertEqual(next(classifier(iter([GAME])))["label"], "games")
        tagger = ask("ner", "tech-tagger", aggregation_strategy="simple")
        self.assertEqual(
            [(e["entity_group"], e["word"]) for e in tagger(TOOL)],
            [(e["label"], e["text"])
             for e in expected("TagTokens")[0]["entities"]])
        self.assertIn("index", ask("ner", "tech-tagger")(TOOL)[0])
        reader = ask("question-answering", "package-qa")
        found = reader(question=QUESTIONS[0], context=RECORD)
        self.assertEqual(set(found), {"score", "start", "end", "answer"})
        self.assertEqual(found["answer"], "Wolfram Quester")
        self.assertEqual(len(reader(question=QUESTIONS, context=RECORD)),
                         len(QUESTIONS))
        words = ask("fill-mask", "mask-filler")(MASKED)
        self.assertEqual(words[0]["token_str"], " headers")
        vectors, = ask("feature-extraction", MODEL)(GAME)
        self.assertGreater(len(vectors), 5)
        with self.assertRaisesRegex(TypeError, "unknown options: padding"):
            classifier(GAME, padding=True)
        with self.assertRaisesRegex(ValueError, "unknown task"):
            pipeline("translation", server=self.client)

    def test_pipelines_nest_as_transformers(self):
        """Compared with transformers 4.57.1: what is a list, and of what."""
        def ask(task, model, **options):
            return pipeline(task, model, server=self.client, **options)

        def shape(value):
            if isinstance(value, list):
                return [len(value), shape(value[0])]
            return "dict" if isinstance(value, dict) else "value"
        one = ask("text-classification", MODEL)
        two = ask("text-classification", MODEL, top_k=2)
        pair = {"text": GAME, "text_pair": TOOL}
        masked = ask("fill-mask", "mask-filler", top_k=2)
        reader = ask("question-answering", "package-qa")
        asked = {"question": QUESTIONS[0], "context": RECORD}
        for got, wanted in (
                (one(GAME), [1, "dict"]), (one([GAME, TOOL]), [2, "dict"]),
                (one(GAME, top_k=2), [2, "dict"]),
                (one([GAME], top_k=2), [1, [2, "dict"]]),
                (one(pair), "dict"), (one([pair]), [1, "dict"]),
                (two(GAME), [1, [2, "dict"]]), (two([GAME]), [1, [2, "dict"]]),
                (masked(MASKED), [2, "dict"]), (masked([MASKED]), [2, "dict"]),
                (masked([MASKED] * 2), [2, [2, "dict"]]),
                (masked("A [MASK] for [MASK]."), [2, [2, "dict"]]),
                (reader(asked), "dict"), (reader([asked]), "dict"),
                (reader([asked] * 2), [2, "dict"]),
                (reader(asked, top_k=2), [2, "dict"]),
        ):
            self.assertEqual(shape(got), wanted)

    def test_a_long_list_is_in_order_and_answered_as_alone(self):
        texts = [f"{n} {GAME}" for n in range(150)]
        found = self.client.classify(texts, MODEL, top_k=1)
        self.assertEqual(len(found), len(texts))
        for n in (0, 40, 149):
            alone = self.client.classify(texts[n], MODEL, top_k=1)
            self.assertEqual(found[n][0].label, alone[0].label)
            self.near(found[n][0].score, alone[0].score, BATCHED)

    def test_asyncio(self):
        texts = [f"{n} {GAME}" for n in range(70)]

        async def ask():
            async with AsyncClient(self.target) as client:
                found = await client.classify(texts, MODEL, top_k=1)
                streamed = [r async for r in client.classify.stream(
                    texts, MODEL, top_k=1)]
                names = [m.name for m in await client.models()]
                return found, streamed, names
        found, streamed, names = asyncio.run(ask())
        self.assertIn(MODEL, names)
        for got in (found, streamed):
            self.assertEqual(len(got), len(texts))
            for a, b in zip(got, self.client.classify(texts, MODEL, top_k=1),
                            strict=True):
                self.assertEqual(a[0].label, b[0].label)
                self.near(a[0].score, b[0].score, BATCHED)

    def test_an_error_names_the_callers_input(self):
        texts = [GAME] * 70 + [""] + [GAME] * 3
        with self.assertRaises(CallError) as raised:
            self.client.classify(texts, MODEL)
        error = raised.exception
        self.assertEqual(error.code, "INVALID_ARGUMENT")
        self.assertEqual(error.input, 70)
        self.assertTrue(error.field.startswith("inputs[70]"), error.field)
        self.assertTrue(error.reason)
        with self.assertRaises(CallError) as raised:
            self.client.classify(GAME, "none")
        self.assertEqual(raised.exception.code, "NOT_FOUND")
        self.assertIsNone(raised.exception.input)

    def test_progress(self):
        bar = io.StringIO()
        with contextlib.redirect_stderr(bar):
            self.client.with_options(progress=True, batch_size=2).classify(
                [GAME] * 4, MODEL)
        self.assertIn("4/4", bar.getvalue())

    def test_pandas(self):
        texts = pandas.Series([GAME, TOOL], index=["g", "t"])
        found = frame(self.client.classify, texts, model=MODEL, top_k=1)
        self.assertEqual(found.loc["g", "label"], "games")
        found = frame(self.client.tag, texts)
        self.assertEqual(set(found.index), {"t"})
        self.assertIn("C++", found["text"].tolist())
        found = frame(self.client.answer, pandas.Series(QUESTIONS[:1]),
                      pandas.Series([RECORD]))
        self.assertEqual(found["text"].tolist(), ["Wolfram Quester"])
        self.assertEqual(frame(self.client.encode, texts, model=MODEL).shape[0], 2)
        with self.assertRaisesRegex(ValueError, "no text at 't'"):
            frame(self.client.classify, pandas.Series(["a", None], ["g", "t"]))


class SecuredTest(unittest.TestCase):
    def test_mutual_tls_and_tokens(self):
        authority = certificates.Authority(work / "certificates")
        certificate, key = authority.sign("server")
        mine, my_key = authority.sign("client")
        tokens = work / "tokens.json"
        tokens.write_text(json.dumps({"tokens": [
            {"name": "me", "sha256": hashlib.sha256(b"secret").hexdigest()}]}))
        tls = Tls(ca=authority.certificate, cert=mine, key=my_key)
        with served("secured", f"--tls_cert_file={certificate}",
                    f"--tls_key_file={key}",
                    f"--tls_client_ca_file={authority.certificate}",
                    f"--tokens_file={tokens}") as target:
            with Client(target, tls=tls, token="secret\n", max_attempts=200,
                        timeout=120) as client:
                self.assertTrue(client.models())
                wrong = client.with_options(token=lambda: "other")
                with self.assertRaises(CallError) as raised:
                    wrong.classify(GAME, MODEL)
                self.assertEqual(raised.exception.code, "UNAUTHENTICATED")
            # Without a certificate of its own.
            with Client(target, tls=Tls(ca=authority.certificate),
                        token="secret", max_attempts=1) as client:
                with self.assertRaises(CallError) as raised:
                    client.models()
                self.assertEqual(raised.exception.code, "UNAVAILABLE")


if __name__ == "__main__":
    if len(sys.argv) != 3:
        sys.exit(__doc__)
    build = pathlib.Path(sys.argv[1]).resolve()
    work = pathlib.Path(sys.argv[2]).resolve()
    unittest.main(argv=sys.argv[:1])
