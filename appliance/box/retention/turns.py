"""Removing row by row, so that everybody else can write in between."""

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from appliance.core.db import writing

BATCH = 200
REST = 0.02  # seconds between two transactions: whoever waits for the lock looks for it that often


@dataclass(frozen=True)
class Turns:
    """How long the work goes on, and how it rests in between."""

    goes_on: Callable[[], bool] = lambda: True
    pause: Callable[[float], object] = time.sleep

    def each(self, due: Any, key: Any, remove: Callable[[Any], bool]) -> int:
        """Remove what a query finds, in the order of a key; returns how many `remove` did.

        Rows are found outside the write lock and looked at again under it: a hold may have come
        since. `remove` is called in that transaction.
        """
        last, count = None, 0
        while True:
            ahead = due.order_by(key).limit(BATCH)
            batch = list(ahead if last is None else ahead.where(key > last))
            if not batch:
                return count
            for row in batch:
                if not self.goes_on():
                    return count
                last = getattr(row, key.name)
                with writing():
                    still = due.where(key == last).first()
                    count += bool(still and remove(still))
                self.pause(REST)
