"""A bar while a list is answered, by tqdm."""

from __future__ import annotations

from collections.abc import Sized
from typing import Any


class _Silent:
    def update(self, count: int) -> None: ...
    def close(self) -> None: ...


def bar(wanted: bool, inputs: Any, name: str) -> Any:
    if not wanted:
        return _Silent()
    try:
        from tqdm.auto import tqdm
    except ImportError as error:
        raise ImportError('progress=True needs tqdm: pip install '
                          '"deberta-client[progress]"') from error
    total = len(inputs) if isinstance(inputs, Sized) else None
    return tqdm(total=total, desc=name, unit=" inputs")
