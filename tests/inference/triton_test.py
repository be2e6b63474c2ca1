"""tritonclient (raw contents) asks the server."""

import json
import unittest

import numpy
import tritonclient.grpc as triton
from tritonclient.utils import InferenceServerException

import asked

TEXTS = ["A chess engine", "Größe: naïve 日本語 🎲"]


def texts(name, values):
    tensor = triton.InferInput(name, [len(values)], "BYTES")
    tensor.set_data_from_numpy(
        numpy.array([value.encode() for value in values], dtype=object))
    return tensor


class TritonTest(unittest.TestCase):
    address = None

    def setUp(self):
        self.client = triton.InferenceServerClient(self.address)

    def results(self, model, tensors, **flags):
        answer = self.client.infer(
            model, tensors, outputs=[triton.InferRequestedOutput("result")],
            **flags)
        return [json.loads(text) for text in answer.as_numpy("result")]

    def test_what_is_there(self):
        self.assertTrue(self.client.is_server_live())
        self.assertTrue(self.client.is_server_ready())
        self.assertTrue(self.client.is_model_ready("tech-tagger"))
        self.assertFalse(self.client.is_model_ready("another"))
        self.assertEqual(self.client.get_server_metadata().name,
                         "deberta-server")
        metadata = self.client.get_model_metadata("section-classifier")
        self.assertEqual([tensor.name for tensor in metadata.inputs],
                         ["text", "text_pair"])
        self.assertEqual([tensor.name for tensor in metadata.outputs],
                         ["label", "score", "scores", "result"])

    def test_labels_and_scores(self):
        answer = self.client.infer("section-classifier", [texts("text", TEXTS)],
                                   request_id="a question")
        self.assertEqual(answer.get_response().id, "a question")
        scores = answer.as_numpy("scores")
        results = self.results("section-classifier", [texts("text", TEXTS)])
        for row, result in enumerate(results):
            best = result["labels"][0]
            self.assertEqual(answer.as_numpy("label")[row].decode(),
                             best["label"])
            self.assertAlmostEqual(answer.as_numpy("score")[row], best["score"])
            self.assertEqual(len(result["labels"]), scores.shape[1])
            for label in result["labels"]:
                self.assertAlmostEqual(scores[row, label["index"]],
                                       label["score"], places=6)

    def test_spans(self):
        text = "Größe: written in Python 3"
        [result] = self.results("tech-tagger", [texts("text", [text])])
        self.assertTrue(result["entities"])
        for entity in result["entities"]:
            self.assertEqual(text[entity["start"]:entity["end"]],
                             entity["text"])

    def test_answers(self):
        [result] = self.results("package-qa", [
            texts("question", ["What is it written in?"]),
            texts("context", ["Package: gnugo\nIt is written in C."])])
        self.assertTrue(result["answers"])

    def test_another_task_of_the_model(self):
        answer = self.client.infer(
            "section-classifier", [texts("text", TEXTS)],
            parameters={"task": "encode", "pooling": "POOLING_MEAN",
                        "normalize": True})
        norms = numpy.linalg.norm(answer.as_numpy("embedding"), axis=1)
        numpy.testing.assert_allclose(norms, 1, rtol=1e-5)

    def refused(self, code, words, *arguments, **flags):
        with self.assertRaises(InferenceServerException) as caught:
            self.client.infer(*arguments, **flags)
        self.assertEqual(caught.exception.status(), f"StatusCode.{code}")
        self.assertIn(words, caught.exception.message())

    def test_errors(self):
        tensor = texts("text", TEXTS)
        self.refused("NOT_FOUND", "no model", "another", [tensor])
        self.refused("NOT_FOUND", "version", "tech-tagger", [tensor],
                     model_version="7")
        self.refused("FAILED_PRECONDITION", "fill_mask", "tech-tagger",
                     [tensor], parameters={"task": "fill_mask"})
        self.refused("INVALID_ARGUMENT", "expected some of", "tech-tagger",
                     [tensor], parameters={"temperature": 1})
        numbers = triton.InferInput("text", [1], "FP32")
        numbers.set_data_from_numpy(numpy.ones(1, dtype=numpy.float32))
        self.refused("INVALID_ARGUMENT", "expected BYTES", "tech-tagger",
                     [numbers])
        self.refused("INVALID_ARGUMENT", "the limit is 512", "tech-tagger",
                     [texts("text", ["word " * 100_000])])


if __name__ == "__main__":
    asked.main(TritonTest)
