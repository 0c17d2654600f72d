"""A citizen's data are planted in every possible place, masked, and searched in all bytes left."""

import dataclasses
import datetime as dt
import io
import json
import zipfile
from pathlib import Path

import pytest

from appliance.box import retention
from appliance.box.retention import scrubbing
from appliance.casework import appeals, applicants, catalogs, data_requests, search
from appliance.core import clock, db
from appliance.core.i18n import fold
from appliance.core.settings import Retention
from appliance.models import (
    Announcement,
    Appeal,
    AppealReveal,
    ArticleMiss,
    CallForm,
    DataRequest,
    Draft,
    EvidencePack,
    FollowUp,
    FollowUpMark,
    Handling,
    IssuedReport,
    LegalHold,
    Listening,
    Mahalla,
    Message,
    NumberNote,
    RefusedForm,
    Removal,
    ReportRun,
    ScheduledCallback,
    User,
    personal_columns,
)
from appliance.reports import files, issuing
from appliance.reports.periods import Period
from tests.box import retained
from tests.rig.canary import ASKED, Canary, month_before

# What masking leaves: the ledger, and what the audit holds.
STAYING = {
    (table, name)
    for tables in personal_columns.STAYING.values()
    for table, names in tables.items()
    for name in names.split()
}
OWN_PHONE = "935550147"


@pytest.fixture
def manager(settings) -> User:
    return User.get(User.role == "manager")


@pytest.fixture
def canary(settings, nilufar, sardor, bahodir) -> Canary:
    made = Canary(
        *("Kanar", "+998935550147", "+998901112233", "AA7654321", "AB1112223"),
        *("31210632040244", "hotline-1.1"),
    )
    made.plant(settings, nilufar, sardor, bahodir)
    return made


@pytest.fixture
def other(settings, canary, nilufar, sardor, bahodir) -> Canary:
    """A second citizen, whose data must stay complete."""
    made = Canary(
        *("Bulbul", "+998935550999", "+998904445566", "AC7654329", "AD1112229"),
        *("31210932040247", "hotline-1.10"),
    )
    made.plant(settings, nilufar, sardor, bahodir)
    return made


@pytest.fixture
def issued(settings, canary, other, monkeypatch) -> IssuedReport:
    """The monthly report with the consultations of both, in the kinds that say them in clear."""
    first = month_before(settings)
    then = dt.datetime.combine(first, dt.time(12), settings.tz)
    numbers = [canary.appeal.number, other.appeal.number]
    Appeal.update(received_at=then).where(Appeal.number.in_(numbers)).execute()
    monkeypatch.setattr(issuing.keeping, "LOCALES", ("uz_Cyrl",))
    kinds = {kind: files.KINDS[kind] for kind in ("json", "csv", "xlsx")}
    monkeypatch.setattr(files, "KINDS", kinds)
    last = (first + dt.timedelta(days=31)).replace(day=1) - dt.timedelta(days=1)
    made = issuing.issue(settings, "monthly", Period(first, last, settings.tz), "jobs")
    now = clock.now()
    ReportRun.create(
        name="monthly", period=f"{first:%Y-%m}", due_at=now, next_at=now, state="done", report=made
    )
    return made


def rows_with(words: list[str], *, whole: bool = False) -> dict[str, set[str]]:
    """Table → its rows that contain one of the words, in any spelling.

    `whole`: also in columns that masking leaves.
    """
    found: dict[str, set[str]] = {}
    tables = db.database.execute_sql("SELECT name FROM sqlite_master WHERE type = 'table'")
    names = [name for (name,) in tables.fetchall() if not name.startswith("search_text_")]
    for table in names:
        rows = db.database.execute_sql(f'SELECT * FROM "{table}"')  # noqa: S608
        columns = [column[0] for column in rows.description]
        for row in rows.fetchall():
            cells = zip(columns, row, strict=True)
            told = [str(cell) for name, cell in cells if whole or (table, name) not in STAYING]
            text = json.dumps(told, ensure_ascii=False)
            if any(word in text or fold(word) in fold(text) for word in words):
                found.setdefault(table, set()).add(text)
    return found


