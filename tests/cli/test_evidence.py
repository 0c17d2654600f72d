"""`appliance evidence`: a pack is made by whoever can read the key, and verified by everybody."""

import pytest
from click.testing import CliRunner, Result

from appliance.cli import appliance
from appliance.core.audit import fingerprint
from appliance.core.settings import Settings
from appliance.models import Appeal, AuditEntry
from tests.reports.test_evidence import CALL, registered, signing_site


@pytest.fixture
def signing(settings: Settings, tmp_path) -> Settings:
    return signing_site(tmp_path)


def run(settings: Settings, *command: str) -> Result:
    return CliRunner().invoke(appliance, ["--config", str(settings.file), "evidence", *command])


def test_a_pack_is_made_and_verified(signing, tmp_path) -> None:
    appeal: Appeal = registered(signing)
    out = str(tmp_path / "pack.zip")
    assert run(signing, "make", "nothing", "--out", out).exit_code == 1
    done = run(signing, "make", appeal.number, "--out", out, "--reason", "Sud")
    assert done.exit_code == 0, done.output
    told = run(signing, "verify", out)
    assert (told.exit_code, "state    holds" in told.output) == (0, True)
    (tmp_path / "pack.zip").write_bytes(b"no pack")
    assert run(signing, "verify", out).exit_code == 1
    asked = AuditEntry.get(AuditEntry.action == "evidence.ask")
    # The words stay with the pack, where they can be masked.
    assert (asked.subject, asked.detail["reason_sha256"]) == (appeal.number, fingerprint("Sud"))
    assert "Sud" not in str(asked.detail)


def test_without_a_key_it_says_so(settings, tmp_path) -> None:
    registered(settings)
    done = run(settings, "make", CALL, "--out", str(tmp_path / "pack.zip"))
    assert (done.exit_code, "audit.key" in done.output) == (1, True)
