"""Entities of the caller's labels: as gliner finds them, alone and among others."""

import concurrent.futures
import json
import unittest

import deberta.v1.deberta_pb2 as pb
import environment
import label_head_models
from errors import failure_of
from server import Server, metric, stub

CALLERS = 64
EXPECTED = json.loads((label_head_models.MODELS / "entities.json").read_text())
TEXT = "Ada Lovelace wrote to Babbage in 1842, from London."


def request_of(model, case):
    return pb.ExtractEntitiesRequest(
        model=model, inputs=[case["text"]], threshold=case["threshold"],
        labels=[pb.EntityLabel(name=name) for name in case["labels"]],
        overlap=pb.OVERLAP_NESTED if case["nested"] else pb.OVERLAP_FLAT,
        multi_label=case["multi_label"])


def listed(result):
    return [(e.label_index, e.start, e.end) for e in result.entities]


class EntitiesTest(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.models = {
            name: label_head_models.copy(name, environment.work / "entities" / name)
            for name in EXPECTED}
        cls.server = cls.enterClassContext(Server(
            environment.server_binary(), cls.models,
            environment.work / "entities.log"))
        cls.channel = cls.enterClassContext(cls.server.channel())
        cls.stub = stub(cls.channel)

    def test_lists_are_those_of_gliner(self):
        for model, cases in EXPECTED.items():
            self.assertGreater(len(cases), 20, model)
            for case in cases:
                with self.subTest(model=model, case=case):
                    result = self.stub.ExtractEntities(
                        request_of(model, case)).results[0]
                    self.assertEqual(listed(result),
                                     [tuple(e[:3]) for e in case["entities"]])
                    for entity, expected in zip(result.entities, case["entities"]):
                        self.assertAlmostEqual(entity.score, expected[3], delta=2e-5)
                        self.assertEqual(entity.text,
                                         case["text"][entity.start:entity.end])
                        self.assertEqual(entity.label,
                                         case["labels"][entity.label_index])

    def test_callers_with_other_labels_get_what_they_get_alone(self):
        requests = [request_of(model, case) for model, cases in EXPECTED.items()
                    for case in cases[::3]][:4 * CALLERS]
        alone = [self.stub.ExtractEntities(request).results for request in requests]
        with concurrent.futures.ThreadPoolExecutor(CALLERS) as callers:
            together = list(callers.map(
                lambda request: self.stub.ExtractEntities(request).results, requests))
        for one, other in zip(alone, together):
            self.assertEqual(len(one), len(other))
            self.assertEqual(listed(one[0]), listed(other[0]))
            for a, b in zip(one[0].entities, other[0].entities):
                self.assertAlmostEqual(a.score, b.score,
                                       delta=environment.tolerance())

    def test_long_texts(self):
        long = "the tea is not so bad " * 20  # 120 words, of which 64 are read
        labels = [pb.EntityLabel(name="thing")]
        ask = lambda **more: pb.ExtractEntitiesRequest(
            model="gliner_v0", inputs=[long], labels=labels, **more)
        got = failure_of(self.stub.ExtractEntities, ask(), timeout=60)
        self.assertEqual((got.code, got.fields), ("INVALID_ARGUMENT", ("inputs[0]",)))
        cut = self.stub.ExtractEntities(ask(
            length_policy=pb.LENGTH_POLICY_TRUNCATE)).results[0].coverage
        self.assertTrue(cut.truncated)
        self.assertLess(cut.tokens_used, cut.tokens_total)
        whole = self.stub.ExtractEntities(ask(
            length_policy=pb.LENGTH_POLICY_WINDOW, stride=16)).results[0].coverage
        self.assertEqual((whole.windows, whole.truncated), (3, False))

    def test_models_say_what_they_read(self):
        model = self.stub.GetModel(pb.GetModelRequest(model="gliner_v0"))
        self.assertEqual((model.max_words, model.max_span_words), (64, 4))
        self.assertIn("gliner", model.architecture)
        self.assertEqual(list(model.model.tasks),
                         [pb.TASK_EXTRACT_ENTITIES, pb.TASK_ENCODE])

    def test_white_space_alone_has_no_entities(self):
        of = {"model": "gliner_v0", "task": "extract_entities"}
        before = metric(self.server.metrics(), "deberta_inputs_total", **of)
        result = self.stub.ExtractEntities(pb.ExtractEntitiesRequest(
            model="gliner_v0", inputs=[" \t\n"],
            labels=[pb.EntityLabel(name="x")])).results[0]
        self.assertEqual(len(result.entities), 0)
        self.assertEqual(result.coverage.windows, 0)
        after = metric(self.server.metrics(), "deberta_inputs_total", **of)
        self.assertEqual(after, before + 1)

    def test_client_extracts(self):
        arguments = ["extract", "--model=gliner_v0", "--labels=person,place",
                     "--threshold=0.1", TEXT]
        done = environment.run_client(self.server, *arguments, "--json")
        self.assertEqual((done.returncode, done.stderr), (0, ""))
        answer = self.stub.ExtractEntities(pb.ExtractEntitiesRequest(
            model="gliner_v0", inputs=[TEXT], threshold=0.1,
            labels=[pb.EntityLabel(name="person"), pb.EntityLabel(name="place")]))
        self.assertEqual(
            [(e["label_index"], e["start"], e["end"])
             for e in json.loads(done.stdout)["entities"]],
            listed(answer.results[0]))
        table = environment.run_client(self.server, *arguments)
        self.assertEqual((table.returncode, table.stderr), (0, ""))
        self.assertIn("entity", table.stdout)
        failed = environment.run_client(self.server, "extract", TEXT)
        self.assertEqual(failed.returncode, 1)
        self.assertIn("--labels", failed.stderr)
