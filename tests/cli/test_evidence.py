"""`appliance evidence`: making a pack needs the key; anyone can verify it."""

import pytest
from click.testing import CliRunner, Result

from appliance.cli import appliance
from appliance.core.audit import text_fingerprint
from appliance.core.settings import Settings
from appliance.models import Appeal, AuditEntry
from tests.reports.test_evidence import CALL_ID, register_recorded_call, signing_site


@pytest.fixture
def signing(settings: Settings, tmp_path) -> Settings:
    return signing_site(tmp_path)


def run_evidence(settings: Settings, *command: str) -> Result:
    return CliRunner().invoke(appliance, ["--config", str(settings.file), "evidence", *command])


def test_a_pack_is_made_and_verified(signing, tmp_path) -> None:
    appeal: Appeal = register_recorded_call(signing)
    out = str(tmp_path / "pack.zip")
    assert run_evidence(signing, "make", "nothing", "--out", out).exit_code == 1
    done = run_evidence(signing, "make", appeal.number, "--out", out, "--reason", "Sud")
    assert done.exit_code == 0, done.output
    result = run_evidence(signing, "verify", out)
    assert (result.exit_code, "state    holds" in result.output) == (0, True)
    (tmp_path / "pack.zip").write_bytes(b"no pack")
    assert run_evidence(signing, "verify", out).exit_code == 1
    entry = AuditEntry.get(AuditEntry.action == "evidence.ask")
    # The text of the reason stays in the pack, where it can be masked.
    assert (entry.subject, entry.detail["reason_sha256"]) == (
        appeal.number,
        text_fingerprint("Sud"),
    )
    assert "Sud" not in str(entry.detail)


def test_making_a_pack_without_a_key_reports_the_missing_key(settings, tmp_path) -> None:
    register_recorded_call(settings)
    done = run_evidence(settings, "make", CALL_ID, "--out", str(tmp_path / "pack.zip"))
    assert (done.exit_code, "audit.key" in done.output) == (1, True)
