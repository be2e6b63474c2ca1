"""Answers: alone and among 64 callers, through every client, and measured."""

import collections
import concurrent.futures
import json
import pathlib
import random
import subprocess
import threading
import unittest

from google.protobuf import json_format

import calls as calls_module
import deberta.v1.deberta_pb2 as pb
import environment
import reflection
from calls import difference, without_timing
from server import SERVICE, Server, metric, stub
from texts import EXTRACTED, GAME, MASKED, RECORD, TOOL, long_context

CALLERS = 64
EXPECTED = pathlib.Path(__file__).with_name("expected.json")
TASKS = {"classify", "tag_tokens", "answer_question", "fill_mask",
         "zero_shot", "encode", "extract_entities", "rerank"}
COUNTERS = ["deberta_requests_total", "deberta_inputs_total",
            "deberta_tokens_total", "deberta_rejected_total",
            "deberta_truncated_inputs_total", "process_cpu_seconds_total"]
HISTOGRAMS = ["deberta_request_duration_seconds",
              "deberta_tokenize_duration_seconds",
              "deberta_queue_duration_seconds",
              "deberta_compute_duration_seconds", "deberta_batch_inputs",
              "deberta_batch_tokens"]
GAUGES = ["deberta_queue_tokens", "deberta_queue_seconds",
          "deberta_inflight_requests", "deberta_model_load_seconds",
          "deberta_model_bytes", "deberta_build_info",
          "process_resident_memory_bytes"]


