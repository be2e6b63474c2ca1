"""How far a run is: a line on a terminal that is written over, lines of JSON, or
now and then a line of a log."""

from __future__ import annotations

import json
import os
import sys
import time
from collections import deque
from typing import Any, TextIO

# The rate is that of so many seconds.
_RECENT = 30.0


def clock(seconds: float) -> str:
    minutes, second = divmod(round(seconds), 60)
    hours, minute = divmod(minutes, 60)
    return (f"{hours}:{minute:02}:{second:02}" if hours
            else f"{minute}:{second:02}")


class Report:
    """rows and errors are of all runs, first those of the earlier ones."""

    def __init__(self, name: str, first: int, as_json: bool,
                 out: TextIO | None = None) -> None:
        self._name = name
        self._as_json = as_json
        self._out = out or (sys.stdout if as_json else sys.stderr)
        self._over = not as_json and self._out.isatty()
        self._every = 1.0 if as_json else 0.2 if self._over else 30.0
        self._began = self._told = time.monotonic()
        self._recent = deque([(self._began, first, 0.0)])

    def now(self, rows: int, errors: int, share: float | None,
            servers: list[dict[str, Any]], last: bool = False) -> None:
        """share: of the table, from 0 to 1."""
        at = time.monotonic()
        if not last and at - self._told < self._every:
            return
        self._told = at
        self._recent.append((at, rows, share or 0.0))
        while len(self._recent) > 2 and at - self._recent[1][0] > _RECENT:
            self._recent.popleft()
        before, rows_before, share_before = self._recent[0]
        seconds = max(at - before, 1e-9)
        rate = (rows - rows_before) / seconds
        left = None
        if share is not None and share > share_before:
            left = (1 - share) * seconds / (share - share_before)
        if self._as_json:
            self._line(json.dumps({
                "rows": rows, "errors": errors,
                "share": None if share is None else round(share, 4),
                "rows_per_s": round(rate, 1),
                "seconds_left": None if left is None else round(left, 1),
                "seconds": round(at - self._began, 1), "servers": servers,
                "done": last}))
            return
        away = [] if last else [
            s["server"] for s in servers if not s["connected"]]
        self._line(self._text(rows, errors, share, rate, left, away), last)

    def _text(self, rows: int, errors: int, share: float | None, rate: float,
              left: float | None, away: list[str]) -> str:
        return "  ".join([
            f"{self._name}: {rows:,} rows",
            *([f"{share:.0%}"] if share is not None else []),
            f"{rate:,.0f} rows/s",
            *([f"{clock(left)} left"] if left is not None else []),
            *([f"{errors:,} with an error"] if errors else []),
            *([f"no answer from {', '.join(away)}"] if away and left else [])])

    def _line(self, text: str, last: bool = False) -> None:
        if self._over:
            text = f"\r\033[K{text}" + ("\n" if last else "")
        else:
            text += "\n"
        try:
            self._out.write(text)
            self._out.flush()
        except BrokenPipeError:
            # Nobody reads it any more, which is no reason to stop.
            os.dup2(os.open(os.devnull, os.O_WRONLY), self._out.fileno())
