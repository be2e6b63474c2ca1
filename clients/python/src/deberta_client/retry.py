"""When a call is made again, and how long it waits until then."""

from __future__ import annotations

import random
import time
from dataclasses import dataclass, field

from deberta_client.errors import CallError

FIRST_WAIT = 0.1
LONGEST_WAIT = 5.0
# The server went away. It cancels what is on its connections when it ends; what the
# caller cancels fails in another way.
GONE = {"UNAVAILABLE", "CANCELLED"}


@dataclass
class Attempts:
    """Of one request. Every method only reads, so that a call may be made again
    whenever it did not get through: the server went away or has no room. It
    says by RetryInfo when it will have some; without, a full server is full for
    this request for ever."""

    timeout: float | None
    most: int
    started: float = field(default_factory=time.monotonic)
    made: int = 0

    def time_left(self) -> float | None:
        if self.timeout is None:
            return None
        return max(0.001, self.started + self.timeout - time.monotonic())

    def wait_after(self, error: CallError) -> float | None:
        """Seconds; None: the error is final."""
        self.made += 1
        if self.made >= self.most:
            return None
        if error.code == "RESOURCE_EXHAUSTED" and error.retry_after is not None:
            # Those that were refused at once must not come back at once.
            wait = error.retry_after * random.uniform(1, 1.25)
        elif error.code in GONE:
            wait = min(LONGEST_WAIT, FIRST_WAIT * 2 ** min(self.made - 1, 9))
            wait = max(wait * random.uniform(0.5, 1), error.retry_after or 0)
        else:
            return None
        left = self.time_left()
        return wait if left is None or wait < left else None
