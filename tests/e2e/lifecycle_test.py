"""Starting, refusing, overload, and going away."""

import concurrent.futures
import pathlib
import re
import threading
import unittest

import grpc
from grpc_health.v1 import health_pb2, health_pb2_grpc

import calls as calls_module
import deberta.v1.deberta_pb2 as pb
import environment
from errors import failure, failure_of
from server import SERVICE, Server, eventually, metric, stub
from texts import GAME, LONG, RECORD, TOOL

SERVING = health_pb2.HealthCheckResponse.SERVING
NOT_SERVING = health_pb2.HealthCheckResponse.NOT_SERVING
SECRET = "xyzzyplugh"  # must not come back in an error


def classify(texts, **options):
    return pb.ClassifyRequest(
        inputs=[pb.TextInput(text=text) for text in texts],
        **{"model": "section-classifier", **options})


def different(text, count):
    """Equal inputs would be computed once."""
    return [f"{i} {text}" for i in range(count)]


def refusal(channel):
    """How a call is refused; None if it is answered."""
    try:
        stub(channel).Classify(classify([GAME]), timeout=120)
    except grpc.RpcError as error:
        return failure(error)
    return None


class BadInputTest(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.server = cls.enterClassContext(Server(
            environment.server_binary(),
            calls_module.models(environment.ROOT, environment.work),
            environment.work / "bad_input.log"))
        cls.channel = cls.enterClassContext(cls.server.channel())
        cls.stub = stub(cls.channel)

    def refused(self, code, method, request, field=None, timeout=60):
        got = failure_of(getattr(self.stub, method), request, timeout=timeout)
        self.assertEqual(got.code, code, got)
        self.assertEqual(got.domain, "deberta.v1", got)
        self.assertRegex(got.reason, "^[A-Z][A-Z0-9_]+$")
        self.assertTrue(got.message)
        self.assertNotIn(SECRET, got.message)
        if field is not None:
            self.assertEqual(len(got.fields), 1, got)
            self.assertTrue(got.fields[0].startswith(field), got)
        return got

    def test_models_and_tasks(self):
        self.refused("NOT_FOUND", "Classify", classify(["x"], model=SECRET))
        self.refused("NOT_FOUND", "GetModel", pb.GetModelRequest(model="no"))
        self.refused("FAILED_PRECONDITION", "Classify",
                     classify(["x"], model="mask-filler"))
        self.refused("FAILED_PRECONDITION", "FillMask", pb.FillMaskRequest(
            model="tech-tagger", inputs=["a [MASK]"]))
        got = self.refused("INVALID_ARGUMENT", "Classify",
                           classify(["x"], model=""))
        self.assertIn("section-classifier", got.message)
        self.assertIn("golden-classify", got.message)
        self.refused("FAILED_PRECONDITION", "ClassifyZeroShot",
                     pb.ClassifyZeroShotRequest(model="section-classifier",
                                                inputs=["x"], labels=["y"]))
        got = self.refused("FAILED_PRECONDITION", "ExtractStructured",
                           pb.ExtractStructuredRequest(
                               inputs=["x"],
                               relations=[pb.RelationSchema(name="r")]))
        self.assertIn("; served: ", got.message)
        self.assertIn("mask-filler (fill_mask, ", got.message)

    def test_inputs(self):
        qa = pb.AnswerQuestionRequest
        long_text = " ".join([SECRET] * 600)
        for method, request, field in (
                ("Classify", classify([]), "inputs"),
                ("Classify", classify(["x", ""]), "inputs[1]"),
                ("Classify", classify([SECRET, long_text]), "inputs[1]"),
                ("Classify", classify([SECRET], top_k=-1), "top_k"),
                ("Classify", classify([SECRET], stride=-1), "stride"),
                ("Classify", classify(
                    [long_text], stride=4000,
                    length_policy=pb.LENGTH_POLICY_WINDOW), "stride"),
                ("TagTokens", pb.TagTokensRequest(
                    model="tech-tagger", inputs=[]), "inputs"),
                ("TagTokens", pb.TagTokensRequest(
                    model="tech-tagger", inputs=[""]), "inputs[0]"),
                ("AnswerQuestion", qa(inputs=[pb.QuestionInput(
                    question="", context=SECRET)]), "inputs[0]"),
                ("AnswerQuestion", qa(inputs=[pb.QuestionInput(
                    question=SECRET, context="")]), "inputs[0]"),
                ("AnswerQuestion", qa(
                    max_window_tokens=100000, inputs=[pb.QuestionInput(
                        question="q", context=RECORD)]), "max_window_tokens"),
                ("AnswerQuestion", qa(top_k=-2, inputs=[pb.QuestionInput(
                    question="q", context=RECORD)]), "top_k"),
                ("FillMask", pb.FillMaskRequest(
                    model="mask-filler", inputs=[SECRET]), "inputs[0]"),
                ("FillMask", pb.FillMaskRequest(
                    model="mask-filler", inputs=["a [MASK]"], top_k=-1),
                 "top_k"),
                ("Encode", pb.EncodeRequest(model="tech-tagger"), "inputs"),
                ("Encode", pb.EncodeRequest(
                    model="tech-tagger", inputs=[pb.TextInput(text="x")],
                    length_policy=pb.LENGTH_POLICY_WINDOW), "length_policy"),
        ):
            with self.subTest(method=method, field=field):
                self.refused("INVALID_ARGUMENT", method, request, field)

    def test_too_long_text_states_tokens_and_limit(self):
        got = self.refused("INVALID_ARGUMENT", "Classify", pb.ClassifyRequest(
            model="golden-classify", inputs=[pb.TextInput(text=TOOL)]))
        self.assertRegex(got.message, r"\b24\b")
        cut = self.stub.Classify(pb.ClassifyRequest(
            model="golden-classify", inputs=[pb.TextInput(text=TOOL)],
            length_policy=pb.LENGTH_POLICY_TRUNCATE)).results[0].coverage
        self.assertTrue(cut.truncated)
        self.assertEqual(cut.tokens_used, 24)
        self.assertIn(str(cut.tokens_total), got.message)

    def test_bytes_that_are_no_request_leave_the_server_running(self):
        for raw in (b"\x0a\x02\xff\xfe",          # model: not UTF-8
                    b"\x12\x04\x0a\x02\xc3\x28",  # inputs[0].text: not UTF-8
                    b"\xff\xff\xff"):
            call = self.channel.unary_unary(f"/{SERVICE}/Classify")
            got = failure_of(call, raw, timeout=30)
            self.assertNotIn(got.code, ("UNAVAILABLE", "DEADLINE_EXCEEDED"))
        self.assertEqual(
            len(self.stub.Classify(classify([GAME])).results), 1)

    def test_deadline(self):
        metric_of = dict(model="section-classifier", task="classify",
                         code="DEADLINE_EXCEEDED")
        before = metric(self.server.metrics(), "deberta_requests_total",
                        **metric_of)
        big = classify(different(TOOL * 8, 64))
        got = failure_of(self.stub.Classify, big, timeout=0.05)
        self.assertEqual(got.code, "DEADLINE_EXCEEDED")
        eventually(30, lambda: metric(
            self.server.metrics(), "deberta_requests_total",
            **metric_of) + self.cancelled() > before,
            "the server counts the call")

    def cancelled(self):
        return metric(self.server.metrics(), "deberta_requests_total",
                      model="section-classifier", task="classify",
                      code="CANCELLED")

    def in_flight(self):
        return metric(self.server.metrics(), "deberta_inflight_requests")

    def cancel_one(self):
        """Asks, and cancels as soon as the server has the call; whether that was
        before it had the answer, which on a busy machine it may not be."""
        before = self.cancelled()
        # Equal ones would be computed once, and be done before they are cancelled.
        future = self.stub.Classify.future(
            classify(different(TOOL * 8, 64)))
        eventually(30, lambda: future.done() or self.in_flight() > 0,
                   "the call is in")
        future.cancel()
        eventually(60, lambda: self.in_flight() == 0, "the call has left")
        return self.cancelled() == before + 1

    def test_cancelled_call_is_counted_and_leaves(self):
        eventually(60, self.cancel_one, "a call is cancelled and counted")


class OverloadTest(unittest.TestCase):
    def test_full_queue_is_refused_with_a_time_to_retry(self):
        models = calls_module.models(environment.ROOT, environment.work)
        request = classify([TOOL] * 8)
        callers = 64

        def caller(_):
            with server.channel() as channel:
                start.wait(60)
                try:
                    stub(channel).Classify(request, timeout=120)
                    return None
                except grpc.RpcError as error:
                    return failure(error)

        with Server(environment.server_binary(), models,
                    environment.work / "overload.log",
                    "--max_batch_tokens=256",
                    "--max_queue_tokens=1024") as server:
            start = threading.Barrier(callers)
            with concurrent.futures.ThreadPoolExecutor(callers) as pool:
                outcomes = list(pool.map(caller, range(callers)))
            refused = [outcome for outcome in outcomes if outcome]
            self.assertLess(len(refused), callers)
            self.assertGreater(len(refused), 0)
            for got in refused:
                self.assertEqual(got.code, "RESOURCE_EXHAUSTED", got)
                self.assertGreater(got.retry_seconds, 0)
            self.assertEqual(
                metric(server.metrics(), "deberta_rejected_total"),
                len(refused))


class LongTextTest(unittest.TestCase):
    """One input of far more tokens than the queue holds."""

    def memory(self, server, field):
        status = pathlib.Path(f"/proc/{server.process.pid}/status")
        return int(re.search(rf"{field}:\s+(\d+) kB",
                             status.read_text("utf-8")).group(1)) / 1024

    def test_memory_is_bounded_however_many_windows_there_are(self):
        models = {"golden-classify": calls_module.models(
            environment.ROOT, environment.work)["golden-classify"]}
        with Server(environment.server_binary(), models,
                    environment.work / "long.log",
                    "--max_queue_tokens=2048") as server, \
                server.channel() as channel:
            def ask(text):
                return stub(channel).ClassifyZeroShot(
                    pb.ClassifyZeroShotRequest(
                        inputs=[text], labels=["a", "do"], stride=2,
                        hypothesis_template="{}",
                        length_policy=pb.LENGTH_POLICY_WINDOW), timeout=120)
            ask(LONG)
            before = self.memory(server, "VmRSS")
            text = (LONG + "\n") * (600_000 // len(LONG))
            coverage = ask(text).results[0].coverage
            self.assertGreater(coverage.windows, 30_000)
            self.assertEqual(coverage.tokens_used, coverage.tokens_total)
            # 32 MiB were measured: the text, its tokens, and what tokenising
            # takes. All windows at once, each as an encoding, in the task and
            # in the job, would be some 100 more.
            self.assertLess(self.memory(server, "VmHWM") - before, 64)
            self.assertEqual(
                metric(server.metrics(), "deberta_queue_tokens"), 0)


class DrainTest(unittest.TestCase):
    def test_sigterm_finishes_accepted_work(self):
        models = calls_module.models(environment.ROOT, environment.work)
        inside = 12
        # More would not find room in the queue.
        bigs = [classify(different(f"{n} " + TOOL * 4, 16))
                for n in range(inside)]
        with Server(environment.server_binary(), models,
                    environment.work / "drain.log",
                    "--drain_seconds=90") as server, \
                server.channel() as channel, server.channel() as health:
            updates = health_pb2_grpc.HealthStub(health).Watch(
                health_pb2.HealthCheckRequest(service=SERVICE), timeout=120)
            self.assertEqual(next(updates).status, SERVING)
            expected = [stub(channel).Classify(big, timeout=120)
                        for big in bigs]
            accepted = [stub(channel).Classify.future(big, timeout=120)
                        for big in bigs]
            # Counted in this order none counts twice.
            eventually(60, lambda: sum(a.done() for a in accepted) + metric(
                server.metrics(), "deberta_inflight_requests") == inside,
                "all calls are in")
            self.assertFalse(all(a.done() for a in accepted))
            server.terminate()
            self.assertEqual(next(updates).status, NOT_SERVING)
            # Health turns first, so that balancers hear of it in time; a call
            # that comes before the door closes is still answered.
            late = eventually(60, lambda: refusal(channel),
                              "late calls are refused")
            self.assertEqual(late.code, "UNAVAILABLE", late)
            for future, reply in zip(accepted, expected):
                self.assertEqual(future.result().results, reply.results)
            self.assertEqual(server.exit_code(), 0)

    def test_a_drain_that_runs_out_of_time_says_so(self):
        models = calls_module.models(environment.ROOT, environment.work)
        with Server(environment.server_binary(), models,
                    environment.work / "drain_late.log",
                    "--drain_seconds=0") as server, \
                server.channel() as channel:
            late = [stub(channel).Classify.future(
                classify(different(f"{i} {LONG}", 128)), timeout=120)
                for i in range(4)]
            eventually(60, lambda: metric(
                server.metrics(), "deberta_inflight_requests") > 0,
                "calls are in")
            server.terminate()
            self.assertEqual(server.exit_code(), 3, server.log())
            self.assertRegex(server.log(), r'"level":"error".*"calls_left":[1-4]')
            for future in late:
                self.assertIsNotNone(future.exception())

    def test_callers_of_two_servers_lose_no_call(self):
        """A server refused the calls of connections that it had told nothing,
        so that callers lost some without retries."""
        models = {"section-classifier": calls_module.models(
            environment.ROOT, environment.work)["section-classifier"]}
        answered, lost, over = threading.Semaphore(0), [], threading.Event()

        def caller(target):
            with grpc.insecure_channel(target, options=[
                    ("grpc.use_local_subchannel_pool", 1),
                    ("grpc.service_config",
                     '{"loadBalancingConfig": [{"round_robin": {}}]}')]) as c:
                while not over.is_set():
                    try:
                        stub(c).Classify(classify([GAME]), timeout=120)
                        answered.release()
                    except grpc.RpcError as error:
                        lost.append(failure(error))
                        answered.release()

        def calls(count):
            for _ in range(count):
                self.assertTrue(answered.acquire(timeout=120))

        with Server(environment.server_binary(), models,
                    environment.work / "leaving.log") as leaving, \
                Server(environment.server_binary(), models,
                       environment.work / "staying.log") as staying, \
                concurrent.futures.ThreadPoolExecutor(8) as pool:
            target = f"ipv4:{leaving.target},{staying.target}"
            callers = [pool.submit(caller, target) for _ in range(8)]
            try:
                calls(64)
                leaving.terminate()
                self.assertEqual(leaving.exit_code(), 0)
                calls(64)
            finally:
                over.set()
            for done in callers:
                done.result(120)
            self.assertEqual(lost, [])

    def test_callers_in_a_loop_only_see_unavailable(self):
        models = calls_module.models(environment.ROOT, environment.work)
        answered = threading.Semaphore(0)

        def caller(server):
            with server.channel() as channel:
                while True:
                    try:
                        stub(channel).Classify(classify([GAME]), timeout=120)
                        answered.release()
                    except grpc.RpcError as error:
                        return failure(error).code

        with Server(environment.server_binary(), models,
                    environment.work / "drain_loop.log") as server, \
                concurrent.futures.ThreadPoolExecutor(16) as pool:
            callers = [pool.submit(caller, server) for _ in range(16)]
            for _ in range(64):
                self.assertTrue(answered.acquire(timeout=60))
            server.terminate()
            self.assertEqual({c.result(120) for c in callers}, {"UNAVAILABLE"})
            self.assertEqual(server.exit_code(), 0)