def bytes_of(settings) -> bytes:
    """Every byte of the database, its log and the files next to it; workbooks unpacked."""
    folder = settings.paths.database.parent
    found = b""
    for path in sorted(p for p in folder.rglob("*") if p.is_file()):
        data = path.read_bytes()
        found += data
        if path.suffix in (".xlsx", ".zip"):
            with zipfile.ZipFile(io.BytesIO(data)) as pack:
                found += b"".join(pack.read(name) for name in pack.namelist())
    return found.lower()


def is_left(settings, words: list[str]) -> list[str]:
    """The words that occur in any byte of any file, as typed or as the search stores them."""
    data = bytes_of(settings)
    spelt = {word: {word.lower().encode(), fold(word).encode()} for word in words}
    left = {w: form for w, forms in spelt.items() for form in forms if form in data}
    for word, form in left.items():
        print(word, data[max(0, data.index(form) - 80) : data.index(form) + 80])
    return [*left]


def terms() -> set[str]:
    """Every term of the search's index."""
    db.database.execute_sql(
        "CREATE VIRTUAL TABLE temp.terms USING fts5vocab('main', 'search_text', 'row')"
    )
    found = {term for (term,) in db.database.execute_sql("SELECT term FROM temp.terms").fetchall()}
    db.database.execute_sql("DROP TABLE temp.terms")
    return found


def sounds(words: list[str]) -> set[str]:
    return {search.index.sound(part) for word in words for part in fold(word).split()}


def asked(settings, manager: User) -> DataRequest:
    sent = {"kind": "mask", "person": "Kanareykina", "phone": "+998935550147", "proof": "AA7654321"}
    return data_requests.ask(manager, sent, catalogs.working_calendar(settings))


def mask(settings, manager: User, canary: Canary) -> None:
    ticked = [f"appeal:{canary.appeal.number}", "number"]
    answer = f"{canary.former} {canary.name}, soʻrovingiz bajarildi"
    retention.mask(settings, asked(settings, manager), manager, ticked, answer)
    assert scrubbing.scrub()


def assert_nothing_is_left(settings, canary: Canary) -> None:
    assert rows_with([*canary.words, canary.reason, OWN_PHONE]) == {}
    assert set(rows_with([OWN_PHONE], whole=True)) == {"call", "follow_up", "follow_up_mark"}
    assert is_left(settings, [*canary.words, canary.reason]) == []
    assert sounds(canary.words).isdisjoint(terms())
    assert applicants.with_phone(canary.phone) == applicants.with_phone(canary.former_phone) == []
    assert not Mahalla.select().where(Mahalla.name_uz_latn.startswith(canary.stem)).exists()


def test_the_canaries_are_there_before(settings, canary, other, issued) -> None:
    """Else nothing would be proved: each table that is masked has its canary."""
    planted = set(rows_with([*canary.words, canary.reason]))
    apart = {"field_value", "ministry_package", "search_text", "issued_file"}
    assert set(personal_columns.PERSONAL) - planted == apart
    assert is_left(settings, canary.words) == canary.words
    assert sounds([canary.surname, canary.former]) <= terms() | sounds([canary.former])


def test_masked_on_request_he_is_in_no_byte(settings, manager, canary, other, issued) -> None:
    Announcement.update(text=f"{canary.former} va {other.former}ga, {other.phone}").where(
        Announcement.text.contains(canary.former)
    ).execute()
    before = rows_with([*other.words, other.reason])
    before.pop("announcement"), before.pop("issued_report")
    mask(settings, manager, canary)
    assert_nothing_is_left(settings, canary)
    masked = Appeal.get_by_id(canary.appeal.id)
    assert ASKED in masked.gist  # the law requires the text, not the person
    assert ASKED in masked.consultation_issue
    assert (masked.call_type, masked.employment) == ("*", "*")  # counted as not on the list
    for table in (FollowUp, FollowUpMark):  # of the citizen's number: no note stays
        assert [row.note for row in table.select().where(table.number == canary.phone)] == [""]
    texts = [row.text for row in Announcement.select()]
    assert any(other.phone in text and other.former in text for text in texts)
    after = rows_with([*other.words, other.reason])
    assert {table: rows - after.get(table, set()) for table, rows in before.items()} == {
        table: set() for table in before
    }
    assert other.surname in [one.surname for one in applicants.with_phone(other.phone)]
    answered = DataRequest.select().where(DataRequest.kind == "mask").get()
    assert "soʻrovingiz bajarildi" in answered.answer


