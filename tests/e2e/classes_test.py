"""Classes of the caller's labels by GLiClass: as gliclass scores them."""

import concurrent.futures
import json
import math
import unittest

import deberta.v1.deberta_pb2 as pb
import environment
import label_head_models
from errors import failure_of
from server import Server, stub

CALLERS = 64
EXPECTED = json.loads((label_head_models.MODELS / "classes.json").read_text())


def request_of(model, case, multi_label=False):
    return pb.ClassifyZeroShotRequest(
        model=model, inputs=[case["text"]], labels=case["labels"],
        prompt=case["prompt"], multi_label=multi_label)


def scores(case, multi_label):
    logits = case["logits"]
    if multi_label:
        return [1 / (1 + math.exp(-x)) for x in logits]
    powers = [math.exp(x - max(logits)) for x in logits]
    return [x / sum(powers) for x in powers]


class ClassesTest(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.models = {
            name: label_head_models.copy(name, environment.work / "classes" / name)
            for name in EXPECTED}
        cls.server = cls.enterClassContext(Server(
            environment.server_binary(), cls.models,
            environment.work / "classes.log"))
        cls.channel = cls.enterClassContext(cls.server.channel())
        cls.stub = stub(cls.channel)

    def test_scores_are_those_of_gliclass(self):
        for model, cases in EXPECTED.items():
            for case in cases:
                for multi_label in (False, True):
                    with self.subTest(model=model, case=case, multi=multi_label):
                        result = self.stub.ClassifyZeroShot(
                            request_of(model, case, multi_label)).results[0]
                        expected = scores(case, multi_label)
                        self.assertEqual(len(result.labels), len(expected))
                        self.assertEqual(result.coverage.tokens_total,
                                         len(case["ids"]))
                        for label in result.labels:
                            self.assertEqual(label.label, case["labels"][label.index])
                            self.assertAlmostEqual(
                                label.score, expected[label.index], delta=1e-4)
                        found = [label.score for label in result.labels]
                        self.assertEqual(found, sorted(found, reverse=True))

    def test_callers_with_other_labels_get_what_they_get_alone(self):
        requests = [request_of(model, case) for model, cases in EXPECTED.items()
                    for case in cases][:2 * CALLERS]
        alone = [self.stub.ClassifyZeroShot(request).results for request in requests]
        with concurrent.futures.ThreadPoolExecutor(CALLERS) as callers:
            together = list(callers.map(
                lambda request: self.stub.ClassifyZeroShot(request).results, requests))
        for one, other in zip(alone, together):
            self.assertEqual([l.index for l in one[0].labels],
                             [l.index for l in other[0].labels])
            for a, b in zip(one[0].labels, other[0].labels):
                self.assertAlmostEqual(a.score, b.score,
                                       delta=environment.tolerance())

    def test_bad_requests_name_their_field(self):
        good = dict(model="gliclass_simple", inputs=["one"], labels=["x"])
        for more, field in ((dict(labels=["a <<SEP>>"]), "labels[0]"),
                            (dict(prompt="<<LABEL>>"), "prompt"),
                            (dict(hypothesis_template="It is {}."),
                             "hypothesis_template"),
                            (dict(inputs=["one " * 2000]), "inputs[0]")):
            got = failure_of(self.stub.ClassifyZeroShot,
                             pb.ClassifyZeroShotRequest(**good | more), timeout=60)
            self.assertEqual((got.code, got.fields), ("INVALID_ARGUMENT", (field,)))
        got = failure_of(self.stub.ExtractEntities, pb.ExtractEntitiesRequest(
            model="gliclass_simple", inputs=["one"],
            labels=[pb.EntityLabel(name="x")]), timeout=60)
        self.assertEqual(got.code, "FAILED_PRECONDITION")

    def test_models_say_what_they_are(self):
        model = self.stub.GetModel(pb.GetModelRequest(model="gliclass_mlp"))
        self.assertEqual(model.architecture, "gliclass mlp")
        self.assertEqual(model.max_tokens, 1024)
        self.assertEqual(list(model.model.tasks),
                         [pb.TASK_ZERO_SHOT, pb.TASK_ENCODE])

    def test_client_classifies(self):
        done = environment.run_client(
            self.server, "zero-shot", "--model=gliclass_mlp",
            "--labels=person,place", "--prompt=Sort it:", "one", "--json")
        self.assertEqual((done.returncode, done.stderr), (0, ""))
        answer = self.stub.ClassifyZeroShot(pb.ClassifyZeroShotRequest(
            model="gliclass_mlp", inputs=["one"], labels=["person", "place"],
            prompt="Sort it:"))
        self.assertEqual([l.get("index", 0) for l in json.loads(done.stdout)["labels"]],
                         [l.index for l in answer.results[0].labels])
