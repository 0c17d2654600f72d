"""Evidence packs on the pages: requested with a reason, downloaded by permission, all audited."""

import zipfile
from io import BytesIO

import pytest

from appliance.core import signatures
from appliance.models import Appeal, AuditEntry, EvidencePack, User
from appliance.reports import evidence
from appliance.telephony import recordings
from tests.reports.test_evidence import CALL_ID, REASON, register_recorded_call


@pytest.fixture
def appeal(settings, app, tmp_path) -> Appeal:
    """A site that can sign, and an appeal whose call was recorded."""
    signatures.create_key_pair(tmp_path / "audit.key", tmp_path / "audit.pub")
    settings.audit.__dict__.update(
        key=str(tmp_path / "audit.key"), public_key=str(tmp_path / "audit.pub")
    )
    return register_recorded_call(settings)


def test_a_manager_requests_a_pack_and_downloads_it(settings, appeal, login_as) -> None:
    browser = login_as("manager")
    for page in (f"/calls/{CALL_ID}", f"/appeals/{appeal.number}"):
        assert 'action="/evidence"' in browser.get(page).text
    card_path = f"/appeals/{appeal.number}"
    page = browser.refused_page(
        browser.send("/evidence", appeal=appeal.number, reason=" ", back=card_path)
    )
    assert "Toʻplam nima uchun kerakligini yozing." in page
    done = browser.send("/evidence", appeal=appeal.number, reason=REASON, back=card_path)
    assert done.headers["Location"] == f"{card_path}#evidence"
    assert browser.get("/evidence/1.zip").status_code == 404  # not made yet
    assert evidence.make_requested_packs(settings) == "evidence pack 1 made"
    assert "1-toʻplam" in browser.get(card_path).text
    with browser.get("/evidence/1.zip") as download:
        disposition, body = download.headers["Content-Disposition"], download.data
    assert disposition == "attachment; filename=evidence-000001.zip"
    with zipfile.ZipFile(BytesIO(body)) as pack:
        assert f"appeals/{appeal.number}.json" in pack.namelist()
    listed = browser.get("/evidence").text
    key = signatures.public_keys(settings.audit.public_key, "")[0]
    assert signatures.key_fingerprint(key) in listed
    assert REASON in listed
    rows = AuditEntry.select().where(AuditEntry.action.startswith("evidence."))
    assert [(row.who, row.action, row.subject) for row in rows] == [
        (User.get(User.role == "manager").login, "evidence.ask", appeal.number),
        ("jobs", "evidence.make", appeal.number),
        (User.get(User.role == "manager").login, "evidence.download", appeal.number),
    ]


def test_users_without_the_right_get_no_pack(appeal, bahodir, login_as) -> None:
    ministry = login_as("ministry")
    values = {"appeal": appeal.number, "reason": REASON}
    assert 'action="/evidence"' not in ministry.get(f"/appeals/{appeal.number}").text
    assert ministry.send("/evidence", **values).status_code == 403
    recordings.set_personal_right(bahodir, True, "manager")
    assert ministry.send("/evidence", **values).status_code == 302
    assert ministry.send("/evidence", appeal="2026-999999", reason=REASON).status_code == 404
    EvidencePack.update(by="somebody").execute()
    assert ministry.get("/evidence/1.zip").status_code == 404
    assert "2026-" not in ministry.get("/evidence/list").text
    assert login_as("supervisor").send("/evidence", **values).status_code == 403


def test_a_modified_pack_is_not_served(settings, appeal, login_as) -> None:
    browser = login_as("manager")
    browser.send("/evidence", call=CALL_ID, reason=REASON)
    evidence.make_requested_packs(settings)
    file = evidence.pack_file(settings, EvidencePack.get())
    assert file
    with browser.get("/evidence/1.zip") as download:
        assert download.status_code == 200
    file.chmod(0o640)
    file.write_bytes(file.read_bytes()[:-1] + b"x")
    assert browser.get("/evidence/1.zip").status_code == 404