def test_issued_reports_are_withdrawn_and_made_anew(settings, manager, canary, issued) -> None:
    figures = {key: [*cell] for key, cell in issued.cells.items() if isinstance(cell[1], int)}
    mask(settings, manager, canary)
    report = issuing.report(issued.id)
    assert report.withdrawn_at
    assert issuing.files_of(report) == {}
    assert issuing.whole(settings, report)
    assert {key: report.cells.get(key) for key in figures} == figures
    assert [run.state for run in ReportRun.select()] == ["due"]


def test_a_report_without_him_stays(settings, manager, canary, other, issued) -> None:
    Appeal.update(consultation=False).where(Appeal.id == other.appeal.id).execute()
    first = issued.first - dt.timedelta(days=1)
    period = Period(first.replace(day=1), first, settings.tz)
    earlier = issuing.issue(settings, "monthly", period, "jobs")
    mask(settings, manager, canary)
    assert issuing.report(earlier.id).withdrawn_at is None
    assert issuing.files_of(issuing.report(earlier.id))


def grow_old(canary: Canary, old: dt.datetime) -> None:
    """All that was written about a citizen, and what is written about nobody else, is years old."""
    appeal = canary.appeal
    Handling.update(changed_at=old).where(Handling.appeal == appeal).execute()
    Appeal.update(registered_at=old).where(Appeal.id == appeal.id).execute()
    CallForm.update(registered_at=old).where(CallForm.appeal_number == appeal.number).execute()
    for column, where in (
        (Draft.updated_at, Draft.values.is_null(False)),
        (RefusedForm.at, RefusedForm.at.is_null(False)),
        (Announcement.sent_at, Announcement.text.contains(canary.stem)),
        (ArticleMiss.at, ArticleMiss.text.contains(canary.stem)),
        (NumberNote.at, NumberNote.number == canary.phone),
        (ScheduledCallback.done_at, ScheduledCallback.number == canary.phone),
        (FollowUpMark.at, FollowUpMark.number == canary.phone),
        (FollowUp.closed_at, FollowUp.number == canary.phone),
        (DataRequest.done_at, DataRequest.person.contains(canary.stem)),
        (LegalHold.ended_at, LegalHold.why.contains(canary.stem)),
        (Listening.at, Listening.reason.contains(canary.stem)),
        (AppealReveal.at, AppealReveal.reason.contains(canary.stem)),
        (Message.created_at, Message.text.contains(canary.stem)),
        (Message.created_at, Message.recipient == canary.phone),
    ):
        column.model.update({column: old}).where(where).execute()


def test_masked_by_age_he_is_in_no_byte(settings, canary, other, issued) -> None:
    retained.night(clock.now() - retained.DAY)
    site = dataclasses.replace(settings, retention=Retention(2, 2))
    grow_old(canary, retained.years(site, 2) - retained.DAY)
    before = rows_with([*other.words, other.reason])
    for gone in ("draft", "refused_form", "issued_report"):
        before.pop(gone)
    assert retention.remove_due(site).appeals == 1
    assert_nothing_is_left(settings, canary)
    masked = Appeal.get_by_id(canary.appeal.id)
    assert (masked.gist, masked.consultation_issue, masked.consultation_contact) == ("", "", "")
    after = rows_with([*other.words, other.reason])
    assert {table: rows - after.get(table, set()) for table, rows in before.items()} == {
        table: set() for table in before
    }
    assert issuing.report(issued.id).withdrawn_at


