"""Removes rows one by one, so that other processes can write in between."""

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from appliance.core.db import write_transaction

BATCH_ROWS = 200
PAUSE_SECONDS = 0.02  # between two transactions: waiting processes retry the lock about that often


@dataclass(frozen=True)
class RemovalBatches:
    """Whether the work may continue, and how it pauses between transactions."""

    may_continue: Callable[[], bool] = lambda: True
    pause: Callable[[float], object] = time.sleep

    def remove_rows(self, query: Any, key: Any, remove: Callable[[Any], bool]) -> int:
        """Remove the rows of a query in the order of `key`; returns how many were removed.

        Rows are selected outside the write lock and read again under it, because a hold may have
        been set since. `remove`, called in that transaction, returns True if it removed the row.
        """
        last_key, count = None, 0
        while True:
            remaining = query.order_by(key).limit(BATCH_ROWS)
            batch = list(remaining if last_key is None else remaining.where(key > last_key))
            if not batch:
                return count
            for row in batch:
                if not self.may_continue():
                    return count
                last_key = getattr(row, key.name)
                with write_transaction():
                    current_row = query.where(key == last_key).first()
                    count += bool(current_row and remove(current_row))
                self.pause(PAUSE_SECONDS)