class AnswersTest(unittest.TestCase):
    """One server with all models; its answers when it is alone come first."""

    maxDiff = None

    @classmethod
    def setUpClass(cls):
        cls.models = calls_module.models(environment.ROOT, environment.work)
        cls.server = cls.enterClassContext(Server(
            environment.server_binary(), cls.models,
            environment.work / "answers.log"))
        cls.metrics_at_start = cls.server.metrics()
        cls.calls = calls_module.calls()
        cls.channel = cls.enterClassContext(cls.server.channel())
        cls.alone = {call.name: cls.ask(cls.channel, call)
                     for call in cls.calls}

    @staticmethod
    def ask(channel, call):
        return getattr(stub(channel), call.method)(call.request, timeout=120)

    def check(self, call, answer, tolerance=0.0):
        self.assertIsNone(difference(without_timing(self.alone[call.name]),
                                     without_timing(answer), tolerance),
                          call.name)

    def test_answers_have_the_shape_that_was_asked_for(self):
        for call in self.calls:
            answer = self.alone[call.name]
            self.assertEqual(len(answer.results), len(call.request.inputs))
            self.assertIn(answer.model.name, self.models)
        classified = self.alone["classify"].results[0]
        self.assertEqual(len(classified.labels), len(classified.logits))
        scores = [label.score for label in classified.labels]
        self.assertEqual(scores, sorted(scores, reverse=True))
        self.assertAlmostEqual(sum(scores), 1, places=4)
        self.assertGreater(
            self.alone["classify-window"].results[0].coverage.windows, 1)
        for text, result in zip(self.calls[4].request.inputs,
                                self.alone["tag"].results):
            for entity in result.entities:
                self.assertEqual(entity.text, text[entity.start:entity.end])
        for result in self.alone["answer"].results[:1]:
            for answer in result.answers:
                self.assertEqual(answer.text, RECORD[answer.start:answer.end])
        self.assertEqual(len(self.alone["fill"].results[1].masks), 2)
        for result in self.alone["encode"].results:
            values = result.vectors[0].values
            self.assertAlmostEqual(sum(v * v for v in values), 1, places=4)

    def test_answers_of_the_demo_models_are_those_of_transformers(self):
        expected = json.loads(EXPECTED.read_text(encoding="utf-8"))
        served = {m.name: m.sha256 for m in stub(self.channel).ListModels(
            pb.ListModelsRequest()).models}
        for model, sha256 in expected["sha256"].items():
            self.assertEqual(served[model], sha256, "the model has changed: "
                             "run tests/e2e/make_expected.py")
        for case in expected["cases"]:
            request = json_format.ParseDict(case["request"], getattr(
                pb, case["method"] + "Request")())
            if case.get("long_context"):
                for given in request.inputs:
                    given.context = long_context()
            answer = getattr(stub(self.channel), case["method"])(request)
            for result, wanted in zip(answer.results, case["results"],
                                      strict=True):
                got = {field: value for field, value in
                       calls_module.as_dict(result).items() if field in wanted}
                self.assertIsNone(difference(wanted, got, 1e-4),
                                  case["method"])

    def test_64_callers_get_the_answers_given_alone(self):
        before = self.server.metrics()
        start = threading.Barrier(CALLERS)

        def caller(number):
            order = list(self.calls)
            random.Random(number).shuffle(order)
            with self.server.channel() as channel:
                start.wait(60)
                return [(call, self.ask(channel, call)) for call in order]

        with concurrent.futures.ThreadPoolExecutor(CALLERS) as pool:
            answered = [pair for pairs in pool.map(caller, range(CALLERS))
                        for pair in pairs]
        self.assertEqual(len(answered), CALLERS * len(self.calls))
        for call, answer in answered:
            self.check(call, answer, environment.tolerance())
        self.assertTrue(any(answer.timing.batch_inputs
                            > len(call.request.inputs)
                            for call, answer in answered if call.task),
                        "no batch held inputs of two callers")
        self.check_metrics(before, self.server.metrics(), answered)

    def check_metrics(self, before, after, answered):
        """Counts must have grown by exactly what was asked."""
        calls, inputs, tokens = (collections.Counter() for _ in range(3))
        for call, answer in answered:
            if call.task:
                key = (answer.model.name, call.task)
                calls[key] += 1
                inputs[key] += len(call.request.inputs)
                tokens[key] += sum(result.coverage.tokens_used
                                   for result in answer.results)

        def grown(name, **labels):
            return metric(after, name, **labels) - metric(before, name,
                                                          **labels)

        for (model, task), count in calls.items():
            of = {"model": model, "task": task}
            self.assertEqual(grown("deberta_requests_total", code="OK", **of),
                             count)
            self.assertEqual(grown("deberta_requests_total", **of), count)
            self.assertEqual(grown("deberta_inputs_total", **of),
                             inputs[model, task])
            self.assertEqual(grown("deberta_tokens_total", **of),
                             tokens[model, task], of)
            for phase in ("request", "tokenize", "queue", "compute"):
                self.assertEqual(
                    grown(f"deberta_{phase}_duration_seconds_count", **of),
                    count, phase)
        self.assertEqual(metric(after, "deberta_inflight_requests"), 0)
        for model in self.models:
            self.assertEqual(
                metric(after, "deberta_queue_tokens", model=model), 0)

    def test_every_metric_exists_from_the_start(self):
        start = self.metrics_at_start
        for name in COUNTERS[:3] + COUNTERS[4:5]:
            self.assertEqual(metric(start, name), 0, name)
        for name in HISTOGRAMS:
            self.assertEqual(metric(start, name + "_count"), 0, name)
        for name in GAUGES + COUNTERS:
            metric(start, name)
        for name in ("deberta_model_bytes", "process_resident_memory_bytes"):
            self.assertGreater(metric(start, name), 0)
        seen = {dict(labels).get("task") for _, labels in start}
        self.assertLessEqual(TASKS, seen)

    def test_promtool_accepts_the_metrics(self):
        done = subprocess.run(["promtool", "check", "metrics"],
                              input=self.server.metrics_text(), text=True,
                              capture_output=True, timeout=60, check=False)
        self.assertEqual((done.returncode, done.stdout + done.stderr), (0, ""))

    def test_models_are_described(self):
        listed = stub(self.channel).ListModels(pb.ListModelsRequest()).models
        self.assertEqual([m.name for m in listed], list(self.models))
        for served in listed:
            model = stub(self.channel).GetModel(
                pb.GetModelRequest(model=served.name))
            self.assertEqual(model.model, served)
            gliner = self.models[served.name] / "gliner_config.json"
            path = (gliner if gliner.exists() else
                    self.models[served.name] / "config.json")
            config = json.loads(path.read_text(encoding="utf-8"))
            config = config.get("encoder_config", config)
            self.assertEqual(served.family, config["model_type"])
            self.assertEqual(model.hidden_size, config["hidden_size"])
            self.assertEqual(model.layers, config["num_hidden_layers"])
            self.assertRegex(served.sha256, "^[0-9a-f]{64}$")
            self.assertIn(pb.TASK_ENCODE, served.tasks)

    def test_reflection_clients_get_the_same_answers(self):
        for client in reflection.clients(self.server):
            with self.subTest(client.name):
                self.addCleanup(client.close)
                self.assertLessEqual(
                    {SERVICE, "grpc.health.v1.Health"}, client.services())
                self.assertLessEqual(
                    {call.method for call in self.calls} | {
                        "ListModels", "GetModel", "ExtractEntities",
                        "ExtractStructured", "Rerank"}, client.methods())
                for call in self.calls:
                    reply, code = client.call(
                        call.method, json_format.MessageToJson(call.request))
                    self.assertIsNone(code, call.name)
                    answer = json_format.Parse(
                        reply, type(self.alone[call.name])())
                    self.check(call, answer)
                _, code = client.call("Classify", '{"model": "nobody"}')
                self.assertIn(code, ("NOT_FOUND", "INVALID_ARGUMENT"))


