#!/usr/bin/env python3
"""clients/examples/adapters/presidio_deberta.py with Presidio itself. spaCy's
models are on no package index: its blank pipeline makes the tokens."""

import json

import asked
import label_head_models
import spacy
from asked import TOOL
from presidio_analyzer import AnalyzerEngine, RecognizerRegistry
from presidio_analyzer.nlp_engine import SpacyNlpEngine

from presidio_deberta import DebertaRecognizer, GLiNERRecognizer


class Blank(SpacyNlpEngine):
    def __init__(self):
        super().__init__()
        self.nlp = {"en": spacy.blank("en")}


class PresidioTest(asked.AdapterTest):
    def analyzer(self, recognizer):
        registry = RecognizerRegistry(recognizers=[recognizer],
                                      supported_languages=["en"])
        return AnalyzerEngine(registry=registry, nlp_engine=Blank(),
                              supported_languages=["en"])

    def test_a_taggers_labels(self):
        analyzer = self.analyzer(DebertaRecognizer(
            self.client, "tech-tagger", {"LANGUAGE": "CODE", "FORMAT": "FILE"}))

        def ask(text, **options):
            return sorted((text[r.start:r.end], r.entity_type)
                          for r in analyzer.analyze(text, "en", **options))
        both = ask(TOOL)
        self.assertIn(("C++", "CODE"), both)
        self.assertIn(("PNG", "FILE"), both)
        # HTTP is a PROTOCOL, which was not asked for.
        self.assertEqual({entity for _, entity in both}, {"CODE", "FILE"})
        self.assertEqual({e for _, e in ask(TOOL, entities=["CODE"])}, {"CODE"})
        self.assertEqual(ask("  "), [])
        # In windows: all of it is read.
        self.assertEqual(ask(f"{TOOL} " * 100).count(("C++", "CODE")), 100)

    def test_labels_of_ones_own(self):
        cases = json.loads((label_head_models.MODELS / "entities.json").read_text())
        case = next(c for c in cases["gliner_v0"]
                    if c["entities"] and not c["nested"] and not c["multi_label"])
        recognizer = GLiNERRecognizer(
            self.client, "gliner",
            {label: label.upper().replace(" ", "_") for label in case["labels"]})
        recognizer.threshold = case["threshold"]
        found = self.analyzer(recognizer).analyze(case["text"], "en")
        wanted = self.client.extract(case["text"], case["labels"], "gliner",
                                     threshold=case["threshold"])
        # Presidio leaves out what lies within another of the same type.
        self.assertTrue(found)
        self.assertLessEqual(
            {(r.start, r.end, r.entity_type) for r in found},
            {(e.start, e.end, e.label.upper().replace(" ", "_")) for e in wanted})


if __name__ == "__main__":
    asked.main()
