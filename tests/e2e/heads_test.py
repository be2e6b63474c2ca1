"""Every head and every way in: zero-shot, choices, discriminators, decoders,
weight formats and deberta.json. All models are the small golden ones."""

import json
import pathlib
import shutil
import unittest

import deberta.v1.deberta_pb2 as pb
import environment
import random_tokenizer
from errors import failure_of
from server import Server, metric, run_to_exit, stub

GOLDEN = environment.ROOT / "tests/golden/models"
TEXT = "a tiny one"


def make(name, source):
    """A golden model with a tokenizer of its vocabulary."""
    directory = pathlib.Path(environment.work) / "heads" / name
    shutil.rmtree(directory, ignore_errors=True)
    shutil.copytree(GOLDEN / source, directory)
    config = json.loads((directory / "config.json").read_text())
    random_tokenizer.write_unigram(directory, config["vocab_size"] - 1,
                                   config["max_position_embeddings"])
    return directory


def make_pretrained():
    """A discriminator and its generator in one directory, as v3's are."""
    directory = make("pretrained", "v3_discriminator")
    source = GOLDEN / "v3_pretrained_fill"
    shutil.copy(source / "config.json", directory / "generator_config.json")
    shutil.copy(source / "model.safetensors",
                directory / "model.generator.safetensors")
    return directory


