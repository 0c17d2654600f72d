"""Evidence packs on the pages: asked for by a reason, fetched by who may, all in the audit."""

import zipfile
from io import BytesIO

import pytest

from appliance.core import signatures
from appliance.models import Appeal, AuditEntry, EvidencePack, User
from appliance.reports import evidence
from appliance.telephony import recordings
from tests.reports.test_evidence import CALL, WHY, registered


@pytest.fixture
def appeal(settings, app, tmp_path) -> Appeal:
    """A site that can sign, and an appeal whose call was recorded."""
    signatures.make(tmp_path / "audit.key", tmp_path / "audit.pub")
    settings.audit.__dict__.update(
        key=str(tmp_path / "audit.key"), public_key=str(tmp_path / "audit.pub")
    )
    return registered(settings)


def test_a_manager_has_one_made_and_takes_it(settings, appeal, login_as) -> None:
    browser = login_as("manager")
    for page in (f"/calls/{CALL}", f"/appeals/{appeal.number}"):
        assert 'action="/evidence"' in browser.get(page).text
    there = f"/appeals/{appeal.number}"
    page = browser.refused(browser.send("/evidence", appeal=appeal.number, reason=" ", back=there))
    assert "Toʻplam nima uchun kerakligini yozing." in page
    done = browser.send("/evidence", appeal=appeal.number, reason=WHY, back=there)
    assert done.headers["Location"] == f"{there}#evidence"
    assert browser.get("/evidence/1.zip").status_code == 404  # not made so far
    assert evidence.make_asked(settings) == "evidence pack 1 made"
    assert "1-toʻplam" in browser.get(there).text
    with browser.get("/evidence/1.zip") as taken:
        told, body = taken.headers["Content-Disposition"], taken.data
    assert told == "attachment; filename=evidence-000001.zip"
    with zipfile.ZipFile(BytesIO(body)) as pack:
        assert f"appeals/{appeal.number}.json" in pack.namelist()
    listed = browser.get("/evidence").text
    key = signatures.public_keys(settings.audit.public_key, "")[0]
    assert signatures.fingerprint(key) in listed
    assert WHY in listed
    rows = AuditEntry.select().where(AuditEntry.action.startswith("evidence."))
    assert [(row.who, row.action, row.subject) for row in rows] == [
        (User.get(User.role == "manager").login, "evidence.ask", appeal.number),
        ("jobs", "evidence.make", appeal.number),
        (User.get(User.role == "manager").login, "evidence.download", appeal.number),
    ]


def test_others_take_none(appeal, bahodir, login_as) -> None:
    ministry = login_as("ministry")
    sent = {"appeal": appeal.number, "reason": WHY}
    assert 'action="/evidence"' not in ministry.get(f"/appeals/{appeal.number}").text
    assert ministry.send("/evidence", **sent).status_code == 403
    recordings.allow(bahodir, True, "manager")
    assert ministry.send("/evidence", **sent).status_code == 302
    assert ministry.send("/evidence", appeal="2026-999999", reason=WHY).status_code == 404
    EvidencePack.update(by="somebody").execute()
    assert ministry.get("/evidence/1.zip").status_code == 404
    assert "2026-" not in ministry.get("/evidence/list").text
    assert login_as("supervisor").send("/evidence", **sent).status_code == 403


def test_a_file_that_was_changed_is_not_given_out(settings, appeal, login_as) -> None:
    browser = login_as("manager")
    browser.send("/evidence", call=CALL, reason=WHY)
    evidence.make_asked(settings)
    file = evidence.content(settings, EvidencePack.get())
    assert file
    with browser.get("/evidence/1.zip") as taken:
        assert taken.status_code == 200
    file.chmod(0o640)
    file.write_bytes(file.read_bytes()[:-1] + b"x")
    assert browser.get("/evidence/1.zip").status_code == 404
