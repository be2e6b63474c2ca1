"""Directories that would be answered for wrongly are refused, and those with
oddities that do not matter are served. All models are small golden ones."""

import json
import math
import struct
import unittest

import deberta.v1.deberta_pb2 as pb
import environment
from errors import failure_of
from heads_test import make
from server import Server, run_to_exit, stub

TEXT = "a tiny one"


def edit_config(directory, **keys):
    """Sets keys of config.json; None takes one away."""
    path = directory / "config.json"
    config = json.loads(path.read_text()) | keys
    path.write_text(json.dumps({key: value for key, value in config.items()
                                if value is not None}))


def read_tensors(directory):
    """(header, bytes) of model.safetensors."""
    data = (directory / "model.safetensors").read_bytes()
    size = struct.unpack("<Q", data[:8])[0]
    return json.loads(data[8:8 + size]), bytearray(data[8 + size:])


def write_tensors(directory, header, data):
    text = json.dumps(header).encode()
    (directory / "model.safetensors").write_bytes(
        struct.pack("<Q", len(text)) + text + data)


def drop_tensors(directory, prefix):
    header, data = read_tensors(directory)
    write_tensors(directory, {name: entry for name, entry in header.items()
                              if not name.startswith(prefix)}, data)


def rename_tensor(directory, old, new):
    header, data = read_tensors(directory)
    header[new] = header.pop(old)
    write_tensors(directory, header, data)


def set_number(directory, name, index, number):
    """One element of a tensor."""
    header, data = read_tensors(directory)
    entry = header[name]
    format, size = {"F16": ("<e", 2), "F32": ("<f", 4)}[entry["dtype"]]
    struct.pack_into(format, data, entry["data_offsets"][0] + size * index,
                     number)
    write_tensors(directory, header, data)


def guard():
    """Its own code classifies without the stored pooler."""
    directory = make("guard", "v3_classify")
    edit_config(directory, architectures=["GuardForSequenceClassification"],
                auto_map={"AutoModelForSequenceClassification":
                          "modeling_guard.GuardForSequenceClassification"})
    return directory


def mean_pooler():
    """Its own code takes the mean of all tokens: a classifier, no pooler."""
    directory = make("mean_pooler", "v3_classify")
    drop_tensors(directory, "pooler.")
    return directory


class RefusalTest(unittest.TestCase):
    def refused(self, directory, words, *flags):
        code, output = run_to_exit(
            environment.server_binary(), f"--models=m={directory}",
            "--listen=127.0.0.1:0", "--metrics_listen=127.0.0.1:0", *flags)
        self.assertNotEqual(code, 0, output)
        said = [json.loads(line) for line in output.splitlines()
                if line.startswith("{")]
        errors = [line["error"] for line in said if line["level"] == "error"]
        self.assertEqual(len(errors), 1, output)
        self.assertRegex(errors[0], words)
        self.assertNotIn("serving", output)

    def test_a_guard_with_code_of_its_own(self):
        directory = guard()
        self.refused(directory, "GuardForSequenceClassification.*run here")
        edit_config(directory,
                    architectures=["DebertaV2ForSequenceClassification"])
        self.refused(directory, "auto_map.*modeling_guard")
        edit_config(directory, auto_map=None, model_type="deberta-guard")
        self.refused(directory, "model_type.*deberta-guard")

    def test_a_classifier_that_pools_in_its_own_way(self):
        directory = mean_pooler()
        self.refused(directory, r"missing: (deberta\.)?pooler\.dense")
        edit_config(directory, architectures=["MeanPoolingClassifier"])
        self.refused(directory, "MeanPoolingClassifier")
        edit_config(directory, architectures=None)
        self.refused(directory, "classifier without a pooler")

    def test_tensors_of_another_head(self):
        directory = make("left_over", "v3_classify")
        edit_config(directory,
                    architectures=["DebertaV2ForTokenClassification"])
        self.refused(directory, "another head .*pooler.dense")
        directory = make("two_layers", "v3_classify")
        rename_tensor(directory, "pooler.dense.bias", "classifier.1.bias")
        self.refused(directory, "missing: pooler.dense.bias.*"
                     "unexpected: classifier.1.bias")

    def test_weights_that_are_not_numbers(self):
        for number in (math.nan, math.inf):
            directory = make("not_finite", "v3_classify")
            set_number(directory, "classifier.bias", 1, number)
            for precision in ("fp32", "bf16", "int8"):
                with self.subTest(number=number, precision=precision):
                    self.refused(directory, "self-test: .* not finite",
                                 f"--precision={precision}")

    def test_files_that_are_no_json(self):
        for name in ("config.json", "tokenizer.json", "deberta.json"):
            directory = make("broken_json", "v3_classify")
            (directory / name).write_text('{"a": 1,\n "b": {"c": [1 2]}}')
            self.refused(directory, name + ".*line 2, column 16, in b.c.0.: "
                         "expected ',' or ']', got '2'")

    def test_what_is_no_directory(self):
        for models, words in (
                ("/nowhere/model", "/nowhere/model.*no such directory"),
                ("microsoft/deberta-v3-base",
                 "hf download microsoft/deberta-v3-base"),
                ("https://huggingface.co/microsoft/deberta-v3-base",
                 "hf download microsoft/deberta-v3-base"),
                (f"{make('file', 'v3_tag')}/config.json", "a file; expected"),
                (environment.ROOT / "tests/golden", "no config.json")):
            self.refused(models, words)


