"""A citizen's data are planted everywhere, masked, and searched for in all remaining bytes."""

import dataclasses
import datetime as dt
import io
import json
import zipfile
from pathlib import Path

import pytest

from appliance.box import retention
from appliance.box.retention import scrubbing
from appliance.casework import applicants, catalogs, data_requests, search
from appliance.casework.appeals.desk import current_desk
from appliance.casework.forms import drafts
from appliance.core import clock, db
from appliance.core.i18n import fold_text
from appliance.core.settings import Retention
from appliance.models import (
    Announcement,
    AnswerDraft,
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
from appliance.models.unmasked_columns import STAYING
from appliance.reports import files, issuing
from appliance.reports.periods import Period
from tests.box import retained
from tests.rig.canary import REQUEST_TEXT, Canary, previous_month

# These remain after masking: the ledger and the contents of the audit.
UNMASKED_COLUMNS = {
    (table, name)
    for tables in STAYING.values()
    for table, names in tables.items()
    for name in names.split()
}
PHONE_DIGITS = "935550147"


@pytest.fixture
def manager(settings) -> User:
    return User.get(User.role == "manager")


@pytest.fixture
def canary(settings, nilufar, sardor, bahodir) -> Canary:
    planted = Canary(
        *("Kanar", "+998935550147", "+998901112233", "AA7654321", "AB1112223"),
        *("31210632040244", "hotline-1.1"),
    )
    planted.plant_everywhere(settings, nilufar, sardor, bahodir)
    return planted


@pytest.fixture
def other_canary(settings, canary, nilufar, sardor, bahodir) -> Canary:
    """A second citizen, whose data must stay complete."""
    planted = Canary(
        *("Bulbul", "+998935550999", "+998904445566", "AC7654329", "AD1112229"),
        *("31210932040247", "hotline-1.10"),
    )
    planted.plant_everywhere(settings, nilufar, sardor, bahodir)
    return planted


@pytest.fixture
def issued(settings, canary, other_canary, monkeypatch) -> IssuedReport:
    """The monthly report with the consultations of both, in formats with readable text."""
    first = previous_month(settings)
    then = dt.datetime.combine(first, dt.time(12), settings.tz)
    numbers = [canary.appeal.number, other_canary.appeal.number]
    Appeal.update(received_at=then).where(Appeal.number.in_(numbers)).execute()
    monkeypatch.setattr(issuing.archive, "LOCALES", ("uz_Cyrl",))
    kinds = {kind: files.MIME_TYPES[kind] for kind in ("json", "csv", "xlsx")}
    monkeypatch.setattr(files, "MIME_TYPES", kinds)
    last = (first + dt.timedelta(days=31)).replace(day=1) - dt.timedelta(days=1)
    report = issuing.issue_report(settings, "monthly", Period(first, last, settings.tz), "jobs")
    now = clock.now()
    ReportRun.create(
        name="monthly",
        period=f"{first:%Y-%m}",
        due_at=now,
        next_at=now,
        state="done",
        report=report,
    )
    return report


def rows_containing(words: list[str], *, all_columns: bool = False) -> dict[str, set[str]]:
    """Table → its rows that contain one of the words, in any spelling.

    `all_columns`: also search the columns that masking leaves.
    """
    rows_by_table: dict[str, set[str]] = {}
    tables = db.database.execute_sql("SELECT name FROM sqlite_master WHERE type = 'table'")
    names = [name for (name,) in tables.fetchall() if not name.startswith("search_text_")]
    for table in names:
        rows = db.database.execute_sql(f'SELECT * FROM "{table}"')  # noqa: S608
        columns = [column[0] for column in rows.description]
        for row in rows.fetchall():
            cells = zip(columns, row, strict=True)
            searched_cells = [
                str(cell)
                for name, cell in cells
                if all_columns or (table, name) not in UNMASKED_COLUMNS
            ]
            text = json.dumps(searched_cells, ensure_ascii=False)
            if any(word in text or fold_text(word) in fold_text(text) for word in words):
                rows_by_table.setdefault(table, set()).add(text)
    return rows_by_table


def all_bytes(settings) -> bytes:
    """Every byte of the database, its log and the files next to it; workbooks are unpacked."""
    folder = settings.paths.database.parent
    collected = b""
    for path in sorted(p for p in folder.rglob("*") if p.is_file()):
        data = path.read_bytes()
        collected += data
        if path.suffix in (".xlsx", ".zip"):
            with zipfile.ZipFile(io.BytesIO(data)) as pack:
                collected += b"".join(pack.read(name) for name in pack.namelist())
    return collected.lower()


def words_left(settings, words: list[str]) -> list[str]:
    """The words that occur in any byte of any file, as typed or in the form the search stores."""
    data = all_bytes(settings)
    spelt = {word: {word.lower().encode(), fold_text(word).encode()} for word in words}
    forms_left = {w: form for w, forms in spelt.items() for form in forms if form in data}
    for word, form in forms_left.items():
        print(word, data[max(0, data.index(form) - 80) : data.index(form) + 80])
    return [*forms_left]


def index_terms() -> set[str]:
    """Every term of the search index."""
    db.database.execute_sql(
        "CREATE VIRTUAL TABLE temp.terms USING fts5vocab('main', 'search_text', 'row')"
    )
    result = {term for (term,) in db.database.execute_sql("SELECT term FROM temp.terms").fetchall()}
    db.database.execute_sql("DROP TABLE temp.terms")
    return result


def sounds_of(words: list[str]) -> set[str]:
    return {search.index.sound_key(part) for word in words for part in fold_text(word).split()}


def create_mask_request(settings, manager: User) -> DataRequest:
    values = {
        "kind": "mask",
        "person": "Kanareykina",
        "phone": "+998935550147",
        "proof": "AA7654321",
    }
    return data_requests.register_data_request(manager, values, catalogs.working_calendar(settings))


def mask_citizen(settings, manager: User, canary: Canary) -> None:
    ticked = [f"appeal:{canary.appeal.number}", "number"]
    answer = f"{canary.former_surname} {canary.name}, soʻrovingiz bajarildi"
    retention.mask_citizen(
        settings, create_mask_request(settings, manager), manager, ticked, answer
    )
    assert scrubbing.scrub_database()


def assert_no_trace(settings, canary: Canary) -> None:
    assert rows_containing([*canary.personal_texts, canary.reason, PHONE_DIGITS]) == {}
    assert set(rows_containing([PHONE_DIGITS], all_columns=True)) == {
        "call",
        "follow_up",
        "follow_up_mark",
    }
    assert words_left(settings, [*canary.personal_texts, canary.reason]) == []
    assert sounds_of(canary.personal_texts).isdisjoint(index_terms())
    assert (
        applicants.find_by_phone(canary.phone)
        == applicants.find_by_phone(canary.former_phone)
        == []
    )
    assert not Mahalla.select().where(Mahalla.name_uz_latn.startswith(canary.stem)).exists()


def test_the_canaries_are_present_before_masking(settings, canary, other_canary, issued) -> None:
    """Otherwise nothing would be proved: each masked table contains the canary."""
    planted = set(rows_containing([*canary.personal_texts, canary.reason]))
    exceptions = {"field_value", "ministry_package", "search_text", "issued_file"}
    assert set(personal_columns.PERSONAL) - planted == exceptions
    assert words_left(settings, canary.personal_texts) == canary.personal_texts
    assert sounds_of([canary.surname, canary.former_surname]) <= index_terms() | sounds_of(
        [canary.former_surname]
    )


def test_after_masking_on_request_no_byte_of_the_citizen_remains(
    settings, manager, canary, other_canary, issued
) -> None:
    Announcement.update(
        text=f"{canary.former_surname} va {other_canary.former_surname}ga, {other_canary.phone}"
    ).where(Announcement.text.contains(canary.former_surname)).execute()
    before = rows_containing([*other_canary.personal_texts, other_canary.reason])
    before.pop("announcement"), before.pop("issued_report")
    mask_citizen(settings, manager, canary)
    assert_no_trace(settings, canary)
    masked = Appeal.get_by_id(canary.appeal.id)
    assert REQUEST_TEXT in masked.gist  # the law requires the text, but not the person
    assert REQUEST_TEXT in masked.consultation_issue
    # counted as a value outside the list
    assert (masked.call_type, masked.employment) == (
        "*",
        "*",
    )
    for table in (FollowUp, FollowUpMark):  # the citizen's own number: no note remains
        assert [row.note for row in table.select().where(table.number == canary.phone)] == [""]
    texts = [row.text for row in Announcement.select()]
    assert any(other_canary.phone in text and other_canary.former_surname in text for text in texts)
    after = rows_containing([*other_canary.personal_texts, other_canary.reason])
    assert {table: rows - after.get(table, set()) for table, rows in before.items()} == {
        table: set() for table in before
    }
    assert other_canary.surname in [
        applicant.surname for applicant in applicants.find_by_phone(other_canary.phone)
    ]
    mask_request = DataRequest.select().where(DataRequest.kind == "mask").get()
    assert "soʻrovingiz bajarildi" in mask_request.answer


def test_the_citizen_is_removed_from_drafts_and_errors_about_other_records(
    settings, manager, canary, other_canary
) -> None:
    text = f"{canary.former_surname} {canary.name} va {other_canary.former_surname}"
    is_other_draft = AnswerDraft.appeal == other_canary.appeal
    assert AnswerDraft.update(text=text).where(is_other_draft).execute()
    is_other_pack = EvidencePack.appeal == other_canary.appeal.number
    assert EvidencePack.update(error=text).where(is_other_pack).execute()
    mask_citizen(settings, manager, canary)
    assert AnswerDraft.get(is_other_draft).text == f"… va {other_canary.former_surname}"
    assert EvidencePack.get(is_other_pack).error == f"… va {other_canary.former_surname}"


def test_issued_reports_are_withdrawn_and_scheduled_for_reissue(
    settings, manager, canary, issued
) -> None:
    figures = {key: [*cell] for key, cell in issued.cells.items() if isinstance(cell[1], int)}
    mask_citizen(settings, manager, canary)
    report = issuing.find_report(issued.id)
    assert report.withdrawn_at
    assert issuing.files_by_kind(report) == {}
    assert issuing.is_intact(settings, report)
    assert {key: report.cells.get(key) for key in figures} == figures
    assert [run.state for run in ReportRun.select()] == ["due"]


def test_a_report_without_the_citizen_is_kept(
    settings, manager, canary, other_canary, issued
) -> None:
    Appeal.update(consultation=False).where(Appeal.id == other_canary.appeal.id).execute()
    first = issued.first - dt.timedelta(days=1)
    period = Period(first.replace(day=1), first, settings.tz)
    earlier = issuing.issue_report(settings, "monthly", period, "jobs")
    mask_citizen(settings, manager, canary)
    assert issuing.find_report(earlier.id).withdrawn_at is None
    assert issuing.files_by_kind(issuing.find_report(earlier.id))


def make_data_old(canary: Canary, old: dt.datetime) -> None:
    """Everything written about this citizen only becomes years old."""
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


def test_after_masking_by_age_no_byte_of_the_citizen_remains(
    settings, canary, other_canary, issued
) -> None:
    retained.create_run(clock.now() - retained.DAY)
    site = dataclasses.replace(settings, retention=Retention(2, 2))
    make_data_old(canary, retained.midnight_years_ago(site, 2) - retained.DAY)
    before = rows_containing([*other_canary.personal_texts, other_canary.reason])
    for table_name in ("draft", "refused_form", "issued_report"):
        before.pop(table_name)
    assert retention.remove_due(site).appeals == 1
    assert_no_trace(settings, canary)
    masked = Appeal.get_by_id(canary.appeal.id)
    assert (masked.gist, masked.consultation_issue, masked.consultation_contact) == ("", "", "")
    after = rows_containing([*other_canary.personal_texts, other_canary.reason])
    assert {table: rows - after.get(table, set()) for table, rows in before.items()} == {
        table: set() for table in before
    }
    assert issuing.find_report(issued.id).withdrawn_at


def test_data_masked_by_an_earlier_release_are_masked_completely(settings, canary) -> None:
    """That release did not mask typed places, choices and reasons."""
    number = canary.appeal.number
    typed = {"region_text": "Kanarvoha", "employment": "Kanarmehnat", "surname": ""}
    Appeal.update(typed).where(Appeal.number == number).execute()
    form = CallForm.get(CallForm.appeal_number == number)
    for kind, subject in (("appeal_person", number), ("call_form", form.number)):
        Removal.create(kind=kind, subject=subject, at=clock.now(), rule="data_request=1")
    retained.create_run(clock.now() - retained.DAY)
    retention.remove_due(settings)
    masked = Appeal.get_by_id(canary.appeal.id)
    assert (masked.region_text, masked.employment) == ("", "*")
    assert REQUEST_TEXT in masked.gist
    form = CallForm.get_by_id(form.id)
    assert (form.region_text, form.call_type, form.gist) == ("", "*", "")
    assert [row.extent for row in Removal.select()] == [1, 1]


def test_the_original_spelling_of_a_corrected_name_is_removed(settings, nilufar, bahodir) -> None:
    """`typed` contains a name as it was typed, next to the corrected one."""
    retained.create_run(clock.now() - retained.DAY)
    site = dataclasses.replace(settings, retention=Retention(2, 2))
    appeal = retained.register_appeal(site, nilufar, None, passport="ав 1234567")
    assert Appeal.get_by_id(appeal.id).typed
    retained.close_appeal(appeal, retained.midnight_years_ago(site, 2) - retained.DAY)
    assert retention.remove_due(site).appeals == 1
    assert Appeal.get_by_id(appeal.id).typed == {}


def test_a_refused_form_is_removed_after_its_shift(settings, nilufar) -> None:
    """The nightly run removes it, even if no other form was sent since."""
    retained.create_run(clock.now() - retained.DAY)
    now = clock.now()
    for token, age in (("old", 13), ("young", 11)):
        at = now - dt.timedelta(hours=age)
        RefusedForm.create(token=token, user=nilufar, address="/", trouble="x", values={}, at=at)
    retention.remove_due(settings)
    assert [form.token for form in RefusedForm.select()] == ["young"]


def test_a_draft_of_a_current_call_is_kept(settings, manager, canary, sardor) -> None:
    """The citizen calls while being masked: the new request is a separate matter."""
    from tests.rig.citizen import Citizen

    citizen = Citizen("hotline-3.1", canary.phone)
    citizen.ring_operator(sardor)
    citizen.start_talk()
    desk = current_desk(sardor, clock.now())
    drafts.save_draft(sardor, desk.token, {"surname": canary.surname, "first_name": canary.name})
    mask_citizen(settings, manager, canary)
    assert [draft.call_id for draft in Draft.select()] == ["hotline-3.1"]


def test_pages_leave_the_removal_of_pack_files_to_the_jobs_process(
    settings, manager, canary, monkeypatch
) -> None:
    """On a box the pages may only read packs: `appliance jobs` removes the discarded ones."""
    from appliance.core import files as core_files
    from appliance.reports import evidence

    folder = settings.paths.database.parent / "evidence"
    folder.mkdir()
    (folder / "evidence-000001.zip").write_bytes(b"PK")
    EvidencePack.update(state="made", file="evidence-000001.zip", made_at=clock.now()).execute()

    def refuse_unlink(path: Path) -> None:
        raise OSError(30, "Read-only file system")

    with monkeypatch.context() as box:
        box.setattr(Path, "unlink", refuse_unlink)
        mask_citizen(settings, manager, canary)
    assert EvidencePack.get().state == "gone"
    assert (folder / "evidence-000001.zip").exists()
    evidence.make_requested_packs(settings)
    assert not (folder / "evidence-000001.zip").exists()
    assert not core_files.remove_file(folder / "evidence-000001.zip")


def test_a_too_large_database_file_is_not_rewritten(settings, canary) -> None:
    """`scrub` returns False and takes the smaller step: the log is empty."""
    assert scrubbing.scrub_database(max_bytes=1) is False
    assert settings.paths.database.with_name("site.db-wal").stat().st_size == 0
