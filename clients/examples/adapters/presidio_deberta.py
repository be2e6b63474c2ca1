"""Presidio: recognizers by deberta-serve, of the labels that a model was trained
for, or by GLiNER of labels of one's own.

    pip install presidio-analyzer deberta-client

    analyzer.registry.add_recognizer(DebertaRecognizer(
        Client("localhost:50051"), "pii", {"NAME": "PERSON", "ZIP": "LOCATION"}))
    analyzer.registry.add_recognizer(GLiNERRecognizer(
        Client("localhost:50051"), "gliner", {"passport number": "US_PASSPORT"}))
"""

from deberta_client import Client
from presidio_analyzer import RecognizerResult, RemoteRecognizer

# Texts of any length; entities at the edge of a window are in the next one too.
LONG = {"length_policy": "window", "stride": 32}


class DebertaRecognizer(RemoteRecognizer):
    """entities: Presidio's names by the model's labels."""

    def __init__(self, client: Client, model: str, entities: dict[str, str],
                 language: str = "en") -> None:
        self.client = client
        self.model = model
        self.entities = entities
        super().__init__(supported_entities=sorted(set(entities.values())),
                         name=f"deberta-serve {model}", version="1.0",
                         supported_language=language)

    def get_supported_entities(self):
        return self.supported_entities

    def find(self, text, labels):
        """Of labels: what has .label, .start, .end and .score."""
        return self.client.tag(text, self.model, aggregation="first", **LONG)

    def analyze(self, text, entities=None, nlp_artifacts=None):
        wanted = [label for label, entity in self.entities.items()
                  if not entities or entity in entities]
        if not text.strip() or not wanted:
            return []
        return [RecognizerResult(self.entities[e.label], e.start, e.end, e.score,
                                 recognition_metadata={
                                     RecognizerResult.RECOGNIZER_NAME_KEY: self.name,
                                     RecognizerResult.RECOGNIZER_IDENTIFIER_KEY:
                                         self.id})
                for e in self.find(text, wanted) if e.label in wanted]


class GLiNERRecognizer(DebertaRecognizer):
    """entities: Presidio's names by labels in plain words."""

    threshold = 0.5

    def find(self, text, labels):
        return self.client.extract(text, labels, self.model,
                                   threshold=self.threshold, **LONG)