class ClientTest(unittest.TestCase):
    """deberta-client against the same kind of server."""

    @classmethod
    def setUpClass(cls):
        models = calls_module.models(environment.ROOT, environment.work)
        cls.models = models
        cls.server = cls.enterClassContext(Server(
            environment.server_binary(), models,
            environment.work / "client.log"))
        cls.channel = cls.enterClassContext(cls.server.channel())

    def client(self, *arguments, stdin=""):
        return environment.run_client(self.server, *arguments, stdin=stdin)

    def same(self, arguments, method, request):
        """One JSON line an input, equal to what the stub gets."""
        answer = getattr(stub(self.channel), method)(request, timeout=60)
        done = self.client(*arguments, "--json")
        self.assertEqual((done.returncode, done.stderr), (0, ""))
        lines = done.stdout.splitlines()
        self.assertEqual(len(lines), len(answer.results))
        for line, result in zip(lines, answer.results):
            got = json_format.Parse(line, type(result)())
            self.assertIsNone(difference(result, got,
                                         environment.tolerance()))
        table = self.client(*arguments)
        self.assertEqual((table.returncode, table.stderr), (0, ""))
        self.assertIn("score" if method not in ("Encode", "Tokenize")
                      else "token", table.stdout)

    def test_each_task(self):
        classifier = ["classify", "--model=section-classifier", "--top_k=3"]
        self.same([*classifier, GAME, TOOL], "Classify", pb.ClassifyRequest(
            model="section-classifier", top_k=3,
            inputs=[pb.TextInput(text=GAME), pb.TextInput(text=TOOL)]))
        self.same(["classify", "--model=golden-classify", "--pair", "ab", "c"],
                  "Classify", pb.ClassifyRequest(
                      model="golden-classify",
                      inputs=[pb.TextInput(text="ab", text_pair="c")]))
        self.same(["tag", "--model=tech-tagger", "--aggregation=first",
                   "--keep_ignored", TOOL],
                  "TagTokens", pb.TagTokensRequest(
                      model="tech-tagger", inputs=[TOOL], keep_ignored=True,
                      aggregation=pb.AGGREGATION_FIRST))
        question = "Who maintains inkscape?"
        self.same(["answer", f"--question={question}", "--top_k=2", RECORD],
                  "AnswerQuestion", pb.AnswerQuestionRequest(
                      top_k=2, inputs=[pb.QuestionInput(question=question,
                                                        context=RECORD)]))
        self.same(["fill", "--model=mask-filler", MASKED], "FillMask",
                  pb.FillMaskRequest(model="mask-filler", inputs=[MASKED]))
        self.same(["zero-shot", "--model=golden-classify", "--labels=a,do",
                   "--template={}", "bo"], "ClassifyZeroShot",
                  pb.ClassifyZeroShotRequest(
                      model="golden-classify", labels=["a", "do"],
                      hypothesis_template="{}", inputs=["bo"]))
        self.same(["extract", "--threshold=0.2", TOOL,
                   f"--labels={','.join(EXTRACTED)}"], "ExtractEntities",
                  pb.ExtractEntitiesRequest(
                      threshold=0.2, inputs=[TOOL],
                      labels=[pb.EntityLabel(name=name) for name in EXTRACTED]))
        self.same(["embed", "--model=tech-tagger", "--pooling=mean", GAME],
                  "Encode", pb.EncodeRequest(
                      model="tech-tagger", pooling=pb.POOLING_MEAN,
                      inputs=[pb.TextInput(text=GAME)]))
        self.same(["tokenize", "--model=package-qa", GAME], "Tokenize",
                  pb.TokenizeRequest(model="package-qa",
                                     inputs=[pb.TextInput(text=GAME)]))

    def test_models(self):
        done = self.client("models", "--json")
        self.assertEqual(done.returncode, 0)
        names = [json.loads(line)["model"]["name"]
                 for line in done.stdout.splitlines()]
        self.assertEqual(names, list(self.models))

    def test_lines_of_stdin_keep_their_order_around_a_bad_one(self):
        lines = [f"package number {i}" for i in range(75)]
        lines[40] = ""
        done = self.client("classify", "--model=section-classifier", "--json",
                           stdin="\n".join(lines) + "\n")
        self.assertEqual(done.returncode, 1)
        answers = [json.loads(line) for line in done.stdout.splitlines()]
        self.assertEqual(len(answers), 75)
        self.assertEqual([i for i, a in enumerate(answers) if "labels" not in a],
                         [40])
        self.assertEqual(answers[40]["error"]["code"], "INVALID_ARGUMENT")
        self.assertRegex(done.stderr,
                         r"^deberta-client: input 41: INVALID_ARGUMENT: .*\n$")

    def test_failures_are_one_line(self):
        for arguments, words in (
                (["classify", "--model=nobody", "x"], "NOT_FOUND"),
                (["tag", "--model=mask-filler", "x"], "FAILED_PRECONDITION"),
                (["embed", "--model=tech-tagger", "--pooling=sum", "x"],
                 "expected one of cls, mean, none"),
                (["answer", "x"], "--question"),
                (["guess", "x"], "unknown command 'guess': expected classify, "),
                (["tag", "--threshold=0.5", "x"],
                 "--threshold is not a flag of tag but of extract, structured"),
                (["classify", "--model=section-classifier", b"\xff"], "UTF-8"),
                (["models", "--deadline_ms=-1"], "--deadline_ms")):
            done = self.client(*arguments)
            self.assertEqual(done.returncode, 1, arguments)
            self.assertEqual(done.stderr.count("\n"), 1, done.stderr)
            self.assertIn(words, done.stderr)
