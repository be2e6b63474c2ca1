#!/usr/bin/env python3
"""clients/examples/adapters/haystack_deberta.py with Haystack itself."""

import asked
from asked import DOCUMENTS, QUERY
from haystack import Document, Pipeline
from haystack.components.retrievers.in_memory import InMemoryBM25Retriever
from haystack.document_stores.in_memory import InMemoryDocumentStore

from haystack_deberta import DebertaRanker


class HaystackTest(asked.AdapterTest):
    def test_a_pipeline_ranks(self):
        store = InMemoryDocumentStore()
        store.write_documents([Document(content=text, meta={"number": number})
                               for number, text in enumerate(DOCUMENTS)])
        made = Pipeline()
        made.add_component("retriever", InMemoryBM25Retriever(store, top_k=3))
        made.add_component("ranker", DebertaRanker(self.target, "reranker", 2))
        made.connect("retriever.documents", "ranker.documents")
        ranked = self.client.rerank(QUERY, DOCUMENTS, "reranker", top_k=2)
        # As it is, and as it is read from its own YAML.
        for pipeline in (made, Pipeline.loads(
                made.dumps(), allowed_modules=["haystack_deberta"])):
            if pipeline is not made:
                pipeline.get_component("retriever").document_store.write_documents(
                    store.filter_documents(), policy="overwrite")
            found = pipeline.run({"retriever": {"query": QUERY},
                                  "ranker": {"query": QUERY}})
            documents = found["ranker"]["documents"]
            self.assertEqual([d.meta["number"] for d in documents],
                             [r.index for r in ranked])
            for document, wanted in zip(documents, ranked):
                self.assertAlmostEqual(document.score, wanted.score, delta=1e-5)

    def test_nothing_is_ranked(self):
        self.assertEqual(DebertaRanker(self.target, "reranker").run(QUERY, []),
                         {"documents": []})


if __name__ == "__main__":
    asked.main()
