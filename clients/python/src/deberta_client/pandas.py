"""pandas in and out.

    from deberta_client.pandas import frame
    frame(client.classify, df["text"], model="section-classifier", top_k=1)

A Series of texts goes in (or two for pairs and questions), a DataFrame with its
index comes out. What may be found several times in a text has a row for each, with
the index of its text.
"""

from __future__ import annotations

import dataclasses
from typing import Any

import pandas as pd

from deberta_client.client import Method
from deberta_client.tasks import answer
from deberta_client.types import Masks, Pair, Question, Tokens, Vectors


def frame(method: Method[Any, Any, Any], texts: pd.Series,
          second: pd.Series | None = None, /, **options: Any) -> pd.DataFrame:
    """second: the second texts of pairs, or the contexts of the questions."""
    missing = texts.isna() if second is None else texts.isna() | second.isna()
    if missing.any():
        raise ValueError(f"no text at {missing[missing].index[0]!r}")
    inputs: list[Any] = texts.tolist()
    if second is not None:
        kind = Question if method.job is answer else Pair
        inputs = [kind(a, b) for a, b in zip(inputs, second.tolist(), strict=True)]
    found = method(inputs, **options)
    rows = [_rows(result) for result in found]
    index = texts.index.repeat([len(of) for of in rows])
    return pd.DataFrame([row for of in rows for row in of], index=index)


def _rows(result: Any) -> list[dict[Any, Any]]:
    if isinstance(result, Vectors):
        return [dict(enumerate(vector)) for vector in result]
    if isinstance(result, Masks):
        return [{"mask": number, **dataclasses.asdict(word)}
                for number, words in enumerate(result) for word in words]
    if isinstance(result, Tokens):
        return [{"token": t, "id": i, "start": s, "end": e} for t, i, (s, e) in
                zip(result.tokens, result.ids, result.offsets, strict=True)]
    return [dataclasses.asdict(item) for item in result]
