"""Lower precisions beside fp32: served where they pass, fp32 on request."""

import unittest

import deberta.v1.deberta_pb2 as pb
import environment
from errors import failure_of
from heads_test import TEXT, make
from server import Server, metric, stub

FP32 = (("x-deberta-precision", "fp32"),)
# The golden models' weights are random: their labels prove nothing.
ANY = "--min_label_agreement=0"


def request():
    return pb.ClassifyRequest(inputs=[pb.TextInput(text=TEXT)],
                              return_logits=True)


class PrecisionTest(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.model = make("precise", "v3_classify")

    def server(self, *flags):
        return self.enterContext(Server(
            environment.server_binary(), {"judge": self.model},
            environment.work / f"{self.id()}.{len(flags)}.log", *flags))

    def client(self, server):
        return stub(self.enterContext(server.channel()))

    def test_fp32_is_kept_for_those_who_ask(self):
        plain = self.client(self.server()).Classify(request())
        server = self.server("--precision=int8", ANY, "--keep_fp32")
        client = self.client(server)
        rounded = client.Classify(request())
        fp32 = client.Classify(request(), metadata=FP32)
        self.assertEqual(rounded.model.precision, "int8")
        self.assertEqual(fp32.model.precision, "fp32")
        self.assertEqual(fp32.results, plain.results)
        self.assertNotEqual(rounded.results, plain.results)
        model = client.GetModel(pb.GetModelRequest())
        self.assertTrue(model.fp32_available)
        self.assertGreater(model.max_logit_change, 0)
        self.assertRegex(model.precision_note, "labels agree with fp32")
        metrics = server.metrics()
        self.assertEqual(metric(metrics, "deberta_requests_total",
                                model="judge", task="classify",
                                code="OK"), 2)
        self.assertAlmostEqual(
            metric(metrics, "deberta_precision_label_agreement"),
            model.label_agreement, places=5)
        self.assertEqual(failure_of(
            client.Classify, request(),
            metadata=(("x-deberta-precision", "fp64"),)).reason,
            "PRECISION_UNKNOWN")

    def test_fp32_that_was_not_kept_is_refused(self):
        client = self.client(self.server("--precision=int8", ANY))
        got = failure_of(client.Classify, request(), metadata=FP32)
        self.assertEqual(got.code, "FAILED_PRECONDITION")
        self.assertEqual(got.reason, "FP32_NOT_KEPT")
        self.assertFalse(client.GetModel(pb.GetModelRequest()).fp32_available)

    def test_what_does_not_pass_is_not_served(self):
        for wanted in ("int8", "auto"):
            server = self.server(f"--precision={wanted}",
                                 "--max_logit_change=1e-9")
            model = self.client(server).GetModel(pb.GetModelRequest())
            self.assertEqual(model.model.precision, "fp32")
            self.assertEqual(model.requested_precision, wanted)
            self.assertEqual(model.label_agreement, 1)
            self.assertIn("fp32", model.precision_note)
            self.assertIn(model.precision_note, server.log())
            self.assertEqual(metric(
                server.metrics(), "deberta_model_precision_info",
                model="judge", requested=wanted, precision="fp32"), 1)
            fp32 = self.client(server).Classify(request(), metadata=FP32)
            self.assertEqual(fp32.model.precision, "fp32")
