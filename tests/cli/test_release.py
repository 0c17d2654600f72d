"""`appliance release`: the audit records what happens to releases."""

import pytest

from appliance.core import audit
from appliance.core.audit import labels
from appliance.models import AuditEntry
from tests.cli.conftest import Run


@pytest.mark.parametrize("event", ["accepted", "in-force", "rolled-back"])
def test_a_release_event_is_recorded_in_the_audit(run: Run, event: str) -> None:
    done = run("release", "record", event, "0.3.0-1a2b3c4d", "--by", "farhod", "--why", "expired")
    assert done.returncode == 0, done.stderr
    entry = AuditEntry.select().order_by(AuditEntry.id.desc()).first()
    assert (entry.who, entry.subject) == ("farhod", "0.3.0-1a2b3c4d")
    assert entry.detail == {"why": "expired"}
    assert labels.has_labels(entry.action)
    assert audit.first_broken_id() is None


def test_an_unknown_event_is_refused(run: Run) -> None:
    assert run("release", "record", "forgotten", "0.3.0-1a2b3c4d").returncode == 2
