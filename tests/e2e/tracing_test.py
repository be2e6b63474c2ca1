"""The log's line about a call, and the trace that a call belongs to."""

import http.server
import json
import threading
import time
import unittest

import deberta.v1.deberta_pb2 as pb
import environment
from errors import failure_of
from server import Server, eventually, metric, stub

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


class Collector:
    """Takes OTLP over HTTP. Held, it answers nobody until it is closed."""

    def __init__(self, held=False):
        self.requests = []  # path, content type, JSON
        self.opened = threading.Event()
        if not held:
            self.opened.set()
        collector = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_POST(self):
                body = self.rfile.read(int(self.headers["Content-Length"]))
                collector.requests.append((self.path,
                                           self.headers["Content-Type"],
                                           json.loads(body)))
                collector.opened.wait(60)
                try:
                    self.send_response(200)
                    self.send_header("Content-Length", "2")
                    self.end_headers()
                    self.wfile.write(b"{}")
                except OSError:
                    pass  # it was left

            def log_message(self, *_):
                pass

        self.http = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.http.daemon_threads = True
        self.endpoint = f"http://127.0.0.1:{self.http.server_port}"
        self.thread = threading.Thread(target=self.http.serve_forever)

    def __enter__(self):
        self.thread.start()
        return self

    def __exit__(self, *exception):
        self.opened.set()
        self.http.shutdown()
        self.thread.join()
        self.http.server_close()

    def spans(self):
        return [span for _, _, request in list(self.requests)
                for resource in request["resourceSpans"]
                for scope in resource["scopeSpans"]
                for span in scope["spans"]]


def attributes(of):
    values = {a["key"]: a["value"] for a in of["attributes"]}
    return {key: value.get("stringValue", value.get("intValue"))
            for key, value in values.items()}


class SpansTest(unittest.TestCase):
    def start(self, name, collector, *flags):
        server = self.enterContext(Server(
            environment.server_binary(), {MODEL.name: MODEL},
            environment.work / name, f"--otlp_endpoint={collector.endpoint}",
            *flags))
        return server, stub(self.enterContext(server.channel()))

    def counted(self, server, what):
        return metric(server.metrics(), f"deberta_spans_{what}_total")

    def check_parts(self, spans):
        """One call's: children of the first, one after another within it."""
        call, *parts = spans
        self.assertEqual([part["name"] for part in parts],
                         ["tokenize", "queue", "compute"])
        at = int(call["startTimeUnixNano"])
        for part in parts:
            self.assertEqual(part["traceId"], call["traceId"])
            self.assertEqual(part["parentSpanId"], call["spanId"])
            self.assertEqual(part["kind"], 1)
            self.assertLessEqual(at, int(part["startTimeUnixNano"]))
            at = int(part["endTimeUnixNano"])
            self.assertLessEqual(int(part["startTimeUnixNano"]), at)
        self.assertLessEqual(at, int(call["endTimeUnixNano"]))
        self.assertEqual(len({span["spanId"] for span in spans}), len(spans))

    def test_sampled_calls(self):
        collector = self.enterContext(Collector())
        server, calls = self.start("spans.log", collector)
        self.assertEqual(self.counted(server, "exported"), 0)
        before = time.time_ns()
        classify(calls, f"00-{TRACE}-{PARENT}-00")
        classify(calls)
        answer = classify(calls, f"00-{TRACE}-{PARENT}-01")
        after = time.time_ns()
        failure_of(classify, calls, f"00-{TRACE}-{PARENT}-01", model=SECRET)
        eventually(30, lambda: self.counted(server, "exported") == 5,
                   "five spans are exported")
        server.terminate()
        self.assertEqual(server.exit_code(), 0)
        path, content_type, request = collector.requests[0]
        self.assertEqual((path, content_type),
                         ("/v1/traces", "application/json"))
        resource = request["resourceSpans"][0]["resource"]
        self.assertEqual(attributes(resource)["service.name"], "deberta-server")
        *answered, refused = collector.spans()
        self.check_parts(answered)
        call = answered[0]
        self.assertEqual((call["traceId"], call["parentSpanId"], call["kind"],
                          call["name"], call["status"]),
                         (TRACE, PARENT, 2, "classify", {}))
        self.assertLess(before, int(call["startTimeUnixNano"]))
        self.assertLess(int(call["endTimeUnixNano"]), after + 10**9)
        for part, microseconds in zip(answered[1:], (
                answer.timing.tokenize_us, answer.timing.queue_us,
                answer.timing.compute_us)):
            took = (int(part["endTimeUnixNano"]) -
                    int(part["startTimeUnixNano"]))
            self.assertEqual(took // 1000, microseconds, part["name"])
        told = attributes(call)
        self.assertEqual(told["deberta.model"], MODEL.name)
        self.assertEqual(told["rpc.grpc.status_code"], "0")
        self.assertEqual(attributes(refused)["error.type"], "MODEL_NOT_FOUND")
        self.assertNotIn(SECRET, json.dumps(collector.spans()))
        self.assertEqual(log_lines(server, "spans are dropped"), [])

    def test_share_of_untraced_calls(self):
        collector = self.enterContext(Collector())
        server, calls = self.start("spans_share.log", collector,
                                   "--trace_share=1")
        classify(calls)
        classify(calls, f"00-{TRACE}-{PARENT}-00")  # its caller decided
        classify(calls)
        # What waits is sent at the end.
        server.terminate()
        self.assertEqual(server.exit_code(), 0)
        spans = collector.spans()
        self.assertEqual(len(spans), 8)
        for one in spans[:4], spans[4:]:
            self.check_parts(one)
            self.assertNotIn("parentSpanId", one[0])
        self.assertNotEqual(spans[0]["traceId"], spans[4]["traceId"])

    def test_a_collector_that_hangs(self):
        collector = self.enterContext(Collector(held=True))
        server, calls = self.start("spans_hang.log", collector)
        slowest = 0
        # More than the buffer and what is under way hold.
        for _ in range(800):
            start = time.monotonic()
            classify(calls, f"00-{TRACE}-{PARENT}-01")
            slowest = max(slowest, time.monotonic() - start)
        # Less than the two seconds of one answer that was waited for.
        self.assertLess(slowest, 1)
        eventually(30, lambda: self.counted(server, "dropped") > 0,
                   "spans are dropped and counted")
        self.assertEqual(self.counted(server, "exported"), 0)
        eventually(30, lambda: log_lines(server, "spans are dropped"),
                   "the log says so")
        start = time.monotonic()
        server.terminate()
        self.assertEqual(server.exit_code(), 0)
        self.assertLess(time.monotonic() - start, 10)

    def test_no_collector(self):
        with Collector() as gone:
            pass
        server, calls = self.start("spans_gone.log", gone)
        classify(calls, f"00-{TRACE}-{PARENT}-01")
        eventually(30, lambda: self.counted(server, "dropped") == 4,
                   "spans are dropped and counted")
        server.terminate()
        self.assertEqual(server.exit_code(), 0)


if __name__ == "__main__":
    unittest.main()
