"""Messages that grow, and questions without an end."""

import concurrent.futures
import unittest
import zlib

import grpc
from grpc_reflection.v1alpha import reflection_pb2, reflection_pb2_grpc

import deberta.v1.deberta_pb2 as pb
import environment
from attacked import MODEL, Attacked, classify
from http2 import DATA, END_HEADERS, HEADERS, Attacker, call_headers, frame
from server import SERVICE, eventually, metric, stub

CLASSIFY = "/deberta.v1.DebertaService/Classify"
REFLECT = "/grpc.reflection.v1alpha.ServerReflection/ServerReflectionInfo"


def bomb():
    """A message of 1 GiB in some 1 MB of gzip."""
    packer = zlib.compressobj(9, zlib.DEFLATED, 31)
    block = b"\0" * (1 << 20)
    packed = b"".join([packer.compress(block) for _ in range(1024)] +
                      [packer.flush()])
    return b"\x01" + len(packed).to_bytes(4, "big") + packed


class LongTextsTest(unittest.TestCase):
    CALLERS = 32
    MOST_CPU_SECONDS = 4

    def test_texts_that_are_too_long_for_their_model(self):
        """Each was tokenized whole before it was refused."""
        request = pb.ClassifyRequest(model=MODEL, inputs=[
            pb.TextInput(text="The quick brown fox. " * 199_000)])

        def ask(_):
            with attacked.server.channel() as channel:
                try:
                    stub(channel).Classify(request, timeout=60)
                except grpc.RpcError as error:
                    return error.code().name, error.details()
                return "OK", ""

        with Attacked("long-texts") as attacked, \
                concurrent.futures.ThreadPoolExecutor(self.CALLERS) as pool:
            ends = list(pool.map(ask, range(self.CALLERS)))
            seconds = attacked.counted("process_cpu_seconds_total")
            print(f"long-texts: {seconds:.2f} s of CPU", flush=True)
            for code, details in ends:
                if code == "RESOURCE_EXHAUSTED":
                    continue
                self.assertEqual(code, "INVALID_ARGUMENT")
                self.assertIn("tokens with the special ones, the limit is",
                              details)
            if not environment.sanitized():
                self.assertLess(seconds, self.MOST_CPU_SECONDS)


class CompressionTest(unittest.TestCase):

    def attack(self, name, code, *flags):
        data = bomb()
        headers = call_headers(CLASSIFY, ("grpc-encoding", "gzip"))
        with Attacked(name, *flags) as attacked:
            for _ in range(10):
                attacker = Attacker(attacked.target)
                attacker.send(frame(HEADERS, END_HEADERS, 1, headers))
                for at in range(0, len(data), 16384):
                    part = data[at:at + 16384]
                    end = at + 16384 >= len(data)
                    if not attacker.send(frame(DATA, int(end), 1, part)):
                        break
                attacker.socket.settimeout(10)
                answer = b""
                while b"grpc-status" not in answer:
                    part = attacker.socket.recv(65536)
                    self.assertTrue(part)
                    answer += part
                attacker.close()
            with attacked.server.channel() as channel:
                request = pb.ClassifyRequest(
                    model=MODEL, inputs=[pb.TextInput(text="a" * (64 << 20))])
                with self.assertRaises(grpc.RpcError) as caught:
                    stub(channel).Classify(
                        request, timeout=30, compression=grpc.Compression.Gzip)
                self.assertEqual(caught.exception.code(), code)

    def test_off(self):
        self.attack("gzip-off", grpc.StatusCode.UNIMPLEMENTED)

    def test_allowed(self):
        self.attack("gzip-on", grpc.StatusCode.RESOURCE_EXHAUSTED,
                    "--allow_compression")

    def test_allowed_and_small(self):
        with Attacked("gzip-small", "--allow_compression") as attacked:
            with attacked.server.channel() as channel:
                plain = classify(channel)
                packed = classify(channel, compression=grpc.Compression.Gzip)
            self.assertEqual(packed.results, plain.results)


class ReflectionTest(unittest.TestCase):

    def test_idle_streams(self):
        with Attacked("reflection-idle") as attacked:
            before = self.threads(attacked)
            attackers = [Attacker(attacked.target) for _ in range(4)]
            for attacker in attackers:
                attacker.send(b"".join(
                    frame(HEADERS, END_HEADERS, stream, call_headers(REFLECT))
                    for stream in range(1, 1000, 2)))
            eventually(10, lambda: attacked.limited("reflection") > 1000,
                       "those over the limit are refused")
            self.assertLess(self.threads(attacked), before + 20)
            for attacker in attackers:
                attacker.close()

    def test_questions_whose_answers_nobody_reads(self):
        ask = reflection_pb2.ServerReflectionRequest(
            file_containing_symbol=SERVICE).SerializeToString()
        question = b"\0" + len(ask).to_bytes(4, "big") + ask
        with Attacked("reflection-asks") as attacked:
            attackers = [Attacker(attacked.target) for _ in range(20)]
            for attacker in attackers:
                attacker.send(frame(HEADERS, END_HEADERS, 1,
                                    call_headers(REFLECT)))
                attacker.socket.settimeout(2)
                for _ in range(200):
                    if not attacker.send(frame(DATA, 0, 1, question * 100)):
                        break
            for attacker in attackers:
                attacker.close()

    def test_too_many_questions(self):
        def questions():
            for _ in range(2000):
                yield reflection_pb2.ServerReflectionRequest(list_services="")
        with Attacked("reflection-many") as attacked:
            with attacked.server.channel() as channel:
                asked = reflection_pb2_grpc.ServerReflectionStub(
                    channel).ServerReflectionInfo(questions(), timeout=20)
                with self.assertRaises(grpc.RpcError) as caught:
                    self.assertLessEqual(sum(1 for _ in asked), 1000)
                self.assertEqual(caught.exception.code(),
                                 grpc.StatusCode.RESOURCE_EXHAUSTED)
            self.assertEqual(attacked.limited("reflection"), 1)

    def test_off(self):
        with Attacked("reflection-off", "--reflection=false") as attacked:
            with attacked.server.channel() as channel:
                asked = reflection_pb2_grpc.ServerReflectionStub(
                    channel).ServerReflectionInfo(iter([
                        reflection_pb2.ServerReflectionRequest(
                            list_services="")]), timeout=10)
                with self.assertRaises(grpc.RpcError) as caught:
                    next(asked)
                self.assertEqual(caught.exception.code(),
                                 grpc.StatusCode.UNIMPLEMENTED)

    def threads(self, attacked):
        return len(list(attacked._proc("task").iterdir()))


if __name__ == "__main__":
    unittest.main()