class OddButServedTest(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        maps = make("maps", "v3_classify")
        edit_config(maps, label2id={"contradiction": 1, "entailment": 0})
        numbers = make("numbers", "v3_classify")
        edit_config(numbers, id2label={"0": True, "1": None},
                    label2id={"true": 0, "null": 1}, initializer_range=math.nan,
                    anything=[math.inf, -math.inf])
        gaps = make("gaps", "v3_answer")
        edit_config(gaps, id2label={"0": "a", "7": None},
                    pooler_hidden_act="none")
        rare = make("rare", "v3_classify")
        config = json.loads((rare / "config.json").read_text())
        mask = config["vocab_size"] - 1
        set_number(rare, "deberta.embeddings.word_embeddings.weight",
                   config["hidden_size"] * mask, math.nan)
        cls.server = cls.enterClassContext(Server(
            environment.server_binary(),
            {"maps": maps, "numbers": numbers, "gaps": gaps, "rare": rare,
             "plain": make("plain", "v3_classify")},
            environment.work / "odd.log"))
        cls.channel = cls.enterClassContext(cls.server.channel())
        cls.stub = stub(cls.channel)

    def classify(self, model, text=TEXT):
        return self.stub.Classify(pb.ClassifyRequest(
            model=model, inputs=[pb.TextInput(text=text)])).results[0]

    def test_label2id_tells_what_entails(self):
        def scores(model):
            got = self.stub.ClassifyZeroShot(pb.ClassifyZeroShotRequest(
                model=model, inputs=[TEXT], labels=["tea", "no"],
                hypothesis_template="{}", multi_label=True)).results[0]
            return {found.index: found.score for found in got.labels}

        plain, maps = scores("plain"), scores("maps")
        for index in (0, 1):
            self.assertAlmostEqual(plain[index] + maps[index], 1, delta=1e-6)
        # Classify prints id2label all the same.
        self.assertEqual(self.classify("maps"), self.classify("plain"))
        got = failure_of(self.stub.ClassifyZeroShot, pb.ClassifyZeroShotRequest(
            model="numbers", inputs=[TEXT], labels=["tea"]))
        self.assertEqual(got.code, "FAILED_PRECONDITION", got)
        self.assertIn("label2id", got.message)

    def test_labels_are_as_json_has_them(self):
        self.assertEqual({found.label for found in
                          self.classify("numbers").labels}, {"true", "null"})

    def test_labels_that_the_head_has_not(self):
        got = self.stub.AnswerQuestion(pb.AnswerQuestionRequest(
            model="gaps", inputs=[pb.QuestionInput(question="a",
                                                   context=TEXT)]))
        self.assertEqual(len(got.results[0].answers), 1)

    def test_answers_that_are_not_finite_are_errors(self):
        self.classify("rare")
        request = pb.ClassifyRequest(
            model="rare", inputs=[pb.TextInput(text="[MASK]")])
        got = failure_of(self.stub.Classify, request)
        self.assertEqual(got.code, "INTERNAL", got)
        self.assertIn("not finite", got.message)
        got = failure_of(self.stub.Encode, pb.EncodeRequest(
            model="rare", inputs=request.inputs))
        self.assertEqual(got.code, "INTERNAL", got)


if __name__ == "__main__":
    unittest.main()