def test_what_a_former_release_masked_is_masked_whole(settings, canary) -> None:
    """It left the typed places, choices and reasons."""
    number = canary.appeal.number
    typed = {"region_text": "Kanarvoha", "employment": "Kanarmehnat", "surname": ""}
    Appeal.update(typed).where(Appeal.number == number).execute()
    form = CallForm.get(CallForm.appeal_number == number)
    for kind, subject in (("appeal_person", number), ("call_form", form.number)):
        Removal.create(kind=kind, subject=subject, at=clock.now(), rule="data_request=1")
    retained.night(clock.now() - retained.DAY)
    retention.remove_due(settings)
    masked = Appeal.get_by_id(canary.appeal.id)
    assert (masked.region_text, masked.employment) == ("", "*")
    assert ASKED in masked.gist
    form = CallForm.get_by_id(form.id)
    assert (form.region_text, form.call_type, form.gist) == ("", "*", "")
    assert [row.extent for row in Removal.select()] == [1, 1]


def test_what_was_put_right_in_its_spelling_goes(settings, nilufar, bahodir) -> None:
    """`typed` has a name as it was typed, next to the corrected one."""
    retained.night(clock.now() - retained.DAY)
    site = dataclasses.replace(settings, retention=Retention(2, 2))
    made = retained.register(site, nilufar, None, passport="ав 1234567")
    assert Appeal.get_by_id(made.id).typed
    retained.close(made, retained.years(site, 2) - retained.DAY)
    assert retention.remove_due(site).appeals == 1
    assert Appeal.get_by_id(made.id).typed == {}


def test_a_refused_form_goes_after_its_shift(settings, nilufar) -> None:
    """The nightly run removes it, also when nobody has sent another one since."""
    retained.night(clock.now() - retained.DAY)
    now = clock.now()
    for token, age in (("old", 13), ("young", 11)):
        at = now - dt.timedelta(hours=age)
        RefusedForm.create(token=token, user=nilufar, address="/", trouble="x", values={}, at=at)
    retention.remove_due(settings)
    assert [form.token for form in RefusedForm.select()] == ["young"]


def test_a_draft_of_a_call_that_goes_on_stays(settings, manager, canary, sardor) -> None:
    """The citizen calls while being masked: the new request is a new matter."""
    from tests.rig.citizen import Citizen

    citizen = Citizen("hotline-3.1", canary.phone)
    citizen.ring(sardor)
    citizen.talk()
    desk = appeals.at_hand(sardor, clock.now())
    appeals.save_draft(sardor, desk.token, {"surname": canary.surname, "first_name": canary.name})
    mask(settings, manager, canary)
    assert [draft.call_id for draft in Draft.select()] == ["hotline-3.1"]


def test_the_pages_may_not_remove_a_packs_file(settings, manager, canary, monkeypatch) -> None:
    """On a box the pages may only read packs: `appliance jobs` removes those they give up."""
    from appliance.core import files as core_files
    from appliance.reports import evidence

    folder = settings.paths.database.parent / "evidence"
    folder.mkdir()
    (folder / "evidence-000001.zip").write_bytes(b"PK")
    EvidencePack.update(state="made", file="evidence-000001.zip", made_at=clock.now()).execute()

    def refuse(path: Path) -> None:
        raise OSError(30, "Read-only file system")

    with monkeypatch.context() as box:
        box.setattr(Path, "unlink", refuse)
        mask(settings, manager, canary)
    assert EvidencePack.get().state == "gone"
    assert (folder / "evidence-000001.zip").exists()
    evidence.make_asked(settings)
    assert not (folder / "evidence-000001.zip").exists()
    assert not core_files.remove(folder / "evidence-000001.zip")


def test_a_file_that_is_too_large_is_not_written_anew(settings, canary) -> None:
    """It returns False, and takes the smaller step: the log is empty."""
    assert scrubbing.scrub(most=1) is False
    assert settings.paths.database.with_name("site.db-wal").stat().st_size == 0
