"""Tokens: who may call what, how often, and what is said of it."""

import hashlib
import json
import os
import pathlib
import subprocess
import tempfile
import unittest

import grpc

import deberta.v1.deberta_pb2 as pb
import inference.inference_pb2 as inference
import inference.inference_pb2_grpc as inference_grpc
import environment
from errors import failure_of
from server import Server, eventually, metric, stub

MODEL = environment.ROOT / "demo/section-classifier"
OTHER = environment.ROOT / "demo/mask-filler"
SECRET = "xyzzyplugh"  # of tokens and texts; never said


def entry(token, name, **more):
    return {"name": name, "sha256": hashlib.sha256(token.encode()).hexdigest(),
            **more}


class TokensTest(unittest.TestCase):
    def setUp(self):
        directory = pathlib.Path(
            self.enterContext(tempfile.TemporaryDirectory(prefix="deberta")))
        self.file = directory / "tokens.json"
        self.token = f"{SECRET}-1"
        self.write(entry(self.token, "all"),
                   entry(f"{SECRET}-2", "filler", models=[OTHER.name]),
                   entry(f"{SECRET}-3", "slow", requests_per_second=0.01))
        self.server = self.enterContext(Server(
            environment.server_binary(), {MODEL.name: MODEL, OTHER.name: OTHER},
            environment.work / "security.log", f"--tokens_file={self.file}"))
        self.stub = stub(self.enterContext(self.server.channel()))

    def write(self, *entries):
        beside = self.file.with_suffix(".new")
        beside.write_text(json.dumps({"tokens": entries}), encoding="utf-8")
        os.replace(beside, self.file)

    def classify(self, token):
        return self.stub.Classify(
            pb.ClassifyRequest(model=MODEL.name,
                               inputs=[pb.TextInput(text=SECRET)]),
            timeout=60, metadata=token and [("authorization",
                                             f"Bearer {token}")])

    def refused(self, token, code, reason):
        got = failure_of(self.classify, token)
        self.assertEqual((got.code, got.reason), (code, reason), got)
        self.assertNotIn(SECRET, got.message)
        return got

    def test_another_protocol_tells_no_more(self):
        channel = self.enterContext(self.server.channel())
        asked = inference_grpc.GRPCInferenceServiceStub(channel)

        def metadata(token, name, version=""):
            return asked.ModelMetadata(
                inference.ModelMetadataRequest(name=name, version=version),
                timeout=60, metadata=token and [("authorization",
                                                 f"Bearer {token}")])

        self.assertEqual(metadata(self.token, MODEL.name).name, MODEL.name)
        self.assertEqual(failure_of(metadata, None, MODEL.name).code,
                         "UNAUTHENTICATED")
        # Of models that it may not use a token does not learn whether they are.
        for name in (MODEL.name, "none"):
            got = failure_of(metadata, f"{SECRET}-2", name, "7")
            self.assertEqual((got.code, got.reason),
                             ("PERMISSION_DENIED", "MODEL_NOT_ALLOWED"), name)

    def test_tokens(self):
        self.assertEqual(len(self.classify(self.token).results), 1)
        self.refused(None, "UNAUTHENTICATED", "UNAUTHENTICATED")
        self.refused(f"{SECRET}-4", "UNAUTHENTICATED", "UNAUTHENTICATED")
        self.refused(f"{SECRET}-2", "PERMISSION_DENIED", "MODEL_NOT_ALLOWED")
        self.classify(f"{SECRET}-3")
        got = self.refused(f"{SECRET}-3", "RESOURCE_EXHAUSTED", "RATE_LIMITED")
        self.assertGreater(got.retry_seconds, 30)
        counted = self.server.metrics()
        for reason, count in (("unauthenticated", 2), ("not_allowed", 1),
                              ("rate_limited", 1)):
            self.assertEqual(metric(counted, "deberta_rejected_total",
                                    reason=reason), count, reason)
        # A token is replaced while it serves; a bad file changes nothing.
        self.write(entry(f"{SECRET}-5", "all"))
        eventually(30, lambda: '"tokens read again"' in self.server.log(),
                   "the new file is read")
        self.refused(self.token, "UNAUTHENTICATED", "UNAUTHENTICATED")
        self.write({"name": "all", "sha256": SECRET})
        eventually(30, lambda: '"tokens stay as they were"' in
                   self.server.log(), "the bad file is refused")
        self.classify(f"{SECRET}-5")
        # Nothing of a token or a text anywhere.
        self.assertNotIn(SECRET, self.server.log())
        self.assertNotIn(SECRET, self.server.metrics_text())

    def test_client(self):
        def client(*arguments, stdin="", **variables):
            return subprocess.run(
                [environment.client_binary(), f"--server={self.server.target}",
                 *arguments], input=stdin, capture_output=True, text=True,
                timeout=60, check=False, env={**os.environ, **variables})

        done = client("hash-token", stdin=f"{SECRET}-2\n")
        self.assertEqual(done.stdout.strip(), entry(f"{SECRET}-2", "")["sha256"])
        self.assertNotEqual(client("models").returncode, 0)
        shown = client("models", DEBERTA_TOKEN=f"{SECRET}-2")
        self.assertEqual(shown.returncode, 0, shown.stderr)
        self.assertIn(OTHER.name, shown.stdout)
        self.assertNotIn(MODEL.name, shown.stdout)
        path = self.file.with_name("token")
        path.write_text(f"{self.token}\n", encoding="utf-8")
        shown = client(f"--token_file={path}", "models")
        self.assertIn(MODEL.name, shown.stdout)


if __name__ == "__main__":
    unittest.main()
