"""Rerank: the order, the scores and the coverage are those of Classify, pair by
pair; long documents in windows; errors that name their field."""

import concurrent.futures
import json
import math
import unittest

import deberta.v1.deberta_pb2 as pb
import environment
from errors import failure_of
from server import Server, metric, stub

CALLERS = 64
GOLDEN = environment.ROOT / "tests/golden/conventions"
QUERY = "a tea for two"
DOCUMENTS = ["the tea is not so bad", "one", "an order of the rest", "letters sort",
             "a note to the reader", "tea", "one", "state of the art"]
LONG = "the tea is not so bad at all " * 20  # the model reads 64 tokens


class RerankTest(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.server = cls.enterClassContext(Server(
            environment.server_binary(),
            {name: GOLDEN / name for name in
             ("reranker", "reranker_sigmoid", "judge")},
            environment.work / "rerank.log"))
        cls.channel = cls.enterClassContext(cls.server.channel())
        cls.stub = stub(cls.channel)

    def request(self, **more):
        return pb.RerankRequest(**dict(
            model="reranker_sigmoid", query=QUERY, documents=DOCUMENTS) | more)

    def rank(self, **more):
        return list(self.stub.Rerank(self.request(**more)).results)

    def logits(self, documents, **more):
        answer = self.stub.Classify(pb.ClassifyRequest(
            model="reranker_sigmoid", return_logits=True, inputs=[
                pb.TextInput(text=QUERY, text_pair=document)
                for document in documents], **more))
        return [result.logits[0] for result in answer.results]

    def failed(self, **more):
        got = failure_of(self.stub.Rerank, self.request(**more), timeout=60)
        return got.code, got.fields

    def test_documents_come_in_the_order_of_their_logits(self):
        logits = self.logits(DOCUMENTS)
        order = sorted(range(len(logits)), key=lambda i: (-logits[i], i))
        self.assertNotEqual(order, sorted(order))
        raw = self.rank(raw_scores=True)
        self.assertEqual([r.index for r in raw], order)
        self.assertEqual([DOCUMENTS[i] for i in order].count("one"), 2)
        first, second = (order.index(i) for i in (1, 6))
        self.assertEqual(second, first + 1, "of equal scores the lower index first")
        for result in raw:
            self.assertAlmostEqual(result.score, logits[result.index],
                                   delta=environment.tolerance())
        for result in self.rank():
            self.assertAlmostEqual(
                result.score, 1 / (1 + math.exp(-logits[result.index])), delta=1e-6)

    def test_a_model_that_was_saved_without_a_sigmoid_gives_logits(self):
        self.assertEqual(
            [(r.index, r.score) for r in self.rank(model="reranker")],
            [(r.index, r.score) for r in
             self.rank(model="reranker", raw_scores=True)])

    def test_top_k_keeps_the_best(self):
        every = self.rank()
        for top_k in (1, 3, len(DOCUMENTS), 100):
            self.assertEqual(self.rank(top_k=top_k), every[:top_k])

    def test_coverage_counts_query_and_document(self):
        answer = self.stub.Classify(pb.ClassifyRequest(
            model="reranker_sigmoid", inputs=[
                pb.TextInput(text=QUERY, text_pair=document)
                for document in DOCUMENTS]))
        for result in self.rank():
            self.assertEqual(result.coverage, answer.results[result.index].coverage)
            self.assertEqual(result.coverage.windows, 1)

    def test_long_documents_are_refused_cut_or_read_in_windows(self):
        documents = [DOCUMENTS[0], LONG]
        self.assertEqual(self.failed(documents=documents),
                         ("INVALID_ARGUMENT", ("documents[1]",)))
        cut = {r.index: r for r in self.rank(
            documents=documents, length_policy=pb.LENGTH_POLICY_TRUNCATE)}
        self.assertTrue(cut[1].coverage.truncated)
        self.assertLess(cut[1].coverage.tokens_used, cut[1].coverage.tokens_total)
        self.assertFalse(cut[0].coverage.truncated)
        windows = {r.index: r for r in self.rank(
            documents=documents, length_policy=pb.LENGTH_POLICY_WINDOW, stride=8,
            raw_scores=True)}
        coverage = windows[1].coverage
        self.assertGreater(coverage.windows, 2)
        self.assertEqual((coverage.truncated, coverage.tokens_used),
                         (False, coverage.tokens_total))
        # The first window is what a cut text has, and the best counts.
        first, = self.logits([LONG], length_policy=pb.LENGTH_POLICY_TRUNCATE)
        self.assertGreaterEqual(windows[1].score,
                                first - environment.tolerance())
        self.assertAlmostEqual(windows[0].score, self.logits(documents[:1])[0],
                               delta=environment.tolerance())

    def test_callers_get_what_they_get_alone(self):
        requests = [self.request(query=f"{QUERY} {i}", documents=DOCUMENTS[i % 5:],
                                 raw_scores=True) for i in range(CALLERS)]
        alone = [self.stub.Rerank(request).results for request in requests]
        with concurrent.futures.ThreadPoolExecutor(CALLERS) as callers:
            together = list(callers.map(
                lambda request: self.stub.Rerank(request).results, requests))
        for one, other in zip(alone, together):
            a, b = ({r.index: r.score for r in results}
                    for results in (one, other))
            self.assertEqual(a.keys(), b.keys())
            for index, score in a.items():
                self.assertAlmostEqual(score, b[index],
                                       delta=environment.tolerance())

    def test_bad_requests_name_their_field(self):
        for more, field in ((dict(documents=[]), "documents"),
                            (dict(documents=["a", ""]), "documents[1]"),
                            (dict(query=""), "query"),
                            (dict(top_k=-1), "top_k"),
                            (dict(stride=-1), "stride"),
                            (dict(length_policy=9), "length_policy"),
                            (dict(length_policy=pb.LENGTH_POLICY_WINDOW,
                                  documents=[LONG], stride=60), "stride"),
                            (dict(query=LONG), "documents[0]")):
            with self.subTest(more=more):
                self.assertEqual(self.failed(**more), ("INVALID_ARGUMENT", (field,)))
        # Of three labels none is the document's score.
        self.assertEqual(self.failed(model="judge")[0], "FAILED_PRECONDITION")
        self.assertEqual(self.failed(model="")[0], "INVALID_ARGUMENT")

    def test_calls_are_counted(self):
        of = {"model": "reranker_sigmoid", "task": "rerank"}
        before = metric(self.server.metrics(), "deberta_inputs_total", **of)
        self.rank()
        after = metric(self.server.metrics(), "deberta_inputs_total", **of)
        self.assertEqual(after, before + len(DOCUMENTS))

    def test_client_ranks(self):
        arguments = ["rerank", "--model=reranker_sigmoid", f"--query={QUERY}",
                     "--top_k=3", *DOCUMENTS]
        done = environment.run_client(self.server, *arguments, "--json")
        self.assertEqual((done.returncode, done.stderr), (0, ""))
        found = [json.loads(line) for line in done.stdout.splitlines()]
        self.assertEqual([r.get("index", 0) for r in found],
                         [r.index for r in self.rank(top_k=3)])
        table = environment.run_client(self.server, *arguments)
        self.assertEqual((table.returncode, table.stderr), (0, ""))
        self.assertIn("score", table.stdout)
        failed = environment.run_client(self.server, "rerank", *DOCUMENTS)
        self.assertEqual(failed.returncode, 1)
        self.assertIn("--query", failed.stderr)
