#!/usr/bin/env python3
"""clients/examples/adapters/nemo_guardrails with NeMo Guardrails itself. No language
model is asked: the rail stands before it."""

import os

import asked
from asked import GAME, ROOT, TOOL
from nemoguardrails import LLMRails, RailsConfig


class GuardrailsTest(asked.AdapterTest):
    def test_the_input_rail(self):
        os.environ["DEBERTA_SERVER"] = self.target
        rails = LLMRails(RailsConfig.from_path(
            str(ROOT / "clients/examples/adapters/nemo_guardrails")))

        def ask(text):
            answer = rails.generate(messages=[{"role": "user", "content": text}],
                                    options={"rails": ["input"]})
            return answer.response[0]["content"]
        self.assertEqual(ask(GAME), "I cannot talk about that.")
        self.assertEqual(ask(TOOL), TOOL)  # let through as it is
        self.assertEqual(ask(TOOL * 60), TOOL * 60)  # longer than the model reads


if __name__ == "__main__":
    asked.main()
