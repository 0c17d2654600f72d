"""`appliance release`: the audit records what happens to releases."""

import pytest

from appliance.core import audit
from appliance.core.audit import words
from appliance.models import AuditEntry
from tests.cli.conftest import Run


@pytest.mark.parametrize("event", ["accepted", "in-force", "rolled-back"])
def test_what_becomes_of_a_release_is_written_down(run: Run, event: str) -> None:
    done = run("release", "record", event, "0.3.0-1a2b3c4d", "--by", "farhod", "--why", "expired")
    assert done.returncode == 0, done.stderr
    entry = AuditEntry.select().order_by(AuditEntry.id.desc()).first()
    assert (entry.who, entry.subject) == ("farhod", "0.3.0-1a2b3c4d")
    assert entry.detail == {"why": "expired"}
    assert words.is_known(entry.action)
    assert audit.broken_at() is None


def test_another_event_is_refused(run: Run) -> None:
    assert run("release", "record", "forgotten", "0.3.0-1a2b3c4d").returncode == 2
