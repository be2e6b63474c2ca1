#!/usr/bin/env python3
"""clients/examples/adapters/langchain_deberta.py with LangChain itself."""

import asyncio

import asked
from asked import DOCUMENTS, GAME, QUERY, TOOL
from langchain_classic.retrievers import ContextualCompressionRetriever
from langchain_core.documents import Document
from langchain_core.retrievers import BaseRetriever
from langchain_core.vectorstores import InMemoryVectorStore

from langchain_deberta import DebertaEmbeddings, DebertaReranker


class All(BaseRetriever):
    def _get_relevant_documents(self, query, *, run_manager):
        return [Document(page_content=text, metadata={"number": number})
                for number, text in enumerate(DOCUMENTS)]


class LangChainTest(asked.AdapterTest):
    def test_a_retriever_reranks(self):
        retriever = ContextualCompressionRetriever(
            base_retriever=All(), base_compressor=DebertaReranker(
                client=self.client, model="reranker", top_n=2))
        ranked = self.client.rerank(QUERY, DOCUMENTS, "reranker", top_k=2)
        for found in (retriever.invoke(QUERY), asyncio.run(retriever.ainvoke(QUERY))):
            self.assertEqual([d.metadata["number"] for d in found],
                             [r.index for r in ranked])
            for document, wanted in zip(found, ranked):
                self.assertAlmostEqual(document.metadata["relevance_score"],
                                       wanted.score, delta=1e-5)
                self.assertEqual(document.page_content, DOCUMENTS[wanted.index])

    def test_a_vector_store_finds(self):
        store = InMemoryVectorStore(
            DebertaEmbeddings(self.client, "section-classifier"))
        store.add_texts([GAME, TOOL, TOOL * 100])  # longer than the model reads
        self.assertEqual(store.similarity_search(GAME, k=1)[0].page_content, GAME)
        self.assertEqual(store.similarity_search(TOOL, k=1)[0].page_content, TOOL)


if __name__ == "__main__":
    asked.main()
