"""What the packages gliner and sentence-transformers give, answered by a server.

    from gliner import GLiNER                             becomes
    from deberta_client import GLiNER

    from sentence_transformers import CrossEncoder        becomes
    from deberta_client import CrossEncoder

Inputs and outputs are theirs, except that scores are Python's floats, and that a
text too long for the model is an error unless length_policy says otherwise: gliner
drops what is too much without a word.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from deberta_client.client import Client
from deberta_client.tasks import LengthPolicy
from deberta_client.types import Pair


def _client(server: str | Client) -> Client:
    return server if isinstance(server, Client) else Client(server)


class GLiNER:
    """model is the server's name of it; server its address or a Client."""

    def __init__(self, model: str = "", *,
                 server: str | Client = "localhost:50051",
                 length_policy: LengthPolicy = "reject", stride: int = 0) -> None:
        self.client = _client(server)
        self.model = model
        self._length: dict[str, Any] = {"length_policy": length_policy,
                                        "stride": stride}

    @classmethod
    def from_pretrained(cls, model: str = "", **options: Any) -> GLiNER:
        return cls(model, **options)

    def predict_entities(
        self, text: str, labels: Sequence[str], flat_ner: bool = True,
        threshold: float = 0.5, multi_label: bool = False,
    ) -> list[dict[str, Any]]:
        return self.inference([text], labels, flat_ner, threshold, multi_label)[0]

    def inference(
        self, texts: Iterable[str], labels: Sequence[str], flat_ner: bool = True,
        threshold: float = 0.5, multi_label: bool = False,
    ) -> list[list[dict[str, Any]]]:
        found = self.client.extract(
            list(texts), labels, self.model, threshold=threshold,
            overlap="flat" if flat_ner else "nested", multi_label=multi_label,
            **self._length)
        return [[{"start": e.start, "end": e.end, "text": e.text,
                  "label": e.label, "score": e.score} for e in of]
                for of in found]

    batch_predict_entities = inference


class CrossEncoder:
    """A model of one label; model and server as of GLiNER."""

    def __init__(self, model: str = "", *,
                 server: str | Client = "localhost:50051",
                 length_policy: LengthPolicy = "truncate",
                 stride: int = 0) -> None:
        self.client = _client(server)
        self.model = model
        self._length: dict[str, Any] = {"length_policy": length_policy,
                                        "stride": stride}

    def predict(self, sentences: Any) -> Any:
        """The score of a pair, or a list of those of pairs."""
        single = len(sentences) > 0 and isinstance(sentences[0], str)
        pairs = [Pair(*pair) for pair in ([sentences] if single else sentences)]
        scores = [found[0].score for found in self.client.classify(
            pairs, self.model, **self._length)]
        return scores[0] if single else scores

    def rank(self, query: str, documents: Sequence[str],
             top_k: int | None = None,
             return_documents: bool = False) -> list[dict[str, Any]]:
        ranked = self.client.rerank(query, documents, self.model,
                                    top_k=top_k or 0, **self._length)
        return [{"corpus_id": r.index, "score": r.score,
                 **({"text": documents[r.index]} if return_documents else {})}
                for r in ranked]
