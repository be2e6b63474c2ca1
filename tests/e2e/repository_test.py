"""A model repository: added, replaced, broken and removed while serving."""

import json
import os
import shutil
import signal
import struct
import threading
import time
import unittest

import grpc
from grpc_health.v1 import health_pb2, health_pb2_grpc

import deberta.v1.deberta_pb2 as pb
import environment
from errors import failure_of
from heads_test import TEXT, make
from server import Server, eventually, metric, run_to_exit, stub

SERVING = health_pb2.HealthCheckResponse.SERVING
NOT_SERVING = health_pb2.HealthCheckResponse.NOT_SERVING
LOAD_SECONDS = 60
TRIES = 25


def logits(client, model="m"):
    request = pb.ClassifyRequest(model=model, inputs=[pb.TextInput(text=TEXT)],
                                 return_logits=True)
    return tuple(client.Classify(request, timeout=30).results[0].logits)


def change_bias(directory, by):
    """Makes another model of it: adds to what the classifier adds."""
    path = directory / "model.safetensors"
    data = bytearray(path.read_bytes())
    size = struct.unpack("<Q", data[:8])[0]
    tensor = json.loads(data[8:8 + size])["classifier.bias"]
    kind = {"F32": "f", "F16": "e"}[tensor["dtype"]]
    begin, end = (8 + size + offset for offset in tensor["data_offsets"])
    layout = f"<{tensor['shape'][0]}{kind}"
    # Of the first class alone: of all, no score would change.
    first, *others = struct.unpack(layout, data[begin:end])
    data[begin:end] = struct.pack(layout, first + by, *others)
    path.write_bytes(data)


