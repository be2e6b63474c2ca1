"""Directories as sentence-transformers and publishers with code of their own
save them answer as that code does; what is not known is refused by name. The
directories are those of tests/golden/conventions."""

import json
import pathlib
import shutil
import sys
import unittest

import deberta.v1.deberta_pb2 as pb
import environment
import refusals_test
from errors import failure_of
from heads_test import make
from server import Server, stub

sys.path.insert(0, str(environment.ROOT / "docs/examples"))
import bert_score  # noqa: E402

GOLDEN = environment.ROOT / "tests/golden/conventions"
# Of the largest number of an answer.
TOLERANCE = 2e-5


def copy(name, source):
    directory = pathlib.Path(environment.work) / "conventions" / name
    shutil.rmtree(directory, ignore_errors=True)
    shutil.copytree(GOLDEN / source, directory)
    return directory


def edit_json(path, **keys):
    path.write_text(json.dumps(json.loads(path.read_text()) | keys))


class ConventionsTest(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.models = {path.name: path for path in sorted(GOLDEN.iterdir())}
        cls.expected = {
            name: json.loads((path / "expected.json").read_text())
            for name, path in cls.models.items()}
        cls.server = cls.enterClassContext(Server(
            environment.server_binary(), cls.models,
            environment.work / "conventions.log"))
        cls.channel = cls.enterClassContext(cls.server.channel())
        cls.stub = stub(cls.channel)

    def near(self, got, expected, where, least_scale=0):
        self.assertEqual(len(got), len(expected), where)
        scale = max(least_scale, *map(abs, expected))
        for actual, wanted in zip(got, expected):
            self.assertLessEqual(abs(actual - wanted), TOLERANCE * scale, where)

    def asked(self, part):
        """(model, what is expected of one text), for each."""
        cases = [(name, case) for name, expected in self.expected.items()
                 for case in expected.get(part, [])]
        self.assertTrue(cases)
        return cases

    def test_models_say_what_they_do(self):
        for name, expected in self.expected.items():
            model = self.stub.GetModel(pb.GetModelRequest(model=name))
            for field, wanted in expected["model"].items():
                got = getattr(model, field)
                if field == "default_function":
                    wanted = pb.Function.Value(wanted)
                elif isinstance(wanted, list):
                    got = list(got)
                self.assertEqual(got, wanted, (name, field))

    def test_scores_are_the_publishers(self):
        logits = {}
        for name, case in self.asked("classify"):
            (result,) = self.stub.Classify(pb.ClassifyRequest(
                model=name, return_logits=True, inputs=[pb.TextInput(
                    text=case["text"],
                    text_pair=case.get("text_pair", ""))])).results
            scores = {label.index: label.score for label in result.labels}
            logits.setdefault(name, ([], []))[0].extend(result.logits)
            logits[name][1].extend(case["logits"])
            # One logit may be any small difference of large numbers.
            self.near([scores[i] for i in sorted(scores)], case["scores"],
                      (name, case["text"]), least_scale=1)
            self.assertEqual(len(result.outputs), 0)
        for name, (got, expected) in logits.items():
            self.near(got, expected, name)

    def test_a_request_may_ask_for_another_function(self):
        case = self.expected["reranker"]["classify"][0]
        request = pb.ClassifyRequest(
            model="reranker", function=pb.FUNCTION_SIGMOID,
            inputs=[pb.TextInput(text=case["text"],
                                 text_pair=case["text_pair"])])
        score = self.stub.Classify(request).results[0].labels[0].score
        self.assertNotAlmostEqual(score, case["scores"][0], places=4)
        self.assertTrue(0 < score < 1)

    def test_each_output_of_a_head_answers(self):
        for name, case in self.asked("outputs"):
            (result,) = self.stub.Classify(pb.ClassifyRequest(
                model=name, inputs=[pb.TextInput(text=case["text"])])).results
            labels, scores = {}, {}
            for output in result.outputs:
                if output.labels:
                    labels[output.name] = {label.label: label.score
                                           for label in output.labels}
                if output.HasField("score"):
                    scores[output.name] = output.score
            self.assertEqual(labels.keys(), case["outputs"].keys())
            for output, wanted in case["outputs"].items():
                self.assertEqual(labels[output].keys(), wanted.keys())
                self.near([labels[output][label] for label in wanted],
                          list(wanted.values()), (name, output), least_scale=1)
            self.assertEqual(scores.keys(), case["scores"].keys())
            for output, wanted in case["scores"].items():
                # A score that is rounded to four digits, or of such.
                self.assertAlmostEqual(scores[output], wanted, delta=1.1e-4)
            self.assertEqual(list(result.labels),
                             list(result.outputs[0].labels))

    def test_vectors_are_the_publishers(self):
        for name, case in self.asked("encode"):
            (result,) = self.stub.Encode(pb.EncodeRequest(
                model=name, inputs=[pb.TextInput(text=case["text"])],
                length_policy=pb.LENGTH_POLICY_TRUNCATE)).results
            self.near(result.vectors[0].values, case["vector"],
                      (name, case["text"]))

    def test_a_request_may_ask_for_another_pooling(self):
        text = self.expected["dense"]["encode"][0]["text"]
        (result,) = self.stub.Encode(pb.EncodeRequest(
            model="dense", pooling=pb.POOLING_MEAN,
            inputs=[pb.TextInput(text=text)])).results
        self.assertEqual(len(result.vectors[0].values), 32)

    def test_marked_positions_must_be_there(self):
        directory = copy("no_marker", "declared_marker")
        edit_json(directory / "deberta.json", head={
            "pooling": {"token_id": 119}, "outputs": [{"linear": "score"}]})
        with Server(environment.server_binary(), {"m": directory},
                    environment.work / "no_marker.log") as server, \
                server.channel() as channel:
            ask = lambda text: pb.ClassifyRequest(
                inputs=[pb.TextInput(text=text)])
            got = failure_of(stub(channel).Classify, ask("a tiny one"),
                             timeout=60)
            self.assertEqual((got.code, got.fields),
                             ("INVALID_ARGUMENT", ("inputs[0]",)))
            self.assertIn("[MASK]", got.message)
            stub(channel).Classify(ask("a tiny [MASK] one"))

    def test_every_layer_can_be_read(self):
        def encode(**request):
            return self.stub.Encode(pb.EncodeRequest(
                model="mean", inputs=[pb.TextInput(text="a tiny one")],
                **request)).results[0]
        last = encode(pooling=pb.POOLING_NONE)
        both = encode(pooling=pb.POOLING_NONE, layers=[0, -1, 2])
        tokens = len(last.tokens)
        self.assertEqual(list(both.tokens), list(last.tokens))
        self.assertEqual(len(both.vectors), 3 * tokens)
        self.assertEqual(list(both.vectors[tokens:2 * tokens]),
                         list(last.vectors))
        self.assertEqual(list(both.vectors[2 * tokens:]), list(last.vectors))
        self.assertNotEqual(list(both.vectors[:tokens]), list(last.vectors))
        self.assertEqual(encode(layers=[2]).vectors, encode().vectors)
        for layers in ([3], [-4], [0, 1, 2, 0]):
            got = failure_of(self.stub.Encode, pb.EncodeRequest(
                model="mean", layers=layers,
                inputs=[pb.TextInput(text="a")]), timeout=60)
            self.assertEqual(got.code, "INVALID_ARGUMENT")
            self.assertRegex(got.fields[0], r"layers\[\d\]")


    def test_layers_are_those_of_hidden_states(self):
        for name, case in self.asked("layers"):
            count = len(case["states"])
            (result,) = self.stub.Encode(pb.EncodeRequest(
                model=name, inputs=[pb.TextInput(text=case["text"])],
                layers=[*range(count - 1), -1],
                pooling=pb.POOLING_NONE)).results
            tokens = len(result.tokens)
            for layer, states in enumerate(case["states"]):
                got = result.vectors[layer * tokens:(layer + 1) * tokens]
                self.near([value for row in got for value in row.values],
                          [value for row in states for value in row],
                          (name, case["text"], layer))

    def test_the_example_computes_bert_score(self):
        for name, case in self.asked("bert_score"):
            scores = bert_score.bert_score(
                self.stub.Encode, bert_score.request_maker(pb, name),
                case["candidate"], case["reference"], case["layer"])
            self.near(scores, case["scores"], (name, case), least_scale=1)


class LongerTextsTest(unittest.TestCase):
    def test_more_tokens_than_positions(self):
        judge = make("longer", "v3_classify")
        text = "one " * 300
        flags = ["--max_tokens=2048"]
        with Server(environment.server_binary(), {"m": judge},
                    environment.work / "longer.log", *flags) as server, \
                server.channel() as channel:
            model = stub(channel).GetModel(pb.GetModelRequest())
            self.assertEqual(model.max_tokens, 2048)
            (result,) = stub(channel).Classify(pb.ClassifyRequest(
                inputs=[pb.TextInput(text=text)])).results
            self.assertGreater(result.coverage.tokens_used, 300)
            self.assertEqual(result.coverage.windows, 1)


class UnknownConventionsTest(unittest.TestCase):
    """What stops the start, and what it says."""

    refused = refusals_test.RefusalTest.refused

    def test_activations(self):
        directory = copy("gelu", "reranker")
        refusals_test.edit_config(directory, sentence_transformers={
            "activation_fn": "torch.nn.modules.activation.GELU"})
        self.refused(directory, "activation.GELU.*\"function\"")
        refusals_test.edit_config(directory, sentence_transformers={
            "activation_fn": "my.package.Sigmoid"})
        self.refused(directory, "my.package.Sigmoid.*deberta.json")

    def test_modules(self):
        directory = copy("lstm", "mean")
        path = directory / "modules.json"
        modules = json.loads(path.read_text())
        for wrong, words in (
                ("sentence_transformers.models.LSTM", "LSTM"),
                ("my.package.Pooling", "no other code.*my.package.Pooling")):
            modules[1]["type"] = wrong
            path.write_text(json.dumps(modules))
            self.refused(directory, words)
        path.write_text(json.dumps(modules[:1]))
        self.refused(directory, "a Pooling after the Transformer")

    def test_tokens_beyond_positions(self):
        directory = make("absolute", "v1_absolute_fill")
        self.refused(directory, "at most 24, got 4096.*position_biased_input",
                     "--max_tokens=4096")

    def test_declarations(self):
        directory = copy("wrong_head", "declared_last")
        for head, words in (
                ({"outputs": []}, r"head.outputs: expected an array of 1"),
                ({"outputs": [{"linear": "none"}]}, "missing: none.weight"),
                ({"pooling": "sum", "outputs": [{"linear": "score"}]},
                 "head.pooling: expected first, last, mean"),
                ({"outputs": [{"linear": "score", "labels": ["a"]}]},
                 "has 2 columns, but 1 labels"),
                ({"outputs": [{"linear": "score"}], "layer": []},
                 "only the keys backbone"),
                ({"layers": [{"activation": "swoosh"}],
                  "outputs": [{"linear": "score"}]}, "one of gelu")):
            (directory / "deberta.json").write_text(json.dumps({"head": head}))
            self.refused(directory, words)
        (directory / "deberta.json").unlink()
        self.refused(directory, "OurOwnClassifier")

    def test_entailment(self):
        directory = copy("entailment", "judge")
        (directory / "deberta.json").write_text('{"entailment": "perhaps"}')
        self.refused(directory, "one of the model's labels .no, yes, maybe")

    def test_onnx_alone(self):
        directory = make("onnx", "v3_classify")
        (directory / "model.safetensors").unlink()
        (directory / "onnx").mkdir()
        (directory / "onnx/model.onnx").write_bytes(b"onnx")
        self.refused(directory, "no weights.*ONNX graph.*is not read")

