"""Client of deberta-serve: DeBERTa models over gRPC.

    from deberta_client import Client
    with Client("localhost:50051") as client:
        client.classify("A chess engine.", model="section-classifier")[0].label

    from deberta_client import pipeline      # in place of transformers'
    pipeline("text-classification", "section-classifier")("A chess engine.")

    from deberta_client import GLiNER        # in place of gliner's
    from deberta_client import CrossEncoder  # in place of sentence_transformers'
"""

from deberta_client.aio import AsyncClient
from deberta_client.channel import Tls
from deberta_client.client import Client
from deberta_client.errors import CallError
from deberta_client.packages import GLiNER, CrossEncoder
from deberta_client.pipelines import pipeline
from deberta_client.process import Processed
from deberta_client.types import (
    Answer, Answers, Choices, Coverage, Entities, Entity, Extracted,
    ExtractedEntities, Field, FoundRelation, FoundStructure, Label, Labels, Masks,
    Model, Pair, Question, Ranked, Relation, Structure, Structured, Tokens, Value,
    Vectors, Wanted, Word)

__all__ = [
    "Answer", "Answers", "AsyncClient", "CallError", "Choices", "Client",
    "Coverage", "CrossEncoder", "Entities", "Entity", "Extracted",
    "ExtractedEntities", "Field", "FoundRelation", "FoundStructure", "GLiNER",
    "Label", "Labels", "Masks", "Model", "Pair", "Processed", "Question", "Ranked",
    "Relation", "Structure", "Structured", "Tls", "Tokens", "Value", "Vectors",
    "Wanted", "Word", "pipeline",
]
