"""The log's line about a call, and the trace that a call belongs to."""

import json
import unittest

import deberta.v1.deberta_pb2 as pb
import environment
from errors import failure_of
from server import Server, stub

MODEL = environment.ROOT / "demo/section-classifier"
SECRET = "xyzzyplugh"  # of texts; never said
TRACE = "4bf92f3577b34da6a3ce929d0e0e4736"
PARENT = "00f067aa0ba902b7"


def classify(server_stub, traceparent=None, model=MODEL.name):
    return server_stub.Classify(
        pb.ClassifyRequest(model=model, inputs=[pb.TextInput(text=SECRET)]),
        timeout=60, metadata=traceparent and [("traceparent", traceparent)])


def log_lines(server, message):
    lines = map(json.loads, server.log().splitlines())
    return [line for line in lines if line["msg"] == message]


class CallLogTest(unittest.TestCase):
    def server(self, name, *flags):
        return Server(environment.server_binary(), {MODEL.name: MODEL},
                      environment.work / name, *flags)

    def stop(self, server):
        server.terminate()
        self.assertEqual(server.exit_code(), 0)

    def test_every_call(self):
        with self.server("call_log.log", "--log_calls=1") as server:
            with server.channel() as channel:
                calls = stub(channel)
                # Unsampled is of the trace all the same.
                answer = classify(calls, f"00-{TRACE}-{PARENT}-00")
                classify(calls, f"00-{TRACE.upper()}-{PARENT}-01")
                failed = failure_of(classify, calls, model=SECRET)
            self.stop(server)
            answered, untraced, refused = log_lines(server, "call")
            self.assertNotIn(SECRET, server.log())
        self.assertEqual(
            {**answered, "ts": 0},
            {"ts": 0, "level": "info", "msg": "call", "method": "classify",
             "model": MODEL.name, "code": "OK", "caller": "127.0.0.1",
             "inputs": 1, "tokens": answer.results[0].coverage.tokens_used,
             "total_ms": answered["total_ms"],
             "tokenize_ms": answer.timing.tokenize_us / 1000,
             "queue_ms": answer.timing.queue_us / 1000,
             "compute_ms": answer.timing.compute_us / 1000,
             "trace_id": TRACE})
        self.assertGreaterEqual(answered["total_ms"],
                                answer.timing.total_us / 1000)
        self.assertEqual(untraced["code"], "OK")
        self.assertNotIn("trace_id", untraced)
        self.assertEqual((refused["code"], refused["reason"], refused["model"]),
                         ("NOT_FOUND", failed.reason, ""))
        self.assertNotIn("compute_ms", refused)

    def test_none_by_default(self):
        with self.server("call_log_none.log") as server:
            with server.channel() as channel:
                classify(stub(channel), f"00-{TRACE}-{PARENT}-01")
            self.stop(server)
            self.assertEqual(log_lines(server, "call"), [])


if __name__ == "__main__":
    unittest.main()
