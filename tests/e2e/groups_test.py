"""GLiNER2: entities, classes, structures and relations as gliner2 finds them, alone
and among others."""

import concurrent.futures
import json
import unittest

import deberta.v1.deberta_pb2 as pb
import environment
import groups
import label_head_models
from errors import failure_of
from google.protobuf import json_format
from server import Server, metric, run_to_exit, stub

CALLERS = 64
EXPECTED = json.loads((label_head_models.MODELS / "groups.json").read_text())
TASKS = {"entities": ("ExtractEntities", pb.ExtractEntitiesRequest),
         "classes": ("ClassifyZeroShot", pb.ClassifyZeroShotRequest),
         "structured": ("ExtractStructured", pb.ExtractStructuredRequest)}
SCHEMA = {"structures": [{"name": "letter", "fields": [
    {"name": "from", "type": "FIELD_TYPE_STR"}, {"name": "to"}]}],
    "relations": [{"name": "wrote to"}]}
TEXT = "Ada Lovelace wrote to Babbage in 1842, from London."


def request_of(task, model, case):
    request = json_format.ParseDict(case["request"], TASKS[task][1]())
    request.model = model
    return request


def found_in(task, result):
    """As groups.json has it."""
    if task == "entities":
        return [[e.label_index, e.start, e.end, e.score] for e in result.entities]
    if task == "classes":
        return [l.score for l in sorted(result.labels, key=lambda l: l.index)]
    return groups.structured(result)


