"""LangChain: documents reranked, and embeddings, by deberta-serve.

    pip install langchain-core deberta-client

    ContextualCompressionRetriever(
        base_retriever=retriever,
        base_compressor=DebertaReranker(client=Client("localhost:50051"), top_n=3))
"""

from collections.abc import Sequence
from typing import Any

from deberta_client import Client
from langchain_core.callbacks import Callbacks
from langchain_core.documents import Document
from langchain_core.documents.compressor import BaseDocumentCompressor
from langchain_core.embeddings import Embeddings


class DebertaReranker(BaseDocumentCompressor):
    """Documents best first, with relevance_score among their metadata."""

    client: Any
    model: str = ""
    top_n: int = 3

    def compress_documents(
        self, documents: Sequence[Document], query: str,
        callbacks: Callbacks | None = None,
    ) -> Sequence[Document]:
        ranked = self.client.rerank(
            query, [d.page_content for d in documents], self.model,
            top_k=self.top_n, length_policy="truncate")
        return [Document(
            id=documents[r.index].id, page_content=documents[r.index].page_content,
            metadata={**documents[r.index].metadata, "relevance_score": r.score})
            for r in ranked]


class DebertaEmbeddings(Embeddings):
    """The model's own pooling; its default is the vector of [CLS]."""

    def __init__(self, client: Client, model: str = "") -> None:
        self._client = client
        self._model = model

    def embed_documents(self, texts: list[str]) -> list[list[float]]:
        return [list(found[0]) for found in self._client.encode(
            texts, self._model, length_policy="truncate")]

    def embed_query(self, text: str) -> list[float]:
        return self.embed_documents([text])[0]
