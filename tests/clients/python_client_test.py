#!/usr/bin/env python3
"""The Python client, as its wheel installs it, against a real server.
python_client_test.py BUILD_DIR WORK_DIR"""

import asyncio
import contextlib
import hashlib
import io
import json
import pathlib
import socket
import subprocess
import sys
import unittest

import pandas

import certificates
from deberta_client import (
    AsyncClient, CallError, Client, Pair, Question, Tls, pipeline)
from deberta_client.pandas import frame
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
    """A server of the demo models, unless flags name others."""
    target = target or f"localhost:{free_port()}"
    models = ",".join(str(p.parent)
                      for p in sorted((ROOT / "demo").glob("*/model.safetensors")))
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
        (listed,) = [m for m in self.client.models() if m.name == MODEL]
        self.assertEqual((listed.tasks, listed.labels, listed.max_tokens),
                         (("classify", "encode"), None, None))
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