class GroupsTest(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.models = {
            name: label_head_models.copy(name, environment.work / "groups" / name)
            for name in EXPECTED}
        cls.server = cls.enterClassContext(Server(
            environment.server_binary(), cls.models,
            environment.work / "groups.log"))
        cls.channel = cls.enterClassContext(cls.server.channel())
        cls.stub = stub(cls.channel)

    def ask(self, task, request):
        return getattr(self.stub, TASKS[task][0])(request).results[0]

    def compare(self, found, expected, delta):
        form, scores = groups.parts(found)
        expected_form, expected_scores = groups.parts(expected)
        self.assertEqual(form, expected_form)
        for score, wanted in zip(scores, expected_scores):
            self.assertAlmostEqual(score, wanted, delta=delta)

    def test_all_is_found_that_gliner2_finds(self):
        for model, by_task in EXPECTED.items():
            for task, cases in by_task.items():
                self.assertGreaterEqual(len(cases), 16, (model, task))
                for case in cases:
                    with self.subTest(model=model, task=task, case=case):
                        result = self.ask(task, request_of(task, model, case))
                        self.compare(found_in(task, result), case["found"], 3e-5)

    def test_values_are_what_the_offsets_say(self):
        count = 0
        for model, by_task in EXPECTED.items():
            for case in by_task["structured"]:
                text = case["request"]["inputs"][0]
                result = self.ask("structured", request_of("structured", model, case))
                values = [v for s in result.structures for f in s.fields
                          for v in f.values]
                values += [v for r in result.relations for v in (r.head, r.tail)]
                for value in values:
                    if value.HasField("start"):
                        count += 1
                        self.assertEqual(value.text, text[value.start:value.end])
        self.assertGreater(count, 100)

    def test_callers_with_other_schemas_get_what_they_get_alone(self):
        asked = [(task, request_of(task, model, case))
                 for model, by_task in EXPECTED.items()
                 for task, cases in by_task.items() for case in cases]
        asked = asked[::max(1, len(asked) // (4 * CALLERS))]
        self.assertGreater(sum(task == "structured" for task, _ in asked), CALLERS)
        alone = [self.ask(*one) for one in asked]
        with concurrent.futures.ThreadPoolExecutor(CALLERS) as callers:
            together = list(callers.map(lambda one: self.ask(*one), asked))
        for (task, _), one, other in zip(asked, alone, together):
            self.compare(found_in(task, other), found_in(task, one),
                         environment.tolerance())

    def structured(self, **more):
        fields = {"model": "gliner2_v2", "inputs": [TEXT]} | SCHEMA | more
        return json_format.ParseDict(fields, pb.ExtractStructuredRequest())

    def test_long_texts(self):
        long = "the tea is not so bad " * 3000
        got = failure_of(self.stub.ExtractStructured,
                         self.structured(inputs=[long]), timeout=60)
        self.assertEqual((got.code, got.fields), ("INVALID_ARGUMENT", ("inputs[0]",)))
        text = "the tea is not so bad " * 1500
        cut = self.ask("structured", self.structured(
            inputs=[text], lengthPolicy="LENGTH_POLICY_TRUNCATE")).coverage
        self.assertTrue(cut.truncated)
        self.assertLess(cut.tokens_used, cut.tokens_total)
        whole = self.ask("structured", self.structured(
            inputs=[text], lengthPolicy="LENGTH_POLICY_WINDOW", stride=16)).coverage
        self.assertGreater(whole.windows, 1)
        self.assertFalse(whole.truncated)

    def test_bad_schemas_name_their_field(self):
        for more, field in (
                (dict(structures=[], relations=[]), "structures"),
                (dict(structures=[{"name": "a"}]), "structures[0].fields"),
                (dict(relations=[{"name": "a [P]"}]), "relations[0].name"),
                (dict(threshold=1.5), "threshold"),
                (dict(structures=[{"name": "a", "fields": [
                    {"name": "b", "type": 9}]}]), "type"),
                (dict(inputs=[]), "inputs")):
            got = failure_of(self.stub.ExtractStructured, self.structured(**more),
                             timeout=60)
            self.assertEqual((got.code, got.fields), ("INVALID_ARGUMENT", (field,)))

    def test_models_say_what_they_read(self):
        model = self.stub.GetModel(pb.GetModelRequest(model="gliner2_moe"))
        self.assertEqual((model.max_words, model.max_span_words), (0, 3))
        self.assertEqual(model.architecture, "gliner2 count_lstm_moe")
        self.assertEqual(list(model.model.tasks),
                         [pb.TASK_EXTRACT_ENTITIES, pb.TASK_EXTRACT_STRUCTURED,
                          pb.TASK_ZERO_SHOT, pb.TASK_ENCODE])

    def test_metrics_have_the_task_from_the_start(self):
        of = {"model": "gliner2_lstm", "task": "extract_structured"}
        before = metric(self.server.metrics(), "deberta_inputs_total", **of)
        self.ask("structured", self.structured(model="gliner2_lstm"))
        after = metric(self.server.metrics(), "deberta_inputs_total", **of)
        self.assertEqual(after, before + 1)

    def test_boundary_models_are_refused_by_name(self):
        directory = label_head_models.copy(
            "gliner2_lstm", environment.work / "groups" / "boundary")
        config = json.loads((directory / "config.json").read_text())
        config["architecture"] = "boundary"
        (directory / "config.json").write_text(json.dumps(config))
        code, output = run_to_exit(
            environment.server_binary(), f"--models={directory}",
            "--listen=127.0.0.1:0", "--metrics_listen=127.0.0.1:0")
        self.assertEqual(code, 1)
        self.assertIn("GLiNER2.5", output)

    def test_client_extracts(self):
        case = next(c for c in EXPECTED["gliner2_v2"]["structured"]
                    if c["found"]["structures"])
        schema = {k: v for k, v in case["request"].items() if k != "inputs"}
        arguments = ["structured", "--model=gliner2_v2",
                     f"--schema={json.dumps(schema)}", *case["request"]["inputs"]]
        done = environment.run_client(self.server, *arguments, "--json")
        self.assertEqual((done.returncode, done.stderr), (0, ""))
        got = json_format.Parse(done.stdout, pb.ExtractStructuredResult())
        self.compare(found_in("structured", got), case["found"], 3e-5)
        table = environment.run_client(self.server, *arguments)
        self.assertEqual((table.returncode, table.stderr), (0, ""))
        self.assertIn("structure", table.stdout)
        for schema in ("", "--schema={", '--schema={"structure": []}'):
            failed = environment.run_client(
                self.server, "structured", *([schema] if schema else []), TEXT)
            self.assertEqual(failed.returncode, 1)
            self.assertIn("--schema", failed.stderr)