class RepositoryCase(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.one = make("repository-one", "v3_classify")
        cls.two = make("repository-two", "v3_classify")
        change_bias(cls.two, 1.0)

    def setUp(self):
        self.root = environment.work / "repositories" / self.id()
        shutil.rmtree(self.root, ignore_errors=True)
        self.repository = self.root / "models"
        self.repository.mkdir(parents=True)

    def server(self, *flags, models=None, poll=0):
        server = self.enterContext(Server(
            environment.server_binary(), models or {},
            self.root / "server.log",
            f"--model_repository={self.repository}",
            f"--repository_poll_seconds={poll}", *flags))
        eventually(LOAD_SECONDS, lambda: '"msg":"serving"' in server.log(),
                   "what is there at the start is loaded")
        return server

    def client(self, server):
        return stub(self.enterContext(server.channel()))

    def put(self, source, name):
        """Puts a copy in the place of `name`, by renames."""
        target = self.repository / name
        new = self.root / "new"
        shutil.copytree(source, new)
        if target.exists():
            shutil.rmtree(self.root / "old", ignore_errors=True)
            target.rename(self.root / "old")
        target.parent.mkdir(exist_ok=True)
        new.rename(target)

    @staticmethod
    def reload(server):
        server.process.send_signal(signal.SIGHUP)

    @staticmethod
    def loads(server, outcome, model="m"):
        values = server.metrics()
        try:
            return metric(values, "deberta_model_loads_total", model=model,
                          outcome=outcome)
        except AssertionError:
            return 0

    def reload_and_wait(self, server, outcome, model="m"):
        before = self.loads(server, outcome, model)
        self.reload(server)
        eventually(LOAD_SECONDS,
                   lambda: self.loads(server, outcome, model) > before,
                   f"a load that {outcome}")

    def health(self, server, service):
        with server.channel() as channel:
            return health_pb2_grpc.HealthStub(channel).Check(
                health_pb2.HealthCheckRequest(service=service),
                timeout=10).status


class RepositoryTest(RepositoryCase):
    def test_added_replaced_and_removed(self):
        self.put(self.one, "m")
        server = self.server()
        client = self.client(server)
        first = logits(client)
        self.assertEqual(self.health(server, "model/m"), SERVING)
        self.assertEqual(self.health(server, ""), SERVING)

        self.put(self.two, "other")
        self.reload_and_wait(server, "loaded", "other")
        self.assertNotEqual(logits(client, "other"), first)
        self.assertEqual(self.health(server, "model/other"), SERVING)

        answered = metric(server.metrics(), "deberta_requests_total", model="m")
        before = client.GetModel(pb.GetModelRequest(model="m"))
        self.put(self.two, "m")
        self.reload_and_wait(server, "loaded")
        self.assertEqual(logits(client), logits(client, "other"))
        after = client.GetModel(pb.GetModelRequest(model="m"))
        self.assertNotEqual(after.model.sha256, before.model.sha256)
        self.assertGreater(metric(server.metrics(), "deberta_requests_total",
                                  model="m"), answered, "goes on")

        shutil.rmtree(self.repository / "m")
        self.reload(server)
        eventually(10, lambda: self.health(server, "model/m") == NOT_SERVING,
                   "the model is removed")
        self.assertEqual(failure_of(logits, client).code, "NOT_FOUND")
        self.assertEqual(self.health(server, ""), SERVING)
        with self.assertRaisesRegex(AssertionError, "no series"):
            metric(server.metrics(), "deberta_model_bytes", model="m")
        # Without a model there is nothing to be ready for.
        shutil.rmtree(self.repository / "other")
        self.reload(server)
        eventually(10, lambda: self.health(server, "") == NOT_SERVING,
                   "no model is left")
        self.assertEqual(failure_of(logits, client, "").code, "NOT_FOUND")
        self.put(self.one, "m")
        self.reload_and_wait(server, "loaded")
        eventually(10, lambda: self.health(server, "") == SERVING, "ready")
        self.assertEqual(logits(client), first)
        server.terminate()
        self.assertEqual(server.exit_code(), 0)

    def test_replacing_under_load_fails_no_call(self):
        self.put(self.one, "m")
        server = self.server()
        sources = [self.one, self.two]
        expected = [logits(self.client(server))]
        over = threading.Event()
        seen = [[] for _ in range(4)]  # of each caller, in turn
        failures = []

        def ask(caller):
            with server.channel() as channel:
                while not over.is_set():
                    try:
                        answer = logits(stub(channel))
                    except grpc.RpcError as error:
                        failures.append(error)
                        return
                    if not seen[caller] or seen[caller][-1] != answer:
                        seen[caller].append(answer)

        callers = [threading.Thread(target=ask, args=(n,)) for n in range(4)]
        for caller in callers:
            caller.start()
        try:
            for turn in range(1, 7):
                self.put(sources[turn % 2], "m")
                self.reload_and_wait(server, "loaded")
                expected.append(logits(self.client(server)))
        finally:
            over.set()
            for caller in callers:
                caller.join()
        self.assertEqual(failures, [])
        self.assertNotEqual(expected[0], expected[1])
        for answers in seen:
            # Each the one model or the other, and never back and forth.
            self.assertLessEqual(len(answers), len(expected))
            self.assertEqual(answers, expected[:len(answers)])
        self.assertEqual(self.loads(server, "failed"), 0)

    def test_a_replacement_that_does_not_prove_itself_is_rolled_back(self):
        self.put(self.one, "m")
        server = self.server()
        client = self.client(server)
        first = logits(client)
        best = client.Classify(pb.ClassifyRequest(
            inputs=[pb.TextInput(text=TEXT)])).results[0].labels[0]

        def no_number(directory):
            change_bias(directory, float("nan"))

        def truncated(directory):
            path = directory / "model.safetensors"
            os.truncate(path, path.stat().st_size - 100)

        def proof(**fields):
            def write(directory):
                proofs = [dict(task="classify", text=TEXT, **fields)]
                (directory / "deberta.json").write_text(
                    json.dumps({"proofs": proofs}), encoding="utf-8")
            return write

        for spoil, words in (
                (no_number, "not finite"),
                (truncated, "model.safetensors"),
                (lambda d: (d / "config.json").unlink(), "config.json"),
                (lambda d: (d / "config.json").write_text("{"), "config.json"),
                (lambda d: (d / "tokenizer.json").unlink(), "tokenizer"),
                (proof(label="nonsense"), 'expected .*nonsense'),
                (proof(label=best.label, score=0.0), "with a score of 0"),
                (proof(label="x", extra=1), "proofs.0..extra")):
            source = self.root / "spoilt"
            shutil.rmtree(source, ignore_errors=True)
            shutil.copytree(self.two, source)
            spoil(source)
            self.put(source, "m")
            self.reload_and_wait(server, "failed")
            self.assertEqual(logits(client), first, words)
            line = server.log().splitlines()[-1]
            self.assertRegex(line, "a model of the repository was not loaded")
            self.assertRegex(line, words)
        self.assertEqual(self.health(server, "model/m"), SERVING)
        self.assertEqual(self.loads(server, "loaded"), 1)

        source = self.root / "proven"
        shutil.copytree(self.one, source)
        proof(label=best.label, score=best.score)(source)
        self.put(source, "m")
        self.reload_and_wait(server, "loaded")

    def test_fixed_models_must_prove_themselves_too(self):
        source = self.root / "m"
        shutil.copytree(self.one, source)
        (source / "deberta.json").write_text(json.dumps({"proofs": [
            {"task": "classify", "text": TEXT, "label": "nonsense"}]}),
            encoding="utf-8")
        code, output = run_to_exit(
            environment.server_binary(), f"--models={source}",
            "--listen=127.0.0.1:0", "--metrics_listen=127.0.0.1:0")
        self.assertEqual(code, 1)
        self.assertIn("proofs[0] (classify)", output)

    def test_the_highest_version_that_loads_is_served(self):
        self.put(self.one, "m/1")
        self.put(self.two, "m/2")
        shutil.copytree(self.two, self.repository / "m/3")
        (self.repository / "m/3/config.json").write_text("{")
        server = self.server()
        client = self.client(server)

        def version():
            return metric(server.metrics(), "deberta_model_version", model="m")

        self.assertEqual(version(), 2)
        two = logits(client)
        shutil.rmtree(self.repository / "m/2")
        self.reload(server)
        eventually(LOAD_SECONDS, lambda: version() == 1, "version 1")
        self.assertNotEqual(logits(client), two)
        self.put(self.two, "m/10")
        self.reload(server)
        eventually(LOAD_SECONDS, lambda: version() == 10, "version 10")
        self.assertEqual(logits(client), two)

    def test_a_directory_that_is_being_copied_is_not_loaded(self):
        self.put(self.one, "served")
        server = self.server(poll=1)
        whole = self.one / "model.safetensors"
        target = self.repository / "m"
        shutil.copytree(self.one, target)
        data = whole.read_bytes()
        # As slow as a large file: over several looks.
        with open(target / "model.safetensors", "wb") as file:
            for part in range(40):
                file.write(data[len(data) * part // 40:
                                len(data) * (part + 1) // 40])
                file.flush()
                time.sleep(0.1)
        eventually(LOAD_SECONDS, lambda: self.loads(server, "loaded") == 1,
                   "it is whole")
        self.assertEqual(self.loads(server, "failed"), 0)
        # Polling sees a removal too.
        shutil.rmtree(target)
        eventually(LOAD_SECONDS,
                   lambda: self.health(server, "model/m") == NOT_SERVING,
                   "it is gone")

    def test_a_bad_directory_at_the_start_is_passed_over(self):
        self.put(self.one, "m")
        self.put(self.one, "bad")
        (self.repository / "bad/config.json").unlink()
        self.put(self.one, "fixed")
        self.put(self.one, "no name")
        server = self.server(models={"fixed": self.two})
        client = self.client(server)
        self.assertNotEqual(logits(client, "fixed"), logits(client))
        self.assertEqual(failure_of(logits, client, "bad").code, "NOT_FOUND")
        self.assertEqual(self.loads(server, "failed", "bad"), 1)
        for words in ("no name", "--models has another of that name"):
            self.assertIn(words, server.log())

    def test_an_empty_repository_is_waited_for(self):
        binary = environment.server_binary()
        code, output = run_to_exit(binary, "--model_repository=/no/such")
        self.assertEqual(code, 1)
        self.assertIn("--model_repository: expected a directory", output)
        code, output = run_to_exit(binary)
        self.assertEqual(code, 1)
        self.assertIn("--model_repository=DIR", output)
        starting = Server(binary, {}, self.root / "server.log",
                          f"--model_repository={self.repository}",
                          "--repository_poll_seconds=1")
        try:
            eventually(30, lambda: '"serving"' in starting.log(), "it runs")
            self.assertEqual(self.health(starting, ""), NOT_SERVING)
            self.assertEqual(self.health(starting, "liveness"), SERVING)
            self.put(self.one, "m")
            with starting as server:
                logits(self.client(server))
        finally:
            starting.process.kill()
            starting.process.wait()

    def test_sighup_without_a_repository_is_passed_over(self):
        server = self.enterContext(Server(
            environment.server_binary(), {"m": self.one},
            self.root / "server.log"))
        self.reload(server)
        logits(self.client(server))
        server.terminate()
        self.assertEqual(server.exit_code(), 0)

    def test_the_end_does_not_wait_for_a_load(self):
        self.put(self.one, "m")
        server = self.server("--precision=int8", "--min_label_agreement=0",
                             "--drain_seconds=1")
        source = self.root / "slow"
        shutil.copytree(self.one, source)
        (source / "deberta.json").write_text(json.dumps(
            {"calibration": [TEXT] * 1000}), encoding="utf-8")
        lines = server.log().count("comparing precisions")
        self.put(source, "m")
        self.reload(server)
        eventually(30, lambda: server.log().count("comparing precisions") >
                   lines, "it is being loaded")
        server.terminate()
        self.assertEqual(server.exit_code(), 0)
        self.assertIn('"stopped"', server.log())
