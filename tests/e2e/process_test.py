"""Requests of every task on one stream."""

import threading
import unittest

import grpc

import calls as calls_module
import deberta.v1.deberta_pb2 as pb
import environment
from calls import without_timing
from server import Server, eventually, metric, stub

FIELDS = {"Classify": "classify", "TagTokens": "tag_tokens",
          "AnswerQuestion": "answer_question", "FillMask": "fill_mask",
          "ClassifyZeroShot": "classify_zero_shot", "Encode": "encode",
          "ExtractEntities": "extract_entities", "Tokenize": "tokenize"}


def wrapped(call, request_id):
    request = pb.ProcessRequest(id=request_id)
    getattr(request, FIELDS[call.method]).CopyFrom(call.request)
    return request


class ProcessTest(unittest.TestCase):
    def serve(self, log, *flags):
        return Server(environment.server_binary(),
                      calls_module.models(environment.ROOT, environment.work),
                      environment.work / log, *flags)

    def test_each_is_answered_as_a_call_of_its_own(self):
        with self.serve("process.log") as server, server.channel() as channel:
            calls = {call.name: call for call in calls_module.calls()}
            alone = {name: getattr(stub(channel), call.method)(
                call.request, timeout=120) for name, call in calls.items()}
            rounds = 5
            requests = [wrapped(call, f"{name}/{turn}")
                        for turn in range(rounds)
                        for name, call in calls.items()]
            before = server.metrics()
            answers = {}
            for answer in stub(channel).Process(iter(requests), timeout=240):
                self.assertNotIn(answer.id, answers)
                answers[answer.id] = answer
            self.assertEqual(answers.keys(),
                             {request.id for request in requests})
            for name, call in calls.items():
                for turn in range(rounds):
                    answer = answers[f"{name}/{turn}"]
                    field = answer.WhichOneof("response")
                    self.assertEqual(field, FIELDS[call.method], answer.error)
                    self.assertIsNone(calls_module.difference(
                        without_timing(alone[name]),
                        without_timing(getattr(answer, field)), 1e-5), name)
            after = server.metrics()
            self.assertEqual(
                metric(after, "deberta_requests_total", task="classify")
                - metric(before, "deberta_requests_total", task="classify"),
                rounds * sum(call.method == "Classify"
                             for call in calls.values()))

    def test_a_drain_loses_nothing_that_was_read(self):
        with self.serve("process_drain.log",
                        "--drain_seconds=90") as server, \
                server.channel() as channel:
            sent = []
            ended = threading.Event()

            def requests():
                for i in range(100_000):
                    if ended.is_set():
                        return
                    sent.append(str(i))
                    yield pb.ProcessRequest(
                        id=str(i), classify=pb.ClassifyRequest(
                            model="section-classifier",
                            inputs=[pb.TextInput(text=f"a tool, {i}")]))

            answered = []
            try:
                for answer in stub(channel).Process(requests(), timeout=240):
                    self.assertEqual(answer.WhichOneof("response"), "classify",
                                     answer.error)
                    answered.append(answer.id)
                    if len(answered) == 100:
                        server.terminate()
                self.fail("the stream ended with OK")
            except grpc.RpcError as error:
                self.assertEqual(error.code(), grpc.StatusCode.UNAVAILABLE)
            ended.set()
            self.assertEqual(server.exit_code(), 0, server.log())
            # What is missing was not read: it follows what was.
            self.assertGreaterEqual(len(answered), 100)
            self.assertEqual(sorted(map(int, answered)),
                             list(range(len(answered))))

    def test_a_client_that_reads_nothing_is_cut_off(self):
        with self.serve("process_unread.log") as server, \
                server.channel() as channel:
            big = pb.ProcessRequest(encode=pb.EncodeRequest(
                model="tech-tagger", pooling=pb.POOLING_NONE,
                inputs=[pb.TextInput(text="word " * 200)] * 8))
            stream = stub(channel).Process(iter([big] * 64), timeout=240)
            eventually(60, lambda: metric(
                server.metrics(), "deberta_calls_limited_total",
                reason="answer_unread") > 0, "the unread answers are given up")
            with self.assertRaises(grpc.RpcError):
                for _ in stream:
                    pass
            eventually(30, lambda: metric(
                server.metrics(), "deberta_inflight_requests") == 0,
                "nothing is left")
