#!/usr/bin/env python3
"""ExtractEntities, Rerank and Process by the Python client, as its wheel installs
it, against real servers.  entities_client_test.py BUILD_DIR WORK_DIR"""

import asyncio
import json
import pathlib
import sys
import threading
import unittest

import label_head_models
import python_client_test as shared
from deberta_client import (
    AsyncClient, CallError, Client, CrossEncoder, Field, GLiNER, Relation, Structure,
    Wanted, tasks)
from texts import GAME, MASKED, TOOL

CASES = json.loads((label_head_models.MODELS / "entities.json").read_text())
GROUPS = json.loads((label_head_models.MODELS / "groups.json").read_text())
RERANKER = shared.ROOT / "tests/golden/conventions/reranker"
QUERY = "image editor"
DOCUMENTS = ["GNU Image Manipulation Program", "a text editor", "a chess engine",
             "a text editor"]
MODEL = shared.MODEL


def places_of(value):
    if value.start is None:
        return [value.text]
    return [value.text, value.start, value.end]


def without_score(value):
    """As groups.json has it: text, score, and start and end of a stretch."""
    return value[:1] + value[2:]


class LabelHeadsTest(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        gliner = label_head_models.copy("gliner_v0", shared.work / "gliner_v0")
        gliner2 = label_head_models.copy("gliner2_lstm",
                                         shared.work / "gliner2_lstm")
        cls.target = cls.enterClassContext(shared.served(
            "entities", f"--models=gliner={gliner},gliner2={gliner2},"
            f"reranker={RERANKER}"))
        cls.client = cls.enterClassContext(
            Client(cls.target, max_attempts=200, timeout=120))
        cls.client.models()

    def test_entities_are_those_of_gliner(self):
        for case in CASES["gliner_v0"]:
            options = {"threshold": case["threshold"],
                       "multi_label": case["multi_label"]}
            found = self.client.extract(
                case["text"], case["labels"], "gliner",
                overlap="nested" if case["nested"] else "flat", **options)
            self.assertEqual([(e.label_index, e.start, e.end) for e in found],
                             [tuple(e[:3]) for e in case["entities"]])
            for entity in found:
                self.assertEqual(entity.label, case["labels"][entity.label_index])
                self.assertEqual(entity.text,
                                 case["text"][entity.start:entity.end])
            theirs = GLiNER("gliner", server=self.client).predict_entities(
                case["text"], case["labels"], flat_ner=not case["nested"],
                **options)
            self.assertEqual(theirs, [
                {"start": e.start, "end": e.end, "text": e.text,
                 "label": e.label, "score": e.score} for e in found])

    def test_a_label_brings_its_threshold_and_description(self):
        case = next(c for c in CASES["gliner_v0"] if c["entities"])
        label = case["labels"][0]
        none = self.client.extract(case["text"], [Wanted(label, threshold=0.999999)],
                                   "gliner")
        self.assertEqual(len(none), 0)
        found = self.client.extract(
            [case["text"]] * 2, [Wanted("other", description=label)], "gliner",
            threshold=case["threshold"], top_k=1)
        plain = self.client.extract(case["text"], [label], "gliner",
                                    threshold=case["threshold"])
        self.assertEqual([(e.start, e.end) for e in found[1]],
                         [(e.start, e.end) for e in plain])
        for entity in found[0]:
            self.assertEqual((entity.label, entity.labels[0].label),
                             ("other", "other"))

    def test_structures_and_relations_are_those_of_gliner2(self):
        values = 0
        for case in GROUPS["gliner2_lstm"]["structured"]:
            request = case["request"]
            found = self.client.structured(
                request["inputs"][0],
                [Structure(s["name"], tuple(Field(
                    f["name"],
                    "str" if f.get("type") == "FIELD_TYPE_STR" else "list",
                    tuple(f.get("choices", ())), f.get("description", ""),
                    f.get("threshold")) for f in s["fields"]))
                 for s in request.get("structures", [])],
                [Relation(r["name"], r.get("description", ""), r.get("threshold"))
                 for r in request.get("relations", [])],
                "gliner2", threshold=request.get("threshold"))
            plain = {
                "structures": [[s.structure_index, [
                    [places_of(v) for v in f] for f in s.fields.values()]]
                    for s in found.structures],
                "relations": [[r.relation_index, places_of(r.head),
                               places_of(r.tail)] for r in found.relations]}
            self.assertEqual(plain, {
                "structures": [[index, [[without_score(v) for v in f]
                                        for f in fields]]
                               for index, fields in case["found"]["structures"]],
                "relations": [[index, without_score(head), without_score(tail)]
                              for index, head, tail in case["found"]["relations"]]})
            values += sum(len(f) for s in found.structures
                          for f in s.fields.values()) + len(found.relations)
        self.assertGreater(values, 20)

    def test_documents_are_ranked_whatever_they_are_split_into(self):
        ranked = self.client.rerank(QUERY, DOCUMENTS, "reranker")
        self.assertEqual(sorted(r.index for r in ranked), [0, 1, 2, 3])
        self.assertEqual([r.score for r in ranked],
                         sorted((r.score for r in ranked), reverse=True))
        self.assertLess(next(n for n, r in enumerate(ranked) if r.index == 1),
                        next(n for n, r in enumerate(ranked) if r.index == 3))
        split = self.client.with_options(batch_size=1).rerank(
            QUERY, iter(DOCUMENTS), "reranker", top_k=2)
        self.assertEqual([r.index for r in split], [r.index for r in ranked[:2]])
        for a, b in zip(split, ranked):
            self.assertAlmostEqual(a.score, b.score, delta=shared.BATCHED)
        judge = CrossEncoder("reranker", server=self.client)
        self.assertEqual(
            judge.rank(QUERY, DOCUMENTS, top_k=1, return_documents=True),
            [{"corpus_id": ranked[0].index, "score": ranked[0].score,
              "text": DOCUMENTS[ranked[0].index]}])
        scores = judge.predict([(QUERY, d) for d in DOCUMENTS])
        for r in ranked:
            self.assertAlmostEqual(scores[r.index], r.score, delta=shared.BATCHED)
        self.assertEqual(judge.predict((QUERY, DOCUMENTS[0])),
                         judge.predict([(QUERY, DOCUMENTS[0])])[0])

    def test_asyncio(self):
        case = CASES["gliner_v0"][0]

        async def ask():
            async with AsyncClient(self.target) as client:
                return (await client.extract(case["text"], case["labels"], "gliner"),
                        await client.rerank(QUERY, DOCUMENTS, "reranker", top_k=3))
        found, ranked = asyncio.run(ask())
        self.assertEqual(found, self.client.extract(case["text"], case["labels"],
                                                    "gliner"))
        self.assertEqual(ranked, self.client.rerank(QUERY, DOCUMENTS, "reranker",
                                                    top_k=3))

    def test_an_error_names_the_document(self):
        with self.assertRaises(CallError) as raised:
            self.client.with_options(batch_size=2).rerank(
                QUERY, [*DOCUMENTS, ""], "reranker")
        self.assertEqual(raised.exception.input, 4)
        self.assertTrue(raised.exception.field.startswith("documents[4]"))


def items(count):
    """Of two tasks, and one that fails."""
    classify = tasks.classify(MODEL, top_k=1)
    fill = tasks.fill_mask("mask-filler", top_k=1)
    for n in range(count):
        if n == 5:
            yield n, classify, ""
        elif n % 2:
            yield n, fill, MASKED
        else:
            yield n, classify, f"{n} {GAME}"


class ProcessTest(unittest.TestCase):
    def check(self, found, count):
        self.assertEqual(sorted(f.key for f in found), list(range(count)))
        for one in found:
            if one.key == 5:
                self.assertEqual((one.error.code, one.error.input),
                                 ("INVALID_ARGUMENT", 0))
            elif one.key % 2:
                self.assertEqual(one.result[0][0].token, " headers")
            else:
                self.assertEqual(one.result[0].label, "games")

    def test_a_stream_of_tasks(self):
        with shared.served("process") as target, \
                Client(target, max_attempts=200) as client:
            self.check(list(client.process(items(150))), 150)
            self.assertEqual(list(client.process([])), [])

            async def ask():
                async with AsyncClient(target) as other:
                    return [f async for f in other.process(items(150))]
            self.check(asyncio.run(ask()), 150)
            with self.assertRaisesRegex(TypeError, "'a': expected str, got int"):
                list(client.process([("a", tasks.fill_mask(), 1)]))

            async def wrong():
                async with AsyncClient(target) as other:
                    return [f async for f in other.process(
                        [("a", tasks.fill_mask(), 1)])]
            with self.assertRaisesRegex(TypeError, "'a': expected str, got int"):
                asyncio.run(wrong())
            # One that is left early leaves the client of use.
            self.assertIsNotNone(next(client.process(items(150))))
            self.assertTrue(client.classify(TOOL, MODEL))
            error = client.with_options(max_attempts=1, token="x" * 9)
            self.assertEqual(len(list(error.process(items(3)))), 3)

    def test_no_more_is_read_than_is_under_way(self):
        read = []

        def noted():
            for item in items(400):
                read.append(item[0])
                yield item
        with shared.served("window") as target, \
                Client(target, max_attempts=200) as client:
            for answered, _ in enumerate(client.process(noted()), 1):
                self.assertLessEqual(len(read), answered + 64)

    def test_a_server_that_restarts_loses_nothing(self):
        """Sync and asyncio; the first server ends amid the stream."""
        def both(target):
            with Client(target, max_attempts=200) as client:
                yield from client.process(items(300))

        async def every(target, half):
            found = []
            async with AsyncClient(target, max_attempts=200) as client:
                async for one in client.process(items(300)):
                    found.append(one)
                    if len(found) == 100:
                        half.set()
            return found

        for name in ("sync", "async"):
            target = f"localhost:{shared.free_port()}"
            half = threading.Event()
            found = []

            def collect():
                if name == "async":
                    found.extend(asyncio.run(every(target, half)))
                    return
                for one in both(target):
                    found.append(one)
                    if len(found) == 100:
                        half.set()
            with self.subTest(name):
                thread = threading.Thread(target=collect)
                with shared.served(f"first_{name}", target=target):
                    thread.start()
                    self.assertTrue(half.wait(120))
                with shared.served(f"second_{name}", target=target):
                    thread.join(120)
                self.assertFalse(thread.is_alive())
                self.check(found, 300)


if __name__ == "__main__":
    if len(sys.argv) != 3:
        sys.exit(__doc__)
    shared.build = pathlib.Path(sys.argv[1]).resolve()
    shared.work = pathlib.Path(sys.argv[2]).resolve()
    unittest.main(argv=sys.argv[:1])
