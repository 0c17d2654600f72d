"""The tests against software that others wrote: each program is installed, never skipped."""

from pathlib import Path

import pytest

FOLDER = Path(__file__).parent


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark each test of this folder, so that only `./run test-peers` runs it."""
    for item in items:
        if FOLDER in item.path.parents:
            item.add_marker(pytest.mark.peers)