class HeadsTest(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        pretrained = make_pretrained()
        plain = make("plain", "v3_pretrained_fill")
        (plain / "deberta.json").write_text('{"fill_mask": "plain"}')
        # No position embeddings: the file's only way to fill masks is legacy.
        legacy = make("legacy", "v1_absolute_fill")
        cls.models = {"judge": make("judge", "v3_classify"),
                      "chooser": make("chooser", "v3_choose"),
                      "pretrained": pretrained,
                      "generator": f"{pretrained}:generator",
                      "plain": plain, "legacy": legacy,
                      "tensorflow": make("tensorflow", "tf_v2_classify")}
        cls.server = cls.enterClassContext(Server(
            environment.server_binary(), cls.models,
            environment.work / "heads.log"))
        cls.channel = cls.enterClassContext(cls.server.channel())
        cls.stub = stub(cls.channel)

    def model(self, name):
        return self.stub.GetModel(pb.GetModelRequest(model=name))

    def refused(self, code, method, request, field=None):
        got = failure_of(getattr(self.stub, method), request, timeout=60)
        self.assertEqual(got.code, code, got)
        if field:
            self.assertEqual(got.fields, (field,), got)
        return got

    def test_models_say_what_they_are(self):
        for name, decoder in (("judge", ""), ("generator", "emd"),
                              ("plain", "plain"), ("legacy", "legacy"),
                              ("pretrained", "")):
            self.assertEqual(self.model(name).fill_mask_decoder, decoder, name)
        self.assertEqual(self.model("judge").weights_format, "safetensors")
        self.assertEqual(self.model("tensorflow").weights_format, "hdf5")
        self.assertEqual(self.model("judge").tokenizer_profile, "hf4")
        self.assertEqual(list(self.model("pretrained").labels),
                         ["ORIGINAL", "REPLACED"])
        tasks = {name: list(self.model(name).model.tasks)
                 for name in ("judge", "chooser", "pretrained", "generator")}
        self.assertEqual(tasks, {
            "judge": [pb.TASK_CLASSIFY, pb.TASK_ZERO_SHOT, pb.TASK_ENCODE],
            "chooser": [pb.TASK_CLASSIFY, pb.TASK_ENCODE],
            "pretrained": [pb.TASK_TAG_TOKENS, pb.TASK_ENCODE],
            "generator": [pb.TASK_FILL_MASK, pb.TASK_ENCODE]})
        self.assertNotEqual(self.model("pretrained").model.sha256,
                            self.model("generator").model.sha256)

    def test_zero_shot_is_classify_of_the_pairs(self):
        """By the reference's formula, from logits that Classify gives."""
        labels, template = ["tea", "no", "tea"], "{0}"
        got = self.stub.ClassifyZeroShot(pb.ClassifyZeroShotRequest(
            inputs=[TEXT, "be"], labels=labels, hypothesis_template=template,
            multi_label=True))
        self.assertEqual(got.model.name, "judge")
        # Equal pairs are computed once.
        self.assertEqual(got.timing.batch_inputs, 4)
        pairs = self.stub.Classify(pb.ClassifyRequest(
            model="judge", inputs=[
                pb.TextInput(text=text, text_pair=label)
                for text in (TEXT, "be") for label in labels]))
        self.assertEqual(list(self.model("judge").labels),
                         ["contradiction", "entailment"])
        wanted = [next(found.score for found in pair.labels
                       if found.label == "entailment")
                  for pair in pairs.results]
        for i, result in enumerate(got.results):
            scores = {found.index: found.score for found in result.labels}
            self.assertEqual(len(scores), 3)
            for index, score in scores.items():
                self.assertAlmostEqual(score, wanted[3 * i + index], places=5)
                self.assertEqual(result.labels[0].score, max(scores.values()))
            self.assertEqual([found.label for found in result.labels],
                             [labels[found.index] for found in result.labels])
            self.assertEqual(result.coverage.windows, 1)
        one = self.stub.ClassifyZeroShot(pb.ClassifyZeroShotRequest(
            inputs=[TEXT], labels=["tea", "no"], hypothesis_template=template))
        self.assertAlmostEqual(sum(found.score for found
                                   in one.results[0].labels), 1, places=5)

    def test_zero_shot_reads_long_texts_in_windows(self):
        request = pb.ClassifyZeroShotRequest(
            inputs=[TEXT * 10], labels=["tea"], hypothesis_template="{}")
        self.refused("INVALID_ARGUMENT", "ClassifyZeroShot", request,
                     "inputs[0]")
        request.length_policy = pb.LENGTH_POLICY_TRUNCATE
        cut = self.stub.ClassifyZeroShot(request).results[0].coverage
        self.assertTrue(cut.truncated)
        self.assertLess(cut.tokens_used, cut.tokens_total)
        request.length_policy = pb.LENGTH_POLICY_WINDOW
        request.stride = 2
        read = self.stub.ClassifyZeroShot(request).results[0].coverage
        self.assertGreater(read.windows, 1)
        self.assertEqual(read.tokens_used, cut.tokens_total)

    def test_zero_shot_refuses(self):
        zero_shot = pb.ClassifyZeroShotRequest
        for field, request in (
                ("labels", zero_shot(inputs=["x"])),
                ("labels[1]", zero_shot(inputs=["x"], labels=["y", ""])),
                ("inputs", zero_shot(labels=["y"])),
                ("hypothesis_template", zero_shot(
                    inputs=["x"], labels=["y"], hypothesis_template="none")),
                ("inputs[0]", zero_shot(inputs=[""], labels=["y"]))):
            self.refused("INVALID_ARGUMENT", "ClassifyZeroShot", request, field)
        got = self.refused("FAILED_PRECONDITION", "ClassifyZeroShot", zero_shot(
            model="chooser", inputs=["x"], labels=["y"]))
        self.assertEqual(got.reason, "TASK_NOT_SUPPORTED")

    def test_zero_shot_is_counted(self):
        of = {"model": "judge", "task": "zero_shot"}
        before = self.server.metrics()
        self.stub.ClassifyZeroShot(pb.ClassifyZeroShotRequest(
            inputs=["x", "y"], labels=["y"], hypothesis_template="{}"))
        after = self.server.metrics()
        for name, grown in (("deberta_requests_total", 1),
                            ("deberta_inputs_total", 2),
                            ("deberta_request_duration_seconds_count", 1)):
            self.assertEqual(metric(after, name, **of)
                             - metric(before, name, **of), grown, name)

    def test_choices_are_scored_together(self):
        choices = ["tea", "no", "one"]
        request = pb.ClassifyRequest(
            model="chooser", return_logits=True,
            inputs=[pb.TextInput(text=TEXT, choices=choices),
                    pb.TextInput(text="be", choices=["a"])])
        first, second = self.stub.Classify(request).results
        self.assertEqual(sorted(found.label for found in first.labels),
                         sorted(choices))
        self.assertAlmostEqual(sum(found.score for found in first.labels), 1,
                               places=5)
        for found in first.labels:
            self.assertEqual(found.label, choices[found.index])
        self.assertEqual(first.labels[0].index,
                         max(range(3), key=lambda i: first.logits[i]))
        self.assertEqual(second.labels[0].score, 1)
        for field, given in (
                ("inputs[0].choices", pb.TextInput(text="x")),
                ("inputs[0].choices[0]", pb.TextInput(text="x", choices=[""])),
                ("inputs[0].text_pair", pb.TextInput(text="x", text_pair="y",
                                                     choices=["z"]))):
            self.refused("INVALID_ARGUMENT", "Classify", pb.ClassifyRequest(
                model="chooser", inputs=[given]), field)
        self.refused("INVALID_ARGUMENT", "Classify", pb.ClassifyRequest(
            model="judge", inputs=[pb.TextInput(text="x", choices=["y"])]),
            "inputs[0].choices")

    def test_discriminators_tell_replaced_tokens(self):
        all_tokens = self.stub.TagTokens(pb.TagTokensRequest(
            inputs=[TEXT], aggregation=pb.AGGREGATION_NONE, keep_ignored=True))
        self.assertEqual(all_tokens.model.name, "pretrained")
        entities = all_tokens.results[0].entities
        self.assertLessEqual({e.label for e in entities},
                             {"ORIGINAL", "REPLACED"})
        shown = self.stub.TagTokens(pb.TagTokensRequest(
            inputs=[TEXT], aggregation=pb.AGGREGATION_NONE))
        self.assertEqual(
            [e for e in entities if e.label == "REPLACED"],
            list(shown.results[0].entities))
        got = self.refused("FAILED_PRECONDITION", "FillMask",
                           pb.FillMaskRequest(model="pretrained",
                                              inputs=["a [MASK]"]))
        self.assertIn("pytorch_model.generator.bin", got.message)

    def test_each_decoder_fills_masks(self):
        scores = {}
        for name in ("generator", "plain", "legacy"):
            result = self.stub.FillMask(pb.FillMaskRequest(
                model=name, inputs=["a [MASK] one"])).results[0]
            candidates = result.masks[0].candidates
            self.assertEqual(len(candidates), 5)
            scores[name] = [c.score for c in candidates]
        self.assertNotEqual(scores["generator"], scores["plain"])

    def test_the_client_asks_for_all_of_it(self):
        def client(*arguments):
            done = environment.run_client(self.server, *arguments)
            self.assertEqual((done.returncode, done.stderr), (0, ""))
            return done.stdout

        answer = json.loads(client(
            "zero-shot", "--labels=tea, no", "--template={}", "--multi_label",
            "--json", TEXT))
        self.assertEqual({found["label"] for found in answer["labels"]},
                         {"tea", "no"})
        self.assertIn("tea", client("zero-shot", "--labels=tea,no",
                                    "--template={}", TEXT))
        answer = json.loads(client("classify", "--model=chooser", "--json",
                                   "--choices=one, two|three", TEXT))
        self.assertEqual({found["label"] for found in answer["labels"]},
                         {"one, two", "three"})
        models = client("models")
        for word in ("emd", "hdf5", "hf4"):
            self.assertIn(word, models)


class WaysInTest(unittest.TestCase):
    """What a directory or the flags may say, and what stops the start."""

    def stopped(self, words, models, *flags):
        code, output = run_to_exit(
            environment.server_binary(), f"--models={models}",
            "--listen=127.0.0.1:0", "--metrics_listen=127.0.0.1:0", *flags)
        self.assertEqual(code, 1)
        self.assertEqual(output.count('"level":"error"'), 1, output)
        self.assertRegex(output, words)

    def test_formats_that_are_not_allowed(self):
        judge = make("judge-2", "v3_classify")
        tensorflow = make("tensorflow-2", "tf_v2_classify")
        self.stopped("allowed_weights=torch", judge, "--allowed_weights=torch")
        self.stopped("tf_model.h5", tensorflow,
                     "--allowed_weights=safetensors,torch")

    def test_tokenizer_profiles(self):
        """hf4 folds a wide letter by the file's charsmap, hf5 has none."""
        source = environment.ROOT / "demo/package-qa"
        told = environment.work / "heads/told-hf4"
        shutil.rmtree(told, ignore_errors=True)
        shutil.copytree(source, told)
        (told / "deberta.json").write_text('{"tokenizer_profile": "hf4"}')
        with Server(environment.server_binary(),
                    {"flag": source, "file": told},
                    environment.work / "profiles.log",
                    "--tokenizer_profile=hf5") as server, \
                server.channel() as channel:
            ids = {}
            for name, profile in (("flag", "hf5"), ("file", "hf4")):
                model = stub(channel).GetModel(pb.GetModelRequest(model=name))
                self.assertEqual(model.tokenizer_profile, profile)
                (result,) = stub(channel).Tokenize(pb.TokenizeRequest(
                    model=name,
                    inputs=[pb.TextInput(text="a\uff21 b")])).results
                ids[name] = list(result.ids)
        self.assertNotEqual(ids["flag"], ids["file"])

    def test_deberta_json(self):
        directory = make("told", "v3_pretrained_fill")
        for text, words in (
                ('{"fill_mask": "best"}', "expected emd, plain or legacy"),
                ('{"fillmask": "emd"}', "fillmask"),
                ('{"tokenizer_profile": "hf3"}', "hf3"),
                ("{", "deberta.json")):
            (directory / "deberta.json").write_text(text)
            self.stopped(words, directory)

    def test_generator_that_is_not_there(self):
        directory = make("alone", "v3_discriminator")
        self.stopped("generator_config.json", f"{directory}:generator")
