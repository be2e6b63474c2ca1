"""Haystack: a ranker by deberta-serve.

    pip install haystack-ai deberta-client

    pipeline.add_component("ranker", DebertaRanker("localhost:50051", top_k=3))
    pipeline.connect("retriever.documents", "ranker.documents")
"""

from dataclasses import replace

from deberta_client import Client
from haystack import Document, component, default_from_dict, default_to_dict


@component
class DebertaRanker:
    """Documents best first, with what they score."""

    def __init__(self, server: str = "localhost:50051", model: str = "",
                 top_k: int = 10) -> None:
        self.server = server
        self.model = model
        self.top_k = top_k
        self._client: Client | None = None

    def warm_up(self) -> None:
        if self._client is None:
            self._client = Client(self.server)

    @component.output_types(documents=list[Document])
    def run(self, query: str, documents: list[Document],
            top_k: int | None = None) -> dict[str, list[Document]]:
        self.warm_up()
        ranked = self._client.rerank(
            query, [d.content or "" for d in documents], self.model,
            top_k=top_k or self.top_k, length_policy="truncate")
        return {"documents": [replace(documents[r.index], score=r.score)
                              for r in ranked]}

    def to_dict(self) -> dict:
        return default_to_dict(self, server=self.server, model=self.model,
                               top_k=self.top_k)

    @classmethod
    def from_dict(cls, data: dict) -> "DebertaRanker":
        return default_from_dict(cls, data)
