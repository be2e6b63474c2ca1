"""NeMo Guardrails: an input rail by a classifier of deberta-serve. A folder of a
configuration, which is loaded as it stands:

    pip install nemoguardrails deberta-client
    LLMRails(RailsConfig.from_path("nemo_guardrails"))
"""

import os

from deberta_client import AsyncClient
from nemoguardrails.actions import action

SERVER = os.environ.get("DEBERTA_SERVER", "localhost:50051")
MODEL = os.environ.get("DEBERTA_MODEL", "section-classifier")


@action(name="deberta_label")
async def deberta_label(text: str) -> str:
    """The best label of a text, which may be longer than the model reads."""
    async with AsyncClient(SERVER) as client:
        found = await client.classify(text, MODEL, top_k=1, length_policy="window",
                                      stride=32)
    return found[0].label
